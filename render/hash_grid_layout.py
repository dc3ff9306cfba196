"""Which hash grid a table belongs to: tiny-cuda-nn's rules, as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Levels = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]


@dataclass(frozen=True)
class HashGridLayout:
    """Which table it is: tiny-cuda-nn's `n_levels`, `n_features_per_level`, `base_resolution`, `per_level_scale`
    and `log2_hashmap_size`, with linear interpolation. Raises ValueError for what no table can be.
    """

    num_levels: int = 8
    num_features: int = 2
    base_resolution: int = 16
    growth: float = 1.485994  # from 16 to 256 in 8 levels
    log2_table_size: int = 17

    def __post_init__(self) -> None:
        if self.num_levels < 1 or self.num_features not in (1, 2, 4, 8):
            raise ValueError("a hash grid has at least one level, and 1, 2, 4 or 8 features in each")
        if self.base_resolution < 2 or not 3 <= self.log2_table_size <= 28:
            raise ValueError("a hash grid starts at 2 points or more and has tables of 2^3 to 2^28 entries")
        if not (math.isfinite(self.growth) and self.growth >= 1) or self.resolutions[-1] > 2**20:
            raise ValueError("the levels of a hash grid grow, to at most 2^20 points")

    @classmethod
    def between(
        cls,
        coarsest: int = 16,
        finest: int = 256,
        num_levels: int = 8,
        num_features: int = 2,
        log2_table_size: int = 17,
    ) -> HashGridLayout:
        """Levels in geometric progression from `coarsest` to `finest` points along the unit cube's edge."""
        growth = 1.0
        if num_levels > 1 and finest > coarsest:
            # A little less, lest a level's size be a whole number that machines round up or down.
            growth = (math.ceil((finest / coarsest) ** (1 / (num_levels - 1)) * 1e6) - 1) / 1e6
        return cls(num_levels, num_features, coarsest, growth, log2_table_size)

    @property
    def num_outputs(self) -> int:
        """Features of a point over all levels."""
        return self.num_levels * self.num_features

    @cached_property
    def scales(self) -> NDArray[np.float32]:
        """(L,) cells along the unit cube's edge; not whole numbers."""
        # Rounded to float32 where tiny-cuda-nn rounds, so that the resolutions are equal too.
        log2_growth = np.float32(np.log2(np.float32(self.growth)))
        levels = np.arange(self.num_levels, dtype=np.float32)
        scales: NDArray[np.float32] = np.exp2(levels * log2_growth) * np.float32(
            self.base_resolution
        ) - np.float32(1)
        return scales

    @cached_property
    def resolutions(self) -> NDArray[np.int64]:
        """(L,) grid points along an edge, which is also the stride of a dense level."""
        return np.ceil(self.scales).astype(np.int64) + 1

    @cached_property
    def is_dense(self) -> NDArray[np.bool_]:
        """(L,) levels where each grid point has an entry of its own."""
        return np.array([int(r) ** 3 <= 1 << self.log2_table_size for r in self.resolutions])

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """(L + 1,) first row of each level, and behind the last."""
        sizes = [min((int(r) ** 3 + 7) // 8 * 8, 1 << self.log2_table_size) for r in self.resolutions]
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    @property
    def num_entries(self) -> int:
        """Rows of the table."""
        return int(self.offsets[-1])

    @property
    def levels(self) -> Levels:
        """Scales, resolutions, whether dense, offsets: what the kernels want to know."""
        return self.scales, self.resolutions, self.is_dense, self.offsets

    @property
    def safe_extent(self) -> float:
        """Up to here, in every coordinate, no dense level reaches beyond its last grid point.

        Beyond it tiny-cuda-nn takes entries of the opposite side; here the last points repeat. Keep points within
        [0, safe_extent] and there is no difference.
        """
        return min(1.0, float(1 - 0.5 / self.scales[0]))
