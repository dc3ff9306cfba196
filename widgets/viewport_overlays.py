"""What lies over the 3D picture: axes and scale bar, counts, legend, banner. Qt paints it, so text is crisp."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from widgets.colour_maps import ColorMap, color_map_table
from widgets.theme import Theme, active_theme, interface_font
from widgets.viewport_camera import CameraPose, Size
from widgets.viewport_grid import nice_length

AXIS_COLORS = {
    "dark": ("#e5737b", "#8fbf5f", "#6ea3ee"),
    "light": ("#b8323c", "#4a7d1f", "#2360b8"),
}
_THIN = "\u202f"  # narrow space between digits and before a unit


def grouped(number: int) -> str:
    """An integer with narrow spaces between thousands: 41 560."""
    return f"{number:,}".replace(",", _THIN)


def plain_number(value: float, digits: int = 4) -> str:
    """A number as a person writes it: up to `digits` significant ones, no trailing zeros, a real minus."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    size = math.floor(math.log10(abs(value)))
    if -4 <= size < 6:
        text = f"{value:.{max(0, digits - 1 - size)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{value:.{digits - 1}g}"
    return text.replace("-", "\u2212")


def unit_label(unit: str, value: float = 2.0) -> str:
    """How a unit is written after a number; the unknown unit is spelled out."""
    if unit == "unit":
        return "unit" if value == 1 else "units"
    return "µm" if unit == "um" else unit


class Overlay(QWidget):
    """Paints over the picture and lets the pointer through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)

    def font_of(self, theme: Theme, weight: QFont.Weight = QFont.Weight.Normal, size: float = 12) -> QFont:
        """The interface font at the secondary size."""
        return interface_font(theme, size, weight)


def halo_text(painter: QPainter, theme: Theme, box: QRectF, flags: Qt.AlignmentFlag, text: str) -> None:
    """Text that stays readable over whatever the picture shows."""
    around = theme.color("viewport_bottom")
    around.setAlphaF(0.55)
    painter.setPen(around)
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(box.translated(dx, dy), flags, text)
    painter.setPen(theme.color("text_second"))
    painter.drawText(box, flags, text)


class AxesAndScale(Overlay):
    """Bottom left: which way the axes point, and how long a piece of the picture is."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("viewport_axes")
        self._axes: NDArray[np.float64] = np.eye(3)
        self._bar_pixels, self._bar_text = 100.0, ""
        self.show_axes = self.show_scale = True

    def sizeHint(self) -> QSize:
        theme = active_theme()
        return QSize(theme.px(250), theme.px(76))

    def follow(self, pose: CameraPose, size: Size, unit: str) -> None:
        """Turn with the camera; the bar is true at the focal point."""
        self._axes = np.stack(pose.axes)
        per_pixel = pose.units_per_pixel(size)
        length = nice_length(per_pixel * active_theme().px(64))
        self._bar_pixels = length / per_pixel
        self._bar_text = f"{plain_number(length)}{_THIN}{unit_label(unit, length)}"
        self.update()

    @property
    def bar_text(self) -> str:
        """The length that the scale bar has."""
        return self._bar_text

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.show_axes:
                self._paint_axes(painter, theme)
            if self.show_scale:
                self._paint_scale(painter, theme)

    def _paint_axes(self, painter: QPainter, theme: Theme) -> None:
        arm = theme.px(24)
        center = QPointF(theme.px(36), self.height() - theme.px(36))
        painter.setFont(self.font_of(theme, QFont.Weight.DemiBold))
        colors = AXIS_COLORS[theme.name]
        # Rows of _axes are the camera's right, up, back: columns are the world's axes seen by it.
        for axis in np.argsort(self._axes[2]):
            x, y, z = self._axes[:, axis]
            color = QColor(colors[axis])
            color.setAlphaF(0.55 + 0.45 * float(z > -0.3))
            tip = center + QPointF(x * arm, -y * arm)
            painter.setPen(QPen(color, theme.px(2), c=Qt.PenCapStyle.RoundCap))
            painter.drawLine(center, tip)
            far = center + QPointF(x * (arm + theme.px(9)), -y * (arm + theme.px(9)))
            box = QRectF(far.x() - theme.px(8), far.y() - theme.px(8), theme.px(16), theme.px(16))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "XYZ"[axis])

    def _paint_scale(self, painter: QPainter, theme: Theme) -> None:
        left = theme.px(84) if self.show_axes else theme.px(12)
        base, tick = self.height() - theme.px(14), theme.px(5)
        pen = QPen(theme.color("text_second"), 1.5)
        painter.setPen(pen)
        right = left + self._bar_pixels
        painter.drawPolyline(
            [
                QPointF(left, base - tick),
                QPointF(left, base),
                QPointF(right, base),
                QPointF(right, base - tick),
            ]
        )
        painter.setFont(self.font_of(theme))
        box = QRectF(left - theme.px(30), base - theme.px(24), self._bar_pixels + theme.px(60), theme.px(18))
        halo_text(painter, theme, box, Qt.AlignmentFlag.AlignCenter, self._bar_text)


class Counts(Overlay):
    """Bottom right: how much there is to see."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("viewport_counts")
        self._lines: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        return self._lines

    def set_lines(self, lines: tuple[str, ...]) -> None:
        """One short statement a line."""
        self._lines = lines
        self.setAccessibleName("; ".join(lines))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        theme = active_theme()
        metrics = QFontMetricsF(self.font_of(theme))
        width = max((metrics.horizontalAdvance(line) for line in self._lines), default=0)
        return QSize(math.ceil(width) + theme.px(24), theme.px(18) * len(self._lines) + theme.px(16))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        with QPainter(self) as painter:
            painter.setFont(self.font_of(theme))
            line = theme.px(18)
            top = self.height() - theme.px(8) - line * len(self._lines)
            for index, text in enumerate(self._lines):
                box = QRectF(0, top + index * line, self.width() - theme.px(12), line)
                halo_text(
                    painter, theme, box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text
                )


class Legend(Overlay):
    """Right: which value a colour stands for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("viewport_legend")
        self._map: ColorMap = "viridis"
        self._range, self._title, self._unit = (0.0, 1.0), "", ""
        self.has_card = False  # a ground of its own, where any picture may be behind it
        self.hide()

    def set(self, title: str, unit: str, color_map: ColorMap, value_range: tuple[float, float]) -> None:
        """Explain these colours."""
        self._title, self._unit, self._map, self._range = title, unit, color_map, value_range
        high, _, low = self.ticks
        self.setAccessibleName(f"{title}: {low} to {high} {unit}".strip())
        self.update()

    @property
    def ticks(self) -> tuple[str, str, str]:
        """What stands at the top, the middle and the bottom of the bar."""
        low, high = self._range
        # What is nothing beside the range is written as 0, not as 2.3e-06.
        decimals = 2 - math.floor(math.log10(high - low)) if high > low else 3
        values = (round(value, decimals) for value in (high, (low + high) / 2, low))
        top, middle, bottom = (plain_number(value) for value in values)
        return top, middle, bottom

    def heading(self) -> str:
        """The value's name and its unit."""
        name = self._title.replace("_", " ")
        name = name[:1].upper() + name[1:]
        return f"{name}, {unit_label(self._unit)}" if self._unit else name

    def sizeHint(self) -> QSize:
        theme = active_theme()
        metrics = QFontMetricsF(self.font_of(theme, QFont.Weight.DemiBold))
        wide = max(metrics.horizontalAdvance(self.heading()), theme.px(76))
        return QSize(math.ceil(wide) + theme.px(24), theme.px(200))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            right = self.width() - theme.px(12)
            if self.has_card:
                back = theme.color("panel")
                back.setAlphaF(0.88)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(back)
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(0, 0, -4, 0), 6, 6)
            painter.setFont(self.font_of(theme, QFont.Weight.DemiBold))
            heading = QRectF(0, 0, right, theme.px(20))
            edge = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            halo_text(painter, theme, heading, edge, self.heading())
            bar = QRectF(right - theme.px(10), theme.px(28), theme.px(10), self.height() - theme.px(40))
            painter.setPen(QPen(theme.color("line"), 1))
            painter.setBrush(_gradient(bar, self._map))
            painter.drawRoundedRect(bar, 2, 2)
            painter.setFont(self.font_of(theme))
            for share, text in zip((0.0, 0.5, 1.0), self.ticks, strict=True):
                y = bar.top() + share * bar.height()
                box = QRectF(0, y - theme.px(9), bar.left() - theme.px(6), theme.px(18))
                halo_text(painter, theme, box, edge, text)


class Banner(Overlay):
    """Top middle: one short sentence about the picture, for example that it is a preview."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("viewport_banner")
        self._text = ""
        self.hide()

    @property
    def text(self) -> str:
        return self._text

    def set_text(self, text: str) -> None:
        """Say this; nothing hides the banner."""
        self._text = text
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        self.update()

    def sizeHint(self) -> QSize:
        theme = active_theme()
        width = QFontMetricsF(self.font_of(theme)).horizontalAdvance(self._text)
        return QSize(math.ceil(width) + theme.px(40), theme.px(26))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            back, line = theme.color("panel"), theme.color("line")
            back.setAlphaF(0.9)
            painter.setPen(QPen(line, 1))
            painter.setBrush(back)
            box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawEllipse(QPointF(theme.px(15), box.center().y()), theme.px(3), theme.px(3))
            painter.setFont(self.font_of(theme))
            painter.setPen(theme.color("text"))
            left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box.adjusted(theme.px(25), 0, 0, 0), left, self._text)


def _gradient(bar: QRectF, color_map: ColorMap) -> QLinearGradient:
    gradient = QLinearGradient(bar.bottomLeft(), bar.topLeft())
    table = color_map_table(color_map)
    for index in range(0, 256, 15):
        gradient.setColorAt(index / 255, QColor(*(int(channel) for channel in table[index])))
    return gradient
