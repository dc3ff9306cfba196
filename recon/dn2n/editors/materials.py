"""What things look like in another material: a pattern in the world, shaded by the surface and by the photo's light.

Shading looks at the normal only, never at where the camera is, so that all views agree: metal has its gleam where the
surface faces the light.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.appearance import Picture, Plane, Triple, luminance, saturated
from recon.dn2n.editors.worksheet import Worksheet
from recon.romap.color_names import Rgb
from recon.romap.materials import MATERIALS

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """ramp: colours of dark, middle and light parts. pattern: (H, W) about −0.5 … 0.5 from a worksheet, which lightens
    and darkens by `depth`. gloss: strength of the gleam. sharpness: of it. detail: how much of the photo's small light
    and dark shows. second: colour of the pattern's other end, where it has one, in place of lightening."""

    ramp: tuple[Triple, Triple, Triple]
    pattern: Callable[[Worksheet], Plane] | None = None
    depth: float = 0.5
    gloss: float = 0.2
    sharpness: float = 8.0
    detail: float = 0.8
    second: Triple | None = None


_LACQUER = Look(((0, 0, 0), (0.5, 0.5, 0.5), (1, 1, 1)), gloss=0.45, sharpness=24)


def covered(rgb: Picture, sheet: Worksheet, name: str, color: Rgb | None = None) -> Picture:
    """The picture with everything made of that material. color: in place of its own."""
    look = LOOKS[name]
    ramp = look.ramp if color is None else _recolored(look.ramp, color)
    shade, gleam = _lighting(sheet, look)
    tone = _tone(rgb, sheet, look.detail) * (0.42 + 0.58 * shade)
    pattern = None if look.pattern is None else look.pattern(sheet)
    if pattern is not None and look.second is None:
        tone = tone * (1 + look.depth * pattern)
    base = _ramp(np.clip(tone, 0, 1), ramp)
    if pattern is not None and look.second is not None:
        light = (0.25 + 1.05 * np.clip(tone, 0, 1))[..., None]
        other = np.asarray(np.array(look.second, np.float32) * light, np.float32)
        base = base + (other - base) * np.clip(pattern + 0.5, 0, 1)[..., None]
    bright = np.array(ramp[2], np.float32)
    shining = np.clip(1.25 * look.gloss * gleam, 0, 0.85)[..., None]
    return np.asarray(np.clip(base + shining * (bright - base), 0, 1), np.float32)


def glossy(rgb: Picture, sheet: Worksheet) -> Picture:
    """The same colours under lacquer: deeper, and with a gleam where the surface faces the light."""
    shade, gleam = _lighting(sheet, _LACQUER)
    # screen blending: light is added, never more than white
    deep = saturated(rgb * (0.62 + 0.38 * shade)[..., None], 1.12)
    shining = np.clip(_LACQUER.gloss * gleam, 0, 1)[..., None]
    return np.asarray(np.clip(deep + shining * (1 - deep), 0, 1), np.float32)


def _tone(rgb: Picture, sheet: Worksheet, detail: float) -> Plane:
    """(H, W) about 0.5: the photo's small light and dark, its paint mostly taken away."""
    light = np.maximum(luminance(rgb), 0.015)
    local = np.maximum(luminance(sheet.pooled_colors), 0.02)
    small = np.log(light / local)
    large = np.log(local / np.float32(sheet.frame.mean_light))
    tone = 0.62 * np.exp(np.clip(detail * (small + 0.5 * large), -1.6, 1.0))
    return np.asarray(np.where(tone > 0.6, 0.6 + 0.45 * np.tanh((tone - 0.6) / 0.45), tone), np.float32)


def _lighting(sheet: Worksheet, look: Look) -> tuple[Plane, Plane]:
    """(H, W) light by a soft sky and a lamp high to the left, and its gleam, both by the normal alone."""
    right, up, forward = sheet.axes
    lamp = up * 0.75 - forward * 0.55 - right * 0.45
    lamp = lamp / np.linalg.norm(lamp)
    facing = sheet.normals @ lamp.astype(np.float32)
    sky = 0.5 + 0.5 * sheet.upness
    shade = 0.35 + 0.3 * sky + 0.55 * np.clip(facing, 0, 1)
    rim = np.clip(sheet.normals @ (right * 0.8 + up * 0.35).astype(np.float32), 0, 1) ** 3
    gleam = np.clip(facing, 0, 1) ** look.sharpness + 0.35 * rim
    return np.asarray(shade, np.float32), np.asarray(gleam, np.float32)


def _ramp(tone: Plane, ramp: tuple[Triple, Triple, Triple]) -> Picture:
    places = np.array([0, 0.5, 1], np.float32)
    columns = [np.interp(tone, places, [color[c] for color in ramp]) for c in range(3)]
    return np.stack(columns, -1).astype(np.float32)


def _recolored(ramp: tuple[Triple, Triple, Triple], color: Rgb) -> tuple[Triple, Triple, Triple]:
    """As light and dark as the ramp, of another colour."""
    base = np.array(color)
    low, high = base * 0.22, base + (1 - base) * 0.62
    return _triple(low), _triple(base * 0.95), _triple(high)


def _triple(color: NDArray[np.floating]) -> Triple:
    red, green, blue = (float(channel) for channel in color)
    return red, green, blue


def _rings(sheet: Worksheet) -> Plane:
    """Year rings about the target's upright axis, with fibres along it."""
    place = sheet.local
    wander = sheet.noise_at(place * np.array([3, 1, 3], np.float32), 2, 11) - 0.5
    radius = np.sqrt((place[..., 0] - 0.15) ** 2 + (place[..., 2] - 0.3) ** 2) + 0.16 * wander
    rings = np.sin(radius * np.float32(70))
    fibres = sheet.noise_at(place * np.array([70, 5, 70], np.float32), 2, 12) - 0.5
    return np.asarray(0.26 * rings * np.abs(rings) ** 0.5 + 0.6 * fibres, np.float32)


def _veins(sheet: Worksheet) -> Plane:
    """Dark veins of marble: where a warped wave crosses zero; −0.5 in a vein."""
    place = sheet.local
    warp = sheet.noise_at(place * np.float32(3.5), 4, 21) - 0.5
    thin = np.abs(np.sin((place[..., 0] + 1.4 * place[..., 1] - 0.6 * place[..., 2]) * 5 + 13 * warp))
    fine = np.abs(np.sin((place[..., 1] - place[..., 0] + place[..., 2]) * 9 + 19 * warp + 2))
    veins = np.clip(1 - thin * 5, 0, 1) ** 1.5 + 0.4 * np.clip(1 - fine * 6, 0, 1)
    return np.asarray(0.12 * warp - 0.5 * np.clip(veins, 0, 1), np.float32)


def _grain(sheet: Worksheet) -> Plane:
    place = sheet.local
    return np.asarray(
        (sheet.noise_at(place * np.float32(45), 2, 31) - 0.5) * 0.9
        + (sheet.noise_at(place * np.float32(6), 3, 32) - 0.5),
        np.float32,
    )


def _speckles(sheet: Worksheet) -> Plane:
    spots = sheet.noise_at(sheet.local * np.float32(45), 2, 33)
    return np.asarray(3.2 * (spots - 0.5), np.float32)


def _patina(sheet: Worksheet) -> Plane:
    return np.asarray((sheet.noise_at(sheet.local * np.float32(9), 4, 41) - 0.5) * 0.8, np.float32)


def _verdigris(sheet: Worksheet) -> Plane:
    """Green spots where rain would stay."""
    spots = sheet.noise_at(sheet.local * np.float32(7), 4, 42) + 0.12 * sheet.upness
    return np.asarray(np.clip((spots - 0.58) * 3, 0, 0.55) - 0.5, np.float32)


def _cracks(sheet: Worksheet) -> Plane:
    """Pale cracks and bubbles."""
    place = sheet.local
    warp = sheet.noise_at(place * np.float32(6), 3, 51)
    crack = np.clip(1 - np.abs(warp - 0.5) * 22, 0, 1)
    frost = sheet.noise_at(place * np.float32(28), 2, 52) - 0.5
    return np.asarray(0.45 * crack + 0.55 * frost, np.float32)


def _clouds(sheet: Worksheet) -> Plane:
    return np.asarray(2.2 * (sheet.noise_at(sheet.local * np.float32(5), 4, 61) - 0.5), np.float32)


def _tufts(sheet: Worksheet) -> Plane:
    place = sheet.local
    blades = sheet.noise_at(place * np.array([75, 24, 75], np.float32), 2, 62) - 0.5
    return np.asarray(1.1 * blades + 0.8 * (sheet.noise_at(place * np.float32(8), 2, 63) - 0.5), np.float32)


def _hide(sheet: Worksheet) -> Plane:
    creases = np.abs(sheet.noise_at(sheet.local * np.float32(30), 2, 64) - 0.5)
    return np.asarray(np.clip(creases * 5, 0, 1) - 0.6, np.float32)


def _weave(sheet: Worksheet) -> Plane:
    x, y, z = (sheet.local[..., k] * np.float32(90) for k in range(3))
    fuzz = sheet.noise_at(sheet.local * np.float32(50), 2, 65) - 0.5
    return np.asarray(0.35 * np.sin(x + z) * np.sin(y) + 0.5 * fuzz, np.float32)


def _glow(sheet: Worksheet) -> Plane:
    """Cracks of lava: 0.5 where it glows."""
    warp = sheet.noise_at(sheet.local * np.float32(5), 4, 66)
    return np.asarray(np.clip(1 - np.abs(warp - 0.5) * 14, 0, 1) ** 1.3 - 0.5, np.float32)


def _geometric(name: str) -> Callable[[Worksheet], Plane]:
    """A pattern that parts of splats have too."""

    def pattern(sheet: Worksheet) -> Plane:
        mix = MATERIALS[name].pattern(sheet.local.reshape(-1, 3).astype(np.float64), sheet.seed)
        return np.asarray(mix.reshape(sheet.local.shape[:2]) - 0.5, np.float32)

    return pattern


def _plain(
    name: str, pattern: Callable[[Worksheet], Plane], gloss: float = 0.05, light: float = 0.45
) -> Look:
    """A material of two colours, as parts of splats have it."""
    first, second = MATERIALS[name].colors
    base = np.array(first)
    ramp = (_triple(base * 0.25), _triple(base), _triple(base + (1 - base) * light))
    return Look(ramp, pattern, gloss=gloss, second=second)


LOOKS: Mapping[str, Look] = {
    "gold": Look(((0.20, 0.09, 0.01), (0.80, 0.55, 0.12), (1.0, 0.90, 0.52)), _patina, 0.15, 0.6, 9, 1.05),
    "bronze": Look(
        ((0.09, 0.05, 0.02), (0.50, 0.31, 0.13), (0.93, 0.72, 0.42)), _verdigris, 0.3, 0.45, 9, 1.05, (0.25, 0.46, 0.38)
    ),
    "silver": Look(((0.08, 0.08, 0.10), (0.56, 0.58, 0.62), (0.98, 0.99, 1.0)), _patina, 0.18, 0.6, 10, 1.05),
    "copper": Look(((0.14, 0.04, 0.02), (0.70, 0.36, 0.21), (1.0, 0.78, 0.62)), _patina, 0.2, 0.55, 9, 1.05),
    "steel": Look(((0.07, 0.08, 0.09), (0.43, 0.46, 0.50), (0.92, 0.95, 1.0)), _patina, 0.12, 0.5, 12, 1.0),
    "marble": Look(((0.42, 0.42, 0.45), (0.83, 0.82, 0.80), (1.0, 1.0, 0.99)), _veins, 0.75, 0.14, 14, 0.75),
    "stone": Look(((0.14, 0.135, 0.13), (0.50, 0.485, 0.455), (0.84, 0.82, 0.78)), _grain, 0.4, 0.0, 4, 0.95),
    "granite": Look(((0.16, 0.15, 0.16), (0.52, 0.49, 0.49), (0.88, 0.86, 0.86)), _speckles, 0.5, 0.1, 12, 0.7),
    "wood": Look(((0.17, 0.08, 0.03), (0.56, 0.35, 0.17), (0.90, 0.70, 0.45)), _rings, 0.85, 0.1, 6, 0.6),
    "ice": Look(((0.16, 0.36, 0.50), (0.60, 0.80, 0.90), (0.97, 1.0, 1.0)), _cracks, 0.35, 0.45, 12, 0.6),
    "glass": Look(((0.05, 0.20, 0.20), (0.46, 0.68, 0.66), (0.95, 1.0, 0.99)), None, 0, 0.7, 18, 0.45),
    "porcelain": Look(((0.36, 0.38, 0.45), (0.83, 0.84, 0.87), (1.0, 1.0, 1.0)), None, 0, 0.5, 22, 0.5),
    "clay": Look(((0.27, 0.11, 0.07), (0.69, 0.37, 0.25), (0.92, 0.66, 0.52)), _grain, 0.14, 0.0, 4, 0.7),
    "jade": Look(((0.02, 0.15, 0.09), (0.20, 0.55, 0.38), (0.76, 0.95, 0.82)), _clouds, 0.22, 0.35, 14, 0.5),
    "brick": _plain("brick", _geometric("brick")),
    "sand": Look(((0.40, 0.31, 0.19), (0.80, 0.69, 0.47), (0.97, 0.90, 0.72)), _grain, 0.25, 0.0, 4, 0.75),
    "moss": Look(((0.05, 0.12, 0.02), (0.24, 0.44, 0.11), (0.56, 0.72, 0.28)), _tufts, 0.75, 0.0, 4, 0.7),
    "leather": Look(((0.10, 0.05, 0.03), (0.40, 0.23, 0.13), (0.74, 0.52, 0.36)), _hide, 0.35, 0.16, 8, 0.7),
    "denim": _plain("denim", _weave),
    "lava": Look(((0.03, 0.02, 0.02), (0.13, 0.07, 0.05), (0.32, 0.22, 0.18)), _glow, 0.5, 0.05, 6, 0.8, (1.0, 0.47, 0.06)),
    "wool": _plain("wool", _weave),
    "camouflage": _plain("camouflage", _clouds),
    "stripes": _plain("striped", _geometric("striped")),
    "checks": _plain("checkered", _geometric("checkered")),
    "dots": _plain("dotted", _geometric("dotted")),
}  # fmt: skip
