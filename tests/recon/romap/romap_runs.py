"""Runs of the methods on the snowman, as the worker runs them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from recon.method import Result, RunContext
from recon.romap import EditSettings, PartSettings, edit, find_part
from render.gaussians import GaussianCloud
from tests.synthetic_parts import PartScene, spoilt


def result_of(run: Generator[Any, None, Result]) -> Result:
    """What a run returns in the end."""
    while True:
        try:
            next(run)
        except StopIteration as stop:
            return stop.value


def find_parts(inputs: dict[str, Any], folder: Path | str = "", **settings: Any) -> tuple[GaussianCloud, Any]:
    """The cloud with parts, and the figures."""
    wishes = PartSettings(masks=str(folder), **settings)
    result = result_of(find_part.run(inputs, wishes, RunContext()))
    cloud = result.outputs[0].data
    assert isinstance(cloud, GaussianCloud)
    return cloud, result.figures


def edit_part(inputs: dict[str, Any], seed: int = 0, **settings: Any) -> tuple[GaussianCloud, Any]:
    """The edited cloud, and the figures."""
    result = result_of(edit.run(inputs, EditSettings(**settings), RunContext(seed=seed)))
    cloud = result.outputs[0].data
    assert isinstance(cloud, GaussianCloud)
    return cloud, result.figures


def spoilt_masks(scene: PartScene, seed: int, noise: float = 1.0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [spoilt(scene.masks[view], rng, noise) for view in scene.train]


def are_same_rows(a: GaussianCloud, b: GaussianCloud, rows: Any) -> bool:
    """Whether these rows of both clouds hold the same bytes."""
    names = ("means", "quats", "log_scales", "opacity_logits", "sh")
    return all(getattr(a, name)[rows].tobytes() == getattr(b, name)[rows].tobytes() for name in names)
