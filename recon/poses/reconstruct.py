"""Photos or a video → posed images: from files to the result; the stages between are in `stages`."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.method import Output, Progress, Result, Run, RunContext
from recon.poses import PosesSettings
from recon.poses.colmap import pycolmap
from recon.poses.colors import PointColors, look_up_colors
from recon.poses.database import MatchDatabase
from recon.poses.models import posed_from_model
from recon.poses.pictures import Photo, look_at
from recon.poses.stages import Work
from recon.poses.video_frames import choose_frames
from render.images import ImageSet, PosedImages


def run(inputs: Mapping[str, Any], settings: PosesSettings, context: RunContext) -> Run:
    """Find where images were taken. Raises InputError where they do not tell."""
    pycolmap.logging.minloglevel = pycolmap.logging.ERROR.value
    clock = _Clock()
    images: ImageSet = inputs["images"]
    if images.is_video:
        images = yield from _take_frames(images, settings, context)
        clock.end("frames")
    photos, skipped = yield from _look_at_all(images)
    _refuse_too_few(images, photos, skipped)
    with MatchDatabase(context.folder / "database.db") as database:
        work = Work(images, photos, database, settings, context)
        yield from work.begin()
        yield from work.find_features(skipped)
        clock.end("features")
        yield from work.compare()
        clock.end("matches")
        mapping = yield from work.map()
        clock.end("mapping")
        model, report = work.choose(mapping, skipped)
    posed = yield from _colored(model, posed_from_model(model, images, photos), images)
    clock.end("colours")
    name = "Camera poses"
    return Result((Output(name, posed),), {**report, **_quality(model, posed), "seconds": clock.seconds})


class _Clock:
    """Wall seconds of each stage of this attempt."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def end(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage], self._last = round(now - self._last, 2), now


def _take_frames(
    video: ImageSet, settings: PosesSettings, context: RunContext
) -> Generator[Progress, None, ImageSet]:
    """The frames chosen from a video, as images in the run's folder."""
    found: ImageSet | None = None
    for step in choose_frames(video.path(0), context.folder, settings):
        if isinstance(step, ImageSet):
            found = replace(step, frame=video.frame)
        else:
            yield Progress(*step, "Choosing frames")
    assert found is not None
    return found


def _look_at_all(images: ImageSet) -> Generator[Progress, None, tuple[dict[int, Photo], dict[int, str]]]:
    """Image index → what its header tells, and → why it cannot be read."""
    photos, skipped = {}, {}
    for index in range(len(images)):
        try:
            photos[index] = look_at(images, index)
        except (OSError, ValueError) as error:
            skipped[index] = str(error)
        yield Progress(index + 1, len(images), "Looking at images")
    return photos, skipped


def _refuse_too_few(images: ImageSet, photos: Mapping[int, Photo], skipped: Mapping[int, str]) -> None:
    if len(photos) >= 2:
        return
    overlap = "Take at least 10 to 20 from different places, each showing most of what the one before shows."
    if skipped:
        sentence = f"{len(skipped)} of {len(images)} images cannot be read, so {len(photos)} is left."
        raise InputError(
            sentence, "Check the files; JPEG, PNG and TIFF can be read.", _listing(images, skipped)
        )
    if not photos:
        raise InputError("There are no images.", "Choose a folder of photos, or a video.")
    raise InputError("One image does not tell where it was taken.", overlap)


def _colored(model: Any, posed: PosedImages, images: ImageSet) -> Generator[Progress, None, PosedImages]:
    """The posed images with colours for their points."""
    indices = np.array(sorted(id - 1 for id in model.reg_image_ids()))
    assert posed.points is not None
    colors = PointColors(len(posed.points.points))
    for step, _ in enumerate(look_up_colors(model, images, indices, colors), 1):
        yield Progress(step, len(indices), "Colouring points")
    return replace(posed, points=replace(posed.points, colors=colors.mean))


def _quality(model: Any, posed: PosedImages) -> dict[str, Any]:
    """Figures of the result."""
    assert posed.points is not None and posed.observations is not None
    lenses = {
        (posed.lens_models[i], *np.round(posed.cameras.focal[i], 2).tolist()) for i in range(len(posed))
    }
    return {
        "points": len(posed.points.points),
        "observations": len(posed.observations),
        "reprojection_error_px": round(model.compute_mean_reprojection_error(), 4),
        "track_length": round(model.compute_mean_track_length(), 2),
        "lenses": [{"model": each[0], "focal_px": each[1:]} for each in sorted(lenses)],
    }


def _listing(images: ImageSet, skipped: Mapping[int, str]) -> str:
    return "\n".join(f"{images.paths[index]}: {why}" for index, why in skipped.items())
