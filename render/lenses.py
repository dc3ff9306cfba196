"""Lenses: where a point in front of a camera appears in the picture that was taken, by COLMAP's camera models.

x_raw = focal * distort(x / z, y / z) + center, for every model. Formulas: COLMAP, src/colmap/sensor/models.h.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Distortion = Callable[[Array, Array], Array]

_FARTHEST = 1e3  # tangent of the widest angle that a pinhole picture could hold
_TINY = 1e-12


@dataclass(frozen=True)
class LensModel:
    """One camera model of COLMAP.

    colmap_id: its number in binary files. num_focals: 1 or 2 focal lengths, which come first, before the two
    of the centre. num_params: distortion parameters behind those. distort: (K,), (M, 2) → (M, 2).
    """

    colmap_id: int
    num_focals: int
    num_params: int
    distort: Distortion


def distort(model: str, params: ArrayLike, xy: ArrayLike) -> Array:
    """Where the ray through (x, y, 1) meets the picture that the lens makes.

    model: COLMAP's name. params: (K,) its distortion parameters, more are ignored. xy: (M, 2) undistorted.
    Returns (M, 2) in units of the focal length from the centre. Raises ValueError for an unknown model.
    """
    lens = lens_model(model)
    points = np.asarray(xy, np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return lens.distort(np.asarray(params, np.float64)[: lens.num_params], points)


def lens_model(name: str) -> LensModel:
    """The model of this name. Raises ValueError where there is none."""
    if name not in LENS_MODELS:
        raise ValueError(f"the camera model {name!r} is not known")
    return LENS_MODELS[name]


def is_perfect(model: str, params: ArrayLike) -> bool:
    """Whether the lens leaves every ray where a pinhole would."""
    lens = lens_model(model)
    if lens.distort is _pinhole:
        return True
    is_fisheye = model.endswith("FISHEYE") or model in ("FOV", "EUCM")
    return not is_fisheye and not np.any(np.asarray(params)[: lens.num_params])


def reach(model: str, params: ArrayLike) -> float:
    """Largest |(x / z, y / z)| up to which the distorted radius grows: beyond it, the polynomial folds back.

    inf where it grows as far as any pinhole picture goes.
    """
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    radii = np.concatenate([np.linspace(0, 4, 1601)[1:], np.geomspace(4, _FARTHEST, 400)[1:]])
    directions = np.stack([np.cos(angles), np.sin(angles)], 1)
    image = distort(model, params, (radii[:, None, None] * directions).reshape(-1, 2))
    distance = np.linalg.norm(image, axis=1).reshape(len(radii), -1)
    with np.errstate(invalid="ignore"):
        grows = (np.diff(distance, axis=0, prepend=0.0) > 0).all(1)
    return float("inf") if grows.all() else float(radii[np.argmin(grows)])


def undistortion_map(
    model: str, params: ArrayLike, focal: ArrayLike, center: ArrayLike, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """For every pixel of the pinhole picture, where it is in the picture that was taken, of the same size.

    focal, center: (2,) pixels. size: width, height. Returns the map (H, W, 2) of x, y, where the centre of the
    first pixel is (0.5, 0.5), and (H, W) whether that is inside the picture.
    """
    width, height = size
    f, c = np.asarray(focal, np.float64), np.asarray(center, np.float64)
    limit = reach(model, params)
    where = np.empty((height, width, 2), np.float32)
    is_valid = np.empty((height, width), bool)
    x = np.arange(width) + 0.5
    rows = max(1, 2**18 // width)  # so that large pictures need little memory
    for start in range(0, height, rows):
        y = np.arange(start, min(height, start + rows)) + 0.5
        xy = (np.stack(np.meshgrid(x, y), -1).reshape(-1, 2) - c) / f
        raw = distort(model, params, xy) * f + c
        is_near = np.isfinite(raw).all(1) & (np.linalg.norm(xy, axis=1) < limit)
        is_in = is_near & (raw >= 0).all(1) & (raw <= [width, height]).all(1)
        shape = (len(y), width)
        where[start : start + rows] = np.where(is_near[:, None], raw, -1e4).reshape(*shape, 2)
        is_valid[start : start + rows] = is_in.reshape(shape)
    return where, is_valid


def _pinhole(params: Array, xy: Array) -> Array:
    return xy


def _radial(params: Array, xy: Array) -> Array:
    """x (1 + k1 r² + k2 r⁴ + …)."""
    return _times(xy, 1 + _series(params, (xy**2).sum(-1)))


def _opencv(params: Array, xy: Array) -> Array:
    k1, k2, p1, p2 = params
    r2 = (xy**2).sum(-1)
    return _times(xy, 1 + r2 * (k1 + r2 * k2)) + _tangential(p1, p2, xy)


def _full_opencv(params: Array, xy: Array) -> Array:
    k1, k2, p1, p2, k3, k4, k5, k6 = params
    r2 = (xy**2).sum(-1)
    radial = (1 + _series(np.array([k1, k2, k3]), r2)) / (1 + _series(np.array([k4, k5, k6]), r2))
    return _times(xy, radial) + _tangential(p1, p2, xy)


def _fisheye(params: Array, xy: Array) -> Array:
    """The angle to the axis as radius, times (1 + k1 θ² + k2 θ⁴ + …)."""
    return _radial(params, _equidistant(xy))


def _fov(params: Array, xy: Array) -> Array:
    """Devernay and Faugeras, Straight lines have to be straight, 2001."""
    omega = params[0]
    radius = np.linalg.norm(xy, axis=-1)
    if omega**2 < 1e-4:
        return _times(xy, (omega**2 * radius**2) / 3 - omega**2 / 12 + 1)
    half = 2 * np.tan(omega / 2)
    safe = np.maximum(radius, 1e-2)
    near = -2 * (4 * radius**2 * (half / 2) ** 2 - 3) * (half / 2) / (3 * omega)
    factor = np.where(radius**2 < 1e-4, near, np.arctan(safe * half) / (safe * omega))
    return _times(xy, factor)


def _thin_prism_fisheye(params: Array, xy: Array) -> Array:
    k1, k2, p1, p2, k3, k4, sx, sy = params
    uv = _equidistant(xy)
    r2 = (uv**2).sum(-1)
    radial = 1 + _series(np.array([k1, k2, k3, k4]), r2)
    prism: Array = np.stack([sx * r2, sy * r2], -1)
    return _times(uv, radial) + _tangential(p1, p2, uv) + prism


def _rad_tan_thin_prism_fisheye(params: Array, xy: Array) -> Array:
    """Project Aria's Fisheye624: tangential and prism terms act on the radially distorted point."""
    uv = _radial(params[:6], _equidistant(xy))
    r2 = (uv**2).sum(-1)
    p0, p1, s0, s1, s2, s3 = params[6:]
    prism: Array = np.stack([r2 * (s0 + r2 * s1), r2 * (s2 + r2 * s3)], -1)
    return uv + _tangential(p1, p0, uv) + prism


def _division(params: Array, xy: Array) -> Array:
    """undistorted = distorted / (1 + k r²), solved for the distorted point (Fitzgibbon, CVPR 2001)."""
    r2 = (xy**2).sum(-1)
    root = np.sqrt(1 - 4 * params[0] * r2)
    return _times(xy, 2 / (1 + root))


def _eucm(params: Array, xy: Array) -> Array:
    """Khomutenko et al., An enhanced unified camera model, 2016."""
    alpha, beta = params
    rho = np.sqrt(beta * (xy**2).sum(-1) + 1)
    return _times(xy, 1 / (alpha * rho + 1 - alpha))


def _equidistant(xy: Array) -> Array:
    radius = np.linalg.norm(xy, axis=-1)
    factor = np.where(radius > _TINY, np.arctan(radius) / np.maximum(radius, _TINY), 1.0)
    return _times(xy, factor)


def _times(xy: Array, factor: Array) -> Array:
    """(..., 2) points times (...) factors."""
    return np.asarray(xy * factor[..., None], np.float64)


def _series(coefficients: Array, r2: Array) -> Array:
    """k1 r² + k2 r⁴ + …"""
    total = np.zeros_like(r2)
    for k in coefficients[::-1]:
        total = (total + k) * r2
    return total


def _tangential(p1: float, p2: float, xy: Array) -> Array:
    x, y = xy[..., 0], xy[..., 1]
    r2 = x * x + y * y
    return np.stack([2 * p1 * x * y + p2 * (r2 + 2 * x * x), 2 * p2 * x * y + p1 * (r2 + 2 * y * y)], -1)


LENS_MODELS: Mapping[str, LensModel] = {
    "SIMPLE_PINHOLE": LensModel(0, 1, 0, _pinhole),
    "PINHOLE": LensModel(1, 2, 0, _pinhole),
    "SIMPLE_RADIAL": LensModel(2, 1, 1, _radial),
    "RADIAL": LensModel(3, 1, 2, _radial),
    "OPENCV": LensModel(4, 2, 4, _opencv),
    "OPENCV_FISHEYE": LensModel(5, 2, 4, _fisheye),
    "FULL_OPENCV": LensModel(6, 2, 8, _full_opencv),
    "FOV": LensModel(7, 2, 1, _fov),
    "SIMPLE_RADIAL_FISHEYE": LensModel(8, 1, 1, _fisheye),
    "RADIAL_FISHEYE": LensModel(9, 1, 2, _fisheye),
    "THIN_PRISM_FISHEYE": LensModel(10, 2, 8, _thin_prism_fisheye),
    "RAD_TAN_THIN_PRISM_FISHEYE": LensModel(11, 2, 12, _rad_tan_thin_prism_fisheye),
    "SIMPLE_DIVISION": LensModel(12, 1, 1, _division),
    "DIVISION": LensModel(13, 2, 1, _division),
    "SIMPLE_FISHEYE": LensModel(14, 1, 0, _fisheye),
    "FISHEYE": LensModel(15, 2, 0, _fisheye),
    "EUCM": LensModel(16, 2, 2, _eucm),
}
