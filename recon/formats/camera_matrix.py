"""Camera matrices of data sets: taken apart, and told which point of the first pixel they call (0, 0)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats.reading import ReadOptions

Array = NDArray[np.float64]

LARGEST = 1e12  # no scene is so large that a number of its cameras is larger
_ADVICE = "Export the scene again from the program that made it."
_CENTERED = 1e-3  # pixels


def decompose(path: Path, projection: Array, what: str) -> tuple[Array, Array]:
    """K (3, 3), upper triangular with K[2, 2] = 1, and world_from_cam (4, 4) of P = K [R | t] (3, 4), up to scale.

    RQ decomposition with a positive diagonal, as in Hartley and Zisserman, section 6.2.4. Raises FormatError.
    """
    matrix = np.asarray(projection, np.float64)[:3, :4]
    if (
        matrix.shape != (3, 4)
        or not np.isfinite(only_sane(matrix)).all()
        or abs(np.linalg.det(matrix[:, :3])) < 1e-12
    ):
        raise FormatError(path, f"{what} is no camera matrix.", _ADVICE)
    if np.linalg.det(matrix[:, :3]) < 0:
        matrix = -matrix
    flip = np.eye(3)[::-1]
    q, r = np.linalg.qr((flip @ matrix[:, :3]).T)
    k, rotation = flip @ r.T @ flip, flip @ q.T
    signs = np.diag(np.sign(np.diag(k)))
    k, rotation = k @ signs, signs @ rotation
    pose = np.eye(4)
    pose[:3, :3] = rotation.T
    pose[:3, 3] = -np.linalg.solve(matrix[:, :3], matrix[:, 3])
    return k / k[2, 2], pose


def only_sane(matrix: Array) -> Array:
    """The numbers, NaN in place of those that are infinite or absurdly large."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(matrix) < LARGEST, matrix, np.nan)


def corner_shift(center: float, size: int, options: ReadOptions, usual: Literal["corner", "center"]) -> float:
    """What to add to a principal point of a picture of `size` pixels so that pixel corners are whole numbers.

    A principal point exactly in the middle tells which one is meant; else it is what the format usually is.
    """
    if options.first_pixel != "auto":
        return 0.5 if options.first_pixel == "center" else 0.0
    if abs(2 * center - size) < _CENTERED:
        return 0.0
    if abs(2 * center - (size - 1)) < _CENTERED:
        return 0.5
    return 0.5 if usual == "center" else 0.0


def read_matrix_file(path: Path) -> Array:
    """Numbers of a small text file as (R, C); NaN for infinite and absurd ones. Raises FormatError."""
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        return only_sane(np.array(rows, np.float64))
    except ValueError as error:
        raise FormatError(
            path, "The file holds no matrix of numbers.", _ADVICE, details=str(error)
        ) from error
