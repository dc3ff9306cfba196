"""The hash grid on a GPU through tiny-cuda-nn, on our float32 table."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from render.hash_grid_layout import HashGridLayout

Backend = Callable[[Tensor, Tensor], Tensor]


def is_available() -> bool:
    """Whether there are a CUDA device and tiny-cuda-nn's torch extension."""
    return torch.cuda.is_available() and importlib.util.find_spec("tinycudann") is not None


def make_backend(layout: HashGridLayout) -> Backend | None:
    """(table (T, F), points (N, 3)) → features (N, L * F), differentiable by both, twice by the points; None where
    it cannot run here. Raises ValueError when this tiny-cuda-nn lays its parameters out in another way."""
    if not is_available():
        return None
    import tinycudann

    encoding = tinycudann.Encoding(3, configuration(layout), dtype=torch.float32)
    if encoding.params.numel() != layout.num_entries * layout.num_features:
        raise ValueError("this version of tiny-cuda-nn has another layout of the hash grid's table")

    def encode(table: Tensor, points: Tensor) -> Tensor:
        parameters = {"params": table.reshape(-1)}
        features = torch.func.functional_call(encoding, parameters, (points.clamp(0, 1),))
        return cast(Tensor, features).float()

    return encode


def configuration(layout: HashGridLayout) -> dict[str, object]:
    """The layout in tiny-cuda-nn's words."""
    return {
        "otype": "HashGrid",
        "n_levels": layout.num_levels,
        "n_features_per_level": layout.num_features,
        "log2_hashmap_size": layout.log2_table_size,
        "base_resolution": layout.base_resolution,
        "per_level_scale": layout.growth,
        "interpolation": "Linear",
    }
