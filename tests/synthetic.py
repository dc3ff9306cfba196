"""Shapes whose answer is a formula: signed distances, meshes and cross-sections made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from recon.slicing import arbitrary_planes, parallel_planes, slice_mesh
from recon.surface import extract_surface
from render.cross_sections import CrossSections
from render.frame import Frame
from render.mesh import TriangleMesh

Points = NDArray[np.float64]  # (N, 3)
Distances = NDArray[np.float64]  # (N,)


@dataclass(frozen=True)
class Shape:
    """A solid in the box [-1, 1]³.

    sdf: (N, 3) points → (N,) signed distance, negative inside; exact near the surface unless `is_exact` is
    False, where only its sign and zero are right. genus: holes through it. volume: None where no formula is known.
    """

    name: str
    sdf: Callable[[Points], Distances]
    genus: int
    num_components: int = 1
    volume: float | None = None
    is_exact: bool = True


def _sphere_at(center: tuple[float, float, float], radius: float) -> Callable[[Points], Distances]:
    return lambda x: np.asarray(np.linalg.norm(x - np.array(center), axis=1) - radius)


def _torus(x: Points) -> Distances:
    ring = np.hypot(x[:, 0], x[:, 1]) - 0.6
    return np.asarray(np.hypot(ring, x[:, 2]) - 0.25)


def _box_with_hole(x: Points) -> Distances:
    """A box of half sides 0.7, 0.5, 0.6 with a cylinder of radius 0.25 drilled through along Y."""
    beyond = np.abs(x) - np.array([0.7, 0.5, 0.6])
    box = np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(1), 0)
    return np.asarray(np.maximum(box, 0.25 - np.hypot(x[:, 0], x[:, 2])))


def _two_spheres(x: Points) -> Distances:
    return np.minimum(_sphere_at((-0.45, 0, 0), 0.35)(x), _sphere_at((0.45, 0.1, 0), 0.3)(x))


def _nested_spheres(x: Points) -> Distances:
    """A hollow ball with a smaller ball floating in its cavity: an island inside a hole on every plane."""
    shell = np.abs(np.linalg.norm(x, axis=1) - 0.65) - 0.15
    return np.asarray(np.minimum(shell, np.linalg.norm(x, axis=1) - 0.25))


@lru_cache(maxsize=1)
def _knot_curve() -> cKDTree:
    t = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    reach = np.cos(3 * t) + 2
    curve = np.stack([reach * np.cos(2 * t), reach * np.sin(2 * t), -1.2 * np.sin(3 * t)], axis=1)
    return cKDTree(curve * 0.8 / np.abs(curve).max())


def _torus_knot(x: Points) -> Distances:
    """A tube of radius 0.085 along a (2, 3) torus knot."""
    return np.asarray(_knot_curve().query(x)[0] - 0.085)


def _capsule(x: Points, start: Points, end: Points, radii: tuple[float, float]) -> Distances:
    """A bone from start to end whose radius goes from the first of radii to the second."""
    share = np.clip((x - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
    return np.asarray(
        np.linalg.norm(x - start - share[:, None] * (end - start), axis=1)
        - (radii[0] + (radii[1] - radii[0]) * share)
    )


def _blend(a: Distances, b: Distances, width: float) -> Distances:
    """The union of two solids with a fillet."""
    share = np.clip(0.5 + 0.5 * (b - a) / width, 0, 1)
    return np.asarray(b + (a - b) * share - width * share * (1 - share))


_FINGERS = (
    ((-0.26, 0.05, 0.0), (-0.42, 0.62, 0.05), (0.085, 0.06)),
    ((-0.09, 0.12, 0.0), (-0.12, 0.80, 0.0), (0.088, 0.062)),
    ((0.08, 0.12, 0.0), (0.15, 0.76, -0.03), (0.086, 0.06)),
    ((0.24, 0.05, 0.0), (0.40, 0.56, -0.05), (0.08, 0.05)),
    ((0.22, -0.35, 0.02), (0.62, -0.02, 0.22), (0.095, 0.07)),
)


def _fingers(x: Points) -> Distances:
    """An open hand: a flat palm, five tapering fingers, a wrist."""
    palm = _capsule(x, np.array([0, -0.45, 0]), np.array([0, -0.1, 0]), (0.3, 0.3))
    solid = np.maximum(palm, np.abs(x[:, 2]) - 0.16)
    for start, end, radii in _FINGERS:
        solid = _blend(solid, _capsule(x, np.array(start), np.array(end), radii), 0.06)
    wrist = _capsule(x, np.array([0, -0.55, 0]), np.array([0, -0.77, 0]), (0.19, 0.21))
    return _blend(solid, wrist, 0.08)


def _gear(x: Points) -> Distances:
    """A tilted gear of twelve teeth with an axle hole and five holes around it."""
    x = x @ Rotation.from_euler("xyz", [0.35, 0.22, 0.5]).as_matrix()
    reach = np.hypot(x[:, 0], x[:, 1])
    tooth = np.clip(4 * np.cos(12 * np.arctan2(x[:, 1], x[:, 0])), -1, 1)
    solid = np.maximum((reach - 0.72 - 0.09 * tooth) * 0.8, np.abs(x[:, 2]) - 0.14)
    solid = np.maximum(solid, 0.2 - reach)
    for turn in 2 * np.pi * np.arange(5) / 5:
        hole = 0.105 - np.hypot(x[:, 0] - 0.42 * np.cos(turn), x[:, 1] - 0.42 * np.sin(turn))
        solid = np.maximum(solid, hole)
    return np.asarray(solid)


SPHERE = Shape("sphere", _sphere_at((0, 0, 0), 0.7), 0, volume=4 / 3 * np.pi * 0.7**3)
TORUS = Shape("torus", _torus, 1, volume=2 * np.pi**2 * 0.6 * 0.25**2)
BOX_WITH_HOLE = Shape("box with hole", _box_with_hole, 1, volume=0.84 * 2 - np.pi * 0.25**2 * 1.0)
TWO_SPHERES = Shape("two spheres", _two_spheres, 0, 2, volume=4 / 3 * np.pi * (0.35**3 + 0.3**3))
NESTED_SPHERES = Shape(
    "nested spheres", _nested_spheres, 0, 3, volume=4 / 3 * np.pi * (0.8**3 - 0.5**3 + 0.25**3)
)
TORUS_KNOT = Shape("torus knot", _torus_knot, 1)
FINGERS = Shape("fingers", _fingers, 0, is_exact=False)
GEAR = Shape("gear", _gear, 6, is_exact=False)

SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        SPHERE, TORUS, BOX_WITH_HOLE, TWO_SPHERES, NESTED_SPHERES, TORUS_KNOT, FINGERS, GEAR,
    )
}  # fmt: skip


def field_of(shape: Shape, resolution: int = 96) -> tuple[NDArray[np.float32], Points, float]:
    """(field, origin, spacing): the shape's signed distance at resolution³ points of the box [-1, 1]³."""
    axis = np.linspace(-1, 1, resolution)
    layers = []
    for x in axis:
        points = np.stack(np.meshgrid([x], axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
        layers.append(shape.sdf(points).astype(np.float32).reshape(resolution, resolution))
    return np.stack(layers), np.full(3, -1.0), float(axis[1] - axis[0])


@lru_cache(maxsize=64)
def mesh_of(shape: Shape, resolution: int = 96) -> TriangleMesh:
    """The shape's surface, closed, wound outward; the same object for the same arguments."""
    return extract_surface(*field_of(shape, resolution))


def unit_cube(frame: Frame = Frame()) -> TriangleMesh:
    """The cube from (0, 0, 0) to (1, 1, 1): 8 vertices, 12 faces."""
    corners = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [triangle for a, b, c, d in quads for triangle in ((a, b, c), (a, c, d))]
    return TriangleMesh(corners, np.array(faces, np.int32), frame=frame)


def planes_of(mesh: TriangleMesh, n: int, kind: str, seed: int) -> tuple[Points, Distances]:
    """(normals, offsets) of n planes through the mesh; kind "parallel" (longest side) or "arbitrary"."""
    if kind == "parallel":
        return parallel_planes(mesh, n)
    if kind == "arbitrary":
        return arbitrary_planes(mesh, n, seed)
    raise ValueError(f"planes are parallel or arbitrary, not {kind}")


@lru_cache(maxsize=64)
def slices_of(
    shape: Shape, n: int, kind: str = "parallel", seed: int = 3, resolution: int = 96
) -> CrossSections:
    """n cross-sections of the shape's mesh, one label."""
    mesh = mesh_of(shape, resolution)
    return slice_mesh(mesh, planes_of(mesh, n, kind, seed))


def labelled_slices_of(
    shapes: Mapping[int, Shape], n: int, kind: str = "parallel", seed: int = 3, resolution: int = 96
) -> CrossSections:
    """Several shapes cut by the same n planes, which are laid through the first; each has its own label."""
    meshes = {label: mesh_of(shape, resolution) for label, shape in shapes.items()}
    planes = planes_of(next(iter(meshes.values())), n, kind, seed)
    cuts = {label: slice_mesh(mesh, planes) for label, mesh in meshes.items()}
    return CrossSections.from_planes(
        [
            (normal, offset, [(loop.points, k) for k, cut in cuts.items() for loop in cut.plane(i).loops])
            for i, (normal, offset) in enumerate(zip(*planes, strict=True))
        ],
        label_names={label: shape.name for label, shape in shapes.items()},
    )
