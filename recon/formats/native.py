"""Any scene data as one uncompressed .npz, bit for bit: project layers, inputs, previews and results of runs.

The entry `scene.json` (a string as bytes) holds format, version, kind, frame and every field that is no array.
Each array field is an entry of its own; a mapping from names to arrays is stored as `field.0`, `field.1`, …; a value
in a value as `field.its_field`, with its own header.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.atomic_file import replacing
from render.cameras import CameraSet
from render.frame import Frame
from render.frozen import Frozen
from render.images import DepthCues, ImageSet, NormalCues
from render.points import PointCloud
from render.scene_data import SCENE_DATA_KINDS, SceneData

FORMAT = "isokiln.scene-data"
VERSION = 1
_HEADER = "scene.json"
_ADVICE = "Take another copy of it; in a project, open an earlier save."
_LARGEST_HEADER = 2**24  # bytes of JSON
_PARTS: dict[str, type[Any]] = {
    part.__name__: part for part in (CameraSet, ImageSet, DepthCues, NormalCues, PointCloud)
}  # what may stand in a field of scene data


class _Malformed(ValueError):
    """What is wrong with the file, as a sentence."""


def write(path: Path, data: SceneData) -> None:
    """Write scene data to `path`, whole or not at all. The same data always give the same bytes."""
    header: dict[str, Any] = {"format": FORMAT, "version": VERSION, "kind": kind_of(data)}
    arrays: dict[str, NDArray[Any]] = {}
    _store_fields(data, header, arrays)
    with replacing(path) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_HEADER), json.dumps(header, indent=1))
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def read(path: Path) -> SceneData:
    """Read what `write` wrote. Raises FormatError for every other file."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(archive, path.stat().st_size)
            header = _read_header(archive)
            arrays = {
                name.removesuffix(".npy"): _read_array(archive, name)
                for name in archive.namelist()
                if name.endswith(".npy")
            }
        with np.errstate(all="raise"):
            return _build(header, arrays)
    except OSError as error:
        raise FormatError(
            path, "The file cannot be read.", "Check that it exists and may be read.", details=str(error)
        ) from error
    except _Malformed as error:
        raise FormatError(path, str(error), _ADVICE) from error
    except (
        zipfile.BadZipFile, ValueError, TypeError, KeyError, AttributeError, RuntimeError, NotImplementedError,
        EOFError, MemoryError, ArithmeticError, RecursionError, SyntaxError,
    ) as error:  # fmt: skip
        # The zip, JSON and npy readers between them raise all of these for damaged bytes.
        details = f"{type(error).__name__}: {error}"
        raise FormatError(path, "The file is damaged.", _ADVICE, details=details) from error


def kind_of(data: SceneData) -> str:
    """The name of a value's kind in SCENE_DATA_KINDS."""
    return next(name for name, kind in SCENE_DATA_KINDS.items() if type(data) is kind)


def _store_fields(
    value: Any, header: dict[str, Any], arrays: dict[str, NDArray[Any]], prefix: str = ""
) -> None:
    for field in fields(value):
        _store(field.name, getattr(value, field.name), header, arrays, prefix)


def _store(
    name: str, value: Any, header: dict[str, Any], arrays: dict[str, NDArray[Any]], prefix: str
) -> None:
    """Put one field into the header or among the arrays."""
    if isinstance(value, np.ndarray):
        arrays[prefix + name] = value
    elif isinstance(value, Frame):
        header[name] = asdict(value)
    elif isinstance(value, Frozen):
        header[name] = {"value": type(value).__name__}
        _store_fields(value, header[name], arrays, f"{prefix}{name}.")
    elif isinstance(value, Mapping) and any(isinstance(each, np.ndarray) for each in value.values()):
        header[name] = {"arrays": list(value)}
        arrays.update({f"{prefix}{name}.{i}": array for i, array in enumerate(value.values())})
    elif isinstance(value, Mapping):
        header[name] = {"pairs": [list(pair) for pair in value.items()]}  # keys stay what they are
    elif value is not None:
        header[name] = value


def _check_entries(archive: zipfile.ZipFile, file_size: int) -> None:
    """Refuse what could take more memory than the file has bytes."""
    entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise _Malformed("The file is a compressed archive, not scene data.")
    if sum(entry.file_size for entry in entries) > file_size or len({e.filename for e in entries}) < len(
        entries
    ):
        raise _Malformed("The file's parts overlap.")


def _read_header(archive: zipfile.ZipFile) -> dict[str, Any]:
    if _HEADER not in archive.namelist():
        raise _Malformed("The file is an archive of something else than scene data.")
    if archive.getinfo(_HEADER).file_size > _LARGEST_HEADER:
        raise _Malformed("The file's header is far too long.")
    header = json.loads(archive.read(_HEADER))
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _Malformed("The file is an archive of something else than scene data.")
    if header.get("version") != VERSION:
        raise _Malformed(
            f"The file has version {header.get('version')!r}; this program reads version {VERSION}."
        )
    return header


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One array; its header must describe exactly the bytes that are there."""
    with archive.open(name) as entry:
        shape, in_fortran_order, dtype = _read_array_header(entry)
        content = entry.read()
    if dtype.kind not in "biuf" or in_fortran_order:
        raise _Malformed(f"The part {name} holds no plain numbers.")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise _Malformed(f"The part {name} is cut off.")
    return np.frombuffer(content, dtype).reshape(shape)


def _read_array_header(entry: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(entry)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(entry)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(entry)
    raise _Malformed("The file was written by another program.")


def _build(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> SceneData:
    """Make the value; its constructor checks it."""
    kind = SCENE_DATA_KINDS.get(header["kind"])
    if kind is None:
        raise _Malformed(f"The file holds {header['kind']!r}, which this program does not know.")
    made: SceneData = _build_value(kind, header, arrays, "")
    return made


def _build_value(
    kind: type[Any], header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str
) -> Any:
    values = {
        field.name: _restore(field.name, header, arrays, prefix)
        for field in fields(kind)
        if field.name in header or prefix + field.name in arrays
    }
    return kind(**values)


def _restore(name: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str) -> Any:
    if prefix + name in arrays:
        return arrays[prefix + name]
    value = header[name]
    if name == "frame":
        return Frame(**value)
    if isinstance(value, dict) and "value" in value:
        return _build_value(_PARTS[value["value"]], value, arrays, f"{prefix}{name}.")
    if isinstance(value, dict) and "arrays" in value:
        return {key: arrays[f"{prefix}{name}.{i}"] for i, key in enumerate(value["arrays"])}
    if isinstance(value, dict):
        return dict(value["pairs"])
    return value
