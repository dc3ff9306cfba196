"""The cut face of a closed surface, so that a clipped solid looks solid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkPlane, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkCleanPolyData, vtkCutter
from vtkmodules.vtkFiltersGeneral import vtkContourTriangulator


def cut_face(surface: Any, normal: NDArray[np.float64], offset: float) -> Any:
    """vtkPolyData of the region that vtkPolyData `surface` encloses on the plane n . x = offset.

    Where the surface is open there is no region and nothing is drawn.
    """
    plane = vtkPlane()
    plane.SetNormal(*normal)
    plane.SetOrigin(*(normal * offset))
    bare = vtkPolyData()  # colours and normals would be interpolated for nothing
    bare.SetPoints(surface.GetPoints())
    bare.SetPolys(surface.GetPolys())
    cutter: Any = vtkCutter()
    cutter.SetInputData(bare)
    cutter.SetCutFunction(plane)
    joined: Any = vtkCleanPolyData()  # vertices split at sharp edges would leave the outline open
    joined.SetInputConnection(cutter.GetOutputPort())
    joined.SetTolerance(1e-6)
    filled: Any = vtkContourTriangulator()
    filled.SetInputConnection(joined.GetOutputPort())
    filled.TriangulationErrorDisplayOff()
    filled.Update()
    face = vtkPolyData()
    face.ShallowCopy(filled.GetOutput())
    return face
