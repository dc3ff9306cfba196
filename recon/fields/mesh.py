"""From a field to a coloured mesh: truncated signed distances of the depth that it shows, fused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recon.fields import FieldMeshSettings
from recon.fields.looks import fuse, look_around, voxel_of
from recon.mesh_edits import remove_small_components
from recon.method import Output, Result, Run, RunContext


def run(inputs: Mapping[str, Any], settings: FieldMeshSettings, context: RunContext) -> Run:
    """The surface of `inputs["field"]` in its frame, seen from its cameras or those of `inputs["scene"]`.

    Raises InputError for a field that cannot be drawn, NoSurface where nothing is left."""
    field = inputs["field"]
    looks = yield from look_around(field, inputs.get("scene"), settings)
    mesh = yield from fuse(looks, field, settings, context)
    if settings.smallest_part:
        mesh = remove_small_components(mesh, settings.smallest_part)
    figures = {
        "views": len(looks.cameras),
        "voxel": voxel_of(looks, settings),
        "vertices": len(mesh.vertices),
        "triangles": len(mesh.faces),
    }
    return Result((Output("Mesh of the field", mesh),), figures)
