"""METHOD romap.views: a ring of cameras around splats, with a picture from each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.errors import FormatError, InputError
from recon.method import Output, Progress, Result, Run, RunContext
from recon.romap import RingSettings
from recon.romap.ring import ring_of_cameras
from recon.romap.word_evidence import SplatPictures
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.scene_data import SceneData


def run(inputs: Mapping[str, SceneData], settings: RingSettings, context: RunContext) -> Run:
    """Posed images whose files lie in the run's folder, before white. Raises InputError, FormatError."""
    cloud = inputs["cloud"]
    assert isinstance(cloud, GaussianCloud)
    if not len(cloud):
        raise InputError("There are no splats.", "Give a scene with splats.")
    heights = (settings.elevation, settings.other_elevation)
    cameras = ring_of_cameras(
        cloud, settings.count, settings.image_size, heights, settings.distance, settings.look_at
    )
    pictures, folder = SplatPictures(cloud, cameras), (context.folder / "views").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    names = tuple(f"view-{view + 1:03d}.png" for view in range(len(cameras)))
    for view, name in enumerate(names):
        _write(folder / name, pictures.picture(view))
        yield Progress(view + 1, len(names), "Drawing views")
    made = PosedImages(ImageSet(folder.as_posix(), names, frame=cloud.frame), cameras, frame=cloud.frame)
    return Result((Output("Cameras around the splats", made),), {"views": len(names)})


def _write(path: Path, picture: NDArray[np.float32]) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".part")
    try:
        Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)).save(beside, "PNG")
        beside.replace(path)
    except OSError as error:
        raise FormatError(
            path, f"It cannot be written: {error.strerror}.", "Make room on the disk."
        ) from error
