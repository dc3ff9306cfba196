"""The method: a trained field, and the photos' cameras if there are any, to a mesh in the world."""

from __future__ import annotations

from collections.abc import Mapping

from recon.debsdf.blocks import MeshEstimate, distance_of, estimate
from recon.debsdf.extraction import ExtractionOptions, extract_mesh
from recon.debsdf.field import from_sdf_field
from recon.extraction import ExtractionSettings
from recon.method import Output, Result, Run, RunContext
from render.images import PosedImages
from render.scene_data import SceneData
from render.sdf_field import SdfField


def run(inputs: Mapping[str, SceneData], settings: ExtractionSettings, context: RunContext) -> Run:
    """The mesh, with colours and the vertex value "uncertainty"."""
    field, scene = inputs["field"], inputs.get("scene")
    assert isinstance(field, SdfField) and (scene is None or isinstance(scene, PosedImages))
    trained = from_sdf_field(field, context.device)
    options = ExtractionOptions(
        settings.resolution, settings.level, settings.smallest_part, settings.remove_unseen, settings.colors
    )
    cameras = None if scene is None else scene.cameras.select(scene.used)
    mesh = yield from extract_mesh(trained, options, cameras)
    figures = {
        "num_vertices": len(mesh.vertices),
        "num_faces": len(mesh.faces),
        "unseen_removed": settings.remove_unseen and cameras is not None,
    }
    return Result((Output("Surface", mesh),), figures)


def estimate_mesh(field: SdfField, resolution: int) -> MeshEstimate:
    """What the mesh will be like before it is made; a second. `scaled_to` tells it for other resolutions at once."""
    trained = from_sdf_field(field)
    return estimate(distance_of(trained.sdf), trained.bounds_in_box, resolution)
