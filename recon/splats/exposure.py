"""A change of colours for each photo, so that one scene explains photos of different exposure."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.splats.adam import adam_step
from recon.splats.parameters import Arrays

RATE, RATE_END = 4e-2, 2e-3  # of learning, first and last
TO_MIDDLE = 0.02  # of the way to no change on average, each step


class Exposures:
    """For each of N photos a matrix (3, 4) that takes the scene's colours to the photo's; the mean of all is none."""

    def __init__(self, count: int, device: torch.device) -> None:
        self._plain = torch.eye(3, 4, device=device)
        self.matrices = self._plain.repeat(count, 1, 1)
        self._moments = torch.zeros_like(self.matrices), torch.zeros_like(self.matrices)
        self._steps = np.zeros(count, np.int64)
        self._taken: tuple[int, Tensor] | None = None

    def apply(self, picture: Tensor, index: int) -> Tensor:
        """The picture (H, W, 3) as photo `index` would show it, to be learned from."""
        matrix = self.matrices[index].clone().requires_grad_()
        self._taken = index, matrix
        return with_exposure(picture, matrix)

    @torch.no_grad()
    def step(self, share: float) -> None:
        """Follow the slope of the photo that was last applied."""
        if self._taken is None or self._taken[1].grad is None:
            return
        index, matrix = self._taken
        self._taken = None
        self._steps[index] += 1
        rate = RATE * (RATE_END / RATE) ** share
        rows = slice(index, index + 1)
        mean, square = self._moments
        assert matrix.grad is not None
        rates = torch.full((12,), rate)
        adam_step(
            self.matrices[rows], matrix.grad[None], mean[rows], square[rows], rates, int(self._steps[index])
        )
        seen = torch.from_numpy(np.flatnonzero(self._steps)).to(self.matrices.device)
        self.matrices[seen] -= TO_MIDDLE * (self.matrices[seen].mean(0) - self._plain)

    def state(self) -> Arrays:
        """Everything that the next steps depend on."""
        mean, square = self._moments
        named = {"exposures": self.matrices, "exposure mean": mean, "exposure square": square}
        arrays: Arrays = {name: value.cpu().numpy().copy() for name, value in named.items()}
        return arrays | {"exposure steps": self._steps.copy()}

    def load(self, arrays: Arrays) -> None:
        """Go on from what `state` gave."""
        self.matrices.copy_(torch.from_numpy(np.array(arrays["exposures"])))
        for moment, name in zip(self._moments, ("exposure mean", "exposure square"), strict=True):
            moment.copy_(torch.from_numpy(np.array(arrays[name])))
        self._steps = np.array(arrays["exposure steps"])


def with_exposure(picture: Tensor, matrix: Tensor) -> Tensor:
    """picture: (H, W, 3); matrix: (3, 4), a linear change of colours and what is added."""
    return picture @ matrix[:, :3].T + matrix[:, 3]


def fitted_exposure(
    picture: NDArray[np.float32], photo: NDArray[np.float32], is_used: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """The (3, 4) matrix that takes a picture's colours nearest to a photo's by least squares, where used (H, W)."""
    colors = np.concatenate([picture[is_used], np.ones((int(is_used.sum()), 1), np.float32)], 1)
    if len(colors) < 4:
        return np.eye(3, 4, dtype=np.float32)
    matrix: NDArray[np.float32] = np.linalg.lstsq(colors, photo[is_used], rcond=None)[0].T.astype(np.float32)
    return matrix
