"""The network's hand-written derivatives are the true ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from recon.orex.fused_network import (
    NetworkShape,
    evaluate,
    initial_parameters,
    octave_weights,
    value_and_gradient,
)

SMALL = NetworkShape(width=7, depth=3, num_frequencies=2, bend=0.3)


def plain_network(shape: NetworkShape, flat: Tensor, octaves: Tensor, points: Tensor) -> Tensor:
    """The same network, written to be read."""
    angles = points[:, :, None] * 2.0 ** torch.arange(shape.num_frequencies)
    hidden = torch.cat([points, (angles.sin() * octaves).flatten(1), (angles.cos() * octaves).flatten(1)], 1)
    layers = shape.split(flat)
    for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        before = hidden @ weight.t() + bias
        hidden = (before + torch.sqrt(before**2 + shape.bend**2)) / 2
    return (hidden @ layers[-2].t() + layers[-1])[:, 0]


def example(points: int = 9) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    flat = initial_parameters(SMALL, generator).double()
    octaves = octave_weights(SMALL, 0.7, flat)
    return flat, octaves, torch.rand(points, 3, dtype=torch.float64, generator=generator) * 2 - 1


def test_values_and_gradients_equal_those_of_the_plain_network() -> None:
    flat, octaves, points = example()
    tracked = points.clone().requires_grad_()
    expected = plain_network(SMALL, flat, octaves, tracked)
    (slope,) = torch.autograd.grad(expected.sum(), tracked)
    values, gradients = value_and_gradient(SMALL, flat, octaves, points, 6)
    torch.testing.assert_close(values, expected.detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradients, slope[:6], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(evaluate(SMALL, flat, octaves, points), values, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("num_gradients", [0, 4, 5])
def test_the_backward_pass_agrees_with_finite_differences(num_gradients: int) -> None:
    flat, octaves, points = example(5)
    flat.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda flat: value_and_gradient(SMALL, flat, octaves, points, num_gradients), (flat,), atol=1e-7
    )


def test_octaves_open_one_after_the_other() -> None:
    shape = NetworkShape(num_frequencies=4)
    weights = np.array(
        [octave_weights(shape, opened, torch.zeros(())).tolist() for opened in (0, 0.25, 0.6, 1)]
    )
    assert weights[0].tolist() == [1, 0, 0, 0]
    assert (np.diff(weights, axis=0) >= 0).all() and (np.diff(weights, axis=1) <= 0).all()
    assert weights[-1].tolist() == [1, 1, 1, 1]
    assert math.isclose(weights[2, 3], 0.4, rel_tol=1e-5)


def test_the_default_network_is_as_small_as_specified() -> None:
    assert NetworkShape().num_parameters == 14_721
