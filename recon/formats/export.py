"""What a person chooses when a mesh or splats leave the project, and what will come of a mesh: axes, unit, size."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from recon.errors import InputError
from render.frame import METRES_PER_UNIT, Axis, Frame, PatientAxes, Unit, axis_vector
from render.mesh import TriangleMesh

FramePresetName = Literal[
    "format", "project", "blender", "unity", "unreal", "3d-print", "medical-lps", "custom"
]


@dataclass(frozen=True)
class FramePreset:
    """The axes and unit that a program expects; None is as the project has it.

    up_by_suffix: formats that the program turns itself when it reads them. is_on_floor: the lowest point at zero.
    """

    title: str
    up: Axis | None = None
    unit: Unit | None = None
    patient_axes: PatientAxes | None = None
    is_on_floor: bool = False
    up_by_suffix: Mapping[str, Axis] = field(default_factory=dict)
    unit_by_suffix: Mapping[str, Unit] = field(default_factory=dict)


FRAME_PRESETS: Mapping[FramePresetName, FramePreset] = MappingProxyType(
    {
        "format": FramePreset(
            "As usual for the format",
            up_by_suffix={".obj": "+Y", ".stl": "+Z"},
            unit_by_suffix={".stl": "mm"},
        ),
        "project": FramePreset("Project"),
        # Blender's importer turns OBJ from +Y, and takes STL and PLY as they are.
        "blender": FramePreset("Blender", "+Z", "m", up_by_suffix={".obj": "+Y"}),
        "unity": FramePreset("Unity", "+Y", "m"),
        "unreal": FramePreset("Unreal", "+Z", "cm"),
        "3d-print": FramePreset("3D print", "+Z", "mm", is_on_floor=True),
        "medical-lps": FramePreset("Medical LPS", None, "mm", "LPS"),
        "custom": FramePreset("Custom"),
    }
)

# These formats say themselves what their numbers mean.
_FIXED: Mapping[str, tuple[Axis, Unit]] = {".glb": ("+Y", "m"), ".3mf": ("+Z", "mm")}
SUFFIXES = (".glb", ".obj", ".stl", ".3mf", ".ply")
_ONE_MESH_A_FILE = (".stl", ".ply")
_KEEPS_COLORS = (".glb", ".obj", ".ply")
_PRINTED = (".stl", ".3mf")


class ExportOptions(BaseModel):
    """How meshes and splats are written. The export dialog and the command line are made from these fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    frame: FramePresetName = Field("format", title="Frame preset")
    """The axes and unit that the program expects which will open the file."""

    up: Axis | None = Field(None, title="Up axis")
    """The axis that points up in the file, instead of the preset's. GLB is always +Y, 3MF +Z."""

    unit: Unit | None = Field(None, title="Unit")
    """The unit of the file's numbers, instead of the preset's. GLB is always in metres, 3MF in millimetres."""

    patient_axes: PatientAxes | None = Field(None, title="Patient axes")
    """LPS or RAS, for medical data; instead of the preset's."""

    metres_per_unit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, title="Length of one unit", json_schema_extra={"unit": "m"}
    )
    """How long one unit of the project is, where the project does not say."""

    on_floor: bool = Field(False, title="Stand on the floor")
    """Move the lowest point to height zero."""

    normals: bool = Field(True, title="Smooth normals")
    """Write a direction for each vertex, so that the surface looks smooth. GLB, OBJ and PLY."""

    colors: bool = Field(True, title="Colours")
    """Write vertex colours. GLB, OBJ and PLY."""

    values: bool = Field(True, title="Values")
    """Write values such as the uncertainty as extra properties. PLY."""

    sh_degree: Annotated[int, Field(ge=0, le=4)] | None = Field(None, title="Degree of colours")
    """Write spherical harmonics up to this degree: 0 for colours that are the same from everywhere. Not given: all. Splats."""

    spz_version: Literal["4", "3", "2"] = Field("4", title="SPZ version")
    """Version of SPZ files: 3 or 2 for programs that cannot read 4 yet."""

    sidecar: bool = Field(False, title="Write a description beside it")
    """Write NAME.export.json with the matrix from the project to the file, the unit and the axes."""


@dataclass(frozen=True, eq=False)
class ExportPlan:
    """What writing will do.

    files: what will be written, the mesh files first. file_from_project: (4, 4). size: (3,) the bounding box's
    sides in the file's unit. estimated_bytes: of all files, good to some 20 %. is_scale_unknown: one unit of the
    project is taken for one metre because nobody said how long it is (notice E17).
    """

    files: tuple[Path, ...]
    file_from_project: NDArray[np.float64]
    up: Axis
    unit: Unit
    patient_axes: PatientAxes | None
    size: NDArray[np.float64]
    estimated_bytes: int
    warnings: tuple[str, ...]
    is_scale_unknown: bool

    @property
    def size_text(self) -> str:
        """E.g. "1 240 x 830 x 400 mm"."""
        sides = " x ".join(
            f"{side:,.4g}" if side < 1000 else f"{side:,.0f}".replace(",", " ") for side in self.size
        )
        return f"{sides} {'units' if self.unit == 'unit' else self.unit}"


def plan_export(
    path: Path, meshes: Sequence[tuple[str, TriangleMesh]], options: ExportOptions = ExportOptions()
) -> ExportPlan:
    """Work out axes, unit, size and warnings without writing.

    Raises InputError for an unknown ending, nothing to write, or meshes in different frames.
    """
    suffix = path.suffix.lower()
    _check(suffix, meshes)
    project = meshes[0][1].frame
    file_frame, scale, warnings = _file_frame(suffix, project, options)
    turn = _turn(project, file_frame)
    corners = [_turned_bounds(mesh, turn * scale) for _, mesh in meshes]
    low, high = np.min([c[0] for c in corners], axis=0), np.max([c[1] for c in corners], axis=0)
    matrix = np.eye(4)
    matrix[:3, :3] = turn * scale
    if options.on_floor or FRAME_PRESETS[options.frame].is_on_floor:
        matrix[:3, 3] = -floor_offset(low, high, file_frame.up)
    files = _files(path, meshes, options)
    warnings += _content_warnings(suffix, meshes, options, high - low, file_frame.unit)
    is_unknown = _is_scale_unknown(suffix, project, options)
    return ExportPlan(
        files, matrix, file_frame.up, file_frame.unit, file_frame.patient_axes, high - low,
        _estimated_bytes(suffix, meshes, options), tuple(warnings), is_unknown,
    )  # fmt: skip


def _check(suffix: str, meshes: Sequence[tuple[str, TriangleMesh]]) -> None:
    if suffix not in SUFFIXES:
        raise InputError(f"Meshes cannot be written as {suffix or 'a file without ending'}.",
                         f"Choose one of {', '.join(SUFFIXES)}.")  # fmt: skip
    if not meshes or any(not len(mesh.faces) for _, mesh in meshes):
        raise InputError(
            "There is nothing to write: a mesh without faces.", "Choose layers that hold a mesh."
        )
    if any(mesh.frame != meshes[0][1].frame for _, mesh in meshes):
        raise InputError("The meshes have different units or axes.", "Write them one by one.")


def _wanted_unit(suffix: str, options: ExportOptions) -> Unit | None:
    preset = FRAME_PRESETS[options.frame]
    if suffix in _FIXED:
        return _FIXED[suffix][1]
    return options.unit or preset.unit_by_suffix.get(suffix) or preset.unit


def _is_scale_unknown(suffix: str, project: Frame, options: ExportOptions) -> bool:
    unit = _wanted_unit(suffix, options)
    is_said = project.metres_per_unit is not None or options.metres_per_unit is not None
    return unit not in (None, "unit", project.unit) and not is_said


def _file_frame(suffix: str, project: Frame, options: ExportOptions) -> tuple[Frame, float, list[str]]:
    """(the file's frame, file units a project unit, warnings)."""
    preset = FRAME_PRESETS[options.frame]
    warnings = []
    up = _file_up(suffix, project, options)
    unit = _wanted_unit(suffix, options) or project.unit
    metres = project.metres_per_unit or options.metres_per_unit
    scale = 1.0
    if unit != project.unit and unit in METRES_PER_UNIT:
        # With no scale known, one unit counts as one metre.
        scale = (metres or 1.0) / METRES_PER_UNIT[unit]
    if _is_scale_unknown(suffix, project, options):
        warnings.append("The scale is not set: one unit of the project is taken for one metre.")
    wanted_axes = options.patient_axes or preset.patient_axes
    if wanted_axes and not project.patient_axes:
        warnings.append("The project does not say its patient axes, so the file does not either.")
    axes = (wanted_axes or project.patient_axes) if project.patient_axes else None
    if axes and (suffix in _FIXED or up != _flipped_up(project, options, preset)):
        if wanted_axes:
            warnings.append(f"With {up} up, as written, the file is not in patient axes.")
        axes = None
    return Frame(up, unit, axes), scale, warnings


def _file_up(suffix: str, project: Frame, options: ExportOptions) -> Axis:
    preset = FRAME_PRESETS[options.frame]
    if suffix in _FIXED:
        return _FIXED[suffix][0]
    as_project = options.up or _flipped_up(project, options, preset)
    if options.up or (project.patient_axes and options.frame == "format"):
        # Medical programs expect patient axes in every format; SPACE= says which.
        return as_project
    return preset.up_by_suffix.get(suffix) or preset.up or as_project


def _flipped_up(project: Frame, options: ExportOptions, preset: FramePreset) -> Axis:
    """The project's up axis after its patient axes became those wanted: X and Y change sign between LPS and RAS."""
    wanted = options.patient_axes or preset.patient_axes
    if not wanted or not project.patient_axes or wanted == project.patient_axes or project.up[1] == "Z":
        return project.up
    flipped: dict[Axis, Axis] = {"+X": "-X", "-X": "+X", "+Y": "-Y", "-Y": "+Y"}
    return flipped[project.up]


def _turn(project: Frame, file: Frame) -> NDArray[np.float64]:
    """(3, 3) rotation from the project's axes to the file's."""
    if file.patient_axes is not None and project.patient_axes != file.patient_axes:
        return np.diag([-1.0, -1.0, 1.0])
    return rotation_between(project.up, file.up)


def rotation_between(up: Axis, new_up: Axis) -> NDArray[np.float64]:
    """(3, 3) the quarter or half turn that brings one up axis to another; +Z to +Y takes (x, y, z) to (x, z, -y)."""
    a, b = axis_vector(up), axis_vector(new_up)
    if np.array_equal(a, b):
        return np.eye(3)
    if np.array_equal(a, -b):
        turned_about = np.roll(np.abs(a), 1)
        return 2 * np.outer(turned_about, turned_about) - np.eye(3)
    axis = np.cross(a, b)
    return np.asarray(np.outer(axis, axis) + np.outer(b, a) - np.outer(a, b))


def _turned_bounds(mesh: TriangleMesh, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    ends = mesh.bounds @ turn.T  # a turn by quarters takes boxes to boxes
    return np.stack([ends.min(0), ends.max(0)])


def floor_offset(low: NDArray[np.float64], high: NDArray[np.float64], up: Axis) -> NDArray[np.float64]:
    """(3,) from height zero to the lowest point of what lies between two corners."""
    direction = axis_vector(up)
    return np.asarray(direction * min(float(low @ direction), float(high @ direction)))


def _files(
    path: Path, meshes: Sequence[tuple[str, TriangleMesh]], options: ExportOptions
) -> tuple[Path, ...]:
    files = [path]
    suffix = path.suffix.lower()
    if suffix in _ONE_MESH_A_FILE and len(meshes) > 1:
        names = unique_names([re.sub(r"[^\w.-]+", "-", name).strip("-.") or "mesh" for name, _ in meshes])
        files = [path.with_name(f"{path.stem}-{name}{path.suffix}") for name in names]
    if suffix == ".obj":
        files.append(path.with_suffix(".mtl"))
    if options.sidecar:
        files.append(path.with_name(f"{path.stem}.export.json"))
    return tuple(files)


def unique_names(names: Sequence[str]) -> list[str]:
    """The same names, with a number behind those that were there before."""
    result: list[str] = []
    for name in names:
        number, candidate = 2, name
        while candidate.lower() in {each.lower() for each in result}:
            number, candidate = number + 1, f"{name}-{number}"
        result.append(candidate)
    return result


def _content_warnings(
    suffix: str,
    meshes: Sequence[tuple[str, TriangleMesh]],
    options: ExportOptions,
    size: NDArray[np.float64],
    unit: Unit,
) -> list[str]:
    warnings = []
    if options.colors and suffix not in _KEEPS_COLORS and any(mesh.colors is not None for _, mesh in meshes):
        warnings.append(f"{suffix[1:].upper()} keeps no colours.")
    if options.values and suffix != ".ply" and any(mesh.vertex_values for _, mesh in meshes):
        warnings.append(f"{suffix[1:].upper()} keeps no values such as the uncertainty; PLY does.")
    largest = float(size.max()) * METRES_PER_UNIT.get(unit, np.nan)
    if suffix in _PRINTED and largest < 0.005:
        warnings.append("The object is smaller than 5 mm: check the unit.")
    if suffix in _PRINTED and largest > 2:
        warnings.append("The object is larger than 2 m: check the unit.")
    return warnings


def _estimated_bytes(suffix: str, meshes: Sequence[tuple[str, TriangleMesh]], options: ExportOptions) -> int:
    """By what a vertex and a face take in the format; text and zipped formats as measured on meshes of ours."""
    vertices = sum(len(mesh.vertices) for _, mesh in meshes)
    faces = sum(len(mesh.faces) for _, mesh in meshes)
    colored = sum(len(mesh.vertices) for _, mesh in meshes if options.colors and mesh.colors is not None)
    values = sum(len(mesh.vertices) * len(mesh.vertex_values) for _, mesh in meshes) if options.values else 0
    normals = vertices if options.normals else 0
    if suffix == ".glb":
        return 1000 + 12 * vertices + 12 * normals + 8 * colored + 12 * faces
    if suffix == ".ply":
        return 400 + 12 * vertices + 12 * normals + 3 * colored + 4 * values + 13 * faces
    if suffix == ".stl":
        return 84 * len(meshes) + 50 * faces
    if suffix == ".obj":
        return 400 + 38 * vertices + 28 * normals + 21 * colored + (44 if normals else 23) * faces
    return 1000 + 11 * vertices + 6 * faces
