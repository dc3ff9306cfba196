"""3D-GALP: labels as spherical harmonics, fitted to the masks of views (RoMaP, arXiv:2507.11061, section 3.2).

Each Gaussian carries K label channels of any harmonic degree; a label map is W · max(0.5 + basis · r, 0), fitted by
L1. Softness S, the entropy of a label times its variance over views, picks anchors, the firmest and the softest
halves; L1 to their neighbours pulls labels together. One-hot channels stand in for the paper's RGB codes, which
cannot tell more than six parts apart. The published code takes 50 neighbours and weight 2, which swallows small
parts; the defaults here are 8 and 0.25.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recon.gaussian_neighbours import neighbour_graph
from recon.method import Progress
from recon.romap.evidence import Evidence
from recon.romap.view_weights import ViewWeights
from render.gaussians import GaussianCloud
from render.spherical_harmonics import sh_basis

Array = NDArray[np.float32]
Anchors = Literal["softness", "random", "none"]
_IMAGE_WEIGHT = 30.0
_REFRESH = 50  # steps between two rankings by softness, and before the first
_ADAM = (0.9, 0.999, 1e-12)
_REST_RATE = 1 / 20  # of higher degrees' learning rate to that of degree 0


@dataclass(frozen=True)
class GalpSettings:
    """num_anchors: Gaussians that are compared with their neighbours in a step. neighbour_weight: λ of the loss."""

    steps: int = 400
    degree: int = 0
    neighbours: int = 8
    neighbour_weight: float = 0.25
    anchors: Anchors = "softness"
    num_anchors: int = 1000
    learning_rate: float = 0.0125


AS_PUBLISHED = GalpSettings(degree=3, neighbours=50, neighbour_weight=2.0)


def fit_labels(
    cloud: GaussianCloud, weights: ViewWeights, evidence: Sequence[Evidence], num_parts: int, seed: int,
    settings: GalpSettings = GalpSettings(),
) -> Generator[Progress, None, Array]:  # fmt: skip
    """(N, K) label values, the mean over views. Yields every twenty steps."""
    fit = _Fit(cloud, weights, evidence, num_parts, seed, settings)
    for step in range(settings.steps):
        fit.step(step)
        if (step + 1) % 20 == 0 or step + 1 == settings.steps:
            yield Progress(step + 1, settings.steps, "Fitting labels", {"labels": fit.loss})
    return fit.mean_labels()


class _Fit:
    """The labels being fitted. labels: (N, B, K) coefficients, B harmonics."""

    def __init__(
        self, cloud: GaussianCloud, weights: ViewWeights, evidence: Sequence[Evidence], num_parts: int,
        seed: int, settings: GalpSettings,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.loss = 0.0
        self._random = np.random.default_rng(seed)
        self._views = [_View(cloud, weights, each, num_parts, settings.degree) for each in evidence]
        self._near = neighbour_graph(cloud, settings.neighbours).indices
        shape = (len(cloud), (settings.degree + 1) ** 2, num_parts)
        self.labels = np.zeros(shape, np.float32)
        self._moments = np.zeros((2, *shape), np.float32)
        self._rates = np.full((1, shape[1], 1), settings.learning_rate * _REST_RATE, np.float32)
        self._rates[0, 0] = settings.learning_rate
        self._ranked: NDArray[np.int64] | None = None

    def step(self, step: int) -> None:
        """One view, one step of Adam."""
        view = self._views[int(self._random.integers(len(self._views)))]
        seen = view.seen(self.labels)
        self.loss, gradient = view.loss(seen)
        slope = view.basis[:, :, None] * gradient[:, None, :]
        if step >= _REFRESH and self.settings.anchors != "none":
            slope[:, 0] += self._neighbour_gradient(step)
        self._update(slope, step + 1)

    def mean_labels(self) -> Array:
        """(N, K) mean over views."""
        seen = [np.maximum(view.seen(self.labels), 0) for view in self._views]
        return np.asarray(np.mean(seen, axis=0), np.float32)

    def _neighbour_gradient(self, step: int) -> Array:
        """(N, K) of λ · mean |r_i - r_j| over anchors i and their neighbours j, degree 0 only."""
        anchors = self._anchors(step)
        near = self._near[anchors]
        flat = self.labels[:, 0]
        signs = np.sign(flat[anchors][:, None] - flat[near])
        signs *= np.float32(_IMAGE_WEIGHT * self.settings.neighbour_weight / near.size)
        size = len(flat)
        ends = np.concatenate([anchors, near.ravel()])
        values = np.concatenate([signs.sum(1), -signs.reshape(-1, flat.shape[1])])
        scatter = sparse.csr_matrix(
            (np.ones(len(ends), np.float32), (ends, np.arange(len(ends)))), (size, len(ends))
        )
        return np.asarray(scatter @ values, np.float32)

    def _anchors(self, step: int) -> NDArray[np.int64]:
        count = min(self.settings.num_anchors, len(self.labels))
        if self.settings.anchors == "random":
            return self._random.choice(len(self.labels), count, replace=False)
        if self._ranked is None or step % _REFRESH == 0:
            order = np.argsort(self._softness(), kind="stable")
            self._ranked = np.concatenate([order[: count // 2], order[len(order) - count // 2 :]])
        return self._ranked

    def _softness(self) -> NDArray[np.float64]:
        """(N,) entropy of the label's likeness to each part and to none, times its variance over views."""
        sums = np.zeros((2, len(self.labels), self.labels.shape[2]))
        for view in self._views:
            seen = view.seen(self.labels)
            sums += seen, seen.astype(np.float64) ** 2
        mean, square = sums / len(self._views)
        variance = (square - mean**2).mean(1)
        flat = self.labels[:, 0]
        likeness = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-8)
        powers = np.exp(np.pad(likeness, ((0, 0), (0, 1))))
        shares = powers / powers.sum(1, keepdims=True)
        entropy = -(shares * np.log(shares + 1e-8)).sum(1)
        softness: NDArray[np.float64] = np.minimum(entropy, np.quantile(entropy, 0.1)) * variance
        return softness

    def _update(self, slope: Array, count: int) -> None:
        first, second, tiny = _ADAM
        mean, square = self._moments
        mean += np.float32(1 - first) * (slope - mean)
        square += np.float32(1 - second) * (slope * slope - square)
        scale = np.sqrt(square / np.float32(1 - second**count)) + np.float32(tiny)
        self.labels -= self._rates * (mean / np.float32(1 - first**count)) / scale


class _View:
    """One view's weights, harmonics and target."""

    def __init__(
        self, cloud: GaussianCloud, weights: ViewWeights, evidence: Evidence, num_parts: int, degree: int
    ) -> None:
        self._weights = weights.of(evidence.view, evidence.size)
        self._transposed = sparse.csr_matrix(self._weights.T)
        shares = evidence.shares(num_parts)
        self._target = np.asarray(shares.todense(), np.float32)
        self._is_silent = np.diff(shares.indptr) == 0
        directions = cloud.means - weights.cameras.positions[evidence.view]
        directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
        self.basis = np.ascontiguousarray(sh_basis(directions, degree), np.float32)

    def seen(self, labels: Array) -> Array:
        """(N, K) label values from here, not clamped."""
        if self.basis.shape[1] == 1:
            return np.asarray(self.basis * labels[:, 0] + np.float32(0.5))
        return np.asarray(np.einsum("nb,nbk->nk", self.basis, labels) + np.float32(0.5), np.float32)

    def loss(self, seen: Array) -> tuple[float, Array]:
        """L1 of the label map, and its gradient (N, K) by the values seen."""
        difference = self._weights @ np.maximum(seen, 0) - self._target
        difference[self._is_silent] = 0
        signs = np.sign(difference) * np.float32(_IMAGE_WEIGHT / difference.size)
        gradient = self._transposed @ signs
        gradient[seen <= 0] = 0
        return float(np.abs(difference).mean()), gradient
