"""Fit one part of a scene to edited pictures of it; the rest is composited with it and never in the optimiser.

RoMaP (arXiv:2507.11061), section 3.3: prior removal, then masked L1 to the anchors, densification within the part
(children belong to it) and pruning. Each step draws only the part's corner of one view.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from recon.method import Progress
from recon.romap.edit_provider import Anchor, EditProvider, EditView
from recon.splats.parameters import Gaussians
from recon.splats.pictures import Camera, Rendered, draw
from recon.splats.splitting import Errors, clone_and_split
from render.cameras import CameraSet
from render.gaussians import PARAMETERS, GaussianCloud
from render.spherical_harmonics import SH_C0
from render.transforms import Similarity3

Mask = NDArray[np.bool_]
Prior = Literal["anchors", "grey", "keep"]

RATES = {"means": 5e-5, "quats": 1e-3, "log_scales": 2e-3, "opacity_logits": 0.01, "sh": 0.03}
LAST_RATES = 0.1  # of the first
FITTED_BANDS = 4  # coefficients of degree 0 and 1
LEAST_SHARE = 0.05  # of a pixel that the part must show to count
SPILL_SHARE = 0.01  # of a pixel below which it does not show the part, and is to look as before
_SPILL_WEIGHT = 0.3  # of such a pixel, to one that shows the part alone
_MARGIN = 8  # pixels around the part that are drawn
_GROWTH = 1.5  # times as many Gaussians, at most
_ERROR = 2e-4  # mean slope of a place from which a Gaussian is cloned or split
_FAINTEST = 0.005
_LEAST_SEEN = 0.05  # pixels in which a Gaussian must show to take their colour
_GROWS = (0.3, 0.8)  # share of the steps in which Gaussians are added
_GROW_EVERY = 50  # steps


@dataclass(frozen=True)
class FitSettings:
    """masks_count: whether pixels count by how much of the part they show; else all of a view counts alike."""

    steps: int = 150
    grows: bool = True
    masks_count: bool = True


@dataclass(frozen=True, eq=False)
class Fitted:
    """cloud: the rest as it was, in its order with the part's kept rows, then added ones. rows: (M,) row of each
    Gaussian before, −1 for added ones. first_loss, last_loss: mean L1 to the anchors."""

    cloud: GaussianCloud
    rows: NDArray[np.int64]
    first_loss: float
    last_loss: float


@dataclass(frozen=True, eq=False)
class _Target:
    """One anchor, cropped to the part. camera: of the crop. picture: (h, w, 3); weight: (h, w) sums to 1; mask: (h, w)
    how much of each pixel shows the part; share: of the view's pixels that the weights stand for."""

    camera: Camera
    picture: Tensor
    weight: Tensor
    mask: NDArray[np.float32]
    share: float


def fit_part(
    cloud: GaussianCloud, part: Mask, cameras: CameraSet, views: Sequence[EditView], anchors: Sequence[Anchor],
    background: NDArray[np.float32], seed: int, settings: FitSettings, device: str = "cpu",
    provider: EditProvider | None = None,
) -> Generator[Progress, None, Fitted]:  # fmt: skip
    """The cloud with its part (N,) fitted to anchors. views: those of the anchors, in their order."""
    box_from_world = _box(cameras)
    in_box, cameras = cloud.transformed(box_from_world, cloud.frame), cameras.transformed(box_from_world)
    start, rest = in_box.subset(part), in_box.subset(~part)
    fit = _Fit(start, rest, cameras, views, anchors, background, seed, settings, device)
    for step in range(settings.steps):
        fit.step(step, provider)
        if (step + 1) % 10 == 0 or step + 1 == settings.steps:
            yield Progress(step + 1, settings.steps, "Fitting the part", {"anchors": fit.last_loss})
    found = fit.gaussians.to_cloud().transformed(box_from_world.inverse, cloud.frame)
    return _assembled(cloud, part, found, fit)


def without_prior(
    cloud: GaussianCloud,
    chosen: Mask,
    weights: Sequence[sparse.csr_matrix],
    views: Sequence[EditView],
    anchors: Sequence[Anchor],
    prior: Prior,
) -> GaussianCloud:
    """The cloud whose chosen Gaussians (N,) have no old look any more: grey as in the paper, or the colours that the
    anchors show where each is seen. weights: (H·W, N) of the views."""
    if prior == "keep" or not chosen.any():
        return cloud
    sh = cloud.sh.copy()
    sh[chosen] = 0
    if prior == "anchors":
        sh[chosen, 0] = _seen_colors(chosen, weights, views, anchors)
    return replace(cloud, sh=sh)


def _seen_colors(
    chosen: Mask, weights: Sequence[sparse.csr_matrix], views: Sequence[EditView], anchors: Sequence[Anchor]
) -> NDArray[np.float32]:
    """(n, 3) coefficients of degree 0: the mean colour of the pixels in which each shows, grey where in none."""
    total = np.zeros((int(chosen.sum()), 4))
    for of_view, view, anchor in zip(weights, views, anchors, strict=True):
        counts = np.where(view.mask > LEAST_SHARE, view.mask, 0).ravel() * np.float32(anchor.weight)
        colors = np.concatenate([anchor.picture.reshape(-1, 3), np.ones((len(counts), 1), np.float32)], 1)
        total += (of_view.T @ (colors * counts[:, None]))[chosen]
    mean = total[:, :3] / np.maximum(total[:, 3:], 1e-6)
    return np.asarray(np.where(total[:, 3:] > _LEAST_SEEN, (mean - 0.5) / SH_C0, 0), np.float32)


class _Fit:
    """The part in the optimiser, the rest beside it."""

    def __init__(
        self, part: GaussianCloud, rest: GaussianCloud, cameras: CameraSet, views: Sequence[EditView],
        anchors: Sequence[Anchor], background: NDArray[np.float32], seed: int, settings: FitSettings, device: str,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.gaussians = Gaussians(part, device)
        self.kept = np.arange(len(part))  # the part's row of each Gaussian, −1 for added ones
        self.first_loss = self.last_loss = 0.0
        self._is_antialiased = rest.is_antialiased
        self._rest = Gaussians(rest, device)
        self._targets = [
            _target(view, anchor, cameras, settings.masks_count, device)
            for view, anchor in zip(views, anchors, strict=True)
        ]
        self._background = torch.tensor(background, device=device)
        self._random = np.random.default_rng(seed)
        self._generator = torch.Generator(device).manual_seed(seed)
        self._errors = Errors(len(self.gaussians), self.gaussians.device)
        self._order: list[int] = []
        self._losses: list[float] = []

    def step(self, step: int, provider: EditProvider | None) -> None:
        """One anchor."""
        share = step / self.settings.steps
        target = self._next()
        rendered = self._draw(target.camera)
        loss = ((rendered.rgb - target.picture).abs().mean(-1) * target.weight).sum()
        self._note(float(loss.detach()))
        total = loss + self._pull(rendered.rgb, target, share, provider)
        total.backward()  # type: ignore[no-untyped-call]
        self._collect_errors(rendered, target)
        self.gaussians.values["sh"].grad[:, FITTED_BANDS:] = 0  # type: ignore[index]
        factor = LAST_RATES**share
        self.gaussians.step({name: rate * factor for name, rate in RATES.items()}, step + 1)
        is_due = self.settings.grows and (step + 1) % _GROW_EVERY == 0
        if is_due and _GROWS[0] <= share <= _GROWS[1]:
            self._change_number()

    def _next(self) -> _Target:
        if not self._order:
            self._order = self._random.permutation(len(self._targets)).tolist()
        return self._targets[self._order.pop()]

    def _draw(self, camera: Camera) -> Rendered:
        own, rest = self.gaussians, self._rest
        both = {name: torch.cat([own.values[name], rest.values[name].detach()]) for name in own.values}
        return draw(
            both["means"], both["quats"], both["log_scales"].exp(), torch.sigmoid(both["opacity_logits"]),
            both["sh"], camera, self._background, is_antialiased=self._is_antialiased,
        )  # fmt: skip

    def _pull(
        self, picture: Tensor, target: _Target, share: float, provider: EditProvider | None
    ) -> Tensor | float:
        """A loss whose slope by the picture is what the provider wishes."""
        if provider is None:
            return 0.0
        slope = provider.pull(picture.detach().cpu().numpy(), target.mask, share)
        return 0.0 if slope is None else (picture * torch.tensor(slope, device=picture.device)).sum()

    def _note(self, loss: float) -> None:
        self._losses.append(loss)
        count = len(self._targets)
        self.first_loss = float(np.mean(self._losses[:count]))
        self.last_loss = float(np.mean(self._losses[-count:]))

    def _collect_errors(self, rendered: Rendered, target: _Target) -> None:
        slope, seen = rendered.slopes_in_picture(False)
        own = len(self.gaussians)
        self._errors.add(slope[:own] * target.share, seen[:own], target.camera.size)

    def _change_number(self) -> None:
        """Clone and split where places are pulled about, remove what has faded."""
        before = len(self.gaussians)
        most = int(_GROWTH * (self.kept >= 0).sum())
        added = clone_and_split(self.gaussians, self._errors, _ERROR, max(most, before), self._generator)
        self.kept = np.concatenate([self.kept, np.full(added, -1)])
        is_there = self.gaussians.opacities.detach() > _FAINTEST
        if not bool(is_there.all()) and bool(is_there.any()):
            self.gaussians.keep(is_there)
            self.kept = self.kept[is_there.cpu().numpy()]
        self._errors = Errors(len(self.gaussians), self.gaussians.device)


def _target(view: EditView, anchor: Anchor, cameras: CameraSet, masks_count: bool, device: str) -> _Target:
    """The part's corner of a view."""
    mask = np.where(view.mask > LEAST_SHARE, view.mask, 0) if masks_count else np.ones_like(view.mask)
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    top, left = max(0, int(rows.min()) - _MARGIN), max(0, int(columns.min()) - _MARGIN)
    bottom, right = min(height, int(rows.max()) + 1 + _MARGIN), min(width, int(columns.max()) + 1 + _MARGIN)
    whole = Camera.of(cameras, view.view, (width, height))
    intrinsics = whole.intrinsics.clone()
    intrinsics[0, :2, 2] -= torch.tensor([left, top], dtype=torch.float32)
    corner = np.s_[top:bottom, left:right]
    is_beside = view.mask[corner] < SPILL_SHARE if masks_count else np.zeros_like(mask[corner], bool)
    weight = anchor.weight * np.where(is_beside, _SPILL_WEIGHT, mask[corner]) / mask.sum()
    picture = np.where(is_beside[..., None], view.picture[corner], anchor.picture[corner])
    return _Target(
        replace(whole, intrinsics=intrinsics, size=(right - left, bottom - top)),
        torch.tensor(picture, device=device),
        torch.tensor(weight.astype(np.float32), device=device),
        view.mask[corner],
        float(mask.sum() / mask.size),
    )


def _box(cameras: CameraSet) -> Similarity3:
    """The training's box: cameras within 1 of their middle, as 3DGS scales its rates."""
    middle = cameras.positions.mean(0)
    radius = float(np.linalg.norm(cameras.positions - middle, axis=1).max()) if len(cameras) > 1 else 0.0
    scale = 1 / (1.1 * radius) if radius > 0 else 1.0
    return Similarity3(np.eye(3), -scale * middle, scale)


def _assembled(cloud: GaussianCloud, part: Mask, found: GaussianCloud, fit: _Fit) -> Fitted:
    """The part's rows in their old places, pruned ones gone, added ones behind; columns are inherited."""
    part_rows = np.flatnonzero(part)
    is_old = fit.kept >= 0
    kept = np.ones(len(cloud), bool)
    kept[np.setdiff1d(part_rows, part_rows[fit.kept[is_old]])] = False
    rows = np.concatenate([np.flatnonzero(kept), np.full(int((~is_old).sum()), -1)])
    source = np.where(rows >= 0, rows, part_rows[0])
    made = cloud.subset(source)
    arrays = {}
    places = np.searchsorted(rows[rows >= 0], part_rows[fit.kept[is_old]])
    for name in PARAMETERS:
        array = getattr(made, name).copy()
        array[places] = getattr(found, name)[is_old]
        array[rows < 0] = getattr(found, name)[~is_old]
        arrays[name] = array
    return Fitted(replace(made, **arrays), rows, fit.first_loss, fit.last_loss)
