"""Evidence from networks that look at pictures of the splats: parts by words, or by clicks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.cues.models import find_model
from recon.errors import SettingsError
from recon.romap import PartSettings
from recon.romap.evidence import ScoreEvidence
from recon.romap.mask_networks import WordNetwork
from recon.romap.ring import ring_of_cameras
from render.cameras import CameraSet, limited_size
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.scene_data import SceneData
from render.splat_pictures import splat_picture

Scores = NDArray[np.float32]
BACKGROUND_SCORE = 0.4  # a part's probability must be above it to be seen at all


class _FindsWords(Protocol):
    def __call__(self, rgb: Scores, words: Sequence[str]) -> Scores: ...


class _FindsClicked(Protocol):
    def __call__(self, rgb: Scores, points: NDArray[np.floating], are_inside: Sequence[bool]) -> Scores: ...


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
    network: _FindsWords

    def evidence(self) -> Iterator[ScoreEvidence]:
        for view in range(len(self.pictures.cameras)):
            scores = self.network(self.pictures.picture(view), self.words)
            rest = np.full((1, *scores.shape[1:]), BACKGROUND_SCORE, np.float32)
            yield ScoreEvidence(view, winner_takes(np.concatenate([rest, scores])))


@dataclass(frozen=True, eq=False)
class Click:
    """A click on a view. point: (2,) x, y in pixels; is_inside: on the part, not beside it."""

    view: int
    part: int
    point: ArrayLike
    is_inside: bool = True


@dataclass(frozen=True, eq=False)
class ClickEvidence:
    """What a network takes clicks to mean; index 0 is everything else. part_names: with that first."""

    pictures: SplatPictures
    part_names: tuple[str, ...]
    clicks: tuple[Click, ...]
    network: _FindsClicked

    def evidence(self) -> Iterator[ScoreEvidence]:
        for view in sorted({click.view for click in self.clicks}):
            rgb = self.pictures.picture(view)
            scores = np.full((len(self.part_names), *rgb.shape[:2]), 0, np.float32)
            scores[0] = 0.5
            for part in sorted({click.part for click in self.clicks if click.view == view}):
                chosen = [click for click in self.clicks if (click.view, click.part) == (view, part)]
                points = np.array([np.asarray(click.point, np.float64) for click in chosen])
                scores[part] = self.network(rgb, points, [click.is_inside for click in chosen])
            yield ScoreEvidence(view, winner_takes(scores))


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


def word_task(cloud: GaussianCloud, scene: SceneData | None, settings: PartSettings, device: str) -> WordTask:
    """Load the network and choose the views: those of the scene, or a ring. Raises MissingModel, SettingsError."""
    words = tuple(dict.fromkeys(word.strip() for word in settings.words.split(",") if word.strip()))
    if not words:
        raise SettingsError(
            "The parts have no names.", "Give words with commas between them, such as “hair, nose”."
        )
    network = WordNetwork(find_model(settings.words_model, "words")[0], device)
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
