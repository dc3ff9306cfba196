"""How the parameters of the blending network lie in one array, and what its two forms have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAGIC = 2304.0  # first number of each array, so that others are refused
HEADER = 4  # numbers before the first layer: MAGIC, features, width, calm
NUM_FEATURES = 36  # of a source
NUM_SHARED = 4  # that the pixel's own outputs see beside the hidden layer
NUM_HEADS = 4  # of a source: shift of its log weight, gate of the wide and of the coarse tone, vote on the common edit
VISIBLE = 0.3  # above which a source counts for medians
FAINT = 0.003  # squared length of an edit's change below which its strength is not told
CALM = 0.01  # mean difference of the edits, at which the network does half of what it would
TINY = 1e-12  # so that nothing is divided by 0
# Taken from the log weight of sources that blending by rule goes without, where edits agree; nothing from this discord on.
SPARED, SPARED_FROM = 20.0, 0.25
LEAK = 0.1  # slope of hidden channels below 0


@dataclass(frozen=True)
class LayerSizes:
    """width: channels of the hidden layers. calm: see CALM."""

    width: int
    calm: float = CALM

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of all layers, in their order: weights (outputs, inputs) and what is added (outputs,) of the first, second,
        pooled and third layer (which adds nothing), of the sources' outputs and the pixel's, and the temperature."""
        c = self.width
        return (
            (c, NUM_FEATURES), (c,), (c, c), (c,), (c, 2 * c), (c,), (c, c),
            (NUM_HEADS, c), (NUM_HEADS,), (2, c + NUM_SHARED), (2,), (1,),
        )  # fmt: skip

    @property
    def count(self) -> int:
        """Numbers in the array, the header included."""
        return HEADER + sum(int(np.prod(shape)) for shape in self.shapes)


def layer_sizes(parameters: NDArray[np.float32]) -> LayerSizes:
    """Raises ValueError for an array that holds no blending network."""
    if len(parameters) > HEADER and tuple(parameters[:2]) == (MAGIC, NUM_FEATURES):
        sizes = LayerSizes(int(parameters[2]), float(parameters[3]))
        if sizes.calm >= 0 and sizes.width > 0 and sizes.width % 4 == 0 and len(parameters) == sizes.count:
            return sizes
    raise ValueError(f"{len(parameters)} numbers that are no blending network")
