"""Colours that carry meaning."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from widgets import colour_maps
from widgets.theme import DARK, LIGHT, Theme


def luminance(color: str) -> float:
    """Relative luminance as WCAG defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour_maps.rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def lightness(table: np.ndarray) -> np.ndarray:
    """CIE L* of colours (N, 3) uint8."""
    y = np.array([luminance("#" + bytes(color).hex()) for color in table])
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def test_viridis_rises_evenly_in_lightness_from_its_violet_to_its_yellow() -> None:
    table = colour_maps.color_map_table("viridis")
    assert bytes(table[0]).hex() == "440154"
    assert bytes(table[-1]).hex() == "fde725"
    steps = np.diff(lightness(table[::5]))  # single steps are rounded to 8 bits
    assert steps.min() > 0
    assert steps.max() < 3 * steps.mean()


def test_the_diverging_map_is_neutral_in_the_middle_and_as_dark_on_both_sides() -> None:
    table = colour_maps.color_map_table("diverging")
    assert np.ptp(table[127].astype(int)) < 12
    light = lightness(table)
    assert light.argmax() in range(124, 132)
    assert np.abs(light - light[::-1]).max() < 12


def test_values_outside_the_range_get_its_end_colours_and_nan_is_grey() -> None:
    colors = colour_maps.map_colors([-9.0, 0.0, 1.0, 9.0, np.nan], "viridis", (0, 1))
    assert (colors[0] == colors[1]).all()
    assert (colors[2] == colors[3]).all()
    assert (colors[4] == 128).all()


def test_the_range_of_signed_values_is_symmetric_and_never_empty() -> None:
    assert colour_maps.natural_range([-1.0, 3.0], "diverging") == (-3, 3)
    assert colour_maps.natural_range([-1.0, 3.0, np.inf], "viridis") == (-1, 3)
    low, high = colour_maps.natural_range([2.0, 2.0], "viridis")
    assert low < 2 < high
    assert colour_maps.natural_range([], "viridis") == (0, 1)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_labels_stand_out_from_the_viewport(theme: Theme) -> None:
    for label in range(1, 9):
        for ground in (theme.viewport_top, theme.viewport_bottom):
            a, b = sorted((luminance(colour_maps.label_color(label, theme.is_dark)), luminance(ground)))
            assert (b + 0.05) / (a + 0.05) >= 3


# Viénot, Brettel and Mollon (1999): linear RGB as those without red or green cones see it.
BLIND = {
    "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


@pytest.mark.parametrize("matrix", BLIND.values(), ids=BLIND.keys())
@pytest.mark.parametrize("is_dark", [True, False], ids=["dark", "light"])
def test_the_first_four_labels_differ_for_colour_blind_readers(
    matrix: list[list[float]], is_dark: bool
) -> None:
    linear = [np.array(colour_maps.rgb(colour_maps.label_color(n, is_dark))) ** 2.2 for n in range(1, 5)]
    seen = [np.clip(np.array(matrix) @ color, 0, 1) ** (1 / 2.2) for color in linear]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 0.08


def test_sixteen_labels_have_sixteen_colours() -> None:
    assert len({colour_maps.label_color(label) for label in range(1, 17)}) == 16
