"""PLY: text or binary, any order of elements; our own files carry unit and axes in comment lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.mesh_file import (
    DAMAGED_ADVICE,
    FileMesh,
    fan_triangles,
    frame_comments,
    parse_numbers,
    read_frame_comments,
    truncated,
)

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_LONGEST_HEADER = 2**16
_NOT_VALUES = {"x", "y", "z", "nx", "ny", "nz", "red", "green", "blue", "alpha", "s", "t", "u", "v",
               "texture_u", "texture_v", "diffuse_red", "diffuse_green", "diffuse_blue"}  # fmt: skip


@dataclass(frozen=True)
class _Property:
    name: str
    dtype: str  # of the value, or of a list's items
    count_dtype: str | None = None  # of a list's length; None for a single value


@dataclass(frozen=True)
class _Element:
    name: str
    num_rows: int
    properties: tuple[_Property, ...]

    @property
    def lists(self) -> tuple[_Property, ...]:
        return tuple(p for p in self.properties if p.count_dtype)


@dataclass(frozen=True, eq=False)
class PlyRows:
    """One element's data: single values by name, and for each list its items in a row and their counts.

    matrix: (N, P) the single values in the order of the names as 32-bit floats, where each takes four bytes; of
    columns of other types it holds nonsense.
    """

    values: dict[str, NDArray[np.generic]]
    lists: dict[str, tuple[NDArray[np.generic], NDArray[np.int64]]]
    matrix: NDArray[np.float32] | None = None


def read_elements(path: Path) -> tuple[dict[str, PlyRows], list[str]]:
    """The elements of a PLY file by name, and its lines of comment. Raises FormatError."""
    data = path.read_bytes()
    elements, body, comments, is_text, order = _header(path, data)
    tables = _text_tables if is_text else _binary_tables
    return tables(path, elements, memoryview(data)[body:], order), comments


def read(path: Path) -> FileMesh:
    """A mesh, or points where there are no faces. Raises FormatError for anything else."""
    rows, comments = read_elements(path)
    words = read_frame_comments("\n".join(comments))
    return FileMesh(
        _coordinates(path, rows["vertex"]),
        _faces(path, rows),
        _colors(rows["vertex"]),
        {name: v.astype(np.float32) for name, v in rows["vertex"].values.items() if name not in _NOT_VALUES},
        normals=_normals(rows["vertex"]),
        unit=words.unit,
        up=words.up,
        patient_axes=words.patient_axes,
    )


def _header(path: Path, data: bytes) -> tuple[list[_Element], int, list[str], bool, str]:
    """(elements, where the body starts, comments, whether it is text, byte order)."""
    end = re.search(rb"(?:^|\n)end_header[ \t]*\r?\n", data[:_LONGEST_HEADER])
    if not data.startswith(b"ply") or not end:
        raise FormatError(path, "The file has no whole PLY header.", DAMAGED_ADVICE)
    elements: list[_Element] = []
    comments, encoding = [], ""
    for number, line in enumerate(data[: end.start()].decode("latin-1").splitlines(), 1):
        words = line.split()
        if words[:1] == ["format"] and len(words) > 1:
            encoding = words[1]
        elif words[:1] in (["comment"], ["obj_info"]):
            comments.append(line)
        elif words[:1] == ["element"]:
            elements.append(_element(path, words, number))
        elif words[:1] == ["property"]:
            elements[-1:] = [_with_property(path, elements[-1:], words, number)]
    if any(element.num_rows and not element.properties for element in elements):
        raise FormatError(path, "An element of the header has no properties.", DAMAGED_ADVICE)
    orders = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
    if encoding not in orders:
        raise FormatError(path, f"PLY of the kind {encoding!r} is not known.", "Save it as binary PLY.")
    if not any(element.name == "vertex" for element in elements):
        raise FormatError(path, "The file holds no vertices.", "Choose a file with a mesh.")
    return elements, end.end(), comments, encoding == "ascii", orders[encoding]


def _element(path: Path, words: list[str], line: int) -> _Element:
    if len(words) != 3 or not words[2].isdecimal() or len(words[2]) > 12:
        raise FormatError(path, "An element of the header has no count.", DAMAGED_ADVICE, line)
    return _Element(words[1], int(words[2]), ())


def _with_property(path: Path, last: list[_Element], words: list[str], line: int) -> _Element:
    is_list = words[1:2] == ["list"] and len(words) == 5
    types = words[2:4] if is_list else words[1:2]
    if not last or len(words) != (5 if is_list else 3) or any(t not in _TYPES for t in types):
        raise FormatError(path, "A property of the header cannot be understood.", DAMAGED_ADVICE, line)
    if is_list:
        new = _Property(words[4], _TYPES[words[3]], _TYPES[words[2]])
    else:
        new = _Property(words[2], _TYPES[words[1]])
    return _Element(last[0].name, last[0].num_rows, (*last[0].properties, new))


def _binary_tables(path: Path, elements: list[_Element], body: memoryview, order: str) -> dict[str, PlyRows]:
    tables, start = {}, 0
    for element in elements:
        sizes = tuple(1 for _ in element.lists)
        smallest = _row_dtype(element, order, tuple(0 for _ in sizes)).itemsize * element.num_rows
        if smallest > len(body) - start:
            raise truncated(path, f"{element.name} table")
        tables[element.name], start = _binary_rows(path, element, body, start, order)
    return tables


def _row_dtype(element: _Element, order: str, list_sizes: tuple[int, ...]) -> np.dtype[np.void]:
    sizes = iter(list_sizes)
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = []
    for number, p in enumerate(element.properties):
        if p.count_dtype:
            fields += [(f"n{number}", order + p.count_dtype), (f"p{number}", order + p.dtype, (next(sizes),))]
        else:
            fields.append((f"p{number}", order + p.dtype))
    return np.dtype(fields)


def _binary_rows(
    path: Path, element: _Element, body: memoryview, start: int, order: str
) -> tuple[PlyRows, int]:
    """The rows from byte `start` on, and the byte after them; fast where all lists have the first row's lengths."""
    sizes = (
        _first_list_sizes(path, element, body, start, order)
        if element.num_rows
        else (0,) * len(element.lists)
    )
    dtype = _row_dtype(element, order, sizes)
    end = start + dtype.itemsize * element.num_rows
    if end <= len(body):
        table = np.frombuffer(body, dtype, element.num_rows, start)
        counts = [table[f"n{i}"] for i, p in enumerate(element.properties) if p.count_dtype]
        if all((count == size).all() for count, size in zip(counts, sizes, strict=True)):
            return _rows_of_table(element, table), end
    return _uneven_rows(path, element, body, start, order)


def _first_list_sizes(
    path: Path, element: _Element, body: memoryview, start: int, order: str
) -> tuple[int, ...]:
    sizes: list[int] = []
    for p in element.properties:
        if p.count_dtype:
            (size,) = _numbers_at(path, element, body, start, order + p.count_dtype, 1)
            sizes.append(int(size))
            start += np.dtype(p.count_dtype).itemsize + max(0, int(size)) * np.dtype(p.dtype).itemsize
        else:
            start += np.dtype(p.dtype).itemsize
        if start > len(body) or (sizes and sizes[-1] < 0):
            raise truncated(path, f"{element.name} table")
    return tuple(sizes)


def _numbers_at(
    path: Path, element: _Element, body: memoryview, start: int, dtype: str, count: int
) -> NDArray[np.generic]:
    if count < 0 or start + count * np.dtype(dtype).itemsize > len(body):
        raise truncated(path, f"{element.name} table")
    return np.frombuffer(body, dtype, count, start)


def _rows_of_table(element: _Element, table: NDArray[np.void]) -> PlyRows:
    values, lists = {}, {}
    for number, p in enumerate(element.properties):
        column = table[f"p{number}"]
        if p.count_dtype:
            lists[p.name] = (column.ravel(), np.full(len(table), column.shape[1], np.int64))
        else:
            values[p.name] = column
    is_plain = len(values) == len(element.properties) > 0
    if not is_plain or any(table.dtype[i].str not in ("<f4", "<i4", "<u4") for i in range(len(values))):
        return PlyRows(values, lists)
    return PlyRows(values, lists, table.view("<f4").reshape(len(table), len(values)))


def _uneven_rows(
    path: Path, element: _Element, body: memoryview, start: int, order: str
) -> tuple[PlyRows, int]:
    """Row by row, for lists of different lengths, as in meshes of triangles and quads."""
    columns: dict[str, list[NDArray[np.generic]]] = {p.name: [] for p in element.properties}
    for _ in range(element.num_rows):
        for p in element.properties:
            count = 1
            if p.count_dtype:
                count = int(_numbers_at(path, element, body, start, order + p.count_dtype, 1)[0])
                start += np.dtype(p.count_dtype).itemsize
            columns[p.name].append(_numbers_at(path, element, body, start, order + p.dtype, count))
            start += count * np.dtype(p.dtype).itemsize
    return _joined(element, columns), start


def _joined(element: _Element, columns: dict[str, list[NDArray[np.generic]]]) -> PlyRows:
    values, lists = {}, {}
    for p in element.properties:
        flat = np.concatenate(columns[p.name]) if columns[p.name] else np.zeros(0)
        if p.count_dtype:
            lists[p.name] = (flat, np.array([len(items) for items in columns[p.name]], np.int64))
        else:
            values[p.name] = flat
    return PlyRows(values, lists)


def _text_tables(path: Path, elements: list[_Element], body: memoryview, order: str) -> dict[str, PlyRows]:
    numbers = parse_numbers(bytes(body), path)
    tables, start = {}, 0
    for element in elements:
        if element.num_rows * len(element.properties) > len(numbers) - start:
            raise truncated(path, f"{element.name} table")
        tables[element.name], start = _text_rows(path, element, numbers, start)
    return tables


def _text_rows(
    path: Path, element: _Element, numbers: NDArray[np.generic], start: int
) -> tuple[PlyRows, int]:
    if not element.lists:
        end = start + element.num_rows * len(element.properties)
        table = numbers[start:end].reshape(element.num_rows, len(element.properties))
        return PlyRows({p.name: table[:, i] for i, p in enumerate(element.properties)}, {}), end
    if len(element.properties) == 1 and element.num_rows:
        width = 1 + max(0, int(numbers[start]))
        end = start + element.num_rows * width
        if end <= len(numbers) and (numbers[start:end:width] == numbers[start]).all():
            table = numbers[start:end].reshape(element.num_rows, width)
            sizes = np.full(element.num_rows, width - 1, np.int64)
            return PlyRows({}, {element.properties[0].name: (table[:, 1:].ravel(), sizes)}), end
    columns: dict[str, list[NDArray[np.generic]]] = {p.name: [] for p in element.properties}
    for _ in range(element.num_rows):
        for p in element.properties:
            count = 1
            if p.count_dtype:
                count = int(numbers[start]) if start < len(numbers) else -1
                start += 1
            if count < 0 or start + count > len(numbers):
                raise truncated(path, f"{element.name} table")
            columns[p.name].append(numbers[start : start + count])
            start += count
    return _joined(element, columns), start


def _coordinates(path: Path, vertex: PlyRows) -> NDArray[np.float64]:
    if not {"x", "y", "z"} <= vertex.values.keys():
        raise FormatError(path, "The vertices have no x, y and z.", DAMAGED_ADVICE)
    return np.stack([vertex.values[axis].astype(np.float64) for axis in "xyz"], axis=1)


def _faces(path: Path, rows: dict[str, PlyRows]) -> NDArray[np.int64]:
    lists = rows["face"].lists if "face" in rows else {}
    corners, sizes = (
        lists.get("vertex_indices") or lists.get("vertex_index") or (np.zeros(0), np.zeros(0, int))
    )
    if not len(corners):
        return np.zeros((0, 3), np.int64)
    if corners.dtype.kind == "f" and not (np.isfinite(corners) & (np.abs(corners) < 2**40)).all():
        raise FormatError(path, "A face's corners are not numbers of vertices.", DAMAGED_ADVICE)
    return fan_triangles(corners.astype(np.int64), sizes)


def _normals(vertex: PlyRows) -> NDArray[np.float32] | None:
    """Of unit length; up where a stored one has no direction."""
    if not {"nx", "ny", "nz"} <= vertex.values.keys():
        return None
    stored = np.stack([vertex.values[f"n{axis}"].astype(np.float64) for axis in "xyz"], axis=1)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        unit = stored / np.linalg.norm(stored, axis=1, keepdims=True)
    has_direction = np.isfinite(unit).all(1, keepdims=True)
    return np.where(has_direction, unit, np.array([0.0, 0.0, 1.0])).astype(np.float32)


def _colors(vertex: PlyRows) -> NDArray[np.uint8] | None:
    for prefix in ("", "diffuse_"):
        names = [f"{prefix}{channel}" for channel in ("red", "green", "blue")]
        if all(name in vertex.values for name in names):
            rgb = np.stack([vertex.values[name].astype(np.float64) for name in names], axis=1)
            is_share = vertex.values[names[0]].dtype.kind == "f" and rgb.max(initial=0) <= 1
            return np.clip(np.nan_to_num(rgb) * (255 if is_share else 1), 0, 255).round().astype(np.uint8)
    return None


def write(file: BinaryIO, mesh: FileMesh) -> None:
    """Binary, little-endian; normals, colours and values as vertex properties; positions double where they are."""
    assert mesh.unit is not None and mesh.up is not None
    columns: list[tuple[str, str, NDArray[np.generic]]] = [
        (axis, "double" if mesh.vertices.dtype == np.float64 else "float", mesh.vertices[:, i])
        for i, axis in enumerate("xyz")
    ]
    if mesh.normals is not None:
        columns += [(f"n{axis}", "float", mesh.normals[:, i]) for i, axis in enumerate("xyz")]
    if mesh.colors is not None:
        columns += [(name, "uchar", mesh.colors[:, i]) for i, name in enumerate(("red", "green", "blue"))]
    columns += [(_property_name(name), "float", values) for name, values in mesh.values.items()]
    comments = [f"comment {line}" for line in frame_comments(mesh.unit, mesh.up, mesh.patient_axes)]
    header = ["ply", "format binary_little_endian 1.0", *comments, f"element vertex {len(mesh.vertices)}"]
    header += [f"property {kind} {name}" for name, kind, _ in columns]
    header += [f"element face {len(mesh.faces)}", "property list uchar int vertex_indices", "end_header", ""]
    file.write("\n".join(header).encode("ascii"))
    file.write(_table([(name, "<" + _TYPES[kind], values) for name, kind, values in columns]))
    corners = [("n", "u1", np.full(len(mesh.faces), 3)), ("v", "<i4", mesh.faces)]
    file.write(_table(corners))


def _table(columns: list[tuple[str, str, NDArray[np.generic]]]) -> bytes:
    table = np.empty(len(columns[0][2]), [(name, kind, values.shape[1:]) for name, kind, values in columns])
    for name, _, values in columns:
        table[name] = values
    return table.tobytes()


def _property_name(name: str) -> str:
    """A name without spaces that does not stand for something else in a PLY file."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "value"
    return f"value_{plain}" if plain in _NOT_VALUES else plain
