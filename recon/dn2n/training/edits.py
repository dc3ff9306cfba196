"""Clean edits of procedural scenes: the same from all sides, what the network is to bring out.

Colours are (..., 3) float32 sRGB within 0 and 1; each pixel's change depends on its colour and its place in the world
only, not on the view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.colors import Float, clipped, luma, ramp, turned_hue
from recon.dn2n.palettes import gaussian_transport, random_moments
from recon.dn2n.training.scenes import ProceduralScene
from recon.dn2n.world_noise import fractal_noise

Kind = Literal["none", "color", "texture", "style"]
Change = Callable[[Float, Float, Float], Float]  # of colours, points and normals, (..., 3) each


@dataclass(frozen=True, eq=False)
class CleanEdit:
    """kind: "color" maps colours alone, "texture" adds a pattern anchored in the world, "style" carries the scene's
    colours to another palette."""

    name: str
    kind: Kind
    change: Change

    def apply(self, scene: ProceduralScene) -> Float:
        """(N, H, W, 3) float32: all views of the scene, edited."""
        colors = scene.rgb.astype(np.float32) / np.float32(255)
        return self.change(colors, scene.points, scene.normals)


def random_edit(scene: ProceduralScene, generator: np.random.Generator) -> CleanEdit:
    """An edit to train on; a sixth of them changes nothing."""
    kind = generator.choice(("none", "color", "texture", "style"), p=(0.16, 0.44, 0.28, 0.12))
    if kind == "none":
        return CleanEdit("none", "none", lambda colors, points, normals: colors)
    if kind == "color":
        change = _random_colors(generator)
        return CleanEdit("colours", "color", lambda colors, points, normals: change(colors))
    if kind == "style":
        palette = _random_palette(scene, generator)
        return CleanEdit("palette", "style", lambda colors, points, normals: palette(colors))
    return CleanEdit("texture", "texture", _random_pattern(scene, generator))


def _random_colors(generator: np.random.Generator) -> Callable[[Float], Float]:
    """Hue, saturation, gamma, an affine map, and in one case of four a ramp by lightness."""
    angle = generator.uniform(-1.2, 1.2) if generator.random() < 0.4 else 0.0
    saturation, gamma = generator.uniform(0.2, 1.6), np.exp(generator.uniform(-0.5, 0.5))
    matrix, shift = np.eye(3) + generator.normal(0, 0.12, (3, 3)), generator.normal(0, 0.08, 3)
    stops = np.sort(generator.random((3, 3)), axis=0)
    share = generator.uniform(0.4, 1) if generator.random() < 0.25 else 0.0

    def change(colors: Float) -> Float:
        turned = np.clip(turned_hue(colors, angle, saturation), 1e-4, 1) ** gamma
        found = (turned @ matrix.T + shift) * (1 - share) + ramp(luma(colors), stops) * share
        return clipped(found)

    return change


def _random_palette(scene: ProceduralScene, generator: np.random.Generator) -> Callable[[Float], Float]:
    """All views' colours together carried to random moments, by the map between Gaussians that moves them least."""
    pool = scene.rgb[:, ::4, ::4].reshape(-1, 3) / 255.0
    return gaussian_transport(pool, *random_moments(generator), float(generator.uniform(0.4, 1)))


def palette_editor(scene: ProceduralScene, generator: np.random.Generator) -> tuple[Float, Float]:
    """(N, H, W, 3) views in the colours of a random palette: all by one map, the clean edit; and each by its own, as an
    editor does that sees one view at a time and wants the palette in each."""
    colors, moments = scene.rgb.astype(np.float32) / np.float32(255), random_moments(generator)
    share = float(generator.uniform(0.5, 1))
    clean = gaussian_transport(colors[:, ::4, ::4].reshape(-1, 3), *moments, share)(colors)
    each = [gaussian_transport(view[::2, ::2].reshape(-1, 3), *moments, share)(view) for view in colors]
    return clean, np.stack(each)


def _random_pattern(scene: ProceduralScene, generator: np.random.Generator) -> Change:
    """Veins, grain, speckles or a cover of what faces up, together with colours of their own."""
    seed, colors_first = int(generator.integers(1 << 30)), _random_colors(generator)
    unit = float(np.median(scene.depth)) * generator.uniform(0.6, 1.6)
    stops = np.sort(generator.random((3, 3)), axis=0)
    kind = generator.integers(4)
    amount, contrast = generator.uniform(0.5, 1), generator.uniform(0.8, 1.4)
    stretch: NDArray[np.floating] = generator.permutation(np.append(generator.uniform(10, 40, 2), 4.0))
    direction = generator.normal(size=3)

    def change(colors: Float, points: Float, normals: Float) -> Float:
        places = np.asarray(points / unit, np.float32)
        if kind == 3:
            cover = _covered(places, normals, seed)[..., None] * amount
            return clipped(colors_first(colors) * (1 - cover) + stops[2] * cover)
        if kind == 0:
            waves = places @ direction * 9 + fractal_noise(places * 3.5, 4, seed) * 9
            pattern: NDArray[np.floating] = -0.5 * (1 - np.abs(np.sin(waves))) ** 4
        elif kind == 1:
            rings = np.sin((places[..., 0] * 14 + fractal_noise(places * 3, 4, seed) * 6) * 2.5)
            pattern = 0.17 * rings + 0.3 * (fractal_noise(places * stretch, 3, seed + 1) - 0.5)
        else:
            pattern = 0.7 * (fractal_noise(places * stretch.mean(), 3, seed) - 0.5)
        lightness = np.clip((luma(colors) - 0.5) * contrast + 0.5 + pattern, 0, 1)
        found = ramp(lightness, stops) * amount + colors_first(colors) * (1 - amount)
        return clipped(found)

    return change


def _covered(places: Float, normals: Float, seed: int) -> NDArray[np.floating]:
    """How much of each place lies under what fell from above."""
    return np.clip((normals[..., 2] - 0.25) * 3 + (fractal_noise(places * 6, 4, seed) - 0.5) * 2, 0, 1)


# What is evaluated on: never drawn in training.


def _sunset(colors: Float, points: Float, normals: Float) -> Float:
    matrix = np.array([[1.15, 0.12, 0], [0.05, 0.85, 0], [0, 0.05, 0.62]])
    return clipped(colors @ matrix.T + (0.06, 0, -0.02))


def _winter(colors: Float, points: Float, normals: Float) -> Float:
    pale = turned_hue(colors, 0, 0.35) * 0.75 + np.array((0.22, 0.25, 0.30))
    return clipped(pale)


def _bronze(colors: Float, points: Float, normals: Float) -> Float:
    dark, bright = np.array((0.16, 0.09, 0.03)), np.array((0.95, 0.72, 0.42))
    return clipped(dark + (bright - dark) * luma(colors)[..., None] ** 1.2)


def _material(colors: Float, pattern: NDArray[np.floating], stops: list[tuple[float, float, float]]) -> Float:
    return ramp(np.clip((luma(colors) - 0.45) * 1.25 + 0.45 + pattern, 0, 1), np.array(stops))


WOOD = [(0.13, 0.06, 0.02), (0.5, 0.3, 0.14), (0.85, 0.65, 0.42)]
MARBLE = [(0.35, 0.35, 0.37), (0.78, 0.77, 0.76), (1.0, 1.0, 1.0)]


def _scaled(scene: ProceduralScene, change: Change) -> Change:
    """The change with points in units of the scene's median depth."""
    unit = float(np.median(scene.depth))
    return lambda colors, points, normals: change(colors, points / unit, normals)


def _wood(colors: Float, places: Float, normals: Float) -> Float:
    rings = np.sin((places[..., 0] * 14 + fractal_noise(places * 3) * 6) * 3) * 0.175
    grain = (fractal_noise(places * np.array((40, 40, 4))) - 0.5) * 0.25
    return _material(colors, rings + grain, WOOD)


def _marble(colors: Float, places: Float, normals: Float) -> Float:
    veins = -0.5 * (1 - np.abs(np.sin(places.sum(-1) * 8 + fractal_noise(places * 4) * 12))) ** 4
    return _material(colors, veins + (fractal_noise(places * 14) - 0.5) * 0.2, MARBLE)


def _snow(colors: Float, places: Float, normals: Float) -> Float:
    light = luma(colors)[..., None]
    pale = (light + (colors - light) * 0.55) * np.array((0.93, 0.98, 1.06)) + 0.04
    cover = _covered(places, normals, 0)[..., None] * 0.92
    white = np.array((0.93, 0.95, 0.99)) * (0.75 + 0.25 * light)
    return clipped(pale + (white - pale) * cover)


COLOR_EDITS: Mapping[str, Change] = {"sunset": _sunset, "winter": _winter, "bronze": _bronze}
TEXTURE_EDITS: Mapping[str, Change] = {"wood": _wood, "marble": _marble, "snow": _snow}


def named_edit(name: str, scene: ProceduralScene) -> CleanEdit:
    """One of COLOR_EDITS or TEXTURE_EDITS for a scene."""
    if name in COLOR_EDITS:
        return CleanEdit(name, "color", COLOR_EDITS[name])
    return CleanEdit(name, "texture", _scaled(scene, TEXTURE_EDITS[name]))
