"""The usual ways from depth or points to a surface, to compare with: TSDF fusion and Poisson reconstruction."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from recon.method import InputSlot, Method, Settings

PoissonSource = Literal["auto", "depth", "points"]

_BASIC: dict[str, Any] = {"basic": True}


class FusionSettings(Settings):
    """What a person may change about fusing depth."""

    voxel: float = Field(0.0, ge=0.0, title="Voxel size", json_schema_extra=_BASIC | {"unit": "scene"})
    """Side of a voxel in the scene's unit; 0 takes a 220th of the region's longest side."""
    truncation: float = Field(4.0, ge=1.5, le=20.0, title="Truncation", json_schema_extra={"unit": "voxels"})
    """How far around a depth it counts; more fills gaps and rounds edges."""
    max_depth: float = Field(
        0.0, ge=0.0, title="Farthest depth", json_schema_extra=_BASIC | {"unit": "scene"}
    )
    """Depth beyond is left out, in the scene's unit; 0 takes the region's diagonal."""
    min_weight: float = Field(2.0, ge=0.0, le=100.0, title="Fewest views", json_schema_extra=_BASIC)
    """Surface that fewer views have seen is left out."""
    image_size: int = Field(640, ge=32, le=8192, title="Image size", json_schema_extra={"unit": "px"})
    """Longer side that photos and depth are scaled down to."""
    realign: bool = Field(True, title="Align views to each other")
    """Bring the depths of all views to agree with each other and with the normals, after the sparse points."""


class PoissonSettings(FusionSettings):
    """What a person may change about Poisson reconstruction."""

    source: PoissonSource = Field("auto", title="Points from", json_schema_extra=_BASIC)
    """depth: the surface that TSDF fusion gives; points: the sparse points; auto: depth where there are cues."""
    depth: int = Field(8, ge=4, le=12, title="Octree depth", json_schema_extra=_BASIC)
    """Each step doubles the resolution."""
    trim: float = Field(0.03, ge=0.0, le=0.9, title="Share to trim", json_schema_extra=_BASIC)
    """This share of the surface, where points are sparsest, is cut off."""


_SCENE = (InputSlot("scene", "posed_images", "Posed photos"),)
_PRESETS: dict[str, dict[str, Any]] = {
    "Quick check": {"image_size": 320},
    "Balanced": {},
    "Best": {"image_size": 1280},
}

TSDF = Method(
    id="tsdf",
    title="TSDF fusion",
    summary="Fuses the depth cues of posed photos into a surface with Open3D, in seconds; to compare with.",
    inputs=_SCENE,
    settings=FusionSettings,
    run_at="recon.fusion.tsdf:run",
    paper="Curless and Levoy 1996",
    presets=_PRESETS,
)
POISSON = Method(
    id="poisson",
    title="Poisson surface",
    summary="A closed surface through fused depth or sparse points with Open3D; to compare with.",
    inputs=_SCENE,
    settings=PoissonSettings,
    run_at="recon.fusion.poisson:run",
    paper="Kazhdan and Hoppe 2013",
    presets=_PRESETS,
)
