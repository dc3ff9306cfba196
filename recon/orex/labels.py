"""Several labels in one space: solids that share walls and never overlap."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recon.orex.grid import Field
from recon.orex.label_regions import BACKGROUND


def separate_labels(fields: Mapping[int, Field]) -> dict[int, Field]:
    """Half of f_l - min over all others of f_k for every label l: negative for one label at most anywhere.

    fields: per label negative inside; with two labels or more also that of the background, negative outside all
    of them. Where two labels meet, both have the same wall, because the background is far from winning there.
    """
    if len(fields) == 1:
        return dict(fields)
    separated = {}
    for label in fields:
        if label != BACKGROUND:
            others = np.minimum.reduce([field for key, field in fields.items() if key != label])
            separated[label] = (fields[label] - others) * np.float32(0.5)
    return separated
