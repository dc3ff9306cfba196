"""From the views that a scene file lists to PosedImages: what every reader of posed photos shares.

A reader gives each view in OpenCV's axes; here missing files, damaged pictures, impossible poses and cameras of
another resolution are found, told and mended where they can be.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.reading import Note, Reading, ReadOptions
from recon.formats.scene_files import cue_beside
from render.cameras import CameraSet
from render.frame import Frame
from render.image_files import image_size
from render.images import NUM_LENS_PARAMETERS, DepthCues, DepthKind, ImageSet, NormalCues, PosedImages
from render.lenses import LENS_MODELS
from render.points import PointCloud

Array = NDArray[np.float64]

OPENGL = np.array([1.0, -1.0, -1.0, 1.0])  # times a pose's columns: y up and z backward ↔ y down, z forward
_SKEWED = 1e-3  # how far a stored rotation may be from one
_SAME_SHAPE = 0.01  # relative difference of the scales along x and y that is taken for rounding


@dataclass(frozen=True)
class Lens:
    """A camera as a file gives it: COLMAP's model and distortion parameters, pixels of a picture of `size`
    (width, height); size None where the file does not say."""

    focal: tuple[float, float]
    center: tuple[float, float]
    size: tuple[int, int] | None = None
    model: str = "PINHOLE"
    params: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class View:
    """One image of a scene file. path: where the picture must be. world_from_cam: (4, 4), OpenCV's axes.
    lens: None where only the picture's size makes it, see `Scene.lens_of_size`."""

    path: Path
    world_from_cam: Array
    lens: Lens | None = None
    mask: Path | None = None
    depth: Path | None = None
    normal: Path | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """What a scene file says. file: for messages. root: folder that paths are kept relative to.

    normals: how normals are stored; its paths are not used. observations: (T, 2) rows (view, point).
    lens_of_size: the lens of a view that has none, from the picture's width and height.
    """

    file: Path
    root: Path
    views: Sequence[View]
    depth_kind: DepthKind = "depth"
    depth_scale: float = 1.0
    is_depth_undistorted: bool = False
    normals: NormalCues = field(default_factory=lambda: NormalCues(()))
    source: str = ""
    points: PointCloud | None = None
    observations: NDArray[np.int32] | None = None
    frame: Frame = Frame()
    notes: tuple[Note, ...] = ()
    lens_of_size: Callable[[View, tuple[int, int]], Lens] | None = None


def assemble(scene: Scene, options: ReadOptions = ReadOptions()) -> Reading:
    """The scene as PosedImages, and notes about everything left out or mended. Raises FormatError."""
    scene = _with_cues_beside(scene)
    notes = list(scene.notes)
    views = list(enumerate(scene.views))
    if not views:
        raise FormatError(scene.file, "The file lists no images.", "Export the scene again with its images.")
    views = _existing(scene, _without_repeats(views, notes), notes)
    views = [(i, _with_rigid_pose(scene.file, view)) for i, view in _with_finite_pose(scene, views, notes)]
    views = _with_fitting_lens(scene, views, notes)
    posed = _posed(scene, [view for _, view in views], options)
    kept = np.array([i for i, _ in views], np.int64)
    posed = _with_points(posed, scene, kept)
    return Reading(posed, (*notes, *_cue_notes(posed, scene)))


def _with_cues_beside(scene: Scene) -> Scene:
    """Pictures of the same names in mono_depth and mono_normal, for what the file does not name itself."""
    if not any(_if_there(view.depth) for view in scene.views):
        found = [cue_beside(scene.root, view.path, "mono_depth") for view in scene.views]
        if any(found):
            views = [replace(view, depth=depth) for view, depth in zip(scene.views, found, strict=True)]
            scene = replace(scene, views=views, depth_kind="depth", depth_scale=1.0)
    if not any(_if_there(view.normal) for view in scene.views):
        found = [cue_beside(scene.root, view.path, "mono_normal") for view in scene.views]
        views = [replace(view, normal=normal) for view, normal in zip(scene.views, found, strict=True)]
        scene = replace(scene, views=views)
    return scene


def _without_repeats(views: list[tuple[int, View]], notes: list[Note]) -> list[tuple[int, View]]:
    """Each picture once, where it comes first."""
    first = {view.path: i for i, view in reversed(views)}
    kept = [(i, view) for i, view in views if first[view.path] == i]
    if len(kept) < len(views):
        repeated = [view.path for i, view in views if first[view.path] != i]
        notes.append(Note("warning", f"{_count(repeated, 'more than once')}; the first of each was taken."))
    return kept


def _existing(scene: Scene, views: list[tuple[int, View]], notes: list[Note]) -> list[tuple[int, View]]:
    there = [(i, view) for i, view in views if view.path.is_file()]
    missing = [view.path for _, view in views if not view.path.is_file()]
    if not there:
        sentence = f"None of the {len(views)} images that it lists is there, first {_short(missing[0])}."
        raise FormatError(scene.file, sentence, "Put the images where the file says, or name their folder.")
    if missing:
        sentence = f"{len(missing)} of {len(views)} listed images are missing, first {missing[0].name}; they were left out."
        notes.append(Note("warning", sentence))
    return there


def _with_finite_pose(
    scene: Scene, views: list[tuple[int, View]], notes: list[Note]
) -> list[tuple[int, View]]:
    kept = [(i, view) for i, view in views if np.isfinite(view.world_from_cam).all()]
    lost = [view.path for _, view in views if not np.isfinite(view.world_from_cam).all()]
    if not kept:
        sentence = "None of the images has a pose that is made of numbers."
        raise FormatError(scene.file, sentence, "Find the poses again, for example with the method poses.")
    if lost:
        notes.append(Note("warning", f"{_count(lost, 'without a pose')}; left out."))
    return kept


def _with_rigid_pose(file: Path, view: View) -> View:
    """The view with an exact rotation; a scale common to the axes is taken out. Raises FormatError."""
    matrix = np.asarray(view.world_from_cam, np.float64)
    left, sizes, right = np.linalg.svd(matrix[:3, :3])
    rotation = left @ right
    is_rigid = sizes.min() > 1e-9 and sizes.max() / sizes.min() < 1 + _SKEWED
    if not is_rigid or np.linalg.det(rotation) < 0:
        what = "is mirrored" if is_rigid else "is no rotation and translation"
        sentence = f"The pose of {view.path.name} {what}."
        raise FormatError(file, sentence, "Export the scene again from the program that made it.")
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, matrix[:3, 3]
    return replace(view, world_from_cam=pose)


def _with_fitting_lens(
    scene: Scene, views: list[tuple[int, View]], notes: list[Note]
) -> list[tuple[int, View]]:
    """Views with a lens of their picture's own size; pictures that cannot be read or do not fit are left out."""
    kept: list[tuple[int, View]] = []
    damaged, unlike, scaled = [], [], []
    for i, view in views:
        try:
            size = image_size(view.path)
        except (OSError, ValueError):
            damaged.append(view.path)  # told below, by name
            continue
        lens = _lens_in_size(_lens_of(scene, view, size), size)
        if lens is None:
            unlike.append((view, size))
            continue
        if view.lens is not None and view.lens.size is not None and view.lens.size != size:
            scaled.append((view.lens.size, size))
        kept.append((i, replace(view, lens=_checked(scene.file, view.path, lens))))
    if len(unlike) > len(kept):
        raise _unlike(scene, *unlike[0])
    if not kept:
        sentence = f"None of its images can be read, first {damaged[0].name}."
        raise FormatError(scene.file, sentence, "Copy the images again, or save them as PNG or JPEG.")
    _note_lenses(notes, damaged, [view.path for view, _ in unlike], scaled)
    return kept


def _lens_of(scene: Scene, view: View, size: tuple[int, int]) -> Lens:
    if view.lens is not None:
        return view.lens
    assert scene.lens_of_size is not None
    return scene.lens_of_size(view, size)


def _lens_in_size(lens: Lens, size: tuple[int, int]) -> Lens | None:
    """The lens for a picture of the same view with other pixels; None where it shows another view."""
    if lens.size is None or lens.size == size:
        return replace(lens, size=size)
    x, y = size[0] / lens.size[0], size[1] / lens.size[1]
    is_rounding = abs(lens.size[0] * y - size[0]) <= 1 or abs(lens.size[1] * x - size[1]) <= 1
    if not is_rounding and abs(x / y - 1) > _SAME_SHAPE:
        return None
    focal, center = (lens.focal[0] * x, lens.focal[1] * y), (lens.center[0] * x, lens.center[1] * y)
    return replace(lens, focal=focal, center=center, size=size)


def _checked(file: Path, image: Path, lens: Lens) -> Lens:
    """Raises FormatError for numbers that no camera has."""
    numbers = [*lens.focal, *lens.center, *lens.params]
    if not np.isfinite(numbers).all() or min(lens.focal) <= 0 or lens.model not in LENS_MODELS:
        sentence = f"The camera of {image.name} has impossible numbers: focal length {lens.focal[0]:g}."
        raise FormatError(file, sentence, "Export the scene again from the program that made it.")
    return lens


def _unlike(scene: Scene, view: View, size: tuple[int, int]) -> FormatError:
    assert view.lens is not None and view.lens.size is not None
    width, height = view.lens.size
    sentence = f"{view.path.name} has {size[0]} × {size[1]} pixels, but its camera {width} × {height}."
    if (height, width) == size:
        return FormatError(
            scene.file, sentence, "The image was turned after its camera was found; turn it back."
        )
    advice = (
        "Use the images that the cameras were found for, uncropped; other sizes of the same view are fine."
    )
    return FormatError(scene.file, sentence, advice)


def _note_lenses(
    notes: list[Note],
    damaged: list[Path],
    unlike: list[Path],
    scaled: list[tuple[tuple[int, int], tuple[int, int]]],
) -> None:
    if damaged:
        notes.append(Note("warning", f"{_count(damaged, 'that cannot be read')}; left out."))
    if unlike:
        notes.append(Note("warning", f"{_count(unlike, 'of another shape than the camera')}; left out."))
    if scaled:
        before, after = scaled[0]
        sizes = f"{before[0]} × {before[1]} pixels, the images {after[0]} × {after[1]}"
        notes.append(Note("info", f"The cameras are for {sizes}; they were scaled to the images."))


def _posed(scene: Scene, views: Sequence[View], options: ReadOptions) -> PosedImages:
    lenses = [view.lens for view in views if view.lens is not None]
    params = np.zeros((len(views), NUM_LENS_PARAMETERS))
    for row, lens in zip(params, lenses, strict=True):
        row[: len(lens.params)] = lens.params
    masks = tuple(_relative(scene.root, view.mask) for view in views)
    images = ImageSet(
        str(scene.root.absolute()),
        tuple(_relative(scene.root, view.path) for view in views),
        masks if any(masks) else (),
        are_masks_inverted=options.invert_masks,
    )
    frame = replace(scene.frame, up=options.up or scene.frame.up, unit=options.unit or scene.frame.unit)
    return PosedImages(
        replace(images, frame=frame),
        _cameras(views, lenses),
        tuple(lens.model for lens in lenses),
        params,
        _depth(scene, views, options),
        _normals(scene, views),
        frame=frame,
    )


def _cameras(views: Sequence[View], lenses: Sequence[Lens]) -> CameraSet:
    poses = np.tile(np.eye(4), (len(views), 1, 1))
    for pose, view in zip(poses, views, strict=True):
        rotation = view.world_from_cam[:3, :3].T
        pose[:3, :3], pose[:3, 3] = rotation, -rotation @ view.world_from_cam[:3, 3]
    return CameraSet(
        poses,
        np.array([lens.focal for lens in lenses], np.float64),
        np.array([lens.center for lens in lenses], np.float64),
        np.array([lens.size for lens in lenses], np.int64),
    )


def _depth(scene: Scene, views: Sequence[View], options: ReadOptions) -> DepthCues | None:
    paths = tuple(_relative(scene.root, _if_there(view.depth)) for view in views)
    if not any(paths):
        return None
    kind = scene.depth_kind if options.depth_kind == "auto" else options.depth_kind
    return DepthCues(paths, kind, scene.depth_scale, scene.source, scene.is_depth_undistorted)


def _normals(scene: Scene, views: Sequence[View]) -> NormalCues | None:
    paths = tuple(_relative(scene.root, _if_there(view.normal)) for view in views)
    return replace(scene.normals, paths=paths, source=scene.source) if any(paths) else None


def _with_points(posed: PosedImages, scene: Scene, kept: NDArray[np.int64]) -> PosedImages:
    """The sparse points, seen by the views that are left."""
    if scene.points is None or not len(scene.points.points):
        return posed
    points = replace(scene.points, frame=posed.frame)
    seen = scene.observations if scene.observations is not None else np.zeros((0, 2), np.int32)
    place = np.full(len(scene.views), -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    seen = np.stack([place[seen[:, 0]], seen[:, 1]], 1)
    return replace(posed, points=points, observations=seen[seen[:, 0] >= 0])


def _cue_notes(posed: PosedImages, scene: Scene) -> Iterable[Note]:
    for cues, word in ((posed.depth, "depth"), (posed.normals, "normals")):
        if cues is not None and not all(cues.paths):
            missing = cues.paths.count("")
            yield Note("warning", f"{missing} of {len(posed)} images have no {word}.")


def _if_there(path: Path | None) -> Path | None:
    return path if path is not None and path.is_file() else None


def _relative(root: Path, path: Path | None) -> str:
    """ "/"-separated and relative to the root where it lies in it; "" for None."""
    if path is None:
        return ""
    where, base = os.path.abspath(path), os.path.abspath(root)  # noqa: PTH100 — keeps links as they are
    is_in = where.startswith(base.rstrip(os.sep) + os.sep)
    return Path(os.path.relpath(where, base) if is_in else where).as_posix()


def _count(paths: Sequence[Path], what: str) -> str:
    """E.g. "3 images without a pose, first 0004.png"."""
    word = "image" if len(paths) == 1 else "images"
    return f"{len(paths)} {word} {what}, first {paths[0].name}"


def _short(path: Path) -> str:
    """The last two parts of a path."""
    return "/".join(path.parts[-2:])
