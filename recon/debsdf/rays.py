"""Which pixels a training step looks at, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.debsdf.photos import Photos, box_cameras
from render.cameras import CameraSet
from render.transforms import Similarity3


@dataclass(frozen=True)
class Rays:
    """R rays in the box. images: (R,) int64. origins, directions: (R, 3), unit length. depth_factor: (R,) z-depth
    of a unit of distance. rotations: (R, 3, 3) camera from box."""

    images: Tensor
    origins: Tensor
    directions: Tensor
    depth_factor: Tensor
    rotations: Tensor

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Targets:
    """What is known of R rays. rgb: (R, 3) in [0, 1]. depth: (R,) z-depth in box units, 1 where unknown. normals:
    (R, 3) unit in camera axes. depth_weight, normal_weight: (R,), 0 where there is no cue. trust: (R,), 0 where the
    cues contradict other views. places: (R, 2) x, y as shares of the picture."""

    rgb: Tensor
    depth: Tensor
    normals: Tensor
    depth_weight: Tensor
    normal_weight: Tensor
    trust: Tensor
    places: Tensor


class RayCaster:
    """Makes rays of pixels of views, in the box. Views of any size."""

    def __init__(self, cameras: CameraSet, world_from_box: Similarity3, device: str = "cpu") -> None:
        cameras = box_cameras(cameras, world_from_box)
        self._rotation = _tensor(cameras.cam_from_world[:, :3, :3], device)
        self._origin = _tensor(cameras.positions, device)
        self._focal, self._center = _tensor(cameras.focal, device), _tensor(cameras.center, device)

    def cast(self, images: NDArray[np.int64], pixels: NDArray[np.floating]) -> Rays:
        """images: (R,). pixels: (R, 2) x, y, in the cameras' pixels."""
        device = self._origin.device
        view = torch.from_numpy(images).to(device)
        xy = torch.from_numpy(np.asarray(pixels, np.float32)).to(device)
        flat = (xy - self._center[view]) / self._focal[view]
        in_cam = torch.cat([flat, torch.ones_like(flat[:, :1])], 1)
        in_cam = in_cam / in_cam.norm(dim=1, keepdim=True)
        rotations = self._rotation[view]
        directions = torch.einsum("rji,rj->ri", rotations, in_cam)
        return Rays(view, self._origin[view], directions, in_cam[:, 2], rotations)


def _tensor(array: NDArray[np.floating], device: str) -> Tensor:
    return torch.tensor(np.asarray(array, np.float32), device=device)


class TrainingRays:
    """Draws pixels and hands out their rays and targets.

    uniform_share: of the pixels drawn alike; the others are drawn by `guide` once it is switched on.
    """

    def __init__(
        self, photos: Photos, world_from_box: Similarity3, device: str, uniform_share: float
    ) -> None:
        self.photos, self._device, self._uniform_share = photos, device, uniform_share
        self._scale = world_from_box.scale
        self.caster = RayCaster(photos.cameras, world_from_box, device)
        self._pixels = photos.training_pixels()
        count, height, width = photos.is_used.shape
        self._every = len(self._pixels) == count * height * width
        self.guide = RayGuide(photos)

    def draw(self, count: int, is_guided: bool, rng: np.random.Generator) -> NDArray[np.int64]:
        """(R,) flat indices of pixels that train."""
        num_guided = int(count * (1 - self._uniform_share)) if is_guided else 0
        chosen = rng.integers(0, len(self._pixels), count - num_guided)
        uniform = chosen if self._every else self._pixels[chosen]
        return np.concatenate([self.guide.draw(num_guided, rng), uniform]) if num_guided else uniform

    def rays(self, pixels: NDArray[np.int64]) -> Rays:
        """Rays through the pixels' centres."""
        width, height = self.photos.size
        images, rest = np.divmod(pixels, width * height)
        row, column = np.divmod(rest, width)
        return self.caster.cast(images, np.stack([column + 0.5, row + 0.5], 1))

    def targets(self, pixels: NDArray[np.int64]) -> Targets:
        """What photos and cues say of the pixels."""
        photos = self.photos
        rgb = photos.rgb.reshape(-1, 3)[pixels].astype(np.float32) / 255
        trusted = np.ones(len(pixels), np.float32)
        if photos.is_trusted is not None:
            trusted = photos.is_trusted.reshape(-1)[pixels].astype(np.float32)
        depth, depth_weight = np.ones(len(pixels), np.float32), np.zeros(len(pixels), np.float32)
        if photos.depth is not None:
            stored = photos.depth.reshape(-1)[pixels] / np.float32(self._scale)
            known = np.isfinite(stored) & (stored > 0)
            depth, depth_weight = np.where(known, stored, 1).astype(np.float32), known.astype(np.float32)
        normals, normal_weight = np.zeros((len(pixels), 3), np.float32), np.zeros(len(pixels), np.float32)
        if photos.normals is not None:
            stored = photos.normals.reshape(-1, 3)[pixels].astype(np.float32)
            known = np.isfinite(stored).all(1)
            normals, normal_weight = (
                _unit(np.where(known[:, None], stored, [0, 0, -1])),
                known.astype(np.float32),
            )
        places = self.places(pixels).cpu().numpy()
        arrays = (rgb, depth, normals, depth_weight, normal_weight, trusted, places)
        return Targets(*(_tensor(array, self._device) for array in arrays))

    def places(self, pixels: NDArray[np.int64]) -> Tensor:
        """(R, 2) x, y of pixels as shares of their picture."""
        width, height = self.photos.size
        row, column = np.divmod(pixels % (width * height), width)
        return _tensor(np.stack([(column + 0.5) / width, (row + 0.5) / height], 1), self._device)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), np.float32)


class RayGuide:
    """Running uncertainty of cells of 8 x 8 pixels, from the rays already traced; more uncertain ones are drawn
    more often (DebSDF, section 3.4).

    values: (N, h, w) float32, 0 in cells without a pixel that trains. Each view has the same share of the rays.
    """

    CELL = 8
    KEPT = 0.8  # of a cell's value at each look

    def __init__(self, photos: Photos) -> None:
        self._width, self._height = photos.size
        self._is_used = photos.is_used & ~photos.is_held_out[:, None, None]
        rows, columns = -(-self._height // self.CELL), -(-self._width // self.CELL)
        grown = np.zeros((len(photos), rows * self.CELL, columns * self.CELL), bool)
        grown[:, : self._height, : self._width] = self._is_used
        blocks = grown.reshape(len(photos), rows, self.CELL, columns, self.CELL)
        self.values: NDArray[np.float32] = np.where(blocks.any((2, 4)), np.float32(0.1), np.float32(0))

    def _cells(self, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        image, rest = np.divmod(pixels, self._width * self._height)
        row, column = np.divmod(rest, self._width)
        _, rows, columns = self.values.shape
        cells: NDArray[np.int64] = (image * rows + row // self.CELL) * columns + column // self.CELL
        return cells

    def update(self, pixels: NDArray[np.int64], uncertainty: NDArray[np.float32]) -> None:
        """Take the uncertainty (R,) of traced pixels (R,) in."""
        cells = self._cells(pixels)
        touched, place = np.unique(cells, return_inverse=True)
        mean = np.bincount(place, uncertainty) / np.bincount(place)
        flat = self.values.reshape(-1)
        flat[touched] = self.KEPT * flat[touched] + (1 - self.KEPT) * mean

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(R,) flat pixels, uncertain cells more often; pixels that do not train are replaced by others drawn."""
        weights = self.values / np.maximum(self.values.sum((1, 2), keepdims=True), 1e-12)
        mass = np.cumsum(weights.reshape(-1), dtype=np.float64)
        found = self._draw_cells(mass, count, rng)
        for _ in range(20):
            wrong = np.flatnonzero(~self._is_used.reshape(-1)[found])
            if not len(wrong):
                break
            found[wrong] = self._draw_cells(mass, len(wrong), rng)
        return found[self._is_used.reshape(-1)[found]]

    def _draw_cells(
        self, mass: NDArray[np.float64], count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        _, rows, columns = self.values.shape
        cell = np.minimum(np.searchsorted(mass, rng.random(count) * mass[-1]), len(mass) - 1)
        image, rest = np.divmod(cell, rows * columns)
        row, column = np.divmod(rest, columns)
        row = np.minimum(row * self.CELL + rng.integers(0, self.CELL, count), self._height - 1)
        column = np.minimum(column * self.CELL + rng.integers(0, self.CELL, count), self._width - 1)
        pixels: NDArray[np.int64] = (image * self._height + row) * self._width + column
        return pixels
