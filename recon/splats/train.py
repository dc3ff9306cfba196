"""Training: one step, and everything that the next one depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.splats import SplatSettings
from recon.splats.adam import adam_step
from recon.splats.exposure import Exposures
from recon.splats.parameters import Arrays, Gaussians
from recon.splats.photometric import photometric_loss
from recon.splats.photos import Photo, Photos, Size
from recon.splats.pictures import Camera, Rendered, draw
from recon.splats.relocation import explore, grow, relocate
from recon.splats.schedule import Schedule
from recon.splats.splitting import RESET_EVERY, Errors, clone_and_split, prune, reset_opacities
from recon.training import Pace
from render.gaussians import GaussianCloud
from render.transforms import Similarity3

COLOR_RATE = 1e-2  # of a learned background
FORGET = 4096  # between the random numbers of one step and the next


class Trainer:
    """The Gaussians, what is learned beside them, and the random numbers of one run.

    world_from_box: where the photos' world is. start: the first Gaussians, in the box. background: colour (3,) behind
    all, the first one where it is learned. most: Gaussians there may be.
    """

    def __init__(
        self,
        photos: Photos,
        world_from_box: Similarity3,
        start: GaussianCloud,
        background: NDArray[np.float32],
        most: int,
        settings: SplatSettings,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.photos, self.world_from_box, self.settings = photos, world_from_box, settings
        self.in_box = photos.cameras.transformed(world_from_box.inverse)
        self.schedule, self.most = Schedule(settings), most
        self.device = torch.device(device)
        self.gaussians = Gaussians(start, device)
        self.exposures = Exposures(len(photos), self.device) if settings.exposure else None
        self.rng = np.random.default_rng(seed)
        self._generator = torch.Generator(self.device)
        self._seed = seed
        self.pace = Pace(settings.steps, settings.minutes, device)
        self._order: NDArray[np.int64] = np.zeros(0, np.int64)
        self._refined_at = (0, 0.0)  # step, share
        self._refinements = 0
        self._errors = Errors(len(self.gaussians), self.device)
        self.background = torch.tensor(background, device=self.device)
        self._background_moments = torch.zeros(2, 1, 3, device=self.device)

    def _expected_steps(self, share: float) -> float:
        if not self.settings.minutes or share <= 0:
            return float(self.settings.steps)
        return min(float(self.settings.steps), self.pace.step / share)

    # A step

    def step(self) -> dict[str, float]:
        """Train on one photo. Returns losses by name."""
        share = self.pace.share
        self.gaussians.raise_degree(self.schedule.degree(share))
        view = self._next_view()
        factor = self.schedule.level(share, self.photos.size(view))
        size = _divided(self.photos.size(view), factor)
        self._generator.manual_seed(self._seed + FORGET * (self.pace.step + 1))
        background = self._background_now()
        rendered = self._draw(view, size, background)
        losses = self._losses(rendered, self.photos.photo(view).scaled(size), view, background)
        total = torch.stack(list(losses.values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        if self.settings.growth == "split":
            self._errors.add(*rendered.slopes_in_picture(self.settings.absolute_gradient), size)
        self._follow(share)
        self._change_number(share)
        self.pace.step += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def _draw(self, view: int, size: Size, background: Tensor, has_depth: bool = False) -> Rendered:
        values = self.gaussians.values
        return draw(
            values["means"],
            values["quats"],
            self.gaussians.scales,
            self.gaussians.opacities,
            values["sh"],
            Camera.of(self.in_box, view, size),
            background,
            is_antialiased=self.settings.antialiased,
            shrink=size[0] / self.photos.size(view)[0],
            absgrad=self.settings.growth == "split" and self.settings.absolute_gradient,
            has_depth=has_depth,
        )

    def _losses(self, rendered: Rendered, photo: Photo, view: int, background: Tensor) -> dict[str, Tensor]:
        target, used = self._target(photo, background)
        picture = rendered.rgb if self.exposures is None else self.exposures.apply(rendered.rgb, view)
        losses = {"photo": photometric_loss(picture, target, used, self.settings.ssim_weight)}
        if self.settings.growth == "mcmc":
            if self.settings.opacity_weight:
                losses["opacity"] = self.settings.opacity_weight * rendered.opacities.mean()
            if self.settings.scale_weight:
                losses["size"] = self.settings.scale_weight * rendered.scales.mean()
        return losses

    def target(self, photo: Photo) -> tuple[Tensor, Tensor]:
        """What a picture should be (H, W, 3), and which pixels count (H, W)."""
        return self._target(photo, self.background)

    def _target(self, photo: Photo, background: Tensor) -> tuple[Tensor, Tensor]:
        """What the picture should be (H, W, 3), and which pixels count (H, W)."""
        rgb = torch.tensor(photo.rgb).to(self.device).float() / 255
        used = torch.tensor(photo.used).to(self.device).float() / 255
        if photo.opacity is not None:
            opacity = torch.tensor(photo.opacity).to(self.device).float()[..., None] / 255
            rgb = rgb * opacity + background.detach() * (1 - opacity)
        return rgb, used

    def _background_now(self) -> Tensor:
        if self.settings.background == "random":
            return torch.rand(3, generator=self._generator, device=self.device)
        if self.settings.background == "learned":
            self.background = self.background.detach().requires_grad_()
        return self.background

    def _next_view(self) -> int:
        if not len(self._order):
            self._order = self.rng.permutation(self.photos.trained)
        view, self._order = int(self._order[0]), self._order[1:]
        return view

    def _follow(self, share: float) -> None:
        """Take a step down the slopes."""
        rates = self.schedule.rates(share, self._expected_steps(share))
        self.gaussians.step(rates, self.pace.step + 1)
        if self.settings.growth == "mcmc" and self.settings.noise:
            explore(self.gaussians, rates["means"] * self.settings.noise, self._generator)
        if self.exposures is not None:
            self.exposures.step(share)
        if self.settings.background == "learned" and self.background.grad is not None:
            slope, value = self.background.grad[None], self.background.detach()[None]
            mean, square = self._background_moments
            adam_step(value, slope, mean, square, torch.full((3,), COLOR_RATE), self.pace.step + 1)
            self.background = value[0].clamp(0, 1)

    def _change_number(self, share: float) -> None:
        """Relocate and grow, or clone, split and prune, when it is time."""
        step, last = self.pace.step + 1, self._refined_at
        if not self.schedule.is_refined(share, share - last[1], step - last[0]):
            return
        self._refined_at = step, share
        self._refinements += 1
        settings = self.settings
        if settings.growth == "mcmc":
            relocate(self.gaussians, settings.min_opacity, self.rng)
            grow(self.gaussians, self.most, self.rng)
            return
        clone_and_split(self.gaussians, self._errors, settings.growth_gradient, self.most, self._generator)
        prune(self.gaussians, settings.min_opacity, is_late=self._refinements > RESET_EVERY)
        if self._refinements % RESET_EVERY == 0:
            reset_opacities(self.gaussians, settings.min_opacity)
        self._errors = Errors(len(self.gaussians), self.device)

    # Looking without learning

    @torch.no_grad()
    def look(self, view: int, size: Size | None = None, has_depth: bool = False) -> Rendered:
        """What a photo's camera sees, before any exposure; in box units."""
        return self._draw(view, size or self.photos.size(view), self.background.detach(), has_depth)

    # Keeping and restoring

    def is_finite(self) -> bool:
        """Whether no value has become infinite or no number."""
        return self.gaussians.is_finite()

    def state(self) -> Arrays:
        """Everything that the next steps depend on, as arrays by name."""
        arrays = self.gaussians.state() | self._errors.state() | self.pace.state()
        arrays["order"] = self._order.copy()
        arrays["refined"] = np.array([*self._refined_at, self._refinements])
        arrays["background"] = self.background.detach().cpu().numpy().copy()
        arrays["background moments"] = self._background_moments.cpu().numpy().copy()
        arrays["random"] = np.frombuffer(json.dumps(self.rng.bit_generator.state).encode(), np.uint8).copy()
        return arrays | (self.exposures.state() if self.exposures is not None else {})

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        kept = dict(arrays)
        self.gaussians.load(kept)
        self._errors.load(kept)
        self.pace.load(kept)
        self._order = np.array(kept["order"])
        step, share, refinements = kept["refined"].tolist()
        self._refined_at, self._refinements = (int(step), float(share)), int(refinements)
        self.background = torch.from_numpy(np.array(kept["background"])).to(self.device)
        self._background_moments = torch.from_numpy(np.array(kept["background moments"])).to(self.device)
        self.rng.bit_generator.state = json.loads(kept["random"].tobytes())
        if self.exposures is not None:
            self.exposures.load(kept)


def _divided(size: Size, factor: int) -> Size:
    return max(1, round(size[0] / factor)), max(1, round(size[1] / factor))
