"""From a trained field to a mesh, at any resolution."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from recon.method import InputSlot, Method, Settings

_BASIC: dict[str, Any] = {"basic": True}


class ExtractionSettings(Settings):
    """What a person may choose about the mesh of a trained surface."""

    resolution: int = Field(
        384, ge=64, le=1024, title="Resolution", json_schema_extra=_BASIC | {"unit": "cells", "slider": True}
    )
    """Cells along the longest side of the region. Parts thinner than a cell get lost; twice as many cells make four times as many triangles."""
    remove_unseen: bool = Field(True, title="Remove unseen shells", json_schema_extra=_BASIC)
    """Leave out what no camera sees, like the back of walls. Needs the photos."""
    colors: bool = Field(True, title="Colours and uncertainty", json_schema_extra=_BASIC)
    """Give each vertex its colour, and the uncertainty of the depth and normal cues there."""
    smallest_part: float = Field(0.0005, ge=0, le=1, title="Smallest part")
    """Parts of less than this share of the largest one's area are left out; 0 keeps all."""
    level: float = Field(0.0, ge=-1e6, le=1e6, title="Distance from the surface")
    """Extract where the field has this distance, in the scene's unit: a positive one lies before the surface, where parts are thicker."""


METHOD = Method(
    id="extract",
    title="Extract the surface",
    summary="Makes the mesh of a trained surface again: finer, coarser, or with other parts left out.",
    inputs=(
        InputSlot("field", "sdf_field", "Trained surface"),
        InputSlot("scene", "posed_images", "Posed photos", optional=True),
    ),
    settings=ExtractionSettings,
    run_at="recon.extraction.extract:run",
    presets={
        "Quick check": {"resolution": 128},
        "Balanced": {},
        "Best": {"resolution": 768},
    },
)
