"""Scene data of one frame in the numbers of another: what is imported into a project follows its axes and unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recon.formats.export import rotation_between
from render.cross_sections import CrossSections
from render.frame import Frame
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from render.radiance_field import RadianceField
from render.rendered_views import RenderedViews
from render.scene_data import SceneData
from render.transforms import Similarity3
from render.view_field import ViewField

_LENGTHS = ("distance",)  # values at vertices that are lengths


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
    return transformed(data, new_from_old(data.frame, frame), frame)


def transformed(data: SceneData, b_from_a: Similarity3, frame: Frame) -> SceneData:
    """The thing moved, turned and scaled, and said to be of `frame`."""
    if isinstance(data, TriangleMesh):
        return _transformed_mesh(data, b_from_a, frame)
    if isinstance(data, CrossSections):
        return _transformed_sections(data, b_from_a, frame)
    if isinstance(data, PosedImages | PointCloud | GaussianCloud | RadianceField | ViewField):
        return data.transformed(b_from_a, frame)
    if isinstance(data, ImageSet):
        return replace(data, frame=frame)
    if isinstance(data, RenderedViews):
        return replace(data, depth=data.depth * np.float32(b_from_a.scale), frame=frame)
    return replace(data, world_from_box=b_from_a.matrix @ data.world_from_box, frame=frame)


def stated_in(data: SceneData, frame: Frame) -> SceneData:
    """The same numbers, said to be of another frame."""
    if isinstance(data, PosedImages):
        return replace(data, points=data.points and replace(data.points, frame=frame), frame=frame)
    stated: SceneData = replace(data, frame=frame)
    return stated


def _transformed_mesh(mesh: TriangleMesh, b_from_a: Similarity3, frame: Frame) -> TriangleMesh:
    values = {
        name: value * np.float32(b_from_a.scale) if name in _LENGTHS else value
        for name, value in mesh.vertex_values.items()
    }
    vertices = b_from_a.apply(mesh.vertices).astype(np.float32)
    return replace(mesh, vertices=vertices, vertex_values=values, frame=frame)


def _transformed_sections(data: CrossSections, b_from_a: Similarity3, frame: Frame) -> CrossSections:
    normals: NDArray[np.float64] = b_from_a.apply_to_directions(data.normals)
    return replace(
        data,
        normals=normals,
        offsets=data.offsets * b_from_a.scale + normals @ b_from_a.translation,
        vertices=b_from_a.apply(data.vertices),
        frame=frame,
    )
