"""Training: one step, and everything that the next one depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.nerf import NerfSettings, schedule
from recon.nerf.engine import KernelEngine
from recon.nerf.objective import Target, photo_loss
from recon.nerf.pixels import Batch, Pixels
from recon.nerf.torch_engine import TorchEngine
from recon.splats.photos import Photos
from recon.training import Pace
from render.cameras import CameraSet
from render.compiled import Float
from render.frame import Frame
from render.radiance_field import RadianceField
from render.radiance_layout import RadianceLayout
from render.radiance_rays import Rays
from render.transforms import Similarity3

Engine = KernelEngine | TorchEngine
EXPOSURE_RATE = 2e-3


class Trainer:
    """A field, what is learned beside it, and the random numbers of one run.

    engine: what holds and changes the parameters. world_from_box: where the photos' world is. bounds_in_box: (2, 3) of
    what matters. is_random_behind: each ray has a background of its own, so that nothing stays transparent by mistake.
    """

    def __init__(
        self, photos: Photos, pixels: Pixels, engine: Engine, world_from_box: Similarity3,
        bounds_in_box: NDArray[np.float64], is_random_behind: bool, settings: NerfSettings, seed: int = 0,
        device: str = "cpu",
    ) -> None:  # fmt: skip
        self.photos, self.pixels, self.engine, self.settings = photos, pixels, engine, settings
        self.world_from_box, self.bounds_in_box = world_from_box, bounds_in_box
        self.device = device
        self._is_random_behind = is_random_behind
        self.rng = np.random.default_rng([seed, 3])
        self.pace = Pace(settings.steps, settings.minutes, device)
        plain = torch.eye(3, 4).repeat(len(photos), 1, 1)
        self.exposures = plain.requires_grad_(settings.exposure)
        self._optimizer = torch.optim.Adam([self.exposures], EXPOSURE_RATE) if settings.exposure else None

    @property
    def layout(self) -> RadianceLayout:
        return self.engine.layout

    # A step

    def step(self) -> dict[str, float]:
        """Learn from random rays. Returns losses by name."""
        share = self.pace.share
        count, samples = schedule.shape(self.settings, share)
        openness = schedule.openness(self.layout.grid.num_levels, share)
        self.engine.open_levels(openness, schedule.turning(share))
        batch = self.pixels.draw(count, self.rng)
        rays = Rays(batch.origins, batch.directions, self.rng.random((count, 2), np.float32))
        behind = self._behind(count)
        trust = np.where(batch.distance > 0, self.settings.depth_weight / count, 0).astype(np.float32)
        losses = self.engine.step(
            rays, samples, schedule.explored(share), lambda rgb, alpha: self._losses(rgb, alpha, batch, behind),
            self.settings.distortion_weight, batch.distance, trust, schedule.rate(self.settings, share),
            self.pace.step + 1,
        )  # fmt: skip
        self._follow_exposures()
        self.pace.step += 1
        return losses

    def _behind(self, count: int) -> Float:
        if self._is_random_behind:
            return self.rng.random((count, 3), np.float32)
        return np.tile(np.array(self.layout.background, np.float32), (count, 1))

    def _losses(self, rgb: Tensor, alpha: Tensor, batch: Batch, behind: Float) -> dict[str, Tensor]:
        wanted, opacity, back = (
            torch.from_numpy(each).to(rgb.device) for each in (batch.rgb, batch.opacity, behind)
        )
        exposure = None
        if self._optimizer is not None:
            exposure = self.exposures[torch.from_numpy(batch.views)].to(rgb.device)
        return {"photo": photo_loss(rgb, alpha, Target(wanted, opacity, back, exposure))}

    @torch.no_grad()
    def _follow_exposures(self) -> None:
        """Change the exposures; their mean stays at no change, lest the scene itself grows dark."""
        if self._optimizer is None:
            return
        self._optimizer.step()
        self._optimizer.zero_grad()
        trained = torch.from_numpy(self.photos.trained)
        self.exposures[trained] -= self.exposures[trained].mean(0) - torch.eye(3, 4)

    def field(self, frame: Frame, cameras: CameraSet) -> RadianceField:
        """What there is now, in the world."""
        return RadianceField(
            self.layout.to_json(),
            self.engine.arrays(),
            self.world_from_box.matrix,
            self.bounds_in_box,
            cameras,
            frame,
        )

    # Keeping and restoring

    def is_finite(self) -> bool:
        """Whether all parameters are numbers."""
        return self.engine.is_finite()

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next steps depend on, as arrays by name."""
        arrays = self.engine.state() | self.pace.state()
        arrays["random"] = np.frombuffer(json.dumps(self.rng.bit_generator.state).encode(), np.uint8).copy()
        if self._optimizer is not None:
            arrays["exposures"] = self.exposures.detach().numpy().copy()
            for name, value in self._optimizer.state[self.exposures].items():
                arrays[f"exposures {name}"] = value.numpy().copy()
        return arrays

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        self.engine.load(arrays)
        self.pace.load(arrays)
        self.rng.bit_generator.state = json.loads(arrays["random"].tobytes())
        if self._optimizer is not None:
            with torch.no_grad():
                self.exposures.copy_(torch.from_numpy(np.array(arrays["exposures"])))
            self._optimizer.state[self.exposures] = {
                name.removeprefix("exposures "): torch.from_numpy(np.array(value))
                for name, value in arrays.items() if name.startswith("exposures ")
            }  # fmt: skip
