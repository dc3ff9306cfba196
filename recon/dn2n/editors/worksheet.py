"""One view while it is edited: its geometry, made when an effect asks for it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.editor import SceneView
from recon.dn2n.editors.scene_frame import SceneFrame
from recon.dn2n.editors.view_geometry import ViewGeometry, view_geometry, world_normals
from recon.dn2n.training.world_noise import fractal_noise

Float = NDArray[np.float32]


class Worksheet:
    """view, frame: what is edited. seed: of patterns."""

    def __init__(self, view: SceneView, frame: SceneFrame, seed: int) -> None:
        self.view, self.frame, self.seed = view, frame, seed

    @cached_property
    def geometry(self) -> ViewGeometry:
        return view_geometry(self.view, self.frame.far_depth)

    @cached_property
    def normals(self) -> Float:
        """(H, W, 3) unit, in the world, looking at the camera."""
        return world_normals(self.view, self.geometry)

    @cached_property
    def upness(self) -> Float:
        """(H, W) 1 on floors, 0 on walls, −1 on ceilings."""
        return np.asarray(self.normals @ self.frame.up.astype(np.float32), np.float32)

    def noise(self, size: float, octaves: int = 3, salt: int = 0) -> Float:
        """(H, W) noise 0 … 1 in the world with features of that size in the world's unit."""
        points = (self.geometry.points - self.frame.target_centre.astype(np.float32)) / np.float32(size)
        return fractal_noise(points, octaves, (self.seed * 1009 + salt) % 2**31)
