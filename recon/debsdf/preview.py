"""A mesh to look at meanwhile, from the cached distance: no network is asked, so it takes a fraction of a second."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from recon.debsdf.region import Region
from recon.errors import NoSurface
from render.frame import Frame
from render.mesh import TriangleMesh


def preview_mesh(values: NDArray[np.float32], region: Region, frame: Frame) -> TriangleMesh:
    """The surface values = 0 in the world, looking into free space.

    values: (R, R, R) signed distance on a grid over the box, positive in free space. Raises NoSurface.
    """
    spacing = 2 / (len(values) - 1)
    low, high = ((region.bounds_in_box + 1) / spacing).round().astype(int)
    part = values[tuple(slice(first, last + 1) for first, last in zip(low, high, strict=True))]
    if min(part.shape) < 2 or part.min() >= 0 or part.max() <= 0:
        raise NoSurface("The field has no surface yet.", "Train for more steps.")
    points, faces, _, _ = marching_cubes(
        part, 0.0, gradient_direction="descent"
    )  # Normals look to where values grow.
    in_box = (points + low) * spacing - 1
    vertices = region.world_from_box.apply(in_box).astype(np.float32)
    return TriangleMesh(vertices, np.ascontiguousarray(faces, np.int32), frame=frame)
