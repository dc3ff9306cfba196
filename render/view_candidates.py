"""What each source view has to say about each pixel of a new view: its colour there, and how far it may be believed.

A pixel with z-depth 0 is sky: it lies in a direction only, and is seen by those views whose own depth is unknown there.
`gather_plainly` in tests/render/view_twins.py says the same, readably.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.splatting_compiled import Float, compiled, in_threads
from render.view_field import ViewField
from render.view_sources import NEAREST_ANGLE, pinhole, prepared, source_cameras

OUTSIDE = (
    -40.0
)  # log prior of a view whose picture ends before the pixel, and once more for each picture's length beyond
UNSURE = -6.0  # of one that does not know the depth of what it sees there
TOLERANCE = 0.03  # relative difference of depths that is an error rather than another surface
MOST_DISAGREEMENT = 1.0  # beyond which the difference is not told
MOST_PENALTY = 60.0  # squared tolerances
COARSE_LEVEL = 3  # of halving: a pixel of it is 8 wide
CHUNK = 1024  # pixels that a thread takes at once

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Candidates:
    """P pixels as S sources see them; float32, colours sRGB within 0 and 1.

    colors: (P, S, 3) in the pictures. originals: (P, S, 3) before the edit. coarse_colors, coarse_originals: (P, S, 3)
    the same blurred over some 8 pixels of the source, or (0, 0, 0) where not asked for. disagreement: (P, S) depth of
    the point in the source over the depth that the source has there, less 1, within -1 and 1: positive where
    something hides it, 0 where unknown. angle: (P, S) radians between the two rays. scale: (P, S) log2 of how many
    pixels of the source fall to one of the picture along one side. is_inside: (P, S) bool, the source's picture
    contains the point. prior: (P, S) log weight of blending by rule: angle (unstructured lumigraph rendering, Buehler et al. 2001),
    occlusion, the view's weight. Outside the colours are those of the picture's border, and the prior at most OUTSIDE.
    """

    colors: Float
    originals: Float
    coarse_colors: Float
    coarse_originals: Float
    disagreement: Float
    angle: Float
    scale: Float
    is_inside: NDArray[np.bool_]
    prior: Float


def gather(
    field: ViewField,
    chosen: NDArray[np.integer],
    pose: ArrayLike,
    focal: ArrayLike,
    center: ArrayLike,
    depth: ArrayLike,
    pixels: ArrayLike | None = None,
    *,
    with_coarse: bool = True,
) -> Candidates:
    """What the chosen views (S,) know of a camera's pixels. pose: (4, 4) cam_from_world. depth: (H, W) z-depth of what
    the camera sees, 0 for sky. pixels: (P,) flat indices, row by row, of those asked for; all where not given."""
    depth = np.ascontiguousarray(depth, np.float32)
    pixels = np.arange(depth.size) if pixels is None else pixels
    found = room_for(np.size(pixels), len(chosen), with_coarse=with_coarse)
    gather_into(
        found,
        prepared(field).picture_levels,
        prepared(field).original_levels,
        field.depths,
        np.ascontiguousarray(chosen, np.int64),
        source_cameras(field, chosen, pose),
        pinhole(focal, center),
        depth,
        np.ascontiguousarray(pixels, np.int64),
    )
    return found


def room_for(num_pixels: int, num_sources: int, *, with_coarse: bool) -> Candidates:
    """Candidates to be filled in."""
    shape = (num_pixels, num_sources)
    coarse = (*shape, 3) if with_coarse else (0, 0, 0)

    def floats(*sides: int) -> Float:
        return np.empty(sides, np.float32)

    return Candidates(
        floats(*shape, 3), floats(*shape, 3), floats(*coarse), floats(*coarse),
        floats(*shape), floats(*shape), floats(*shape), np.empty(shape, np.bool_), floats(*shape),
    )  # fmt: skip


def gather_into(
    found: Candidates,
    pictures: tuple[Image, ...],
    originals: tuple[Image, ...],
    depths: Float,
    chosen: NDArray[np.int64],
    cameras: Float,
    target: Float,
    depth: Float,
    pixels: NDArray[np.int64],
    run: Callable[..., None] = in_threads,
) -> None:
    """`gather` with what is known of the views. pictures, originals: their levels. cameras: as `source_cameras`."""
    run(
        _gather, len(pixels), CHUNK, *pictures, *originals, pictures is originals, depths, chosen, cameras,
        target, depth, pixels, found.colors, found.originals, found.coarse_colors, found.coarse_originals,
        found.disagreement, found.angle, found.scale, found.is_inside, found.prior,
    )  # fmt: skip


@compiled
def _bilinear(image, x, y):
    """Red, green and blue of an image (H, W, 3) uint8 at x, y, in pixels from its corner, within 0 and 1."""
    height, width = image.shape[0], image.shape[1]
    x = min(max(x - np.float32(0.5), np.float32(0)), np.float32(width - 1))
    y = min(max(y - np.float32(0.5), np.float32(0)), np.float32(height - 1))
    u, v = int(x), int(y)
    right, below = min(u + 1, width - 1), min(v + 1, height - 1)
    p, q = (x - u) * np.float32(1 / 255), y - v
    p0 = np.float32(1 / 255) - p
    q0 = np.float32(1) - q
    a, b, c, d = p0 * q0, p * q0, p0 * q, p * q
    upper, lower = image[v], image[below]
    return (
        a * upper[u, 0] + b * upper[right, 0] + c * lower[u, 0] + d * lower[right, 0],
        a * upper[u, 1] + b * upper[right, 1] + c * lower[u, 1] + d * lower[right, 1],
        a * upper[u, 2] + b * upper[right, 2] + c * lower[u, 2] + d * lower[right, 2],
    )


@compiled
def _masked(image, x, y, w00, w01, w10, w11):
    """The same with weights of the four pixels, sum 1, in place of those by nearness."""
    height, width = image.shape[0], image.shape[1]
    u = min(max(int(x - np.float32(0.5)), 0), width - 1)
    v = min(max(int(y - np.float32(0.5)), 0), height - 1)
    right, below = min(u + 1, width - 1), min(v + 1, height - 1)
    k = np.float32(1 / 255)
    upper, lower = image[v], image[below]
    return (
        k * (w00 * upper[u, 0] + w01 * upper[right, 0] + w10 * lower[u, 0] + w11 * lower[right, 0]),
        k * (w00 * upper[u, 1] + w01 * upper[right, 1] + w10 * lower[u, 1] + w11 * lower[right, 1]),
        k * (w00 * upper[u, 2] + w01 * upper[right, 2] + w10 * lower[u, 2] + w11 * lower[right, 2]),
    )


@compiled
def _at_level(level, image0, image1, image2, image3, x, y):
    """Colour at x, y, in pixels of the whole picture, from the picture halved `level` times."""
    if level <= 0:
        return _bilinear(image0, x, y)
    if level == 1:
        return _bilinear(image1, x * np.float32(0.5), y * np.float32(0.5))
    if level == 2:
        return _bilinear(image2, x * np.float32(0.25), y * np.float32(0.25))
    return _bilinear(image3, x * np.float32(0.125), y * np.float32(0.125))


@compiled
def _disagreement(z, near):
    """How far a point at z lies behind a surface at `near`, relative; 0 for one as deep or where nothing is known."""
    if near <= 0:
        return np.float32(0)
    return min(max(z / near - 1, -np.float32(MOST_DISAGREEMENT)), np.float32(MOST_DISAGREEMENT))


@compiled
def _agreement(z, near):
    """Weight of a pixel of the source for a point at z, and whether its depth is known."""
    if near <= 0:
        return np.float32(1e-6)
    d = (z / near - 1) * np.float32(1 / TOLERANCE)
    return max(np.exp(-np.float32(0.5) * d * d), np.float32(1e-6))


@compiled
def _gather(
    start, stop, picture0, picture1, picture2, picture3, original0, original1, original2, original3, is_same,
    depths, chosen, cameras, target, depth, pixels,
    colors, originals, coarse_colors, coarse_originals, disagreement, angles, scales, is_inside, prior,
):  # fmt: skip
    height, width = depths.shape[1], depths.shape[2]
    columns = depth.shape[1]
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    log_nearest = np.float32(NEAREST_ANGLE)
    has_coarse = len(coarse_colors) > 0
    for p in range(start, stop):
        pixel = pixels[p]
        row = pixel // columns
        dx = (np.float32(pixel - row * columns) + half - target[2]) / target[0]
        dy = (np.float32(row) + half - target[3]) / target[1]
        z = depth[row, pixel - row * columns]
        is_sky = z <= 0
        if is_sky:
            z = one
        x, y = dx * z, dy * z
        own = one / np.sqrt(dx * dx + dy * dy + one)
        for s in range(len(chosen)):
            camera = cameras[s]
            near = one
            in_x = camera[0] * x + camera[1] * y + camera[2] * z
            in_y = camera[3] * x + camera[4] * y + camera[5] * z
            in_z = camera[6] * x + camera[7] * y + camera[8] * z
            if is_sky:
                away = np.sqrt(camera[16] * camera[16] + camera[17] * camera[17] + camera[18] * camera[18])
                angle = away / (
                    away + one
                )  # Nearer cameras first, though all see it from the same direction.
                scale = camera[12] / (target[0] * max(in_z, np.float32(1e-6)))
            else:
                in_x += camera[9]
                in_y += camera[10]
                in_z += camera[11]
                ray_x, ray_y, ray_z = x - camera[16], y - camera[17], z - camera[18]
                far = one / np.sqrt(max(ray_x * ray_x + ray_y * ray_y + ray_z * ray_z, np.float32(1e-20)))
                off_x, off_y, off_z = ray_x * far - dx * own, ray_y * far - dy * own, ray_z * far - own
                chord = off_x * off_x + off_y * off_y + off_z * off_z
                # 2 asin(c / 2) to a percent up to a right angle
                angle = np.sqrt(chord) * (
                    one + chord * np.float32(1 / 24) + chord * chord * np.float32(3 / 640)
                )
                scale = camera[12] * z / (target[0] * max(in_z, np.float32(1e-6)))
            in_front = in_z > np.float32(1e-6)
            over = one / in_z if in_front else zero
            in_x = in_x * over * camera[12] + camera[14]
            in_y = in_y * over * camera[13] + camera[15]
            inside = in_front and in_x >= 0 and in_x < width and in_y >= 0 and in_y < height
            beyond = max(max(-in_x, in_x - width), max(-in_y, in_y - height)) / max(height, width)
            in_x = min(max(in_x, zero), np.float32(width))
            in_y = min(max(in_y, zero), np.float32(height))
            bits = np.log2(max(scale, np.float32(1e-3)))
            level = int(bits + half) if bits > 0 else 0

            # The four pixels about the point, and which of them show the same surface.
            u = min(max(int(in_x - half), 0), width - 1)
            v = min(max(int(in_y - half), 0), height - 1)
            right, below = min(u + 1, width - 1), min(v + 1, height - 1)
            fx = min(max(in_x - half - np.float32(u), zero), one)
            fy = min(max(in_y - half - np.float32(v), zero), one)
            seen = depths[chosen[s]]
            d00, d01, d10, d11 = seen[v, u], seen[v, right], seen[below, u], seen[below, right]
            w00, w01, w10, w11 = (one - fx) * (one - fy), fx * (one - fy), (one - fx) * fy, fx * fy
            low, high = min(min(d00, d01), min(d10, d11)), max(max(d00, d01), max(d10, d11))
            is_whole = low > 0 and high < low * np.float32(1 + 2 * TOLERANCE)
            penalty = zero
            if is_sky:
                difference = zero
                known = (w00 if d00 > 0 else zero) + (w01 if d01 > 0 else zero)
                known += (w10 if d10 > 0 else zero) + (w11 if d11 > 0 else zero)
                penalty = -np.float32(MOST_PENALTY / 2) * known
                is_whole = True
            elif is_whole:
                near = w00 * d00 + w01 * d01 + w10 * d10 + w11 * d11
                difference = _disagreement(in_z, near)
            else:
                w00, w01 = w00 * _agreement(in_z, d00), w01 * _agreement(in_z, d01)
                w10, w11 = w10 * _agreement(in_z, d10), w11 * _agreement(in_z, d11)
                total = one / max(w00 + w01 + w10 + w11, np.float32(1e-20))
                w00, w01, w10, w11 = w00 * total, w01 * total, w10 * total, w11 * total
                known = (w00 if d00 > 0 else zero) + (w01 if d01 > 0 else zero)
                known += (w10 if d10 > 0 else zero) + (w11 if d11 > 0 else zero)
                near = w00 * d00 + w01 * d01 + w10 * d10 + w11 * d11
                difference = _disagreement(in_z, near / known) if known > np.float32(1e-3) else zero
                penalty = np.float32(UNSURE) * (one - known)
            off = difference * np.float32(1 / TOLERANCE)
            penalty -= half * min(off * off, np.float32(MOST_PENALTY))
            coarser = min(bits, zero)
            likely = penalty + coarser - np.float32(2) * np.log(angle + log_nearest)
            if not inside:
                likely = np.float32(OUTSIDE) * (one + max(beyond, zero) if in_front else np.float32(3))
            prior[p, s] = camera[19] + likely
            disagreement[p, s] = difference
            angles[p, s] = angle
            scales[p, s] = bits
            is_inside[p, s] = inside

            i = chosen[s]
            if is_whole or level > 0:
                red, green, blue = _at_level(
                    level, picture0[i], picture1[i], picture2[i], picture3[i], in_x, in_y
                )
            else:
                red, green, blue = _masked(picture0[i], in_x, in_y, w00, w01, w10, w11)
            colors[p, s, 0], colors[p, s, 1], colors[p, s, 2] = red, green, blue
            if not is_same:
                if is_whole or level > 0:
                    red, green, blue = _at_level(
                        level, original0[i], original1[i], original2[i], original3[i], in_x, in_y
                    )
                else:
                    red, green, blue = _masked(original0[i], in_x, in_y, w00, w01, w10, w11)
            originals[p, s, 0], originals[p, s, 1], originals[p, s, 2] = red, green, blue
            if has_coarse:
                red, green, blue = _at_level(
                    COARSE_LEVEL, picture0[i], picture1[i], picture2[i], picture3[i], in_x, in_y
                )
                coarse_colors[p, s, 0], coarse_colors[p, s, 1], coarse_colors[p, s, 2] = red, green, blue
                if not is_same:
                    red, green, blue = _at_level(
                        COARSE_LEVEL, original0[i], original1[i], original2[i], original3[i], in_x, in_y
                    )
                coarse_originals[p, s, 0] = red
                coarse_originals[p, s, 1] = green
                coarse_originals[p, s, 2] = blue


def blended(candidates: Candidates) -> Float:
    """(P, 3) by rule: the sources' colours with weights softmax(prior)."""
    colors = np.empty((len(candidates.prior), 3), np.float32)
    in_threads(_blend, len(colors), CHUNK, candidates.colors, candidates.prior, colors)
    return colors


@compiled
def _blend(start, stop, colors, prior, blend):
    num_sources = prior.shape[1]
    for p in range(start, stop):
        most = np.float32(-1e30)
        for s in range(num_sources):
            most = max(most, prior[p, s])
        red, green, blue, total = np.float32(0), np.float32(0), np.float32(0), np.float32(1e-30)
        for s in range(num_sources):
            weight = np.exp(prior[p, s] - most)
            total += weight
            red += weight * colors[p, s, 0]
            green += weight * colors[p, s, 1]
            blue += weight * colors[p, s, 2]
        blend[p, 0], blend[p, 1], blend[p, 2] = red / total, green / total, blue / total


Kernel = Callable[..., Any]
