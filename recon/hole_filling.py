"""Holes of a mesh: their rims, and flat patches that close them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from recon.mesh_topology import EdgeTable


class EdgeSet:
    """The undirected edges (E, 2) of a mesh, lower vertex first and sorted, and those of faces added to it."""

    def __init__(self, ends: NDArray[np.int64]) -> None:
        self._keys = ends[:, 0] << 32 | ends[:, 1]
        self._added: set[int] = set()

    def add(self, faces: NDArray[np.int64]) -> None:
        sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
        self._added.update(self._keys_of(sides).tolist())

    def has_any(self, sides: NDArray[np.int64]) -> bool:
        """Whether one of the sides (N, 2) is an edge already."""
        keys = self._keys_of(sides)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return bool((self._keys[places] == keys).any()) or not self._added.isdisjoint(keys.tolist())

    @staticmethod
    def _keys_of(sides: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(sides.min(1) << 32 | sides.max(1))


def rims_of_holes(faces: NDArray[np.int32], edges: EdgeTable) -> Iterator[NDArray[np.int64]]:
    """The rim (N,) of each hole, vertex by vertex, wound so that faces on it fit the mesh."""
    open_halves = edges.half_edges[edges.starts[:-1][edges.num_faces == 1]]
    tails = faces[open_halves // 3, open_halves % 3]
    heads = faces[open_halves // 3, (open_halves + 1) % 3]
    following: dict[int, list[int]] = {}
    for tail, head in zip(tails.tolist(), heads.tolist(), strict=True):
        following.setdefault(head, []).append(tail)
    while following:
        rim = [next(iter(following))]
        place = {rim[0]: 0}
        while following.get(rim[-1]):
            step = following[rim[-1]].pop()
            if not following[rim[-1]]:
                del following[rim[-1]]
            if step not in place:
                place[step] = len(rim)
                rim.append(step)
                continue
            # Back at a vertex: what lies between is a hole, also where holes touch in a point.
            hole = rim[place[step] :]
            if len(hole) >= 3:
                yield np.array(hole)
            for vertex in hole[1:]:
                del place[vertex]
            del rim[place[step] + 1 :]
        following.pop(rim[-1], None)


def flat_patch(
    corners: NDArray[np.float64], rim: NDArray[np.int64], taken: EdgeSet
) -> NDArray[np.int64] | None:
    """Triangles (N - 2, 3) between the rim's own vertices; None where its flat picture crosses itself."""
    if len(rim) == 3:
        return rim[None]
    from mapbox_earcut import triangulate_float64

    middle = corners - corners.mean(0)
    # The rim's area vector is the direction in which its flat picture is largest and wound counter-clockwise.
    normal = np.cross(middle, np.roll(middle, -1, axis=0)).sum(0)
    length = float(np.linalg.norm(normal))
    if not length > 0:
        return None
    normal /= length
    u = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    u /= np.linalg.norm(u)
    flat = np.stack([middle @ u, middle @ np.cross(normal, u)], axis=1)
    spread = np.linalg.norm(flat, axis=1).max()
    if np.abs(middle @ normal).max() > 0.25 * spread or not shapely.is_valid(shapely.Polygon(flat)):
        return None
    triangles = triangulate_float64(flat, np.array([len(rim)], np.uint32)).astype(np.int64).reshape(-1, 3)
    u_side, v_side = (
        flat[triangles[:, 1]] - flat[triangles[:, 0]],
        flat[triangles[:, 2]] - flat[triangles[:, 0]],
    )
    clockwise = u_side[:, 0] * v_side[:, 1] < u_side[:, 1] * v_side[:, 0]
    triangles[clockwise] = triangles[clockwise][:, ::-1]
    return rim[triangles] if _fits(triangles, rim, taken) else None


def _fits(triangles: NDArray[np.int64], rim: NDArray[np.int64], taken: EdgeSet) -> bool:
    """Whether the patch uses each side of the rim once and no edge that the mesh has elsewhere."""
    sides = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1).reshape(-1, 2)
    is_rim = (sides[:, 0] + 1) % len(rim) == sides[:, 1]
    if (
        len(triangles) != len(rim) - 2
        or len(np.unique(sides[is_rim, 0])) != len(rim)
        or is_rim.sum() != len(rim)
    ):
        return False
    return not taken.has_any(rim[sides[~is_rim]])
