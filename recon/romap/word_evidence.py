"""Evidence from networks that look at pictures of the splats: parts by words, or by clicks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.cues.models import find_model
from recon.errors import SettingsError
from recon.romap import PartSettings
from recon.romap.click_files import Click, read_clicks
from recon.romap.evidence import ScoreEvidence
from recon.romap.mask_networks import ClickNetwork, FindsClicked, FindsWords
from recon.romap.ring import ring_of_cameras
from recon.romap.word_networks import word_network
from render.cameras import CameraSet, limited_size
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.scene_data import SceneData
from render.splat_pictures import splat_picture

Scores = NDArray[np.float32]
BACKGROUND_SCORE = 0.4  # a part's probability must be above it to be seen at all


@dataclass(frozen=True, eq=False)
class SplatPictures:
    """Pictures of a cloud from cameras, before white."""

    cloud: GaussianCloud
    cameras: CameraSet

    def picture(self, view: int) -> Scores:
        """(H, W, 3) within 0 and 1."""
        camera = self.cameras.select(np.array([view]))
        return splat_picture(
            self.cloud, camera.cam_from_world[0], camera.focal[0], camera.center[0], camera.size[0], (1, 1, 1)
        )


@dataclass(frozen=True, eq=False)
class WordEvidence:
    """What a network finds by words in pictures of the splats; index 0 is everything else."""

    pictures: SplatPictures
    words: tuple[str, ...]
    network: FindsWords

    def evidence(self) -> Iterator[ScoreEvidence]:
        for view in range(len(self.pictures.cameras)):
            scores = self.network(self.pictures.picture(view), self.words)
            rest = np.full((1, *scores.shape[1:]), BACKGROUND_SCORE, np.float32)
            yield ScoreEvidence(view, winner_takes(np.concatenate([rest, scores])))


@dataclass(frozen=True, eq=False)
class ClickEvidence:
    """What a network takes clicks to mean; index 0 is everything else. part_names: with that first."""

    pictures: SplatPictures
    part_names: tuple[str, ...]
    clicks: tuple[Click, ...]
    network: FindsClicked

    def evidence(self) -> Iterator[ScoreEvidence]:
        for view in sorted({click.view for click in self.clicks}):
            rgb = self.pictures.picture(view)
            scores = np.full((len(self.part_names), *rgb.shape[:2]), 0, np.float32)
            scores[0] = 0.5
            for part in sorted({click.part for click in self.clicks if click.view == view}):
                chosen = [click for click in self.clicks if (click.view, click.part) == (view, part)]
                scores[part] = self._meant(rgb, chosen)
            yield ScoreEvidence(view, winner_takes(scores))

    def _meant(self, rgb: Scores, clicks: Sequence[Click]) -> Scores:
        """(H, W) what clicks and boxes on one part of one view mean: any of the boxes, or all clicks together."""
        boxes = [np.asarray(click.point, np.float64) for click in clicks if np.size(click.point) == 4]
        chosen = [click for click in clicks if np.size(click.point) == 2]
        found = [self.network.in_box(rgb, box) for box in boxes]
        if chosen:
            points = np.array([np.asarray(click.point, np.float64) for click in chosen])
            found.append(self.network(rgb, points, [click.is_inside for click in chosen]))
        return np.asarray(np.max(found, 0), np.float32)


def winner_takes(scores: Scores) -> Scores:
    """(K, H, W) 1 for the best part of each pixel and 0 for the others; NaN where a score is none."""
    best = np.eye(len(scores), dtype=np.float32)[np.nan_to_num(scores).argmax(0)].transpose(2, 0, 1)
    return np.where(np.isfinite(scores).all(0), best, np.float32(np.nan))


@dataclass(frozen=True, eq=False)
class WordTask:
    """Everything to find parts by words."""

    cameras: CameraSet
    words: tuple[str, ...]
    provider: WordEvidence
    view_names: tuple[str, ...]
    notes: tuple[str, ...]


def word_task(
    cloud: GaussianCloud, scene: SceneData | None, settings: PartSettings, device: str, seed: int
) -> WordTask:
    """Load the network and choose the views: those of the scene, or a ring. Raises MissingModel, SettingsError."""
    words = tuple(dict.fromkeys(word.strip() for word in settings.words.split(",") if word.strip()))
    if not words:
        raise SettingsError(
            "The parts have no names.", "Give words with commas between them, such as “hair, nose”."
        )
    network = word_network(settings, device, seed)
    if isinstance(scene, PosedImages):
        cameras = scene.cameras.select(scene.used)
        sizes = [limited_size(size, settings.image_size) for size in cameras.size]
        cameras = cameras.resized(np.array(sizes).reshape(-1, 2))
        names = tuple(scene.images.names[view] for view in scene.used)
        notes: tuple[str, ...] = ()
    else:
        cameras = ring_of_cameras(cloud, settings.ring_views, settings.image_size)
        names = tuple(f"view {i + 1} of the ring" for i in range(len(cameras)))
        notes = (f"No cameras were given: {len(cameras)} views around the splats are looked at.",)
    provider = WordEvidence(SplatPictures(cloud, cameras), words, network)
    return WordTask(cameras, words, provider, names, notes)


@dataclass(frozen=True, eq=False)
class ClickTask:
    """Everything to find parts by clicks. part_ids: their numbers, 0 first for everything else."""

    cameras: CameraSet
    provider: ClickEvidence
    part_ids: tuple[int, ...]
    view_names: tuple[str, ...]


def click_task(cloud: GaussianCloud, scene: PosedImages, settings: PartSettings, device: str) -> ClickTask:
    """Read the clicks and load the network that knows what they mean. Raises FormatError, InputError, MissingModel."""
    cameras = scene.cameras.select(scene.used)
    sizes = np.array([limited_size(size, settings.image_size) for size in cameras.size]).reshape(-1, 2)
    small = cameras.resized(sizes)
    names = tuple(scene.images.names[view] for view in scene.used)
    clicks = read_clicks(Path(settings.clicks), names, cameras.size, sizes)
    numbers = (0, *sorted({click.part for click in clicks}))
    place = {number: index for index, number in enumerate(numbers)}
    clicks = tuple(replace(click, part=place[click.part]) for click in clicks)
    network = ClickNetwork(find_model(settings.clicks_model, "clicks")[0], device)
    labels = tuple(map(str, numbers))
    return ClickTask(
        small, ClickEvidence(SplatPictures(cloud, small), labels, clicks, network), numbers, names
    )
