"""Styles of drawing and painting whose strokes, dots and tiles lie on the scene's surfaces.

Every style takes the picture (H, W, 3) float32 sRGB and the view's worksheet, and gives the picture in that style.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors.appearance import Picture, Plane, luminance, mixed, s_curve, saturated, stepped
from recon.dn2n.editors.strokes import along_edges, emboss, empty_canvas, lay, on_surface, random_of
from recon.dn2n.editors.surfel_drawing import owners
from recon.dn2n.editors.surfels import Surfels
from recon.dn2n.editors.worksheet import BASE, Worksheet

Float = NDArray[np.float32]

COARSE, FINE, DOT, TILE, HATCH = 1 / 30, 1 / 78, 1 / 72, 1 / 38, 1 / 65  # of the picture's longer side
_PAPER = np.array([0.965, 0.955, 0.93], np.float32)


def oil(rgb: Picture, sheet: Worksheet) -> Picture:
    """Broad strokes, then small ones where there is something to see; thick paint that catches the light."""
    canvas = empty_canvas(_rich(sheet.pooled_colors, rgb))
    for fraction, shape, least in ((COARSE, (1.15, 0.42), 0.0), (FINE, (1.35, 0.5), 0.02)):
        surfels = sheet.surfels(fraction)
        chosen = surfels.spreads >= least
        lay(canvas, sheet, surfels, _brushed(surfels, rgb, sheet), shape, along_edges(surfels, sheet), chosen)
    lit = _filtered(canvas.rgb * emboss(canvas.relief, 0.2)[..., None])
    return np.clip(lit + 0.8 * _contours(rgb), 0, 1).astype(np.float32)


def watercolour(rgb: Picture, sheet: Worksheet) -> Picture:
    """Washes on grained paper: light shows through, pigment gathers at the edges of a wash."""
    wash = cv2.GaussianBlur(sheet.pooled_colors, (0, 0), max(rgb.shape) / 260)
    wash = saturated(np.power(np.clip(wash, 0, 1), np.float32(0.72)).astype(np.float32), 1.35)
    size = sheet.frame.middle
    bloom = sheet.noise(0.14 * size, 3, 71) - 0.5
    grain = sheet.noise(0.008 * size, 2, 72) - 0.5
    light = luminance(wash)
    steps = stepped(np.clip(light + 0.12 * bloom, 0, 1).astype(np.float32), 5, 0.6)
    blurred = cv2.GaussianBlur(steps, (0, 0), max(rgb.shape) / 110)
    rims = np.clip((blurred - steps) * 1.6, 0, 0.25)
    pigment = (_PAPER - wash) * (0.85 + 0.7 * bloom + 0.55 * grain * (1 - light))[..., None]
    pigment += (_PAPER - wash) * (rims * 1.2)[..., None] + (light - steps)[..., None] * np.float32(0.5)
    return np.asarray(np.clip(_PAPER - np.clip(pigment, 0, 1) + 0.6 * _contours(rgb), 0, 1), np.float32)


def pointillism(rgb: Picture, sheet: Worksheet) -> Picture:
    """Dots of strong colours that the eye mixes."""
    surfels = sheet.surfels(DOT)
    under = mixed(_rich(sheet.pooled_colors, rgb), (0.93, 0.90, 0.82), 0.45)
    canvas = empty_canvas(under)
    along = on_surface(surfels, surfels.slopes)
    for salt, reach in ((1.0, 0.58), (2.0, 0.42)):
        colors = _jittered(saturated(surfels.colors, 1.5), surfels, salt)
        lay(canvas, sheet, surfels, colors, (reach, reach), along)
    return np.clip(_filtered(canvas.rgb) + 0.5 * _contours(rgb), 0, 1)


def mosaic(rgb: Picture, sheet: Worksheet) -> Picture:
    """Tiles of one colour each, with joints between."""
    surfels = sheet.surfels(TILE)
    if not len(surfels):
        return rgb
    owner, first, second = owners(surfels, sheet.view, sheet.geometry)
    shade = (0.92 + 0.16 * random_of(surfels, 3.0))[:, None]
    colors = np.clip(s_curve(saturated(surfels.colors, 1.3), 0.3) * shade, 0, 1)
    tiles = np.take(np.asarray(colors, np.float32), owner, axis=0, mode="clip")
    cv2.copyTo(rgb, (owner < 0).astype(np.uint8), tiles)
    gap = np.clip((second - first - 0.03) / 0.22, 0, 1)
    joint = 0.45 * sheet.pooled_colors + np.array([0.11, 0.10, 0.09], np.float32)
    laid = _filtered((joint + (tiles - joint) * gap[..., None]).astype(np.float32))
    return np.clip(laid, 0, 1)


def pencil(rgb: Picture, sheet: Worksheet) -> Picture:
    """Hatching that lies on the surfaces, denser where it is dark, and outlines."""
    surfels = sheet.surfels(HATCH)
    light = np.clip(luminance(surfels.colors) / (2.1 * sheet.frame.mean_light), 0, 1)
    canvas = empty_canvas(np.broadcast_to(_PAPER, rgb.shape))
    right, up, _ = sheet.axes
    graphite = np.broadcast_to(np.array([0.30, 0.30, 0.32], np.float32), (len(surfels), 3))
    for turn, limit, salt in ((0.8, 0.72, 1.0), (-0.7, 0.42, 2.0), (0.1, 0.22, 3.0)):
        direction = np.cos(turn) * right + np.sin(turn) * up
        along = on_surface(surfels, np.broadcast_to(direction, (len(surfels), 3)))
        chosen = light < limit * (0.15 + 0.85 * random_of(surfels, salt))
        lay(canvas, sheet, surfels, graphite, (1.5, 0.13), along, chosen)
    soft = luminance(sheet.pooled_colors)
    tone = 0.72 + 0.28 * np.clip(soft / (1.5 * sheet.frame.mean_light), 0, 1)
    shaded = canvas.rgb * (tone * (1 - 0.75 * _outlines(rgb)))[..., None]
    return np.asarray(np.clip(shaded, 0, 1), np.float32)


def cartoon(rgb: Picture, sheet: Worksheet) -> Picture:
    """Flat, strong colours and dark outlines."""
    smooth = rgb
    for _ in range(2):
        smooth = cv2.bilateralFilter(smooth, 7, 0.12, 3.0)
    light = np.clip(luminance(smooth), 0.02, 1)
    steps = 0.12 + 0.88 * stepped(light**0.8, 5, 0.5)
    flat = smooth * (steps / light)[..., None]
    strong = saturated(np.clip(flat, 0, 1).astype(np.float32), 1.5)
    return np.clip(strong * (1 - 0.85 * _outlines(smooth))[..., None], 0, 1).astype(np.float32)


def _filtered(painted: Float) -> Float:
    """Edges as soft as a lens makes them, so that they do not flicker from view to view."""
    return np.asarray(cv2.GaussianBlur(painted, (0, 0), 0.75), np.float32)


def _contours(rgb: Picture) -> Picture:
    """(H, W, 3) what the photo's strong edges add to a soft picture, so that things keep their outlines; its fine
    texture is left to the strokes."""
    size = 2 * round(max(rgb.shape) / 130) + 1
    fine = rgb - cv2.blur(cv2.blur(rgb, (size, size)), (size, size))
    size = 2 * round(max(rgb.shape) / 260) + 1
    strength = cv2.blur(cv2.blur(np.abs(luminance(fine)), (size, size)), (size, size))
    return np.asarray(fine * np.clip(strength * 16 - 0.35, 0, 1)[..., None], np.float32)


def _outlines(rgb: Picture) -> Plane:
    """(H, W) 0 … 1 lines where light and dark meet: a thresholded difference of Gaussians."""
    light = np.sqrt(np.clip(luminance(rgb), 0, 1))
    sigma = max(rgb.shape) / 330
    near, wide = cv2.GaussianBlur(light, (0, 0), sigma), cv2.GaussianBlur(light, (0, 0), 1.6 * sigma)
    return np.asarray(np.clip((wide * 0.985 - near) * 26, 0, 1), np.float32)


def _rich(colors: Float, rgb: Picture) -> Float:
    """Colours as oil paint has them."""
    return np.clip(s_curve(saturated(np.asarray(colors, np.float32), 1.3), 0.25), 0, 1)


def _brushed(surfels: Surfels, rgb: Picture, sheet: Worksheet) -> Float:
    """(M, 3) the surfels' colours, each brush a little different."""
    shade = 1 + 0.14 * (random_of(surfels, 4.0) - 0.5)
    warm = 0.05 * (random_of(surfels, 5.0) - 0.5)
    colors = _rich(surfels.colors, rgb) * shade[:, None]
    return np.asarray(np.clip(colors + warm[:, None] * np.array([1, 0.1, -1], np.float32), 0, 1), np.float32)


def _jittered(colors: Float, surfels: Surfels, salt: float) -> Float:
    """(M, 3) colours with hue and lightness of their own, the same on average."""
    turn = (random_of(surfels, salt) - 0.5)[:, None]
    lift = (random_of(surfels, salt + 0.5) - 0.5)[:, None]
    wheel = (
        np.array([1.0, -0.35, -0.75], np.float32) * turn * 0.24
        + np.array([-0.3, 0.25, 0.35], np.float32) * lift * 0.22
    )
    return np.clip(colors + wheel + 0.12 * lift, 0, 1).astype(np.float32)


STYLES: Mapping[str, Callable[[Picture, Worksheet], Picture]] = {
    "oil": oil, "watercolour": watercolour, "pointillism": pointillism, "mosaic": mosaic, "pencil": pencil,
    "cartoon": cartoon,
}  # fmt: skip
STYLE_LAYERS: Mapping[str, tuple[float, ...]] = {
    "oil": (BASE, COARSE, FINE), "watercolour": (BASE,), "pointillism": (BASE, DOT), "mosaic": (BASE, TILE),
    "pencil": (BASE, HATCH), "cartoon": (),
}  # fmt: skip
