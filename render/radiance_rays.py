"""Rays through a radiance field: samples, densities, weights and colours of those that matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render import radiance_kernels as kernels
from render.compiled import Float, in_threads
from render.radiance_field import RadianceField
from render.radiance_kernels import BLOCK
from render.radiance_layout import NUM_DIRECTIONS, Arrays, RadianceLayout, layout_of
from render.radiance_march import code_densities, place_samples

RAYS, POINTS, BLOCKS = 256, 8192, 16  # that a thread takes at once
NEAREST = 0.02  # box units before which nothing is


@dataclass(frozen=True)
class Network:
    """A field ready to be followed by rays. parameters: float32, by the layout's names. codes: (cells^3,) uint8 of the
    density grid. openness: (L,) within 0 and 1, how much each level of the hash grid counts; all do but during training.
    turning: (1,) the same of directions.
    """

    layout: RadianceLayout
    parameters: dict[str, Float]
    codes: NDArray[np.uint8]
    openness: Float
    turning: Float

    @classmethod
    def of(cls, field: RadianceField) -> Network:
        """Raises ValueError for parameters that nobody here wrote."""
        layout = layout_of(field)
        return cls.of_arrays(layout, field.parameters)

    @classmethod
    def of_arrays(cls, layout: RadianceLayout, arrays: Arrays) -> Network:
        """arrays: the parameters, and the codes as "density"."""
        parameters = {name: np.ascontiguousarray(arrays[name], np.float32) for name in layout.shapes}
        return cls(
            layout,
            parameters,
            np.ascontiguousarray(arrays["density"], np.uint8),
            np.ones(layout.grid.num_levels, np.float32),
            np.ones(1, np.float32),
        )

    def names(self, *numbers: int) -> tuple[Float, ...]:
        """Weights and biases of layers."""
        return tuple(self.parameters[f"{kind}{number}"] for number in numbers for kind in "wb")


@dataclass(frozen=True)
class Rays:
    """R rays in box units: origins, directions (R, 3) float32 of length 1; noise (R, 2) within [0, 1)."""

    origins: Float
    directions: Float
    noise: Float

    def __len__(self) -> int:
        return len(self.origins)


@dataclass(frozen=True)
class Samples:
    """S samples on each ray: places, widths, spots (R, S) and points (R * S, 3) as `place_samples` writes them;
    features, shared in blocks; weights (R, S), 0 where not chosen. chosen: (M,) rows of those that are drawn, ray by
    ray; slots: (R, S) int32 where among them, -1 for others. inputs, first, second, colors: of the colour network, in
    blocks of the chosen."""

    places: Float
    widths: Float
    spots: Float
    points: Float
    features: Float
    shared: Float
    weights: Float
    chosen: NDArray[np.int64]
    slots: NDArray[np.int32]
    inputs: Float
    first: Float
    second: Float
    colors: Float


def num_blocks(count: int) -> int:
    """Blocks that so many samples fill."""
    return -(-count // BLOCK)


def follow(
    network: Network, rays: Rays, num_samples: int, explore: float, least: float, is_kept: bool = False
) -> Samples:
    """explore: share of samples that is spread evenly. least: weight below which nothing is drawn. is_kept: keep hidden
    layers of the colours, to go back through them."""
    layout = network.layout
    shape = (len(rays), num_samples)
    places, widths, spots, weights = (np.empty(shape, np.float32) for _ in range(4))
    points = np.empty((len(rays) * num_samples, 3), np.float32)
    in_threads(
        place_samples, len(rays), RAYS, rays.origins, rays.directions, np.float32(NEAREST), rays.noise,
        np.float32(explore), np.float32(layout.shell), np.float32(layout.grid.safe_extent), layout.cells, network.codes, _DENSITIES,
        places, widths, spots, points,
    )  # fmt: skip
    features, shared = shared_at(network, points)
    is_drawn = np.empty(shape, np.bool_)
    in_threads(kernels.weigh, len(rays), RAYS, shared, widths, np.float32(least), weights, is_drawn)
    chosen = np.flatnonzero(is_drawn)
    slots = np.full(shape, -1, np.int32)
    slots.ravel()[chosen] = np.arange(len(chosen), dtype=np.int32)
    inputs, first, second, colors = _colors(network, rays, shared, chosen, num_samples, is_kept)
    return Samples(
        places, widths, spots, points, features, shared, weights, chosen, slots, inputs, first, second, colors
    )


def shared_at(network: Network, points: Float) -> tuple[Float, Float]:
    """Features and outputs of the first network, in blocks, at points (N, 3) of the unit cube."""
    layout, count = network.layout, num_blocks(len(points))
    features = blocks(count, layout.grid.num_outputs, len(points))
    encode = kernels.encoder(layout.grid.num_features)
    table = network.parameters["table"].reshape(-1)
    in_threads(encode, len(points), POINTS, points, table, layout.grid.levels, network.openness, features)
    shared = np.empty((count, layout.num_shared, BLOCK), np.float32)
    in_threads(_shared_piece, count, BLOCKS, features, *network.names(1, 2), layout.width, shared)
    return features, shared


def _shared_piece(start: int, stop: int, features: Float, *rest: Any) -> None:
    *layers, width, shared = rest
    kernels.shared_network(start, stop, features, *layers, np.empty((1, width, BLOCK), np.float32), shared)


def _colors(
    network: Network, rays: Rays, shared: Float, chosen: NDArray[np.int64], num_samples: int, is_kept: bool
) -> tuple[Float, Float, Float, Float]:
    layout, count = network.layout, num_blocks(len(chosen))
    inputs = blocks(count, layout.num_shared + NUM_DIRECTIONS, len(chosen))
    in_threads(
        kernels.gather_color_inputs,
        len(chosen),
        POINTS,
        chosen,
        shared,
        rays.directions,
        num_samples,
        network.turning,
        inputs,
    )
    hidden = (count if is_kept else 0, layout.color_width, BLOCK)
    first, second = np.empty(hidden, np.float32), np.empty(hidden, np.float32)
    colors = np.empty((count, 4, BLOCK), np.float32)
    in_threads(
        _color_piece, count, BLOCKS, inputs, *network.names(3, 4, 5), layout.color_width, first, second, colors
    )  # fmt: skip
    return inputs, first, second, colors


def _color_piece(start: int, stop: int, inputs: Float, *rest: Any) -> None:
    *layers, width, first, second, colors = rest
    if not len(first):
        first, second = np.empty((1, width, BLOCK), np.float32), np.empty((1, width, BLOCK), np.float32)
    kernels.color_network(start, stop, inputs, *layers, first, second, colors)


def blocks(count: int, channels: int, used: int) -> Float:
    """Blocks to be filled, zero in the last one behind what is used."""
    made = np.empty((count, channels, BLOCK), np.float32)
    if count:
        made[-1, :, used - (count - 1) * BLOCK :] = 0
    return made


_DENSITIES = code_densities()
