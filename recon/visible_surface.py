"""How near a surface is to a reference where cameras see them: what a person can judge of a room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.metrics import raycasting_scene, sample_surface
from render.cameras import CameraSet
from render.mesh import TriangleMesh

NUM_POINTS = 60_000
NEAREST = 0.05  # of the world's unit, before a camera
PART_REACH = 3.0  # tolerances: how far a point may be from a part whose precision it counts for


class VisibleSurface:
    """What the cameras see of a reference mesh, to measure others by.

    tolerances: distances in the world's unit by name. parts: named groups of the reference's faces, (F,) bool.
    is_visible tolerates `slack` world units of depth. Distances go from points to triangles, so that no density of
    samples limits them (a room at 530 samples a square metre shows 2.6 cm where 0.7 cm are true).
    """

    def __init__(
        self,
        reference: TriangleMesh,
        cameras: CameraSet,
        tolerances: Mapping[str, float],
        parts: Mapping[str, NDArray[np.bool_]] | None = None,
        slack: float = 0.012,
        seed: int = 0,
    ) -> None:
        self._cameras, self._tolerances, self._slack = cameras, dict(tolerances), slack
        self._scene = raycasting_scene(reference)
        self._normals = _unit(reference.face_cross_products)
        self._parts = dict(parts or {})
        rng = np.random.default_rng(seed)
        points, faces = sample_surface(reference, 3 * NUM_POINTS, rng)
        kept = np.nonzero(self.is_visible(self._scene, points))[0][:NUM_POINTS]
        self._points, self._point_normals = points[kept], self._normals[faces[kept]]
        self._part_points = {name: self._seen_points(reference, of, rng) for name, of in self._parts.items()}

    def _seen_points(
        self, reference: TriangleMesh, of: NDArray[np.bool_], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        part = TriangleMesh(reference.vertices, reference.faces[of])
        points, _ = sample_surface(part, NUM_POINTS // 4, rng)
        return points[self.is_visible(self._scene, points)]

    def is_visible(self, scene: Any, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of the points (P, 3) some camera sees past the surface in `scene`."""
        visible = np.zeros(len(points), bool)
        for i in range(len(self._cameras)):
            rest = np.nonzero(~visible)[0]
            rest = rest[_is_in_picture(self._cameras, i, points[rest])]
            rays = points[rest] - self._cameras.positions[i]
            distance = np.linalg.norm(rays, axis=1)
            origins = np.broadcast_to(self._cameras.positions[i], rays.shape)
            packed = np.concatenate([origins, rays / distance[:, None]], 1).astype(np.float32)
            hit = scene.cast_rays(packed, nthreads=1)["t_hit"].numpy()
            visible[rest[hit > distance - self._slack]] = True
        return visible

    def compare(self, mesh: TriangleMesh, seed: int = 1) -> dict[str, float]:
        """Figures of a mesh in percent and, for accuracy and completeness, in world units.

        accuracy: mean distance of its visible points from the reference; completeness: the other way. precision_T,
        recall_T, f_T for each tolerance T; nc: normal consistency, the mean |cosine| both ways. For each part P
        recall_T_P and f_T_P; precision of a part over points whose nearest triangle is of it, 3 tolerances at most
        away. Zeros for a mesh of which nothing is visible.
        """
        scene, normals = raycasting_scene(mesh), _unit(mesh.face_cross_products)
        if not mesh.area:
            return self._nothing()
        points, faces = sample_surface(mesh, 2 * NUM_POINTS, np.random.default_rng(seed))
        seen = self.is_visible(scene, points)
        points, own_normals = points[seen], normals[faces[seen]]
        if not len(points):
            return self._nothing()
        to_reference, nearest = _closest(self._scene, points)
        to_mesh, nearest_own = _closest(scene, self._points)
        agreement = np.abs((own_normals * self._normals[nearest]).sum(1)).mean()
        agreement += np.abs((self._point_normals * normals[nearest_own]).sum(1)).mean()
        figures = {"accuracy": to_reference.mean(), "completeness": to_mesh.mean(), "nc": 50 * agreement}
        for name, tolerance in self._tolerances.items():
            figures |= _scores(to_reference, to_mesh, tolerance, name)
        for part, of in self._parts.items():
            distance, _ = _closest(scene, self._part_points[part])
            for name, tolerance in self._tolerances.items():
                reach = PART_REACH * max(self._tolerances.values())
                mine = to_reference[of[nearest] & (to_reference < reach)]
                figures |= _scores(mine, distance, tolerance, f"{name}_{part}")
        return {name: float(value) for name, value in figures.items()}

    def _nothing(self) -> dict[str, float]:
        names = [*self._tolerances, *(f"{t}_{p}" for p in self._parts for t in self._tolerances)]
        figures = {f"{kind}_{name}": 0.0 for name in names for kind in ("precision", "recall", "f")}
        return {"accuracy": float("inf"), "completeness": float("inf"), "nc": 0.0, **figures}


def _is_in_picture(cameras: CameraSet, index: int, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    pose = cameras.cam_from_world[index]
    x, y, z = (points @ pose[:3, :3].T + pose[:3, 3]).T
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = np.stack([x, y], 1) / z[:, None] * cameras.focal[index] + cameras.center[index]
        inside: NDArray[np.bool_] = (z > NEAREST) & ((pixels > 0) & (pixels < cameras.size[index])).all(1)
    return inside


def _closest(scene: Any, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distances of points (P, 3) from a surface and the nearest faces (P,)."""
    points = np.asarray(points, np.float64)
    if not len(points):
        return np.zeros(0), np.zeros(0, np.int64)
    found = scene.compute_closest_points(points.astype(np.float32), nthreads=1)
    distance = np.linalg.norm(found["points"].numpy() - points, axis=1)
    return distance, found["primitive_ids"].numpy().astype(np.int64)


def _scores(
    to_reference: NDArray[np.float64], to_mesh: NDArray[np.float64], tolerance: float, name: str
) -> dict[str, float]:
    precision = 100 * (to_reference < tolerance).mean() if len(to_reference) else 0.0
    recall = 100 * (to_mesh < tolerance).mean() if len(to_mesh) else 0.0
    both = precision + recall
    f = 2 * precision * recall / both if both else 0.0
    return {f"precision_{name}": precision, f"recall_{name}": recall, f"f_{name}": f}


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float64] = vectors / np.maximum(length, 1e-20)
    return unit
