"""Spring, autumn and winter: leaves change colour, and petals or leaves lie on what faces up.

Every season takes the picture (H, W, 3) float32 sRGB and the view's worksheet. Summer is a map of colours alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.appearance import (
    Picture,
    Plane,
    Triple,
    greenness,
    luminance,
    mixed,
    overcast,
    saturated,
    toned,
)
from recon.dn2n.editors.strokes import empty_canvas, lay, on_surface, random_of, wandering
from recon.dn2n.editors.surfels import Surfels
from recon.dn2n.editors.weather import broad, smooth_step, softened
from recon.dn2n.editors.worksheet import BASE, Worksheet
from recon.dn2n.world_noise import fractal_noise

Float = NDArray[np.float32]

LITTER = 1 / 50  # of the picture's longer side: cells with a leaf each, or none
_LEAVES = ((0.86, 0.42, 0.08), (0.74, 0.22, 0.06), (0.93, 0.66, 0.14), (0.55, 0.27, 0.09), (0.82, 0.54, 0.12))
_PETALS = ((0.98, 0.80, 0.87), (0.96, 0.66, 0.78), (1.0, 0.93, 0.95), (0.99, 0.87, 0.90))


def autumn(rgb: Picture, sheet: Worksheet) -> Picture:
    """Green turns to yellow, orange and red, light is low and golden, and leaves lie about."""
    which = sheet.noise(0.07 * sheet.frame.middle, 3, 81)
    leaves = _between(which, ((0.62, 0.24, 0.07), (0.95, 0.52, 0.10), (0.98, 0.76, 0.22)))
    lawn = _between(which, ((0.52, 0.44, 0.16), (0.66, 0.58, 0.22), (0.60, 0.62, 0.20)))
    is_lawn = smooth_step(0.25, 0.6, broad(sheet.upness, 30))
    goal = mixed(leaves, lawn, 0.8 * is_lawn)
    light = luminance(rgb)[..., None]
    share = np.asarray(_greenness(rgb) * (0.9 - 0.15 * is_lawn), np.float32)
    turned = mixed(rgb, np.asarray(goal * (0.2 + 1.35 * light), np.float32), share)
    golden = toned(saturated(turned, 1.05), (0.95, 0.88, 0.83), (1.06, 0.99, 0.87))
    return _strewn(golden, sheet, _LEAVES, 0.2, (0.62, 0.36))


def spring(rgb: Picture, sheet: Worksheet) -> Picture:
    """Fresh greens, soft bright light, petals."""
    light = luminance(rgb)[..., None]
    fresh = mixed(
        rgb, light * np.array([0.86, 1.42, 0.44], np.float32), np.asarray(0.65 * _greenness(rgb), np.float32)
    )
    airy = np.power(np.clip(fresh, 0, 1), np.float32(0.82)) * np.array([1.0, 1.01, 0.99], np.float32)
    soft = toned(np.asarray(airy, np.float32), (0.96, 1.0, 1.0), (1.03, 1.0, 0.98))
    return _strewn(soft, sheet, _PETALS, 0.3, (0.42, 0.30))


def winter(rgb: Picture, sheet: Worksheet) -> Picture:
    """Bare and cold: greens fade to grey-brown, light is grey and blue."""
    light = luminance(rgb)[..., None]
    bare = mixed(
        rgb, light * np.array([1.02, 0.95, 0.86], np.float32), np.asarray(0.85 * _greenness(rgb), np.float32)
    )
    return toned(mixed(bare, overcast(bare), 0.6), (0.86, 0.92, 1.06), (0.96, 1.0, 1.06))


def _greenness(rgb: Picture) -> Plane:
    """(H, W) how much of a neighbourhood looks like leaves: single pixels differ from view to view."""
    return broad(greenness(rgb), 260)


def _strewn(
    rgb: Picture, sheet: Worksheet, palette: Sequence[Triple], density: float, shape: tuple[float, float]
) -> Picture:
    """Leaves or petals on what faces up, fewer on slopes, in drifts; few, as each edge differs a little between views."""
    surfels = sheet.surfels(LITTER)
    if not len(surfels):
        return rgb
    facing = surfels.normals @ sheet.frame.up.astype(np.float32)
    chance = density * np.clip((facing - 0.35) * 2.2, 0, 1) * _drifts(surfels, sheet)
    chosen = random_of(surfels, 6.0) < chance
    picks = (random_of(surfels, 7.0) * len(palette)).astype(int)
    light = np.clip(luminance(surfels.colors) / sheet.frame.mean_light, 0.35, 1.25)
    shade = light * (0.85 + 0.3 * random_of(surfels, 8.0))
    colors = np.clip(np.array(palette, np.float32)[picks] * (0.35 + 0.65 * shade[:, None]), 0, 1)
    along = on_surface(surfels, _scattered(surfels, sheet))
    canvas = empty_canvas(rgb)
    lay(canvas, sheet, surfels, colors, shape, along, chosen)
    return mixed(rgb, canvas.rgb, softened(canvas.cover, 1.3))


def _drifts(surfels: Surfels, sheet: Worksheet) -> Float:
    """(M,) 0.15 … 1 where the wind has gathered them."""
    places = (surfels.positions - sheet.frame.target_centre) / (0.12 * sheet.frame.middle)
    gathered = fractal_noise(places.astype(np.float32), 2, sheet.seed * 31 + 90)
    return 0.15 + 0.85 * smooth_step(0.5, 0.66, gathered)


def _scattered(surfels: Surfels, sheet: Worksheet) -> Float:
    """(M, 3) any direction."""
    turns = np.stack([random_of(surfels, 9.0 + k) - 0.5 for k in range(3)], -1)
    return np.asarray(turns + 0.2 * wandering(surfels, sheet), np.float32)


def _between(values: Plane, colors: Sequence[Triple]) -> Float:
    places = np.linspace(0.3, 0.7, len(colors))
    return np.stack([np.interp(values, places, [c[k] for c in colors]) for k in range(3)], -1).astype(
        np.float32
    )


SEASONS: Mapping[str, Callable[[Picture, Worksheet], Picture]] = {
    "autumn": autumn,
    "spring": spring,
    "winter": winter,
}
SEASON_LAYERS: Mapping[str, tuple[float, ...]] = {
    "autumn": (BASE, LITTER),
    "spring": (LITTER,),
    "winter": (),
    "summer": (),
}
