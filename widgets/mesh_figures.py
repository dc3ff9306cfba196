"""Figures about a mesh that panels show: its parts, and its measures in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from render.mesh import TriangleMesh
from widgets.parts import grouped


def part_areas(mesh: TriangleMesh) -> NDArray[np.float64]:
    """The areas of the connected parts, largest first; empty for a mesh without faces."""
    from scipy.sparse import coo_matrix  # Takes long to import: not before there is a mesh.
    from scipy.sparse.csgraph import connected_components

    if not len(mesh.faces):
        return np.zeros(0)
    first, second, third = mesh.faces.T
    rows, columns = np.concatenate([first, second]), np.concatenate([second, third])
    count = len(mesh.vertices)
    graph = coo_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    _, part = connected_components(graph, directed=False)
    weights = np.linalg.norm(mesh.face_cross_products, axis=1) / 2
    areas = np.bincount(part[first], weights=weights).astype(np.float64)
    has_faces = np.bincount(part[first], minlength=len(areas)) > 0
    return np.sort(areas[has_faces])[::-1]


def kept_parts(areas: NDArray[np.float64], min_share: float) -> int:
    """How many parts have at least this share of the largest one's area."""
    return int((areas >= min_share * areas[0]).sum()) if len(areas) else 0


def measures(mesh: TriangleMesh) -> tuple[tuple[str, str], ...]:
    """What a mesh measures: (word, value with its unit) each."""
    unit = "" if mesh.frame.unit == "unit" else f" {mesh.frame.unit}"
    x, y, z = np.ptp(mesh.bounds, axis=0)
    return (
        ("Size", f"{x:.4g} × {y:.4g} × {z:.4g}{unit or ' units'}"),
        ("Volume", f"{_number(mesh.volume)}{f'{unit}³' if unit else ' cubic units'}"),
        ("Area", f"{_number(mesh.area)}{f'{unit}²' if unit else ' square units'}"),
        ("Triangles", grouped(len(mesh.faces))),
        ("Vertices", grouped(len(mesh.vertices))),
    )


def _number(x: float) -> str:
    """Five digits, or as many as it has before the point: never an exponent for large ones."""
    return f"{x:.5g}" if abs(x) < 99_999 else grouped(round(x))
