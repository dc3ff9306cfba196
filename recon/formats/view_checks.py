"""Which views of a scene can be used: files, poses and cameras, found, told and mended where they can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from recon.errors import FormatError
from recon.formats.reading import Note
from recon.formats.scene_views import Lens, Scene, View
from render.image_files import image_size
from render.lenses import LENS_MODELS

Numbered = list[tuple[int, View]]  # each view with its place in the scene

_SKEWED = 1e-3  # how far a stored rotation may be from one
_SAME_SHAPE = 0.01  # relative difference of the scales along x and y that is taken for rounding


def usable_views(scene: Scene, notes: list[Note], *, keeps_missing: bool = False) -> Numbered:
    """The views that can be used, with rigid poses and a lens of their picture's size; what was left out or mended
    goes to the notes. keeps_missing: also those without a picture, where their size is known. Raises FormatError
    where nothing is left."""
    views = list(enumerate(scene.views))
    if not views:
        raise FormatError(scene.file, "The file lists no images.", "Export the scene again with its images.")
    views = _without_repeats(views, notes)
    views = views if keeps_missing else _existing(scene, views, notes)
    views = [(i, _with_rigid_pose(scene.file, view)) for i, view in _with_finite_pose(scene, views, notes)]
    return _with_fitting_lens(scene, views, notes)


def _without_repeats(views: Numbered, notes: list[Note]) -> Numbered:
    """Each picture once, where it comes first."""
    first = {view.path: i for i, view in reversed(views)}
    kept = [(i, view) for i, view in views if first[view.path] == i]
    if len(kept) < len(views):
        repeated = [view.path for i, view in views if first[view.path] != i]
        notes.append(Note("warning", f"{_count(repeated, 'more than once')}; the first of each was taken."))
    return kept


def _existing(scene: Scene, views: Numbered, notes: list[Note]) -> Numbered:
    there = [(i, view) for i, view in views if view.path.is_file()]
    missing = [view.path for _, view in views if not view.path.is_file()]
    if not there:
        sentence = f"None of the {len(views)} images that it lists is there, first {_short(missing[0])}."
        raise FormatError(scene.file, sentence, "Put the images where the file says, or name their folder.")
    if missing:
        sentence = f"{len(missing)} of {len(views)} listed images are missing, first {missing[0].name}; they were left out."
        notes.append(Note("warning", sentence))
    return there


def _with_finite_pose(scene: Scene, views: Numbered, notes: list[Note]) -> Numbered:
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


def _with_fitting_lens(scene: Scene, views: Numbered, notes: list[Note]) -> Numbered:
    """Views with a lens of their picture's own size; pictures that cannot be read or do not fit are left out."""
    kept: Numbered = []
    damaged, unlike, scaled = [], [], []
    for i, view in views:
        try:
            size = image_size(view.path) if view.path.is_file() else _size_told(view)
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
        advice = "Copy the images again, or save them as PNG or JPEG."
        if not any(path.is_file() for path in damaged):
            advice = "Copy the images beside the file, or give their width and height in it."
        raise FormatError(scene.file, sentence, advice)
    _note_lenses(notes, damaged, [view.path for view, _ in unlike], scaled)
    return kept


def _size_told(view: View) -> tuple[int, int]:
    """The size that the file tells of a picture which is not there. Raises FileNotFoundError where it tells none."""
    if view.lens is None or view.lens.size is None:
        raise FileNotFoundError(view.path)
    return view.lens.size


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


def _count(paths: Sequence[Path], what: str) -> str:
    """E.g. "3 images without a pose, first 0004.png"."""
    word = "image" if len(paths) == 1 else "images"
    return f"{len(paths)} {word} {what}, first {paths[0].name}"


def _short(path: Path) -> str:
    """The last two parts of a path."""
    return "/".join(path.parts[-2:])
