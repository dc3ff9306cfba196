"""What the effects must know of a whole scene, so that they do the same in every view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.appearance import luminance
from recon.dn2n.editors.editor import SceneView
from recon.dn2n.editors.view_geometry import filled_depth, view_geometry

_STEP = 4  # every so many pixels are looked at
_MOST_VIEWS = 60
_LEAST_KNOWN = 0.3  # share of pixels with depth, below which the scene counts as without


@dataclass(frozen=True)
class SceneFrame:
    """Numbers of a scene, lengths in the world's unit.

    up: (3,) unit. centre: (3,) mean of the cameras. reach: how far cameras stand from it, about. pixel: radians
    between pixels. near, middle, far: distances from the cameras, the 5th, 50th and 95th of 100. far_depth: where
    what has no depth is put. target_centre, target_size: of what the masks show. mean_light, light_spread: of its
    luminance.
    """

    up: NDArray[np.float64]
    centre: NDArray[np.float64]
    reach: float
    pixel: float
    near: float
    middle: float
    far: float
    far_depth: float
    target_centre: NDArray[np.float64]
    target_size: float
    mean_light: float
    light_spread: float
    has_depth: bool
    has_mask: bool

    def footprint(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """(...) about how far a point (..., 3) is from cameras that see it: the same number in all views."""
        apart = np.asarray(points, np.float32) - self.centre.astype(np.float32)
        square = np.einsum("...i,...i->...", apart, apart)
        return np.asarray(np.sqrt(square + np.float32(self.reach**2)), np.float32)


def frame_of(views: Sequence[SceneView]) -> SceneFrame:
    """Measured on a sample of pixels of (up to sixty of) the views."""
    chosen = [views[i] for i in np.unique(np.linspace(0, len(views) - 1, _MOST_VIEWS).round().astype(int))]
    far_depth = _far_depth(chosen)
    samples = [_sample(view, far_depth) for view in chosen]
    points, distance, light, share, is_known = (
        np.concatenate(column) for column in zip(*samples, strict=True)
    )
    eyes = np.stack([-view.cam_from_world[:3, :3].T @ view.cam_from_world[:3, 3] for view in chosen])
    centre = eyes.mean(0)
    has_depth = bool(is_known.mean() > _LEAST_KNOWN)
    counts = is_known if has_depth else np.ones_like(is_known)
    near, middle, far = np.quantile(distance[counts], [0.05, 0.5, 0.95])
    inside = counts & (share > 0.5) if (share > 0.5).any() else counts
    inside = inside if inside.any() else counts
    low, high = np.quantile(points[inside], [0.05, 0.95], axis=0)
    shown = light[share > 0.5] if (share > 0.5).any() else light
    return SceneFrame(
        chosen[0].up, centre, float(np.sqrt(((eyes - centre) ** 2).sum(1).mean()) + 0.05 * middle),
        float(np.median([1 / view.focal.mean() for view in chosen])), float(near), float(middle), float(far),
        far_depth, (low + high) / 2, float(max((high - low).max(), 1e-6)), float(max(shown.mean(), 0.02)),
        float(max(shown.std(), 0.02)), has_depth, bool((share < 0.5).any()),
    )  # fmt: skip


def _far_depth(views: Sequence[SceneView]) -> float:
    """Twice as far as most of what is known, 1 where nothing is."""
    farthest = [float(filled.max()) for view in views if (filled := filled_depth(view.depth)).any()]
    return 2 * float(np.median(farthest)) if farthest else 1.0


def _sample(view: SceneView, far_depth: float) -> tuple[NDArray[Any], ...]:
    """Points, distances, luminance, mask and whether depth is known, of every fourth pixel each way."""
    geometry = view_geometry(view, far_depth)
    every = (slice(_STEP // 2, None, _STEP), slice(_STEP // 2, None, _STEP))
    if min(view.depth.shape) <= _STEP:
        every = (slice(None), slice(None))
    light = luminance(view.rgb[every]).ravel()
    return (
        geometry.points[every].reshape(-1, 3), geometry.distance[every].ravel(), light, view.mask[every].ravel(),
        geometry.is_known[every].ravel(),
    )  # fmt: skip
