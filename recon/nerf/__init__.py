"""A radiance field of one scene from posed photos (NeRF, arXiv:2003.08934; Instant NGP, arXiv:2201.05989)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from recon.method import InputSlot, Method, Settings

Background = Literal["auto", "black", "white", "random"]
Transparency = Literal["auto", "ignore", "empty"]

_BASIC: dict[str, Any] = {"basic": True}


class NerfSettings(Settings):
    """What a person may change about a radiance field from photos."""

    steps: int = Field(
        3000, ge=1, le=1_000_000, title="Training steps", json_schema_extra=_BASIC | {"unit": "steps"}
    )
    """Each looks at pixels of all photos. More steps sharpen detail; the time grows alike."""
    minutes: float | None = Field(
        None,
        gt=0.0,
        le=10_000,
        title="Time limit",
        json_schema_extra=_BASIC | {"unit": "min", "none": "None"},
    )
    """Processor time (a GPU's: of the clock) that training may take: the schedule is then shortened to end in time,
    so that two runs differ."""
    image_size: int | None = Field(
        None, ge=16, le=16_384, title="Image size", json_schema_extra=_BASIC | {"unit": "px"}
    )
    """Longer side that photos are scaled down to. Not given: what the device can make use of."""
    held_out: int | None = Field(
        None,
        ge=0,
        le=1000,
        title="Hold out every",
        json_schema_extra=_BASIC | {"unit": "photos", "none": "Auto"},
    )
    """Every n-th photo is not trained on, but shows how well unseen views are predicted; 0 trains on all. Not given: every
    eighth where there are at least 32 photos, else none."""
    detail: int = Field(
        2048, ge=64, le=65_536, title="Finest detail", json_schema_extra=_BASIC | {"unit": "cells"}
    )
    """Cells of the finest grid along the scene's box."""
    exposure: bool = Field(False, title="Even out exposure", json_schema_extra=_BASIC)
    """Learn a change of colours for each photo, where exposure or white balance differ between photos."""
    background: Background = Field("auto", title="Background", json_schema_extra=_BASIC)
    """What is behind everything. auto: white where the photos stand on pure white, else nothing is left transparent that
    the photos show."""
    depth_weight: float = Field(0.05, ge=0.0, le=10.0, title="Weight of depth", json_schema_extra=_BASIC)
    """How much the scene's own depth counts, where it has any; 0 leaves it out."""
    transparency: Transparency = Field("auto", title="Masked pixels")
    """ignore: they may show anything; empty: nothing is there. auto: empty where photos are transparent, ignored where
    mask files say so."""

    rays: int = Field(4096, ge=16, le=1_000_000, title="Rays a step")
    """Pixels that one step looks at."""
    samples: int = Field(16, ge=4, le=256, title="Samples a ray")
    """Places along a ray that the network is asked about; more for what is thin or foggy."""
    levels: int = Field(8, ge=2, le=16, title="Levels of the grid")
    """From 16 cells along the box to the finest detail."""
    features: Literal[2, 4] = Field(4, title="Features a level")
    """Numbers that each point of each level holds."""
    table_size: int = Field(17, ge=10, le=24, title="Table size", json_schema_extra={"unit": "log2"})
    """Points of a level that have numbers of their own; beyond, some share."""
    width: int = Field(32, ge=8, le=128, multiple_of=8, title="Width of networks")
    """Neurons of each hidden layer."""
    rate: float = Field(1e-2, gt=0.0, le=1.0, title="Learning rate")
    """At first; it falls to a tenth."""
    distortion_weight: float = Field(0.002, ge=0.0, le=10.0, title="Weight against floaters")
    """Keeps what a ray sees together (the distortion loss of mip-NeRF 360)."""


METHOD = Method(
    id="nerf",
    title="Radiance field of a scene",
    summary="A neural radiance field (NeRF) that looks like the photos from everywhere near them, and knows their depth.",
    inputs=(InputSlot("scene", "posed_images", "Posed photos"),),
    settings=NerfSettings,
    run_at="recon.nerf.reconstruct:run",
    paper="arXiv:2003.08934, arXiv:2201.05989",
    presets={
        "Quick": {"steps": 1000, "image_size": 320, "table_size": 16},
        "Balanced": {},
        "Best": {"steps": 15_000, "table_size": 19, "width": 64, "samples": 24},
    },
    makes="radiance_field",
)
