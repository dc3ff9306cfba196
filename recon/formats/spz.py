"""SPZ, the compressed splats of Niantic: fixed-point numbers attribute by attribute, packed by gzip or Zstandard.

Versions 1 to 3 are one gzip stream with a header of 16 bytes; version 4 has a plain header of 32 bytes and a
Zstandard stream for each attribute. Positions are 24-bit fixed point (half floats in version 1), opacities, colours
and log scales bytes; rotations are x y z in bytes until version 2, from 3 on the three smaller components with nine
bits each; coefficients above degree 0 are bytes, of which five bits count in degree 1 and four above. The axes are
X right, Y up, Z back, unless an extension of version 4 says otherwise.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.atomic_file import replacing
from recon.formats.gaussian_compressed_ply import with_largest, without_largest
from recon.formats.gaussian_file import (
    FileGaussians,
    check_count,
    decoding,
    flipped,
    logits_of_bytes,
    reading_of,
    to_bytes,
    unit_quats,
    up_and_back,
)
from recon.formats.mesh_file import DAMAGED_ADVICE, truncated
from recon.formats.reading import Note, Reading, ReadOptions
from render.gaussians import GaussianCloud

MAGIC = b"NGSP"
SpzVersion = Literal[2, 3, 4]
COLOR_SCALE = 0.15  # of coefficients of degree 0 in the colour bytes
_ANTIALIASED, _EXTENDED = 1, 2  # flags
_HEADER = struct.Struct("<4sIIBBBB")
_LONG_HEADER_SIZE = 32
_COORDINATES = 0xADBE0003  # the extension that names the axes
_AXES = ("LDB", "RDB", "LUB", "RUB", "LDF", "RDF", "LUF", "RUF")  # its values from 1 on
_LEVEL = 6  # of packing: higher ones take up to twice as long for a hundredth less
_BITS = {1: 5}  # of coefficients by degree; four for all others
_MOST_FRACTIONAL_BITS = 23
_TIGHTEST, _ALWAYS = (
    250,
    2**24,
)  # bytes unpacked a byte packed, and on top: what claims more is no cloud but a trap


@dataclass(frozen=True)
class _Header:
    version: int
    count: int
    degree: int
    fractional_bits: int
    flags: int

    @property
    def sizes(self) -> list[int]:
        """Bytes of positions, opacities, colours, scales, rotations, coefficients."""
        each = [6 if self.version == 1 else 9, 1, 3, 3, 4 if self.version >= 3 else 3]
        return [self.count * n for n in (*each, 3 * ((self.degree + 1) ** 2 - 1))]


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Raises FormatError."""
    with decoding(path):
        return reading_of(path, flipped(gaussians_in(path, path.read_bytes()), (1, -1, -1)), options)


def gaussians_in(path: Path, data: bytes) -> FileGaussians:
    """The Gaussians in the bytes of an SPZ file, X right, Y up, Z back. path: named in FormatErrors."""
    header, parts, axes, notes = _unpacked(path, data)
    file = _gaussians(header, parts, notes)
    if axes == "RUB":
        return file
    return flipped(file, [1 if have == want else -1 for have, want in zip(axes, "RUB", strict=True)])


def _unpacked(path: Path, data: bytes) -> tuple[_Header, list[NDArray[np.uint8]], str, tuple[Note, ...]]:
    """The header, the bytes of each attribute, the axes, and notes."""
    if data[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(31)
        head = stream.decompress(data, _HEADER.size)
        header = _header(path, head, len(data))
        body = stream.decompress(stream.unconsumed_tail, sum(header.sizes))
        is_longer = stream.decompress(stream.unconsumed_tail, 1)
        if not (is_longer or stream.eof):  # the checksum behind the data is cut off
            raise truncated(path, "table of Gaussians")
        return header, _split(path, header, body + is_longer), "RUB", ()
    header = _header(path, data, len(data))
    if header.version < 4:
        return header, _split(path, header, data[_HEADER.size :]), "RUB", ()
    return (header, *_streams(path, header, data))


def _header(path: Path, data: bytes, file_size: int) -> _Header:
    if len(data) < _HEADER.size:
        raise truncated(path, "header")
    magic, version, count, degree, fractional_bits, flags, _ = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise FormatError(path, "The file is no SPZ file.", DAMAGED_ADVICE)
    if not 1 <= version <= 4:
        sentence = f"The file is SPZ of version {version}; versions 1 to 4 can be read."
        raise FormatError(path, sentence, "Export it as PLY, or as SPZ of version 4.")
    if degree > 4 or fractional_bits > _MOST_FRACTIONAL_BITS:
        raise FormatError(path, "The file's header is damaged.", DAMAGED_ADVICE)
    header = _Header(version, count, degree, fractional_bits, flags)
    check_count(path, count, _TIGHTEST * file_size + _ALWAYS, sum(header.sizes) // max(1, count))
    return header


def _split(path: Path, header: _Header, body: bytes) -> list[NDArray[np.uint8]]:
    if len(body) < sum(header.sizes):
        raise truncated(path, "table of Gaussians")
    if len(body) > sum(header.sizes) and not header.flags & _EXTENDED:
        raise FormatError(path, "The file holds more than its header names.", DAMAGED_ADVICE)
    ends = np.cumsum([0, *header.sizes])
    return [np.frombuffer(body, np.uint8, n, start) for start, n in zip(ends, header.sizes, strict=False)]


def _streams(
    path: Path, header: _Header, data: bytes
) -> tuple[list[NDArray[np.uint8]], str, tuple[Note, ...]]:
    """The attributes of version 4, each unpacked by itself, the axes, and notes on what was passed over."""
    import zstandard

    if len(data) < _LONG_HEADER_SIZE:
        raise truncated(path, "header")
    num_streams, start = struct.unpack_from("<BI", data, 15)
    sizes = [size for size in header.sizes if size]
    if num_streams != len(sizes) or not _LONG_HEADER_SIZE <= start <= len(data) - 16 * num_streams:
        raise FormatError(path, "The file's table of contents is damaged.", DAMAGED_ADVICE)
    axes, notes = _extensions(data[_LONG_HEADER_SIZE:start]) if header.flags & _EXTENDED else ("RUB", ())
    place = start + 16 * num_streams
    parts = []
    for i, size in enumerate(sizes):
        packed, raw = struct.unpack_from("<QQ", data, start + 16 * i)
        if raw != size or packed > len(data) - place:
            raise truncated(path, "table of Gaussians")
        part = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(data[place : place + packed])
        parts.append(np.frombuffer(part.read(size), np.uint8))
        if len(parts[-1]) != size:
            raise truncated(path, "table of Gaussians")
        place += packed
    return parts, axes, notes


def _extensions(data: bytes) -> tuple[str, tuple[Note, ...]]:
    """The axes that an extension names, and a note where they cannot be understood."""
    place = 0
    while place + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, place)
        if kind == _COORDINATES and size >= 4 and place + 12 <= len(data):
            (value,) = struct.unpack_from("<I", data, place + 8)
            if 1 <= value <= len(_AXES):
                return _AXES[value - 1], ()
            if value:
                return "RUB", (
                    Note("warning", "The file's axes are not known; X right, Y up, Z back is taken."),
                )
        place += 8 + size
    return "RUB", ()


def _gaussians(header: _Header, parts: Sequence[NDArray[np.uint8]], notes: tuple[Note, ...]) -> FileGaussians:
    count = header.count
    dc = ((np.arange(256) / 255 - 0.5) / COLOR_SCALE).astype(np.float32)[parts[2].reshape(count, 1, 3)]
    scales = (np.arange(256) / 16 - 10).astype(np.float32)[parts[3].reshape(count, 3)]
    sh = dc
    if header.degree:
        higher = ((np.arange(256) - 128) / 128).astype(np.float32)[parts[5].reshape(count, -1, 3)]
        sh = np.concatenate([dc, higher], 1)
    return FileGaussians(
        _positions(header, parts[0]),
        _quats(header, parts[4]),
        scales,
        logits_of_bytes(parts[1]),
        sh,
        is_antialiased=bool(header.flags & _ANTIALIASED),
        notes=notes,
    )


def _positions(header: _Header, stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    if header.version == 1:
        return stored.view("<f2").astype(np.float32).reshape(-1, 3)
    wide = np.zeros((3 * header.count, 4), np.uint8)
    wide[:, 1:] = stored.reshape(-1, 3)  # above the lowest byte, so that the sign is where it belongs
    whole = wide.view("<i4")[:, 0] >> 8
    return np.asarray(whole / 2.0**header.fractional_bits, np.float32).reshape(-1, 3)


def _quats(header: _Header, stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 4) wxyz."""
    if header.version < 3:
        xyz = stored.reshape(-1, 3).astype(np.float32) / np.float32(127.5) - 1
        w = np.sqrt(np.maximum(0, 1 - (xyz**2).sum(1)))
        return np.column_stack([w, xyz])
    packed = stored.view("<u4")
    sizes = np.stack([packed >> shift & 511 for shift in (20, 10, 0)], 1) / (511 * np.sqrt(2))
    signs = np.stack([1.0 - 2.0 * (packed >> shift & 1) for shift in (29, 19, 9)], 1)
    xyzw = with_largest(sizes * signs, (packed >> 30).astype(np.intp))
    return xyzw[:, [3, 0, 1, 2]]


def write(path: Path, cloud: GaussianCloud) -> None:
    """Write the cloud as the newest version."""
    with replacing(path) as beside, beside.open("wb") as file:
        write_file(file, cloud)


def write_file(file: BinaryIO, cloud: GaussianCloud, version: SpzVersion = 4) -> None:
    """Write the cloud. Degrees above 3 are known from version 4 on."""
    degree = cloud.sh_degree if version == 4 else min(3, cloud.sh_degree)
    fractional_bits = _fractional_bits(cloud)
    flags = _ANTIALIASED if cloud.is_antialiased else 0
    parts = _attributes(up_and_back(cloud), degree, fractional_bits, version)
    head = _HEADER.pack(MAGIC, version, len(cloud), degree, fractional_bits, flags, 0)
    if version < 4:
        packing = zlib.compressobj(6, zlib.DEFLATED, 31)
        for part in (head, *parts):
            file.write(packing.compress(part))
        file.write(packing.flush())
        return
    import zstandard

    parts = [part for part in parts if part]
    packed = [zstandard.ZstdCompressor(level=_LEVEL).compress(part) for part in parts]
    file.write(head[:15] + struct.pack("<BI12x", len(parts), _LONG_HEADER_SIZE))
    for part, stream in zip(parts, packed, strict=True):
        file.write(struct.pack("<QQ", len(stream), len(part)))
    for stream in packed:
        file.write(stream)


def holds_positions(cloud: GaussianCloud) -> bool:
    """Whether 24 bits reach to the farthest Gaussian at all; beyond some eight million units they do not."""
    return bool(np.abs(cloud.bounds).max(initial=0) < 2**23 - 1)


def _fractional_bits(cloud: GaussianCloud) -> int:
    """Twelve as is usual, fewer for scenes that reach beyond 2048 units, more for those that are small."""
    farthest = float(np.abs(cloud.bounds).max(initial=0))
    if farthest <= 0:
        return 12
    most = int(np.floor(23 - np.log2(farthest * (1 + 1e-6))))
    size = float(np.ptp(cloud.bounds, axis=0).max())
    wanted = 12 if size <= 0 else max(12, int(np.ceil(16 - np.log2(size))))
    return int(np.clip(min(most, wanted), 0, _MOST_FRACTIONAL_BITS))


def _attributes(file: FileGaussians, degree: int, fractional_bits: int, version: SpzVersion) -> list[bytes]:
    whole = np.clip(np.round(file.means.astype(np.float64) * 2**fractional_bits), -(2**23), 2**23 - 1)
    positions = whole.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3]
    opacities = 1 / (1 + np.exp(-file.opacity_logits.astype(np.float64)))
    colors = file.sh[:, 0].astype(np.float64) * COLOR_SCALE + 0.5
    scales = np.clip(np.round((file.log_scales.astype(np.float64) + 10) * 16), 0, 255).astype(np.uint8)
    quats = unit_quats(file.quats)[:, [1, 2, 3, 0]]
    rotations = _three_bytes(quats) if version == 2 else _four_bytes(quats)
    higher = _coefficient_bytes(file.sh, degree)
    return [np.ascontiguousarray(x).tobytes() for x in
            (positions, to_bytes(opacities), to_bytes(colors), scales, rotations, higher)]  # fmt: skip


def _three_bytes(xyzw: NDArray[np.float64]) -> NDArray[np.uint8]:
    signed = np.where(xyzw[:, 3:] < 0, -xyzw, xyzw)[:, :3]
    return np.clip(np.round(signed * 127.5 + 127.5), 0, 255).astype(np.uint8)


def _four_bytes(xyzw: NDArray[np.float64]) -> NDArray[np.uint32]:
    others, largest = without_largest(xyzw)
    sizes = np.clip(np.round(np.abs(others) * np.sqrt(2) * 511), 0, 511).astype(np.uint32)
    parts = sizes | (others < 0).astype(np.uint32) << 9
    packed = largest.astype(np.uint32) << 30 | parts[:, 0] << 20 | parts[:, 1] << 10 | parts[:, 2]
    return np.asarray(packed, "<u4")


def _coefficient_bytes(sh: NDArray[np.floating], degree: int) -> NDArray[np.uint8]:
    """(N, K - 1, 3) with only as many bits as the degree deserves, so that they pack well."""
    steps = np.concatenate(
        [np.full(2 * band + 1, 2 ** (8 - _BITS.get(band, 4))) for band in range(1, degree + 1)]
        or [np.zeros(0)]
    )[:, None].astype(np.float32)
    values = np.round(np.clip(sh[:, 1 : (degree + 1) ** 2], -2, 2).astype(np.float32) * 128) + 128
    rounded = np.floor((values + steps / 2) / np.maximum(1, steps)) * steps
    return np.asarray(np.clip(rounded, 0, 255), np.uint8)
