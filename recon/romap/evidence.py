"""What views say about parts: labels or scores of pixels, where "no opinion" is something else than "background"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from render.frozen import Frozen

NO_OPINION = -1
SCRIBBLE_STRENGTH = 10.0  # a person's stroke counts as much as so many pixels of an automatic mask


@dataclass(frozen=True, eq=False)
class LabelEvidence(Frozen):
    """One part a pixel. view: index of the camera. labels: (H, W) int16, an index of the parts, NO_OPINION elsewhere.

    strength: what a pixel counts. is_certain: a person said so; how far to trust the view is not learned then.
    """

    view: int
    labels: NDArray[np.int16]
    strength: float = 1.0
    is_certain: bool = False

    def __post_init__(self) -> None:
        if self._own("labels", np.int16, (None, None)).min(initial=0) < NO_OPINION:
            raise ValueError("labels must be indices of parts, or -1")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.labels.shape[1], self.labels.shape[0]

    def shares(self, num_parts: int) -> sparse.csr_matrix:
        """(H·W, num_parts) how much each pixel says for each part; empty rows have no opinion."""
        flat = self.labels.ravel()
        pixels = np.flatnonzero(flat >= 0)
        values = np.full(len(pixels), self.strength, np.float32)
        return sparse.csr_matrix((values, (pixels, flat[pixels])), shape=(len(flat), num_parts))


@dataclass(frozen=True, eq=False)
class ScoreEvidence:
    """Scores of every part. view: index of the camera. scores: (K, H, W) float32 within 0 and 1; NaN in all parts of
    a pixel: no opinion. strength, is_certain: as in LabelEvidence. Raises ValueError for other shapes."""

    view: int
    scores: NDArray[np.float32]
    strength: float = 1.0
    is_certain: bool = False

    def __post_init__(self) -> None:
        scores = np.asarray(self.scores, np.float32)
        if scores.ndim != 3:
            raise ValueError(f"scores have shape {scores.shape}, expected (parts, height, width)")
        object.__setattr__(self, "scores", scores)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.scores.shape[2], self.scores.shape[1]

    def shares(self, num_parts: int) -> sparse.csr_matrix:
        """(H·W, num_parts) scores as shares that sum to the strength; empty rows have no opinion."""
        flat = np.clip(self.scores.reshape(len(self.scores), -1).T, 0, 1)
        total = flat.sum(1, keepdims=True)
        is_known = np.isfinite(total) & (total > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            flat = np.where(is_known, flat / total * np.float32(self.strength), 0)
        missing = num_parts - flat.shape[1]
        return sparse.csr_matrix(np.pad(flat, ((0, 0), (0, missing))).astype(np.float32))


Evidence = LabelEvidence | ScoreEvidence


class EvidenceProvider(Protocol):
    """Where evidence comes from: files, a person, or a network. Views without an opinion are left out."""

    def evidence(self) -> Iterator[Evidence]:
        """The views that say anything, one after the other."""
        ...
