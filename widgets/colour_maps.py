"""Colours that carry meaning: maps for magnitudes and signed distances, and a set for labels.

All are safe for colour-blind readers. Colours are sRGB.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

ColorMap = Literal["viridis", "diverging"]

# viridis by Stéfan van der Walt and Nathaniel Smith (CC0): 33 of its 256 colours, equally spaced.
_VIRIDIS = (
    "440154 470d60 48186a 482374 472d7b 453781 424086 3e4989 3b528b 375b8d 33638d 2f6b8e 2c728e 297a8e "
    "26828e 23898e 21918c 1f978b 1f9f88 21a685 27ad81 31b57b 3dbc74 4cc26c 5cc863 6ece58 81d34d 95d840 "
    "aadc32 c0df25 d5e21a eae51a fde725"
)
# Ours: blue below, a neutral middle, kiln orange above; lightness falls equally to both sides.
_DIVERGING = "18468f 2f66ad 5b8bc8 8fb2dd bfd2e8 e4e2de f0cba6 ebab73 d98544 b8611f 8a4310"
_STOPS = {"viridis": _VIRIDIS, "diverging": _DIVERGING}

# After Okabe and Ito (2008), ordered so that neighbours differ most; the dark ones are lifted for a dark
# background and the yellow lowered for a light one, so that each keeps a contrast of 3 to the viewport.
_LABELS_ON_DARK = ("#56b4e9", "#e69f00", "#1fb58a", "#e08fbc", "#f0e442", "#6f8ff7", "#ef7d45", "#b9b6b1")
_LABELS_ON_LIGHT = ("#0b76b8", "#a66a00", "#007a59", "#b04a83", "#7d7400", "#3d57c4", "#c2410c", "#5c5a57")


def color_map_table(name: ColorMap) -> NDArray[np.uint8]:
    """The 256 colours of a map, lowest value first: (256, 3) uint8. Raises KeyError for an unknown name."""
    stops = np.array([[int(stop[i : i + 2], 16) for i in (0, 2, 4)] for stop in _STOPS[name].split()], float)
    at = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, k]) for k in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def color_map_names() -> tuple[ColorMap, ...]:
    """The maps that there are."""
    return get_args(ColorMap)


def natural_range(values: ArrayLike, name: ColorMap) -> tuple[float, float]:
    """The range to show: all finite values, symmetric about zero for a diverging map; never empty."""
    numbers = np.asarray(values, float)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if name == "diverging":
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def map_colors(
    values: ArrayLike, name: ColorMap, value_range: tuple[float, float] | None = None
) -> NDArray[np.uint8]:
    """Colours of values (N,) as (N, 3) uint8; outside the range the end colours, not a number is grey."""
    numbers = np.asarray(values, float)
    low, high = value_range if value_range is not None else natural_range(numbers, name)
    with np.errstate(invalid="ignore"):
        share = np.clip((numbers - low) / max(high - low, 1e-30), 0, 1)
    index = (np.nan_to_num(share) * 255).round().astype(np.int64)
    colors = color_map_table(name)[index]
    colors[~np.isfinite(numbers)] = 128
    return colors


def label_color(label: int, on_dark: bool = True) -> str:
    """The colour "#rrggbb" of a label, the same everywhere; after eight labels they come again, shifted."""
    colors = _LABELS_ON_DARK if on_dark else _LABELS_ON_LIGHT
    turn, index = divmod(max(1, label) - 1, len(colors))
    return colors[index] if not turn else _shifted(colors[index], 0.72 ** (1 + (turn - 1) % 2))


def rgb(color: str) -> tuple[float, float, float]:
    """ "#rrggbb" as three numbers from 0 to 1."""
    return (int(color[1:3], 16) / 255, int(color[3:5], 16) / 255, int(color[5:7], 16) / 255)


def _shifted(color: str, share: float) -> str:
    """The colour drawn towards middle grey."""
    channels = (round((c * share + 0.55 * (1 - share)) * 255) for c in rgb(color))
    return "#" + "".join(f"{c:02x}" for c in channels)
