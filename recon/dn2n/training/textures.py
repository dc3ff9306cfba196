"""Textures of procedural scenes: noise, stripes, tiles and fallen leaves, all of them our own."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from recon.dn2n.colors import Float, clipped, enlarged

SIDE = 256  # texels
NUM_LEVELS = 6  # each half as large as the one before


def random_textures(count: int, generator: np.random.Generator) -> Float:
    """(count, 256, 512, 3) textures within 0 and 1, each with its smaller levels beside it: level k is square with
    256 / 2^k texels, and begins at row 0, column 512 - 512 / 2^k."""
    return np.stack([_pyramid(_random_texture(generator)) for _ in range(count)])


def _random_texture(generator: np.random.Generator) -> Float:
    """(256, 256, 3) of a random kind, often two kinds mixed."""
    texture = _pick(generator)(generator)
    if generator.random() < 0.35:
        share = generator.uniform(0.15, 0.5)
        texture = texture * (1 - share) + _noise(generator) * share
    tint = generator.uniform(0.7, 1.15, 3) if generator.random() < 0.5 else generator.uniform(0.7, 1.15)
    grey, saturation = texture.mean(2, keepdims=True), generator.uniform(0.15, 1)
    return clipped((grey + saturation * (texture - grey)) * tint)


def _pick(generator: np.random.Generator) -> Callable[[np.random.Generator], Float]:
    kinds = (_noise, _stripes, _tiles, _leaves)
    return kinds[generator.choice(len(kinds), p=(0.28, 0.16, 0.14, 0.42))]


def _noise(generator: np.random.Generator) -> Float:
    """Fractal noise around a colour: octaves of random values, smoothly enlarged."""
    channels = 3 if generator.random() < 0.6 else 1
    total, amplitude = np.zeros((SIDE, SIDE, channels), np.float32), 1.0
    falloff = generator.uniform(0.5, 0.95)
    for octave in range(1, 7):
        cells = generator.random((2 << octave, 2 << octave, channels), np.float32) - 0.5
        total += amplitude * enlarged(cells, SIDE, SIDE)
        amplitude *= falloff
    total /= total.std() + 1e-5
    return clipped(total * generator.uniform(0.1, 0.3) + generator.uniform(0.15, 0.85, 3))


def _stripes(generator: np.random.Generator) -> Float:
    """Stripes, or a chequered pattern, of two colours."""
    x, y = np.meshgrid(np.linspace(0, 1, SIDE, False), np.linspace(0, 1, SIDE, False))
    angle, count = generator.uniform(0, np.pi), generator.choice((4, 6, 8, 12, 16))
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi * count)
    if generator.random() < 0.5:
        wave *= np.sin((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi * count)
    share = (np.clip(4 * wave, -1, 1) * 0.5 + 0.5)[..., None]
    return clipped(generator.random(3) * share + generator.random(3) * (1 - share))


def _tiles(generator: np.random.Generator) -> Float:
    """Bricks or tiles, each of its own shade, with joints."""
    rows, columns = generator.integers(4, 16), generator.integers(3, 12)
    texture = np.empty((SIDE, SIDE, 3), np.float32)
    texture[:] = generator.random(3)
    base, spread = generator.random(3), generator.uniform(0.03, 0.25)
    shift, joint = generator.choice((0.0, 0.5)), int(generator.integers(1, 4))
    for row in range(rows):
        for column in range(-1, columns + 1):
            left = (column + shift * (row % 2)) * SIDE / columns
            corner = (round(left) + joint, round(row * SIDE / rows) + joint)
            end = (round(left + SIDE / columns) - joint, round((row + 1) * SIDE / rows) - joint)
            shade = clipped(base + generator.normal(0, spread) + generator.normal(0, spread / 3, 3))
            cv2.rectangle(texture, corner, end, shade.tolist(), -1)
    return texture


def _leaves(generator: np.random.Generator) -> Float:
    """Overlapping shapes whose sizes follow a power law, as in natural pictures (Lee, Mumford, Huang 2001)."""
    texture = np.empty((SIDE, SIDE, 3), np.float32)
    texture[:] = generator.random(3)
    palette = generator.random((generator.integers(3, 9), 3))
    sizes = np.sort(SIDE / 2 / generator.uniform(1, 30, generator.integers(80, 260)))[::-1]
    kind = generator.integers(3)
    for size in sizes:
        color = palette[generator.integers(len(palette))] + generator.normal(0, 0.06, 3)
        center = generator.integers(0, SIDE, 2)
        if kind == 0 or (kind == 2 and generator.random() < 0.5):
            axes = np.maximum(size * generator.uniform(0.4, 1, 2), 1).astype(int).tolist()
            turn = float(generator.uniform(0, 180))
            cv2.ellipse(texture, center.tolist(), axes, turn, 0, 360, color.tolist(), -1)
        else:
            corners = center + generator.normal(0, size * 0.7, (generator.integers(3, 6), 2))
            cv2.fillConvexPoly(texture, cv2.convexHull(corners.astype(np.int32)), color.tolist())
    return clipped(texture)


def _pyramid(texture: Float) -> Float:
    """(256, 512, 3): the texture and its smaller levels beside it."""
    whole = np.zeros((SIDE, 2 * SIDE, 3), np.float32)
    for level in range(NUM_LEVELS):
        side, start = SIDE >> level, 2 * SIDE - (2 * SIDE >> level)
        whole[:side, start : start + side] = cv2.resize(texture, (side, side), interpolation=cv2.INTER_AREA)
    return whole
