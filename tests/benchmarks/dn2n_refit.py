"""The baseline that trains for every edit: a radiance field of one scene, fitted to its edited views."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from recon.dn2n.depth_views import DepthViews
from recon.nerf import NerfSettings
from recon.nerf.preparation import prepare_trainer
from recon.nerf.results import picture_of
from render.cameras import CameraSet
from render.images import DepthCues, ImageSet, PosedImages
from render.radiance_field import RadianceField

Float = NDArray[np.float32]

SECONDS = 60.0  # of one thread, for each scene and edit


@dataclass(frozen=True, eq=False)
class Refit:
    """field: trained on edited views. steps, seconds: what it took."""

    field: RadianceField
    steps: int
    seconds: float

    def drawn(self, cameras: CameraSet, view: int) -> Float:
        """(H, W, 3) what a camera of a set sees, before black."""
        return np.asarray(picture_of(self.field, cameras, view).rgb, np.float32)


def refit(edited: Float, views: DepthViews, seconds: float = SECONDS, seed: int = 0) -> Refit:
    """A field of edited views (N, H, W, 3), with their depths, as any photos with depth would be trained on."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        posed = _written(edited, views, Path(folder))
        wishes = NerfSettings(steps=1_000_000, minutes=seconds / 60, held_out=0)
        trainer = prepare_trainer(posed, wishes, "cpu", seed)
        began = time.process_time()
        while not trainer.pace.is_done:
            trainer.step()
        field = trainer.field(posed.frame, trainer.photos.cameras)
        return Refit(field, trainer.pace.step, time.process_time() - began)


def _written(edited: Float, views: DepthViews, folder: Path) -> PosedImages:
    """As photos and depth in files."""
    (folder / "images").mkdir()
    pictures = tuple(f"images/{i:03d}.png" for i in range(len(views)))
    depths = tuple(f"{i:03d}.npy" for i in range(len(views)))
    for i, picture in enumerate(edited):
        Image.fromarray((picture * 255 + 0.5).astype(np.uint8)).save(folder / pictures[i])
        np.save(folder / depths[i], views.depths[i])
    return PosedImages(ImageSet(str(folder), pictures), views.cameras, depth=DepthCues(depths, "metric"))
