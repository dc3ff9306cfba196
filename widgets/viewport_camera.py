"""Where a viewport looks from, and how that changes: values and pure functions, no Qt and no VTK.

Lengths are world units, angles radians, pixels count from the top left corner with y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.frame import Axis

Vector = tuple[float, float, float]
Array = NDArray[np.float64]
Size = tuple[int, int]  # width, height
ViewName = Literal["front", "back", "right", "left", "top", "bottom", "iso"]
_NEAREST, _FARTHEST = 1e-7, 1e15  # to the focal point: as a share of where it is, and in units
_FAR = 200.0  # focal distances from which a perspective camera sees as a parallel one does
VIEW_NAMES: tuple[ViewName, ...] = get_args(ViewName)
OPPOSITE: dict[ViewName, ViewName] = {
    "front": "back", "back": "front", "right": "left", "left": "right",
    "top": "bottom", "bottom": "top", "iso": "iso",
}  # fmt: skip

# The axis that points right and the one that points away from the viewer in the front view, so that
# right x away = up.
_FRONT: dict[Axis, tuple[Axis, Axis]] = {
    "+Z": ("+X", "+Y"), "-Z": ("+X", "-Y"), "+Y": ("+X", "-Z"),
    "-Y": ("+X", "+Z"), "+X": ("+Y", "+Z"), "-X": ("+Y", "-Z"),
}  # fmt: skip


@dataclass(frozen=True)
class CameraPose:
    """A camera at `position` that looks at `focal`, about which it turns.

    up: any vector not along the view. parallel: orthographic; its picture at the focal point has the size
    that the perspective one has. view_angle: the whole vertical angle. shift: where the view's axis goes through
    the picture, right and down of its middle, in heights of the picture. Raises ValueError for a position at the
    focal point or numbers that are not finite.
    """

    position: Vector = (1.0, -1.0, 1.0)
    focal: Vector = (0.0, 0.0, 0.0)
    up: Vector = (0.0, 0.0, 1.0)
    parallel: bool = False
    view_angle: float = math.radians(30)
    shift: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("position", "focal", "up"):
            object.__setattr__(self, name, _vector(getattr(self, name)))
        numbers = (*self.position, *self.focal, *self.up, *self.shift, self.view_angle)
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError("a camera's numbers must be finite")
        if self.position == self.focal or not 0 < self.view_angle < math.pi:
            raise ValueError("a camera must stand off its focal point and see some angle")

    @property
    def distance(self) -> float:
        """From the position to the focal point."""
        return math.dist(self.position, self.focal)

    @property
    def half_height(self) -> float:
        """Half of the picture's height at the focal point."""
        return self.distance * math.tan(self.view_angle / 2)

    @cached_property
    def axes(self) -> tuple[Array, Array, Array]:
        """Unit vectors right, up and back (towards the viewer), right-handed."""
        back = _unit(np.subtract(self.position, self.focal))
        right = np.cross(self.up, back)
        if np.linalg.norm(right) < 1e-9 * np.linalg.norm(self.up):
            right = np.cross(np.eye(3)[int(np.argmin(np.abs(back)))], back)
        right = _unit(right)
        axes = right, np.cross(back, right), back
        for axis in axes:
            axis.flags.writeable = False  # they are kept and shared
        return axes

    def axis_pixel(self, size: Size) -> tuple[float, float]:
        """The pixel that the view's axis goes through."""
        return size[0] / 2 + self.shift[0] * size[1], size[1] / 2 + self.shift[1] * size[1]

    def units_per_pixel(self, size: Size) -> float:
        """World length that one pixel covers at the focal point."""
        return 2 * self.half_height / max(1, size[1])


@dataclass(frozen=True, eq=False)
class Pinhole:
    """A camera as pictures are computed for. cam_from_world: (4, 4), axes OpenCV's. focal: pixels. center: the pixel
    that the view's axis goes through. size: width, height. distance: along the view to the focal point."""

    cam_from_world: Array
    focal: float
    center: tuple[float, float]
    size: Size
    distance: float


def pinhole(pose: CameraPose, size: Size) -> Pinhole:
    """What sees as the pose does; for a parallel one a camera so far away that its rays are all but parallel."""
    right, up, back = pose.axes
    retreat = _FAR * pose.distance if pose.parallel else 0.0
    focal = size[1] / (2 * math.tan(pose.view_angle / 2)) * (1 + retreat / pose.distance)
    cam_from_world = np.eye(4)
    cam_from_world[:3, :3] = np.stack([right, -up, -back])
    cam_from_world[:3, 3] = -cam_from_world[:3, :3] @ (np.asarray(pose.position) + back * retreat)
    return Pinhole(cam_from_world, focal, pose.axis_pixel(size), size, retreat + pose.distance)


def axis_vector(axis: Axis) -> Array:
    """The unit vector of "+X" … "-Z"."""
    vector = np.zeros(3)
    vector["XYZ".index(axis[1])] = 1.0 if axis[0] == "+" else -1.0
    return vector


def box_corners(box: Array | None) -> Array:
    """The eight corners (8, 3) of a box (2, 3) along the axes; none (0, 3) of no box."""
    if box is None:
        return np.zeros((0, 3))
    corners: Array = np.stack(np.meshgrid(*box.T, indexing="ij"), -1).reshape(-1, 3)
    return corners


def project(pose: CameraPose, points: ArrayLike, size: Size) -> Array:
    """Points (N, 3) in the picture: (N, 3) pixels x, y and depth along the view; depth <= 0 is behind."""
    right, up, back = pose.axes
    offset = np.asarray(points, float).reshape(-1, 3) - pose.position
    depth = -(offset @ back)
    scale = size[1] / (2 * math.tan(pose.view_angle / 2))
    per_unit = np.full(len(offset), scale / pose.distance) if pose.parallel else scale / _away_from_0(depth)
    middle = pose.axis_pixel(size)
    x = middle[0] + (offset @ right) * per_unit
    y = middle[1] - (offset @ up) * per_unit
    return np.stack([x, y, depth], axis=1)


def ray(pose: CameraPose, x: float, y: float, size: Size) -> tuple[Array, Array]:
    """The line of sight through a pixel: its origin (3,) and unit direction (3,)."""
    right, up, back = pose.axes
    per_pixel = pose.units_per_pixel(size)
    middle = pose.axis_pixel(size)
    across = right * ((x - middle[0]) * per_pixel) + up * ((middle[1] - y) * per_pixel)
    if pose.parallel:
        return np.asarray(pose.position) + across, -back
    return np.asarray(pose.position), _unit(across - back * pose.distance)


def orbit(pose: CameraPose, yaw: float, pitch: float, up: ArrayLike) -> CameraPose:
    """Turn about the focal point like a turntable: yaw about `up`, pitch up to the poles. Levels a roll."""
    axis = _unit(up)
    right, _, back = pose.axes
    level = right - axis * (right @ axis)
    if np.linalg.norm(level) < 1e-6:  # rolled onto its side
        level = np.cross(axis, back)
    level = _unit(level)
    level = level * math.cos(yaw) + np.cross(axis, level) * math.sin(yaw)
    elevation = math.asin(float(np.clip(back @ axis, -1, 1))) + pitch
    elevation = min(math.pi / 2, max(-math.pi / 2, elevation))
    outward = np.cross(level, axis)
    direction = math.cos(elevation) * outward + math.sin(elevation) * axis
    camera_up = math.cos(elevation) * axis - math.sin(elevation) * outward
    position = np.asarray(pose.focal) + direction * pose.distance
    return replace(pose, position=_vector(position), up=_vector(camera_up))


def look(pose: CameraPose, yaw: float, pitch: float, up: ArrayLike) -> CameraPose:
    """Turn the view about the camera's own position, as a head turns."""
    turned = orbit(pose, yaw, -pitch, up)
    shift = np.subtract(pose.position, turned.position)
    return replace(turned, position=pose.position, focal=_vector(np.add(turned.focal, shift)))


def move(pose: CameraPose, right: float, up: float, forward: float) -> CameraPose:
    """Carry camera and focal point along the camera's own axes by world lengths."""
    a, b, c = pose.axes
    shift = a * right + b * up - c * forward
    return replace(
        pose, position=_vector(np.add(pose.position, shift)), focal=_vector(np.add(pose.focal, shift))
    )


def pan(pose: CameraPose, dx: float, dy: float, size: Size) -> CameraPose:
    """Move the picture by pixels, so that what lies at the focal point follows the pointer."""
    per_pixel = pose.units_per_pixel(size)
    return move(pose, -dx * per_pixel, dy * per_pixel, 0)


def zoom(pose: CameraPose, factor: float, about: ArrayLike) -> CameraPose:
    """Bring camera and focal point towards `about` (3,): distances become `factor` times as long.

    The camera stays where the numbers of a double could no longer tell it from its focal point.
    """
    point = np.asarray(about, float)
    distance = pose.distance * factor
    if not _NEAREST * (1e-6 + float(np.abs([*point, *pose.focal]).max())) < distance < _FARTHEST:
        return pose
    return replace(
        pose,
        position=_vector(point + (np.asarray(pose.position) - point) * factor),
        focal=_vector(point + (np.asarray(pose.focal) - point) * factor),
    )


def look_along(pose: CameraPose, name: ViewName, up_axis: Axis) -> CameraPose:
    """The named view of the same focal point from the same distance."""
    right, away = (axis_vector(axis) for axis in _FRONT[up_axis])
    up = axis_vector(up_axis)
    back, camera_up = {
        "front": (-away, up), "back": (away, up), "right": (right, up), "left": (-right, up),
        "top": (up, away), "bottom": (-up, -away), "iso": (right - away + 0.8 * up, up),
    }[name]  # fmt: skip
    return look_from(pose, back, camera_up)


def look_from(pose: CameraPose, back: ArrayLike, up: ArrayLike) -> CameraPose:
    """Stand in direction `back` of the focal point, at the same distance."""
    position = np.asarray(pose.focal) + _unit(back) * pose.distance
    return replace(pose, position=_vector(position), up=_vector(np.asarray(up, float)))


def fit(pose: CameraPose, corners: ArrayLike, aspect: float, margin: float = 1.12) -> CameraPose:
    """Keep the direction and move so that all points (N, 3) are just seen, with a margin around them.

    aspect: width over height of the picture. Points without extent are seen from one unit away.
    """
    points = np.asarray(corners, float).reshape(-1, 3)
    center = (points.min(0) + points.max(0)) / 2
    right, up, back = pose.axes
    x, y, z = np.abs((points - center) @ right), np.abs((points - center) @ up), (points - center) @ back
    tangent = math.tan(pose.view_angle / 2) / margin
    reach = np.maximum(y, x / aspect) / tangent + (0 if pose.parallel else z)
    distance = float(reach.max())
    if not distance > 1e-12:
        distance = max(1.0, float(np.abs(center).max()))
    return replace(pose, position=_vector(center + back * distance), focal=_vector(center))


def between(start: CameraPose, end: CameraPose, share: float) -> CameraPose:
    """The pose `share` of the way from start to end: it turns evenly and zooms evenly."""
    from scipy.spatial.transform import Rotation  # Takes long to import: not before the first move.

    if share >= 1:
        return end
    first, last = (np.stack(pose.axes, axis=1) for pose in (start, end))
    turn = Rotation.from_matrix(last @ first.T).as_rotvec()
    right_up_back = Rotation.from_rotvec(turn * max(0.0, share)).as_matrix() @ first
    focal = np.asarray(start.focal) * (1 - share) + np.asarray(end.focal) * share
    distance = start.distance ** (1 - share) * end.distance**share
    return replace(
        end,
        position=_vector(focal + right_up_back[:, 2] * distance),
        focal=_vector(focal),
        up=_vector(right_up_back[:, 1]),
        view_angle=start.view_angle * (1 - share) + end.view_angle * share,
    )


def _vector(values: ArrayLike) -> Vector:
    x, y, z = (float(value) for value in np.asarray(values, float))
    return x, y, z


def _unit(values: ArrayLike) -> Array:
    vector = np.asarray(values, float)
    return vector / float(np.linalg.norm(vector))


def _away_from_0(depth: Array) -> Array:
    return np.where(np.abs(depth) < 1e-12, 1e-12, depth)
