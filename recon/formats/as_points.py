"""Other scene data as points: where Gaussians or vertices are, in which colour."""

from __future__ import annotations

import numpy as np

from recon.formats.gaussian_file import colors_of, to_bytes
from render.gaussians import GaussianCloud
from render.mesh import TriangleMesh
from render.points import PointCloud


def as_points(data: GaussianCloud | TriangleMesh) -> PointCloud:
    """The centres of Gaussians with the colour that they have from everywhere, or the vertices of a mesh."""
    if isinstance(data, TriangleMesh):
        return PointCloud(data.vertices.astype(np.float64), data.colors, frame=data.frame)
    return PointCloud(data.means.astype(np.float64), to_bytes(colors_of(data)), frame=data.frame)
