"""Smoothing of labels over neighbouring Gaussians that look alike: a mean field on a graph with soft edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recon.gaussian_neighbours import neighbour_graph
from recon.gaussian_projection import rotations_of
from recon.gaussian_values import base_colors
from render.gaussians import GaussianCloud

NUM_NEIGHBOURS = 16
COLOR_WIDTH = 0.12  # sRGB; beyond it colours belong to different things
NORMAL_WIDTH = 0.35  # of 1 - |cos| between normals
WELL_SEEN = 3.0  # pixels of votes from which on a Gaussian speaks with full voice


@dataclass(frozen=True, eq=False)
class AffinityGraph:
    """How much neighbours belong together. weights: (N, N) sparse, 0 … 1, rows of up to NUM_NEIGHBOURS."""

    weights: sparse.csr_matrix

    @cached_property
    def averaging(self) -> sparse.csr_matrix:
        """The weights with rows that sum to 1: the weighted mean over neighbours."""
        totals = np.maximum(np.asarray(self.weights.sum(1)).ravel(), 1e-6)
        return sparse.csr_matrix(sparse.diags((1 / totals).astype(np.float32)) @ self.weights)


def affinity_graph(cloud: GaussianCloud, k: int = NUM_NEIGHBOURS) -> AffinityGraph:
    """Edges by distance (against the local spacing), colour and normal, the shortest axis of a Gaussian."""
    near = neighbour_graph(cloud, k)
    count, degree = near.indices.shape
    if not degree:
        return AffinityGraph(sparse.csr_matrix((count, count), dtype=np.float32))
    farthest = np.maximum(near.distances[:, -1], 1e-12)
    nearness = near.distances**2 / (farthest[:, None] * farthest[near.indices])
    colors, normals = base_colors(cloud), shortest_axes(cloud)
    contrast = ((colors[near.indices] - colors[:, None]) ** 2).sum(-1) / COLOR_WIDTH**2
    bend = 1 - np.abs((normals[near.indices] * normals[:, None]).sum(-1))
    weights = np.exp(-0.5 * (nearness + contrast) - bend / NORMAL_WIDTH).astype(np.float32)
    starts = np.arange(0, count * degree + 1, degree)
    return AffinityGraph(
        sparse.csr_matrix((weights.ravel(), near.indices.ravel(), starts), shape=(count, count))
    )


def shortest_axes(cloud: GaussianCloud) -> NDArray[np.float32]:
    """(N, 3) unit vectors along the shortest axis of each Gaussian: the normal of a flat one."""
    shortest = cloud.log_scales.argmin(1)
    return rotations_of(cloud.quats)[np.arange(len(cloud)), :, shortest]


def mean_field(
    unary: NDArray[np.float32], graph: AffinityGraph, voice: NDArray[np.float32], strength: float, steps: int,
    start: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:  # fmt: skip
    """(N, K) probabilities after some steps of a mean field.

    unary: (N, K) log-likelihoods. voice: (N,) how much each Gaussian's own belief counts with its neighbours.
    strength: of agreement with neighbours, in nats. start: beliefs to go on from, else those of the unary alone.
    """
    beliefs = softmax(unary) if start is None else start
    for _ in range(steps):
        beliefs = softmax(unary + np.float32(strength) * (graph.averaging @ (beliefs * voice[:, None])))
    return beliefs


def voice_of(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) within 0.05 and 1.05, from pixels of votes: what no view sees hardly speaks, but listens."""
    return np.asarray(np.minimum(1, pixels / np.float32(WELL_SEEN)) + 0.05, np.float32)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, K) rows of probabilities."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    result: NDArray[np.float32] = powers / powers.sum(1, keepdims=True)
    return result
