"""Pictures of what a workflow does, drawn for the theme and the pixel ratio at hand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap, QPolygonF

from widgets.theme import Theme

_TILT = 0.36  # how much of a horizontal circle's depth is seen
_NUM_RINGS = 13
_FINEST = 110  # pixels a unit: soft forms need no more, and each doubling takes four times as long
_CLAY = "#c9825a"  # fired clay: not the accent, which is kept for what to press


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
    surface = _surface(min(round(scale * ratio), _FINEST))
    for index, solid_share in enumerate((0.0, 0.52, 1.0)):
        center = QPointF(size.width() / 2 + (index - 1) * step, size.height() / 2)
        _draw_figure(painter, theme, center, scale, solid_share, surface)
    painter.end()
    return pixmap


def _radius(angle: NDArray[np.float64], height: NDArray[np.float64]) -> NDArray[np.float64]:
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


def _on_screen(angle: NDArray[np.float64], height: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Screen x (right), y (down) and nearness of points of the surface; one unit is half the figure's height."""
    radius = _radius(angle, height)
    x, depth = radius * np.cos(angle), radius * np.sin(angle)
    return x, -1.15 * height + _TILT * depth, depth + 1.15 * _TILT * height


def _draw_figure(
    painter: QPainter, theme: Theme, center: QPointF, scale: float, solid_share: float, surface: _Surface
) -> None:
    top = -1 + 2 * solid_share
    _draw_shadow(painter, theme, center, scale)
    if solid_share > 0:
        image = _shaded_solid(_CLAY, top, surface)
        image.setDevicePixelRatio(surface.scale / scale)
        half = image.deviceIndependentSize() / 2
        painter.drawImage(center - QPointF(half.width(), half.height()), image)
    for level in np.linspace(-1, 1, _NUM_RINGS):
        if level > top or solid_share == 0:
            _draw_ring(painter, theme, center, scale, float(level))


def _draw_shadow(painter: QPainter, theme: Theme, center: QPointF, scale: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    for share in (1.0, 0.75, 0.5):
        painter.setBrush(QColor(0, 0, 0, 26 if theme.is_dark else 12))
        ground = center + QPointF(0, 1.2 * scale)
        painter.drawEllipse(ground, 0.95 * scale * share, 0.26 * scale * share)


def _draw_ring(painter: QPainter, theme: Theme, center: QPointF, scale: float, level: float) -> None:
    angle = np.linspace(0, 2 * np.pi, 90)
    x, y, _ = _on_screen(angle, np.full_like(angle, level))
    outline = QPolygonF([center + QPointF(a * scale, b * scale) for a, b in zip(x, y, strict=True)])
    fill = theme.color("text")
    fill.setAlphaF(0.06)
    painter.setBrush(fill)
    painter.setPen(QPen(theme.color("text_second"), max(1.2, scale / 52)))
    painter.drawPolygon(outline)


class _Surface(NamedTuple):
    """Points that cover the form densely, the nearest last. columns, rows: in the fine picture; light: 0 to 1."""

    columns: NDArray[np.int64]
    rows: NDArray[np.int64]
    height: NDArray[np.float32]
    light: NDArray[np.float32]
    scale: int  # pixels a unit in the picture, which is half as fine

    @property
    def side(self) -> int:
        return int(2.9 * 2 * self.scale) // 2 * 2


def _surface(scale: int) -> _Surface:
    """The whole form for pictures of `scale` pixels a unit, lit from the upper left."""
    fine = 2 * scale  # twice as fine, then averaged, for smooth edges
    angles, heights = np.linspace(-0.6, np.pi + 0.6, int(8 * fine)), np.linspace(-1, 1, int(3.8 * fine))
    angle, height = np.meshgrid(angles, heights)  # the back is never seen
    radius = _radius(angle, height)
    position = np.stack([radius * np.cos(angle), radius * np.sin(angle), 1.15 * height], -1)
    normal = np.cross(np.gradient(position, axis=1), np.gradient(position, axis=0))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12
    key = normal @ np.array([-0.62, 0.62, 0.48])
    rim = np.clip(normal @ np.array([0.85, 0.2, -0.1]), 0, 1) ** 2
    light = 0.34 + 0.70 * np.clip(key, 0, 1) + 0.14 * rim
    x, y, near = (values.ravel() for values in _on_screen(angle, height))
    order = np.argsort(near)
    side = int(2.9 * fine) // 2 * 2
    columns = np.round(x[order] * fine + side / 2).astype(np.int64).clip(0, side - 1)
    rows = np.round(y[order] * fine + side / 2).astype(np.int64).clip(0, side - 1)
    light = light.ravel()[order].astype(np.float32)
    return _Surface(columns, rows, height.ravel()[order].astype(np.float32), light, scale)


def _shaded_solid(color: str, top: float, surface: _Surface) -> QImage:
    """The form below the height `top` with its cut."""
    side = surface.side
    fine = np.zeros((side, side, 4), np.float32)
    keep = surface.height <= top
    base = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    shade = surface.light[keep, None]
    colors = np.clip(base * shade + 36 * np.clip(shade - 0.72, 0, 1), 0, 255)
    fine[surface.rows[keep], surface.columns[keep], :3] = colors
    fine[surface.rows[keep], surface.columns[keep], 3] = 255
    pixels = fine.reshape(side // 2, 2, side // 2, 2, 4).mean((1, 3))
    pixels[..., :3] /= np.maximum(pixels[..., 3:], 1) / 255
    bytes_ = np.ascontiguousarray(pixels.clip(0, 255).round().astype(np.uint8))
    image = QImage(bytes_.data, side // 2, side // 2, 4 * (side // 2), QImage.Format.Format_RGBA8888)
    image = image.copy()  # the bytes go with this function
    _draw_cut(image, color, top, surface.scale)
    return image


def _draw_cut(image: QImage, color: str, top: float, scale: int) -> None:
    """The face where the form ends: bright where it is cut, dark where it is the vase's mouth."""
    angle = np.linspace(0, 2 * np.pi, 120)
    x, y, _ = _on_screen(angle, np.full_like(angle, top))
    half = image.width() / 2
    outline = QPolygonF([QPointF(a * scale + half, b * scale + half) for a, b in zip(x, y, strict=True)])
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(color).lighter(125), max(1.5, scale / 40)))
    painter.setBrush(QColor(color).lighter(106) if top < 1 else QColor(color).darker(290))
    painter.drawPolygon(outline)
    painter.end()
