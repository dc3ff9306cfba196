"""Smooth fields over a picture, as what a depth network is off beyond scale and shift."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NODES = 9  # along the longer side
SPREAD = 0.02  # of the logarithm: how far networks are off, smoothly
LENGTH = 0.2  # of the longer side: how far this error reaches
RIDGE = 0.05  # of SPREAD: what nodes differ without their neighbours


@dataclass(frozen=True)
class WarpGrid:
    """Fields over pictures of one shape (H, W), given by their values at nodes in the middle of large cells."""

    shape: tuple[int, int]

    @cached_property
    def nodes(self) -> tuple[int, int]:
        """Rows and columns of nodes."""
        longest = max(self.shape)
        return (
            max(3, round(NODES * self.shape[0] / longest)),
            max(3, round(NODES * self.shape[1] / longest)),
        )

    @property
    def num_nodes(self) -> int:
        return self.nodes[0] * self.nodes[1]

    @cached_property
    def precision(self) -> NDArray[np.float64]:
        """(M, M) inverse covariance of the M nodes' values: a Gaussian process about zero.

        Away from all evidence the field returns to zero; one bent as little as possible would go on in a straight
        line.
        """
        places = np.stack(np.meshgrid(*(np.arange(count) for count in self.nodes), indexing="ij"), -1)
        places = places.reshape(-1, 2)
        squares = ((places[:, None] - places[None]) ** 2).sum(-1)
        reach = LENGTH * max(self.nodes)
        covariance = SPREAD**2 * (np.exp(-squares / (2 * reach**2)) + RIDGE**2 * np.eye(len(places)))
        precision: NDArray[np.float64] = np.linalg.inv(covariance)
        return precision

    def bilinear(self, pixels: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Four nodes (K, 4) around each of the pixels (K, 2) and their shares (K, 4)."""
        places = pixels[:, ::-1] / np.array(self.shape) * self.nodes - 0.5
        places = np.clip(places, 0, np.array(self.nodes) - 1.000001)
        low = np.floor(places).astype(np.int64)
        a, b = (places - low).T
        first = low[:, 0] * self.nodes[1] + low[:, 1]
        index = np.stack([first, first + 1, first + self.nodes[1], first + self.nodes[1] + 1], 1)
        return index, np.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], 1)

    def field(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """(H, W) the smooth field with these values (M,) at the nodes."""
        zoom = [(self.shape[k] + 1e-6) / self.nodes[k] for k in (0, 1)]
        grown: NDArray[np.float64] = ndimage.zoom(
            values.reshape(self.nodes), zoom, order=3, mode="nearest", grid_mode=True
        )
        return grown[: self.shape[0], : self.shape[1]].astype(np.float32)
