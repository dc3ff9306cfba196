"""Materials as patterns in space: a colour for every point, made from a few formulas and a seed, no picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.romap.color_names import Rgb

Points = NDArray[np.float64]  # (N, 3), in sizes of the part
Mix = NDArray[np.float64]  # (N,) 0 … 1 between the first and the second colour


@dataclass(frozen=True)
class Material:
    """colors: what the pattern mixes. pattern: from places, in sizes of the part about its middle, to the mix.

    shading: how much of the part's own light and dark shows through, 0 … 1."""

    colors: tuple[Rgb, Rgb]
    pattern: Callable[[Points, int], Mix]
    shading: float = 0.6


def material_colors(material: Material, points: Points, seed: int, color: Rgb | None = None) -> Points:
    """(N, 3) sRGB of a material at points (N, 3) in sizes of the part. color: in place of its first colour, the
    second keeping its distance from that."""
    first, second = (np.array(each) for each in material.colors)
    if color is not None:
        first, second = np.array(color), np.array(color) + (second - first)
    mix = material.pattern(points, seed)[:, None]
    return np.asarray(np.clip((1 - mix) * first + mix * second, 0, 1))


def noise(points: Points, seed: int, octaves: int = 3) -> Mix:
    """(N,) smooth random values 0 … 1 with structures of about 1 in the points' unit: value noise on a lattice."""
    total, weight, sum_of_weights = np.zeros(len(points)), 1.0, 0.0
    for octave in range(octaves):
        total += weight * _lattice_noise(points * 2.0**octave, seed + octave)
        sum_of_weights += weight
        weight /= 2
    return total / sum_of_weights


def _lattice_noise(points: Points, seed: int) -> Mix:
    """(N,) values at whole points, blended smoothly in between."""
    cell = np.floor(points).astype(np.int64)
    inside = points - cell
    blend = inside**2 * (3 - 2 * inside)
    total = np.zeros(len(points))
    for corner in np.ndindex(2, 2, 2):
        share = np.where(np.array(corner, bool), blend, 1 - blend).prod(1)
        total += share * _hashed(cell + np.array(corner), seed)
    return total


def _hashed(cells: NDArray[np.int64], seed: int) -> Mix:
    """(N,) 0 … 1, the same for the same cell and seed (a multiply-and-shift hash of 64 bits)."""
    key = cells.astype(np.uint64) @ np.array(
        [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64
    )
    key ^= np.uint64((seed * 0x27D4EB2F165667C5 + 0x2545F4914F6CDD1D) % 2**64)
    for shift in (33, 29):
        key = (key ^ (key >> np.uint64(shift))) * np.uint64(0xFF51AFD7ED558CCD)
    return (key >> np.uint64(40)).astype(np.float64) / 2**24


def _stripes(points: Points, seed: int) -> Mix:
    return (np.floor(points[:, 1] * 8) % 2).astype(np.float64)


def _checker(points: Points, seed: int) -> Mix:
    return np.asarray(np.floor(points * 6 + 0.25).sum(1) % 2, np.float64)


def _dots(points: Points, seed: int) -> Mix:
    from_middle = (points * 6) % 1 - 0.5
    return np.asarray((from_middle**2).sum(1) < 0.09, np.float64)


def _weave(points: Points, seed: int) -> Mix:
    thread = np.sin(60 * (points[:, 0] + points[:, 1])) * np.sin(60 * (points[:, 1] - points[:, 2]))
    return np.asarray(0.5 + 0.3 * thread + 0.4 * (noise(points * 25, seed) - 0.5))


def _rings(points: Points, seed: int) -> Mix:
    radius = np.hypot(points[:, 0], points[:, 2]) + 0.08 * noise(points * [2, 0.5, 2], seed)
    return np.asarray(0.5 + 0.5 * np.sin(60 * radius + 4 * noise(points * [12, 2, 12], seed)))


def _veins(points: Points, seed: int) -> Mix:
    wave = np.sin(8 * (points[:, 0] + points[:, 1]) + 14 * noise(points * 3, seed, 4))
    return np.asarray(np.abs(wave) < 0.18, np.float64) * 0.8


def _bricks(points: Points, seed: int) -> Mix:
    row = np.floor(points[:, 1] * 10)
    across = (points[:, 0] + points[:, 2]) * 4 + 0.5 * (row % 2)
    return (((points[:, 1] * 10) % 1 < 0.14) | (across % 1 < 0.07)).astype(np.float64)


def _speckle(points: Points, seed: int) -> Mix:
    return noise(points * 30, seed)


def _clouds(points: Points, seed: int) -> Mix:
    return noise(points * 4, seed, 4)


def _even(points: Points, seed: int) -> Mix:
    return 0.5 + 0.2 * (noise(points * 6, seed) - 0.5)


_TABLE: Mapping[tuple[str, ...], Material] = {
    ("denim", "jeans"): Material(((0.13, 0.22, 0.42), (0.36, 0.47, 0.65)), _weave),
    ("wood", "wooden", "oak", "timber"): Material(((0.55, 0.35, 0.17), (0.38, 0.22, 0.10)), _rings),
    ("marble",): Material(((0.93, 0.92, 0.90), (0.45, 0.45, 0.48)), _veins, 0.4),
    ("stone", "rock", "granite", "concrete"): Material(((0.55, 0.54, 0.52), (0.36, 0.35, 0.34)), _speckle),
    ("brick", "bricks"): Material(((0.62, 0.24, 0.17), (0.80, 0.77, 0.72)), _bricks),
    ("gold", "golden", "gilded"): Material(((0.92, 0.73, 0.24), (0.72, 0.50, 0.10)), _even, 1.0),
    ("silver", "steel", "metal", "metallic", "chrome", "iron"): Material(
        ((0.78, 0.79, 0.81), (0.50, 0.52, 0.55)), _even, 1.0
    ),
    ("copper",): Material(((0.78, 0.48, 0.30), (0.55, 0.29, 0.16)), _even, 1.0),
    ("leather",): Material(((0.36, 0.20, 0.11), (0.24, 0.13, 0.07)), _speckle),
    ("grass", "moss"): Material(((0.25, 0.47, 0.13), (0.12, 0.30, 0.06)), _speckle),
    ("sand",): Material(((0.87, 0.78, 0.56), (0.76, 0.66, 0.44)), _speckle),
    ("snow",): Material(((0.96, 0.97, 1.0), (0.86, 0.89, 0.95)), _clouds, 0.4),
    ("lava", "magma"): Material(((0.12, 0.05, 0.04), (1.0, 0.42, 0.05)), _veins, 0.2),
    ("camouflage", "camo"): Material(((0.29, 0.33, 0.18), (0.49, 0.42, 0.27)), _clouds),
    ("wool", "knitted", "fabric", "cloth", "linen"): Material(
        ((0.80, 0.76, 0.68), (0.64, 0.60, 0.52)), _weave
    ),
    ("striped", "stripes"): Material(((0.93, 0.93, 0.93), (0.12, 0.18, 0.45)), _stripes),
    ("checkered", "chequered", "checked", "checkerboard", "plaid"): Material(
        ((0.93, 0.93, 0.93), (0.10, 0.10, 0.10)), _checker
    ),
    ("dotted", "spotted", "polka-dot", "dots"): Material(((0.93, 0.93, 0.93), (0.75, 0.10, 0.15)), _dots),
}
MATERIALS: Mapping[str, Material] = {name: material for names, material in _TABLE.items() for name in names}
