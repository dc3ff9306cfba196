"""The picture of editing a scene by words: photos of one hill in summer, autumn and at night."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPainterPath, QPen, QPixmap

from widgets.theme import Theme


@dataclass(frozen=True)
class _Look:
    """Colours from far to near. glow: of the window of the house, "" for dark."""

    sky: tuple[str, str]
    light: str
    far: str
    near: str
    leaves: tuple[str, str, str]
    wall: str
    roof: str
    glow: str = ""


_SUMMER = _Look(
    ("#8fc1e8", "#dcebf2"),
    "#fff4d6",
    "#8fae7a",
    "#6f9a58",
    ("#4f7f3f", "#5f9148", "#76a85a"),
    "#e8dfcf",
    "#a65f43",
)
_AUTUMN = _Look(
    ("#d9c7ae", "#f0e2c8"),
    "#ffe9bd",
    "#b59a5f",
    "#a6813f",
    ("#b4501f", "#d07a2b", "#e5a33c"),
    "#e6d8c0",
    "#8d4a32",
)
_NIGHT = _Look(
    ("#141b33", "#2c3a5e"), "#e9edf7", "#1f2c3f", "#17212f", ("#16242a", "#1c2d31", "#243839"), "#3b4254", "#262b3b",
    "#f4c268",
)  # fmt: skip


def scene_by_words(theme: Theme, size: QSize, ratio: float = 1.0) -> QPixmap:
    """The same place, taken from three sides, as it is and as it was asked for. size: logical pixels."""
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    height = min(size.height() * 0.84, size.width() / 3.3 * 0.76)
    width = height / 0.76
    step = min((size.width() - width) / 2.0 - 4, 1.14 * width)
    for index, look in enumerate((_SUMMER, _AUTUMN, _NIGHT)):
        center = QPointF(size.width() / 2 + (index - 1) * step, size.height() / 2)
        painter.save()
        painter.translate(center)
        painter.rotate((-3.0, 0.0, 3.0)[index])
        _paint_photo(painter, theme, width, height, look, shift=(index - 1) * 0.10)
        painter.restore()
    painter.end()
    return pixmap


def _paint_photo(
    painter: QPainter, theme: Theme, width: float, height: float, look: _Look, shift: float
) -> None:
    """shift: how far the camera stands to the side, which moves what is near more than what is far."""
    frame = QRectF(-width / 2, -height / 2, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    for share in (1.0, 0.6):
        painter.setBrush(QColor(0, 0, 0, 40 if theme.is_dark else 22))
        painter.drawRoundedRect(frame.translated(0, 3 * share).adjusted(-share, -share, share, share), 6, 6)
    painter.setBrush(QColor("#f4f1ea"))
    painter.drawRoundedRect(frame, 5, 5)
    edge = height * 0.05
    inner = frame.adjusted(edge, edge, -edge, -edge)
    path = QPainterPath()
    path.addRoundedRect(inner, 2, 2)
    painter.save()
    painter.setClipPath(path)
    _paint_scene(painter, inner, look, shift)
    painter.restore()


def _paint_scene(painter: QPainter, box: QRectF, look: _Look, shift: float) -> None:
    def at(x: float, y: float, depth: float = 1.0) -> QPointF:
        return QPointF(box.left() + (x - shift / depth) * box.width(), box.top() + y * box.height())

    sky = QLinearGradient(box.topLeft(), box.bottomLeft())
    sky.setColorAt(0, QColor(look.sky[0]))
    sky.setColorAt(0.75, QColor(look.sky[1]))
    painter.fillRect(box, sky)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(look.light))
    painter.drawEllipse(at(0.76, 0.22, 9.0), box.height() * 0.075, box.height() * 0.075)
    for color, depth, base, rise in ((look.far, 3.0, 0.60, 0.13), (look.near, 1.4, 0.76, 0.10)):
        hill = QPainterPath(QPointF(box.left(), box.bottom()))
        for x in np.linspace(-0.05, 1.05, 40):
            wave = float(np.sin(3.4 * (x + shift / depth) + depth))
            hill.lineTo(box.left() + x * box.width(), box.top() + (base - rise * wave) * box.height())
        hill.lineTo(box.bottomRight())
        painter.setBrush(QColor(color))
        painter.drawPath(hill)
    _paint_house(painter, at, box.height(), look)
    _paint_tree(painter, at, box.height(), look)


def _paint_house(painter: QPainter, at: object, unit: float, look: _Look) -> None:
    middle = at(0.64, 0.66, 1.6)  # type: ignore[operator]
    wall = QRectF(middle.x() - 0.15 * unit, middle.y() - 0.10 * unit, 0.30 * unit, 0.20 * unit)
    painter.setBrush(QColor(look.wall))
    painter.drawRect(wall)
    roof = QPainterPath(QPointF(wall.left() - 0.03 * unit, wall.top()))
    roof.lineTo(wall.center().x(), wall.top() - 0.14 * unit)
    roof.lineTo(wall.right() + 0.03 * unit, wall.top())
    painter.setBrush(QColor(look.roof))
    painter.drawPath(roof)
    window = QRectF(wall.center().x() - 0.035 * unit, wall.top() + 0.05 * unit, 0.07 * unit, 0.08 * unit)
    painter.setBrush(QColor(look.glow or look.roof))
    painter.drawRect(window)


def _paint_tree(painter: QPainter, at: object, unit: float, look: _Look) -> None:
    foot = at(0.29, 0.84, 1.0)  # type: ignore[operator]
    painter.setPen(
        QPen(QColor(look.roof).darker(130), 0.045 * unit, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    )
    painter.drawLine(foot, QPointF(foot.x(), foot.y() - 0.26 * unit))
    painter.setPen(Qt.PenStyle.NoPen)
    places = ((0.0, -0.40, 0.17, 0), (-0.12, -0.30, 0.13, 0), (0.12, -0.31, 0.13, 1), (-0.04, -0.46, 0.11, 1),
              (0.05, -0.36, 0.10, 2), (-0.08, -0.37, 0.07, 2))  # fmt: skip
    for x, y, radius, tone in places:
        painter.setBrush(QColor(look.leaves[tone]))
        painter.drawEllipse(QPointF(foot.x() + x * unit, foot.y() + y * unit), radius * unit, radius * unit)
