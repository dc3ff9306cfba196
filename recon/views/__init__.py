"""What a trained surface looks like from the cameras of photos."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from recon.method import InputSlot, Method, Settings

_BASIC: dict[str, Any] = {"basic": True}


class ViewsSettings(Settings):
    """Which pictures to render, and how large."""

    every: int = Field(1, ge=1, le=100_000, title="Every n-th photo", json_schema_extra=_BASIC)
    """1 renders what each photo shows."""
    image: str = Field("", title="Only this photo", json_schema_extra=_BASIC)
    """The name of one photo, or part of it; empty for all."""
    size: int = Field(320, ge=16, le=8192, title="Longer side", json_schema_extra=_BASIC | {"unit": "px"})
    """Of the pictures; all have the shape of the first photo."""


METHOD = Method(
    id="views",
    title="Look through the cameras",
    summary="Renders colour, depth, normals and uncertainty of a trained surface from the photos' cameras.",
    inputs=(
        InputSlot("field", "sdf_field", "Trained surface"),
        InputSlot("scene", "posed_images", "Posed photos"),
    ),
    settings=ViewsSettings,
    run_at="recon.views.render:run",
)
