"""Indoor surface from posed photos: DebSDF (arXiv:2308.15536) on a hash grid, with a coarse field to start from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from recon.method import InputSlot, Method, Settings

Start = Literal["auto", "sphere"]

_BASIC: dict[str, Any] = {"basic": True}


class DebsdfSettings(Settings):
    """What a person may change about a surface from photos."""

    steps: int = Field(
        3200, ge=1, le=1_000_000, title="Training steps", json_schema_extra=_BASIC | {"unit": "steps"}
    )
    """More steps sharpen edges and thin parts; the time grows alike."""
    resolution: int = Field(
        384, ge=32, le=2048, title="Mesh resolution", json_schema_extra=_BASIC | {"unit": "cells"}
    )
    """Cells along the longest side of the region. Parts thinner than a cell get lost."""
    image_size: int = Field(0, ge=0, le=8192, title="Image size", json_schema_extra=_BASIC | {"unit": "px"})
    """Longer side that photos are scaled down to; 0 chooses what the device can make use of."""
    held_out: int = Field(16, ge=0, le=1000, title="Hold out every n-th photo", json_schema_extra=_BASIC)
    """These photos are not trained on, but show how well unseen views are predicted; 0 trains on all. Sets of fewer
    photos than that are trained on whole."""
    start: Start = Field("auto", title="Start from", json_schema_extra=_BASIC)
    """auto: the fused depth cues, where there are any; sphere: the inside of a sphere."""

    uncertainty: bool = Field(True, title="Learned uncertainty")
    """Learn where depth and normal cues are wrong, and trust them less there."""
    exclusion: bool = Field(True, title="Exclude the most uncertain cues")
    """Let the most uncertain cues not shape the surface at all, once the uncertainty is calibrated."""
    excluded_share: float = Field(0.12, ge=0.0, le=0.9, title="Share to exclude, at most")
    """Of the rays, for depth and for normals each."""
    bias_aware: bool = Field(True, title="Bias-aware density")
    """Allow for the ray's angle and the surface's curvature where cues are uncertain, which keeps thin parts."""
    guided_rays: bool = Field(True, title="Rays by uncertainty")
    """Look more often at what is uncertain."""
    uniform_share: float = Field(0.6, ge=0.0, le=1.0, title="Share of rays drawn alike")
    """The others are drawn by uncertainty."""
    adaptive_smoothness: bool = Field(True, title="Adaptive smoothness")
    """Do not smooth where cues are uncertain: thin parts are there."""
    consistency_masks: bool = Field(True, title="Compare cues across views")
    """Before training, leave out cues that contradict what all views together show."""
    correct_depth: bool = Field(True, title="Straighten depth while training")
    """Learn a smooth factor for each view's depth cue."""
    image_codes: int = Field(8, ge=0, le=64, title="Length of the image codes")
    """What a photo's exposure and a cue's habits are described by; 0 switches it off."""

    rays: int = Field(512, ge=16, le=65_536, title="Rays a step", json_schema_extra={"unit": "rays"})
    """Pixels looked at in each step."""
    importance_samples: int = Field(14, ge=2, le=256, title="Samples near the surface")
    """Of each ray, where the cached field shows a surface."""
    stratified_samples: int = Field(4, ge=0, le=256, title="Samples along the ray")
    """Of each ray, spread up to the surface."""
    levels: int = Field(8, ge=1, le=24, title="Levels of the hash grid")
    """More levels and a finer finest one hold more detail."""
    finest: int = Field(256, ge=16, le=8192, title="Finest level", json_schema_extra={"unit": "cells"})
    """Cells along the region at the finest level."""
    table_size: int = Field(17, ge=10, le=24, title="Hash table size (log2)")
    """Entries of a level, as a power of two."""
    base_resolution: int = Field(192, ge=32, le=512, title="Coarse field's resolution")
    """Grid points along the region of the field that training starts from."""
    cache_resolution: int = Field(256, ge=16, le=512, title="Sampling grid's resolution")
    """Grid points along the region of the cached distance that places the samples. Parts thinner than a cell are not
    looked at, and so get lost."""

    learning_rate: float = Field(2e-3, gt=0, le=1, title="Learning rate")
    """Of the networks; it falls to a tenth."""
    table_learning_rate: float = Field(1e-2, gt=0, le=1, title="Learning rate of the hash table")
    """It falls to a tenth."""
    eikonal_weight: float = Field(0.05, ge=0, le=100, title="Weight of the distance property")
    """How strictly the field stays a distance."""
    smooth_weight: float = Field(0.005, ge=0, le=100, title="Weight of smoothness")
    """How even surfaces are."""
    depth_weight: float = Field(0.5, ge=0, le=100, title="Weight of depth before uncertainty is known")
    """Of the relative error of depth."""
    normal_weight: float = Field(0.1, ge=0, le=100, title="Weight of normals before uncertainty is known")
    """Of the difference of normals."""
    uncertain_depth_weight: float = Field(0.012, ge=0, le=100, title="Weight of depth with uncertainty")
    """Of the likelihood of depth."""
    uncertain_normal_weight: float = Field(0.005, ge=0, le=100, title="Weight of normals with uncertainty")
    """Of the likelihood of normals."""
    correction_weight: float = Field(1e-3, ge=0, le=100, title="Weight against straightening")
    """Pulls the smooth factors to 1."""
    sparse_weight: float = Field(0.5, ge=0, le=100, title="Weight of the sparse points")
    """Of the surface's distance from them."""
    beta_start: float = Field(0.0, ge=0, le=1, title="Blur at the start")
    """Blur of the surface in half sides of the region; 0 chooses by where training starts from."""
    beta_end: float = Field(0.0, ge=0, le=1, title="Blur at the end")
    """As before, at 80 % of the steps and after."""
    warm_up: float = Field(0.1, ge=0, le=1, title="Share of steps before uncertainty is used")
    """Cues count alike until then."""
    exclusion_start: float = Field(0.2, ge=0, le=1, title="Share of steps before exclusion")
    """Exclusion, guided rays and adaptive smoothness begin here."""
    bias_start: float = Field(0.6, ge=0, le=1, title="Bias-aware density begins")
    """As a share of the steps."""
    bias_end: float = Field(0.8, ge=0, le=1, title="Bias-aware density is whole")
    """As a share of the steps."""


METHOD = Method(
    id="debsdf",
    title="Indoor surface from photos",
    summary="A clean surface of a room with its thin parts, from posed photos and depth and normal cues.",
    inputs=(InputSlot("scene", "posed_images", "Posed photos"),),
    settings=DebsdfSettings,
    run_at="recon.debsdf.reconstruct:run",
    paper="arXiv:2308.15536",
    presets={
        "Quick check": {"steps": 300, "resolution": 256},
        "Balanced": {},
        "Best": {
            "steps": 12_000, "rays": 1024, "levels": 10, "finest": 512, "table_size": 19, "resolution": 512,
        },
    },
)  # fmt: skip
