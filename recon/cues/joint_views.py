"""What the cues of many views say at a lattice of points in each picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recon.cues.alignment import ReadDepth, apply_line, observed_points, relief, values_at
from recon.cues.depth_steps import DepthSteps, depth_steps
from recon.cues.normals_from_depth import normals_from_depth
from recon.cues.robust_fit import LineFit
from render.images import DepthKind, PosedImages

ReadNormals = Callable[[int], NDArray[np.float32]]

LONGEST = 48  # points of the lattice along the longer side
STEEP = 0.1  # of the depth, within 5 x 5 pixels: beyond, a pixel may belong to something else


class JointViews:
    """N views at a lattice of S points in each picture, and the sparse points that they see.

    pixels: (S, 2), `step` apart in `rows` and `columns`. directions: (N, S, 3) in the world, of z-depth 1. stored:
    (N, S) the cue's numbers. Of views that were looked at: relief (N, S) how much depth varies around, as a share;
    normals (N, S, 3) in the world; steps: how depth climbs by normals that were read, else None; points: pixels,
    depths and stored numbers of the sparse points on flat ground.
    """

    def __init__(
        self, posed: PosedImages, size: tuple[int, int], read: ReadDepth, read_normals: ReadNormals | None
    ) -> None:
        self._posed, self._read, self._read_normals = posed, read, read_normals
        width, height = size
        count = len(posed)
        self.cameras = posed.cameras.resized(np.tile([width, height], (count, 1)))
        self.step = max(1, min(round(max(width, height) / LONGEST), min(width, height) // 3))
        self.rows = np.arange(self.step // 2, height, self.step)
        self.columns = np.arange(self.step // 2, width, self.step)
        x, y = np.meshgrid(self.columns + 0.5, self.rows + 0.5)
        self.pixels = np.stack([x.ravel(), y.ravel()], 1)
        self.directions = self._directions()
        self.stored = np.full((count, len(self.pixels)), np.nan)
        self.relief = np.full((count, len(self.pixels)), np.inf)
        self.normals = np.full((count, len(self.pixels), 3), np.nan)
        self.steps: list[DepthSteps | None] = [None] * count
        self.points: list[tuple[NDArray[np.float64], ...]] = [
            (np.zeros((0, 2)), np.zeros(0), np.zeros(0))
        ] * count

    def look_at(self, i: int, fit: LineFit | None, kind: DepthKind) -> None:
        """Take from view i's cues what the lattice needs, and the sparse points that it sees.

        fit: the line that makes depth of what is stored as `kind`; None as long as it is not known.
        """
        stored = self._read(i)
        self.stored[i] = self._on_lattice(stored)
        if fit is None:
            return
        depth = apply_line(stored, fit, kind)
        steep = relief(depth)
        self.relief[i] = np.nan_to_num(self._on_lattice(steep), nan=np.inf)
        self._take_normals(i, depth)
        pixels, z = observed_points(self._posed, self.cameras, i)
        values = values_at(stored, pixels)
        flat = np.isfinite(values) & (values_at(steep, pixels) < STEEP)
        self.points[i] = pixels[flat], z[flat], values[flat]

    def _directions(self) -> NDArray[np.float64]:
        in_cam = np.ones((len(self.cameras), len(self.pixels), 3))
        in_cam[..., :2] = (self.pixels - self.cameras.center[:, None]) / self.cameras.focal[:, None]
        rotated: NDArray[np.float64] = in_cam @ np.swapaxes(self.cameras.world_from_cam[:, :3, :3], 1, 2)
        return rotated

    def _take_normals(self, i: int, depth: NDArray[np.float32]) -> None:
        """Normals that were read and the steps they tell; those of the depth itself where there are none."""
        lens = self.cameras.focal[i], self.cameras.center[i]
        normals = None if self._read_normals is None else self._read_normals(i)
        if normals is not None:
            self.steps[i] = depth_steps(normals, *lens, self.rows, self.columns)
        if normals is None or not np.isfinite(normals).any():
            normals = normals_from_depth(depth, *lens)
        rotation = self.cameras.world_from_cam[i, :3, :3]
        self.normals[i] = normals[np.ix_(self.rows, self.columns)].reshape(-1, 3) @ rotation.T

    def _on_lattice(self, picture: NDArray[np.float32]) -> NDArray[np.float64]:
        return picture[np.ix_(self.rows, self.columns)].ravel().astype(np.float64)
