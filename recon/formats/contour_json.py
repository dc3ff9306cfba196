"""Our own plain contour files (.json), for scripts and other programs to write.

    {"format": "isokiln.contours", "version": 1,
     "unit": "mm", "up": "+Z", "patient_axes": "LPS",
     "labels": {"1": "Femur", "2": "Tibia"},
     "holes": "even-odd",
     "planes": [
       {"normal": [0, 0, 1], "offset": 12.5,
        "loops": [{"label": 1, "points": [[0, 0, 12.5], [9, 0, 12.5], [9, 9, 12.5]]}]},
       {"origin": [0, 0, 15], "basis": [[1, 0, 0], [0, 1, 0]],
        "loops": [{"label": 1, "points": [[0, 0], [9, 0], [9, 9]]},
                  {"label": 1, "points": [[5, 1], [8, 1], [8, 4]], "hole_in": 0}]},
       {"normal": [0, 0, 1], "offset": 17.5, "loops": []}]}

format, version and planes are required; what is not given means: unit "unit" (nobody knows; else m, cm, mm, um,
in, ft), up "+Z", no patient axes, no label names, label 1, holes "parent" where a loop has "hole_in" and else
"even-odd" (or say winding, keyhole).

A plane is {x : normal . x = offset}, its normal of any length; or it goes through `origin` with `normal`, or it
is spanned from `origin` by `basis`, two vectors u and v at right angles and of the same length or not. Points have
three world coordinates, or two numbers (a, b), meaning origin + a u + b v. A plane without loops says that nothing
is there. "disabled": true keeps a plane that methods leave out.

A loop's last point is joined to its first, which need not be repeated; "closed": false says that it was left open.
With holes "parent", "hole_in" is the index, in the plane, of the loop that this one is a hole in. Unknown keys are
refused, so that a misspelt one is not lost, except those starting with "x_". `schema()` is this as a JSON schema.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from recon.errors import FormatError
from recon.formats.atomic_file import replacing
from recon.formats.reading import HoleRule, Note, Reading, ReadOptions, check_size
from recon.formats.rings import DrawnPlane, Ring, to_sections
from render.cross_sections import CrossSections, Plane
from render.frame import Axis, Frame, PatientAxes, Unit

FORMAT = "isokiln.contours"
_ADVICE = "Correct the file, or write it again; the format is described in recon/formats/contour_json.py."

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Vector = tuple[Number, Number, Number]
Points3 = list[Vector]
Points2 = list[tuple[Number, Number]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def without_private_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: each for key, each in value.items() if not str(key).startswith("x_")}


class JsonLoop(_Part):
    """One contour: `points` in the world (three numbers each) or in the plane's basis (two)."""

    points: Points3 | Points2
    label: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] = 1
    closed: bool = True
    hole_in: Annotated[int, Field(ge=0, strict=True)] | None = None


class JsonPlane(_Part):
    """One plane by normal and offset, by normal and origin, or by origin and basis."""

    normal: Vector | None = None
    offset: Number | None = None
    origin: Vector | None = None
    basis: tuple[Vector, Vector] | None = None
    disabled: bool = False
    loops: list[JsonLoop]


class JsonContours(_Part):
    """A whole file."""

    format: Literal["isokiln.contours"]
    version: Literal[1]
    unit: Unit | None = None
    up: Axis | None = None
    patient_axes: PatientAxes | None = None
    labels: dict[int, str] = {}
    holes: Literal["even-odd", "winding", "keyhole", "parent"] | None = None
    planes: list[JsonPlane]


def schema() -> dict[str, Any]:
    """The format as a JSON schema."""
    return TypeAdapter(JsonContours).json_schema()


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read a contour file. Raises FormatError that names the place in the file."""
    check_size(path)
    contours = _validated(path, _parsed(path))
    planes = [_drawn(path, plane, number) for number, plane in enumerate(contours.planes, 1)]
    frame, turn, notes = _frame(contours, options)
    turned = [_turned(plane, turn) for plane in planes]
    return to_sections(
        path, turned, options, _rule(contours), label_names=contours.labels, frame=frame, notes=notes
    )


def _rule(contours: JsonContours) -> HoleRule:
    is_marked = any(loop.hole_in is not None for plane in contours.planes for loop in plane.loops)
    return contours.holes or ("parent" if is_marked else "even-odd")


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        sentence = f"The file is no valid JSON: {error.msg}."
        raise FormatError(path, sentence, _ADVICE, error.lineno) from error
    except UnicodeDecodeError as error:
        raise FormatError(path, "The file is no text in UTF-8.", _ADVICE, details=str(error)) from error
    except (RecursionError, ValueError) as error:
        # Brackets nested thousands deep; whole numbers of thousands of digits.
        raise FormatError(path, "The file is no valid JSON.", _ADVICE, details=str(error)) from error


def _validated(path: Path, value: Any) -> JsonContours:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        advice = f'A contour file says "format": "{FORMAT}".'
        raise FormatError(path, "This JSON file holds no contours.", advice)
    if isinstance(value.get("version"), int) and value["version"] > 1:
        sentence = f"The file has version {value['version']}; this program reads version 1."
        raise FormatError(path, sentence, "Use a newer Isokiln.")
    try:
        return JsonContours.model_validate(value)
    except ValidationError as error:
        first = min(error.errors(include_url=False, include_input=False), key=lambda each: -len(each["loc"]))
        message = first["msg"][:1].lower() + first["msg"][1:]
        sentence = f"{_place(first['loc'])}: {message}."
        raise FormatError(path, sentence, _ADVICE, details=str(error)[:2000]) from error


def _place(location: tuple[int | str, ...]) -> str:
    """("planes", 3, "loops", 0, "points", ...) → "plane 4, loop 1, points"."""
    words = {"planes": "plane", "loops": "loop"}
    parts: list[str] = []
    previous = ""
    for each in location:
        if isinstance(each, int) and previous in words:
            parts[-1] = f"{words[previous]} {each + 1}"
        elif isinstance(each, int):
            parts.append(f"entry {each + 1}")
        elif "[" not in each:  # pydantic names the member of a union too
            parts.append(each)
        previous = str(each)
    return ", ".join(parts) or "the file"


def _drawn(path: Path, plane: JsonPlane, number: int) -> DrawnPlane:
    normal, offset = _equation(path, plane, number)
    rings = tuple(_ring(path, plane, loop, number, i) for i, loop in enumerate(plane.loops))
    return DrawnPlane(normal, offset, rings, number, is_disabled=plane.disabled)


def _equation(path: Path, plane: JsonPlane, number: int) -> tuple[NDArray[np.float64], float]:
    if plane.normal is not None:
        normal = np.array(plane.normal)
    elif plane.basis is not None:
        u, v = np.array(plane.basis)
        normal = np.cross(u, v)
    else:
        sentence = f'Plane {number} has neither "normal" nor "basis".'
        raise FormatError(path, sentence, _ADVICE)
    if plane.offset is not None:
        return normal, plane.offset
    if plane.origin is not None:
        return normal, float(normal @ np.array(plane.origin))
    raise FormatError(path, f'Plane {number} has neither "offset" nor "origin".', _ADVICE)


def _ring(path: Path, plane: JsonPlane, loop: JsonLoop, number: int, index: int) -> Ring:
    name = f"Plane {number}, loop {index + 1}"
    if loop.hole_in is not None and loop.hole_in >= len(plane.loops):
        sentence = f"{name} is a hole in loop {loop.hole_in + 1}, which does not exist."
        raise FormatError(path, sentence, _ADVICE)
    points = np.array(loop.points, np.float64)
    if not len(points):
        points = np.zeros((0, 3))
    if points.shape[1] == 2:
        if plane.origin is None or plane.basis is None:
            sentence = f'{name} has points of two numbers, but its plane lacks "origin" and "basis".'
            raise FormatError(path, sentence, _ADVICE)
        points = np.array(plane.origin) + points @ np.array(plane.basis)
    return Ring(points, loop.label, loop.hole_in, is_open=not loop.closed)


def _frame(contours: JsonContours, options: ReadOptions) -> tuple[Frame, NDArray[np.float64], list[Note]]:
    """The frame, what turns the file's axes into the wanted ones, and what to say about it."""
    stated, wanted = contours.patient_axes, options.patient_axes
    is_turned = stated is not None and wanted is not None and stated != wanted
    turn = np.diag([-1.0, -1, 1]) if is_turned else np.eye(3)
    notes = (
        [Note("info", f"The file's axes are {stated}; they were turned to {wanted}.")] if is_turned else []
    )
    frame = Frame(
        contours.up or options.up or "+Z", contours.unit or options.unit or "unit", wanted or stated
    )
    return frame, turn, notes


def _turned(plane: DrawnPlane, turn: NDArray[np.float64]) -> DrawnPlane:
    if np.array_equal(turn, np.eye(3)):
        return plane
    rings = tuple(
        Ring(ring.points @ turn.T, ring.label, ring.parent, ring.is_open, ring.line) for ring in plane.rings
    )
    return DrawnPlane(turn @ plane.normal, plane.offset, rings, plane.number, plane.line, plane.is_disabled)


def write(path: Path, sections: CrossSections) -> tuple[Note, ...]:
    """Write a contour file, whole or not at all; every number reads back as it was."""
    frame = sections.frame
    assert sections.disabled_planes is not None
    head = {
        "format": FORMAT,
        "version": 1,
        "unit": frame.unit,
        "up": frame.up,
        "patient_axes": frame.patient_axes,
        "labels": {str(label): name for label, name in sections.label_names.items()},
        "holes": "even-odd",
    }
    planes = zip(sections.planes(), sections.disabled_planes.tolist(), strict=True)
    lines = ",\n  ".join(json.dumps(_plane_value(plane, disabled)) for plane, disabled in planes)
    text = json.dumps(head, ensure_ascii=False)[:-1] + f',\n "planes": [\n  {lines}]}}\n'
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return ()


def _plane_value(plane: Plane, is_disabled: bool) -> dict[str, Any]:
    value: dict[str, Any] = {
        "normal": plane.normal.tolist(),
        "offset": plane.offset,
        "loops": [{"label": loop.label, "points": loop.points.tolist()} for loop in plane.loops],
    }
    return value | {"disabled": True} if is_disabled else value
