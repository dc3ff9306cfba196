"""Incremental mapping by COLMAP in a thread of its own, so that it can be watched, ended and taken up again."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recon.errors import FormatError
from recon.formats import colmap_reading
from recon.poses import PosesSettings
from recon.poses.colmap import pycolmap

_LOOK_SECONDS = 0.1  # between looks at what the mapper has done
_SNAPSHOTS = 12  # of the model under way, over all images
_FEWEST_TO_RESUME = 10  # images of a model that is taken up again
_FEWEST_TO_KEEP = 3  # images of a further model
_LIMITS = (
    ("mapper", "init_max_error"),
    ("mapper", "abs_pose_max_error"),
    ("mapper", "filter_max_reproj_error"),
    ("triangulation", "merge_max_reproj_error"),
    ("triangulation", "complete_max_reproj_error"),
)  # in pixels
_DONE = "done"  # an empty file that says that mapping came to its end


@dataclass
class Mapping:
    """One mapping of a database into `folder`/models, and how far it is.

    error_scale: COLMAP's limits in pixels are multiplied by it. takes_pairs: whether points that only
    two images see count, without which two images make no model. num_placed: images placed so far in the model
    under way. group: number of that model, from 1.
    """

    database: Path
    images: Path
    folder: Path
    settings: PosesSettings
    seed: int
    num_threads: int
    error_scale: float = 1.0
    takes_pairs: bool = False
    num_placed: int = 0
    group: int = 0
    _token: Any = field(default_factory=pycolmap.CancellationToken)
    _error: BaseException | None = None
    _thread: threading.Thread | None = None

    def watch(self, num_images: int) -> Generator[None, None, None]:
        """Map; comes back several times a second. Close it, or call `end`, to end early: what is placed is kept."""
        if (self.folder / _DONE).exists():
            return
        begun = self._take_up()
        options = self._options(num_images)
        self._thread = threading.Thread(target=self._map, args=(options, begun), daemon=True, name="mapping")
        self._thread.start()
        try:
            while self._thread.is_alive():
                self._thread.join(_LOOK_SECONDS)
                yield
        finally:
            self.end()
        if self._error is not None:
            raise self._error
        (self.folder / _DONE).touch()

    def end(self, patience: float = 2.0) -> None:
        """Have the mapper stop after what it is doing, and wait for it no longer than `patience` seconds."""
        self._token.cancel()
        if self._thread is not None:
            self._thread.join(patience)

    @property
    def newest(self) -> Path | None:
        """The newest whole snapshot of the model under way."""
        found = sorted(path for path in (self.folder / "snapshots").glob("*") if path.is_dir())
        return found[-2] if len(found) > 1 else None  # the last may still be being written

    def models(self) -> list[Any]:
        """Every pycolmap.Reconstruction that came out, the one with most images first."""
        found = [model for path in sorted((self.folder / "models").glob("*")) if (model := read_model(path))]
        begun = read_model(self.folder / "begun")
        if begun is not None and not any(_holds_most(model, begun) for model in found):
            found.append(begun)  # COLMAP writes no model to which it could add nothing.
        return sorted(found, key=lambda model: (-model.num_reg_images(), -model.num_points3D()))

    def _map(self, options: Any, begun: Path | None) -> None:
        models = self.folder / "models"
        models.mkdir(exist_ok=True)
        try:
            pycolmap.incremental_mapping(
                self.database,
                self.images,
                models,
                options,
                str(begun or ""),
                self._count_first_pair,
                self._count_next,
                self._token,
            )
        except InterruptedError:
            pass  # `end` was called.
        except Exception as error:
            self._error = error

    def _count_first_pair(self) -> None:
        self.group += 1
        self.num_placed = 2

    def _count_next(self) -> None:
        self.num_placed += 1

    def _take_up(self) -> Path | None:
        """The largest snapshot that an earlier attempt left, moved out of the way; None for a fresh start.

        Small ones are not worth it: they are quickly made anew, and COLMAP extends them less well.
        """
        target = self.folder / "begun"
        snapshots = [*(self.folder / "snapshots").glob("*"), target]
        sizes = {
            path: model.num_reg_images() for path in snapshots if (model := read_model(path)) is not None
        }
        begun = max(sizes, key=lambda path: sizes[path], default=target)
        is_worth_it = sizes.get(begun, 0) >= _FEWEST_TO_RESUME
        if is_worth_it and begun != target:
            shutil.rmtree(target, ignore_errors=True)
            begun.rename(target)
        for name in ("models", "snapshots", *([] if is_worth_it else ["begun"])):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "snapshots").mkdir(parents=True)
        self.num_placed, self.group = (sizes[begun], 1) if is_worth_it else (0, 0)
        return target if is_worth_it else None

    def _options(self, num_images: int) -> Any:
        options = pycolmap.IncrementalPipelineOptions()
        options.random_seed, options.num_threads = self.seed, self.num_threads
        options.min_num_matches = self.settings.min_matches
        options.extract_colors = False  # done by us, with progress
        options.snapshot_path = self.folder / "snapshots"
        options.snapshot_frames_freq = max(2, num_images // _SNAPSHOTS)
        options.mapper.random_seed = options.triangulation.random_seed = self.seed
        options.triangulation.ignore_two_view_tracks = not self.takes_pairs
        options.min_model_size = 2 if self.takes_pairs else _FEWEST_TO_KEEP
        for part, name in _LIMITS:
            setattr(getattr(options, part), name, getattr(getattr(options, part), name) * self.error_scale)
        return options


def _holds_most(model: Any, other: Any) -> bool:
    """Whether a model places more than half of the images of another."""
    images = set(other.reg_image_ids())
    return 2 * len(images & set(model.reg_image_ids())) > len(images)


def refine_centers(model: Any) -> None:
    """Bundle adjustment of a pycolmap.Reconstruction that also moves the images' centres."""
    options = pycolmap.BundleAdjustmentOptions()
    options.refine_principal_point = True
    options.print_summary = False
    pycolmap.bundle_adjustment(model, options)


def read_model(path: Path) -> Any:
    """The pycolmap.Reconstruction in a folder; None where there is none, or half of one."""
    try:
        colmap_reading.read_model(path)  # COLMAP itself believes a torn file
    except (FormatError, OSError):
        return None
    return pycolmap.Reconstruction(path)


def calibrate_lenses(database: Path) -> None:
    """Estimate focal lengths from pairs of images alone (Sweeney et al. 2015), where nothing else tells them."""
    pycolmap.calibrate_view_graph(database)
