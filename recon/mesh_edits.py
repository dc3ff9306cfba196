"""Edits of a mesh: each takes a mesh and gives a new one, in the same frame; the old one stays as it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from recon.errors import InputError
from recon.hole_filling import EdgeSet, flat_patch, rims_of_holes
from recon.mesh_topology import (
    EdgeTable,
    edge_table,
    equal_points,
    genera,
    is_two_manifold,
    vertex_components,
)
from render.mesh import TriangleMesh

# Taubin's factors: the second, outward step undoes the first one's shrinking (SIGGRAPH 1995, section 3).
_INWARD, _OUTWARD = 0.5, -0.53


def remove_small_components(
    mesh: TriangleMesh, min_share: float = 0.01, keep_largest: int | None = None
) -> TriangleMesh:
    """Leave out pieces whose area is less than a share of the largest piece's, or all but the largest few.

    min_share: from 0 to 1; not used when keep_largest, at least 1, is given. The inner wall of a hollow solid is a
    piece of its own. Raises InputError for other values or an empty mesh.
    """
    _check_faces(mesh)
    if not 0 <= min_share <= 1 or (keep_largest is not None and keep_largest < 1):
        raise InputError("Nothing would be left of the mesh, or all of it.", "Keep at least one piece.")
    component = vertex_components(len(mesh.vertices), edge_table(mesh.faces))[mesh.faces[:, 0]]
    areas = np.bincount(component, np.linalg.norm(mesh.face_cross_products, axis=1) / 2)
    kept = areas >= min_share * areas.max()
    if keep_largest is not None:
        kept = np.zeros(len(areas), bool)
        kept[np.argsort(-areas, kind="stable")[:keep_largest]] = True
    return mesh if kept.all() else with_faces(mesh, mesh.faces[kept[component]])


def with_faces(mesh: TriangleMesh, faces: NDArray[np.int32]) -> TriangleMesh:
    """The same mesh with other faces (F, 3); vertices that none of them uses are left out."""
    used, corners = np.unique(faces, return_inverse=True)
    return _with_vertices(mesh, used, mesh.vertices[used], corners.reshape(-1, 3))


def _with_vertices(
    mesh: TriangleMesh,
    sources: NDArray[np.integer],
    vertices: NDArray[np.floating],
    faces: NDArray[np.integer],
) -> TriangleMesh:
    """New vertices and faces; each vertex takes colour and values from the old vertex `sources` names."""
    return TriangleMesh(
        vertices.astype(np.float32),
        faces.astype(np.int32),
        None if mesh.colors is None else mesh.colors[sources],
        {name: values[sources] for name, values in mesh.vertex_values.items()},
        mesh.frame,
    )


def _check_faces(mesh: TriangleMesh) -> None:
    if not len(mesh.faces):
        raise InputError("The mesh has no faces.", "Choose a mesh with faces.")


def weld(mesh: TriangleMesh) -> TriangleMesh:
    """Make vertices at exactly the same place one, as files that store seams twice need; it takes the first's colour.

    Faces that lose their area go.
    """
    firsts, group = equal_points(mesh.vertices)
    if len(firsts) == len(mesh.vertices):
        return mesh
    faces = group[mesh.faces]
    whole = (faces != np.roll(faces, 1, axis=1)).all(1)
    return _with_vertices(mesh, firsts, mesh.vertices[firsts], faces[whole])


def flip_normals(mesh: TriangleMesh) -> TriangleMesh:
    """Turn every face over, so that inside and outside change places."""
    return TriangleMesh(mesh.vertices, mesh.faces[:, ::-1], mesh.colors, mesh.vertex_values, mesh.frame)


def make_winding_consistent(mesh: TriangleMesh) -> TriangleMesh:
    """Turn over the faces that are wound against the others of their piece; the larger area decides.

    Edges with more than two faces part the pieces. A piece that has only one side (a Möbius strip) stays as it is.
    """
    edges = edge_table(mesh.faces)
    pairs = edges.starts[:-1][edges.num_faces == 2]
    first, second = edges.half_edges[pairs] // 3, edges.half_edges[pairs + 1] // 3
    against = edges.is_forward[pairs] == edges.is_forward[pairs + 1]
    # Each face stands twice in the graph, as it is and turned over (+ F); neighbours that fit are joined.
    count = len(mesh.faces)
    ends = (np.concatenate([first, first + count]), np.concatenate([second, second + count]))
    ends[1][:] = (ends[1] + count * np.tile(against, 2)) % (2 * count)
    graph = coo_matrix((np.ones(len(ends[0]), bool), ends), shape=(2 * count, 2 * count))
    _, side = connected_components(graph, directed=False)
    areas = np.linalg.norm(mesh.face_cross_products, axis=1)
    area_as_is = np.bincount(side[:count], areas, 2 * count)
    turned = area_as_is[side[:count]] < area_as_is[side[count:]]
    # A tie between the two sides must be broken alike for the whole piece.
    tied = area_as_is[side[:count]] == area_as_is[side[count:]]
    turned |= tied & (side[:count] > side[count:])
    if not turned.any():
        return mesh
    faces = np.where(turned[:, None], mesh.faces[:, ::-1], mesh.faces)
    return TriangleMesh(mesh.vertices, faces, mesh.colors, mesh.vertex_values, mesh.frame)


def fill_holes(mesh: TriangleMesh, max_edges: int | None = None) -> TriangleMesh:
    """Close holes of at most max_edges edges, all when None.

    A hole that is flat enough is closed without new vertices, any other by a fan around its middle. Each hole's rim
    is followed as the faces beside it are wound; a rim that does not close in this way is left open.
    Raises InputError for max_edges below 3.
    """
    if max_edges is not None and max_edges < 3:
        raise InputError("A hole has three edges at least.", "Ask for holes of three edges or more.")
    edges = edge_table(mesh.faces)
    taken = EdgeSet(edges.ends)
    new_faces, middles, count = [], [], len(mesh.vertices)
    for rim in rims_of_holes(mesh.faces, edges):
        if max_edges is not None and len(rim) > max_edges:
            continue
        patch = flat_patch(mesh.vertices[rim].astype(np.float64), rim, taken)
        if patch is None:
            patch = np.stack([rim, np.roll(rim, -1), np.full(len(rim), count)], axis=1)
            middles.append(rim)
            count += 1
        taken.add(patch)
        new_faces.append(patch)
    if not new_faces:
        return mesh
    faces = np.concatenate([mesh.faces, *new_faces])
    return _with_middles(mesh, middles, faces)


def _with_middles(
    mesh: TriangleMesh, rims: list[NDArray[np.int64]], faces: NDArray[np.integer]
) -> TriangleMesh:
    """Add one vertex in the middle of each rim, with the rim's mean place, colour and values."""

    def extended(values: NDArray[np.generic]) -> NDArray[np.generic]:
        means = [values[rim].astype(np.float64).mean(0, keepdims=True) for rim in rims]
        return np.concatenate([values, *means])

    colors = None if mesh.colors is None else np.rint(extended(mesh.colors)).astype(np.uint8)
    values = {name: extended(each).astype(np.float32) for name, each in mesh.vertex_values.items()}
    vertices = extended(mesh.vertices).astype(np.float32)
    return TriangleMesh(vertices, faces.astype(np.int32), colors, values, mesh.frame)


def smooth(mesh: TriangleMesh, iterations: int = 10) -> TriangleMesh:
    """Even out noise by Taubin's method; open rims stay in place and a closed mesh keeps its volume.

    iterations: pairs of one step inward and one outward, 0 to 1000. Raises InputError for others.
    """
    if not 0 <= iterations <= 1000:
        raise InputError("The number of smoothing steps is out of range.", "Give 0 to 1000.")
    if not iterations or not len(mesh.faces):
        return mesh
    edges = edge_table(mesh.faces)
    mean = _mean_of_neighbours(len(mesh.vertices), edges)
    free = np.ones(len(mesh.vertices), bool)
    free[edges.ends[edges.num_faces == 1].ravel()] = False
    free &= np.diff(mean.indptr) > 0
    vertices = mesh.vertices.astype(np.float64)
    for _ in range(iterations):
        for factor in (_INWARD, _OUTWARD):
            vertices[free] += factor * (mean @ vertices - vertices)[free]
    if edges.is_watertight:
        vertices = _with_volume(vertices, mesh.faces, mesh.volume)
    return TriangleMesh(vertices.astype(np.float32), mesh.faces, mesh.colors, mesh.vertex_values, mesh.frame)


def _mean_of_neighbours(num_vertices: int, edges: EdgeTable) -> csr_matrix:
    """(V, V) matrix that takes the mean over each vertex's neighbours."""
    low, high = edges.ends.T
    pairs = (np.concatenate([low, high]), np.concatenate([high, low]))
    shares = 1 / np.bincount(pairs[0], minlength=num_vertices)[pairs[0]]
    return coo_matrix((shares, pairs), shape=(num_vertices, num_vertices)).tocsr()


def _with_volume(
    vertices: NDArray[np.float64], faces: NDArray[np.int32], volume: float
) -> NDArray[np.float64]:
    """Move every vertex along the surface's normal by the same small way, so that the volume is as given."""
    scale = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    for _ in range(5):
        corners = vertices[faces]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        missing = volume - float(((corners[:, 0] - vertices.mean(0)) * cross).sum() / 6)
        normals = np.stack(
            [np.bincount(faces.ravel(), np.repeat(cross[:, k], 3), len(vertices)) for k in range(3)], axis=1
        )
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        normals = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
        gained = float((normals[faces].sum(1) * cross).sum() / 6)  # volume a unit of way
        if abs(missing) <= 1e-9 * abs(volume) or not gained > 0:
            break
        # No further than a hundredth of the object: a strange mesh must not explode.
        vertices = vertices + normals * np.clip(missing / gained, -0.01 * scale, 0.01 * scale)
    return vertices


def decimate(mesh: TriangleMesh, target_faces: int) -> TriangleMesh:
    """Fewer faces by quadric edge collapse, with the same pieces, holes and volume.

    Where the fast way would break a closed surface, it goes on more gently, and stops at more faces than asked for
    when nothing gentler is whole: compare the count. Colours and values are those of the nearest old vertex.
    Raises InputError for fewer than four faces.
    """
    _check_faces(mesh)
    if target_faces < 4:
        raise InputError("A solid has four faces at least.", "Ask for four faces or more.")
    wanted = _shape_of(len(mesh.vertices), mesh.faces)
    middle = mesh.bounds.mean(0)
    scale = float(np.linalg.norm(np.ptp(mesh.bounds, axis=0))) or 1.0
    vertices, faces = (mesh.vertices - middle) / scale, np.array(mesh.faces)
    while len(faces) > target_faces:
        fewer = _collapsed(vertices, faces, target_faces, wanted)
        if fewer is None:
            break
        vertices, faces = fewer
    if len(faces) == len(mesh.faces):
        return mesh
    if wanted[0] == "closed":
        # Chords cut corners: without this, each round would shrink the solid.
        vertices = _with_volume(vertices, faces, mesh.volume / scale**3)
    points = vertices * scale + middle
    nearest = np.asarray(cKDTree(mesh.vertices).query(points)[1])
    return _with_vertices(mesh, nearest, points, faces)


def _collapsed(
    vertices: NDArray[np.float64], faces: NDArray[np.int32], target: int, wanted: tuple[object, ...]
) -> tuple[NDArray[np.float64], NDArray[np.int32]] | None:
    """One round, as fast as keeps the shape; None when not even 2 % of the faces can go.

    The library's thresholds are lengths, so the mesh must be about one unit large.
    """
    import fast_simplification

    for haste in (7.0, 5.0, 4.0, 3.0, 2.0):
        new_vertices, new_faces = fast_simplification.simplify(
            vertices.astype(np.float32), faces, target_count=target, agg=haste
        )
        if 0 < len(new_faces) < 0.98 * len(faces) and _shape_of(len(new_vertices), new_faces) == wanted:
            return new_vertices.astype(np.float64), new_faces.astype(np.int32)
    return None


def _shape_of(num_vertices: int, faces: NDArray[np.int32]) -> tuple[object, ...]:
    """What must stay: whether the surface is closed and, if so, the holes through each piece."""
    edges = edge_table(faces)
    if not is_two_manifold(faces, edges):
        return (edges.is_watertight,)
    return ("closed", *sorted(genera(num_vertices, faces, edges).tolist()))
