"""How the parameters of the blending network lie in one array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAGIC = 2304.0  # first number of each array, so that others are refused
HEADER = 4  # numbers before the first layer: MAGIC, features, width, 0
NUM_FEATURES = 28
VISIBLE = 0.3  # above which a source counts for medians
FAINT = 0.003  # squared length of an edit's change below which its strength is not told


@dataclass(frozen=True)
class LayerSizes:
    """width: channels of the hidden layers."""

    width: int

    @property
    def count(self) -> int:
        """Numbers in the array, the header included."""
        c = self.width
        hidden = (NUM_FEATURES + 1) * c + (c + 1) * c + (2 * c + 1) * c + c * c
        return HEADER + hidden + 4 * (c + 1) + 1


def layer_sizes(parameters: NDArray[np.float32]) -> LayerSizes:
    """Raises ValueError for an array that holds no blending network."""
    if len(parameters) > HEADER and tuple(parameters[:2]) == (MAGIC, NUM_FEATURES):
        sizes = LayerSizes(int(parameters[2]))
        if sizes.width > 0 and sizes.width % 4 == 0 and len(parameters) == sizes.count:
            return sizes
    raise ValueError(f"{len(parameters)} numbers that are no blending network")
