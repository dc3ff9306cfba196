"""Photos or a video → where they were taken: structure from motion by COLMAP (Schönberger and Frahm, CVPR 2016)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from recon.method import InputSlot, Method, Settings

Pairing = Literal["auto", "all", "neighbours", "look-alike"]
Lenses = Literal["alike", "one", "each"]
CameraModel = Literal[
    "SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV",
    "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE", "OPENCV_FISHEYE",
]  # fmt: skip

_BASIC: dict[str, Any] = {"basic": True}


class PosesSettings(Settings):
    """What a person may change about finding camera poses."""

    pairing: Pairing = Field("auto", title="Compare", json_schema_extra=_BASIC)
    """Which images are compared. all: each with each; neighbours: those taken one after another, and places that
    come again; look-alike: those that look alike at a glance; auto: all up to 80 images, neighbours for a
    video, look-alike for more."""
    lenses: Lenses = Field("alike", title="Lenses", json_schema_extra=_BASIC)
    """Which images share a lens. alike: those of one size, camera and focal length; one: all; each: none."""
    camera_model: CameraModel = Field("SIMPLE_RADIAL", title="Lens model", json_schema_extra=_BASIC)
    """How the lens bends rays, by COLMAP's names; more parameters need more and sharper images."""
    field_of_view: float = Field(
        0.0, ge=0.0, lt=180.0, title="Field of view", json_schema_extra={"unit": "degrees"}
    )
    """Of the longer side, where it is known; 0 takes it from the photo's EXIF data, or estimates it."""
    max_image_size: int = Field(
        1600, ge=160, le=20_000, title="Largest image side", json_schema_extra=_BASIC | {"unit": "px"}
    )
    """Features are looked for in images scaled down to this."""
    max_features: int = Field(4000, ge=100, le=50_000, title="Features", json_schema_extra=_BASIC)
    """At most this many in each image."""
    contrast: float = Field(0.005, ge=0.0001, le=0.05, title="Least contrast of a feature")
    """Lower finds features in fainter texture, and more false ones."""
    steady_features: bool = Field(False, title="Features for slanted views")
    """Affine shapes and pooling over scales (DSP-SIFT): more matches between distant views, at twice the time."""
    match_ratio: float = Field(0.8, ge=0.4, le=0.98, title="Ambiguity of a match")
    """How much worse the second best match must be; higher keeps more matches, and more false ones."""
    guided_matching: bool = Field(False, title="Search again along epipolar lines")
    """Once two images are known to match, find the matches that were too ambiguous before."""
    min_matches: int = Field(15, ge=8, le=500, title="Fewest matches of a pair")
    """Pairs of images with fewer matches that agree are left out."""
    refine_center: bool = Field(False, title="Refine the image centre")
    """Also estimate where the optical axis meets the image, after all images are placed."""
    model: int = Field(1, ge=1, le=50, title="Group to take")
    """Images that fall into groups without a link make several models: 1 is the largest, 2 the next."""

    max_frames: int = Field(120, ge=2, le=5000, title="Frames of a video", json_schema_extra=_BASIC)
    """At most this many frames are taken from a video, evenly spread, the sharpest of each stretch."""
    frames_per_second: float = Field(
        0.0, ge=0.0, le=240.0, title="Frames a second", json_schema_extra={"unit": "1/s"}
    )
    """How many frames to take from a second of video; 0 spreads the largest number over its length."""


METHOD = Method(
    id="poses",
    title="Camera poses",
    summary="Where each photo or video frame was taken, the lens, and sparse points of the scene.",
    inputs=(InputSlot("images", "images", "Photos or a video"),),
    settings=PosesSettings,
    run_at="recon.poses.reconstruct:run",
    makes="posed_images",
    presets={
        "Quick check": {
            "max_image_size": 1000,
            "max_features": 2000,
            "max_frames": 60,
        },
        "Balanced": {},
        "Best": {
            "max_image_size": 3200,
            "max_features": 8192,
            "contrast": 0.0025,
            "steady_features": True,
            "guided_matching": True,
            "refine_center": True,
            "match_ratio": 0.85,
            "max_frames": 300,
        },
    },
)
