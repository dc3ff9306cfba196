"""The trained signed distance: a fixed base plus a small network on a hash grid, with its gradient written out.

The gradient by the point is an ordinary expression of the parameters here ("jets"), so one backward pass trains on
it. Everything is in box units: points in [-1, 1]^3, distance positive in free space.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import linear, softplus
from torch.nn.utils.parametrizations import weight_norm

from recon.debsdf.base_field import GridBase, SphereBase
from recon.debsdf.jet_layers import layer_jets
from recon.debsdf.network_layout import NetworkLayout
from recon.hash_grid import HashGrid

PullBack = Callable[[Tensor], Tensor]

CHUNK = 65_536  # points evaluated at once without gradients


class SdfNetwork(torch.nn.Module):
    """sdf(x) = base(x) + MLP(hash(x), x); the MLP adds next to nothing at first.

    base: values (R, R, R) of the coarse field at linspace(-1, 1, R), x first, where the layout has a base grid; may
    be left out when parameters will be loaded. generator: of the initial parameters, for repeatable runs.
    """

    def __init__(
        self,
        layout: NetworkLayout,
        base: NDArray[np.floating] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.layout = layout
        self.grid = HashGrid(layout.grid, generator) if layout.kind == "hash" else None
        self.base = _make_base(layout, base)
        self.layers = torch.nn.ModuleList(_make_layers(layout, generator))

    @property
    def grid_parameters(self) -> list[torch.nn.Parameter]:
        """The hash table, which wants a learning rate of its own; empty for an MLP alone."""
        return [self.grid.table] if self.grid is not None else []

    @property
    def layer_parameters(self) -> list[torch.nn.Parameter]:
        """Weights and biases of the MLP."""
        return list(self.layers.parameters())

    def field(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """points: (N, 3). Returns sdf (N,), its gradient (N, 3) by the point and features (N, G), all
        differentiable by the parameters (not by the points)."""
        points = points.detach()
        inputs, pull_back = self._encode(points, wants_slopes=True)
        outputs, by_inputs = self._layers_jets(inputs)
        sdf, gradient = outputs[:, 0], self._by_points(points, by_inputs, pull_back)
        if self.base is not None:
            value, of_base = self.base.jets(points)
            sdf, gradient = sdf + value, gradient + of_base
        return sdf, gradient, outputs[:, 1:]

    @torch.no_grad()
    def sdf(self, points: Tensor) -> Tensor:
        """points: (N, 3). Returns (N,), without gradients, a piece at a time."""
        pieces = [self._sdf_once(points[i : i + CHUNK]) for i in range(0, len(points), CHUNK)]
        return torch.cat(pieces) if pieces else points.new_zeros(0)

    def _sdf_once(self, points: Tensor) -> Tensor:
        hidden = inputs = self._encode(points, wants_slopes=False)[0]
        for index, layer in enumerate(self._linear[:-1]):
            hidden = softplus(layer(self._with_skip(index, hidden, inputs)), self.layout.sharpness)
        last = self._linear[-1]
        value = linear(hidden, last.weight[:1], last.bias[:1])[:, 0]
        return value if self.base is None else value + self.base.jets(points)[0]

    @property
    def _linear(self) -> list[torch.nn.Linear]:
        return cast(list[torch.nn.Linear], list(self.layers))

    def _encode(self, points: Tensor, wants_slopes: bool) -> tuple[Tensor, PullBack | None]:
        """(N, I) the MLP's input: grid features, x, sin(2^k x), cos(2^k x); and the way back from the features."""
        parts, pull_back = [points], None
        if self.grid is not None:
            # Here every backend of the grid agrees.
            in_grid = (points + 1) * (self.layout.grid.safe_extent / 2)
            if wants_slopes:
                features, pull_back = self.grid.with_pullback(in_grid)
            else:
                features = self.grid(in_grid)
            parts.insert(0, features)
        if self.layout.num_octaves:
            angles = self._angles(points).flatten(1)
            parts += [angles.sin(), angles.cos()]
        return torch.cat(parts, 1), pull_back

    def _angles(self, points: Tensor) -> Tensor:
        """(N, K, 3) radians."""
        return points[:, None] * 2.0 ** torch.arange(self.layout.num_octaves, device=points.device)[:, None]

    def _with_skip(self, index: int, hidden: Tensor, inputs: Tensor) -> Tensor:
        if index != _skip_layer(self.layout):
            return hidden
        return torch.cat([hidden, inputs], 1) / math.sqrt(2)

    def _layers_jets(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (N, 1 + G) and the derivative (N, I) of the first by the inputs."""
        if _skip_layer(self.layout) < 0:
            return layer_jets(inputs, self._linear, self.layout.sharpness)
        sharpness, hidden, sums = self.layout.sharpness, inputs, []
        for index, layer in enumerate(self._linear[:-1]):
            sums.append(layer(self._with_skip(index, hidden, inputs)))
            hidden = softplus(sums[-1], sharpness)
        outputs = self._linear[-1](hidden)
        weights = [layer.weight for layer in self._linear]
        back: Tensor = weights[-1][0]
        by_skipped = torch.zeros((), device=inputs.device)
        for index in reversed(range(len(sums))):
            back = (back * torch.sigmoid(sharpness * sums[index])) @ weights[index]
            if index == _skip_layer(self.layout):
                hidden_width = back.shape[1] - inputs.shape[1]
                by_skipped = back[:, hidden_width:] / math.sqrt(2)
                back = back[:, :hidden_width] / math.sqrt(2)
        return outputs, back + by_skipped

    def _by_points(self, points: Tensor, by_inputs: Tensor, pull_back: PullBack | None) -> Tensor:
        """(N, 3) the derivative by the point of what has the derivative `by_inputs` (N, I) by the MLP's input."""
        grid_width = self.layout.num_grid_features
        gradient = by_inputs[:, grid_width : grid_width + 3]
        if grid_width and pull_back is not None:
            gradient = gradient + pull_back(by_inputs[:, :grid_width]) * (self.layout.grid.safe_extent / 2)
        if self.layout.num_octaves:
            angles = self._angles(points)
            by_sin, by_cos = by_inputs[:, grid_width + 3 :].view(len(points), 2, *angles.shape[1:]).unbind(1)
            turned = by_sin * angles.cos() - by_cos * angles.sin()
            octaves = 2.0 ** torch.arange(self.layout.num_octaves, device=points.device)
            gradient = gradient + (turned * octaves[:, None]).sum(1)
        return gradient


def _skip_layer(layout: NetworkLayout) -> int:
    """The hidden layer that sees the input again; -1 where none does."""
    has_room = layout.num_hidden >= 4 and layout.hidden_width > layout.num_inputs
    return layout.num_hidden // 2 if layout.kind == "mlp" and has_room else -1


def _make_base(layout: NetworkLayout, values: NDArray[np.floating] | None) -> SphereBase | GridBase | None:
    size = layout.base_resolution
    if layout.kind == "mlp":
        return None
    if not size:
        return SphereBase(layout.radius)
    if values is None:
        return GridBase(torch.zeros(size, size, size))
    if values.shape != (size, size, size):
        raise ValueError(f"the base has {values.shape} points, the layout says {size} along an edge")
    return GridBase.through(values)


def _make_layers(layout: NetworkLayout, generator: torch.Generator | None) -> Sequence[torch.nn.Module]:
    skip = _skip_layer(layout)
    widths = [layout.num_inputs] + [layout.hidden_width] * layout.num_hidden
    outputs = [*widths[1:], 1 + layout.num_features]
    layers = []
    for index, (width, wanted) in enumerate(zip(widths, outputs, strict=True)):
        # The layer before the skip is narrower, so that all hidden layers see the same width.
        wanted -= layout.num_inputs if index == skip - 1 else 0
        layers.append(torch.nn.Linear(width, wanted))
    if layout.kind == "mlp":
        _start_as_sphere(layers, layout, generator)
        return [weight_norm(layer) for layer in layers]
    _start_at_zero(layers, generator)
    return layers


def _start_at_zero(layers: Sequence[torch.nn.Linear], generator: torch.Generator | None) -> None:
    for layer in layers:
        bound = 1 / math.sqrt(layer.in_features)
        torch.nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
        torch.nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    torch.nn.init.normal_(layers[-1].weight[:1], 0, 1e-3, generator=generator)
    torch.nn.init.zeros_(layers[-1].bias[:1])


def _start_as_sphere(
    layers: Sequence[torch.nn.Linear], layout: NetworkLayout, generator: torch.Generator | None
) -> None:
    """Geometric initialisation (SAL, arXiv:1911.10414; inside out as in VolSDF and MonoSDF for rooms)."""
    skip = _skip_layer(layout)
    for index, layer in enumerate(layers[:-1]):
        deviation = math.sqrt(2 / layer.out_features)
        torch.nn.init.normal_(layer.weight, 0, deviation, generator=generator)
        torch.nn.init.zeros_(layer.bias)
        if index == 0:
            torch.nn.init.zeros_(layer.weight[:, 3:])
        elif index == skip:
            torch.nn.init.zeros_(layer.weight[:, 3 - layout.num_inputs :])
    mean = -math.sqrt(math.pi / layers[-1].in_features)
    torch.nn.init.normal_(layers[-1].weight, mean, 1e-4, generator=generator)
    torch.nn.init.constant_(layers[-1].bias, layout.radius)
