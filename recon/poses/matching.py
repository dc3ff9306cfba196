"""Which features of two images show the same thing: nearest descriptors, then the geometry of two views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.poses.colmap import pycolmap
from recon.poses.features import Features

Matches = NDArray[np.uint32]
Array = NDArray[np.float64]
_Likeness = Callable[[slice], NDArray[np.float32]]

_LARGEST_ANGLE = 0.7  # radians between the descriptors of a match, as in COLMAP
_LEAST_SHARE = 0.25  # of a pair's matches that must agree for it to be found with certainty, as in COLMAP
_ROWS = 1024  # features of the first image compared at once: 8192 of the other then take 32 MB
_LONGEST = 512.0  # length of a descriptor as COLMAP stores it
_PLANAR = (
    pycolmap.TwoViewGeometryConfiguration.PLANAR,
    pycolmap.TwoViewGeometryConfiguration.PANORAMIC,
    pycolmap.TwoViewGeometryConfiguration.PLANAR_OR_PANORAMIC,
)


def match_features(first: Features, second: Features, max_ratio: float) -> Matches:
    """(m, 2) pairs of features that are each other's nearest, the next by far not as near (Lowe 2004)."""
    others = second.descriptors.astype(np.float32).T / _LONGEST

    def likeness(rows: slice) -> NDArray[np.float32]:
        return (first.descriptors[rows].astype(np.float32) / _LONGEST) @ others

    return _mutual_matches(likeness, len(first.points), len(second.points), max_ratio)


def guided_matches(
    first: Features, second: Features, geometry: Any, max_ratio: float, max_error: float
) -> Matches:
    """Matches as above, but among those only that lie within `max_error` pixels of where the geometry wants them.

    geometry: a pycolmap.TwoViewGeometry with F, or H where all points lie in a plane.
    """
    others = second.descriptors.astype(np.float32).T / _LONGEST
    here, there = first.points.astype(np.float32), second.points.astype(np.float32)

    def likeness(rows: slice) -> NDArray[np.float32]:
        cosine = (first.descriptors[rows].astype(np.float32) / _LONGEST) @ others
        if geometry.config in _PLANAR:
            squared = _transfer_error(geometry.H, here[rows], there)
        else:
            squared = _sampson_error(geometry.F, here[rows], there)
        cosine[~(squared <= max_error**2)] = -1
        return cosine

    return _mutual_matches(likeness, len(here), len(there), max_ratio)


def verify_pair(
    cameras: tuple[Any, Any],
    features: tuple[Features, Features],
    matches: Matches,
    min_matches: int,
    max_error: float,
    seed: int,
) -> Any:
    """The pycolmap.TwoViewGeometry of two images that explains most matches.

    max_error: pixels. Its config tells whether there is one at all: see `is_verified`.
    """
    options = pycolmap.TwoViewGeometryOptions()
    options.min_num_inliers = min_matches
    options.ransac.max_error = max_error
    # Of few matches nearly all must agree, which takes few trials; without this, pairs that fail cost most.
    options.ransac.min_inlier_ratio = max(_LEAST_SHARE, min_matches / max(len(matches), 1))
    options.ransac.random_seed = seed
    return pycolmap.estimate_two_view_geometry(
        cameras[0],
        features[0].points.astype(np.float64),
        cameras[1],
        features[1].points.astype(np.float64),
        matches,
        options,
    )


def is_verified(geometry: Any, min_matches: int) -> bool:
    """Whether two images show the same thing from places that the geometry tells."""
    bad = (
        pycolmap.TwoViewGeometryConfiguration.UNDEFINED,
        pycolmap.TwoViewGeometryConfiguration.DEGENERATE,
        pycolmap.TwoViewGeometryConfiguration.WATERMARK,
    )
    return geometry.config not in bad and len(geometry.inlier_matches) >= min_matches


def _mutual_matches(likeness: _Likeness, num_first: int, num_second: int, max_ratio: float) -> Matches:
    """likeness: rows → (rows, num_second) cosines between descriptors, -1 where a match is ruled out."""
    if num_first == 0 or num_second == 0:
        return np.zeros((0, 2), np.uint32)
    best, angle, next_angle = np.zeros(num_first, np.int64), np.zeros(num_first), np.zeros(num_first)
    best_row, highest = np.zeros(num_second, np.int64), np.full(num_second, -2.0, np.float32)
    for start in range(0, num_first, _ROWS):
        rows = slice(start, min(start + _ROWS, num_first))
        cosine = likeness(rows)
        each = np.arange(len(cosine))
        row_of_column = cosine.argmax(0)
        top = cosine[row_of_column, np.arange(num_second)]
        is_higher = top > highest
        best_row[is_higher], highest[is_higher] = row_of_column[is_higher] + start, top[is_higher]
        best[rows] = cosine.argmax(1)
        angle[rows] = _angle(cosine[each, best[rows]])
        cosine[each, best[rows]] = -1
        next_angle[rows] = _angle(cosine.max(1))
    is_mutual = best_row[best] == np.arange(num_first)
    is_match = is_mutual & (angle <= _LARGEST_ANGLE) & (angle < max_ratio * next_angle)
    chosen = np.nonzero(is_match)[0]
    return np.stack([chosen, best[chosen]], 1).astype(np.uint32)


def _angle(cosine: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.arccos(np.clip(cosine, -1, 1))


def _sampson_error(F: Array, first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """(M1, M2) squared distance to the epipolar constraint in pixels (Hartley and Zisserman, eq. 11.9)."""
    matrix = np.asarray(F, np.float32)
    lines = first @ matrix[:, :2].T + matrix[:, 2]  # (M1, 3) in the second image
    back = second @ matrix[:2] + matrix[2]  # (M2, 3) in the first image
    residual = lines[:, :2] @ second.T + lines[:, 2:]
    squared: NDArray[np.float32] = residual**2
    squared /= (lines[:, :2] ** 2).sum(1)[:, None] + (back[:, :2] ** 2).sum(1)
    return squared


def _transfer_error(H: Array, first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """(M1, M2) squared distance in pixels from where the homography takes a point of the first image."""
    matrix = np.asarray(H, np.float32)
    moved = first @ matrix[:, :2].T + matrix[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = moved[:, :2] / moved[:, 2:]
    return np.asarray(((moved[:, None] - second) ** 2).sum(-1), np.float32)
