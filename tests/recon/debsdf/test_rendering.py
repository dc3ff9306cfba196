"""Volume rendering of fields whose answer is a formula."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recon.debsdf.color_network import TYPICAL_NORMAL_ERROR, ColorNetwork, harmonics  # noqa: E402
from recon.debsdf.rays import Rays  # noqa: E402
from recon.debsdf.rendering import render, rendering_weights  # noqa: E402


class Plane:
    """A wall at z = 0.5 in the box, seen from below it; the field may be steeper than a distance."""

    def __init__(self, slope: float = 1.0) -> None:
        self.slope = slope

    def field(self, points):
        gradient = torch.zeros_like(points)
        gradient[:, 2] = -self.slope
        return self.slope * (0.5 - points[:, 2]), gradient, torch.ones(len(points), 4)


def rays_up(count: int, tilt: float = 0.0) -> Rays:
    generator = torch.Generator().manual_seed(0)
    origins = torch.rand(count, 3, generator=generator) * 0.2
    origins[:, 2] = 0
    directions = torch.nn.functional.normalize(torch.tensor([tilt, 0.0, 1.0]).expand(count, 3), dim=1)
    forward = torch.full((count,), float(directions[0, 2]))
    return Rays(
        torch.zeros(count, dtype=torch.int64), origins, directions, forward, torch.eye(3).expand(count, 3, 3)
    )


def color() -> ColorNetwork:
    return ColorNetwork(4, 3, 2, torch.Generator().manual_seed(0))


def distances(count: int, num: int = 200) -> torch.Tensor:
    return torch.linspace(0.01, 0.9, num).expand(count, num).contiguous()


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_a_wall_has_its_depth_and_normal(bias: float) -> None:
    rays = rays_up(8, 0.5)
    out = render(Plane(), color(), rays, distances(8), 0.002, bias)
    # z-depth, not the distance along the slanted ray.
    torch.testing.assert_close(out.depth, torch.full((8,), 0.5), atol=0.006, rtol=0)
    torch.testing.assert_close(out.normals, torch.tensor([0.0, 0.0, -1.0]).expand(8, 3), atol=1e-5, rtol=0)
    assert bool(out.is_crossed.all())
    torch.testing.assert_close(out.weights.sum(1), torch.ones(8), atol=1e-3, rtol=0)


def test_the_bias_aware_density_finds_a_wall_seen_at_a_low_angle_where_it_is() -> None:
    """VolSDF sees it too early: its density grows with the distance to the wall, not along the ray."""
    rays = rays_up(4, 4.0)
    network = color()
    with torch.no_grad():
        network.uncertainty[-1].bias.fill_(5.0)  # Uncertain everywhere: the correction is whole.
    path = torch.linspace(0.01, 2.6, 800).expand(4, 800).contiguous()
    plain = render(Plane(), network, rays, path, 0.02, 0.0).depth
    corrected = render(Plane(), network, rays, path, 0.02, 1.0).depth
    assert bool(((corrected - 0.5).abs() < 0.25 * (plain - 0.5).abs()).all())


def test_the_bias_aware_density_does_not_hang_on_the_steepness_of_the_field() -> None:
    rays, network = rays_up(4, 1.0), color()
    depths = [render(Plane(slope), network, rays, distances(4), 0.01, 1.0).depth for slope in (1.0, 3.0)]
    torch.testing.assert_close(depths[0], depths[1], atol=1e-4, rtol=0)


def test_weights_sum_to_what_is_not_seen_through() -> None:
    density = torch.rand(5, 30) * 20
    path = torch.sort(torch.rand(5, 30), dim=1).values
    weights = rendering_weights(density, path)
    # The last sample has a wall behind it.
    torch.testing.assert_close(weights.sum(1), torch.ones(5), atol=1e-4, rtol=0)
    steps = path.diff(dim=1)
    through = torch.exp(-torch.cumsum(density[:, :-1] * steps, 1))
    torch.testing.assert_close(weights[:, :-1].cumsum(1), 1 - through, atol=1e-5, rtol=0)


def test_colours_of_hidden_samples_are_not_asked_for() -> None:
    network, asked = color(), []
    original = network.colors
    network.colors = lambda shared, normals, points: (
        asked.append(len(points)) or original(shared, normals, points)
    )  # type: ignore[method-assign]
    out = render(Plane(), network, rays_up(8), distances(8), 0.002)
    assert sum(asked) < 0.2 * 8 * 200
    assert bool(((out.rgb > 0) & (out.rgb < 1)).all())


def test_uncertainty_starts_at_what_cues_are_usually_off_and_is_rendered_along_rays() -> None:
    out = render(Plane(), color(), rays_up(8), distances(8), 0.002)
    torch.testing.assert_close(
        out.normal_uncertainty, torch.full((8, 3), TYPICAL_NORMAL_ERROR), atol=0.03, rtol=0
    )
    assert bool((out.depth_uncertainty > 0).all())


def test_the_code_of_no_image_is_the_mean_of_all() -> None:
    network = color()
    features, directions = torch.rand(6, 4), torch.nn.functional.normalize(torch.rand(6, 3), dim=1)
    shared = network.shared(features, directions, torch.full((6,), -1))
    torch.testing.assert_close(shared[:, -2:], network.codes.mean(0).expand(6, 2))
    torch.testing.assert_close(
        network.shared(features, directions, torch.full((6,), 2))[0, -2:], network.codes[2]
    )


def test_the_harmonics_are_orthogonal_on_the_sphere() -> None:
    directions = np.random.default_rng(0).normal(size=(200_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    values = harmonics(torch.tensor(directions)).numpy()
    products = values.T @ values / len(values)
    scale = np.sqrt(np.diag(products))
    np.testing.assert_allclose(products / np.outer(scale, scale), np.eye(9), atol=0.01)
