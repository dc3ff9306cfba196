"""Label volumes NIfTI, NRRD and MetaImage → contours on their slices, through SimpleITK.

SimpleITK gives positions in LPS, turning what NIfTI and NRRD say in RAS. Positions are those of voxel
centres by origin, spacing and direction, so that oblique volumes lie where they lay.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.metaimage_file import check_header
from recon.formats.nifti_file import check_is_whole
from recon.formats.reading import Note, Reading, ReadOptions, check_size
from recon.formats.tracing import (
    LARGEST_VOLUME,
    MOST_LABELS,
    Grid,
    TracedSlice,
    check_voxels,
    sections_of,
    trace_labels,
    trace_level,
)
from render.frame import Frame, PatientAxes, Unit

Points = NDArray[np.float64]

_ADVICE = "Save it again from the program that made it."
_LPS_FROM_RAS = np.diag([-1.0, -1, 1])
_LARGEST_RATIO = 1032  # nothing that deflate packed unpacks to more
_AXES = "ijk"


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read a label volume, or a grey one with a threshold. Raises FormatError."""
    check_size(path, LARGEST_VOLUME)
    header = _read_header(path)
    values = _values(path, header, options)
    axis, notes = _slice_axis(values, header.GetSpacing(), options)
    frame, turn, about = _frame(path, header, options)
    slices = list(_traced(values, header, axis, turn, options))
    return sections_of(path, slices, options, frame=frame, notes=[*about, *notes])


def _read_header(path: Path) -> Any:
    """The file's header, refused when it promises what the file cannot hold."""
    if _is_metaimage(path):
        check_header(path)
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO(_image_io(path))  # else ITK offers the file to parsers of forty more formats
    reader.SetFileName(str(path))
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        if "orthonormal" in str(error):
            sentence = "The volume's axes are not at right angles."
            raise FormatError(
                path, sentence, "Resample it onto a straight grid.", details=str(error)
            ) from error
        raise FormatError(path, "The file is damaged or no volume.", _ADVICE, details=str(error)) from error
    size = reader.GetSize()
    if reader.GetDimension() == 2:
        sentence = "The file holds one picture, not a volume."
        raise FormatError(path, sentence, "Put the slices into one folder of PNG or TIFF files.")
    if reader.GetDimension() != 3 and set(size[3:]) != {1}:
        sentence = f"The file has {reader.GetDimension()} dimensions."
        raise FormatError(path, sentence, "Save the one volume that you need by itself.")
    if reader.GetNumberOfComponents() != 1:
        sentence = f"Each voxel has {reader.GetNumberOfComponents()} values; labels have one."
        raise FormatError(path, sentence, "Save the labels as whole numbers.")
    _check_sizes(path, reader)
    if _is_nifti(path):
        check_is_whole(path, int(np.prod(size, dtype=np.int64)))
    return reader


def _check_sizes(path: Path, reader: Any) -> None:
    num_voxels, bytes_each = (
        int(np.prod([int(n) for n in reader.GetSize()], dtype=object)),
        _bytes_each(reader),
    )
    check_voxels(path, num_voxels, bytes_each)
    if not num_voxels:
        raise FormatError(path, "The volume has no voxels.", _ADVICE)
    is_detached = path.suffix.lower() in (".nhdr", ".mhd")
    if not is_detached and num_voxels * bytes_each > _LARGEST_RATIO * path.stat().st_size:
        raise FormatError(
            path, f"The file promises {num_voxels:,} voxels and is too short for them.", _ADVICE
        )
    geometry = np.array([*reader.GetOrigin(), *reader.GetSpacing(), *reader.GetDirection()])
    if not np.isfinite(geometry).all() or min(reader.GetSpacing()) <= 0:
        raise FormatError(path, "The file's spacing or origin is no usable number.", _ADVICE)


def _bytes_each(reader: Any) -> int:
    names = {"8": 1, "16": 2, "32": 4, "64": 8}
    text = SimpleITK.GetPixelIDValueAsString(reader.GetPixelID())
    if "float" in text:
        return 4
    return next((size for bits, size in names.items() if bits in text), 8)


def _values(path: Path, header: Any, options: ReadOptions) -> NDArray[Any]:
    """(K, J, I) whole numbers, or grey values where a threshold is given."""
    try:
        image = header.Execute()
    except RuntimeError as error:
        raise FormatError(path, "The file is damaged or cut off.", _ADVICE, details=str(error)) from error
    values: NDArray[Any] = SimpleITK.GetArrayFromImage(image)
    values = values.reshape(values.shape[-3:])
    if options.threshold is None:
        values = _as_labels(path, values)
    elif not np.isfinite(values).all():
        raise FormatError(path, "The volume has values that are not numbers.", _ADVICE)
    return values


def _as_labels(path: Path, values: NDArray[Any]) -> NDArray[Any]:
    """The values as whole numbers from 0; refuses pictures that are taken for labels."""
    advice = "Choose a label volume, or set a threshold to read a picture."
    if values.dtype.kind == "f":
        if (
            not np.isfinite(values).all()
            or (values != np.round(values)).any()
            or abs(values).max() > 2**31 - 1
        ):
            raise FormatError(path, "The volume holds grey values, not labels.", advice)
        values = values.astype(np.int32)
    if values.min() < 0 or values.max() > 2**31 - 1:
        raise FormatError(path, f"The volume holds the value {values.min()}; labels start at 1.", advice)
    if values.max() > MOST_LABELS and len(np.unique(values)) > MOST_LABELS + 1:
        sentence = (
            f"The volume holds more than {MOST_LABELS} different values, so it is a picture, not labels."
        )
        raise FormatError(path, sentence, advice)
    return values


def _slice_axis(
    values: NDArray[Any], spacing: tuple[float, ...], options: ReadOptions
) -> tuple[int, list[Note]]:
    """The index (0 i, 1 j, 2 k) that counts slices: asked for, sparsely labelled, or widest spaced."""
    if options.slice_axis != "auto":
        return _AXES.index(options.slice_axis), []
    inside = values > (options.threshold or 0)
    sparse = [axis for axis in (2, 1, 0) if _is_sparse(inside, axis)]
    if sparse:
        axis, reason = sparse[0], "where only single slices are labelled"
    else:
        # All but equal spacings count as equal; then slices are the last index, as they were acquired.
        widest = max(spacing[:3])
        axis = next(a for a in (2, 1, 0) if spacing[a] > 0.99 * widest)
        reason = "the one with the widest spacing"
    text = f"Slices were taken along {_AXES[axis]}, {reason}: every {spacing[axis]:.4g}."
    return axis, [Note("info", text)]


def _is_sparse(inside: NDArray[np.bool_], axis: int) -> bool:
    """Whether labelled slices stand alone, as when every tenth was drawn."""
    others = tuple(a for a in range(3) if a != 2 - axis)
    labelled = np.flatnonzero(inside.any(axis=others))
    return len(labelled) > 1 and bool((np.diff(labelled) > 1).all())


def _frame(path: Path, header: Any, options: ReadOptions) -> tuple[Frame, Points, list[Note]]:
    """The frame, what turns LPS into it, and what was taken for granted."""
    is_stated, how = _stated_axes(path, header)
    # NIfTI states its unit, which ITK turns to millimetres; the others are in whatever the person says.
    unit: Unit = "mm" if _is_nifti(path) else options.unit or "mm"
    if not is_stated and options.patient_axes is None:
        sentence = f"{how}, so its patient axes stay unknown; set them if you know them."
        return Frame(options.up or "+Z", unit), np.eye(3), [Note("warning", sentence)]
    axes: PatientAxes = options.patient_axes or "LPS"
    turn = _LPS_FROM_RAS if axes == "RAS" else np.eye(3)
    taken = (
        f"{how}; the contours are given in {axes}." if is_stated else f"{how}; it was taken to be in {axes}."
    )
    if not is_stated and not _is_nifti(path):
        turn = np.eye(3)  # The numbers already are what the person says they are.
    return Frame(options.up or "+Z", unit, axes), turn, [Note("info", taken)]


def _image_io(path: Path) -> str:
    """ITK's name of the format, by the first bytes; NIfTI, which may be packed, is what remains."""
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"NRRD0"):
        return "NrrdImageIO"
    is_metaimage = head.startswith((b"ObjectType", b"NDims")) or path.suffix.lower() in (".mha", ".mhd")
    return "MetaImageIO" if is_metaimage else "NiftiImageIO"


def _is_nifti(path: Path) -> bool:
    return _image_io(path) == "NiftiImageIO"


def _is_metaimage(path: Path) -> bool:
    return _image_io(path) == "MetaImageIO"


def _stated_axes(path: Path, header: Any) -> tuple[bool, str]:
    """Whether the file says what its axes mean, and how it says it."""
    asked = ("sform_code", "qform_code", "NRRD_space")  # other keys may be no text at all
    keys = {key: header.GetMetaData(key).strip() for key in asked if header.HasMetaDataKey(key)}
    if "sform_code" in keys or "qform_code" in keys:
        is_stated = any(keys.get(key, "0") not in ("0", "") for key in ("sform_code", "qform_code"))
        says = (
            "The file's axes are RAS, as NIfTI has them"
            if is_stated
            else "The file does not say how it lies in the body"
        )
        return is_stated, says
    if "NRRD_space" in keys:
        space = keys["NRRD_space"].lower()
        is_stated = space.replace("-", " ").split()[:1] in (["left"], ["right"], ["lps"], ["ras"], ["las"])
        return is_stated, f"The file's axes are {keys['NRRD_space']}"
    if _is_metaimage(path):
        return True, "The file's axes are LPS, as MetaImage has them"
    return False, "The file does not say which way its axes point"


def _traced(
    values: NDArray[Any], header: Any, axis: int, turn: Points, options: ReadOptions
) -> Iterator[TracedSlice]:
    """Each slice along `axis` with its contours."""
    steps = _steps(header) @ turn.T  # one row an index axis
    origin = turn @ np.array(header.GetOrigin()[:3])
    rows, columns = (2 if axis != 2 else 1), (0 if axis != 0 else 1)
    for number in range(values.shape[2 - axis]):
        pixels = np.take(values, number, axis=2 - axis)
        grid = Grid(origin + number * steps[axis], steps[rows], steps[columns])
        if options.threshold is not None:
            outlines = [(ring, 1) for ring in trace_level(pixels, options.threshold)]
        else:
            outlines = trace_labels(pixels, options.labels)
        yield TracedSlice(grid, outlines, number + 1)


def _steps(header: Any) -> Points:
    """(3, 3): what one more i, j, k adds to a position, in LPS millimetres."""
    dimension = header.GetDimension()
    direction = np.array(header.GetDirection()).reshape(dimension, dimension)[:3, :3]
    steps: Points = direction.T * np.array(header.GetSpacing()[:3])[:, None]
    return steps
