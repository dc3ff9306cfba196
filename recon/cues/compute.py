"""Depth and normals of every photo of a scene, kept as files of the run."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from recon.cues import CuesSettings
from recon.cues.alignment import apply_line, file_reader, fit_view, observed_points
from recon.cues.checks import check_cues
from recon.cues.checksums import check_weights, weights_sha256
from recon.cues.models import Model, Task, find_model
from recon.cues.networks import DepthNetwork, NormalNetwork, kind_of_network
from recon.cues.normals_from_depth import normals_from_depth
from recon.cues.robust_fit import LineFit
from recon.errors import FormatError, InputError, SettingsError
from recon.formats.pixels import read_image
from recon.method import Output, Progress, Result, Run, RunContext
from render.cameras import limited_size
from render.image_files import read_array
from render.images import DepthCues, DepthKind, NormalCues, PosedImages
from render.scene_data import SceneData

CHECK_SIZE = 320  # longer side at which cues are checked


def run(inputs: Mapping[str, SceneData], settings: CuesSettings, context: RunContext) -> Run:
    """The scene with its new cues. Files that an earlier start of the run has made are kept.

    Raises MissingModel where a network is not on this machine.
    """
    scene = inputs["scene"]
    assert isinstance(scene, PosedImages)
    if not len(scene.used):
        raise InputError("All photos are switched off.", "Switch some on again.")
    made = scene
    notes: list[str] = []
    for_depth = _network(settings.depth_model, "depth")
    for_normals = _network(settings.normal_model, "normals")
    if settings.depth_model != "keep":
        depth = None if for_depth is None else (yield from _depth(made, for_depth, settings, context))
        made = replace(made, depth=depth)
    if made.depth is not None:
        checked = check_cues(replace(made, normals=None), _size_of(made, CHECK_SIZE))
        made = replace(made, depth=checked.posed.depth)
        notes.extend(checked.verdicts)
    if settings.normal_model != "keep":
        made = replace(made, normals=(yield from _normals(made, for_normals, settings, context)))
    if made.normals is not None:
        checked = check_cues(made, _size_of(made, CHECK_SIZE))
        made = checked.posed
        notes.append(checked.verdicts[-1])
    used = [{"name": x.name, "sha256": dict(x.sha256)} for x in (for_depth, for_normals) if x is not None]
    return Result((Output("Scene with cues", made),), {"verdicts": notes, "networks": used})


@dataclass(frozen=True)
class _Network:
    """A network on this machine. model: its row of the table, if it is from there. sha256: of its files of weights."""

    folder: Path
    model: Model | None
    sha256: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.folder.name if self.model is None else self.model.name


def _network(name: str, task: Task) -> _Network | None:
    """The network that a setting names; None for words that mean none. Raises MissingModel, InputError."""
    if name in ("keep", "none") or (name, task) == ("depth", "normals"):
        return None
    folder, model = find_model(name, task)
    network = _Network(folder, model, weights_sha256(folder))
    if model is not None:
        check_weights(model.name, network.sha256, model.sha256)
    return network


def _depth(
    scene: PosedImages, chosen: _Network, settings: CuesSettings, context: RunContext
) -> Generator[Progress, None, DepthCues]:
    """One picture of the network's numbers for each used photo."""
    kind = _kind(settings, chosen.folder, None if chosen.model is None else chosen.model.kind)
    network = _Lazy(lambda: DepthNetwork(chosen.folder, context.device))

    def compute(view: int) -> NDArray[np.float32]:
        return np.asarray(network.get()(_photo(scene, view, settings)), np.float32)

    paths = yield from _files(
        scene, context, f"depth-{_slug(chosen.name)}-{settings.image_size}", "Estimating depth", compute
    )
    return DepthCues(paths, kind, source=chosen.name)


def _kind(settings: CuesSettings, folder: Path, of_model: DepthKind | None) -> DepthKind:
    if settings.depth_kind and settings.depth_kind not in get_args(DepthKind):
        raise SettingsError(
            f"There is no kind of depth {settings.depth_kind!r}.", "Choose metric, depth or disparity."
        )
    if settings.depth_kind:
        return cast(DepthKind, settings.depth_kind)
    return of_model or kind_of_network(folder)


def _normals(
    scene: PosedImages, chosen: _Network | None, settings: CuesSettings, context: RunContext
) -> Generator[Progress, None, NormalCues | None]:
    """One picture for each used photo; None where none are wanted or the depth to derive them from is not there."""
    if settings.normal_model == "depth":
        return (yield from _normals_of_depth(scene, settings, context))
    if chosen is None:
        return None
    network = _Lazy(lambda: NormalNetwork(chosen.folder, context.device, settings.steps, context.seed))
    signs = (1, -1, -1) if chosen.model is None or chosen.model.signs is None else chosen.model.signs

    def compute(view: int) -> NDArray[np.float32]:
        return np.asarray(network.get()(_photo(scene, view, settings)), np.float32)

    paths = yield from _files(
        scene, context, f"normals-{_slug(chosen.name)}-{settings.image_size}", "Estimating normals", compute
    )
    return NormalCues(paths, is_zero_to_one=False, signs=signs, source=chosen.name)


def _normals_of_depth(
    scene: PosedImages, settings: CuesSettings, context: RunContext
) -> Generator[Progress, None, NormalCues | None]:
    """Of the surface that the aligned depth shows; none where there is no depth, or it fits nothing.

    Pixels are taken as a pinhole's, also those of a lens that bends: normals are off by what it turns a ray.
    """
    if scene.depth is None or not any(scene.depth.paths):
        return None
    lines = _lines(scene)

    def compute(view: int) -> NDArray[np.float32]:
        return _stored_normals(scene, view, lines[view])

    views = [i for i in scene.used if i in lines]
    source = _slug(f"{scene.depth.source} {settings.image_size}")
    paths = yield from _files(
        scene, context, f"normals-of-depth-{source}", "Deriving normals", compute, views
    )
    return NormalCues(
        paths, is_zero_to_one=False, source=f"from the depth of {scene.depth.source or 'the scene'}"
    )


def _lines(scene: PosedImages) -> dict[int, LineFit]:
    """By view, how its stored depth is read; only views that can be aligned."""
    assert scene.depth is not None
    size = _size_of(scene, CHECK_SIZE)
    cameras = scene.cameras.resized(np.tile(np.array(size), (len(scene), 1)))
    read = file_reader(scene, size)
    fits = {
        int(i): fit_view(read(i), *observed_points(scene, cameras, i), scene.depth.kind)
        for i in scene.used
        if scene.depth.paths[i]
    }
    return {i: fit for i, fit in fits.items() if not fit.reason}


def _stored_normals(scene: PosedImages, view: int, line: LineFit) -> NDArray[np.float32]:
    """(H, W, 3) of the depth picture of one view, pixel for pixel as stored."""
    assert scene.depth is not None
    stored = np.asarray(read_array(Path(scene.images.folder, scene.depth.paths[view])), np.float32)
    if stored.ndim == 3:  # a grey picture stored as colours
        stored = stored[..., 0]
    stored = np.where(np.isfinite(stored) & (stored != 0), stored * np.float32(scene.depth.scale), np.nan)
    depth = apply_line(stored.astype(np.float32), line, scene.depth.kind)
    factor = np.array(depth.shape[::-1]) / scene.cameras.size[view]
    return normals_from_depth(depth, scene.cameras.focal[view] * factor, scene.cameras.center[view] * factor)


def _files(
    scene: PosedImages,
    context: RunContext,
    name: str,
    stage: str,
    compute: Callable[[int], NDArray[np.float32]],
    views: Sequence[int] | None = None,
) -> Generator[Progress, None, tuple[str, ...]]:
    """One file for each view, made where it is not there yet; the paths, "" for views left out."""
    folder = (context.folder / name).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    views = scene.used.tolist() if views is None else views
    paths = [""] * len(scene)
    for done, view in enumerate(views, 1):
        path = folder / f"{view:05d}-{_slug(Path(scene.images.paths[view]).stem)}.npy"
        if not path.exists():
            _write(path, compute(view))
        paths[view] = path.as_posix()
        yield Progress(done, len(views), stage)
    return tuple(paths)


def _write(path: Path, array: NDArray[np.float32]) -> None:
    """Whole or not at all, so that a run that was ended goes on behind the last whole file."""
    beside = path.with_suffix(".part")
    try:
        with beside.open("wb") as file:
            np.save(file, array)
        beside.replace(path)
    except OSError as error:
        raise FormatError(
            path, f"It cannot be written: {error.strerror}.", "Make room on the disk."
        ) from error


def _photo(scene: PosedImages, view: int, settings: CuesSettings) -> NDArray[np.uint8]:
    """As the lens took it, since cues are undistorted when they are read."""
    size = limited_size(scene.cameras.size[view], settings.image_size)
    return read_image(scene.images, view, size)


def _size_of(scene: PosedImages, longest: int) -> tuple[int, int]:
    width, height = np.median(scene.cameras.size[scene.used], axis=0)
    return limited_size((int(width), int(height)), longest)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower() or "own"


@dataclass
class _Lazy:
    """A network that is loaded when the first picture needs it: not at all where all files are there."""

    make: Callable[[], Any]
    made: Any = None

    def get(self) -> Any:
        if self.made is None:
            self.made = self.make()
        return self.made
