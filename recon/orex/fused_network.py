"""A small smooth network whose input gradient trains without automatic second derivatives.

The gradient of the output is written out as a second pass through the layers (a "jet"), and the backward pass of
both together is one forward-mode pass along the incoming gradient followed by one ordinary backward pass. That is
the least work possible and needs no graph of the graph.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class NetworkShape:
    """The architecture: x in R^3 → [x, sin(w x), cos(w x)] → `depth` hidden layers of `width` → one value.

    num_frequencies: octaves w of the encoding, the first at `base_frequency` radians per box unit.
    bend: width over which the activation (z + sqrt(z² + bend²)) / 2 goes from 0 to z. This "squareplus" trains
    faster than softplus for having no exponential, and its heavier tails made smoother surfaces.
    """

    width: int = 64
    depth: int = 4
    num_frequencies: int = 5
    base_frequency: float = 1.0
    bend: float = 0.15

    @property
    def layer_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of weight and bias of each layer, the output's last."""
        inputs = [3 + 6 * self.num_frequencies] + [self.width] * self.depth
        outputs = [self.width] * self.depth + [1]
        pairs = zip(inputs, outputs, strict=True)
        return tuple(shape for i, o in pairs for shape in ((o, i), (o,)))

    @property
    def num_parameters(self) -> int:
        return sum(math.prod(shape) for shape in self.layer_shapes)

    def split(self, flat: Tensor) -> list[Tensor]:
        """Views of a flat parameter vector: weight, bias, weight, bias, …"""
        sizes = [math.prod(shape) for shape in self.layer_shapes]
        parts = torch.split(flat, sizes)
        return [part.view(shape) for part, shape in zip(parts, self.layer_shapes, strict=True)]

    def frequencies(self, like: Tensor) -> Tensor:
        """(K,) radians per box unit."""
        octaves = torch.arange(self.num_frequencies, dtype=like.dtype, device=like.device)
        return self.base_frequency * 2.0**octaves


def initial_parameters(shape: NetworkShape, generator: torch.Generator) -> Tensor:
    """Flat float32 parameters, each layer uniform in ±1/sqrt(inputs)."""
    flat = torch.empty(shape.num_parameters)
    layers = shape.split(flat)
    for weight, bias in zip(layers[::2], layers[1::2], strict=True):
        bound = 1 / math.sqrt(weight.shape[1])
        weight.uniform_(-bound, bound, generator=generator)
        bias.uniform_(-bound, bound, generator=generator)
    return flat


def octave_weights(shape: NetworkShape, opened: float, like: Tensor) -> Tensor:
    """(K,) weight of each octave when `opened` (0..1) of the encoding is open; the lowest always is."""
    octaves = torch.arange(shape.num_frequencies, dtype=like.dtype, device=like.device)
    return torch.clamp(opened * shape.num_frequencies - octaves + 1, 0, 1)


@torch.no_grad()
def evaluate(shape: NetworkShape, flat: Tensor, octaves: Tensor, points: Tensor) -> Tensor:
    """(N,) values at (N, 3) points."""
    layers = shape.split(flat)
    hidden = _encode(points, shape.frequencies(points), octaves)[0]
    for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        hidden = _squareplus(torch.addmm(bias, hidden, weight.t()), shape.bend)[0]
    value: Tensor = hidden @ layers[-2][0] + layers[-1]
    return value


def value_and_gradient(
    shape: NetworkShape, flat: Tensor, octaves: Tensor, points: Tensor, num_gradients: int
) -> tuple[Tensor, Tensor]:
    """(N,) values at (N, 3) points and (G, 3) spatial gradients at the first `num_gradients` of them.

    Differentiable once, with respect to `flat` only.
    """
    results: tuple[Tensor, Tensor] = _ValueAndGradient.apply(  # type: ignore[no-untyped-call]
        flat, shape, octaves, points, num_gradients
    )
    return results


class _ValueAndGradient(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, flat: Tensor, shape: NetworkShape, octaves: Tensor, points: Tensor, num_gradients: int
    ) -> tuple[Tensor, Tensor]:
        layers = shape.split(flat)
        frequencies = shape.frequencies(points)
        encoded, sines, cosines = _encode(points, frequencies, octaves)
        activations, slopes, inverse_roots = [encoded], [], []
        for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
            before = torch.addmm(bias, activations[-1], weight.t())
            activation, inverse_root = _squareplus(before, shape.bend)
            activations.append(activation)
            slopes.append(before.mul_(inverse_root).add_(1).mul_(0.5))
            inverse_roots.append(inverse_root[:num_gradients])
        values = activations[-1] @ layers[-2][0] + layers[-1]
        # The gradient's own pass, from the output back to the points.
        below = [layers[-2].expand(num_gradients, -1)]
        scaled: list[Tensor] = []
        for weight, slope in zip(reversed(layers[:-2:2]), reversed(slopes), strict=True):
            scaled.append(slope[:num_gradients] * below[-1])
            below.append(scaled[-1] @ weight)
        scale = frequencies * octaves
        gradients = _decode(below[-1], sines[:num_gradients], cosines[:num_gradients], scale)
        ctx.shape, ctx.num_gradients = shape, num_gradients
        ctx.saved = (
            flat,
            activations,
            slopes,
            inverse_roots,
            below[::-1],
            scaled[::-1],
            sines,
            cosines,
            scale,
        )
        return values, gradients

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        value_upstream, gradient_upstream = upstream
        flat, activations, slopes, inverse_roots, below, scaled, sines, cosines, scale = ctx.saved
        count, shape = ctx.num_gradients, ctx.shape
        layers = shape.split(flat)
        result = torch.zeros_like(flat)
        out = shape.split(result)
        # Forward mode along the upstream of the gradient.
        tangent = _encode_tangent(gradient_upstream, sines[:count], cosines[:count], scale)
        extra = []
        for k, slope in enumerate(slopes):
            moved = tangent @ layers[2 * k].t()
            out[2 * k].addmm_(scaled[k].t(), tangent)
            bending = (inverse_roots[k] ** 3).mul_(shape.bend**2 / 2)
            extra.append(bending.mul_(below[k + 1]).mul_(moved))
            tangent = moved.mul_(slope[:count])
        # The ordinary backward pass, joined by what the gradient's pass adds at each layer.
        out[-2].copy_((tangent.sum(0) + value_upstream @ activations[-1])[None])
        out[-1].copy_(value_upstream.sum()[None])
        above = value_upstream[:, None] * layers[-2]
        for k in range(len(slopes) - 1, -1, -1):
            before = above.mul_(slopes[k])
            before[:count] += extra[k]
            out[2 * k].addmm_(before.t(), activations[k])
            out[2 * k + 1].copy_(before.sum(0))
            if k:
                above = before @ layers[2 * k]
        return result, None, None, None, None


def _squareplus(before: Tensor, bend: float) -> tuple[Tensor, Tensor]:
    """The activation, and 1 / sqrt(z² + bend²), of which its derivatives are made."""
    square = before.square().add_(bend * bend)
    inverse_root = square.rsqrt()
    return square.mul_(inverse_root).add_(before).mul_(0.5), inverse_root


def _encode(points: Tensor, frequencies: Tensor, octaves: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(N, 3 + 6 K) encoding, with the (N, 3, K) sines and cosines."""
    angles = points[:, :, None] * frequencies
    sines, cosines = torch.sin(angles), torch.cos(angles)
    parts = [points, (sines * octaves).flatten(1), (cosines * octaves).flatten(1)]
    return torch.cat(parts, 1), sines, cosines


def _decode(inner: Tensor, sines: Tensor, cosines: Tensor, scale: Tensor) -> Tensor:
    """(G, 3) gradient in space from the (G, 3 + 6 K) gradient in the encoding."""
    shape = sines.shape
    half = 3 * shape[2]
    of_sines, of_cosines = inner[:, 3 : 3 + half].view(shape), inner[:, 3 + half :].view(shape)
    return inner[:, :3] + ((of_sines * cosines - of_cosines * sines) * scale).sum(2)


def _encode_tangent(direction: Tensor, sines: Tensor, cosines: Tensor, scale: Tensor) -> Tensor:
    """(G, 3 + 6 K) change of the encoding when the points move along (G, 3) `direction`."""
    moved = direction[:, :, None] * scale
    return torch.cat([direction, (cosines * moved).flatten(1), (sines * moved).neg_().flatten(1)], 1)
