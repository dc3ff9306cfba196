"""A scene given by pictures with depth: drawn from anywhere by blending those that see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.cameras import CameraSet
from render.frame import Frame
from render.frozen import Frozen
from render.transforms import Similarity3

NOTHING = "nothing"  # what a layout says is behind a scene whose photos are cut out


@dataclass(frozen=True, eq=False)
class ViewField(Frozen):
    """A field that needs no training for its scene: its views are the scene (DN2N, arXiv:2309.04917).

    names: of the N views. cameras: their pinholes, all of one size W, H. pictures: (N, H, W, 3) uint8 sRGB, how the
    scene looks now. originals: the same before any edit. depths: (N, H, W) float32 z-depth in the world's unit, 0
    where unknown. weights: (N,) float32 >= 0, how much each view counts.
    color_map: (X, Y, Z, 12) float32, in each cell of a grid the rows of (3, 4) [A | b], which add A c + b to an
    original colour c within 0 and 1; (0, 0, 0, 12) where pictures are blended instead. world_from_map: (4, 4) float64
    similarity from the numbers of cells (cell i of an axis is centred at i) to the world. network: (P,) float32 parameters of the network that blends, (0,) for
    blending by rule. layout: JSON text on how it was made: prompt, editor, which way was taken, which network.
    sharpness: > 0, of blending by rule: above 1 the best view of a place counts more, below 1 more views do.
    """

    names: tuple[str, ...]
    cameras: CameraSet
    pictures: NDArray[np.uint8]
    originals: NDArray[np.uint8]
    depths: NDArray[np.float32]
    weights: NDArray[np.float32]
    color_map: NDArray[np.float32]
    world_from_map: NDArray[np.float64]
    network: NDArray[np.float32]
    layout: str = "{}"
    frame: Frame = Frame()
    sharpness: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        count = len(self.names)
        pictures = self._own("pictures", np.uint8, (count, None, None, 3))
        height, width = pictures.shape[1:3]
        self._own("originals", np.uint8, (count, height, width, 3))
        self._own("depths", np.float32, (count, height, width))
        self._own("weights", np.float32, (count,))
        self._own("color_map", np.float32, (None, None, None, 12))
        self._own("world_from_map", np.float64, (4, 4))
        self._own("network", np.float32, (None,))
        if len(self.cameras) != count or (self.cameras.size != (width, height)).any():
            raise ValueError("each view needs a camera of the pictures' size")
        if (self.depths < 0).any() or (self.weights < 0).any():
            raise ValueError("depths and weights cannot be negative")
        if not 0 < self.sharpness < np.inf:
            raise ValueError("sharpness must be a positive number")

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of_photos(
        cls, names: Sequence[str], cameras: CameraSet, photos: NDArray[np.uint8], depths: NDArray[np.float32]
    ) -> ViewField:
        """Photos (N, H, W, 3) as they are, blended by rule, each counting as much. depths: (N, H, W)."""
        no_map, no_network = np.zeros((0, 0, 0, 12), np.float32), np.zeros(0, np.float32)
        weights = np.ones(len(names), np.float32)
        return cls(tuple(names), cameras, photos, photos, depths, weights, no_map, np.eye(4), no_network)

    @property
    def is_cut_out(self) -> bool:
        """Whether nothing is where no depth is, rather than sky."""
        return '"behind"' in self.layout and json.loads(self.layout).get("behind") == NOTHING

    @property
    def has_color_map(self) -> bool:
        return self.color_map.size > 0

    @property
    def bounds(self) -> NDArray[np.float64]:
        """(2, 3) of most of what the views see in the world; of the cameras where no depth is known."""
        points = self._some_points()
        if not len(points):
            points = self.cameras.positions
        return np.stack([np.quantile(points, 0.01, axis=0), np.quantile(points, 0.99, axis=0)])

    def transformed(self, b_from_a: Similarity3, frame: Frame) -> ViewField:
        """The scene in frame b, said to be of `frame`."""
        return replace(
            self,
            cameras=self.cameras.transformed(b_from_a),
            depths=self.depths * np.float32(b_from_a.scale),
            world_from_map=b_from_a.matrix @ self.world_from_map,
            frame=frame,
        )

    def _some_points(self) -> NDArray[Any]:
        """(M, 3) world points of a few pixels of every view."""
        step = max(1, min(self.depths.shape[1:]) // 16)
        found = []
        for i, world_from_cam in enumerate(self.cameras.world_from_cam):
            depth = self.depths[i, step // 2 :: step, step // 2 :: step]
            rows, columns = np.nonzero(depth)
            pixels = np.stack([columns, rows], 1) * step + step // 2 + 0.5
            in_cam = np.ones((len(pixels), 3))
            in_cam[:, :2] = (pixels - self.cameras.center[i]) / self.cameras.focal[i]
            in_cam *= depth[rows, columns][:, None]
            found.append(in_cam @ world_from_cam[:3, :3].T + world_from_cam[:3, 3])
        return np.concatenate(found) if found else np.zeros((0, 3))
