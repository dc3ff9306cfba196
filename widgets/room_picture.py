"""The picture of how photos become a surface: cameras around a room, its points, its clay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF, QRadialGradient

from widgets.theme import Theme, mix

Array = NDArray[np.float64]
_CLAY = "#c9825a"  # as on the other cards
_RIGHT, _DEPTH, _UP = (
    np.array([0.82, 0.34]),
    np.array([-0.82, 0.34]),
    np.array([0.0, -0.92]),
)  # of one unit on screen
_BLOCK = ((0.15, 0.95), (0.1, 0.5), 0.42)  # a bench along the left wall: x, y, height
_BALL = (1.05, 1.05, 0.3)  # place on the floor and radius


def photos_to_surface(theme: Theme, size: QSize, ratio: float = 1.0) -> QPixmap:
    """Cameras, points and a surface of the same room, from left to right. size: logical pixels."""
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    scale = min(size.height() / 2.55, size.width() / 8.4)
    step = min(size.width() / 3.1, 2.9 * scale)
    for index, draw in enumerate((_draw_cameras, _draw_points, _draw_surface)):
        center = np.array([size.width() / 2 + (index - 1) * step, size.height() / 2 + 0.05 * scale])
        draw(painter, theme, _Place(center, scale))
    painter.end()
    return pixmap


class _Place:
    """Where a room of 1.5 x 1.5 x 1 units stands on the picture."""

    def __init__(self, center: Array, scale: float) -> None:
        self._center, self.scale = center, scale

    def at(self, x: float, y: float, z: float) -> QPointF:
        flat = (x - 0.75) * _RIGHT + (y - 0.75) * _DEPTH + (z - 0.32) * _UP
        where = self._center + self.scale * flat
        return QPointF(float(where[0]), float(where[1]))

    def face(self, *corners: tuple[float, float, float]) -> QPolygonF:
        return QPolygonF([self.at(*corner) for corner in corners])


def _walls(place: _Place) -> tuple[QPolygonF, QPolygonF, QPolygonF]:
    floor = place.face((0, 0, 0), (1.5, 0, 0), (1.5, 1.5, 0), (0, 1.5, 0))
    left = place.face((0, 0, 0), (0, 1.5, 0), (0, 1.5, 1), (0, 0, 1))
    right = place.face((0, 0, 0), (1.5, 0, 0), (1.5, 0, 1), (0, 0, 1))
    return floor, left, right


def _draw_room(painter: QPainter, theme: Theme, place: _Place) -> None:
    color = QColor(mix(theme.text, theme.panel, 0.28))
    painter.setPen(QPen(color, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for face in _walls(place):
        painter.drawPolygon(face)


def _draw_cameras(painter: QPainter, theme: Theme, place: _Place) -> None:
    _draw_room(painter, theme, place)
    for angle, height in ((0.06, 0.62), (0.26, 0.85), (0.5, 0.6), (0.72, 0.85), (0.94, 0.62)):
        turn = angle * np.pi / 2 + 0.02
        eye = np.array([0.1 + 1.55 * np.cos(turn), 0.1 + 1.55 * np.sin(turn), height])
        _draw_camera(painter, theme, place, eye, np.array([0.5, 0.5, 0.3]))


def _draw_camera(painter: QPainter, theme: Theme, place: _Place, eye: Array, target: Array) -> None:
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    middle = eye + 0.26 * forward
    corners = [middle + 0.15 * a * right + 0.11 * b * up for a, b in ((-1, 1), (1, 1), (1, -1), (-1, -1))]
    points = [place.at(*(float(n) for n in corner)) for corner in corners]
    painter.setPen(QPen(QColor(theme.text_second), 1.2))
    painter.setBrush(QColor(mix(_CLAY, theme.panel, 0.55)))
    painter.drawPolygon(QPolygonF(points))
    apex = place.at(*(float(n) for n in eye))
    for point in points:
        painter.drawLine(apex, point)


def _draw_points(painter: QPainter, theme: Theme, place: _Place) -> None:
    rng = np.random.default_rng(4)
    painter.setPen(Qt.PenStyle.NoPen)
    for point, shade in zip(*_room_points(rng, 620), strict=True):
        painter.setBrush(QColor(mix(_CLAY, theme.text_second, shade)))
        painter.drawEllipse(place.at(*(float(n) for n in point)), 1.35, 1.35)


def _room_points(rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Points (N, 3) on what is seen of the room, and how warm each is drawn."""
    u, v, kind = rng.random(count), rng.random(count), rng.integers(0, 6, count)
    points = np.zeros((count, 3))
    floor, left, right = kind < 2, kind == 2, kind == 3
    points[floor] = np.stack([1.5 * u, 1.5 * v, 0 * u], 1)[floor]
    points[left] = np.stack([0 * u, 1.5 * u, v], 1)[left]
    points[right] = np.stack([1.5 * u, 0 * u, v], 1)[right]
    (x0, x1), (y0, y1), height = _BLOCK
    block = np.stack([x0 + (x1 - x0) * u, y0 + (y1 - y0) * v, np.full(count, height)], 1)
    points[kind == 4] = block[kind == 4]
    angle, lift = 2 * np.pi * u, np.arcsin(v)
    x, y, radius = _BALL
    ball = (
        np.stack([np.cos(lift) * np.cos(angle), np.cos(lift) * np.sin(angle), np.sin(lift) + 1], 1) * radius
    )
    points[kind == 5] = (ball + np.array([x, y, 0]))[kind == 5]
    return points, np.where(kind >= 4, 0.95, 0.45)


def _draw_surface(painter: QPainter, theme: Theme, place: _Place) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    ground = theme.raised if theme.is_dark else "#ffffff"
    for face, share in zip(_walls(place), (0.42, 0.3, 0.2), strict=True):
        painter.setBrush(QColor(mix(_CLAY, ground, share)))
        painter.drawPolygon(face)
    (x0, x1), (y0, y1), h = _BLOCK
    top = place.face((x0, y0, h), (x1, y0, h), (x1, y1, h), (x0, y1, h))
    front = place.face((x0, y1, h), (x1, y1, h), (x1, y1, 0), (x0, y1, 0))
    side = place.face((x1, y0, h), (x1, y1, h), (x1, y1, 0), (x1, y0, 0))
    for face, color in (
        (side, mix(_CLAY, "#2b1a10", 0.78)),
        (front, _CLAY),
        (top, mix(_CLAY, "#ffffff", 0.72)),
    ):
        painter.setBrush(QColor(color))
        painter.drawPolygon(face)
    _draw_ball(painter, place)


def _draw_ball(painter: QPainter, place: _Place) -> None:
    x, y, radius = _BALL
    shadow = QColor(43, 26, 16, 60)
    painter.setBrush(shadow)
    painter.drawEllipse(place.at(x, y, 0), radius * 1.15 * place.scale, radius * 0.48 * place.scale)
    middle, size = place.at(x, y, radius), radius * place.scale
    shade = QRadialGradient(middle - QPointF(0.35 * size, 0.45 * size), 1.5 * size)
    shade.setColorAt(0, QColor(mix(_CLAY, "#ffffff", 0.55)))
    shade.setColorAt(0.55, QColor(_CLAY))
    shade.setColorAt(1, QColor(mix(_CLAY, "#2b1a10", 0.6)))
    painter.setBrush(shade)
    painter.drawEllipse(middle, size, size)
