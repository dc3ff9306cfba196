"""Cross-sections as .csl text (the CSLC format of contour reconstruction programs).

    CSLC
    planes labels
    number vertices components A B C D          plane A x + B y + C z + D = 0
    x y z                                       one line a vertex
    n [h parent] label i0 i1 ...                a closed ring by vertex numbers from 0; h: a hole in that component

Blank lines may stand anywhere. A plane without vertices is an empty plane. The labels that occur are taken from
the components, a hole has its component's label whatever its own, normals may have any length.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.atomic_file import replacing
from recon.formats.nested_loops import parents_of
from recon.formats.reading import HoleRule, Note, Reading, ReadOptions, check_size
from recon.formats.rings import DrawnPlane, Ring, to_sections
from render.cross_sections import CrossSections, Plane, plane_basis
from render.frame import Frame

_ADVICE = "Export the file again from the program that made it."
_HOLE = re.compile(r"h(\d*)$")


class _Lines:
    """The lines that are not blank, with their numbers, read one after another."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        numbered = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        self.numbers = [number for number, _ in numbered]
        self.texts = [line for _, line in numbered]
        self.next = 0

    @property
    def num_left(self) -> int:
        return len(self.texts) - self.next

    def take(self, wanted: str) -> str:
        if not self.num_left:
            self.next = len(self.texts) - 1
            self.fail(f"The file ends where {wanted} should stand.")
        self.next += 1
        return self.texts[self.next - 1]

    def fail(self, sentence: str, back: int = 0) -> NoReturn:
        """Raise for the line that will be read next, less `back`."""
        line = self.numbers[max(0, self.next - back)] if self.numbers else None
        raise FormatError(self.path, sentence, _ADVICE, line)


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read a .csl file. Raises FormatError with the line for whatever is wrong."""
    check_size(path)
    lines = _Lines(path, path.read_bytes().decode("latin-1"))
    if lines.take("CSLC").strip().removeprefix("ï»¿") != "CSLC":
        lines.fail("The file does not start with CSLC.", back=1)
    num_planes = _read_counts(lines)
    planes = [_read_plane(lines, number) for number in range(1, num_planes + 1)]
    notes = list(_notes(lines, planes))
    frame = Frame(options.up or "+Z", options.unit or "unit", options.patient_axes)
    rule = _rule(planes)
    reading = to_sections(path, planes, options, rule, frame=frame, notes=notes)
    return _with_guessed_holes(reading) if rule == "even-odd" and options.holes == "auto" else reading


def _with_guessed_holes(reading: Reading) -> Reading:
    """Tell that contours within contours were read as holes where the file marks none."""
    assert isinstance(reading.data, CrossSections)
    count = sum(
        parent is not None for plane in reading.data.planes() for parent in parents_of(*_flat_loops(plane))
    )
    if not count:
        return reading
    what = "1 contour lies within another and was read as a hole" if count == 1 else (
        f"{count} contours lie within others and were read as holes"
    )  # fmt: skip
    note = Note("info", f"{what}; the file marks none.")
    return Reading(reading.data, (*reading.notes, note))


def _flat_loops(plane: Plane) -> tuple[list[NDArray[np.float64]], list[int]]:
    """A plane's loops as (M, 2), and their labels."""
    basis = np.stack(plane_basis(plane.normal), axis=1)
    return [loop.points @ basis for loop in plane.loops], [loop.label for loop in plane.loops]


def _rule(planes: list[DrawnPlane]) -> HoleRule:
    """Holes are marked where the file marks any; else a contour within another can only be a hole."""
    is_marked = any(ring.parent is not None for plane in planes for ring in plane.rings)
    return "parent" if is_marked else "even-odd"


def _notes(lines: _Lines, planes: list[DrawnPlane]) -> list[Note]:
    notes = []
    if lines.num_left:
        notes.append(
            Note("warning", f"Line {lines.numbers[lines.next]} and what follows belong to no plane and were left out.")
        )  # fmt: skip
    empty = sum(not plane.rings for plane in planes)
    if empty:
        text = "1 plane has no contour and says" if empty == 1 else f"{empty} planes have no contours and say"
        notes.append(Note("info", f"{text} that nothing is there."))
    return notes


def _read_counts(lines: _Lines) -> int:
    """The number of planes; the number of labels is often wrong and never needed."""
    tokens = lines.take("the number of planes").split()
    counts = [_integer(lines, token, "a count of planes") for token in tokens[:2]]
    if not counts or counts[0] < 1:
        lines.fail("The file has no planes.", back=1)
    if counts[0] > lines.num_left:
        sentence = f"The file promises {counts[0]:,} planes but has only {lines.num_left:,} more lines."
        lines.fail(sentence, back=1)
    return counts[0]


def _read_plane(lines: _Lines, number: int) -> DrawnPlane:
    tokens = lines.take(f"plane {number}").split()
    line = lines.numbers[lines.next - 1]
    if len(tokens) != 7:
        lines.fail(f"Plane {number} should start with seven numbers: its own, two counts, A B C D.", back=1)
    num_vertices, num_components = (_integer(lines, token, "a count") for token in tokens[1:3])
    if min(num_vertices, num_components) < 0 or num_vertices + num_components > lines.num_left:
        sentence = f"Plane {number} promises {num_vertices:,} vertices and {num_components:,} contours, but the file ends before."
        lines.fail(sentence, back=1)
    equation = np.array([_number(lines, token) for token in tokens[3:]])
    vertices = _read_vertices(lines, num_vertices)
    rings = tuple(_read_ring(lines, vertices, num_components) for _ in range(num_components))
    return DrawnPlane(equation[:3], -float(equation[3]), rings, number, line)


def _read_vertices(lines: _Lines, count: int) -> NDArray[np.float64]:
    """(count, 3) coordinates; looks for the faulty line only where there is one."""
    block = lines.texts[lines.next : lines.next + count]
    rows = [text.split() for text in block]
    try:
        if any(len(row) != 3 for row in rows) or any("_" in text for text in block):
            raise ValueError
        values = np.array([float(token) for row in rows for token in row])
    except ValueError:
        _fail_at_vertex(lines, rows)
    if not np.isfinite(values).all():
        _fail_at_vertex(lines, rows)
    lines.next += count
    return values.reshape(-1, 3)


def _fail_at_vertex(lines: _Lines, rows: list[list[str]]) -> NoReturn:
    for row in rows:
        lines.next += 1
        if len(row) != 3:
            lines.fail(f"A vertex should have three numbers, not {len(row)}.", back=1)
        for token in row:
            _number(lines, token)
    raise AssertionError("one of the rows is faulty")


class _Head(NamedTuple):
    num_vertices: int
    parent: int | None
    label: int
    rest: list[str]


def _read_ring(lines: _Lines, vertices: NDArray[np.float64], num_components: int) -> Ring:
    """One component: `n label indices` or `n h parent label indices`, the hole mark glued or not."""
    text = lines.take("a contour")
    line = lines.numbers[lines.next - 1]
    head = _ring_head(lines, text)
    if head.parent is not None and not 0 <= head.parent < num_components:
        lines.fail(f"A hole names contour {head.parent}, but the plane has {num_components}.", back=1)
    if head.label < 1:
        lines.fail(f"Label {head.label} means outside; contours have labels from 1.", back=1)
    if head.label > 2**31 - 1:
        lines.fail(f"Label {head.label} is too large.", back=1)
    if len(head.rest) != head.num_vertices:
        lines.fail(
            f"The contour promises {head.num_vertices:,} vertices and names {len(head.rest):,}.", back=1
        )
    try:
        indices = np.array([int(token) for token in head.rest], np.int64)
    except (ValueError, OverflowError):
        lines.fail("A contour names its vertices by whole numbers.", back=1)
    if len(indices) and (indices.min() < 0 or indices.max() >= len(vertices)):
        wrong = indices[(indices < 0) | (indices >= len(vertices))][0]
        lines.fail(f"The contour names vertex {wrong}, but the plane has {len(vertices)}.", back=1)
    return Ring(vertices[indices], head.label, head.parent, line=line)


def _ring_head(lines: _Lines, text: str) -> _Head:
    tokens = re.sub(r"h", " h ", text, count=1).split() if "h" in text else text.split()
    is_hole = len(tokens) > 1 and tokens[1] == "h"
    start = 3 if is_hole else 1
    if len(tokens) <= start:
        lines.fail("A contour should start with its number of vertices and its label.", back=1)
    parent = _integer(lines, tokens[2], "a hole's contour") if is_hole else None
    count = _integer(lines, tokens[0], "the number of vertices")
    label = _integer(lines, tokens[start], "a label")
    return _Head(count, parent, label, tokens[start + 1 :])


def _integer(lines: _Lines, token: str, meaning: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,15}", token):
        lines.fail(f"{token[:30]!r} is not {meaning}.", back=1)
    return int(token)


def _number(lines: _Lines, token: str) -> float:
    """A finite number of the line just read, in any float syntax."""
    try:
        value = float("nan" if "_" in token else token)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        hint = " Decimals are written with a point." if "," in token else ""
        lines.fail(f"{token[:30]!r} is not a number.{hint}", back=1)
    return value


def write(path: Path, sections: CrossSections) -> tuple[Note, ...]:
    """Write a .csl file, whole or not at all; holes are marked, outer contours run counter-clockwise.

    Coordinates are written exactly, without exponents, for other programs' sake. Returns notes about what
    the format cannot hold.
    """
    labels = sections.labels
    with replacing(path) as beside, beside.open("w", encoding="ascii", newline="\n") as file:
        file.write(f"CSLC\n{sections.num_planes} {max(labels, default=0) + 1}\n")
        for number, plane in enumerate(sections.planes(), 1):
            file.write("\n" + "\n".join(_plane_lines(plane, number)) + "\n")
    return tuple(_losses(sections))


def _plane_lines(plane: Plane, number: int) -> list[str]:
    flat, labels = _flat_loops(plane)
    parents = parents_of(flat, labels)
    count = sum(map(len, flat))
    equation = " ".join(_decimal(x) for x in (*plane.normal, -plane.offset))
    lines = [f"{number} {count} {len(flat)} {equation}"]
    lines += [" ".join(map(_decimal, point)) for loop in plane.loops for point in loop.points.tolist()]
    start = 0
    for loop, points, parent in zip(plane.loops, flat, parents, strict=True):
        indices = np.arange(start, start + len(points))
        start += len(points)
        if _is_counter_clockwise(points) == (parent is not None):
            indices = indices[::-1]
        mark = "" if parent is None else f" h {parent}"
        lines.append(f"{len(points)}{mark} {loop.label} " + " ".join(map(str, indices.tolist())))
    return lines


def _decimal(value: float) -> str:
    """The shortest digits that read back as the same number, as -?d.d."""
    text = repr(float(value))
    return text if "e" not in text else np.format_float_positional(value, unique=True, trim="0")


def _is_counter_clockwise(points: NDArray[np.float64]) -> bool:
    x, y = (points - points[0]).T  # far from the origin the products would cancel
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) > 0


def _losses(sections: CrossSections) -> list[Note]:
    """What a .csl file has no place for."""
    lost = []
    if sections.label_names:
        lost.append("label names")
    if sections.frame != Frame():
        lost.append("unit and axes")
    if sections.disabled_planes is not None and sections.disabled_planes.any():
        lost.append("which planes are left out")
    return [Note("info", f"A .csl file has no place for {' and '.join(lost)}.")] if lost else []
