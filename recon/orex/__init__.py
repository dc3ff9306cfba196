"""Surface from slices: OReX (arXiv:2211.12886) and a faster way that keeps to every input plane."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from recon.method import InputSlot, Method, Settings

Prior = Literal["auto", "none", "mixed", "neural", "cubic", "orex"]
Caps = Literal["natural", "flat", "half-gap"]

_BASIC: dict[str, Any] = {"basic": True}


class OrexSettings(Settings):
    """What a person may change about a surface from slices."""

    prior: Prior = Field("auto", title="Between the slices", json_schema_extra=_BASIC)
    """What fills the space between slices. auto: whichever predicts left-out slices best; none: the smoothest
    surface, in seconds; neural: a small network; mixed: the mean of both, mostly better than either; cubic: in-plane distances splined along a parallel stack;
    orex: the iterative residual network of the OReX paper, slow."""
    resolution: int = Field(
        129, ge=33, le=385, title="Resolution", json_schema_extra=_BASIC | {"unit": "cells"}
    )
    """Grid points along the longest side. Twice as many find half the detail, in eight times the memory."""
    labels: tuple[int, ...] = Field((), title="Labels to build", json_schema_extra=_BASIC)
    """The labels to make a solid of; none named means all."""
    caps: Caps = Field("natural", title="Ends of the stack", json_schema_extra=_BASIC)
    """How a parallel stack ends. natural: rounded off; flat: cut at the last slice that has a contour;
    half-gap: cut half a slice gap beyond it."""

    plane_weight: float = Field(1e7, ge=1e3, le=1e10, title="Weight of the slices")
    """How stiffly the surface is held to the contours against its own smoothness."""
    band: float = Field(0.12, ge=0.01, le=1.0, title="Distance band")
    """In-plane distances up to this far from a contour shape the solid; a share of half the box."""
    gradient_penalty: float = Field(10.0, ge=0.0, le=1e5, title="Tension without a prior")
    """Pulls the surface tight between slices; too little lets open ends run away."""
    prior_tension: float = Field(2000.0, ge=0.0, le=1e6, title="Tension towards the prior")
    """How soon the solid returns to the prior with the distance from a slice."""
    slope_correction: bool = Field(True, title="Slope correction")
    """Turn in-plane distances into distances in space by the current slope of the surface."""
    outside_hull: bool = Field(True, title="Empty outside the hull")
    """Nothing lies outside the convex hull of all contours, with a margin."""

    agreement: float = Field(0.999, ge=0.9, le=1.0, title="Agreement to reach")
    """Share of each slice that must be classified as drawn; the solve is repeated stiffer until it is."""
    agreement_rounds: int = Field(2, ge=0, le=8, title="Repeats for agreement")
    """How often to solve again where a slice disagrees."""
    cut_bridges: bool = Field(True, title="Cut bridges")
    """Cut thin bridges, and fill pinholes, that appear between the slices and that no slice shows."""
    uncertainty: bool = Field(True, title="Uncertainty")
    """Also tell, per vertex, how far the slices leave the surface undetermined."""

    steps: int = Field(2000, ge=10, le=200_000, title="Training steps", json_schema_extra={"unit": "steps"})
    """Steps of each neural prior."""
    batch_size: int = Field(2048, ge=64, le=262_144, title="Batch", json_schema_extra={"unit": "points"})
    """Points of a training step."""
    width: int = Field(64, ge=8, le=512, title="Network width")
    """Neurons of a hidden layer of the neural prior."""
    networks: int = Field(2, ge=1, le=8, title="Networks")
    """Neural priors trained from different seeds and averaged, which steadies the result."""

    schedule: float = Field(0.1, gt=0.0, le=1.0, title="OReX: share of the schedule")
    """Share of the paper's 650 epochs that the faithful network trains; 1 takes hours."""
    iterations: int = Field(10, ge=1, le=20, title="OReX: iterations")
    """How often the network refines its own answer; 1 switches the iterations off."""
    hierarchical_sampling: bool = Field(True, title="OReX: hierarchical sampling")
    """Train on samples ever nearer to the contours; off trains on the finest at once."""
    learnable_frequencies: bool = Field(True, title="OReX: learnable frequencies")
    """Let the positional encoding's frequencies train."""
    hidden_state: bool = Field(True, title="OReX: hidden state")
    """Hand a hidden state from one iteration to the next."""
    hinge_weight: float = Field(1e-4, ge=0.0, le=1.0, title="OReX: weight of the gradient hinge")
    """Weight of the penalty on steep gradients, which removes ripples; 0 switches it off."""
    hinge_limit: float = Field(100.0, gt=0.0, le=1e4, title="OReX: limit of the gradient hinge")
    """Gradient length of the logit, per box unit, above which the hinge penalises."""


METHOD = Method(
    id="orex",
    title="Surface from slices",
    summary="A smooth, watertight solid through contours drawn on any planes, in agreement with each of them.",
    inputs=(InputSlot("sections", "cross_sections", "Cross-sections"),),
    settings=OrexSettings,
    run_at="recon.orex.reconstruct:run",
    paper="arXiv:2211.12886",
    presets={
        "Quick check": {"prior": "none", "uncertainty": False, "agreement_rounds": 1},
        "Balanced": {},
        "Best": {"resolution": 193, "steps": 4000, "networks": 2},
    },
)
