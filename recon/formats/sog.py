"""SOG of version 2, the pictures of splats of PlayCanvas: an archive of lossless WebP pictures and meta.json.

Each Gaussian is a pixel, row by row. means_l and means_u: low and high bytes of the signed logarithm of the position
between bounds; quats: the three smaller components, and in alpha which is the largest of w x y z; scales and sh0:
places in a list of 256 values, opacity in alpha; shN: the place in a palette of colours that depend on the direction.
An unpacked meta.json with the pictures beside it is read too; version 1 is not. Writing is left to other programs.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.gaussian_compressed_ply import with_largest
from recon.formats.gaussian_file import FileGaussians, check_count, decoding, logits_of_bytes, reading_of
from recon.formats.mesh_file import DAMAGED_ADVICE, truncated
from recon.formats.reading import Reading, ReadOptions

_META = "meta.json"
_LARGEST_META = 2**24  # bytes
_TIGHTEST = 250  # bytes unpacked a byte packed
_PALETTE_WIDTH = 64  # entries of the palette in a row of its picture
_MOST_PALETTE_PIXELS = 2**16 * 24

_Load = Callable[[str], bytes]


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Raises FormatError."""
    with decoding(path):
        if not zipfile.is_zipfile(path):
            return reading_of(path, _gaussians(path, path.read_bytes(), _beside(path)), options)
        with zipfile.ZipFile(path) as archive:
            return reading_of(path, _of_archive(path, archive), options)


def _of_archive(path: Path, archive: zipfile.ZipFile) -> FileGaussians:
    names = {Path(name).name: name for name in archive.namelist()}
    largest = _TIGHTEST * path.stat().st_size

    def load(name: str) -> bytes:
        entry = archive.getinfo(names[name])
        if entry.file_size > largest:
            raise FormatError(path, "The archive's parts are larger than they can be.", DAMAGED_ADVICE)
        return archive.read(entry)

    if _META not in names:
        raise FormatError(path, "The archive holds no splats.", "Choose a .sog file.")
    return _gaussians(path, load(_META), load)


def _beside(path: Path) -> _Load:
    def load(name: str) -> bytes:
        place = path.parent / name
        if Path(name).name != name or not place.is_file():
            raise FormatError(
                path, f"Its picture {name!r} is not beside it.", "Put the files into one folder."
            )
        return place.read_bytes()

    return load


def _gaussians(path: Path, text: bytes, load: _Load) -> FileGaussians:
    if len(text) > _LARGEST_META:
        raise FormatError(path, "The description of the splats is far too long.", DAMAGED_ADVICE)
    meta = json.loads(text)
    if meta.get("version") != 2:
        sentence = f"The file is SOG of version {meta.get('version', 1)}; version 2 can be read."
        raise FormatError(path, sentence, "Convert it with a newer program, or export PLY.")
    count = int(meta["count"])
    names = [name for part in ("means", "quats", "scales", "sh0") for name in meta[part]["files"]]
    pictures = {name: load(name) for name in names}
    check_count(path, count, _TIGHTEST * sum(map(len, pictures.values())) + 2**20, 16)
    rows = {name: _pixels(path, data, count) for name, data in pictures.items()}
    low, high = (rows[name] for name in meta["means"]["files"])
    quats, scales, first = (rows[meta[part]["files"][0]] for part in ("quats", "scales", "sh0"))
    dc = _codebook(meta["sh0"])[first[:, :3]][:, None, :]
    higher = _higher(path, meta, load, count)
    return FileGaussians(
        _means(meta["means"], low, high),
        _quats(quats),
        _codebook(meta["scales"])[scales[:, :3]],
        logits_of_bytes(first[:, 3]),
        np.concatenate([dc, higher], 1),
        is_antialiased=bool(meta.get("antialias", False)),
    )


def _pixels(path: Path, data: bytes, count: int) -> NDArray[np.uint8]:
    """(count, 4) the first pixels of a picture, row by row."""
    whole = _picture(path, data, 4 * count + 2**16).reshape(-1, 4)
    if len(whole) < count:
        raise truncated(path, "pictures")
    return whole[:count]


def _picture(path: Path, data: bytes, most: int) -> NDArray[np.uint8]:
    """(H, W, 4). Raises FormatError for more pixels than there can be."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("WEBP", "PNG")) as picture:
            if picture.width * picture.height > most:
                raise FormatError(path, "A picture of the file is larger than it can be.", DAMAGED_ADVICE)
            return np.asarray(picture.convert("RGBA"))
    except (
        OSError
    ) as error:  # what Pillow raises for bytes that are no picture: nothing is wrong with the disk
        raise FormatError(
            path, "A picture of the file is damaged.", DAMAGED_ADVICE, details=str(error)
        ) from error


def _codebook(part: Mapping[str, Any]) -> NDArray[np.float32]:
    """(256,) values; bytes that name none stand for 0."""
    values = np.zeros(256, np.float32)
    given = np.asarray(part["codebook"], np.float32)[:256]
    values[: len(given)] = given
    return values


def _means(part: Mapping[str, Any], low: NDArray[np.uint8], high: NDArray[np.uint8]) -> NDArray[np.float32]:
    shares = (low[:, :3].astype(np.uint16) | high[:, :3].astype(np.uint16) << 8) / 65535
    start, end = (np.asarray(part[name], np.float64).reshape(3) for name in ("mins", "maxs"))
    signed = start + (end - start) * shares
    with np.errstate(over="ignore"):
        means: NDArray[np.float32] = np.asarray(np.sign(signed) * np.expm1(np.abs(signed)), np.float32)
    return means


def _quats(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 4) wxyz; no turn where alpha names no largest component."""
    others = (pixels[:, :3] / 255 * 2 - 1) / np.sqrt(2)
    is_known = pixels[:, 3] >= 252
    quats = with_largest(others, np.where(is_known, pixels[:, 3], 252).astype(np.intp) - 252)
    quats[~is_known] = [1, 0, 0, 0]
    return quats


def _higher(path: Path, meta: Mapping[str, Any], load: _Load, count: int) -> NDArray[np.float32]:
    """(N, K - 1, 3) coefficients above degree 0."""
    part = meta.get("shN")
    bands = int(part.get("bands", 3)) if part else 0
    if not part or bands < 1:
        return np.zeros((count, 0, 3), np.float32)
    num_coefficients = (bands + 1) ** 2 - 1
    palette = _picture(path, load(part["files"][0]), _MOST_PALETTE_PIXELS)[:, :, :3]
    if bands > 3 or palette.shape[1] != _PALETTE_WIDTH * num_coefficients:
        raise FormatError(path, "The palette of colours has an unknown layout.", DAMAGED_ADVICE)
    entries = _codebook(part)[palette].reshape(-1, num_coefficients, 3)
    labels = _pixels(path, load(part["files"][1]), count)
    places = labels[:, 0].astype(np.intp) | labels[:, 1].astype(np.intp) << 8
    if places.max() >= len(entries):
        raise FormatError(path, "A colour of the file is not in its palette.", DAMAGED_ADVICE)
    higher: NDArray[np.float32] = entries[places]
    return higher
