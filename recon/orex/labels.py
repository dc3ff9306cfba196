"""Several labels in one space: solids that share walls and never overlap."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recon.orex.grid import Field


def separate_labels(fields: Mapping[int, Field]) -> dict[int, Field]:
    """f_l - min over the others of f_k, where that is larger than f_l: negative for at most one label anywhere.

    Between two labels that both claim a point the more certain one has it, and the wall between them is the same
    set for both. Where only one label claims a point its own field stays.
    """
    if len(fields) == 1:
        return dict(fields)
    separated = {}
    for label in fields:
        others = np.minimum.reduce([field for key, field in fields.items() if key != label])
        own = fields[label]
        separated[label] = np.maximum(own, (own - others) * np.float32(0.5))
    return separated
