"""A coarse stand-in for a large mesh, for the pictures made while the camera moves."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from render.mesh import TriangleMesh

LARGE = 300_000  # faces; smaller meshes are always drawn whole


class CoarseMesh(NamedTuple):
    """vertices (V, 3) float32, faces (F, 3) int32, and for each vertex one of the mesh's that it stands for."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    source: NDArray[np.int64]


def coarsen(mesh: TriangleMesh, num_cells: int = 80) -> CoarseMesh:
    """Merge the vertices in each cell of a grid of num_cells along the longest side (Rossignac and Borrel).

    Triangles with two corners in one cell vanish, of equal ones one is kept: some 7 num_cells² are left.
    """
    low, high = mesh.bounds
    side = float((high - low).max()) / num_cells or 1.0
    cell = np.floor((mesh.vertices - low) / side).astype(np.int64)
    key = (cell[:, 0] * (num_cells + 2) + cell[:, 1]) * (num_cells + 2) + cell[:, 2]
    _, source, own, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    own = own.reshape(-1)
    sums = [np.bincount(own, weights=mesh.vertices[:, k]) for k in range(3)]
    vertices = (np.stack(sums, axis=1) / count[:, None]).astype(np.float32)
    faces = own[mesh.faces]
    a, b, c = faces.T
    faces = faces[(a != b) & (b != c) & (c != a)]
    sorted_faces = np.sort(faces, axis=1)
    code = (sorted_faces[:, 0] * len(source) + sorted_faces[:, 1]) * len(source) + sorted_faces[:, 2]
    _, first = np.unique(code, return_index=True)
    return CoarseMesh(vertices, faces[first].astype(np.int32), source.astype(np.int64))


class Proxies:
    """Makes coarse meshes in a thread of its own and keeps them as long as their mesh is shown."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._made: dict[str, tuple[TriangleMesh, Future[CoarseMesh]]] = {}

    def want(self, layer_id: str, mesh: TriangleMesh) -> None:
        """Begin to make the proxy of a large mesh, if that is not done."""
        known = self._made.get(layer_id)
        if known is not None and known[0] is mesh:
            return
        self.forget(layer_id)
        if len(mesh.faces) < LARGE:
            return
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="viewport-proxy")
        self._made[layer_id] = mesh, self._pool.submit(coarsen, mesh)

    def ready(self, layer_id: str, mesh: TriangleMesh) -> CoarseMesh | None:
        """The proxy of this mesh, or None while it is being made or not needed."""
        known = self._made.get(layer_id)
        if known is None or known[0] is not mesh or not known[1].done():
            return None
        return known[1].result()

    def forget(self, layer_id: str) -> None:
        """Drop a layer's proxy."""
        known = self._made.pop(layer_id, None)
        if known is not None:
            known[1].cancel()

    def release(self) -> None:
        """Drop all and end the thread."""
        for layer_id in tuple(self._made):
            self.forget(layer_id)
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
