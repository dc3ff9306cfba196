"""How far a surface is from another: colours on the mesh, figures beside it."""

from __future__ import annotations

from pydantic import Field

from recon.method import InputSlot, Method, Settings


class DistanceSettings(Settings):
    """What a person may choose about a distance."""

    signed: bool = Field(True, title="Signed", json_schema_extra={"basic": True})
    """Tell outside (positive) from inside (negative) the reference; only for a closed reference."""


METHOD = Method(
    id="distance",
    title="Distance to a reference",
    summary="Colours a mesh by its distance to another one, and measures how well the two agree.",
    inputs=(InputSlot("mesh", "mesh", "Mesh"), InputSlot("reference", "mesh", "Reference")),
    settings=DistanceSettings,
    run_at="recon.distance.measure:run",
)
