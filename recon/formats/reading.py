"""What every reader takes and gives: options, the data that was read, and notes about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from recon.errors import FormatError
from render.frame import Axis, PatientAxes, Unit
from render.scene_data import SceneData

Severity = Literal["info", "warning"]
HoleRule = Literal["auto", "even-odd", "winding", "keyhole", "parent"]
Length = Annotated[float, Field(gt=0, lt=1e9, allow_inf_nan=False)]
Coordinate = Annotated[float, Field(gt=-1e9, lt=1e9, allow_inf_nan=False)]
Label = Annotated[int, Field(ge=1, le=2**31 - 1)]

LARGEST_TEXT_FILE = (
    128 * 2**20
)  # bytes; two to three million points, which take some ten times that in memory


@dataclass(frozen=True)
class Note:
    """Something that a reader took for granted or repaired.

    plane: the data's plane that is meant, from 0; the sentence does not repeat it. None: the whole file.
    """

    severity: Severity
    sentence: str
    plane: int | None = None


@dataclass(frozen=True)
class Reading:
    """What a file held, and what the person should know about it.

    is_up_assumed: neither the file nor the person said which way is up.
    """

    data: SceneData
    notes: tuple[Note, ...] = ()
    is_up_assumed: bool = False


class ReadOptions(BaseModel):
    """What a person may say about a file that does not say it itself. A reader ignores what it has no use for."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    spacing: tuple[Length, Length, Length] | None = Field(
        None, title="Spacing", json_schema_extra={"items": ["columns", "rows", "slices"]}
    )
    """Size of a pixel along columns and rows, and the distance between slices. Needed for image stacks."""

    origin: tuple[Coordinate, Coordinate, Coordinate] | None = Field(None, title="Origin")
    """Position of the centre of the first pixel of the first slice, for image stacks; zero where not given."""

    unit: Unit | None = Field(None, title="Unit")
    """The unit of the file's numbers, where the file does not say. Medical files are in millimetres."""

    up: Axis | None = Field(None, title="Up axis")
    """The axis that points up, where the file does not say."""

    patient_axes: PatientAxes | None = Field(None, title="Patient axes")
    """The result's patient axes. A file that states other ones is turned; one that states none is taken to be in these."""

    slice_axis: Literal["auto", "i", "j", "k"] = Field("auto", title="Slice axis")
    """Which index of a label volume counts the slices: first, second or third. Automatic: the one with the widest spacing."""

    threshold: float | None = Field(None, title="Threshold", allow_inf_nan=False)
    """Values above it are inside, as one label. Not given: every value but zero is a label of its own."""

    labels: tuple[Label, ...] | None = Field(None, title="Labels")
    """Read only these labels. Not given: all."""

    unlabelled_slices: Literal["not-annotated", "empty"] = Field(
        "not-annotated", title="Slices without labels"
    )
    """Whether a slice without any label between labelled ones was left out by whoever drew, or says that nothing is there."""

    holes: HoleRule = Field("auto", title="Holes")
    """How holes are written. Automatic: as the format says, else a contour inside another is a hole (even-odd)."""

    broken_contours: Literal["refuse", "repair", "leave-out"] = Field("refuse", title="Broken contours")
    """Contours that stay open or cross themselves: stop and name them, repair them (join the ends, crossings by even-odd), or leave out their planes."""

    series: str | None = Field(None, title="Series")
    """Which DICOM series of a folder to read, by its series instance UID."""

    read_as: Literal["auto", "slices", "photos", "scene", "mesh", "points", "splats"] = Field(
        "auto", title="Read as"
    )
    """What a folder of pictures is: masks of slices, photos, or a scene of photos with cameras. Automatic: by its files. A file of splats or of a mesh, or a scene with sparse points, can also be read as points."""

    submodel: str | None = Field(None, title="Sub-model")
    """Which of several COLMAP models to read, by its folder's name. Not given: the one with most images."""

    image_folder: str | None = Field(None, title="Image folder")
    """Folder of a scene's photos, absolute or from the scene's folder. Not given: where the file says, or the usual places."""

    missing_images: Literal["leave-out", "keep"] = Field("leave-out", title="Missing photos")
    """Whether photos of a scene that are not there are left out, or kept for their cameras' sake, in the size that the file tells."""

    invert_masks: bool = Field(False, title="Invert masks")
    """Whether the masks of photos are white where pixels are left out. Else they are white where pixels are used."""

    depth_kind: Literal["auto", "metric", "depth", "disparity"] = Field("auto", title="Kind of depth")
    """What a scene's depth pictures hold: distances in the scene's unit, distances up to scale and shift, or one over distances. Automatic: as the format says."""

    first_pixel: Literal["auto", "corner", "center"] = Field("auto", title="First pixel")
    """Whether (0, 0) is the corner or the centre of the first pixel in a scene's camera matrices. Automatic: by the format and the principal point."""


def check_size(path: Path, largest: int = LARGEST_TEXT_FILE) -> int:
    """Bytes of a file; raises FormatError when it is empty or larger than a reader will take into memory."""
    size = path.stat().st_size
    if size == 0:
        raise FormatError(path, "The file is empty.", "Export it again from the program that made it.")
    if size > largest:
        raise FormatError(
            path,
            f"The file has {size / 2**20:,.0f} MiB; at most {largest / 2**20:,.0f} MiB can be read.",
            "Split it, or thin out its contours.",
        )
    return size


@contextmanager
def damaged(path: Path, advice: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what a decoding library raises for a damaged file into a FormatError with the cause as details."""
    try:
        yield
    except errors as error:
        cause = f"{type(error).__name__}: {error}"
        raise FormatError(path, "The file is damaged.", advice, details=cause) from error
