"""A smooth field over a picture through scattered samples of which some are wrong."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NODES = 9  # along the longer side
NOISE = 0.01  # of the logarithm: what a sample is off without being wrong
SPREAD = 0.02  # of the logarithm: how far networks are off, smoothly
LENGTH = 0.2  # of the longer side: how far this error reaches
LARGEST = 0.25  # of the logarithm: samples beyond say nothing about a smooth field
NUM_ROUNDS = 6
MIN_SAMPLES = 20


def smooth_log_ratio(
    pixels: NDArray[np.float64], values: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Field (H, W) near `values` (K,) at `pixels` (K, 2): bilinear between nodes, zero far from all samples.

    Robust by reweighting (Cauchy). Zero everywhere with fewer than 20 samples.
    """
    near = np.abs(values) < LARGEST
    pixels, values = pixels[near], values[near]
    if len(values) < MIN_SAMPLES:
        return np.zeros(shape, np.float32)
    nodes = _node_counts(shape)
    index, share = _bilinear(pixels, shape, nodes)
    field: NDArray[np.float64] = np.zeros(nodes[0] * nodes[1])
    for _ in range(NUM_ROUNDS):
        error = (field[index] * share).sum(1) - values
        weights = 1 / (1 + (error / (3 * NOISE)) ** 2)
        field = _solve(index, share, weights, values, nodes)
    zoom = [(shape[k] + 1e-6) / nodes[k] for k in (0, 1)]
    grown: NDArray[np.float32] = ndimage.zoom(
        field.reshape(nodes), zoom, order=3, mode="nearest", grid_mode=True
    )
    return np.asarray(grown[: shape[0], : shape[1]], np.float32)


def _node_counts(shape: tuple[int, int]) -> tuple[int, int]:
    longest = max(shape)
    return max(3, round(NODES * shape[0] / longest)), max(3, round(NODES * shape[1] / longest))


def _bilinear(
    pixels: NDArray[np.float64], shape: tuple[int, int], nodes: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Four nodes (K, 4) around each pixel and their shares (K, 4); nodes lie in the middle of their cells."""
    places = pixels[:, ::-1] / np.array(shape) * nodes - 0.5
    places = np.clip(places, 0, np.array(nodes) - 1.000001)
    low = np.floor(places).astype(np.int64)
    a, b = (places - low).T
    first = low[:, 0] * nodes[1] + low[:, 1]
    index = np.stack([first, first + 1, first + nodes[1], first + nodes[1] + 1], 1)
    return index, np.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], 1)


def _solve(
    index: NDArray[np.int64],
    share: NDArray[np.float64],
    weights: NDArray[np.float64],
    values: NDArray[np.float64],
    nodes: tuple[int, int],
) -> NDArray[np.float64]:
    normal = _prior(nodes).copy()
    weighted = share * weights[:, None]
    np.add.at(normal, (index[:, :, None], index[:, None, :]), weighted[:, :, None] * share[:, None, :])
    right = np.bincount(index.ravel(), (weighted * values[:, None]).ravel(), len(normal))
    return np.asarray(np.linalg.solve(normal, right), np.float64)


@lru_cache(maxsize=8)
def _prior(nodes: tuple[int, int]) -> NDArray[np.float64]:
    """Inverse covariance of the nodes' values, times the variance of a sample: a Gaussian process about zero.

    Away from all samples the field returns to zero; one bent as little as possible would go on in a straight line.
    """
    places = np.stack(np.meshgrid(*(np.arange(count) for count in nodes), indexing="ij"), -1).reshape(-1, 2)
    squares = ((places[:, None] - places[None]) ** 2).sum(-1)
    reach = LENGTH * max(nodes)
    covariance = SPREAD**2 * np.exp(-squares / (2 * reach**2))
    covariance += (0.02 * SPREAD) ** 2 * np.eye(len(places))
    precision: NDArray[np.float64] = NOISE**2 * np.linalg.inv(covariance)
    return precision
