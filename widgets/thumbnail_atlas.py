"""Many thumbnails as one texture: a grid of cells that are filled as pictures come in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkRenderingCore import vtkTexture

_SIDE = 2048  # pixels of the whole texture at most
_CELL = 192  # pixels of one cell at most


class ThumbnailAtlas:
    """A texture of `count` square cells; each picture is stretched to its cell, the quad undoes that."""

    def __init__(self, count: int) -> None:
        self._columns = max(1, math.ceil(math.sqrt(count)))
        rows = max(1, math.ceil(count / self._columns))
        self.cell = max(8, min(_CELL, _SIDE // self._columns))
        self._pixels = np.zeros((rows * self.cell, self._columns * self.cell, 3), np.uint8)
        self._image: Any = vtkImageData()
        self._image.SetDimensions(self._pixels.shape[1], self._pixels.shape[0], 1)
        self.texture: Any = vtkTexture()
        self.texture.SetInputData(self._image)
        self.texture.InterpolateOn()
        self.texture.MipmapOn()
        self._upload()

    def put(self, index: int, picture: NDArray[np.uint8]) -> None:
        """Fill a cell with a picture (H, W, 3); `upload` shows it."""
        height, width = picture.shape[:2]
        rows = (np.arange(self.cell) * height) // self.cell
        columns = (np.arange(self.cell) * width) // self.cell
        top, left = self._corner(index)
        self._pixels[top : top + self.cell, left : left + self.cell] = picture[rows][:, columns]

    def upload(self) -> None:
        """Hand the cells to the texture."""
        self._upload()

    def coordinates(self, index: int) -> NDArray[np.float32]:
        """(4, 2) texture coordinates of a cell: top left, top right, bottom right, bottom left."""
        height, width = self._pixels.shape[:2]
        top, left = self._corner(index)
        edge = 0.5  # half a pixel inside, so that neighbours do not shine through
        u = np.array([left + edge, left + self.cell - edge]) / width
        v = 1 - np.array([top + edge, top + self.cell - edge]) / height
        return np.array([[u[0], v[0]], [u[1], v[0]], [u[1], v[1]], [u[0], v[1]]], np.float32)

    def _corner(self, index: int) -> tuple[int, int]:
        row, column = divmod(index, self._columns)
        return row * self.cell, column * self.cell

    def _upload(self) -> None:
        flipped = np.ascontiguousarray(self._pixels[::-1]).reshape(-1, 3)  # VTK counts rows from below
        scalars = numpy_to_vtk(flipped, deep=True)
        self._image.GetPointData().SetScalars(scalars)
        self._image.Modified()
        self.texture.Modified()
