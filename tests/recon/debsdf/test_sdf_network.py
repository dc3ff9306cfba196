from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from recon.debsdf.base_field import GridBase, torch_spline_jets
from recon.debsdf.jet_layers import layer_jets, readable_layer_jets
from recon.debsdf.network_layout import NetworkLayout
from recon.debsdf.sdf_network import SdfNetwork
from recon.hash_grid import HashGridLayout

SMALL = HashGridLayout.between(4, 32, num_levels=3, log2_table_size=9)
LAYOUTS = {
    "sphere": NetworkLayout(grid=SMALL),
    "grid": NetworkLayout(grid=SMALL, base_resolution=12, hidden_width=32),
    "deep": NetworkLayout(grid=SMALL, num_hidden=3, num_octaves=4, sharpness=20),
    "mlp": NetworkLayout("mlp", hidden_width=48, num_hidden=4, num_features=8, num_octaves=6),
    "shallow mlp": NetworkLayout("mlp", hidden_width=32, num_hidden=4, num_features=3, num_octaves=6),
}


def base_values(size: int = 12) -> np.ndarray:
    axis = np.linspace(-1, 1, size)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.sqrt(x**2 + 2 * y**2 + z**2 + 0.1) - 0.8


def network(name: str) -> SdfNetwork:
    layout = LAYOUTS[name]
    base = base_values() if layout.base_resolution else None
    made = SdfNetwork(layout, base, torch.Generator().manual_seed(0))
    if made.grid is not None:
        made.grid.table.data.uniform_(-0.3, 0.3, generator=torch.Generator().manual_seed(1))
        made.layers[-1].weight.data.normal_(0, 0.3, generator=torch.Generator().manual_seed(2))
    return made


def points(count: int = 200) -> torch.Tensor:
    return torch.rand(count, 3, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_gradient_is_what_differences_show(name):
    made, at, step = network(name).double(), points().double(), 1e-6
    value, gradient, features = made.field(at)
    shown = [(made.sdf(at + step * d) - made.sdf(at - step * d)) / (2 * step) for d in torch.eye(3).double()]
    torch.testing.assert_close(gradient, torch.stack(shown, 1), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(value, made.sdf(at), rtol=1e-10, atol=1e-10)
    assert features.shape == (200, made.layout.num_features)


@pytest.mark.parametrize("name", LAYOUTS)
def test_one_backward_pass_trains_on_the_gradient_as_differences_of_the_loss_show(name):
    made, at = network(name).double(), points(40).double()

    def loss() -> torch.Tensor:
        value, gradient, features = made.field(at)
        return value.pow(2).sum() + (gradient.norm(dim=1) - 1).pow(2).sum() + features.sin().sum()

    parameters = list(made.parameters())
    gradients = torch.autograd.grad(loss(), parameters)
    generator = torch.Generator().manual_seed(4)
    step = 1e-6
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            direction = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter += step * direction
            above = loss()
            parameter -= 2 * step * direction
            below = loss()
            parameter += step * direction
            shown = float((above - below) / (2 * step))
            assert float((gradient * direction).sum()) == pytest.approx(shown, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", LAYOUTS)
def test_single_precision_and_its_kernels_agree_with_double(name):
    made, at = network(name), points()
    fast = made.field(at)
    exact = network(name).double().field(at.double())
    for ours, wanted in zip(fast, exact, strict=True):
        assert float(((ours - wanted).norm() / wanted.norm()).detach()) < 1e-4
    torch.testing.assert_close(made.sdf(at), fast[0], rtol=1e-5, atol=1e-5)


def test_without_gradients_the_field_is_the_same():
    made, at = network("grid"), points()
    wanted = made.field(at)
    with torch.no_grad():
        for ours, theirs in zip(made.field(at), wanted, strict=True):
            assert torch.equal(ours, theirs.detach()) and not ours.requires_grad


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_written_out_backward_pass_is_autograds(depth):
    torch.manual_seed(0)
    widths = [5, *[7] * depth, 4]
    layers = [torch.nn.Linear(a, b).double() for a, b in pairwise(widths)]
    inputs = torch.randn(30, 5, dtype=torch.float64, requires_grad=True)
    wanted, ours = readable_layer_jets(inputs, layers, 8.0), layer_jets(inputs, layers, 8.0)
    by = torch.randn_like(wanted[0]), torch.randn_like(wanted[1])
    leaves = [inputs, *(p for layer in layers for p in layer.parameters())]
    for a, b in zip(ours, wanted, strict=True):
        torch.testing.assert_close(a, b)
    for a, b in zip(
        torch.autograd.grad(ours, leaves, by), torch.autograd.grad(wanted, leaves, by), strict=True
    ):
        torch.testing.assert_close(a, b)


def test_a_new_network_on_a_grid_is_its_base():
    values = base_values(24)
    made = SdfNetwork(NetworkLayout(grid=SMALL, base_resolution=24), values)
    axis = torch.linspace(-1, 1, 24)
    at = torch.cartesian_prod(axis, axis, axis)
    assert float((made.sdf(at) - torch.tensor(values).float().ravel()).abs().max()) < 0.02


def test_a_new_network_without_depth_is_free_space_in_a_sphere():
    made = SdfNetwork(NetworkLayout(grid=SMALL, radius=0.6))
    at = points(500)
    assert float((made.sdf(at) - (0.6 - at.norm(dim=1))).abs().max()) < 0.02


def test_the_reference_network_starts_as_a_sphere_seen_from_inside():
    made = SdfNetwork(NetworkLayout.reference(), generator=torch.Generator().manual_seed(0))
    direction = torch.nn.functional.normalize(points(300), dim=1)
    inside, outside = made.sdf(0.3 * direction), made.sdf(1.6 * direction)
    assert float(inside.min()) > 0.2 and float(outside.max()) < -0.2
    _, gradient, features = made.field(0.5 * direction)
    assert float((gradient * direction).sum(1).mean().detach()) == pytest.approx(-1, abs=0.3)
    assert features.shape == (300, 256) and made.layout.num_inputs == 39


def test_the_base_goes_through_its_values_with_a_gradient_that_does_not_jump():
    values = np.random.default_rng(0).normal(size=(9, 9, 9))
    base = GridBase.through(values)
    axis = torch.linspace(-1, 1, 9)
    at = torch.cartesian_prod(axis, axis, axis)
    value, _ = base.jets(at)
    np.testing.assert_allclose(value.numpy(), values.ravel(), atol=2e-5)
    border = torch.tensor([[-0.125, 0.03, 0.2], [0.375, 0.4, -0.9]])  # Halfway between grid points.
    before, after = base.jets(border - 1e-6)[1], base.jets(border + 1e-6)[1]
    torch.testing.assert_close(before, after, rtol=1e-3, atol=1e-3)


def test_the_kernel_of_the_base_gives_what_its_readable_twin_gives():
    base = GridBase.through(np.random.default_rng(0).normal(size=(9, 9, 9)))
    at = torch.cat([points(300) * 1.1, torch.tensor([[1.0, 1, 1], [-1, -1, -1]])])
    value, gradient = base.jets(at)
    wanted, wanted_gradient = torch_spline_jets(base.coefficients.double(), at.double())
    assert float((value - wanted).abs().max()) < 1e-5
    assert float((gradient - wanted_gradient).norm() / wanted_gradient.norm()) < 1e-5
    assert (gradient[at.abs() > 1] == 0).all()


def test_a_seed_means_the_same_network():
    for name in LAYOUTS:
        layout = LAYOUTS[name]
        one, two, other = (SdfNetwork(layout, generator=torch.Generator().manual_seed(s)) for s in (5, 5, 6))
        states = [torch.cat([v.flatten() for v in made.parameters()]) for made in (one, two, other)]
        assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_comes_back_from_its_text(name):
    assert NetworkLayout.from_json(LAYOUTS[name].to_json()) == LAYOUTS[name]


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "no json", '{"kind": "hash"}', LAYOUTS["grid"].to_json().replace('"hash"', '"other"'),
     LAYOUTS["grid"].to_json().replace('"growth"', '"shrink"'),
     LAYOUTS["grid"].to_json().replace('"hidden_width": 32', '"hidden_width": "wide"'),
     LAYOUTS["grid"].to_json().replace('"kind"', '"new_field": 1, "kind"')],
)  # fmt: skip
def test_another_text_is_no_layout(text):
    with pytest.raises(ValueError):
        NetworkLayout.from_json(text)


def test_a_base_of_another_size_than_the_layout_says_is_refused():
    with pytest.raises(ValueError, match="layout says 12"):
        SdfNetwork(LAYOUTS["grid"], base_values(13))
