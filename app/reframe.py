"""Scene data of one frame in the numbers of another: what is imported into a project follows its axes and unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.formats.export import rotation_between
from render.cross_sections import CrossSections
from render.frame import Frame
from render.mesh import TriangleMesh
from render.scene_data import SceneData
from render.transforms import Similarity3


def new_from_old(old: Frame, new: Frame) -> Similarity3:
    """The transform between two frames. A unit that nobody said is left as it is."""
    rotation = rotation_between(old.up, new.up)
    if old.patient_axes and new.patient_axes and old.patient_axes != new.patient_axes:
        rotation = np.diag([-1.0, -1.0, 1.0])
    scale = 1.0
    if old.metres_per_unit and new.metres_per_unit:
        scale = old.metres_per_unit / new.metres_per_unit
    return Similarity3(rotation, np.zeros(3), scale)


def in_frame(data: SceneData, frame: Frame) -> SceneData:
    """The same thing in the numbers of another frame; the same object where nothing changes."""
    if data.frame == frame:
        return data
    transform = new_from_old(data.frame, frame)
    if isinstance(data, TriangleMesh):
        vertices = transform.apply(data.vertices).astype(np.float32)
        return replace(data, vertices=vertices, frame=frame)
    return _sections_in_frame(data, transform, frame)


def stated_in(data: SceneData, frame: Frame) -> SceneData:
    """The same numbers, said to be of another frame."""
    if isinstance(data, TriangleMesh):
        return replace(data, frame=frame)
    return replace(data, frame=frame)


def _sections_in_frame(data: CrossSections, transform: Similarity3, frame: Frame) -> CrossSections:
    normals: NDArray[np.float64] = transform.apply_to_directions(data.normals)
    return replace(
        data,
        normals=normals,
        offsets=data.offsets * transform.scale,
        vertices=transform.apply(data.vertices),
        frame=frame,
    )
