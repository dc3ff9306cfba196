"""One view while it is edited: its geometry and what all views know together, made when an effect asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.editor import SceneView
from recon.dn2n.editors.scene_frame import SceneFrame
from recon.dn2n.editors.surfel_drawing import spread
from recon.dn2n.editors.surfels import Surfels, pooled_surfels, thinned
from recon.dn2n.editors.view_geometry import (
    ViewGeometry,
    moved_onto,
    view_geometry,
    world_normals,
)
from recon.dn2n.world_noise import fractal_noise

Float = NDArray[np.float32]

BASE = 1 / 70  # of the picture's longer side: the surfels that normals come from
_LARGE = 600  # pixels of the longer side, from which on a third of them is enough for what is smooth
_NEAR = 0.04  # of the distance: how far a plane may be from the view's own depth
_ENOUGH = 0.02  # weight of surfels at a pixel, below which the view's own depth counts


class Worksheet:
    """view, frame: what is edited. surfels: of all views by the size of their cells (a fraction of the picture); where
    one is missing it is made of this view alone. seed: of patterns."""

    def __init__(
        self, view: SceneView, frame: SceneFrame, surfels: Mapping[float, Surfels], seed: int
    ) -> None:
        self.view, self.frame, self.seed = view, frame, seed
        self._surfels = dict(surfels)

    def surfels(self, fraction: float) -> Surfels:
        """Patches about so large in the picture."""
        if fraction not in self._surfels:
            self._surfels |= pooled_surfels([self.view], self.frame, [fraction], self.seed)
        return self._surfels[fraction]

    @cached_property
    def own_geometry(self) -> ViewGeometry:
        """By this view's own depth."""
        return view_geometry(self.view, self.frame.far_depth)

    @cached_property
    def geometry(self) -> ViewGeometry:
        """By the planes of all views' surfels, so that a pattern lies at the same place in all views even where their
        depths differ a little; by the view's own depth where there is no such plane near."""
        if not self._surfels:
            return self.own_geometry
        blended, weight = self._base
        planes = np.ascontiguousarray(blended[..., [0, 1, 2, 6]])
        return moved_onto(self.own_geometry, planes, weight > _ENOUGH, _NEAR)

    @cached_property
    def _base(self) -> tuple[Float, Float]:
        """(H, W, 7) blended normals and colours of surfels, and n · (place − eye), those of sure normals more; and the
        blend's weight. Made at half the picture's size or less: it is smooth."""
        step = 2 if max(self.view.depth.shape) < _LARGE else 3
        base, thin = self.surfels(BASE), thinned(self.view, step)
        geometry = view_geometry(thin, self.frame.far_depth)
        heights = ((base.positions - geometry.eye.astype(np.float32)) * base.normals).sum(1, keepdims=True)
        sure = np.maximum(base.certainties, 1e-3)[:, None]
        values = np.concatenate([base.normals * sure, base.colors, heights * sure], 1).astype(np.float32)
        blended, weight = spread(base, values, thin, geometry)
        return _enlarged(np.concatenate([blended, weight[..., None]], -1), self.view.depth.shape, step)

    @cached_property
    def normals(self) -> Float:
        """(H, W, 3) unit, in the world: what all views say together, this view alone where they say nothing."""
        blended, weight = self._base
        normals = blended[..., :3]
        missing = weight < _ENOUGH
        if missing.mean() > 0.01:
            normals = np.where(missing[..., None], world_normals(self.view, self.own_geometry), normals)
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


def _enlarged(channels: Float, shape: tuple[int, ...], step: int) -> tuple[Float, Float]:
    """(h, w, C + 1) of every so many pixels, from the first on, at (H, W): C channels and the last one."""
    height, width = shape
    rows, columns = (np.arange(size, dtype=np.float32) / step for size in (height, width))
    x, y = np.meshgrid(columns, rows)
    large = [
        cv2.remap(channels[..., start : start + 4], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for start in range(0, channels.shape[2], 4)
    ]
    joined = np.concatenate(large, -1)
    return joined[..., :-1], joined[..., -1]


def scene_axes(frame: SceneFrame) -> Float:
    """(3, 3) rows right, up, forward: up is the scene's, forward from the cameras' middle to what they look at."""
    up = frame.up / max(float(np.linalg.norm(frame.up)), 1e-9)
    forward = frame.target_centre - frame.centre
    forward = forward - up * (forward @ up)
    if np.linalg.norm(forward) < 0.05 * frame.target_size:  # cameras all around: any direction is as good
        forward = np.eye(3)[np.argmin(np.abs(up))]
        forward = forward - up * (forward @ up)
    forward = forward / np.linalg.norm(forward)
    return np.asarray(np.stack([np.cross(forward, up), up, forward]), np.float32)
