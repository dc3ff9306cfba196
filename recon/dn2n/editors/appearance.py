"""Light, time of day and simple filters: one map of colours for all views, so that all get the same.

Every function takes and gives (H, W, 3) float32 sRGB within 0 and 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Plane = NDArray[np.float32]  # (H, W)
Triple = tuple[float, float, float]

_NIGHT = 0.25  # mean light of a picture by night
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def luminance(rgb: Picture) -> Plane:
    """(H, W) how light it is, within 0 and 1."""
    return np.asarray(rgb @ _LUMA, np.float32)


def mixed(first: Picture, second: Picture | Triple, share: Plane | float) -> Picture:
    """From the first (share 0) to the second (share 1)."""
    weight = np.asarray(share, np.float32)
    weight = weight[..., None] if weight.ndim else weight
    return np.asarray(first + (np.asarray(second, np.float32) - first) * weight, np.float32)


def saturated(rgb: Picture, factor: float) -> Picture:
    """Colours so many times as far from grey."""
    grey = luminance(rgb)[..., None]
    return np.asarray(grey + (rgb - grey) * np.float32(factor), np.float32)


def toned(rgb: Picture, shadows: Triple, lights: Triple, power: float = 1.0) -> Picture:
    """Multiply dark and light parts by colours of their own (split toning), after a power that bends the middle."""
    base = np.power(np.clip(rgb, 0, 1), np.float32(power))
    share = np.clip(luminance(base) * 1.4, 0, 1)[..., None]
    low, high = np.array(shadows, np.float32), np.array(lights, np.float32)
    return np.asarray(base * (low + (high - low) * share), np.float32)


def s_curve(rgb: Picture, amount: float) -> Picture:
    """More contrast (amount > 0) or less, black and white staying."""
    x = np.clip(rgb, 0, 1)
    curve = x * x * (3 - 2 * x)
    return np.asarray(x + (curve - x) * np.float32(amount), np.float32)


def bright(rgb: Picture) -> Picture:
    """Lighter, mostly in the middle."""
    return np.asarray(np.power(np.clip(rgb, 0, 1), np.float32(0.68)), np.float32)


def dark(rgb: Picture) -> Picture:
    return np.asarray(np.power(np.clip(rgb, 0, 1), np.float32(1.25)) * np.float32(0.66), np.float32)


def vivid(rgb: Picture) -> Picture:
    """Stronger colours, those that are strong already less so."""
    spread = np.ptp(rgb, -1)
    return mixed(rgb, saturated(rgb, 1.75), np.asarray(1 - 0.6 * spread, np.float32))


def faded(rgb: Picture) -> Picture:
    """As a print that lay in the sun."""
    pale = saturated(rgb, 0.4) * np.float32(0.8) + np.array([0.15, 0.14, 0.12], np.float32)
    return np.asarray(pale, np.float32)


def flat(rgb: Picture) -> Picture:
    return np.asarray(0.45 + (rgb - 0.45) * np.float32(0.62), np.float32)


def warm(rgb: Picture) -> Picture:
    return np.asarray(rgb * np.array([1.13, 1.0, 0.8], np.float32), np.float32)


def cold(rgb: Picture) -> Picture:
    return np.asarray(rgb * np.array([0.84, 0.98, 1.14], np.float32), np.float32)


def overcast(rgb: Picture) -> Picture:
    """Grey sky: weak shadows, weak and cool colours."""
    soft = saturated(np.asarray(0.42 + (rgb - 0.42) * np.float32(0.78), np.float32), 0.6)
    return np.asarray(soft * np.array([0.88, 0.93, 0.98], np.float32), np.float32)


def sunny(rgb: Picture) -> Picture:
    """Strong, slightly warm light."""
    return saturated(toned(s_curve(bright(rgb), 0.15), (0.92, 0.96, 1.05), (1.08, 1.02, 0.9)), 1.1)


def sunset(rgb: Picture) -> Picture:
    """Orange light, violet shadows."""
    return saturated(toned(rgb, (0.70, 0.52, 0.70), (1.18, 0.85, 0.56), 1.05), 1.1)


def dawn(rgb: Picture) -> Picture:
    """Pink light, cool shadows, soft."""
    soft = np.asarray(0.5 + (rgb - 0.5) * np.float32(0.85), np.float32)
    return toned(soft, (0.74, 0.74, 0.98), (1.12, 0.92, 0.88))


def dusk(rgb: Picture) -> Picture:
    """The blue hour."""
    return toned(saturated(rgb, 0.7), (0.36, 0.44, 0.74), (0.66, 0.66, 0.84), 1.15)


def night(rgb: Picture, mean_light: float) -> Picture:
    """Moonlight: dark, blue, and eyes that hardly see colours (as film shoots day for night), exposed so that scenes
    come out equally dark. mean_light: of all views."""
    dim = np.power(np.clip(rgb, 0, 1), np.float32(1.25))
    exposure = np.float32(np.clip(_NIGHT / max(mean_light, 0.05) ** 1.25, 0.2, 0.75))
    lit = dim * exposure / (1 + np.float32(0.4) * exposure * dim)
    return toned(saturated(np.asarray(lit, np.float32), 0.45), (0.62, 0.82, 1.42), (0.80, 0.96, 1.28))


def summer(rgb: Picture) -> Picture:
    """Lush greens and warm light."""
    green = greenness(rgb)
    lush = luminance(rgb)[..., None] * np.array([0.62, 1.32, 0.34], np.float32)
    return toned(
        mixed(rgb, lush, np.asarray(0.38 * green, np.float32)), (0.97, 0.99, 0.97), (1.05, 1.01, 0.89)
    )


def sepia(rgb: Picture) -> Picture:
    return np.asarray(luminance(rgb)[..., None] * np.array([1.06, 0.86, 0.63], np.float32) + 0.03, np.float32)


def mono(rgb: Picture) -> Picture:
    return np.asarray(np.repeat(luminance(rgb)[..., None], 3, -1), np.float32)


def negative(rgb: Picture) -> Picture:
    return np.asarray(1 - rgb, np.float32)


def poster(rgb: Picture) -> Picture:
    """Few tones, strong colours; steps with short slopes between."""
    strong = saturated(rgb, 1.5)
    light = np.clip(luminance(strong), 0.02, 1)
    steps = stepped(light, 4)
    return np.asarray(strong * (np.maximum(steps, 0.08) / light)[..., None], np.float32)


def stepped(values: Plane, count: int, slope: float = 0.35) -> Plane:
    """Values within 0 and 1 in `count` steps; slope: the share of a step that leads to the next."""
    scaled = np.clip(values, 0, 1) * count
    inside = (scaled - np.floor(scaled) - (1 - slope)) / slope
    rise = np.clip(inside, 0, 1)
    return np.asarray((np.floor(scaled) + rise * rise * (3 - 2 * rise)) / count, np.float32)


def colored_light(rgb: Picture, color: Triple) -> Picture:
    """As if lamps of that colour lit it."""
    strength = np.array(color, np.float32) / max(max(color), 1e-3)
    lit = luminance(rgb)[..., None] * 0.35 + rgb * 0.65
    return np.asarray(lit * (0.12 + 1.05 * strength), np.float32)


def tinged(rgb: Picture, color: Triple) -> Picture:
    """A cast of that colour, as much light as before; greys make colours weaker and lift or sink them."""
    goal = np.array(color, np.float32)
    gain = np.exp(0.9 * (goal - goal.mean()))
    cast = rgb * (gain / (gain @ _LUMA))
    plainness = 1 - float(np.clip(np.ptp(goal) * 4, 0, 1))
    level = 0.35 * plainness * (float(goal @ _LUMA) - 0.5)
    return np.asarray(saturated(cast, 1 - 0.5 * plainness) * (1 - abs(level)) + max(level, 0), np.float32)


def tinted(rgb: Picture, color: Triple, mean_light: float) -> Picture:
    """Of that colour on average, light and dark staying. mean_light: of what is tinted, in all views."""
    goal = np.array(color, np.float32)
    light = luminance(rgb) / max(mean_light, 0.05)
    shade = np.clip(light, 0, 1)[..., None] * goal
    gleam = np.clip((light - 1) * 0.45, 0, 1)[..., None]
    return np.asarray(
        shade * (0.25 + 0.75 * np.clip(light, 0, 1)[..., None]) ** 0.25 + (1 - shade) * gleam, np.float32
    )


def greenness(rgb: Picture) -> Plane:
    """(H, W) how much of a pixel looks like leaves, 0 … 1."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    is_green = np.clip((green - red + 0.03) * 9, 0, 1) * np.clip((green - blue - 0.02) * 7, 0, 1)
    return np.asarray(is_green, np.float32)
