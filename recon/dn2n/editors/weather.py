"""Fog by distance, snow on what faces up, rain, dust, water: from the scene's geometry, the same in all views.

Every effect takes the picture (H, W, 3) float32 sRGB, the view's worksheet and the amount, 1 as usual, and gives the
picture as it becomes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from recon.dn2n.editors.appearance import (
    Picture,
    Plane,
    Triple,
    luminance,
    mixed,
    night,
    overcast,
    saturated,
    toned,
)
from recon.dn2n.editors.worksheet import Worksheet

_FOG = (0.78, 0.80, 0.82)
_DUST = (0.80, 0.62, 0.40)
_WATER = (0.04, 0.30, 0.38)
_FOG_DEPTH = 0.95  # optical depth of as much fog as lies before the middle of the scene, in fog as usual
_CLEAR = 0.8  # of the distance to what is near: no fog there, so that what is looked at stays visible


def optical_depth(sheet: Worksheet, amount: float) -> Plane:
    """(H, W) of even fog between camera and surface, past a little clear air: transmittance is exp(−this), Beer and
    Lambert's law."""
    reach = np.maximum(sheet.geometry.distance - np.float32(_CLEAR * sheet.frame.near), 0)
    return np.asarray(reach * np.float32(_FOG_DEPTH * amount / sheet.frame.middle), np.float32)


def fog(rgb: Picture, sheet: Worksheet, amount: float) -> Picture:
    """Even fog: colours go toward the fog's as exp(−distance)."""
    return mixed(saturated(rgb, 1 - 0.15 * min(amount, 1)), _FOG, 1 - np.exp(-optical_depth(sheet, amount)))


def dust(rgb: Picture, sheet: Worksheet, amount: float) -> Picture:
    """Ochre air, and dust that lies on what faces up."""
    lying = _lying(sheet, 0.25, 0.3) * np.float32(min(0.6 * amount, 1))
    covered = mixed(rgb, np.asarray(_shaded(rgb, (0.72, 0.58, 0.40)), np.float32), lying)
    warm = mixed(covered, toned(covered, (0.8, 0.66, 0.5), (1.05, 0.9, 0.66)), min(0.8 * amount, 1.0))
    return mixed(warm, _DUST, 1 - np.exp(-0.65 * optical_depth(sheet, amount)))


def underwater(rgb: Picture, sheet: Worksheet, amount: float) -> Picture:
    """Water swallows red first, then green; far away it is blue-green."""
    depth = optical_depth(sheet, amount)[..., None]
    passed = (
        rgb * np.exp(-depth * np.array([1.3, 0.28, 0.2], np.float32)) * np.array([0.7, 1, 1.05], np.float32)
    )
    ripples = sheet.noise(0.06 * sheet.frame.middle, 2, 7)
    caustics = np.clip(1 - np.abs(ripples - 0.5) * 9, 0, 1) ** 2 * np.clip(sheet.upness + 0.4, 0, 1)
    lit = passed * (1 + 0.45 * min(amount, 1) * caustics[..., None])
    return mixed(lit.astype(np.float32), _WATER, np.asarray(1 - np.exp(-0.7 * depth[..., 0]), np.float32))


def clear(rgb: Picture, sheet: Worksheet, amount: float) -> Picture:
    """Take haze away: the fog's law backwards, never more than a little of it; grain stays as it is."""
    passed = np.exp(-0.35 * optical_depth(sheet, amount))[..., None]
    passed = np.maximum(passed, 0.8).astype(np.float32)
    air = np.array(_FOG, np.float32)
    shared = sheet.pooled_colors
    clean = saturated((shared - air * (1 - passed)) / passed, 1 + 0.15 * amount)
    return np.clip(clean + (rgb - shared), 0, 1)


def snow(rgb: Picture, sheet: Worksheet, amount: float) -> Picture:
    """Snow lies on what faces up, in drifts: thin at first, with the ground in its hollows, then closed; the air is cold
    and the light grey. Its shade is that of broad shadows, not of the ground's own pattern."""
    cold = mixed(rgb, overcast(rgb), 0.7 * min(amount, 1.0))
    drift = sheet.noise(0.05 * sheet.frame.middle, 2, 5)
    closed = 0.66 * min(amount, 1.2)
    bare = 0.85 * smooth_step(closed, closed + 0.3, drift)
    cover = softened(_lying(sheet, 0.36 - 0.25 * (amount - 1), 0.42) * _broadly(sheet) * (1 - bare), 1.2)
    shadows = np.clip(broad(luminance(sheet.pooled_colors), 50) / sheet.frame.mean_light, 0.3, 1.6)
    shade = np.clip(0.72 + 0.13 * shadows + 0.05 * (sheet.upness - 0.9) + 0.05 * (drift - 0.5), 0.5, 0.97)
    white = shade[..., None] * np.array([0.965, 0.985, 1.02], np.float32)
    return mixed(cold, np.asarray(white, np.float32), np.asarray(0.95 * cover, np.float32))


def by_night(rgb: Picture, sheet: Worksheet) -> Picture:
    """Night, with the sky (what is light and so far that nobody knows how far) darker still."""
    dark = night(rgb, sheet.frame.mean_light)
    if not sheet.frame.has_depth:
        return dark
    unknown = broad((~sheet.own_geometry.is_known).astype(np.float32), 60)
    sky = smooth_step(0.75, 1.0, unknown) * smooth_step(0.35, 0.6, broad(luminance(rgb), 60))
    return np.asarray(dark * (1 - 0.7 * sky)[..., None], np.float32)


def rain(rgb: Picture, sheet: Worksheet, amount: float) -> Picture:
    """Wet: darker, stronger colours, a grey sheen with puddles on what faces up, thin mist."""
    share = min(amount, 1.3)
    grey = mixed(rgb, overcast(rgb), 0.6 * share)
    wet = saturated(np.power(np.clip(grey, 0, 1), np.float32(1 + 0.35 * share)).astype(np.float32), 1.25)
    pools = sheet.noise(0.12 * sheet.frame.middle, 3, 3)
    flat = np.clip((sheet.upness - 0.6) * 4, 0, 1)
    sheen = flat * (0.15 + 0.55 * smooth_step(0.48, 0.6, pools))
    sky = np.array([0.60, 0.65, 0.70], np.float32) * (0.45 + 0.9 * luminance(rgb))[..., None]
    shining = mixed(wet, np.asarray(sky, np.float32), np.asarray(sheen * min(share, 1), np.float32))
    return mixed(shining, (0.62, 0.66, 0.70), 1 - np.exp(-0.22 * optical_depth(sheet, amount)))


def smooth_step(low: float, high: float, values: Plane) -> Plane:
    """0 below `low`, 1 above `high`, smooth in between."""
    x = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def softened(values: Plane, sigma: float = 0.9) -> Plane:
    """Borders no sharper than a lens makes them, so that they do not flicker from view to view. sigma: pixels."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def _lying(sheet: Worksheet, start: float, softness: float) -> Plane:
    """(H, W) how much of what falls lies there: on what faces up, with an uneven border."""
    uneven = sheet.noise(0.06 * sheet.frame.middle, 2, 1) - 0.5
    facing = smooth_step(start, start + softness, sheet.upness + 0.3 * uneven)
    return np.asarray(facing * smooth_step(0.0, 0.3, sheet.upness), np.float32)


def _broadly(sheet: Worksheet) -> Plane:
    """(H, W) 0 … 1 whether the neighbourhood faces up too, which a wall with a few bad normals does not."""
    return smooth_step(0.12, 0.35, broad(np.maximum(sheet.upness, 0), 45))


def broad(values: Plane, parts: int) -> Plane:
    """Blurred by one in so many parts of the picture's longer side."""
    size = (
        2 * max(1, round(1.2 * max(values.shape) / parts)) + 1
    )  # twice a box is about a Gaussian, in less time
    return np.asarray(cv2.blur(cv2.blur(values, (size, size)), (size, size)), np.float32)


def _shaded(rgb: Picture, color: Triple) -> Picture:
    """A colour with the picture's light and dark."""
    return np.asarray((0.35 + 1.1 * luminance(rgb))[..., None] * np.array(color, np.float32), np.float32)


WEATHER: Mapping[str, Callable[[Picture, Worksheet, float], Picture]] = {
    "fog": fog, "snow": snow, "rain": rain, "dust": dust, "underwater": underwater, "clear": clear,
}  # fmt: skip
NEED_SURFELS = frozenset(["snow", "rain", "dust", "underwater", "clear"])
