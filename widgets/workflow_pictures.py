"""Pictures of what a workflow does, drawn for the theme and the pixel ratio at hand."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap, QPolygonF

from widgets.theme import Theme

_TILT = 0.36  # how much of a horizontal circle's depth is seen
_NUM_RINGS = 13
PICTURES = Path(str(files("resources") / "pictures"))  # made by tests/make_pictures.py
_PICTURE_UNITS = 2.9  # units a side, as the script makes them; a unit is half the form's height


def slices_to_solid(theme: Theme, size: QSize, ratio: float = 1.0) -> QPixmap:
    """Contours that become a solid in three steps, from left to right. size: logical pixels."""
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    hints = QPainter.RenderHint
    painter.setRenderHints(hints.Antialiasing | hints.SmoothPixmapTransform)
    scale = min(size.height() / 3.0, size.width() / 6.8)
    step = min(size.width() / 3.1, 2.9 * scale)
    for index, (form, top) in enumerate((("", -1.01), ("vase-half", 0.04), ("vase", 1.0))):
        center = QPointF(size.width() / 2 + (index - 1) * step, size.height() / 2)
        _draw_figure(painter, theme, center, scale, form, top)
    painter.end()
    return pixmap


def radius(angle: NDArray[np.float64], height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of the surface from the axis for height in -1..1: a vase with twisted flutes."""
    heights = np.array([-1.0, -0.9, -0.6, -0.2, 0.15, 0.45, 0.7, 0.88, 1.0])
    radii = np.array([0.42, 0.47, 0.72, 0.90, 0.80, 0.50, 0.335, 0.37, 0.47])
    profile = _smooth_curve(height, heights, radii)
    depth = 0.085 * np.exp(-(((height + 0.15) / 0.62) ** 2))
    return np.asarray(profile * (1 + depth * np.cos(7 * angle + 2.6 * height)))


def _smooth_curve(
    x: NDArray[np.float64], xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A cubic through points, its slope in each the mean of its neighbours'."""
    slopes = np.gradient(ys, xs)
    i = np.clip(np.searchsorted(xs, x, side="right") - 1, 0, len(xs) - 2)
    step = xs[i + 1] - xs[i]
    t = (x - xs[i]) / step
    value = ys[i] * (1 + 2 * t) + step * t * slopes[i]
    value_after = ys[i + 1] * (3 - 2 * t) + step * (t - 1) * slopes[i + 1]
    return np.asarray((1 - t) ** 2 * value + t**2 * value_after)


def on_screen(angle: NDArray[np.float64], height: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Screen x (right), y (down) and nearness of points of the surface; one unit is half the figure's height."""
    r = radius(angle, height)
    x, depth = r * np.cos(angle), r * np.sin(angle)
    return x, -1.15 * height + _TILT * depth, depth + 1.15 * _TILT * height


def _draw_figure(
    painter: QPainter, theme: Theme, center: QPointF, scale: float, form: str, top: float
) -> None:
    """A clay form, where there is one, and above the height `top` the contours it grows along."""
    _draw_shadow(painter, theme, center, scale)
    if form:
        side = _PICTURE_UNITS * scale
        painter.drawImage(QRectF(center.x() - side / 2, center.y() - side / 2, side, side), _form(form))
    for level in np.linspace(-1, 1, _NUM_RINGS):
        if level > top:
            _draw_ring(painter, theme, center, scale, float(level))


@cache
def _form(name: str) -> QImage:
    return QImage(str(PICTURES / f"{name}.png"))


def _draw_shadow(painter: QPainter, theme: Theme, center: QPointF, scale: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    for share in (1.0, 0.75, 0.5):
        painter.setBrush(QColor(0, 0, 0, 26 if theme.is_dark else 12))
        ground = center + QPointF(0, 1.2 * scale)
        painter.drawEllipse(ground, 0.95 * scale * share, 0.26 * scale * share)


def _draw_ring(painter: QPainter, theme: Theme, center: QPointF, scale: float, level: float) -> None:
    angle = np.linspace(0, 2 * np.pi, 90)
    x, y, _ = on_screen(angle, np.full_like(angle, level))
    outline = QPolygonF([center + QPointF(a * scale, b * scale) for a, b in zip(x, y, strict=True)])
    fill = theme.color("text")
    fill.setAlphaF(0.06)
    painter.setBrush(fill)
    painter.setPen(QPen(theme.color("text_second"), max(1.2, scale / 52)))
    painter.drawPolygon(outline)


def splats_cleaned(theme: Theme, size: QSize, ratio: float = 1.0) -> QPixmap:
    """A vase of splats in three steps: with floaters, with a lasso around some, clean. size: logical pixels."""
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    scale = min(size.height() / 3.0, size.width() / 6.8)
    step = min(size.width() / 3.1, 2.9 * scale)
    for index in range(3):
        center = QPointF(size.width() / 2 + (index - 1) * step, size.height() / 2)
        _draw_splats(painter, theme, center, scale, index)
    painter.end()
    return pixmap


def _draw_splats(painter: QPainter, theme: Theme, center: QPointF, scale: float, stage: int) -> None:
    """Splats on the form's surface; floaters around it in the first two stages, under a lasso in the second."""
    place: NDArray[np.float64] = np.arange(1400, dtype=np.float64)
    angle = (place * 2.399963) % (2 * np.pi)  # the golden angle leaves no gaps
    height: NDArray[np.float64] = -1 + 2 * (place + 0.5) / len(place)
    reach = radius(angle, height)
    nearness = np.sin(angle)
    for i in np.argsort(nearness):
        x = reach[i] * np.cos(angle[i])
        y = -height[i] + 0.5 * _TILT * reach[i] * nearness[i]
        light = (
            0.58 - 0.30 * np.cos(angle[i] - 0.5) * reach[i] + 0.10 * np.sin(7 * angle[i] + 2.6 * height[i])
        )
        lightness = float(np.clip(light * (0.80 if theme.is_dark else 0.90), 0.16, 0.80))
        color = QColor.fromHslF(0.065, 0.50, lightness, 0.85)
        _draw_splat(painter, center, scale, x, y, 0.072, float(angle[i]), color)
    floaters = [
        (-0.98, -0.72, 0.10),
        (-0.86, -0.98, 0.07),
        (-1.08, -0.95, 0.06),
        (1.0, 0.75, 0.08),
        (0.94, -0.9, 0.06),
    ]
    is_marked = QColor(theme.accent)
    plain = QColor(theme.text_disabled)
    for i, (x, y, length) in enumerate(floaters):
        if stage < 2 and not (stage == 1 and i > 2):
            _draw_splat(painter, center, scale, x, y, length, 0.6 * i, is_marked if stage == 1 else plain)
    if stage == 1:
        loop = (
            np.array([[-1.24, -0.86], [-1.02, -1.18], [-0.72, -1.12], [-0.76, -0.72], [-0.98, -0.52]]) * scale
        )
        painter.setPen(QPen(QColor(theme.accent), 1.4, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolygon(QPolygonF([center + QPointF(x, y) for x, y in loop]))
        painter.setPen(Qt.PenStyle.NoPen)


def _draw_splat(
    painter: QPainter,
    center: QPointF,
    scale: float,
    x: float,
    y: float,
    length: float,
    turn: float,
    color: QColor,
) -> None:
    painter.save()
    painter.translate(center + QPointF(x * scale, y * scale))
    painter.rotate(np.degrees(turn))
    painter.setBrush(color)
    painter.drawEllipse(QPointF(0, 0), length * scale, 0.6 * length * scale)
    painter.restore()
