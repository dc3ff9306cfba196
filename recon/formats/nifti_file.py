"""Whether a NIfTI file is whole: ITK reads what is missing at its end as zeros and does not say so."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

from recon.errors import FormatError

_HEADER = 544  # bytes that hold everything asked of either version


def check_is_whole(path: Path, num_voxels: int) -> None:
    """Raises FormatError when the file is shorter than its header says, or its compression damaged."""
    is_packed = _is_packed(path)
    try:
        with gzip.open(path) if is_packed else path.open("rb") as file:
            expected = _expected_size(file.read(_HEADER), num_voxels)
        is_whole = _unpacked_has(path, expected) if is_packed else path.stat().st_size >= expected
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise FormatError(
            path,
            "The file's compression is damaged.",
            "Save it again from the program that made it.",
            details=str(error),
        ) from error
    if not is_whole:
        raise FormatError(path, "The file is cut off.", "Save it again from the program that made it.")


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _expected_size(header: bytes, num_voxels: int) -> int:
    """Bytes of header and voxels; sizeof_hdr tells version and byte order."""
    for order in "<>":
        (length,) = struct.unpack(order + "i", header[:4])
        if length == 348:
            (bits,), (start,) = (
                struct.unpack(order + "h", header[72:74]),
                struct.unpack(order + "f", header[108:112]),
            )
            return (int(start) if 0 <= start < 1e9 else 0) + num_voxels * int(bits) // 8
        if length == 540:
            (bits,), (start,) = (
                struct.unpack(order + "h", header[14:16]),
                struct.unpack(order + "q", header[168:176]),
            )
            return int(start) + num_voxels * int(bits) // 8
    return 0


def _unpacked_has(path: Path, expected: int) -> bool:
    """By the size that gzip notes at the end, which is cheap; where that disagrees, by unpacking."""
    with path.open("rb") as file:
        file.seek(-4, 2)
        (noted,) = struct.unpack("<I", file.read(4))
    if noted == expected % 2**32:
        return True
    length = 0
    with gzip.open(path) as unpacked:
        while length < expected and (block := unpacked.read(2**20)):
            length += len(block)
    return length >= expected
