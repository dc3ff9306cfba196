"""Which views of a field a picture is made of, and what of a field is worked out only once.

Everything is reckoned in the axes of the camera that is drawn, in float32: a scene may lie far from the world's origin.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.compiled import Float, Index, compiled
from render.view_field import ViewField

NUM_SOURCES = 8  # of a picture at rest
NUM_NETWORK_SOURCES = 12  # of one that a network blends: the more it hears, the less one view changes
NUM_QUICK_SOURCES = 4  # of one that moves
NUM_LEVELS = 8  # of halved pictures, the first as they are
CHANNELS = 8  # of a texel, so that its colours are loaded at once
MOST_PACKED = 48  # views whose texels are kept
CELLS = (20, 15)  # of the picture, by which sources are chosen
NEAREST_ANGLE = 0.03  # radians, below which one source is as good as another
UNWEIGHTED = -80.0  # log weight of a view that does not count

Texels = NDArray[np.uint8]

# Columns of what is known of a source in the axes of the camera that is drawn.
ROTATION, SHIFT, FOCAL, CENTER, POSITION, LOG_WEIGHT, NUM_COLUMNS = 0, 9, 12, 14, 16, 19, 20


class Prepared:
    """What drawing needs of a field again and again, worked out when first asked for."""

    def __init__(self, pictures: NDArray[np.uint8], originals: NDArray[np.uint8], depths: Float) -> None:
        self._pictures, self._originals, self._depths = pictures, originals, depths
        self._packed: OrderedDict[int, Texels] = OrderedDict()
        self._stack: tuple[bytes, Texels] | None = None

    @cached_property
    def known_depths(self) -> Float:
        """(M,) some of the depths that are known."""
        step = max(1, min(self._depths.shape[1:]) // 24)
        some = self._depths[:, step // 2 :: step, step // 2 :: step]
        return np.asarray(some[some > 0], np.float32)

    @cached_property
    def usual_depth(self) -> float:
        """The z-depth of most, in the world's unit."""
        return float(np.median(self.known_depths)) if len(self.known_depths) else 1.0

    @cached_property
    def far(self) -> float:
        """The z-depth at which what has none is thought to be."""
        return 3 * float(np.quantile(self.known_depths, 0.98)) if len(self.known_depths) else 1.0

    @cached_property
    def levels(self) -> NDArray[np.int64]:
        """(NUM_LEVELS, 3) of pictures halved again and again: where their texels begin, height, width."""
        height, width = self._depths.shape[1:]
        levels = np.zeros((NUM_LEVELS, 3), np.int64)
        first = 0
        for level in levels:
            level[:] = first, height, width
            first += height * width
            height, width = (height + 1) // 2, (width + 1) // 2
        return levels

    def texels(self, chosen: NDArray[np.int64]) -> Texels:
        """(S, T, CHANNELS) of the chosen views: red, green, blue of the picture, of the original, nothing twice."""
        key = chosen.tobytes()
        stack = self._stack
        if stack is None or stack[0] != key:
            stack = self._stack = (key, np.stack([self._packed_view(int(view)) for view in chosen]))
        return stack[1]

    def _packed_view(self, view: int) -> Texels:
        found = self._packed.pop(view, None)
        if found is None:
            _, height, width = self.levels[-1]
            found = np.zeros((self.levels[-1, 0] + height * width, CHANNELS), np.uint8)
            _pack(self._pictures[view], self._originals[view], self.levels, found)
        self._packed[view] = found
        while len(self._packed) > MOST_PACKED:
            self._packed.popitem(last=False)
        return found


_PREPARED: WeakKeyDictionary[ViewField, Prepared] = WeakKeyDictionary()


def prepared(field: ViewField) -> Prepared:
    """What was worked out of a field, kept as long as the field is."""
    found = _PREPARED.get(field)
    if found is None:
        found = _PREPARED[field] = Prepared(field.pictures, field.originals, field.depths)
    return found


@compiled
def _pack(picture, original, levels, texels):
    """Fill texels (T, CHANNELS). Each level is half the one before: its pixel k is the mean of 2k and 2k + 1, what lies
    beyond an odd edge repeating it."""
    height, width = picture.shape[0], picture.shape[1]
    for row in range(height):
        for column in range(width):
            for channel in range(3):
                texels[row * width + column, channel] = picture[row, column, channel]
                texels[row * width + column, 3 + channel] = original[row, column, channel]
    for level in range(1, len(levels)):
        before, last_height, last_width = levels[level - 1]
        first, height, width = levels[level]
        for row in range(height):
            upper = before + 2 * row * last_width
            lower = before + min(2 * row + 1, last_height - 1) * last_width
            for column in range(width):
                left, right = 2 * column, min(2 * column + 1, last_width - 1)
                for channel in range(CHANNELS):
                    total = np.int64(texels[upper + left, channel]) + texels[upper + right, channel]
                    total += np.int64(texels[lower + left, channel]) + texels[lower + right, channel]
                    texels[first + row * width + column, channel] = (total + 2) // 4


def source_cameras(field: ViewField, chosen: NDArray[np.integer], pose: ArrayLike) -> Float:
    """(S, NUM_COLUMNS) of the chosen views: rotation and shift from a camera at `pose`, cam_from_world; focal length
    and centre in pixels; position in that camera's axes; log of the view's weight."""
    source_from_cam = field.cameras.cam_from_world[chosen] @ np.linalg.inv(np.asarray(pose, np.float64))
    rotations, shifts = source_from_cam[:, :3, :3], source_from_cam[:, :3, 3]
    columns = np.empty((len(chosen), NUM_COLUMNS))
    columns[:, ROTATION:SHIFT] = rotations.reshape(-1, 9)
    columns[:, SHIFT:FOCAL] = shifts
    columns[:, FOCAL:CENTER] = field.cameras.focal[chosen]
    columns[:, CENTER:POSITION] = field.cameras.center[chosen]
    columns[:, POSITION:LOG_WEIGHT] = -np.einsum("sji,sj->si", rotations, shifts)
    weights = field.weights[chosen]
    columns[:, LOG_WEIGHT] = np.where(weights > 0, np.log(np.maximum(weights, 1e-30)), UNWEIGHTED)
    return columns.astype(np.float32)


def pinhole(focal: ArrayLike, center: ArrayLike) -> Float:
    """(4,) focal lengths and centre in pixels, for kernels."""
    return np.concatenate([np.asarray(focal), np.asarray(center)]).astype(np.float32)


def sources_at_rest(field: ViewField) -> int:
    """How many views a picture is blended of when nobody hurries."""
    return NUM_NETWORK_SOURCES if field.network.size else NUM_SOURCES


def choose_sources(
    field: ViewField,
    pose: ArrayLike,
    focal: ArrayLike | None = None,
    center: ArrayLike | None = None,
    size: tuple[int, int] | None = None,
    *,
    count: int = NUM_SOURCES,
    without: int | None = None,
) -> NDArray[np.int64]:
    """At most `count` views of weight > 0 that together show best what a camera sees, the most useful first.

    Each cell of a coarse picture asks for views that see its surface from nearby directions; each further view of a
    cell counts less, so that all cells are seen by some. focal, center, size: of the first view where not given.
    without: a view that may not be chosen."""
    focal = field.cameras.focal[0] if focal is None else focal
    center = field.cameras.center[0] if center is None else center
    size = (int(field.cameras.size[0, 0]), int(field.cameras.size[0, 1])) if size is None else size
    able = np.nonzero(field.weights > 0)[0]
    if without is not None:
        able = able[able != without]
    if not len(able):
        return able
    cameras = source_cameras(field, able, pose)
    known = prepared(field)
    cells = _cells(field, able, cameras, pinhole(focal, center), size)
    worths = np.empty((len(able), len(cells)), np.float32)
    _rate(cells, cameras, able, field.depths, np.float32(known.far), np.float32(known.usual_depth), worths)
    return able[_greedy(worths * field.weights[able, None], count)]


def _cells(
    field: ViewField, able: NDArray[np.int64], cameras: Float, target: Float, size: tuple[int, int]
) -> Float:
    """(C, 4) points in the camera's axes, one a cell of the picture, at the nearest depth that views know there; and 1
    where it is known."""
    across, down = CELLS
    nearest = np.zeros((down, across), np.float32)
    per_pixel = np.array([across / size[0], down / size[1]], np.float32)
    step = max(1, int(np.sqrt(field.depths[0].size * len(able) / 12000)))
    _splat_depths(field.depths, able, cameras, target, per_pixel, step, nearest)
    rows, columns = np.mgrid[:down, :across]
    pixels = np.stack([(columns + 0.5) / per_pixel[0], (rows + 0.5) / per_pixel[1]], -1).reshape(-1, 2)
    z = 1 / np.maximum(nearest.reshape(-1, 1), 1 / prepared(field).far)
    xy = (pixels - target[2:]) / target[:2] * z
    return np.concatenate([xy, z, nearest.reshape(-1, 1) > 0], 1).astype(np.float32)


@compiled
def _splat_depths(depths, able, cameras, target, per_pixel, step, nearest):
    """Keep in each cell (rows, columns) the inverse of the nearest depth that a pixel of a view has there."""
    for s in range(len(able)):
        camera = cameras[s]
        depth = depths[able[s]]
        for v in range(step // 2, depth.shape[0], step):
            for u in range(step // 2, depth.shape[1], step):
                z = depth[v, u]
                if z <= 0:
                    continue
                x = (np.float32(u) + np.float32(0.5) - camera[14]) / camera[12] * z - camera[9]
                y = (np.float32(v) + np.float32(0.5) - camera[15]) / camera[13] * z - camera[10]
                w = z - camera[11]
                in_z = camera[2] * x + camera[5] * y + camera[8] * w
                if in_z <= np.float32(1e-6):
                    continue
                in_x = (camera[0] * x + camera[3] * y + camera[6] * w) / in_z * target[0] + target[2]
                in_y = (camera[1] * x + camera[4] * y + camera[7] * w) / in_z * target[1] + target[3]
                column, row = np.floor(in_x * per_pixel[0]), np.floor(in_y * per_pixel[1])
                if 0 <= column < nearest.shape[1] and 0 <= row < nearest.shape[0]:
                    i, j = int(row), int(column)
                    nearest[i, j] = max(nearest[i, j], np.float32(1) / in_z)


@compiled
def _rate(cells, cameras, able, depths, far, usual_depth, worths):
    """What each view is worth to each cell: much from a nearby direction, little where something else is seen there."""
    for s in range(len(able)):
        camera = cameras[s]
        depth = depths[able[s]]
        away = np.sqrt(camera[16] ** 2 + camera[17] ** 2 + camera[18] ** 2) / usual_depth
        for k in range(len(cells)):
            worths[s, k] = 0
            x, y, z = cells[k, 0], cells[k, 1], cells[k, 2]
            in_z = camera[6] * x + camera[7] * y + camera[8] * z + camera[11]
            if in_z <= np.float32(1e-6):
                continue
            in_x = (camera[0] * x + camera[1] * y + camera[2] * z + camera[9]) / in_z * camera[12] + camera[
                14
            ]
            in_y = (camera[3] * x + camera[4] * y + camera[5] * z + camera[10]) / in_z * camera[13] + camera[
                15
            ]
            if not (0 <= in_x < depth.shape[1] and 0 <= in_y < depth.shape[0]):
                continue
            ray_x, ray_y, ray_z = x - camera[16], y - camera[17], z - camera[18]
            length = np.sqrt(ray_x * ray_x + ray_y * ray_y + ray_z * ray_z)
            own = np.sqrt(x * x + y * y + z * z)
            cosine = (ray_x * x + ray_y * y + ray_z * z) / (length * own)
            angle = np.sqrt(max(np.float32(0), np.float32(2) - np.float32(2) * cosine))
            if cells[k, 3] == 0:
                angle = max(angle, away * np.float32(0.3))
            found = depth[int(in_y), int(in_x)]
            agrees = np.float32(0.3) if found == 0 else np.float32(0.05)
            if found > 0 and abs(in_z / found - np.float32(1)) < np.float32(0.1):
                agrees = np.float32(1)
            closer = min(np.float32(1), own / length)
            worths[s, k] = agrees * closer / (angle + np.float32(0.05)) ** 2


def _greedy(worths: Float, count: int) -> NDArray[np.int64]:
    """Rows of (N, C) chosen one after the other, each the one that adds most to the sum over cells of
    log(1 + what the cell has)."""
    scale = 0.2 * float(worths.max(initial=0)) or 1.0
    gained = np.zeros(worths.shape[1], np.float32)
    left = list(range(len(worths)))
    picked: list[int] = []
    while left and len(picked) < count:
        gains = np.log1p((gained + worths[left]) / scale).sum(1)
        best = left.pop(int(np.argmax(gains)))
        picked.append(best)
        gained += worths[best]
    return np.array(picked, np.int64)


def rows_of(size: tuple[int, int], rows: tuple[int, int] | None) -> Index:
    """Flat indices of the pixels in rows first … last of a picture, all where not given."""
    first, last = (0, size[1]) if rows is None else rows
    return np.arange(first * size[0], last * size[0], dtype=np.int32)
