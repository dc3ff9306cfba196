"""Whether a scene of posed photos can be reconstructed: what is impossible is an error, what is doubtful a note."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError
from recon.formats.reading import Note
from render.image_files import image_size, read_array
from render.images import DepthCues, ImageSet, NormalCues, PosedImages

_ONE_POINT = 1e-6  # of the distance to the points, or of the cameras' distance from the origin
_SMALL_PARALLAX = 0.01  # of the distance to the points
_OTHER_SHAPE = 0.02  # relative difference of width by height
_NUM_SAMPLES = 3  # depth pictures that are looked into


def check_scene(posed: PosedImages) -> tuple[Note, ...]:
    """What a person should know before a reconstruction. Reads headers and a few depth pictures only.

    Raises InputError where no method can do anything: too few images, cameras in one point, cues of other views.
    """
    _check_count(posed)
    notes = [*_parallax_notes(posed), *_image_notes(posed)]
    for cues, word in ((posed.depth, "depth"), (posed.normals, "normals")):
        if cues is not None:
            notes += _cue_notes(posed, cues, word)
    return (*notes, *_depth_notes(posed), *_point_notes(posed))


def check_images(images: ImageSet) -> tuple[Note, ...]:
    """What a person should know about photos without cameras. Reads headers only. Raises InputError."""
    if images.is_video:
        return ()
    damaged = [images.paths[i] for i in range(len(images)) if _size_on_disk(images.path(i)) is None]
    if len(damaged) == len(images):
        sentence = (
            f"None of the images can be read, first {damaged[0]}." if damaged else "There are no images."
        )
        raise InputError(sentence, "Copy the images again, or save them as PNG or JPEG.")
    notes = []
    if damaged:
        notes.append(Note("warning", f"{len(damaged)} images cannot be read, first {damaged[0]}."))
    if len(images) - len(damaged) < 3:
        sentence = "Fewer than three images are too few to find out where they were taken from."
        notes.append(Note("warning", sentence))
    return tuple(notes)


def _size_on_disk(path: Path) -> tuple[int, int] | None:
    """None where the picture cannot be read."""
    try:
        return image_size(path)
    except (OSError, ValueError):
        return None


def _check_count(posed: PosedImages) -> None:
    count = len(posed.used)
    if count >= 2:
        return
    left_out = len(posed) - count
    there = "There is no image" if count == 0 else "There is only one image"
    sentence = f"{there} to reconstruct from{f'; {left_out} are left out' if left_out else ''}."
    advice = "Use at least two photos of the same place from different places; 20 or more are usual."
    raise InputError(sentence, "Take some of them in again." if left_out else advice)


def _parallax_notes(posed: PosedImages) -> Iterator[Note]:
    """Raises InputError for cameras in one point."""
    positions = posed.cameras.positions[posed.used]
    apart = float(np.linalg.norm(np.ptp(positions, axis=0)))
    distance = _typical_distance(posed, positions)
    if apart <= _ONE_POINT * max(distance or 0.0, float(np.abs(positions).max()), 1e-9):
        sentence = "All cameras stand in one point, so nothing tells how far away things are."
        raise InputError(
            sentence, "Use photos from different places; check that the poses were exported whole."
        )
    if distance is not None and apart < _SMALL_PARALLAX * distance:
        sentence = "The cameras are very close together for the distance they look; depth will be poor."
        yield Note("warning", sentence)
    if len(positions) == 2:
        yield Note("warning", "There are only two images; most of the surface will be missing.")


def _typical_distance(posed: PosedImages, positions: NDArray[np.float64]) -> float | None:
    """Median distance of the sparse points from the middle of the cameras; None without points."""
    if posed.points is None or not len(posed.points.points):
        return None
    return float(np.median(np.linalg.norm(posed.points.points - positions.mean(0), axis=1)))


def _image_notes(posed: PosedImages) -> Iterator[Note]:
    """Images that are no longer what the cameras were read for."""
    missing, changed = [], []
    for i in posed.used:
        size = _size_on_disk(posed.images.path(i))
        if size is None:
            missing.append(posed.images.paths[i])
        elif not _is_same_shape(size, _size_of(posed, i)):
            changed.append((i, size))
    if len(missing) == len(posed.used):
        sentence = f"None of the images can be read, first {missing[0]}."
        raise InputError(sentence, "Relink them to the folder where they are now.")
    if changed:
        i, size = changed[0]
        width, height = _size_of(posed, i)
        sentence = (
            f"{posed.images.paths[i]} has {size[0]} × {size[1]} pixels, but its camera {width} × {height}."
        )
        raise InputError(
            sentence, "Use the images that the cameras were found for, neither cropped nor turned."
        )
    if missing:
        yield Note("warning", f"{len(missing)} images cannot be read, first {missing[0]}.")


def _cue_notes(posed: PosedImages, cues: DepthCues | NormalCues, word: str) -> Iterator[Note]:
    """Raises InputError for cues that show another view than their image."""
    damaged = []
    named = [i for i in posed.used if cues.paths[i]]
    for i in named:
        size = _size_on_disk(Path(posed.images.folder, cues.paths[i]))
        if size is None:
            damaged.append(cues.paths[i])
            continue
        width, height = _size_of(posed, i)
        if not _is_same_shape(size, (width, height)):
            sentence = (
                f"{cues.paths[i]} has {size[0]} × {size[1]} pixels, its image {width} × {height}: "
                "they cannot show the same view."
            )
            raise InputError(
                sentence, f"Crop the {word} like the images, or take the {word} out of the scene."
            )
    if damaged:
        what = f"{len(damaged)} of {len(named)} pictures of {word} cannot be read, first {damaged[0]}"
        yield Note("warning", f"{what}; these images are used without.")


def _depth_notes(posed: PosedImages) -> Iterator[Note]:
    """Depth that says nothing, by a few pictures."""
    if posed.depth is None:
        return
    named = [i for i in posed.used if posed.depth.paths[i]]
    empty, constant = 0, 0
    samples = _samples(named)
    for i in samples:
        try:
            stored = read_array(Path(posed.images.folder, posed.depth.paths[i])).astype(np.float64)
        except (OSError, ValueError):
            continue  # told by its header, or by whoever reads it whole
        known = stored[np.isfinite(stored) & (stored != 0)]
        empty += not len(known)
        constant += bool(len(known)) and bool(np.ptp(known) == 0)
    if samples and empty == len(samples):
        yield Note(
            "warning", "The depth is zero everywhere, which means unknown; the scene is used without depth."
        )
    elif samples and constant == len(samples):
        yield Note("warning", "The depth is the same everywhere, so it tells nothing.")


def _point_notes(posed: PosedImages) -> Iterator[Note]:
    needs_alignment = posed.depth is not None and posed.depth.kind != "metric"
    has_points = posed.points is not None and len(posed.points.points) > 0
    if needs_alignment and not has_points:
        sentence = "There are no sparse points, so the scale of each image's depth can only be guessed."
        yield Note("warning", sentence)


def _samples(indices: Sequence[int]) -> list[int]:
    """The first, a middle and the last."""
    if len(indices) <= _NUM_SAMPLES:
        return list(indices)
    return [indices[k * (len(indices) - 1) // (_NUM_SAMPLES - 1)] for k in range(_NUM_SAMPLES)]


def _size_of(posed: PosedImages, index: int) -> tuple[int, int]:
    width, height = posed.cameras.size[index].tolist()
    return width, height


def _is_same_shape(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Whether one may be the other at another resolution, rounded to whole pixels."""
    is_rounding = abs(a[0] * b[1] / b[0] - a[1]) <= 1 or abs(a[1] * b[0] / b[1] - a[0]) <= 1
    return is_rounding or abs(a[0] * b[1] / (a[1] * b[0]) - 1) <= _OTHER_SHAPE
