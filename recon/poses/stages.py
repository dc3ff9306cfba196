"""The stages of structure from motion on one set of images: features, matches, mapping.

Every stage keeps its results in the run's folder at once, so a run that was killed goes on where it was.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.method import Progress, RunContext, StopRequested
from recon.poses import PosesSettings, pairing
from recon.poses.colmap import pycolmap
from recon.poses.database import MatchDatabase
from recon.poses.features import Features, find_features
from recon.poses.in_threads import in_threads
from recon.poses.mapping import Mapping as ModelMapping
from recon.poses.mapping import calibrate_lenses, read_model, refine_centers
from recon.poses.matching import guided_matches, is_verified, match_features, verify_pair
from recon.poses.models import posed_from_model
from recon.poses.pictures import Photo, assign_lenses, focal_length, read_grey
from recon.poses.reasons import nothing_placed, rows_of, summary, why_not_placed
from render.images import ImageSet, PosedImages

_LOG = logging.getLogger(__name__)

_MAX_ERROR = 4.0  # pixels between a match and the geometry of its two views, in images of 1000 pixels or more
_CACHED_FEATURES = 300  # images whose features stay in memory
_NAMED = 5  # images that a notice names one by one

Steps = Generator[Progress, None, None]


@dataclass
class Work:
    """The stages on one set of images, each resumable."""

    images: ImageSet
    photos: Mapping[int, Photo]
    database: MatchDatabase
    settings: PosesSettings
    context: RunContext

    def begin(self) -> Steps:
        """Put lenses and images into the database, unless they are."""
        known = set(self.database.images)
        for group in assign_lenses(list(self.photos.values()), self.settings):
            new = [photo for photo in group if photo.index not in known]
            if new:
                focal, is_known = focal_length(group, self.settings)
                names = {photo.index: self.images.paths[photo.index] for photo in new}
                self.database.add_lens(self.settings.camera_model, focal, is_known, names, new)
        yield self._keep("Looking at images", len(self.photos), len(self.photos))

    def find_features(self, skipped: dict[int, str]) -> Steps:
        """Features of every image; those that turn out to be damaged join `skipped`."""
        stage, token = "Finding features", pycolmap.CancellationToken()
        missing = [i for i in self.database.images if not self.database.has_features(i)]
        done = total = len(self.database.images)
        done -= len(missing)
        steps = in_threads(lambda index: self._features_of(index, token), missing, num_threads())
        try:
            for step in steps:
                if step is not None:
                    done += 1
                    if isinstance(step[1], Features):
                        self.database.add_features(step[0], step[1])
                    else:
                        skipped[step[0]] = step[1]
                yield self._keep(stage, done, total)
        finally:
            token.cancel()
            steps.close()
        for index, why in skipped.items():
            _LOG.warning("%s was left out: %s", self.images.paths[index], why)

    def compare(self) -> Steps:
        """Match and verify pairs of images: the chosen ones, then those that look alike."""
        usable = [i for i in self.database.images if self.database.num_features(i) > 0]
        way = pairing.choose_pairing(self.settings.pairing, len(usable), is_video=self._is_sequence)
        pairs: list[pairing.Pair] = []
        if way == "all":
            pairs = pairing.all_pairs(usable)
        elif way == "neighbours":
            pairs = pairing.neighbour_pairs(usable)
        yield from self._match(pairs, "Matching images")
        if way == "all":
            return
        alike: list[pairing.Pair] = []
        glances = [pairing.glance(self.database.features(i), len(usable)) for i in usable]
        for step, found in enumerate(pairing.look_alikes(usable, glances, way, pairs), 1):
            alike = found or alike
            yield self._keep("Looking for similar images", min(step, len(usable)), len(usable))
        yield from self._match(alike, "Matching similar images")

    def map(self) -> Generator[Progress, None, ModelMapping]:
        """Place the images; where none can be, once more with what pairs alone tell: focal lengths and points."""
        mapping = yield from self._map("mapping", takes_pairs=False)
        if mapping.models() or not self.database.verified_pairs():
            return mapping
        if not any(self.database.camera(i).has_prior_focal_length for i in self.database.images):
            for _ in in_threads(calibrate_lenses, [self.database.path], 1):
                yield self._keep("Estimating focal lengths", 0, 1)
        return (yield from self._map("mapping-pairs", takes_pairs=True))

    def _map(self, name: str, *, takes_pairs: bool) -> Generator[Progress, None, ModelMapping]:
        """One attempt. Stopped, it gives what is placed so far."""
        mapping = ModelMapping(
            self.database.path, Path(self.images.folder), self.context.folder / name, self.settings,
            self.context.seed, num_threads(), self._error_scale, takes_pairs,
        )  # fmt: skip
        total = len(self.database.images)
        watching = mapping.watch(total)
        shown = None
        try:
            for _ in watching:
                stage = "Placing images" + (f", group {mapping.group}" if mapping.group > 1 else "")
                progress = self._keep(stage, min(mapping.num_placed, total), total)
                newest = mapping.newest
                if newest is not None and newest != shown and self.context.is_preview_due():
                    shown = newest
                    progress = replace(progress, preview=self._preview(newest))
                yield progress
        except StopRequested:
            mapping.end(patience=60.0)
            if not mapping.models():
                raise
        finally:
            watching.close()
        return mapping

    def choose(self, mapping: ModelMapping, skipped: Mapping[int, str]) -> tuple[Any, dict[str, Any]]:
        """The model that the settings ask for, and the figures of all. Raises InputError."""
        models = mapping.models()
        if not models:
            raise nothing_placed(self.database, sorted(set(self.photos) - set(skipped)), len(skipped))
        if self.settings.model > len(models):
            raise InputError(
                f"There is no group {self.settings.model}: the images make {len(models)}.",
                f"Choose group {'1' if len(models) == 1 else f'1 to {len(models)}'}.",
            )
        chosen = self.settings.model - 1
        groups = [frozenset(id - 1 for id in model.reg_image_ids()) for model in models]
        readable = sorted(set(self.photos) - set(skipped))
        reasons = why_not_placed(self.database, readable, groups, chosen)
        reasons |= {index: ("unreadable", why) for index, why in skipped.items()}
        self._tell(reasons, len(groups[chosen]), len(models))
        model = models[chosen]
        if self.settings.refine_center:
            refine_centers(model)
        return model, {
            "images": len(self.images),
            "registered": len(groups[chosen]),
            "not_registered": rows_of(reasons, self.images.names),
            "pairs": len(self.database.verified_pairs()),
            "models": [
                {
                    "images": each.num_reg_images(),
                    "points": each.num_points3D(),
                    "reprojection_error_px": round(each.compute_mean_reprojection_error(), 4),
                    "is_result": each is model,
                }
                for each in models
            ],
        }

    @property
    def _is_sequence(self) -> bool:
        return (self.context.folder / "frames.json").exists()

    @property
    def _error_scale(self) -> float:
        """How precise features are: worse where images were scaled down, better in small ones."""
        longest = float(np.median([max(photo.size) for photo in self.photos.values()]))
        searched = min(longest, self.settings.max_image_size)
        return longest / searched * float(np.clip(searched / 1000, 0.5, 1.0))

    def _keep(self, stage: str, step: int, total: int) -> Progress:
        """The progress; what was done is on the disk already, so a checkpoint only says so."""
        if self.context.is_checkpoint_due():
            self.context.save_checkpoint({"step": np.array(step)})
        return Progress(step, total, stage)

    def _features_of(self, index: int, token: Any) -> Features | str:
        """The features of an image, in pixels of the image; a sentence where its pixels cannot be read."""
        photo = self.photos[index]
        try:
            grey, mask = read_grey(self.images, photo, self.settings.max_image_size)
        except (OSError, ValueError) as error:
            return str(error)
        # A name of its own: a run that was closed may still be at the same image for a moment.
        with TemporaryDirectory(
            dir=self.context.folder, prefix="scratch-", ignore_cleanup_errors=True
        ) as scratch:
            features = find_features(grey, mask, self.settings, Path(scratch), token)
        scale = np.array(photo.size) / [grey.shape[1], grey.shape[0]]
        return Features((features.points * scale).astype(np.float32), features.descriptors)

    def _match(self, pairs: Sequence[pairing.Pair], stage: str) -> Steps:
        """Match pairs that were not yet; the counts are of images whose pairs are all done."""
        missing = [pair for pair in pairs if not self.database.has_pair(*pair)]
        read = lru_cache(_CACHED_FEATURES)(self.database.features)
        cameras = {i: self.database.camera(i) for i in {i for pair in missing for i in pair}}
        tasks: Iterator[Any] = (
            (pair, (read(pair[0]), read(pair[1])), (cameras[pair[0]], cameras[pair[1]])) for pair in missing
        )
        done = len(pairs) - len(missing)
        steps = in_threads(self._compare_two, tasks, num_threads())
        try:
            for step in steps:
                if step is not None:
                    done += 1
                    (first, second), (matches, geometry) = step[0][0], step[1]
                    self.database.add_pair(first, second, matches, geometry)
                yield self._keep(stage, done, len(pairs))
        finally:
            steps.close()

    def _compare_two(self, task: Any) -> tuple[Any, Any]:
        """Matches of two images and the geometry of their views; the same whatever was compared before."""
        (first, second), features, cameras = task
        settings, error = self.settings, _MAX_ERROR * self._error_scale
        matches = match_features(features[0], features[1], settings.match_ratio)
        if len(matches) < settings.min_matches:
            return matches, pycolmap.TwoViewGeometry()
        seed = self.context.seed + 1000 * first + second
        geometry = verify_pair(cameras, features, matches, settings.min_matches, error, seed)
        if not is_verified(geometry, settings.min_matches):
            return matches, pycolmap.TwoViewGeometry()
        if settings.guided_matching:
            more = guided_matches(features[0], features[1], geometry, settings.match_ratio, error)
            if len(more) > len(geometry.inlier_matches):
                geometry.inlier_matches = more
        return matches, geometry

    def _preview(self, snapshot: Path) -> PosedImages | None:
        model = read_model(snapshot)
        return None if model is None else posed_from_model(model, self.images, self.photos)

    def _tell(self, reasons: Mapping[int, tuple[str, str]], num_placed: int, num_models: int) -> None:
        """Log how many images were placed, and why the others were not."""
        _LOG.info("%d of %d images placed", num_placed, len(self.images))
        if num_models > 1:
            _LOG.warning(
                "The images fall into %d groups that could not be joined; group %d is the result.",
                num_models,
                self.settings.model,
            )
        if reasons:
            _LOG.warning(
                "%d of %d images could not be placed: %s.", len(reasons), len(self.images), summary(reasons)
            )
        for index, (_, why) in sorted(reasons.items())[:_NAMED]:
            _LOG.warning("%s: %s", self.images.paths[index], why)
        if num_placed == 2:
            _LOG.warning("Two images give an uncertain focal length; take more for a dependable result.")


def num_threads() -> int:
    """Cores to use: what the worker was given."""
    return max(1, int(os.environ.get("OMP_NUM_THREADS") or max(1, (os.cpu_count() or 2) - 1)))
