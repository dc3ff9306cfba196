"""The scene's surfaces as small patches pooled from all views: what is painted on them looks the same from all sides.

Space is cut into the cells of jittered points (a Voronoi pattern that depends on the world and the seed only); all
pixels of all views in one cell make a surfel, with their mean place, normal and colour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.appearance import luminance
from recon.dn2n.editors.editor import SceneView
from recon.dn2n.editors.scene_frame import SceneFrame
from recon.dn2n.editors.surfel_kernels import NUM_SUMS, gather, moved_over
from recon.dn2n.editors.view_geometry import ViewGeometry, view_geometry, world_normals

Float = NDArray[np.float32]

_STEP = 2  # every so many pixels are pooled
_FULLEST = 0.5  # of the table of cells
_BEND = 0.01  # of 1/z, off the mean around it, at which half of a normal's weight is left
_LEAST_TRUST = 0.1  # of the median surfel: less is noise in the air


@dataclass(frozen=True)
class Surfels:
    """M patches, world unit. positions, normals (unit), colors (sRGB), slopes (of luminance along the surface):
    (M, 3) float32. sizes: (M,) of their cells. spreads: (M,) standard deviation of luminance. priorities: (M,) random
    numbers within 0 and 1 that belong to the cell. certainties: (M,) 0 … 1 of the normals."""

    positions: Float
    normals: Float
    colors: Float
    slopes: Float
    sizes: Float
    spreads: Float
    priorities: Float
    certainties: Float

    def __len__(self) -> int:
        return len(self.sizes)


def pooled_surfels(
    views: Iterable[SceneView], frame: SceneFrame, fractions: Iterable[float], seed: int
) -> dict[float, Surfels]:
    """Surfels of all views, for each of the fractions of the picture's longer side that one takes up about."""
    tables = {fraction: _Table(seed) for fraction in fractions}
    for view in views if tables else ():
        thin = thinned(view, _STEP)
        geometry = view_geometry(thin, frame.far_depth)
        footprint = frame.footprint(geometry.points).ravel()
        points = (geometry.points - frame.centre.astype(np.float32)).reshape(-1, 3)
        rgb = thin.rgb.reshape(-1, 3)
        normals = world_normals(thin, geometry).reshape(-1, 3)
        light, trust = luminance(rgb), _trust(normals, geometry)
        normals = normals * _flatness(geometry)[:, None]
        for fraction, table in tables.items():
            lengths = footprint * np.float32(max(view.depth.shape) * frame.pixel * fraction)
            table.add(points, lengths, rgb, normals, light, trust)
    return {fraction: table.surfels(frame) for fraction, table in tables.items()}


def thinned(view: SceneView, step: int) -> SceneView:
    """Every so many pixels of a view, as a view."""
    every = (slice(None, None, step), slice(None, None, step))
    center = (view.center - 0.5) / step + 0.5
    return SceneView(
        view.name, view.rgb[every], view.depth[every], view.mask[every], view.cam_from_world, view.focal / step,
        center, view.up,
    )  # fmt: skip


def _trust(normals: Float, geometry: ViewGeometry) -> Float:
    """(P,) how much a view knows of each surface: little at a grazing angle, as where depth smears over an edge."""
    rays = geometry.points - geometry.eye.astype(np.float32)
    facing = -np.einsum("pi,pi->p", normals, rays.reshape(-1, 3)) / geometry.distance.ravel()
    trust = np.clip((facing - 0.1) / 0.4, 0.01, 1) ** 2
    return np.asarray(np.where(geometry.is_known.ravel(), trust, 0.05 * trust), np.float32)


def _flatness(geometry: ViewGeometry) -> Float:
    """(P,) 0 … 1: beside a bend (1/z is linear on planes) a normal mixes two surfaces."""
    inverse = 1 / geometry.depth
    bend = cv2.dilate(np.abs(cv2.blur(inverse, (3, 3)) - inverse) / inverse, np.ones((5, 5), np.uint8))
    return np.asarray(1 / (1 + (bend.ravel() / _BEND) ** 2), np.float32)


class _Table:
    """Sums by cell, in a hash table that grows."""

    def __init__(self, seed: int) -> None:
        self._seed = np.uint64(seed % 2**31 + 1)
        self._keys = np.zeros(1 << 14, np.uint64)
        self._sums = np.zeros((1 << 14, NUM_SUMS), np.float64)
        self._used = 0

    def add(
        self, points: Float, lengths: Float, rgb: Float, normals: Float, light: Float, trust: Float
    ) -> None:
        start = 0
        while start < len(points):
            start, self._used = gather(
                points, lengths, rgb, normals, light, trust, self._seed, start, self._keys, self._sums, self._used,
                int(len(self._keys) * _FULLEST),
            )  # fmt: skip
            if start < len(points):
                keys = np.zeros(4 * len(self._keys), np.uint64)
                sums = np.zeros((len(keys), NUM_SUMS), np.float64)
                moved_over(self._keys, self._sums, keys, sums)
                self._keys, self._sums = keys, sums

    def surfels(self, frame: SceneFrame) -> Surfels:
        is_used = np.nonzero(self._keys)[0]
        trust = self._sums[is_used, 15]
        is_used = is_used[trust > _LEAST_TRUST * np.median(trust)] if len(is_used) else is_used
        is_used = is_used[np.argsort(self._keys[is_used], kind="stable")]
        sums, keys = self._sums[is_used], self._keys[is_used]
        count = sums[:, 15:]
        mean = sums / count
        places, normals, light = mean[:, 3:6], mean[:, 6:9], mean[:, 12:13]
        slopes = mean[:, 9:12] - light * places
        certainty = np.linalg.norm(normals, axis=1, keepdims=True)
        normals = normals / np.maximum(certainty, 1e-9)
        slopes -= normals * (slopes * normals).sum(1, keepdims=True)
        spread = np.sqrt(np.maximum(mean[:, 13] - light[:, 0] ** 2, 0))
        priority = (keys * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)).astype(np.float32) / 2**24
        columns = (
            places + frame.centre,
            normals,
            mean[:, :3],
            slopes,
            mean[:, 14],
            spread,
            priority,
            certainty[:, 0],
        )
        return Surfels(*(np.ascontiguousarray(column, np.float32) for column in columns))
