"""The picture of a VTK window as an array."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkRenderingCore import vtkWindowToImageFilter


def picture_of(window: Any, renderer: Any, *, transparent: bool, scale: int) -> NDArray[np.uint8]:
    """Render now: (H, W, 3) uint8, or (H, W, 4) with alpha 0 where nothing is drawn.

    scale: how many times the window's own pixels; large pictures are made of tiles.
    """
    with _without_background(renderer) if transparent else _as_it_is():
        tiles: Any = vtkWindowToImageFilter()
        tiles.SetInput(window)
        tiles.SetScale(scale)
        tiles.SetInputBufferTypeToRGBA() if transparent else tiles.SetInputBufferTypeToRGB()
        tiles.ReadFrontBufferOff()
        tiles.Update()
    image = tiles.GetOutput()
    width, height, _ = image.GetDimensions()
    values = vtk_to_numpy(image.GetPointData().GetScalars())
    picture: NDArray[np.uint8] = values.reshape(height, width, -1)[::-1].copy()
    return picture


@contextmanager
def _without_background(renderer: Any) -> Iterator[None]:
    renderer.GradientBackgroundOff()
    renderer.SetBackgroundAlpha(0.0)
    yield
    renderer.SetBackgroundAlpha(1.0)
    renderer.GradientBackgroundOn()


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield
