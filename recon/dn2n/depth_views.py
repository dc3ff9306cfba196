"""Views whose depth is known: which of them see the same, and where a pixel of one lies in another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.view_kernels import disagreements, overlaps
from render.cameras import CameraSet

Float = NDArray[np.float32]

PROBES = 12  # along the longer side: the pixels that tell how much two views share
NARROW = 0.35  # radians between the directions to a point, beyond which views count less as neighbours


@dataclass(frozen=True, eq=False)
class DepthViews:
    """N views of one size. cameras: their pinholes. depths: (N, H, W) float32 z-depth, 0 where unknown.

    tolerance: how far, of the depth, two views may differ about one surface.
    """

    cameras: CameraSet
    depths: Float
    tolerance: float = 0.03

    def __len__(self) -> int:
        return len(self.depths)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.depths.shape[2], self.depths.shape[1]

    def select(self, indices: NDArray[np.integer]) -> DepthViews:
        """Only these views."""
        return DepthViews(self.cameras.select(indices), self.depths[indices], self.tolerance)

    def within(self, longest: int) -> DepthViews:
        """The same views, no longer than so many pixels; each depth is that of the pixel in the middle."""
        width, height = self.size
        factor = min(1.0, longest / max(width, height))
        if factor == 1.0:
            return self
        size = max(2, round(width * factor)), max(2, round(height * factor))
        x = ((np.arange(size[0]) + 0.5) * width / size[0]).astype(np.int64)
        y = ((np.arange(size[1]) + 0.5) * height / size[1]).astype(np.int64)
        cameras = self.cameras.resized(np.tile(size, (len(self), 1)))
        return DepthViews(cameras, np.ascontiguousarray(self.depths[:, y[:, None], x]), self.tolerance)

    @cached_property
    def pairs(self) -> tuple[Float, Float]:
        """(N, N, 3, 3), (N, N, 3): pixel (u, v) of view i at depth z is z A (u, v, 1) + b in view j, which is its
        pixel times its depth there."""
        cameras = self.cameras
        inner = np.zeros((len(self), 3, 3))
        inner[:, [0, 1], [0, 1]], inner[:, :2, 2], inner[:, 2, 2] = cameras.focal, cameras.center, 1
        j_from_i = cameras.cam_from_world[None] @ cameras.world_from_cam[:, None]
        turns = inner[None] @ j_from_i[..., :3, :3] @ np.linalg.inv(inner)[:, None]
        shifts = (inner[None] @ j_from_i[..., :3, 3:])[..., 0]
        return np.ascontiguousarray(turns, np.float32), np.ascontiguousarray(shifts, np.float32)

    @cached_property
    def shared(self) -> tuple[Float, Float]:
        """(N, N) share of view i's pixels that view j sees too, and (N, N) mean radians between their rays there."""
        small = self.within(4 * PROBES)
        cameras = small.cameras
        lens = np.concatenate([cameras.focal, cameras.center], 1).astype(np.float32)
        centres = np.einsum("iab,jb->ija", cameras.cam_from_world[:, :3, :3], cameras.positions)
        centres += cameras.cam_from_world[:, None, :3, 3]
        step = max(1, max(small.size) // PROBES)
        tolerance = np.float32(max(self.tolerance, 0.05))
        found: tuple[Float, Float] = overlaps(
            small.depths, *small.pairs, lens, centres.astype(np.float32), tolerance, step
        )
        return found

    def median_disagreement(self) -> float:
        """How far, of the depth, nearest views differ about surfaces that both see: the median."""
        small, found = self.within(4 * PROBES), []
        turns, shifts = small.pairs
        for i, j in enumerate(self.neighbours(1)[:, 0]):
            if j >= 0:
                found.append(
                    disagreements(small.depths[i], small.depths[j], turns[i, j], shifts[i, j], self.tolerance)
                )
        known = np.concatenate(found) if found else np.zeros(0)
        return float(np.median(known)) if len(known) else self.tolerance

    def neighbours(self, count: int) -> NDArray[np.int64]:
        """(N, K) K <= count other views that share most with each, near ones first; -1 where there is none."""
        share, angle = self.shared
        worth = share * np.exp(-((angle / NARROW) ** 2)) + 1e-3 * share
        np.fill_diagonal(worth, -1)
        count = min(count, len(self) - 1)
        order = np.argsort(-worth, axis=1, kind="stable")[:, :count]
        return np.where(np.take_along_axis(worth, order, 1) > 0, order, -1).astype(np.int64)


def scaled(pictures: Float, size: tuple[int, int]) -> Float:
    """(N, h, w, 3) by area averaging. size: width, height."""
    if (pictures.shape[2], pictures.shape[1]) == size:
        return pictures
    return np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures])
