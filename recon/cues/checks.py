"""Whether cues mean what they are said to mean: kind of depth, signs and axes of normals. Mended where possible."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recon.cues.alignment import ReadDepth, apply_line, file_reader, fit_view, observed_points
from recon.cues.normals_from_depth import normals_from_depth
from render.cameras import CameraSet
from render.images import DepthKind, PosedImages

NUM_VIEWS = 12  # looked at, spread over the scene
FITS_BETTER = 0.6  # the error of another kind of depth must fall to this share before it is believed
METRIC_ERROR = 0.3  # median relative error beyond which depth is not metric
CLEARLY_BETTER = 0.1  # of the cosine: gain before other signs are believed
GOOD = 0.7  # mean cosine with normals from depth that is beyond doubt
SIGNS = tuple(itertools.product((1, -1), repeat=3))
ORDERS = tuple(itertools.permutations(range(3)))
_KIND_IN_WORDS = {"metric": "metric depth", "depth": "depth of unknown scale", "disparity": "inverse depth"}


@dataclass(frozen=True)
class CheckedCues:
    """posed: the scene, its cues' kind, signs and space corrected. verdicts: one sentence for each check. is_changed:
    whether something was not as declared."""

    posed: PosedImages
    verdicts: tuple[str, ...]
    is_changed: bool


def check_cues(posed: PosedImages, size: tuple[int, int], read: ReadDepth | None = None) -> CheckedCues:
    """All checks that the scene's cues allow. size: width and height to look at. read: as in `align_depth`."""
    checked, verdicts = posed, []
    if posed.depth is not None and any(posed.depth.paths):
        read = read or file_reader(posed, size)
        checked, verdict = _with_kind(checked, size, read)
        verdicts.append(verdict)
    if posed.normals is not None and any(posed.normals.paths):
        checked, verdict = _with_signs(checked, size, read if checked.depth is not None else None)
        verdicts.append(verdict)
    is_changed = checked.depth is not posed.depth or checked.normals is not posed.normals
    return CheckedCues(checked, tuple(verdicts), is_changed)


def kind_errors(posed: PosedImages, size: tuple[int, int], read: ReadDepth) -> dict[DepthKind, float]:
    """Median relative error with which each kind of depth fits the sparse points; infinite where it does not."""
    cameras = _sized(posed, size)
    errors: dict[DepthKind, list[float]] = {"metric": [], "depth": [], "disparity": []}
    for i in _views(posed, "depth"):
        stored = read(i)
        pixels, z = observed_points(posed, cameras, i)
        if len(z) < 2:
            continue
        for kind, found in errors.items():
            fit = fit_view(stored, pixels, z, kind)
            found.append(np.inf if fit.reason or not np.isfinite(fit.residual) else fit.residual)
    return {kind: float(np.median(found)) if found else np.inf for kind, found in errors.items()}


def _with_kind(posed: PosedImages, size: tuple[int, int], read: ReadDepth) -> tuple[PosedImages, str]:
    assert posed.depth is not None
    declared = posed.depth.kind
    errors = kind_errors(posed, size, read)
    if not np.isfinite(list(errors.values())).any():
        return (
            posed,
            f"Depth is taken for {_KIND_IN_WORDS[declared]}, as declared: no sparse points tell otherwise.",
        )
    if declared == "metric" and errors["metric"] < METRIC_ERROR:
        return posed, f"Depth is metric: it is within {errors['metric']:.1%} of the sparse points."
    best: DepthKind = "disparity" if errors["disparity"] < errors["depth"] else "depth"
    if declared != "metric" and not errors[best] < FITS_BETTER * errors[declared]:
        best = declared
    words = f"it fits the sparse points within {errors[best]:.1%}"
    if best == declared:
        return posed, f"Depth is {_KIND_IN_WORDS[best]}, as declared: {words}."
    told = f"Depth was declared as {_KIND_IN_WORDS[declared]}, but is {_KIND_IN_WORDS[best]}: {words}"
    was = f", against {errors[declared]:.1%}." if errors[declared] < 1 else "."
    return replace(posed, depth=replace(posed.depth, kind=best)), told + was


@dataclass(frozen=True)
class _Reading:
    """One way to read stored normals. order: which stored axis is x, y, z."""

    space: Literal["camera", "world"]
    signs: tuple[int, ...]
    order: tuple[int, ...]


def _with_signs(posed: PosedImages, size: tuple[int, int], read: ReadDepth | None) -> tuple[PosedImages, str]:
    """Compare stored normals, read in every way, with normals from depth, or else with the direction to the camera."""
    assert posed.normals is not None
    samples = _normal_samples(posed, size, read)
    if not len(samples.stored):
        return posed, "Normals are taken as declared: too few are known to check them."
    declared = _Reading(posed.normals.space, posed.normals.signs, (0, 1, 2))
    facing = samples.facing(declared)
    if samples.expected is None:
        return _with_facing(posed, facing)
    scores = {reading: samples.agreement(reading) for reading in _readings()}
    best = max(scores, key=lambda reading: scores[reading])
    before = scores[declared]
    if scores[best] < before + CLEARLY_BETTER or (facing < 0 and before > GOOD):
        return posed, (
            f"Normals are as declared: they look at the camera and agree with the depth (mean cosine {before:.2f})."
            if facing < 0
            else f"Normals agree with the depth only by a mean cosine of {before:.2f}, and no other signs fit better."
        )
    if best.order != (0, 1, 2):
        order = "".join("xyz"[axis] for axis in best.order)
        return posed, (
            f"Normals seem to have their axes in the order {order} (mean cosine {scores[best]:.2f} with the depth, "
            f"against {before:.2f} as declared); store them as x, y, z."
        )
    signs = (best.signs[0], best.signs[1], best.signs[2])
    mended = replace(posed.normals, signs=signs, space=best.space)
    return replace(posed, normals=mended), (
        f"Normals were not as declared: in {best.space} axes with signs {signs} they agree with the depth (mean cosine "
        f"{scores[best]:.2f}, against {before:.2f})."
    )


def _with_facing(posed: PosedImages, facing: float) -> tuple[PosedImages, str]:
    """Without depth only the sign towards the camera can be told."""
    assert posed.normals is not None
    if facing < 0:
        return posed, f"Normals look at the camera, as they should (mean cosine with the rays {facing:.2f})."
    if posed.normals.space == "world":
        x, y, z = (-sign for sign in posed.normals.signs)
        how = "all turned round"
    else:  # OpenGL's camera axes are the usual reason: y up, z backwards.
        x, y, z = posed.normals.signs[0], -posed.normals.signs[1], -posed.normals.signs[2]
        how = "read in OpenGL's axes (y and z turned round)"
    mended = replace(posed.normals, signs=(x, y, z))
    return replace(posed, normals=mended), f"Normals looked away from the camera; they are {how}."


@dataclass(frozen=True)
class _Samples:
    """stored: (K, 3) unit normals as stored. rays: (K, 3) unit, camera axes. expected: (K, 3) from depth, or None.
    rotations: (K, 3, 3) camera from world."""

    stored: NDArray[np.float64]
    rays: NDArray[np.float64]
    expected: NDArray[np.float64] | None
    rotations: NDArray[np.float64]

    def read(self, reading: _Reading) -> NDArray[np.float64]:
        """In camera axes."""
        normals = self.stored[:, list(reading.order)] * reading.signs
        return np.einsum("kij,kj->ki", self.rotations, normals) if reading.space == "world" else normals

    def facing(self, reading: _Reading) -> float:
        return float((self.read(reading) * self.rays).sum(1).mean())

    def agreement(self, reading: _Reading) -> float:
        assert self.expected is not None
        return float((self.read(reading) * self.expected).sum(1).mean())


def _readings() -> list[_Reading]:
    """The usual order of axes first, so that a tie goes to it."""
    return [
        _Reading(space, signs, order)
        for order in ORDERS
        for space in ("camera", "world")
        for signs in SIGNS
        if order == (0, 1, 2) or np.prod(signs) == _parity(order)
    ]  # fmt: skip


def _parity(order: tuple[int, ...]) -> int:
    return round(float(np.linalg.det(np.eye(3)[list(order)])))


def _normal_samples(posed: PosedImages, size: tuple[int, int], read: ReadDepth | None) -> _Samples:
    """A few thousand pixels of some views, at least 3 apart."""
    from recon.formats.pixels import read_normals

    assert posed.normals is not None
    plain = replace(posed, normals=replace(posed.normals, signs=(1, 1, 1), space="camera"))
    cameras = _sized(posed, size)
    stored: list[NDArray[np.float64]] = []
    rays: list[NDArray[np.float64]] = []
    expected: list[NDArray[np.float64]] = []
    rotations = []
    for i in _views(posed, "normals"):
        normals = read_normals(plain, i, size)[1::3, 1::3].reshape(-1, 3).astype(np.float64)
        from_depth = _expected(posed, cameras, i, read)
        known = np.isfinite(normals).all(1)
        if from_depth is not None:
            wanted = from_depth[1::3, 1::3].reshape(-1, 3).astype(np.float64)
            known &= np.isfinite(wanted).all(1)
            expected.append(wanted[known])
        elif read is not None:
            continue
        stored.append(normals[known])
        rays.append(_unit_rays(cameras, i)[1::3, 1::3].reshape(-1, 3)[known])
        rotations.append(np.broadcast_to(posed.cameras.cam_from_world[i, :3, :3], (int(known.sum()), 3, 3)))
    if not stored and read is not None:
        return _normal_samples(posed, size, None)
    if not stored:
        return _Samples(np.zeros((0, 3)), np.zeros((0, 3)), None, np.zeros((0, 3, 3)))
    expected_all = np.concatenate(expected) if expected else None
    return _Samples(np.concatenate(stored), np.concatenate(rays), expected_all, np.concatenate(rotations))


def _expected(
    posed: PosedImages, cameras: CameraSet, index: int, read: ReadDepth | None
) -> NDArray[np.float32] | None:
    """Normals from the view's aligned depth; None where it cannot be aligned."""
    if read is None or posed.depth is None:
        return None
    stored = read(index)
    pixels, z = observed_points(posed, cameras, index)
    fit = fit_view(stored, pixels, z, posed.depth.kind)
    if fit.reason:
        return None
    depth = apply_line(stored, fit, posed.depth.kind)
    return normals_from_depth(depth, cameras.focal[index], cameras.center[index])


def _unit_rays(cameras: CameraSet, index: int) -> NDArray[np.float64]:
    width, height = cameras.size[index]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = np.ones((height, width, 3))
    rays[..., 0] = (x - cameras.center[index, 0]) / cameras.focal[index, 0]
    rays[..., 1] = (y - cameras.center[index, 1]) / cameras.focal[index, 1]
    unit: NDArray[np.float64] = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return unit


def _views(posed: PosedImages, cue: Literal["depth", "normals"]) -> NDArray[np.int64]:
    """Some of the used views that have this cue, spread over the scene."""
    cues = getattr(posed, cue)
    able = np.array([i for i in posed.used if cues.paths[i]], np.int64)
    return (
        able[np.unique(np.linspace(0, len(able) - 1, NUM_VIEWS).round().astype(int))] if len(able) else able
    )


def _sized(posed: PosedImages, size: tuple[int, int]) -> CameraSet:
    return posed.cameras.resized(np.tile(np.array(size), (len(posed), 1)))
