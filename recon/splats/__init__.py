"""Gaussian splats from posed photos (3D Gaussian splatting, arXiv:2308.04079), and a mesh of splats."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from recon.method import InputSlot, Method, Settings

Growth = Literal["mcmc", "split"]
Start = Literal["auto", "points", "random"]
Background = Literal["auto", "black", "white", "random", "learned"]
Transparency = Literal["auto", "ignore", "empty"]
Depth = Literal["median", "expected"]

_BASIC: dict[str, Any] = {"basic": True}


class SplatSettings(Settings):
    """What a person may change about splats from photos."""

    steps: int = Field(
        5000, ge=1, le=1_000_000, title="Training steps", json_schema_extra=_BASIC | {"unit": "steps"}
    )
    """Each looks at one photo. More steps sharpen detail; the time grows alike."""
    max_gaussians: int | None = Field(
        None, ge=1, le=20_000_000, title="Most Gaussians", json_schema_extra=_BASIC
    )
    """There are never more. Not given: chosen by the steps and the device."""
    image_size: int | None = Field(
        None, ge=16, le=16_384, title="Image size", json_schema_extra=_BASIC | {"unit": "px"}
    )
    """Longer side that photos are scaled down to. Not given: what the device can make use of."""
    minutes: float | None = Field(
        None,
        gt=0.0,
        le=10_000,
        title="Time limit",
        json_schema_extra=_BASIC | {"unit": "min", "none": "None"},
    )
    """Processor time (a GPU's: of the clock) that training may take: the schedule is then shortened to end in time,
    so that two runs differ."""
    held_out: int | None = Field(
        None,
        ge=0,
        le=1000,
        title="Hold out every",
        json_schema_extra=_BASIC | {"unit": "photos", "none": "Auto"},
    )
    """Every n-th photo is not trained on, but shows how well unseen views are predicted; 0 trains on all. Not given: every
    eighth where there are at least 32 photos, else none."""
    start: Start = Field("auto", title="Start from", json_schema_extra=_BASIC)
    """auto: the sparse points where there are enough, else random places that the photos agree about."""
    sh_degree: int = Field(3, ge=0, le=3, title="Colours by direction", json_schema_extra=_BASIC)
    """Degree of the spherical harmonics: 0 is the same colour from everywhere, 3 holds highlights."""
    antialiased: bool = Field(False, title="Anti-aliasing", json_schema_extra=_BASIC)
    """Train with the filter of Mip-Splatting, for views from much farther away; viewers must know of it."""
    exposure: bool = Field(False, title="Even out exposure", json_schema_extra=_BASIC)
    """Learn a change of colours for each photo, where exposure or white balance differ between photos."""
    background: Background = Field("auto", title="Background", json_schema_extra=_BASIC)
    """What is behind all Gaussians. auto: white where the photos stand on pure white, else black."""
    transparency: Transparency = Field("auto", title="Masked pixels")
    """ignore: they may show anything; empty: nothing is there. auto: empty where photos are transparent, ignored where
    mask files say so."""

    growth: Growth = Field("mcmc", title="Growth")
    """mcmc: relocate what has faded and explore by noise (3DGS-MCMC); split: clone and split where errors are large."""
    coarse_to_fine: bool = Field(True, title="Coarse to fine")
    """Begin with small pictures, which takes a fraction of the time."""
    ssim_weight: float = Field(0.2, ge=0.0, le=1.0, title="Weight of structure")
    """Share of 1 - SSIM in the loss; the rest is the absolute difference of colours."""
    opacity_weight: float = Field(0.01, ge=0.0, le=1.0, title="Weight against opacity")
    """Keeps Gaussians that nothing needs from staying (MCMC)."""
    scale_weight: float = Field(0.01, ge=0.0, le=1.0, title="Weight against size")
    """Keeps Gaussians that nothing needs from growing (MCMC)."""
    noise: float = Field(5e5, ge=0.0, le=1e9, title="Noise")
    """How far transparent Gaussians wander (MCMC)."""
    means_rate: float | None = Field(None, gt=0.0, le=1.0, title="Learning rate of places")
    """In extents of the scene. Not given: by the steps. It falls to a hundredth."""
    scales_rate: float = Field(5e-3, ge=0.0, le=1.0, title="Learning rate of sizes")
    """Of the logarithm."""
    quats_rate: float = Field(1e-3, ge=0.0, le=1.0, title="Learning rate of turns")
    """Of the quaternions."""
    opacities_rate: float = Field(5e-2, ge=0.0, le=1.0, title="Learning rate of opacity")
    """Of the logit."""
    colors_rate: float = Field(2.5e-3, ge=0.0, le=1.0, title="Learning rate of colour")
    """Of the colour that is the same from everywhere; a twentieth for the rest."""
    min_opacity: float = Field(5e-3, ge=1e-4, le=0.5, title="Least opacity")
    """What is fainter counts as faded."""
    refine_every: int | None = Field(None, ge=1, le=100_000, title="Steps between refinements")
    """Not given: by the steps."""
    refine_end: float = Field(0.8, ge=0.0, le=1.0, title="Share of steps before growth ends")
    """What is left is for fine adjustment."""
    growth_gradient: float = Field(2e-4, gt=0.0, le=1.0, title="Error at which to split")
    """Mean gradient of a Gaussian's place in the picture (clone and split)."""
    absolute_gradient: bool = Field(False, title="Absolute gradients")
    """Sum up the gradient of each pixel without its sign (AbsGS), which splits what is blurred; needs a larger error
    at which to split, such as 0.0008."""


class SplatMeshSettings(Settings):
    """What a person may change about the mesh of splats."""

    voxel: float | None = Field(
        None, gt=0.0, title="Voxel size", json_schema_extra=_BASIC | {"unit": "scene"}
    )
    """Side of a voxel in the scene's unit. Not given: the longest side of the content divided by the resolution."""
    resolution: int = Field(
        320, ge=32, le=4096, title="Resolution", json_schema_extra=_BASIC | {"unit": "voxels"}
    )
    """Voxels along the longest side of the content, where no voxel size is given."""
    views: int = Field(64, ge=4, le=10_000, title="Views, at most", json_schema_extra=_BASIC)
    """Depth is rendered from so many places: those of the cameras where there are any, else around the content."""
    image_size: int = Field(640, ge=32, le=8192, title="Image size", json_schema_extra={"unit": "px"})
    """Longer side of the rendered depth."""
    depth: Depth = Field("median", title="Depth")
    """median: where half of the light is absorbed; expected: the mean, which floats between near and far."""
    min_alpha: float = Field(0.7, ge=0.0, le=1.0, title="Least coverage")
    """Pixels that are more transparent have no depth."""
    min_weight: float = Field(2.0, ge=0.0, le=100.0, title="Fewest views", json_schema_extra=_BASIC)
    """Surface that fewer views have seen is left out."""
    truncation: float = Field(4.0, ge=1.5, le=20.0, title="Truncation", json_schema_extra={"unit": "voxels"})
    """How far around a depth it counts; more fills gaps and rounds edges."""
    smallest_part: float = Field(0.01, ge=0.0, le=1.0, title="Smallest part", json_schema_extra=_BASIC)
    """Parts of less than this share of the largest one's area are left out; 0 keeps all."""


METHOD = Method(
    id="splats",
    title="Splats from photos",
    summary="Gaussian splats that look like the photos from everywhere near them.",
    inputs=(
        InputSlot("scene", "posed_images", "Posed photos"),
        InputSlot("points", "points", "Points to start from", optional=True),
        InputSlot("cloud", "gaussians", "Splats to go on from", optional=True, is_left_empty=True),
    ),
    settings=SplatSettings,
    run_at="recon.splats.reconstruct:run",
    paper="arXiv:2308.04079, arXiv:2404.09591",
    presets={
        "Quick check": {"steps": 2000, "image_size": 320},
        "Balanced": {},
        "Best": {"steps": 15_000},
    },
    makes="gaussians",
)
MESH = Method(
    id="splats.mesh",
    title="Mesh from splats",
    summary="A coloured mesh of Gaussian splats, fused from the depth that they show.",
    inputs=(
        InputSlot("cloud", "gaussians", "Splats"),
        InputSlot("scene", "posed_images", "Posed photos to look from", optional=True),
    ),
    settings=SplatMeshSettings,
    run_at="recon.splats.mesh:run",
    paper="Curless and Levoy 1996",
    presets={
        "Quick check": {"resolution": 160, "image_size": 320},
        "Balanced": {},
        "Best": {"resolution": 640, "image_size": 1280, "views": 128},
    },
)
