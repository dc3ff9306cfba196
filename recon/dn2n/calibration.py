"""How well a scene's own photos are foretold from the others, and how sharply views are best blended there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.scene_views import spread_evenly
from render.view_candidates import Candidates
from render.view_field import ViewField
from render.view_pictures import ViewDrawer
from render.view_rule import blended_by_rule
from render.view_sources import choose_sources

Float = NDArray[np.float32]
Double = NDArray[np.float64]

SHARPNESSES = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
WORK = 800_000  # pixels of all views that are drawn: less than a processor's second
VIEWS = (4, 20)  # fewest and most
PIXELS = 4096  # of each, that are compared
DOUBT = 1.0  # standard errors of the gain over views, that another sharpness must be better by
LEAST_GAIN = 0.02  # dB
POOR = 21.0  # dB, below which new views are plainly wrong in places
FEW, ENOUGH = 6, 12  # photos: fewer than the first know only what is near them, as many as the second may do


@dataclass(frozen=True)
class Calibration:
    """sharpness: with which the photos come out best. psnr: dB, the mean of the views that were foretold with it. shown:
    the share of their pixels that some other view shows. views: how many were foretold."""

    sharpness: float
    psnr: float
    shown: float
    views: int


def calibrate(field: ViewField) -> Calibration:
    """How the photos of a field, some views as they were before the edit, are best foretold from the others.

    Sharpness is 1 where no other is surely better. psnr is NaN where no view shows anything of another."""
    original = replace(
        field, pictures=field.originals, sharpness=1.0, color_map=np.zeros((0, 0, 0, 12), np.float32)
    )
    told = [row for row in (_foretold(original, view) for view in _some_views(original)) if row is not None]
    if not told:
        return Calibration(1.0, np.nan, 0.0, 0)
    decibels = np.array([[_psnr(row, sharpness) for sharpness in SHARPNESSES] for row in told])
    best = best_column(decibels, SHARPNESSES.index(1.0))
    shown = float(np.mean([row.shown for row in told]))
    return Calibration(SHARPNESSES[best], float(decibels[:, best].mean()), shown, len(told))


def doubts(found: Calibration, num_views: int, depth_source: str) -> list[str]:
    """What a person should know of new views of a scene, and what to do. depth_source: a key of `scene_depth.IN_WORDS`."""
    told = []
    if not found.psnr >= POOR:
        how = f"at {found.psnr:.1f} dB" if np.isfinite(found.psnr) else "not at all"
        told.append(
            f"Photos that are left out come out {how} from the others, where 25 dB and more look right: new views will be "
            f"wrong in places. {_remedy(num_views, depth_source)}"
        )
    elif num_views < FEW:
        told.append(f"With {num_views} photos new views are right only near these. More photos would help.")
    return told


def _remedy(num_views: int, depth_source: str) -> str:
    if num_views < ENOUGH:
        return "Use more photos, each overlapping those beside it; twenty are a good start."
    if depth_source in ("photos", "trained"):
        return (
            "Bare walls, stripes, glass and mirrors mislead depth that is found from photos: give depth, splats or a "
            "radiance field of the scene, or more photos of what is wrong."
        )
    return "Its depth may not fit the photos: check cameras and scale, or let the depth come from the photos."


def best_column(decibels: Double, usual: int) -> int:
    """Of (V, K) dB of views with each of some ways: the way that is surely better than the usual one, else that."""
    gains = decibels - decibels[:, usual : usual + 1]
    error = gains.std(0, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.full(gains.shape[1], np.inf)
    sure = np.where(gains.mean(0) > LEAST_GAIN, gains.mean(0) - DOUBT * error, -np.inf)
    return int(sure.argmax()) if sure.max() > 0 else usual


@dataclass(frozen=True, eq=False)
class _Foretold:
    """Some pixels of a view as the others show them. truth: (P, 3). shown: share of pixels that some view shows."""

    found: Candidates
    truth: Float
    shown: float


def _some_views(field: ViewField) -> NDArray[np.int64]:
    """Views of weight > 0, spread over all."""
    able = np.flatnonzero(field.weights > 0)
    return able[spread_evenly(len(able), int(np.clip(WORK // field.depths[0].size, *VIEWS)))]


def _foretold(field: ViewField, view: int) -> _Foretold | None:
    """None where no other view shows any of it."""
    cameras = field.cameras
    size = int(cameras.size[view, 0]), int(cameras.size[view, 1])
    camera = cameras.cam_from_world[view], cameras.focal[view], cameras.center[view]
    chosen = choose_sources(field, *camera, size, without=view)
    if not len(chosen):
        return None
    step = max(1, size[0] * size[1] // PIXELS)
    pixels = np.arange(step // 2, size[0] * size[1], step)
    found = ViewDrawer(field, *camera, size, chosen=chosen).candidates(pixels, with_coarse=False)
    is_shown = found.is_inside.any(1)
    if field.is_cut_out:
        is_shown &= field.depths[view].reshape(-1)[pixels] > 0
    if not is_shown.any():
        return None
    truth = field.originals[view].reshape(-1, 3)[pixels] / np.float32(255)
    kept = Candidates(*(part[is_shown] if len(part) else part for part in vars(found).values()))
    return _Foretold(kept, np.asarray(truth[is_shown], np.float32), float(is_shown.mean()))


def _psnr(row: _Foretold, sharpness: float) -> float:
    square = np.mean((blended_by_rule(row.found, sharpness) - row.truth) ** 2, dtype=np.float64)
    return float(-10 * np.log10(max(square, 1e-10)))
