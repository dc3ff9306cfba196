"""One view while it is edited: its geometry and what all views know together, made when an effect asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.appearance import luminance
from recon.dn2n.editors.editor import SceneView
from recon.dn2n.editors.scene_frame import SceneFrame
from recon.dn2n.editors.surfel_drawing import spread
from recon.dn2n.editors.surfels import Surfels, pooled_surfels
from recon.dn2n.editors.view_geometry import ViewGeometry, view_geometry, world_normals
from recon.dn2n.training.world_noise import fractal_noise

Float = NDArray[np.float32]

BASE = 1 / 70  # of the picture's longer side: the surfels that normals come from
_ENOUGH = 0.02  # weight of surfels at a pixel, below which the view's own depth counts


class Worksheet:
    """view, frame: what is edited. surfels: of all views by the size of their cells (a fraction of the picture); where
    one is missing it is made of this view alone. seed: of patterns."""

    def __init__(self, view: SceneView, frame: SceneFrame, surfels: Mapping[float, Surfels], seed: int) -> None:
        self.view, self.frame, self.seed = view, frame, seed
        self._surfels = dict(surfels)

    def surfels(self, fraction: float) -> Surfels:
        """Patches about so large in the picture."""
        if fraction not in self._surfels:
            self._surfels[fraction] = pooled_surfels([self.view], self.frame, fraction, self.seed)
        return self._surfels[fraction]

    @cached_property
    def geometry(self) -> ViewGeometry:
        return view_geometry(self.view, self.frame.far_depth)

    @cached_property
    def _base(self) -> tuple[Float, Float]:
        """(H, W, 7) blended normals, colours and luminance of surfels, and the blend's weight."""
        base = self.surfels(BASE)
        values = np.concatenate([base.normals, base.colors, luminance(base.colors)[:, None]], 1)
        return spread(base, np.asarray(values, np.float32), self.view, self.geometry.points)

    @cached_property
    def normals(self) -> Float:
        """(H, W, 3) unit, in the world: what all views say together, this view alone where they say nothing."""
        blended, weight = self._base
        normals = blended[..., :3]
        missing = weight < _ENOUGH
        if missing.mean() > 0.01:
            normals = np.where(missing[..., None], world_normals(self.view, self.geometry), normals)
        length = np.sqrt(np.einsum("...i,...i->...", normals, normals))
        return np.asarray(normals / np.maximum(length, 1e-6)[..., None], np.float32)

    @cached_property
    def pooled_colors(self) -> Float:
        """(H, W, 3) what all views see there, softly."""
        blended, weight = self._base
        return np.where((weight < _ENOUGH)[..., None], self.view.rgb, blended[..., 3:6])

    @cached_property
    def upness(self) -> Float:
        """(H, W) 1 on floors, 0 on walls, −1 on ceilings."""
        return np.asarray(self.normals @ self.frame.up.astype(np.float32), np.float32)

    @cached_property
    def axes(self) -> Float:
        """(3, 3) rows right, up, forward of the scene as most cameras look at it."""
        return scene_axes(self.frame)

    @cached_property
    def local(self) -> Float:
        """(H, W, 3) right, up, forward of the target's middle, in its sizes."""
        points = self.geometry.points - self.frame.target_centre.astype(np.float32)
        return np.asarray(points @ (self.axes.T / np.float32(self.frame.target_size)), np.float32)

    def noise(self, size: float, octaves: int = 3, salt: int = 0) -> Float:
        """(H, W) noise 0 … 1 in the world with features of that size in the world's unit."""
        points = (self.geometry.points - self.frame.target_centre.astype(np.float32)) / np.float32(size)
        return self.noise_at(points, octaves, salt)

    def noise_at(self, points: Float, octaves: int = 3, salt: int = 0) -> Float:
        """(H, W) noise 0 … 1 at points in any unit, with features of one unit."""
        return fractal_noise(points, octaves, (self.seed * 1009 + salt) % 2**31)


def scene_axes(frame: SceneFrame) -> Float:
    """(3, 3) rows right, up, forward: up is the scene's, forward from the cameras' middle to what they look at."""
    up = frame.up / max(np.linalg.norm(frame.up), 1e-9)
    forward = frame.target_centre - frame.centre
    forward = forward - up * (forward @ up)
    if np.linalg.norm(forward) < 0.05 * frame.target_size:  # cameras all around: any direction is as good
        forward = np.eye(3)[np.argmin(np.abs(up))]
        forward = forward - up * (forward @ up)
    forward = forward / np.linalg.norm(forward)
    return np.asarray(np.stack([np.cross(forward, up), up, forward]), np.float32)
