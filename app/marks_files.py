"""What a person marked among Gaussians, as a small file of bits beside the layer's data.

The archive holds `marks.json` (format, version, count and names) and one array of packed bits for each mark.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.atomic_file import replacing
from render.gaussians import GaussianMarks

FORMAT = "isokiln.marks"
VERSION = 1
SUFFIX = ".marks"
_HEADER = "marks.json"
_LARGEST_HEADER = 2**16  # bytes of JSON


def write(path: Path, marks: GaussianMarks) -> None:
    """Write marks to `path`, whole or not at all. The same marks always give the same bytes."""
    arrays = dict(marks.arrays())
    header = {"format": FORMAT, "version": VERSION, "count": len(marks), "marks": list(arrays)}
    with replacing(path) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_HEADER), json.dumps(header))
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(name), np.packbits(array).tobytes())


def read(path: Path) -> GaussianMarks:
    """Read what `write` wrote. Raises FormatError for every other file."""
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            header = _header(archive)
            count = int(header["count"])
            return GaussianMarks(
                *(_bits(archive, name, count) for name in GaussianMarks.__dataclass_fields__)
            )
    except OSError as error:
        raise FormatError(
            path, "The file cannot be read.", "Check that it exists and may be read.", details=str(error)
        ) from error
    except (
        zipfile.BadZipFile, ValueError, TypeError, KeyError, RuntimeError, NotImplementedError, EOFError, MemoryError,
        OverflowError, RecursionError,
    ) as error:  # fmt: skip
        # The zip and JSON readers between them raise all of these for damaged bytes.
        details = f"{type(error).__name__}: {error}"
        raise FormatError(
            path, "The file of marks is damaged.", "Open an earlier save.", details=details
        ) from error


def _header(archive: zipfile.ZipFile) -> dict[str, Any]:
    if archive.getinfo(_HEADER).file_size > _LARGEST_HEADER:
        raise ValueError("the header is far too long")
    header = json.loads(archive.read(_HEADER))
    if not isinstance(header, dict) or header.get("format") != FORMAT or header.get("version") != VERSION:
        raise ValueError("this is no file of marks that this program reads")
    return header


def _bits(archive: zipfile.ZipFile, name: str, count: int) -> NDArray[np.bool_]:
    """One mark (count,); a mark that the file does not know is nowhere set."""
    if name not in archive.namelist():
        return np.zeros(count, np.bool_)
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != (count + 7) // 8:
        raise ValueError(f"the mark {name} is cut off")
    return np.unpackbits(np.frombuffer(archive.read(name), np.uint8), count=count).astype(np.bool_)
