"""The parameters that training begins with."""

from __future__ import annotations

import math

import numpy as np

from recon.nerf import NerfSettings
from render.compiled import Float
from render.hash_grid_layout import HashGridLayout
from render.radiance_layout import RadianceLayout

COARSEST = 16  # cells along the box
TABLE_RANGE = 1e-2  # of first features


def make_layout(settings: NerfSettings, background: tuple[float, float, float]) -> RadianceLayout:
    """The field that the settings ask for."""
    grid = HashGridLayout.between(
        COARSEST, max(COARSEST, settings.detail), settings.levels, settings.features, settings.table_size
    )
    return RadianceLayout(
        grid,
        width=settings.width,
        color_width=settings.width,
        num_samples=settings.samples,
        background=background,
    )


def initial_parameters(layout: RadianceLayout, seed: int) -> dict[str, Float]:
    """Small random features, layers uniform after He, biases of zero."""
    rng = np.random.default_rng([seed, 2])
    found: dict[str, Float] = {}
    for name, shape in layout.shapes.items():
        if name == "table":
            found[name] = rng.uniform(-TABLE_RANGE, TABLE_RANGE, shape).astype(np.float32)
        elif name.startswith("w"):
            reach = math.sqrt((3 if name in ("w2", "w5") else 6) / shape[1])
            found[name] = rng.uniform(-reach, reach, shape).astype(np.float32)
        else:
            found[name] = np.zeros(shape, np.float32)
    return found
