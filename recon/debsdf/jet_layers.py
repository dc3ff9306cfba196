"""A small MLP with the derivative of its first output by its input, both trained in one backward pass.

The backward pass of the two together is one forward-mode pass along the incoming gradient of the derivative, then
one ordinary backward pass: the least work possible, with no graph of the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import softplus


def layer_jets(inputs: Tensor, layers: Sequence[torch.nn.Linear], sharpness: float) -> tuple[Tensor, Tensor]:
    """Outputs (N, O) of Linear and Softplus layers, and the derivative (N, I) of the first output by inputs (N, I).

    sharpness: beta of the Softplus. Differentiable once by inputs and parameters; `readable_layer_jets` is its twin.
    """
    parameters = [parameter for layer in layers for parameter in (layer.weight, layer.bias)]
    jets = _LayerJets.apply(inputs, sharpness, *parameters)  # type: ignore[no-untyped-call]
    return cast(tuple[Tensor, Tensor], jets)


def readable_layer_jets(
    inputs: Tensor, layers: Sequence[torch.nn.Linear], sharpness: float
) -> tuple[Tensor, Tensor]:
    """The same by autograd's own means."""
    sums, hidden = [], inputs
    for layer in layers[:-1]:
        sums.append(layer(hidden))
        hidden = softplus(sums[-1], sharpness)
    back: Tensor = layers[-1].weight[0]
    for layer, total in zip(layers[-2::-1], sums[::-1], strict=True):
        back = (back * torch.sigmoid(sharpness * total)) @ layer.weight
    return layers[-1](hidden), back


class _LayerJets(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, sharpness: float, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        weights, biases = parameters[::2], parameters[1::2]
        hidden, bends = [inputs], []
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            value, bend = _softplus(torch.addmm(bias, hidden[-1], weight.t()), sharpness)
            hidden.append(value)
            bends.append(bend)
        outputs = torch.addmm(biases[-1], hidden[-1], weights[-1].t())
        backs, bent = [weights[-1][0]], []
        for weight, bend in zip(weights[-2::-1], bends[::-1], strict=True):
            bent.append(backs[-1] * bend)
            backs.append(bent[-1] @ weight)
        ctx.sharpness, ctx.count = sharpness, len(bends)
        ctx.save_for_backward(*weights, *hidden, *bends, *backs[:-1], *bent)
        return outputs, backs[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_outputs: Tensor, of_back: Tensor) -> tuple[Tensor | None, ...]:
        count, saved = ctx.count, list(ctx.saved_tensors)
        weights, saved = saved[: count + 1], saved[count + 1 :]
        hidden, saved = saved[: count + 1], saved[count + 1 :]
        bends, backs, bent = saved[:count], saved[count : 2 * count][::-1], saved[2 * count :][::-1]
        of_weights: list[Tensor] = []
        of_bends = []
        tangent = of_back
        for k in range(count):
            of_bent = tangent @ weights[k].t()
            of_weights.append(bent[k].t() @ tangent)
            of_bends.append(of_bent * backs[k])
            tangent = of_bent * bends[k]
        of_weights.append(of_outputs.t() @ hidden[-1])
        of_weights[-1][0] += tangent.sum(0)
        of_biases = [of_outputs.sum(0)]
        of_hidden = of_outputs @ weights[-1]
        for k in reversed(range(count)):
            curve = torch.addcmul(bends[k], bends[k], bends[k], value=-1)
            of_sum = of_hidden.mul_(bends[k]).addcmul_(of_bends[k], curve, value=ctx.sharpness)
            of_weights[k].addmm_(of_sum.t(), hidden[k])
            of_biases.insert(0, of_sum.sum(0))
            of_hidden = of_sum @ weights[k] if k or ctx.needs_input_grad[0] else of_sum
        pairs = zip(of_weights, of_biases, strict=True)
        return of_hidden, None, *(gradient for pair in pairs for gradient in pair)


def _softplus(sums: Tensor, sharpness: float) -> tuple[Tensor, Tensor]:
    """Softplus and its derivative, from one exponential: log(1 + e^y) = max(y, 0) - log(max(s, 1 - s)) where s is
    the derivative, exact to float32's step at 1 over the sharpness."""
    bends = (sums * sharpness).sigmoid_()
    larger = (bends - 0.5).abs_().add_(0.5)
    return sums.clamp_min_(0).sub_(larger.log_(), alpha=1 / sharpness), bends
