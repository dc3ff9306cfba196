"""ITK's morphological contour interpolation (Albu et al. 2008), as used by 3D Slicer and ITK-SNAP."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from recon.errors import InputError
from recon.orex.contours2d import PlaneContours
from recon.orex.grid import Field, Grid

# Voxels; rounds off the staircase as the programs that use this do.
SMOOTHING = 1.0


def morphological_fields(contours: Mapping[int, Sequence[PlaneContours]], grid: Grid) -> dict[int, Field]:
    """Per label a smoothed indicator on the grid, negative inside. Planes go to the nearest layer of voxels.

    Raises InputError where ITK is not installed.
    """
    itk = _import_itk()
    volume = np.zeros(grid.shape, np.uint8)
    for number, planes in enumerate(contours.values(), 1):
        for plane in planes:
            layer = int(np.clip(round((plane.offset - grid.lower[2]) / grid.spacing), 0, grid.shape[2] - 1))
            volume[:, :, layer][_inside(plane, grid)] = number
    # ITK's axes run the other way than numpy's, so the last axis here is its first, number 0.
    interpolator = itk.MorphologicalContourInterpolator.New(itk.image_from_array(volume))
    interpolator.SetAxis(0)
    interpolator.Update()
    filled = itk.array_from_image(interpolator.GetOutput())
    filled = _extended(filled)
    return {
        label: np.float32(0.5) - gaussian_filter((filled == number).astype(np.float32), SMOOTHING)
        for number, label in enumerate(contours, 1)
    }


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


def _import_itk() -> Any:
    try:
        itk = importlib.import_module("itk")
        itk.MorphologicalContourInterpolator  # noqa: B018  lazily loaded: tells whether the module is there
    except (ImportError, AttributeError) as error:
        raise InputError(
            "Morphological interpolation needs ITK, which is not installed.",
            'Install it with: pip install "isokiln[medical]"; or choose another kind.',
            str(error),
        ) from error
    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(1)
    return itk
