"""Numbers that a Gaussian has, by name: for histograms, for selecting by a range and for colouring by value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recon.gaussian_colors import LUMA
from recon.gaussian_selection import Mask
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0

EXTRA_PREFIX = "extra."


@dataclass(frozen=True)
class ValueName:
    """How a value is shown. unit: "" for a ratio, "length" and "volume" for the frame's unit and its cube,
    "degrees". is_logarithmic: whether its histogram should have logarithmic steps."""

    title: str
    unit: str = ""
    is_logarithmic: bool = False


VALUE_NAMES: Mapping[str, ValueName] = {
    "opacity": ValueName("Opacity"),
    "scale_max": ValueName("Largest size", "length", True),
    "scale_min": ValueName("Smallest size", "length", True),
    "volume": ValueName("Volume", "volume", True),
    "anisotropy": ValueName("Largest to smallest size", "", True),
    "x": ValueName("X", "length"),
    "y": ValueName("Y", "length"),
    "z": ValueName("Z", "length"),
    "distance": ValueName("Distance from the middle", "length"),
    "red": ValueName("Red"),
    "green": ValueName("Green"),
    "blue": ValueName("Blue"),
    "hue": ValueName("Hue", "degrees"),
    "saturation": ValueName("Saturation"),
    "luminance": ValueName("Luminance"),
}


def value_names(cloud: GaussianCloud) -> dict[str, ValueName]:
    """The values that a cloud has: VALUE_NAMES, and each extra column of one number as "extra.NAME"."""
    columns = {
        EXTRA_PREFIX + name: ValueName(name) for name, column in cloud.extra.items() if column.ndim == 1
    }
    return {**VALUE_NAMES, **columns}


def values_of(cloud: GaussianCloud, name: str) -> NDArray[np.float32]:
    """(N,) float32 of a name in `value_names(cloud)`. Raises KeyError for another."""
    if name.startswith(EXTRA_PREFIX):
        return cloud.extra[name.removeprefix(EXTRA_PREFIX)].astype(np.float32)
    return _VALUES[name](cloud)


def largest(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) the largest of three numbers each (N, 3); several times as fast as `rows.max(1)`."""
    most: NDArray[np.float32] = np.maximum(np.maximum(rows[:, 0], rows[:, 1]), rows[:, 2])
    return most


def middle(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) the middle one of three numbers each (N, 3)."""
    x, y, z = rows.T
    median: NDArray[np.float32] = np.maximum(np.minimum(x, y), np.minimum(np.maximum(x, y), z))
    return median


def base_colors(cloud: GaussianCloud) -> NDArray[np.float32]:
    """(N, 3) sRGB within 0 and 1: the colour without what depends on the direction."""
    colors = cloud.sh[:, 0] * np.float32(SH_C0)
    colors += np.float32(0.5)
    return np.clip(colors, 0, 1, out=colors)


def distances_from(cloud: GaussianCloud, point: ArrayLike) -> NDArray[np.float32]:
    """(N,) distances of the means from a point (3,)."""
    x, y, z = (column - np.float32(at) for column, at in zip(cloud.means.T, np.asarray(point), strict=True))
    distances: NDArray[np.float32] = np.sqrt(x * x + y * y + z * z)
    return distances


def in_range(values: NDArray[np.float32], low: float, high: float) -> Mask:
    """Which values lie within low and high, both included; with low > high, those from low on and up to high, as
    hues go round."""
    if low > high:
        return (values >= np.float32(low)) | (values <= np.float32(high))
    found: Mask = (values >= np.float32(low)) & (values <= np.float32(high))
    return found


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many Gaussians have which value. edges: (B + 1,) float64, rising. counts: (B,) of all that were asked for;
    selected: (B,) those of them that are selected."""

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    selected: NDArray[np.int64]


def histogram(
    values: NDArray[np.float32],
    counted: Mask,
    selected: Mask,
    num_bins: int = 128,
    is_logarithmic: bool = False,
) -> Histogram:
    """The histogram of values (N,) over the `counted` (N,), such as those that are drawn.

    is_logarithmic: steps of equal ratio; values of zero and less fall into the first.
    """
    scaled = values
    if is_logarithmic:
        positive = values[counted & (values > 0)]
        floor = positive.min() if len(positive) else np.float32(1)
        scaled = np.log(np.maximum(values, floor))
    chosen = scaled[counted]
    low, high = (float(chosen.min()), float(chosen.max())) if len(chosen) else (0.0, 1.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    bins = ((chosen - np.float32(low)) * np.float32(num_bins / (high - low))).astype(np.int32)
    bins = np.minimum(bins, num_bins - 1)
    edges = np.linspace(low, high, num_bins + 1)
    return Histogram(
        np.exp(edges) if is_logarithmic else edges,
        np.bincount(bins, minlength=num_bins),
        np.bincount(bins[selected[counted]], minlength=num_bins),
    )


def _distances_from_middle(cloud: GaussianCloud) -> NDArray[np.float32]:
    return distances_from(cloud, cloud.means.mean(0) if len(cloud) else np.zeros(3))


def _hue(cloud: GaussianCloud) -> NDArray[np.float32]:
    """Degrees, 0 red, 120 green, 240 blue; 0 where there is no colour."""
    colors = base_colors(cloud)
    red, green, blue = colors.T
    high, low = largest(colors), -largest(-colors)
    step = np.float32(60) / np.where(high > low, high - low, np.float32(1))
    is_red, is_green = high == red, high == green
    hue = np.where(is_red, (green - blue) * step, (red - green) * step + np.float32(240))
    hue = np.where(is_green & ~is_red, (blue - red) * step + np.float32(120), hue)
    turned: NDArray[np.float32] = np.where(hue < 0, hue + np.float32(360), hue * (high > low))
    return turned


def _saturation(cloud: GaussianCloud) -> NDArray[np.float32]:
    """Of HSV: 0 grey, 1 pure."""
    colors = base_colors(cloud)
    high, low = largest(colors), -largest(-colors)
    return np.where(high > 0, (high - low) / np.where(high > 0, high, np.float32(1)), np.float32(0))


def _luminance(cloud: GaussianCloud) -> NDArray[np.float32]:
    """Of Rec. 709, of sRGB values as they are (luma)."""
    luma: NDArray[np.float32] = base_colors(cloud) @ LUMA.astype(np.float32)
    return luma


_VALUES: Mapping[str, Callable[[GaussianCloud], NDArray[np.float32]]] = {
    "opacity": lambda cloud: cloud.opacities,
    "scale_max": lambda cloud: np.exp(largest(cloud.log_scales)),
    "scale_min": lambda cloud: np.exp(-largest(-cloud.log_scales)),
    "volume": lambda cloud: np.float32(4 / 3 * np.pi) * np.exp(cloud.log_scales @ np.ones(3, np.float32)),
    "anisotropy": lambda cloud: np.exp(largest(cloud.log_scales) + largest(-cloud.log_scales)),
    "x": lambda cloud: cloud.means[:, 0],
    "y": lambda cloud: cloud.means[:, 1],
    "z": lambda cloud: cloud.means[:, 2],
    "distance": _distances_from_middle,
    "red": lambda cloud: base_colors(cloud)[:, 0],
    "green": lambda cloud: base_colors(cloud)[:, 1],
    "blue": lambda cloud: base_colors(cloud)[:, 2],
    "hue": _hue,
    "saturation": _saturation,
    "luminance": _luminance,
}
