"""Edits of Gaussian clouds: each takes a cloud and gives a new one that shares the arrays which stay as they were.

chosen: (N,) which Gaussians an edit changes, mostly the selection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.errors import InputError
from recon.gaussian_colors import ColorChange
from recon.gaussian_selection import Mask
from render.gaussians import GaussianCloud
from render.spherical_harmonics import MAX_DEGREE, SH_C0
from render.transforms import Similarity3

_MAX_LOGIT = 15.0  # an opacity of 0.9999997: float32 tells no more from 1


def recolored(cloud: GaussianCloud, chosen: Mask, change: ColorChange) -> GaussianCloud:
    """Change colours exactly in every direction: 0.5 + Σ sh · basis becomes A (0.5 + Σ sh · basis) + b."""
    part = cloud.sh.take(np.flatnonzero(chosen), 0)
    part = (part.reshape(-1, 3) @ change.matrix.T.astype(np.float32)).reshape(part.shape)
    part[:, 0] += ((change.apply(np.full(3, 0.5)) - 0.5) / SH_C0).astype(np.float32)
    return replace(cloud, sh=_with_rows(cloud.sh, chosen, part))


def with_opacity_scaled(cloud: GaussianCloud, chosen: Mask, factor: float) -> GaussianCloud:
    """Multiply opacities by a factor ≥ 0; they end at 1. Raises InputError for another factor."""
    if not 0 <= factor < np.inf:
        raise InputError("Opacity cannot be multiplied by that.", "Give a factor of 0 or more.")
    opacity = np.clip(cloud.opacities[chosen].astype(np.float64) * factor, 0, 1)
    with np.errstate(divide="ignore"):
        logits = np.clip(np.log(opacity) - np.log1p(-opacity), -_MAX_LOGIT, _MAX_LOGIT)
    return replace(cloud, opacity_logits=_with_rows(cloud.opacity_logits, chosen, logits))


def with_sizes_scaled(cloud: GaussianCloud, chosen: Mask, factor: float) -> GaussianCloud:
    """Multiply the size of each Gaussian by a factor > 0, in its place. Raises InputError for another factor."""
    if not 0 < factor < np.inf:
        raise InputError("Sizes cannot be multiplied by that.", "Give a factor above 0.")
    log_scales = cloud.log_scales[chosen] + np.float32(np.log(factor))
    return replace(cloud, log_scales=_with_rows(cloud.log_scales, chosen, log_scales))


def about_pivot(rotation: ArrayLike, scale: float, translation: ArrayLike, pivot: ArrayLike) -> Similarity3:
    """Turn and scale about a pivot (3,), then move: what a gizmo asks for."""
    pivot = np.asarray(pivot, np.float64)
    turn = np.asarray(rotation, np.float64)
    return Similarity3(turn, pivot + np.asarray(translation, np.float64) - scale * turn @ pivot, scale)


def transformed(cloud: GaussianCloud, chosen: Mask, b_from_a: Similarity3) -> GaussianCloud:
    """Move, turn and scale the chosen Gaussians within the frame; their colours turn with them."""
    is_turned = not np.allclose(b_from_a.rotation, np.eye(3), atol=1e-12)
    part = (cloud if is_turned else with_sh_degree(cloud, 0)).subset(np.flatnonzero(chosen))
    moved = part.transformed(b_from_a, cloud.frame)
    changed: dict[str, Any] = {}
    for name in ("means", "quats", "log_scales", "sh"):
        new = getattr(moved, name)
        if new is getattr(part, name) or (name == "log_scales" and b_from_a.scale == 1):
            continue
        changed[name] = _with_rows(getattr(cloud, name), chosen, new)
    return replace(cloud, **changed)


def _with_rows(array: NDArray[Any], chosen: Mask, rows: NDArray[Any]) -> NDArray[Any]:
    """The array with other values in the chosen rows, in their order."""
    changed = array.copy()
    changed[np.flatnonzero(chosen)] = rows  # faster than by the mask itself
    return _frozen(changed)


def without(cloud: GaussianCloud, chosen: Mask) -> GaussianCloud:
    """What is left when the chosen Gaussians are gone for good."""
    return cloud.subset(~chosen) if chosen.any() else cloud


def split(cloud: GaussianCloud, chosen: Mask) -> tuple[GaussianCloud, GaussianCloud]:
    """The rest and the chosen Gaussians, as two clouds."""
    return cloud.subset(~chosen), cloud.subset(chosen)


def duplicated(cloud: GaussianCloud, chosen: Mask) -> GaussianCloud:
    """The cloud with copies of the chosen Gaussians behind its own: rows N … are the copies, in their order."""
    return merged([cloud, cloud.subset(chosen)])


def merged(clouds: Sequence[GaussianCloud]) -> GaussianCloud:
    """One cloud of all, in their order.

    Lower degrees of colour are filled up with zeros; an extra column that a cloud lacks is 0 there, −1 in "part".
    Raises InputError when their frames differ, there is none, or columns of one name have other widths.
    """
    if not clouds:
        raise InputError("There is nothing to merge.", "Choose two or more clouds of splats.")
    first = clouds[0]
    if any(cloud.frame != first.frame for cloud in clouds):
        raise InputError("The clouds have other axes or units.", "Give them the same up axis and unit first.")
    count = max(cloud.sh.shape[1] for cloud in clouds)
    joined = {name: np.concatenate([getattr(cloud, name) for cloud in clouds]) for name in _PLAIN}
    sh = np.concatenate([_padded(cloud.sh, count) for cloud in clouds])
    comments = tuple(dict.fromkeys(line for cloud in clouds for line in cloud.comments))
    is_antialiased = all(cloud.is_antialiased for cloud in clouds)
    joined = {name: _frozen(array) for name, array in joined.items()}
    return GaussianCloud(
        **joined,
        sh=_frozen(sh),
        extra=_united(clouds),
        comments=comments,
        is_antialiased=is_antialiased,
        frame=first.frame,
    )


_PLAIN = ("means", "quats", "log_scales", "opacity_logits")


def with_sh_degree(cloud: GaussianCloud, degree: int) -> GaussianCloud:
    """Colours up to a degree 0 … 4: higher ones are left out, or filled up with zeros. Raises InputError else."""
    if not 0 <= degree <= MAX_DEGREE:
        raise InputError(f"There is no degree {degree} of colour.", f"Give 0 to {MAX_DEGREE}.")
    count = (degree + 1) ** 2
    if count == cloud.sh.shape[1]:
        return cloud
    return replace(cloud, sh=_frozen(np.ascontiguousarray(_padded(cloud.sh[:, :count], count))))


def _padded(sh: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    missing = count - sh.shape[1]
    return sh if not missing else np.pad(sh, ((0, 0), (0, missing), (0, 0)))


def _united(clouds: Sequence[GaussianCloud]) -> dict[str, NDArray[Any]]:
    """Extra columns of all clouds, filled where one lacks them."""
    names = dict.fromkeys(name for cloud in clouds for name in cloud.extra)
    return {name: _column(clouds, name) for name in names}


def _column(clouds: Sequence[GaussianCloud], name: str) -> NDArray[Any]:
    known = [cloud.extra[name] for cloud in clouds if name in cloud.extra]
    shape = known[0].shape[1:]
    if any(column.shape[1:] != shape for column in known):
        raise InputError(
            f"The clouds hold other numbers under the name {name}.", "Remove that column from one."
        )
    fill = np.int8(-1 if name == "part" else 0)  # joined with unsigned numbers, it makes them signed
    empty = [np.full((len(cloud), *shape), fill) for cloud in clouds]
    return np.concatenate([cloud.extra.get(name, blank) for cloud, blank in zip(clouds, empty, strict=True)])


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A fresh array made read-only, so that the cloud needs no copy of it."""
    array.flags.writeable = False
    return array
