"""Fields as other things: a coloured mesh, Gaussian splats."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from recon.method import InputSlot, Method, Settings

_BASIC: dict[str, Any] = {"basic": True}


class FieldLooks(Settings):
    """What a person may change about looking at a field."""

    views: int = Field(48, ge=3, le=10_000, title="Views, at most", json_schema_extra=_BASIC)
    """Depth is drawn from so many of the cameras."""
    image_size: int = Field(
        320, ge=32, le=4096, title="Image size", json_schema_extra=_BASIC | {"unit": "px"}
    )
    """Longer side of what is drawn."""
    voxel: float | None = Field(
        None, gt=0.0, title="Voxel size", json_schema_extra=_BASIC | {"unit": "scene"}
    )
    """Side of a voxel in the scene's unit. Not given: the longest side of the scene divided by the resolution."""
    resolution: int = Field(
        256, ge=32, le=4096, title="Resolution", json_schema_extra=_BASIC | {"unit": "voxels"}
    )
    """Voxels along the longest side of the scene, where no voxel size is given."""
    truncation: float = Field(4.0, ge=1.5, le=20.0, title="Truncation", json_schema_extra={"unit": "voxels"})
    """How far around a depth it counts; more fills gaps and rounds edges."""
    min_weight: float = Field(2.0, ge=0.0, le=100.0, title="Fewest views", json_schema_extra=_BASIC)
    """Surface that fewer views have seen is left out."""


class FieldMeshSettings(FieldLooks):
    """What a person may change about the mesh of a field."""

    smallest_part: float = Field(0.01, ge=0.0, le=1.0, title="Smallest part", json_schema_extra=_BASIC)
    """Parts of less than this share of the largest one's area are left out; 0 keeps all."""


class FieldSplatsSettings(FieldLooks):
    """What a person may change about the splats of a field."""

    max_gaussians: int = Field(
        100_000, ge=100, le=20_000_000, title="Most Gaussians", json_schema_extra=_BASIC
    )
    """There are never more."""
    steps: int = Field(
        0, ge=0, le=1_000_000, title="Training steps", json_schema_extra=_BASIC | {"unit": "steps"}
    )
    """That fit the Gaussians to pictures of the field; 0 leaves them as the surface says."""


_INPUTS = (
    InputSlot("field", "radiance_field", "Field", also=("view_field",)),
    InputSlot(
        "scene", "posed_images", "Cameras to look from", optional=True, is_left_empty=True, needs_photos=False
    ),
)

MESH = Method(
    id="field.mesh",
    title="Mesh from a field",
    summary="A coloured mesh of a radiance field, or of a field of views, fused from the depth that it shows.",
    inputs=_INPUTS,
    settings=FieldMeshSettings,
    run_at="recon.fields.mesh:run",
    paper="Curless and Levoy 1996",
    presets={
        "Quick check": {"resolution": 128, "image_size": 160},
        "Balanced": {},
        "Best": {"resolution": 512, "image_size": 640, "views": 128},
    },
)
SPLATS = Method(
    id="field.splats",
    title="Splats from a field",
    summary="Gaussian splats on the surface that a radiance field, or a field of views, shows.",
    inputs=_INPUTS,
    settings=FieldSplatsSettings,
    run_at="recon.fields.splats:run",
    presets={
        "Quick check": {"resolution": 128, "image_size": 160, "max_gaussians": 30_000},
        "Balanced": {},
        "Best": {"steps": 3000, "image_size": 480, "views": 96, "max_gaussians": 300_000},
    },
    makes="gaussians",
)
