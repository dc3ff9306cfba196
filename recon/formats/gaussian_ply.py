"""Splats in PLY as the first 3D Gaussian splatting wrote them (arXiv:2308.04079): every value in full, lossless.

Columns x y z, nx ny nz (unused), f_dc_0 … 2, f_rest_* channel by channel, opacity before the sigmoid, scale_* in
natural logarithms, rot_0 … 3 = w x y z. Further columns are kept, and so are comments. Ours say in comments what no
plain column can: "isokiln column NAME WIDTH TYPE".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats import ply
from recon.formats.atomic_file import replacing
from recon.formats.gaussian_file import (
    FileGaussians,
    cloud_comments,
    dc_of_colors,
    decoding,
    has_surfels,
    reading_of,
)
from recon.formats.mesh_file import DAMAGED_ADVICE
from recon.formats.reading import Note, Reading, ReadOptions
from render.gaussians import SH_DEGREES, GaussianCloud

_SCALES = ("scale_0", "scale_1", "scale_2")
_ROTATION = ("rot_0", "rot_1", "rot_2", "rot_3")
_NORMAL = ("nx", "ny", "nz")
_DC = ("f_dc_0", "f_dc_1", "f_dc_2")
_COLOR = ("red", "green", "blue")
_FLAT_SCALE = float(np.log(1e-6))  # of surfels, which have no third scale; other programs take the same
_TYPE_NAMES = {"i1": "char", "u1": "uchar", "i2": "short", "u2": "ushort", "i4": "int", "u4": "uint", "f4": "float",
               "f8": "double"}  # fmt: skip
_WIDER = {"b1": "u1", "i8": "f8", "u8": "f8", "f2": "f4", "f16": "f8"}  # what PLY has no type for
_BLOCK = 2**15  # rows written at once
_ADVICE = "Choose a file with Gaussian splats, or export it again."
_DECLARED = re.compile(r"^isokiln column (\w+) (\d{1,6}) ([biuf]\d{1,2})$")


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Raises FormatError."""
    with decoding(path):
        rows, lines = ply.read_elements(path)
        return reading_of(path, _gaussians(path, rows, [_comment(line) for line in lines]), options)


def _gaussians(path: Path, rows: Mapping[str, ply.PlyRows], comments: Sequence[str]) -> FileGaussians:
    vertex = rows["vertex"]
    columns = vertex.values
    _check_columns(path, columns, rows)
    rest = _rest_names(path, columns)
    surfel = "scale_2" not in columns
    scales = _matrix(vertex, _SCALES[:2] if surfel else _SCALES)
    if surfel:
        scales = np.column_stack([scales, np.full(len(scales), _FLAT_SCALE, np.float32)])
    notes = (Note("info", "The splats are flat: the file gives two scales each."),)
    known = {"x", "y", "z", "opacity", *_SCALES, *_ROTATION, *rest}
    known |= set(_DC) if "f_dc_0" in columns else set(_COLOR)
    extra, others = _extra(columns, known, comments)
    return FileGaussians(
        _matrix(vertex, ("x", "y", "z")),
        _matrix(vertex, _ROTATION),
        scales,
        _matrix(vertex, ("opacity",))[:, 0],
        _harmonics(vertex, rest),
        extra,
        others,
        notes=notes if surfel and not has_surfels(comments) else (),
    )


def _check_columns(path: Path, columns: Mapping[str, NDArray[Any]], rows: Mapping[str, ply.PlyRows]) -> None:
    wanted = ["x", "y", "z", "opacity", *_SCALES[:2], *_ROTATION]
    wanted += [] if set(_COLOR) <= columns.keys() else _DC
    missing = [name for name in wanted if name not in columns]
    if not missing and len(columns["x"]) == 0:
        raise FormatError(path, "The file holds no Gaussians.", _ADVICE)
    if not missing:
        return
    if {"x", "y", "z"} <= columns.keys() and not {"scale_0", "rot_0", "f_dc_0"} & columns.keys():
        is_mesh = "face" in rows and any(len(sizes) for _, sizes in rows["face"].lists.values())
        what = "a mesh" if is_mesh else "points"
        raise FormatError(path, f"This file holds {what}, not splats.", f"Open it as {what}.")
    raise FormatError(path, f"The splats have no {', '.join(missing[:4])}.", _ADVICE)


def _rest_names(path: Path, columns: Mapping[str, NDArray[Any]]) -> list[str]:
    """The names of the coefficients above degree 0, in order."""
    count = sum(re.fullmatch(r"f_rest_\d+", name) is not None for name in columns)
    names = [f"f_rest_{i}" for i in range(count)]
    if any(name not in columns for name in names) or count % 3 or count // 3 + 1 not in SH_DEGREES:
        sentence = f"The colours have {count} coefficients above degree 0, which is no whole degree up to 4."
        raise FormatError(path, sentence, DAMAGED_ADVICE)
    return names


def _matrix(rows: ply.PlyRows, names: Sequence[str]) -> NDArray[np.float32]:
    """(N, len(names)) these columns, in 32 bits."""
    if rows.matrix is not None:
        index = {name: i for i, name in enumerate(rows.values)}
        places = [index[name] for name in names]
        is_float = all(rows.values[name].dtype == np.float32 for name in names)
        if is_float and places == list(range(places[0], places[0] + len(places))):
            return rows.matrix[:, places[0] : places[0] + len(places)]
    made = np.empty((len(rows.values[names[0]]), len(names)), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for i, name in enumerate(names):
            made[:, i] = rows.values[name]
    return made


def _harmonics(rows: ply.PlyRows, rest: Sequence[str]) -> NDArray[np.float32]:
    """(N, K, 3) from coefficients that stand channel by channel."""
    if "f_dc_0" in rows.values:
        first = _matrix(rows, _DC)
    else:
        is_bytes = rows.values["red"].dtype.kind in "iu"
        first = dc_of_colors(_matrix(rows, _COLOR) / (255 if is_bytes else 1))
    sh = np.empty((len(first), 1 + len(rest) // 3, 3), np.float32)
    sh[:, 0] = first
    if rest:
        sh[:, 1:] = _matrix(rows, rest).reshape(len(first), 3, -1).transpose(0, 2, 1)
    return sh


def _extra(
    columns: Mapping[str, NDArray[Any]], known: set[str], comments: Sequence[str]
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Further columns, and the comments that do not declare them. Normals that are all zero are none."""
    others = {name: values for name, values in columns.items() if name not in known}
    if all(name not in others or not np.any(others[name]) for name in _NORMAL):
        others = {name: values for name, values in others.items() if name not in _NORMAL}
    declared = {}
    for match in filter(None, map(_DECLARED.match, comments)):
        parts = [f"{match[1]}_{i}" for i in range(int(match[2]))] or [match[1]]
        if others.keys() >= set(parts):  # else another program has changed the columns
            declared[parts[0]] = (match, parts)
    extra: dict[str, NDArray[Any]] = {}
    for name in list(others):
        if name in declared:
            match, parts = declared[name]
            taken = [others.pop(part).astype(match[3]) for part in parts]
            extra[match[1]] = np.stack(taken, 1) if int(match[2]) else taken[0]
        elif name in others:  # and not among the parts of one before
            extra[name] = _native(others.pop(name))
    return extra, [line for line in comments if not _DECLARED.match(line)]


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """A column by itself, in the machine's byte order."""
    return np.ascontiguousarray(values, values.dtype.newbyteorder("="))


def _comment(line: str) -> str:
    """A line of comment without its first word, in UTF-8 where it is that."""
    text = re.sub(r"^\s*(comment|obj_info) ?", "", line).rstrip("\r")
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def write(path: Path, cloud: GaussianCloud) -> None:
    """Write all that there is, bit for bit."""
    with replacing(path) as beside, beside.open("wb") as file:
        write_file(file, cloud)


def write_file(file: BinaryIO, cloud: GaussianCloud) -> None:
    """Binary, little-endian, in the usual order of columns, with normals of zero as every reader expects them."""
    columns, declarations = _columns(cloud)
    kinds = [_TYPE_NAMES[dtype] for _, dtype, _ in columns]
    lines = ["ply", "format binary_little_endian 1.0"]
    lines += [f"comment {line}" for line in (*cloud_comments(cloud), *declarations)]
    lines.append(f"element vertex {len(cloud)}")
    lines += [f"property {kind} {name}" for kind, (name, _, _) in zip(kinds, columns, strict=True)]
    file.write("\n".join([*lines, "end_header", ""]).encode("utf-8"))
    layout = np.dtype([(name, "<" + dtype) for name, dtype, _ in columns])
    for start in range(0, len(cloud), _BLOCK):
        block = np.zeros(len(cloud.means[start : start + _BLOCK]), layout)
        for name, _, values in columns:
            if values is not None:
                block[name] = values[start : start + _BLOCK]
        file.write(block.tobytes())


def _columns(cloud: GaussianCloud) -> tuple[list[tuple[str, str, NDArray[Any] | None]], list[str]]:
    """Name, type and values of each column, None for zeros; and comments on those that need one."""
    normals: list[NDArray[Any] | None] = [cloud.extra.get(name) for name in _NORMAL]
    has_normals = all(
        values is not None and values.dtype == np.float32 and values.ndim == 1 for values in normals
    )
    rest = cloud.sh[:, 1:].transpose(0, 2, 1).reshape(len(cloud), 3 * (cloud.sh.shape[1] - 1))
    plain: list[tuple[str, NDArray[Any] | None]] = [(axis, cloud.means[:, i]) for i, axis in enumerate("xyz")]
    plain += [(name, values if has_normals else None) for name, values in zip(_NORMAL, normals, strict=True)]
    plain += [(name, cloud.sh[:, 0, i]) for i, name in enumerate(_DC)]
    plain += [(f"f_rest_{i}", rest[:, i]) for i in range(rest.shape[1])]
    plain.append(("opacity", cloud.opacity_logits))
    plain += [(name, cloud.log_scales[:, i]) for i, name in enumerate(_SCALES)]
    plain += [(name, cloud.quats[:, i]) for i, name in enumerate(_ROTATION)]
    columns = [(name, "f4", values) for name, values in plain]
    return _with_extra(columns, cloud, _NORMAL if has_normals else ())


def _with_extra(
    columns: list[tuple[str, str, NDArray[Any] | None]], cloud: GaussianCloud, written: Sequence[str]
) -> tuple[list[tuple[str, str, NDArray[Any] | None]], list[str]]:
    taken, declarations = {name for name, _, _ in columns}, []
    for given, values in cloud.extra.items():
        if given in written:
            continue
        width = values.shape[1] if values.ndim == 2 else 0
        name = _free_name(given, width, taken)
        parts = [f"{name}_{i}" for i in range(width)] if values.ndim == 2 else [name]
        dtype = values.dtype.str[1:]
        stored = dtype if dtype in _TYPE_NAMES else _WIDER[dtype]
        if (values.ndim == 2 and width) or stored != dtype:
            declarations.append(f"isokiln column {name} {width} {dtype}")
        table = values[:, None] if values.ndim == 1 else values
        columns += [(part, stored, table[:, i]) for i, part in enumerate(parts)]
        taken.update((name, *parts))
    return columns, declarations


def _free_name(name: str, width: int, taken: set[str]) -> str:
    """The name as PLY can have it, with something behind it where a column has that name already."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "value"
    while plain in taken or any(f"{plain}_{i}" in taken for i in range(width)):
        plain += "_"
    return plain
