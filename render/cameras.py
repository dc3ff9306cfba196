"""Pinhole cameras."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.frozen import Frozen
from render.transforms import Similarity3


@dataclass(frozen=True, eq=False)
class CameraSet(Frozen):
    """N pinhole cameras; axes are OpenCV's: +X right, +Y down, +Z forward.

    cam_from_world: (N, 4, 4) float64, a rotation and a translation in the world's unit. focal, center: (N, 2)
    float64 pixels; the centre of the first pixel is (0.5, 0.5). size: (N, 2) int64 width, height in pixels.
    Raises ValueError for a pose that is no rotation, a focal length or a size that is not positive.
    """

    cam_from_world: NDArray[np.float64]
    focal: NDArray[np.float64]
    center: NDArray[np.float64]
    size: NDArray[np.int64]

    def __post_init__(self) -> None:
        poses = self._own("cam_from_world", np.float64, (None, 4, 4))
        count = len(poses)
        focal = self._own("focal", np.float64, (count, 2))
        self._own("center", np.float64, (count, 2))
        size = self._own("size", np.int64, (count, 2))
        rotations = poses[:, :3, :3]
        if not np.allclose(rotations @ rotations.transpose(0, 2, 1), np.eye(3), atol=1e-5):
            raise ValueError("cam_from_world must hold rotations")
        if (np.linalg.det(rotations) < 0).any() or not np.allclose(poses[:, 3], [0, 0, 0, 1]):
            raise ValueError("cam_from_world must hold proper rigid motions")
        if (focal <= 0).any() or (size <= 0).any():
            raise ValueError("focal lengths and sizes must be positive")

    def __len__(self) -> int:
        return len(self.cam_from_world)

    @property
    def world_from_cam(self) -> NDArray[np.float64]:
        """(N, 4, 4) inverse poses; the last column is the camera's centre."""
        inverse = np.tile(np.eye(4), (len(self), 1, 1))
        rotations = self.cam_from_world[:, :3, :3].transpose(0, 2, 1)
        inverse[:, :3, :3] = rotations
        inverse[:, :3, 3] = -np.einsum("nij,nj->ni", rotations, self.cam_from_world[:, :3, 3])
        return inverse

    @property
    def positions(self) -> NDArray[np.float64]:
        """(N, 3) centres of projection in the world."""
        return self.world_from_cam[:, :3, 3]

    def select(self, indices: NDArray[np.integer]) -> CameraSet:
        """Only these cameras, in this order."""
        return CameraSet(
            self.cam_from_world[indices], self.focal[indices], self.center[indices], self.size[indices]
        )

    def resized(self, sizes: NDArray[np.integer]) -> CameraSet:
        """The same views on other pixel grids. sizes: (N, 2) width, height."""
        factor = np.asarray(sizes, np.float64) / self.size
        return CameraSet(self.cam_from_world, self.focal * factor, self.center * factor, np.asarray(sizes))

    def transformed(self, b_from_a: Similarity3) -> CameraSet:
        """The cameras in frame b, where the world's points went by `b_from_a`."""
        world_from_cam = self.world_from_cam
        rotations = b_from_a.rotation @ world_from_cam[:, :3, :3]
        positions = b_from_a.apply(world_from_cam[:, :3, 3])
        poses = np.tile(np.eye(4), (len(self), 1, 1))
        poses[:, :3, :3] = rotations.transpose(0, 2, 1)
        poses[:, :3, 3] = -np.einsum("nji,nj->ni", rotations, positions)
        return CameraSet(poses, self.focal, self.center, self.size)


def limited_size(size: Iterable[float], longest: int) -> tuple[int, int]:
    """Width and height in pixels of the same shape, the longer side at most `longest`."""
    width, height = (float(side) for side in size)
    factor = min(1.0, longest / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def pixel_rays(
    cameras: CameraSet, indices: NDArray[np.integer], pixels: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rays through pixels. indices: (R,) cameras. pixels: (R, 2) x, y. Returns rays_o, rays_d (R, 3), rays_d
    of unit length, in the world."""
    in_cam = np.ones((len(pixels), 3))
    in_cam[:, :2] = (pixels - cameras.center[indices]) / cameras.focal[indices]
    in_cam /= np.linalg.norm(in_cam, axis=1, keepdims=True)
    rotations = cameras.cam_from_world[:, :3, :3][indices]
    return cameras.positions[indices], np.einsum("nji,nj->ni", rotations, in_cam)
