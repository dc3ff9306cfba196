"""The .splat format of web viewers (antimatter15): 32 bytes a Gaussian and nothing else, no view-dependent colour.

Three 32-bit floats of position, three of scale (not its logarithm), four bytes of colour and opacity, four bytes of
the quaternion w x y z, 128 being 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from recon.errors import FormatError
from recon.formats.atomic_file import replacing
from recon.formats.gaussian_file import (
    FileGaussians,
    check_count,
    colors_of,
    dc_of_colors,
    decoding,
    logits_of_bytes,
    reading_of,
    to_bytes,
    unit_quats,
)
from recon.formats.mesh_file import truncated
from recon.formats.reading import Reading, ReadOptions
from render.gaussians import GaussianCloud

_ROW = np.dtype([("means", "<f4", 3), ("scales", "<f4", 3), ("rgba", "u1", 4), ("quats", "u1", 4)])


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Raises FormatError."""
    with decoding(path):
        size = path.stat().st_size
        if size % _ROW.itemsize:
            raise truncated(path, "table of Gaussians")
        check_count(path, size // _ROW.itemsize, size, _ROW.itemsize)
        return reading_of(path, _gaussians(path), options)


def _gaussians(path: Path) -> FileGaussians:
    rows = np.fromfile(path, _ROW)
    scales = rows["scales"]
    if not np.nanmin(scales) >= 0:
        raise FormatError(path, "The file holds no splats: scales are negative.", "Choose a .splat file.")
    with np.errstate(divide="ignore"):
        log_scales = np.log(scales)
    return FileGaussians(
        rows["means"],
        rows["quats"].astype(np.float32) / 128 - 1,
        log_scales,
        logits_of_bytes(rows["rgba"][:, 3]),
        dc_of_colors(rows["rgba"][:, :3] / 255)[:, None, :],
    )


def write(path: Path, cloud: GaussianCloud) -> None:
    """Write the cloud without what its colours depend on."""
    with replacing(path) as beside, beside.open("wb") as file:
        write_file(file, cloud)


def write_file(file: BinaryIO, cloud: GaussianCloud) -> None:
    """In the cloud's order."""
    rows = np.empty(len(cloud), _ROW)
    rows["means"], rows["scales"] = cloud.means, cloud.scales
    rows["rgba"][:, :3], rows["rgba"][:, 3] = to_bytes(colors_of(cloud)), to_bytes(cloud.opacities)
    rows["quats"] = np.clip(np.round(unit_quats(cloud.quats) * 128 + 128), 0, 255)
    file.write(rows.tobytes())
