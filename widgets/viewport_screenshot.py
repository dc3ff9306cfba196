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
    return _with_plain_colors(picture) if transparent else picture


def _with_plain_colors(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What was laid over black, as PNG wants it: the colour itself beside its alpha. Opaque pixels stay."""
    veiled = (picture[..., 3] > 0) & (picture[..., 3] < 255)
    colors = picture[veiled].astype(np.float32)
    colors[:, :3] *= 255 / colors[:, 3:]
    picture[veiled] = np.minimum(colors, 255).round().astype(np.uint8)
    return picture


@contextmanager
def _without_background(renderer: Any) -> Iterator[None]:
    color = renderer.GetBackground()
    renderer.GradientBackgroundOff()
    renderer.SetBackground(0.0, 0.0, 0.0)
    renderer.SetBackgroundAlpha(0.0)
    yield
    renderer.SetBackgroundAlpha(1.0)
    renderer.SetBackground(*color)
    renderer.GradientBackgroundOn()


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield
