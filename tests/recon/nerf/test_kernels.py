"""The kernels of a radiance field do what plain torch does, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recon.hash_grid import torch_jets
from recon.nerf import twin
from recon.nerf.engine import KernelEngine
from recon.nerf.schedule import LEAST_WEIGHT
from render.hash_grid_layout import HashGridLayout
from render.radiance_layout import RadianceLayout
from render.radiance_march import code_densities
from render.radiance_rays import Rays, follow

LAYOUT = RadianceLayout(
    HashGridLayout.between(4, 32, 3, 4, 9), width=8, color_width=8, cells=16, num_samples=12
)
KNOWN = 1.5
TRUST = 0.02
DISTORTION = 0.7


def make_rays(count: int = 70) -> Rays:
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return Rays(
        rng.uniform(-1.5, 1.5, (count, 3)).astype(np.float32), directions.astype(np.float32),
        rng.random((count, 2), np.float32),
    )  # fmt: skip


def make_engine(features: int = 4) -> KernelEngine:
    rng = np.random.default_rng(2)
    grid = HashGridLayout.between(4, 32, 16 // features, features, 9)
    layout = RadianceLayout(grid, width=8, color_width=8, cells=16, num_samples=12)
    parameters = {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in layout.shapes.items()}
    codes = rng.normal(96, 20, layout.cells**3).clip(1, 255).astype(np.uint8)
    codes[rng.random(len(codes)) < 0.2] = 0
    codes[rng.random(len(codes)) < 0.2] = 1
    return KernelEngine(layout, parameters, codes)


def placed_by_twin(engine: KernelEngine, rays: Rays, explore: float = 0.3) -> twin.Placed:
    layout = engine.network.layout
    return twin.place_samples(
        *(torch.from_numpy(each) for each in (rays.origins, rays.directions, rays.noise)), layout.num_samples, explore,
        layout, torch.from_numpy(engine.network.codes), torch.from_numpy(code_densities()),
    )  # fmt: skip


@pytest.mark.parametrize("features", [2, 4])
def test_kernels_draw_what_torch_draws(features: int) -> None:
    engine, rays = make_engine(features), make_rays()
    layout = engine.network.layout
    samples = follow(engine.network, rays, layout.num_samples, 0.3, LEAST_WEIGHT)
    placed = placed_by_twin(engine, rays)
    # A bin whose edge a rounding moves may hold a sample more.
    near = np.isclose(samples.places, placed.places.numpy(), rtol=1e-3, atol=1e-3).all(1)
    assert near.mean() > 0.9
    np.testing.assert_allclose(samples.widths[near], placed.widths.numpy()[near], rtol=2e-2, atol=1e-4)
    np.testing.assert_allclose(samples.spots[near], placed.spots.numpy()[near], atol=1e-4)


def twin_placed_as(samples: object, layout: RadianceLayout) -> twin.Placed:
    """The kernels' own samples, in double precision."""
    shape = samples.places.shape  # type: ignore[attr-defined]
    places, widths, spots, points = (
        torch.from_numpy(getattr(samples, name)).double() for name in ("places", "widths", "spots", "points")
    )
    return twin.Placed(places, widths, spots, points.view(*shape, 3))


@pytest.mark.parametrize("features", [2, 4])
def test_slopes_of_kernels_are_those_of_torch(features: int) -> None:
    engine, rays = make_engine(features), make_rays()
    layout, count = engine.network.layout, len(rays)
    rng = np.random.default_rng(3)
    of_rgb, of_alpha = (
        rng.normal(size=(count, 3)).astype(np.float32),
        rng.normal(size=count).astype(np.float32),
    )
    known = np.full(count, KNOWN, np.float32)
    trust = np.where(np.arange(count) % 2, TRUST, 0).astype(np.float32)
    samples = follow(engine.network, rays, layout.num_samples, 0.3, LEAST_WEIGHT, is_kept=True)
    costs = engine.go_back(samples, rays, of_rgb, of_alpha, DISTORTION, known, trust)

    parameters = {
        name: torch.from_numpy(value).double().requires_grad_()
        for name, value in engine.network.parameters.items()
    }
    placed = twin_placed_as(samples, layout)
    drawn = twin.draw(
        layout, parameters, lambda points: torch_jets(parameters["table"], points, layout.grid)[0], placed,
        torch.from_numpy(rays.directions).double(), LEAST_WEIGHT,
    )  # fmt: skip
    rgb, alpha = engine.sums(samples)
    np.testing.assert_allclose(rgb, drawn.rgb.detach().numpy(), atol=2e-4)
    np.testing.assert_allclose(alpha, drawn.alpha.detach().numpy(), atol=2e-4)
    bent = DISTORTION * twin.distortion(drawn, placed).mean()
    off = twin.depth_cost(drawn, placed, torch.from_numpy(known), torch.from_numpy(trust)).sum()
    np.testing.assert_allclose(costs, [bent.item(), off.item()], rtol=1e-3)
    pulled = (drawn.rgb * torch.from_numpy(of_rgb)).sum() + (drawn.alpha * torch.from_numpy(of_alpha)).sum()
    (pulled + bent + off).backward()
    for name, value in parameters.items():
        assert value.grad is not None
        wanted = value.grad.numpy()
        error = np.linalg.norm(engine.slopes[name] - wanted) / np.linalg.norm(wanted)
        assert error < 2e-3, name
