"""ITK's morphological contour interpolation (Albu et al. 2008), as used by 3D Slicer and ITK-SNAP."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from recon.errors import InputError, ReconError
from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid

# Voxels; rounds off the staircase as the programs that use this do.
SMOOTHING = 1.0
POLL_SECONDS = 0.04


def morphological_fields(
    contours: Mapping[int, Sequence[PlaneContours]], grid: Grid
) -> Generator[None, None, dict[int, Field]]:
    """Per label a smoothed indicator on the grid, negative inside. Planes go to the nearest layer of voxels.

    Yields while ITK works. Raises InputError where ITK is not installed.
    """
    if importlib.util.find_spec("itk") is None:
        raise InputError(
            "Morphological interpolation needs ITK, which is not installed.",
            'Install it with: pip install "isokiln[medical]"; or choose another kind.',
        )
    volume = np.zeros(grid.shape, np.uint8)
    for number, planes in enumerate(contours.values(), 1):
        for plane in planes:
            layer = int(np.clip(round((plane.offset - grid.lower[2]) / grid.spacing), 0, grid.shape[2] - 1))
            volume[:, :, layer][_inside(plane, grid)] = number
    filled = yield from _interpolated(volume)
    filled = _extended(filled)
    return {
        label: np.float32(0.5) - gaussian_filter((filled == number).astype(np.float32), SMOOTHING)
        for number, label in enumerate(contours, 1)
    }


def _interpolated(volume: NDArray[np.uint8]) -> Generator[None, None, NDArray[np.uint8]]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "given.npy", Path(folder) / "filled.npy"
        np.save(source, volume)
        command = [sys.executable, "-m", "recon.interpolation.itk_contours", str(source), str(target)]
        root = Path(__file__).parents[2]
        with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) as process:
            try:
                while True:
                    try:
                        _, said = process.communicate(timeout=POLL_SECONDS)
                        break
                    except subprocess.TimeoutExpired:
                        yield
            finally:
                process.kill()
        if process.returncode or not target.exists():
            raise ReconError("ITK failed to interpolate the contours.", "Choose another kind.", said)
        filled: NDArray[np.uint8] = np.load(target, allow_pickle=False)
        return filled


def _extended(filled: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The first and last layers repeated beyond the ends, for caps to cut."""
    layers = np.flatnonzero(filled.any(axis=(0, 1)))
    extended = filled.copy()
    if len(layers):
        extended[:, :, : layers[0]] = filled[:, :, layers[0], None]
        extended[:, :, layers[-1] + 1 :] = filled[:, :, layers[-1], None]
    return extended


def _inside(plane: PlaneContours, grid: Grid) -> NDArray[np.bool_]:
    x, y = grid.axis(0), grid.axis(1)
    lattice = np.stack([*np.meshgrid(x, y, indexing="ij"), np.zeros((len(x), len(y)))], -1).reshape(-1, 3)
    return plane.is_inside(plane.to_plane(lattice)).reshape(len(x), len(y))
