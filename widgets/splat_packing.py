"""Gaussians as texels: 41 bytes with colours of degree 0, 105 with degree 3, of 248 in float32."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from render.gaussians import GaussianMarks
from render.spherical_harmonics import SH_C0

SELECTED, HIDDEN, LOCKED, DELETED = 1, 2, 4, 8
_BAND_TEXELS = {0: 0, 1: 1, 2: 2, 3: 4, 4: 6}  # of four coefficients each


def band_texels(degree: int) -> int:
    """How many texels the coefficients above degree 0 take."""
    return _BAND_TEXELS[degree]


class Shapes(NamedTuple):
    """texels: (N, 4) uint32 (rotation, log scales, opacity; 16 bits each). log_range: what the scales' bits span."""

    texels: NDArray[np.uint32]
    log_range: tuple[float, float]


class Colors(NamedTuple):
    """base: (N, 4) float16, colour of degree 0 and what the bands are multiplied by. bands: (N, 4 T) uint32."""

    base: NDArray[np.float16]
    bands: NDArray[np.uint32]


def log_range_of(log_scales: NDArray[np.float32]) -> tuple[float, float]:
    """What 16 bits a log scale span: all of them, but no more than e±20 about their middle."""
    if not len(log_scales):
        return 0.0, 1.0
    middle = float(np.median(log_scales[:: 1 + len(log_scales) // 4096]))
    low = max(float(log_scales.min()), middle - 20)
    high = min(float(log_scales.max()), middle + 20)
    return low, max(high, low + 1e-3)


def pack_shapes(
    quats: NDArray[np.float32],
    log_scales: NDArray[np.float32],
    opacity_logits: NDArray[np.float32],
    log_range: tuple[float, float],
) -> NDArray[np.uint32]:
    """(N, 4) uint32 of quats (N, 4), log_scales (N, 3) and opacity_logits (N,)."""
    bits = np.empty((len(quats), 8), np.uint16)
    lengths = np.sqrt(np.einsum("ij,ij->i", quats, quats))
    unit = quats / np.maximum(lengths, 1e-20)[:, None]
    bits[:, :4] = np.rint((unit + 1) * 32767.5)
    low, high = log_range
    bits[:, 4:7] = np.rint(np.clip((log_scales - low) * (1 / (high - low)), 0, 1) * 65535)
    bits[:, 7] = np.rint(65535 / (1 + np.exp(-np.clip(opacity_logits, -30, 30))))
    if not np.little_endian:
        bits = bits[:, [1, 0, 3, 2, 5, 4, 7, 6]]
    return bits.view(np.uint32)


def pack_colors(sh: NDArray[np.float32], stride: int) -> Colors:
    """Texels of sh (N, K, 3), each coefficient in 11, 11 and 10 bits of the Gaussian's largest; `stride` texels of
    four coefficients a Gaussian."""
    base = np.empty((len(sh), 4), np.float16)
    base[:, :3] = np.clip(0.5 + SH_C0 * sh[:, 0], -6e4, 6e4)
    base[:, 3] = 0
    count = sh.shape[1] - 1
    bands = np.zeros((len(sh), 4 * stride), np.uint32)
    if count and len(sh):
        rest = sh[:, 1:]
        largest = np.abs(rest).max(axis=(1, 2))
        base[:, 3] = np.minimum(largest * 1.001 + 1e-7, 6e4)  # rounding to half must not make it less
        share = rest / np.maximum(base[:, 3], np.float16(1e-7)).astype(np.float32)[:, None, None]
        np.clip(share, -1, 1, out=share)
        share[..., :2] *= 1022
        share[..., :2] += 1023
        share[..., 2] *= 511
        share[..., 2] += 511
        steps = np.rint(share, out=share).astype(np.uint32)
        bands[:, :count] = steps[..., 0] | (steps[..., 1] << 11) | (steps[..., 2] << 22)
    return Colors(base, bands)


def pack_marks(marks: GaussianMarks | None, count: int) -> NDArray[np.uint8]:
    """(N,) uint8: what is selected, hidden, locked, deleted, a bit each."""
    if marks is None:
        return np.zeros(count, np.uint8)
    bits = marks.selected.view(np.uint8).copy()
    for column, bit in ((marks.hidden, HIDDEN), (marks.locked, LOCKED), (marks.deleted, DELETED)):
        bits |= column.view(np.uint8) * np.uint8(bit)
    return bits
