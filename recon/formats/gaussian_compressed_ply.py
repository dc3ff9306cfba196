"""Compressed splats of PlayCanvas in PLY: 16 bytes a Gaussian, in chunks of 256 that share their bounds.

Element chunk: lowest and highest position, log scale and (in newer files) colour. Element vertex, four unsigned
integers: packed_position and packed_scale 11-10-11 bits between the chunk's bounds; packed_rotation 2-10-10-10, the
index of the largest of w x y z and the other three; packed_color 8-8-8-8, colour and opacity. Element sh (optional):
a byte for each coefficient above degree 0, channel by channel, from -4 to 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats import ply
from recon.formats.atomic_file import replacing
from recon.formats.gaussian_file import (
    FileGaussians,
    check_count,
    cloud_comments,
    colors_of,
    dc_of_colors,
    decoding,
    logits_of_bytes,
    reading_of,
    to_bytes,
    unit_quats,
)
from recon.formats.mesh_file import DAMAGED_ADVICE
from recon.formats.reading import Reading, ReadOptions
from render.gaussians import GaussianCloud

CHUNK = 256  # Gaussians
_BOUNDS = ("x", "y", "z", "scale_x", "scale_y", "scale_z")
_COLORS = ("r", "g", "b")
_PACKED = ("packed_position", "packed_rotation", "packed_scale", "packed_color")
_CELL_BITS = 16  # along each axis, by which the order is found
_LONGEST = 20.0  # log scales beyond are written as this
_SH_BYTES = (np.arange(256) + 0.5) / 32 - 4  # the middle of what each byte stands for
_SH_BYTES[0], _SH_BYTES[-1] = -4, 4  # these are the ends themselves


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Raises FormatError."""
    with decoding(path):
        rows, lines = ply.read_elements(path)
        comments = [line.removeprefix("comment ").rstrip("\r") for line in lines]
        return reading_of(path, _gaussians(path, rows, comments), options)


def _gaussians(path: Path, rows: Mapping[str, ply.PlyRows], comments: list[str]) -> FileGaussians:
    packed = [rows["vertex"].values[name].astype(np.uint32) for name in _PACKED]
    count = len(packed[0])
    check_count(path, count, path.stat().st_size, 16)
    chunks = rows["chunk"].values
    low, high = (np.stack([chunks[f"{end}_{name}"] for name in _BOUNDS], 1) for end in ("min", "max"))
    if len(low) != -(-count // CHUNK):
        raise FormatError(path, "The file has another number of chunks than Gaussians.", DAMAGED_ADVICE)
    means = _between(low[:, :3], high[:, :3], _shares_11_10_11(packed[0]))
    scales = _between(low[:, 3:], high[:, 3:], _shares_11_10_11(packed[2]))
    colors: NDArray[np.float32] = np.stack(
        [(packed[3] >> shift & 255).astype(np.float32) / 255 for shift in (24, 16, 8)], 1
    )
    if "min_r" in chunks:
        darkest, lightest = (
            np.stack([chunks[f"{end}_{name}"] for name in _COLORS], 1) for end in ("min", "max")
        )
        colors = _between(darkest, lightest, colors)
    first = dc_of_colors(colors)[:, None, :]
    opacities = logits_of_bytes((packed[3] & 255).astype(np.uint8))
    sh = np.concatenate([first, _higher(path, rows, count)], 1)
    return FileGaussians(means, _quats(packed[1]), scales, opacities, sh, comments=comments)


def _shares_11_10_11(packed: NDArray[np.uint32]) -> NDArray[np.float32]:
    """(N, 3) from 0 to 1."""
    parts = [(packed >> 21) / np.float32(2047), (packed >> 11 & 1023) / np.float32(1023)]
    return np.stack([*parts, (packed & 2047) / np.float32(2047)], 1).astype(np.float32)


def _between(
    low: NDArray[np.floating], high: NDArray[np.floating], shares: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Shares 0 … 1 of the way between the bounds of each Gaussian's chunk."""
    of_chunk = np.arange(len(shares)) // CHUNK
    start, end = low.astype(np.float32)[of_chunk], high.astype(np.float32)[of_chunk]
    with np.errstate(invalid="ignore", over="ignore"):
        return start * (1 - shares) + end * shares


def _quats(packed: NDArray[np.uint32]) -> NDArray[np.float32]:
    largest = (packed >> 30).astype(np.intp)
    others = np.stack([(packed >> shift & 1023) / 1023 - 0.5 for shift in (20, 10, 0)], 1) * np.sqrt(2)
    return with_largest(others, largest)


def with_largest(others: NDArray[np.floating], largest: NDArray[np.intp]) -> NDArray[np.float32]:
    """Unit quaternions (N, 4) from three components in order and the place of the fourth, which is positive."""
    whole = np.sqrt(np.maximum(0, 1 - (others**2).sum(1)))
    quats = np.empty((len(others), 4), np.float32)
    for place in range(4):
        rows = largest == place
        quats[np.ix_(rows, [i for i in range(4) if i != place])] = others[rows]
        quats[rows, place] = whole[rows]
    return quats


def without_largest(quats: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The other three components (N, 3) of unit quaternions whose largest is made positive, and its place."""
    largest = np.abs(quats).argmax(1)
    signs = np.sign(np.take_along_axis(quats, largest[:, None], 1))
    order = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
    return np.take_along_axis(quats * signs, order[largest], 1), largest


def _higher(path: Path, rows: Mapping[str, ply.PlyRows], count: int) -> NDArray[np.float32]:
    """(N, K - 1, 3) coefficients above degree 0; none where the file has no such element."""
    if "sh" not in rows:
        return np.zeros((count, 0, 3), np.float32)
    columns = rows["sh"].values
    names = [f"f_rest_{i}" for i in range(len(columns))]
    if len(columns) not in (9, 24, 45, 72) or set(names) != set(columns) or len(columns[names[0]]) != count:
        raise FormatError(path, "The file's colours are not of a whole degree.", DAMAGED_ADVICE)
    stored = np.stack([columns[name].astype(np.uint8) for name in names], 1)
    values = _SH_BYTES.astype(np.float32)[stored]
    return values.reshape(count, 3, -1).transpose(0, 2, 1)


def write(path: Path, cloud: GaussianCloud) -> None:
    """Write the cloud, its Gaussians in an order in which neighbours share chunks."""
    with replacing(path) as beside, beside.open("wb") as file:
        write_file(file, cloud)


def write_file(file: BinaryIO, cloud: GaussianCloud) -> None:
    """Binary, little-endian, with colours between bounds, and sh from degree 1 on."""
    cloud = cloud.subset(hilbert_order(cloud.means))
    scales = np.clip(cloud.log_scales, -_LONGEST, _LONGEST)
    values = np.concatenate([cloud.means, scales, colors_of(cloud)], 1).astype(np.float32)
    low, high, shares = _in_chunks(values)
    packed = [
        _packed_11_10_11(shares[:, :3]),
        _packed_quats(cloud.quats),
        _packed_11_10_11(shares[:, 3:6]),
        _packed_bytes(shares[:, 6:], cloud.opacities),
    ]
    file.write(_header(cloud, len(low)))
    ends = np.concatenate([low[:, :6], high[:, :6], low[:, 6:], high[:, 6:]], 1)
    order = [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11, *range(12, 18)]
    file.write(np.ascontiguousarray(ends[:, order], "<f4").tobytes())
    file.write(np.stack(packed, 1).astype("<u4").tobytes())
    if cloud.sh_degree:
        channels = np.clip(cloud.sh[:, 1:], -8, 8).transpose(0, 2, 1).reshape(len(cloud), -1)
        file.write(np.clip(np.floor((channels / 8 + 0.5) * 256), 0, 255).astype(np.uint8).tobytes())


def _header(cloud: GaussianCloud, num_chunks: int) -> bytes:
    lines = ["ply", "format binary_little_endian 1.0"]
    lines += [f"comment {line}" for line in cloud_comments(cloud)]
    lines.append(f"element chunk {num_chunks}")
    groups = [("", "xyz"), ("scale_", "xyz"), ("", "rgb")]
    lines += [
        f"property float {end}_{prefix}{axis}"
        for prefix, axes in groups
        for end in ("min", "max")
        for axis in axes
    ]
    lines.append(f"element vertex {len(cloud)}")
    lines += [f"property uint {name}" for name in _PACKED]
    if cloud.sh_degree:
        lines.append(f"element sh {len(cloud)}")
        lines += [f"property uchar f_rest_{i}" for i in range(3 * (cloud.sh.shape[1] - 1))]
    return "\n".join([*lines, "end_header", ""]).encode("utf-8")


def hilbert_order(means: NDArray[np.float32]) -> NDArray[np.intp]:
    """The order along Hilbert's curve through space, on which neighbours are always near each other.

    means: (N, 3). By the exchanges and inversions of J. Skilling, Programming the Hilbert curve, AIP Conf. Proc. 707,
    2004. A Morton curve, which others take, jumps: the chunks at its jumps lose their accuracy.
    """
    low = means.min(0).astype(np.float64)
    size = max(float((means.max(0) - low).max()), 1e-30)
    cells = ((means - low) * ((2**_CELL_BITS - 1) / size)).astype(np.uint64).T.copy()
    for bit in range(_CELL_BITS - 1, 0, -1):
        below = np.uint64(2**bit - 1)
        for axis in range(3):
            is_set = (cells[axis] >> np.uint64(bit) & np.uint64(1)).astype(bool)
            swapped = np.where(is_set, 0, (cells[0] ^ cells[axis]) & below)
            cells[0] ^= np.where(is_set, below, swapped)
            cells[axis] ^= swapped
    cells[1] ^= cells[0]
    cells[2] ^= cells[1]
    flips = np.zeros(cells.shape[1], np.uint64)
    for bit in range(_CELL_BITS - 1, 0, -1):
        flips ^= np.where(cells[2] >> np.uint64(bit) & np.uint64(1), np.uint64(2**bit - 1), np.uint64(0))
    cells ^= flips
    code = np.zeros(cells.shape[1], np.uint64)
    for bit in range(_CELL_BITS - 1, -1, -1):
        for axis in range(3):
            code = code << np.uint64(1) | cells[axis] >> np.uint64(bit) & np.uint64(1)
    return np.asarray(np.argsort(code, kind="stable"))


def _in_chunks(
    values: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Lowest and highest values of each chunk, and where between them each value is, 0 … 1."""
    starts = np.arange(0, len(values), CHUNK)
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    of_chunk = np.arange(len(values)) // CHUNK
    start = low.astype(np.float64)[of_chunk]
    size = high.astype(np.float64)[of_chunk] - start
    shares = np.divide(values - start, size, out=np.zeros_like(start), where=size > 0)
    return low, high, shares


def _packed_11_10_11(shares: NDArray[np.float64]) -> NDArray[np.uint32]:
    x, y, z = (np.round(shares[:, i] * most).astype(np.uint32) for i, most in enumerate((2047, 1023, 2047)))
    return np.asarray(x << 21 | y << 11 | z)


def _packed_quats(quats: NDArray[np.float32]) -> NDArray[np.uint32]:
    others, largest = without_largest(unit_quats(quats))
    bits = np.clip(np.round((others / np.sqrt(2) + 0.5) * 1023), 0, 1023).astype(np.uint32)
    return np.asarray(largest.astype(np.uint32) << 30 | bits[:, 0] << 20 | bits[:, 1] << 10 | bits[:, 2])


def _packed_bytes(colors: NDArray[np.float64], opacities: NDArray[np.float32]) -> NDArray[np.uint32]:
    rgba = to_bytes(np.column_stack([colors, opacities])).astype(np.uint32)
    return np.asarray(rgba[:, 0] << 24 | rgba[:, 1] << 16 | rgba[:, 2] << 8 | rgba[:, 3])
