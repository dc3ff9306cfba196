"""How near a solid is to a reference, and to the cross-sections that it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from recon.errors import InputError
from recon.mesh_topology import edge_table
from recon.slicing import slice_mesh
from render.cross_sections import CrossSections, Loop, plane_basis
from render.mesh import TriangleMesh

NUM_SURFACE_POINTS = 60_000
NUM_VOLUME_POINTS = 300_000
F_SCORE_SHARE = 0.005  # of the reference's diagonal
WINDOW_MARGIN = 0.05  # of the bounding box's diagonal


@dataclass(frozen=True)
class Agreement:
    """How far two regions of one plane are the same.

    accuracy: percent of the plane's window on whose inside or outside both agree. iou: shared area over united
    area, 1 where both are empty.
    """

    accuracy: float
    iou: float


@dataclass(frozen=True)
class PlaneAgreement(Agreement):
    """Agreement on plane `plane` (from 0) of the union of all labels, and of each label."""

    plane: int = 0
    labels: Mapping[int, Agreement] = field(default_factory=dict)


def slice_agreement(
    solid: TriangleMesh | Mapping[int, TriangleMesh],
    sections: CrossSections,
    bounds: ArrayLike | None = None,
) -> list[PlaneAgreement]:
    """Compare what a solid looks like on every enabled plane with the contours there, exactly, by polygon area.

    solid: a closed mesh, or one for each label. A single mesh stands for the union of all labels. bounds: (2, 3)
    box that the accuracy refers to, those of the sections when None; 5 % of its diagonal are added around it.
    A plane that misses this box is judged on the contours' own extent. Raises InputError for an open mesh.
    """
    meshes = solid if isinstance(solid, Mapping) else {}
    planes = (sections.normals, sections.offsets)
    cuts = {label: slice_mesh(mesh, planes) for label, mesh in meshes.items() if len(mesh.faces)}
    whole = [] if isinstance(solid, Mapping) else [slice_mesh(solid, planes)]
    box = _with_margin(sections.bounds if bounds is None else np.asarray(bounds, np.float64))
    disabled = sections.disabled_planes
    assert disabled is not None
    return [
        _agreement_on(index, sections, whole or list(cuts.values()), cuts, box)
        for index in range(sections.num_planes)
        if not disabled[index]
    ]


def _agreement_on(
    index: int,
    sections: CrossSections,
    whole: Sequence[CrossSections],
    cuts: Mapping[int, CrossSections],
    box: NDArray[np.float64],
) -> PlaneAgreement:
    normal, offset, loops = sections.plane(index)
    basis = plane_basis(normal)
    wanted = {label: _region((p for p in loops if p.label == label), basis) for label in sections.labels}
    window = _window(normal, offset, box, basis)
    got = {label: _region(cuts[label].plane(index).loops, basis) for label in wanted if label in cuts}
    labels = {
        label: _compare_regions(got.get(label, shapely.Polygon()), region, window)
        for label, region in wanted.items()
        if cuts
    }
    union = _compare_regions(
        shapely.union_all([_region(cut.plane(index).loops, basis) for cut in whole]),
        shapely.union_all(list(wanted.values())),
        window,
    )
    return PlaneAgreement(union.accuracy, union.iou, index, labels)


def _region(loops: Iterable[Loop], basis: tuple[NDArray[np.float64], NDArray[np.float64]]) -> Any:
    """The even-odd fill of loops as a shapely geometry in the plane's own coordinates."""
    axes = np.stack(basis, axis=1)
    parts = [_valid(shapely.Polygon(loop.points @ axes)) for loop in loops]
    # In pairs, pairs of pairs and so on, so that many loops do not take the square of their number.
    while len(parts) > 1:
        pairs = list(zip(parts[0::2], parts[1::2], strict=False))
        parts = [shapely.symmetric_difference(a, b) for a, b in pairs] + parts[2 * len(pairs) :]
    return parts[0] if parts else shapely.Polygon()


def _valid(polygon: Any) -> Any:
    """The area that a loop encloses by even-odd, also where it touches or crosses itself."""
    if shapely.is_valid(polygon):
        return polygon
    parts = shapely.get_parts(shapely.make_valid(polygon))
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _compare_regions(got: Any, wanted: Any, window: Any) -> Agreement:
    different = shapely.symmetric_difference(got, wanted)
    shared, united = shapely.intersection(got, wanted).area, shapely.union(got, wanted).area
    if window.area:
        wrong = shapely.intersection(different, window).area / window.area
    else:
        wrong = different.area / united if united else 0.0
    return Agreement(100 * (1 - float(wrong)), float(shared / united) if united else 1.0)


def _with_margin(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    margin = WINDOW_MARGIN * float(np.linalg.norm(bounds[1] - bounds[0]))
    return np.stack([bounds[0] - margin, bounds[1] + margin])


def _window(
    normal: NDArray[np.float64],
    offset: float,
    box: NDArray[np.float64],
    basis: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Any:
    """The part of the plane inside the box, a convex polygon; empty where the plane misses it."""
    corners = np.stack(np.meshgrid(*box.T, indexing="ij"), axis=-1).reshape(8, 3)
    low, high = np.array([(i, i | bit) for bit in (1, 2, 4) for i in range(8) if not i & bit]).T
    height = corners @ normal - offset
    crosses = (height[low] < 0) != (height[high] < 0)
    low, high = low[crosses], high[crosses]
    share = height[low] / (height[low] - height[high])
    points = corners[low] + share[:, None] * (corners[high] - corners[low])
    return shapely.convex_hull(shapely.MultiPoint(points @ np.stack(basis, axis=1)))


def compare(mesh: TriangleMesh, reference: TriangleMesh, seed: int = 0) -> dict[str, Any]:
    """Distances and overlap of a mesh and a reference in the same coordinates, as JSON values.

    chamfer: mean of both one-sided mean distances; hausdorff95, hausdorff: the larger one-sided 95 % quantile and
    maximum; all three in units and, with "_per_mille", in thousandths of the reference's bounding-box diagonal.
    normal_consistency: mean |cosine| between a surface point's normal and that of the other surface's nearest
    point, both ways. f_score: harmonic mean of the shares of points nearer than 0.5 % of the diagonal. iou: shared
    over united volume at 300,000 random points; None when either mesh is open, with the reason in "iou_reason".
    60,000 points a surface. Raises InputError when a mesh has no area.

    Holds the interpreter's lock throughout (open3d), so it belongs in a worker or the command line.
    """
    random = np.random.default_rng(seed)
    diagonal = float(np.linalg.norm(np.ptp(_used_bounds(reference), axis=0)))
    ours, theirs = raycasting_scene(mesh), raycasting_scene(reference)
    to_reference = _one_way(mesh, theirs, reference, random)
    to_mesh = _one_way(reference, ours, mesh, random)
    both = [to_reference, to_mesh]
    lengths = {
        "chamfer": float(np.mean([way.distances.mean() for way in both])),
        "hausdorff95": float(max(np.quantile(way.distances, 0.95) for way in both)),
        "hausdorff": float(max(way.distances.max() for way in both)),
    }
    shares = [float((way.distances < F_SCORE_SHARE * diagonal).mean()) for way in both]
    iou, reason = _volume_iou(mesh, reference, ours, theirs, random)
    return {
        **lengths,
        **{f"{name}_per_mille": 1000 * length / diagonal for name, length in lengths.items()},
        "normal_consistency": float(np.mean([way.cosines.mean() for way in both])),
        "f_score": 2 * shares[0] * shares[1] / sum(shares) if sum(shares) else 0.0,
        "iou": iou,
        "iou_reason": reason,
        "reference_diagonal": diagonal,
        "unit": reference.frame.unit,
    }


@dataclass(frozen=True, eq=False)
class _OneWay:
    distances: NDArray[np.float64]  # (N,) from points on one surface to the other
    cosines: NDArray[np.float64]  # (N,) |cosine| between the normals there


def _used_bounds(mesh: TriangleMesh) -> NDArray[np.float64]:
    if not mesh.area > 0:
        raise InputError("A mesh without any area cannot be compared.", "Choose a mesh with faces.")
    used = mesh.vertices[np.unique(mesh.faces)].astype(np.float64)
    return np.stack([used.min(0), used.max(0)])


def raycasting_scene(mesh: TriangleMesh) -> Any:
    """open3d's ray-casting scene of a mesh; one thread, so that the figures do not hang on the machine."""
    import open3d  # takes a second, and this is its only use

    scene = open3d.t.geometry.RaycastingScene(nthreads=1)
    tensor: Any = open3d.core.Tensor  # its type stubs leave numpy out
    scene.add_triangles(tensor(np.array(mesh.vertices)), tensor(np.array(mesh.faces, np.uint32)))
    return scene


def _one_way(
    source: TriangleMesh, target_scene: Any, target: TriangleMesh, random: np.random.Generator
) -> _OneWay:
    points, faces = sample_surface(source, NUM_SURFACE_POINTS, random)
    nearest = target_scene.compute_closest_points(points.astype(np.float32), nthreads=1)
    distances = np.linalg.norm(points - nearest["points"].numpy(), axis=1)
    ours = _unit(source.face_cross_products)[faces]
    theirs = _unit(target.face_cross_products)[nearest["primitive_ids"].numpy()]
    return _OneWay(distances, np.abs((ours * theirs).sum(1)))


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float64).tiny))


def sample_surface(
    mesh: TriangleMesh, n: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """n points (n, 3) spread evenly over a mesh's area, and the face (n,) that each lies on."""
    areas = np.linalg.norm(mesh.face_cross_products, axis=1)
    if not areas.sum() > 0:
        raise InputError("A mesh without any area has no points to sample.", "Choose a mesh with faces.")
    faces = random.choice(len(areas), size=n, p=areas / areas.sum())
    u, v = random.random((2, n, 1))
    beyond = u + v > 1
    u, v = np.where(beyond, 1 - u, u), np.where(beyond, 1 - v, v)
    a, b, c = (mesh.vertices.astype(np.float64)[mesh.faces[faces, k]] for k in range(3))
    return np.asarray(a + u * (b - a) + v * (c - a)), faces


def _volume_iou(
    mesh: TriangleMesh, reference: TriangleMesh, ours: Any, theirs: Any, random: np.random.Generator
) -> tuple[float | None, str]:
    for name, each in (("The mesh", mesh), ("The reference", reference)):
        if not edge_table(each.faces).is_watertight:
            return None, f"{name} is not closed, so it has no volume."
    boxes = np.stack([_used_bounds(mesh), _used_bounds(reference)])
    low, high = boxes[:, 0].min(0), boxes[:, 1].max(0)
    points = random.uniform(low, high, (NUM_VOLUME_POINTS, 3)).astype(np.float32)
    a, b = (s.compute_occupancy(points, nsamples=3, nthreads=1).numpy() > 0.5 for s in (ours, theirs))
    united = int((a | b).sum())
    if not united:
        return None, "Both solids are too thin for their volume to be measured."
    return float((a & b).sum() / united), ""
