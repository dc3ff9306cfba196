"""Classic interpolation between cross-sections, to compare with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recon.method import InputSlot, Method, Settings

Kind = Literal["linear", "cubic", "morphological", "rbf"]
Ends = Literal["flat", "half-gap"]


class InterpolateSettings(Settings):
    """What a person may change about classic interpolation."""

    kind: Kind = Field("cubic", title="Kind", json_schema_extra={"basic": True})
    """linear, cubic: in-plane distances between parallel slices; morphological: ITK's contour interpolation, what
    3D Slicer and ITK-SNAP do; rbf: a biharmonic surface through the contours, for planes at any angle."""
    resolution: int = Field(
        129, ge=33, le=385, title="Resolution", json_schema_extra={"basic": True, "unit": "cells"}
    )
    """Grid points along the longest side."""
    labels: tuple[int, ...] = Field((), title="Labels to build", json_schema_extra={"basic": True})
    """The labels to make a solid of; none named means all."""
    caps: Ends = Field("half-gap", title="Ends of the stack")
    """Where a parallel stack is cut: at its last slice, or half a slice gap beyond. Without effect on rbf."""
    centers: int = Field(2500, ge=100, le=8000, title="RBF centres", json_schema_extra={"unit": "points"})
    """Points on contours that the biharmonic surface goes through; time grows with their cube."""


METHOD = Method(
    id="interpolate",
    title="Classic interpolation",
    summary="The usual ways from slices to a solid, to compare with: shape-based, morphological, biharmonic.",
    inputs=(InputSlot("sections", "cross_sections", "Cross-sections"),),
    settings=InterpolateSettings,
    run_at="recon.interpolation.interpolate:run",
    presets={
        "Quick check": {"kind": "linear", "resolution": 65},
        "Balanced": {},
        "Best": {"resolution": 257},
    },
)
