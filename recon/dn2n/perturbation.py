"""What 2D editors do wrong: each view edited on its own comes out a little, or a lot, different."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.colors import Float, clipped, enlarged, turned_hue
from recon.dn2n.palettes import gaussian_transport, random_moments

FAILURE_SHARE = 0.05  # of views that the editor left nearly as they were
AMOUNTS = (0.25, 0.8)  # at level 1, such that edited views are some 24.5 dB from clean edits of colours
REFERENCE_WIDTH = 128  # pixels in which wobble and blur are given


@dataclass(frozen=True, eq=False)
class PerturbedViews:
    """views: (N, H, W, 3) float32 within 0 and 1. sizes: (N,) mean absolute difference from the clean edit."""

    views: Float
    sizes: NDArray[np.float64]


def perturbed(
    originals: Float, edited: Float, generator: np.random.Generator, level: float, shortfall: float = 0.5
) -> PerturbedViews:
    """Views as an editor would make them that sees one at a time.

    originals, edited: (N, H, W, 3) float32 within 0 and 1, before and after the clean edit. level: 0 leaves the clean
    edit as it is, 1 is what diffusion editors do, more is worse. shortfall: at level 1, how much of the edit a view
    lacks at most.
    """
    views = edited.copy()
    if level > 0:
        for i in range(len(views)):
            views[i] = _perturbed_view(originals[i], edited[i], generator, level, shortfall)
    return PerturbedViews(views, np.abs(views - edited).mean((1, 2, 3), dtype=np.float64))


def _perturbed_view(
    original: Float, edited: Float, generator: np.random.Generator, level: float, shortfall: float
) -> Float:
    amount = level * generator.uniform(*AMOUNTS)
    strength = 1 - min(amount / AMOUNTS[1] * generator.uniform(0, shortfall), 1)
    if generator.random() < FAILURE_SHARE * level:
        strength = generator.uniform(0, 0.3)
    view = strength * edited + (1 - strength) * original
    view = _other_colors(view, generator, amount)
    view = view + np.float32(0.06 * amount) * _smooth(view.shape, generator, generator.choice((3, 4, 6)))
    if generator.random() < 0.6:
        view = _with_blobs(view, generator, amount)
    if generator.random() < 0.5:
        view = _with_noise(view, generator, amount)
    if generator.random() < 0.5:
        view = _wobbled(view, generator, 0.8 * amount, int(generator.choice((3, 5))))
    if generator.random() < 0.15:
        view = _wobbled(view, generator, 1.6 * amount, int(generator.choice((8, 12))))
    if generator.random() < 0.5:
        view = _other_sharpness(view, generator, amount)
    return clipped(view)


def _other_colors(view: Float, generator: np.random.Generator, amount: float) -> Float:
    """Hue, saturation, gain, bias, tone curve and palette of the whole view."""
    saturation = float(np.exp(amount * generator.normal(0, 0.15)))
    view = turned_hue(view, float(amount * generator.normal(0, 0.12)), saturation)
    view = np.asarray(
        view * (1 + amount * generator.normal(0, 0.1, 3)) + amount * generator.normal(0, 0.05, 3), np.float32
    )
    if generator.random() < 0.4:
        view = _other_tones(np.clip(view, 0, 1), generator, amount)
    if generator.random() < 0.25:
        share = min(float(amount * generator.uniform(0.1, 0.5)), 1.0)
        view = gaussian_transport(view[::2, ::2].reshape(-1, 3), *random_moments(generator), share)(view)
    return view


def _other_tones(view: Float, generator: np.random.Generator, amount: float) -> Float:
    """A random curve over lightness: gamma, and an S up or down."""
    gamma = np.exp(amount * generator.normal(0, 0.2))
    bend = np.clip(amount * generator.normal(0, 0.25), -0.6, 0.6)
    curved = view**gamma
    return np.asarray(curved + bend * (curved * curved * (3 - 2 * curved) - curved), np.float32)


def _smooth(shape: tuple[int, ...], generator: np.random.Generator, cells: int) -> Float:
    """Normal noise (H, W, C) of `cells` features along each side."""
    return enlarged(generator.standard_normal((cells, cells, shape[2]), np.float32), shape[1], shape[0])


def _with_blobs(view: Float, generator: np.random.Generator, amount: float) -> Float:
    """Content that was made up: in some places another colour and texture, or that of another place of the view."""
    height, width, _ = view.shape
    level = _smooth((height, width, 1), generator, generator.choice((4, 6, 8))) - generator.uniform(0.6, 1.3)
    share = 1 / (1 + np.exp(-generator.uniform(3, 8) * level)) * min(amount * generator.uniform(0.2, 0.9), 1)
    if generator.random() < 0.35:
        shift = (int(generator.integers(height)), int(generator.integers(width)))
        content = np.roll(view, shift, (0, 1))
    else:
        content = generator.uniform(0.1, 0.9, 3) + 0.15 * _smooth(view.shape, generator, 16)
    return np.asarray(view + (content - view) * share, np.float32)


def _with_noise(view: Float, generator: np.random.Generator, amount: float) -> Float:
    """Texture that is not there, fine or coarser, in colour or grey, in half of the cases stronger on the edges."""
    height, width, _ = view.shape
    channels, step = (3 if generator.random() < 0.5 else 1), int(generator.choice((2, 3, 4)))
    values = generator.standard_normal((height // step + 1, width // step + 1, channels), np.float32)
    noise = enlarged(values, width, height)
    if generator.random() < 0.5:
        detail = np.abs(view - cv2.blur(view, (5, 5))).mean(2, keepdims=True)
        noise *= np.clip(detail / (detail.mean() + 0.01), 0, 3)
    return np.asarray(view + 0.05 * amount * noise, np.float32)


def _wobbled(view: Float, generator: np.random.Generator, pixels: float, cells: int) -> Float:
    """Shapes moved by about so many pixels of a view 128 wide, differently at `cells` places along each side."""
    height, width, _ = view.shape
    shift = _smooth((height, width, 2), generator, cells) * np.float32(pixels * width / REFERENCE_WIDTH)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    border = cv2.BORDER_REPLICATE
    moved = cv2.remap(view, x + shift[..., 0], y + shift[..., 1], cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(moved, np.float32)


def _other_sharpness(view: Float, generator: np.random.Generator, amount: float) -> Float:
    """Blurred, or in two of five cases sharpened with halos."""
    sigma = generator.uniform(0.6, 1.2) * view.shape[1] / REFERENCE_WIDTH
    soft = cv2.GaussianBlur(view, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    share = min(0.8 * amount, 1) if generator.random() < 0.6 else -amount * generator.uniform(0.2, 0.8)
    return np.asarray(view + (soft - view) * share, np.float32)
