"""Every kind of scene data by its name: what a layer may hold and a project file may store."""

from __future__ import annotations

from typing import Any

from render.cross_sections import CrossSections
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from render.radiance_field import RadianceField
from render.rendered_views import RenderedViews
from render.sdf_field import SdfField
from render.view_field import ViewField

SceneData = (
    CrossSections
    | TriangleMesh
    | ImageSet
    | PosedImages
    | PointCloud
    | SdfField
    | RenderedViews
    | GaussianCloud
    | RadianceField
    | ViewField
)
SCENE_DATA_KINDS: dict[str, type[Any]] = {
    "cross_sections": CrossSections,
    "mesh": TriangleMesh,
    "images": ImageSet,
    "posed_images": PosedImages,
    "points": PointCloud,
    "sdf_field": SdfField,
    "views": RenderedViews,
    "gaussians": GaussianCloud,
    "radiance_field": RadianceField,
    "view_field": ViewField,
}
