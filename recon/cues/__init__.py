"""Depth and normals of single photos: computed by networks, checked, brought into the world."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from recon.cues.models import Task, known_models
from recon.method import InputSlot, Method, Settings

_BASIC: dict[str, Any] = {"basic": True}


def _networks(task: Task, *others: str) -> dict[str, Any]:
    """What a person may choose for a task besides a folder: the networks of the table, and these words."""
    known = [model.id for model in known_models() if model.task == task]
    return {"suggestions": [*known, *others]}


class CuesSettings(Settings):
    """What a person may change about computing cues."""

    depth_model: str = Field(
        "depth-anything-v2-small",
        title="Depth network",
        json_schema_extra=_BASIC | _networks("depth", "keep", "none"),
    )
    """A name of resources/models.toml, or the folder of a depth-estimation network of transformers; "keep" keeps the
    scene's own depth, "none" makes no depth."""
    depth_kind: str = Field("", title="Kind of depth")
    """What a network from a folder gives: metric, depth or disparity. Empty: what its table or its name tells."""
    normal_model: str = Field(
        "depth",
        title="Normal network",
        json_schema_extra=_BASIC | _networks("normals", "depth", "keep", "none"),
    )
    """"depth" derives normals from the depth, which needs no second network; else a name of resources/models.toml, the
    folder of a Marigold normals pipeline of diffusers, "keep" or "none"."""
    image_size: int = Field(
        1024, ge=32, le=8192, title="Image size", json_schema_extra=_BASIC | {"unit": "px"}
    )
    """Longer side of the pictures that the networks see and of the cues."""
    steps: int = Field(4, ge=1, le=50, title="Denoising steps")
    """Of a normals pipeline: more are slower and a little better."""


METHOD = Method(
    id="cues",
    title="Depth and normal cues",
    summary="Estimates depth and normals of each photo with a network that is on this machine.",
    inputs=(InputSlot("scene", "posed_images", "Posed photos"),),
    settings=CuesSettings,
    run_at="recon.cues.compute:run",
    makes="posed_images",
)
