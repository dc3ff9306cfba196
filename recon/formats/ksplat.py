"""The .ksplat format of the viewer GaussianSplats3D (Mark Kellogg), in its three kinds of compression; read only.

A header of 4096 bytes, one of 1024 bytes for each section, then the sections: sizes of buckets that are not full,
centres of buckets, rows of Gaussians. Uncompressed rows are 32-bit floats; in compressed ones positions are 16-bit
steps from the bucket's centre, scales and rotations half floats, and colours above degree 0 half floats or bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.gaussian_file import (
    FileGaussians,
    check_count,
    dc_of_colors,
    decoding,
    joined,
    logits_of_bytes,
    reading_of,
)
from recon.formats.mesh_file import DAMAGED_ADVICE, truncated
from recon.formats.reading import Reading, ReadOptions

_HEADER, _SECTION = 4096, 1024  # bytes
_NUM_HIGHER = (0, 9, 24, 45)  # numbers above degree 0, by degree


@dataclass(frozen=True)
class _File:
    """What holds for all sections. ends: of coefficients stored as bytes."""

    path: Path
    data: bytes
    compression: int
    ends: tuple[float, float]


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Raises FormatError."""
    with decoding(path):
        data = path.read_bytes()
        if len(data) < _HEADER:
            raise truncated(path, "header")
        major, minor = data[:2]
        (num_sections,) = struct.unpack_from("<I", data, 4)
        (compression,) = struct.unpack_from("<H", data, 20)
        low, high = struct.unpack_from("<ff", data, 36)
        if (major, minor) < (0, 1) or major > 0 or compression > 2:
            raise FormatError(path, "The file is of an unknown version of ksplat.", "Export it as PLY.")
        file = _File(path, data, compression, (low or -1.5, high or 1.5))
        return reading_of(path, joined(_sections(file, num_sections)), options)


def _sections(file: _File, count: int) -> list[FileGaussians]:
    start = _HEADER + count * _SECTION
    if start > len(file.data):
        raise truncated(file.path, "header")
    found = []
    for index in range(count):
        header = file.data[_HEADER + index * _SECTION :][:_SECTION]
        section, start = _section(file, header, start)
        found += [section] if section is not None else []
    if not found:
        raise FormatError(file.path, "The file holds no Gaussians.", DAMAGED_ADVICE)
    return found


def _section(file: _File, header: bytes, start: int) -> tuple[FileGaussians | None, int]:
    """The Gaussians of a section that begins at byte `start`, None for none, and the byte behind it."""
    count, room, bucket_size, num_buckets = struct.unpack_from("<4I", header)
    (block_size,) = struct.unpack_from("<f", header, 16)
    (center_bytes, _, steps) = struct.unpack_from("<HHI", header, 20)
    num_full, num_partial = struct.unpack_from("<2I", header, 32)
    (degree,) = struct.unpack_from("<H", header, 40)
    if degree >= len(_NUM_HIGHER):
        raise FormatError(file.path, "The colours have an unknown degree.", DAMAGED_ADVICE)
    layout = _row(file.compression, _NUM_HIGHER[degree])
    rows_at = start + 4 * num_partial + center_bytes * num_buckets
    end = rows_at + layout.itemsize * room
    if not count:
        return None, end
    check_count(file.path, count, len(file.data) - rows_at, layout.itemsize)
    rows = np.frombuffer(file.data, layout, count, rows_at)
    means = rows["means"].astype(np.float32)
    if file.compression:
        sizes = np.frombuffer(file.data, "<u4", num_partial, start)
        centers = np.frombuffer(file.data, "<f4", 3 * num_buckets, start + 4 * num_partial).reshape(-1, 3)
        bucket = _bucket_of(count, bucket_size, num_full, sizes)
        steps = steps or 32767
        means = ((means - steps) * (block_size / 2 / steps) + centers[bucket]).astype(np.float32)
    return _gaussians(file, rows, means, degree), end


def _row(compression: int, num_higher: int) -> np.dtype[np.void]:
    means, others, higher = (("<f4", "<f4", "<f4"), ("<u2", "<f2", "<f2"), ("<u2", "<f2", "u1"))[compression]
    return np.dtype(
        [
            ("means", means, 3),
            ("scales", others, 3),
            ("quats", others, 4),
            ("rgba", "u1", 4),
            ("higher", higher, num_higher),
        ]
    )


def _bucket_of(count: int, size: int, num_full: int, partial: NDArray[np.uint32]) -> NDArray[np.intp]:
    """(count,) the bucket of each Gaussian: full ones first, then those with sizes of their own."""
    rows = np.arange(count)
    in_full = min(count, num_full * size)
    ends = num_full * size + np.cumsum(partial, dtype=np.int64)
    bucket = num_full + np.searchsorted(ends, rows, side="right")
    if in_full:
        bucket[:in_full] = rows[:in_full] // size
    return bucket


def _gaussians(file: _File, rows: NDArray[np.void], means: NDArray[np.float32], degree: int) -> FileGaussians:
    with np.errstate(divide="ignore", invalid="ignore"):
        log_scales = np.log(rows["scales"].astype(np.float32))
    dc = dc_of_colors(rows["rgba"][:, :3] / 255)[:, None, :]
    higher: NDArray[np.floating] = rows["higher"].astype(np.float32)
    if file.compression == 2:
        low, high = file.ends
        higher = low + higher / 255 * (high - low)
    # Band by band, and within a band channel by channel.
    bands = [
        higher[:, 3 * (band**2 - 1) : 3 * ((band + 1) ** 2 - 1)].reshape(len(rows), 3, 2 * band + 1)
        for band in range(1, degree + 1)
    ]
    sh = np.concatenate([dc, *(band.transpose(0, 2, 1) for band in bands)], 1)
    return FileGaussians(
        means, rows["quats"].astype(np.float32), log_scales, logits_of_bytes(rows["rgba"][:, 3]), sh
    )
