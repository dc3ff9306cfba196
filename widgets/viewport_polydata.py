"""Arrays as VTK's polygons and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData


def triangles(
    vertices: NDArray[np.float32], faces: NDArray[np.int32], normals: NDArray[np.float32] | None = None
) -> Any:
    """vtkPolyData of triangles (F, 3) with normals at the vertices."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    cells = vtkCellArray()
    cells.SetData(3, numpy_to_vtk(np.ascontiguousarray(faces, np.int32).reshape(-1), deep=True))
    data.SetPolys(cells)
    if normals is not None:
        array = numpy_to_vtk(np.ascontiguousarray(normals, np.float32), deep=True)
        array.SetName("Normals")
        data.GetPointData().SetNormals(array)
    return data


def polygons(points: ArrayLike, starts: ArrayLike, *, filled: bool) -> Any:
    """vtkPolyData of closed polygons: points (N, 3), polygon i from starts[i] to starts[i + 1].

    Unless filled they are outlines, closed by their first point.
    """
    at = np.asarray(starts, np.int64)
    offsets, connectivity = at, np.arange(at[-1], dtype=np.int64)
    if not filled:
        has_points = np.diff(at) > 0
        connectivity = np.insert(connectivity, at[1:][has_points], at[:-1][has_points])
        offsets = at + np.r_[0, np.cumsum(has_points)]
    data = vtkPolyData()
    data.SetPoints(_points(np.asarray(points, np.float32)))
    cells = vtkCellArray()
    cells.SetData(numpy_to_vtk(offsets, deep=True), numpy_to_vtk(connectivity, deep=True))
    if filled:
        data.SetPolys(cells)
    else:
        data.SetLines(cells)
    return data


def segments(points: ArrayLike, pairs: ArrayLike) -> Any:
    """vtkPolyData of straight lines: points (N, 3), and pairs (E, 2) of those that a line joins."""
    at = np.asarray(pairs, np.int64).reshape(-1, 2)
    data = vtkPolyData()
    data.SetPoints(_points(np.asarray(points, np.float32)))
    cells = vtkCellArray()
    offsets = 2 * np.arange(len(at) + 1, dtype=np.int64)
    cells.SetData(numpy_to_vtk(offsets, deep=True), numpy_to_vtk(at.reshape(-1), deep=True))
    data.SetLines(cells)
    return data


def point_cloud(vertices: NDArray[np.float32], normals: NDArray[np.float32] | None = None) -> Any:
    """vtkPolyData of one vertex cell a point."""
    data = vtkPolyData()
    data.SetPoints(_points(vertices))
    cells = vtkCellArray()
    cells.SetData(1, numpy_to_vtk(np.arange(len(vertices), dtype=np.int32), deep=True))
    data.SetVerts(cells)
    if normals is not None:
        data.GetPointData().SetNormals(numpy_to_vtk(np.ascontiguousarray(normals, np.float32), deep=True))
    return data


def set_point_colors(data: Any, colors: NDArray[np.uint8] | None) -> None:
    """Colours (N, 3) or (N, 4) of the points, or none."""
    data.GetPointData().SetScalars(_colors(colors))


def set_cell_colors(data: Any, colors: NDArray[np.uint8] | None) -> None:
    """Colours (N, 3) or (N, 4) of the cells, or none."""
    data.GetCellData().SetScalars(_colors(colors))


def _colors(colors: NDArray[np.uint8] | None) -> Any:
    return None if colors is None else numpy_to_vtk(np.ascontiguousarray(colors, np.uint8), deep=True)


def _points(vertices: NDArray[np.float32]) -> Any:
    points = vtkPoints()
    points.SetData(numpy_to_vtk(np.ascontiguousarray(vertices, np.float32), deep=True))
    return points
