"""Colours of sparse points, from the images that see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.image_files import read_image
from render.images import ImageSet


class PointColors:
    """The mean colour of each of M points over the pixels that see it."""

    def __init__(self, count: int) -> None:
        self._sum = np.zeros((count, 3))
        self._count = np.zeros(count)

    @property
    def mean(self) -> NDArray[np.uint8]:
        """(M, 3) sRGB, grey for points that no readable image sees."""
        seen = np.maximum(self._count, 1)[:, None]
        return np.where(self._count[:, None] > 0, self._sum / seen, 128).round().astype(np.uint8)

    def add(self, pixels: NDArray[np.uint8], points: NDArray[np.int64], where: NDArray[np.float64]) -> None:
        """pixels: (H, W, 3). points: (K,) indices. where: (K, 2) x, y in pixels."""
        limit = np.array([pixels.shape[1], pixels.shape[0]]) - 1
        column, row = np.clip(np.floor(where).astype(np.int64), 0, limit).T
        np.add.at(self._sum, points, pixels[row, column])
        np.add.at(self._count, points, 1)


def look_up_colors(
    model: Any, images: ImageSet, indices: NDArray[np.integer], colors: PointColors
) -> Iterator[None]:
    """Add the colours that each image shows of the model's points; comes back after each image."""
    rows: Mapping[int, int] = {id: row for row, id in enumerate(sorted(model.points3D))}
    for index in indices:
        seen = [point for point in model.image(int(index) + 1).points2D if point.has_point3D()]
        if seen:
            pixels = read_image(images, int(index))
            points = np.array([rows[point.point3D_id] for point in seen])
            colors.add(pixels, points, np.array([point.xy for point in seen]))
        yield
