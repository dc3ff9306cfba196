"""Lines, points and labels of the tools, painted over the whole picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from widgets.theme import Theme, active_theme
from widgets.viewport_overlays import Overlay

Project = Callable[[ArrayLike], NDArray[np.float64]]


class Annotated(Protocol):
    """A tool with something to paint."""

    def is_empty(self) -> bool:
        """Whether there is nothing to paint now."""
        ...

    def paint(self, pen: Annotations) -> None:
        """Paint with the pen's methods."""
        ...


class Annotations(Overlay):
    """An overlay as large as the picture, there only while a tool has something to show.

    project: world points (N, 3) to pixels x, y and depth (N, 3).
    """

    def __init__(self, parent: QWidget, project: Project) -> None:
        super().__init__(parent)
        self.setObjectName("viewport_annotations")
        self._project, self._tools = project, list[Annotated]()
        self._painter = QPainter()
        self._theme = active_theme()
        self.hide()

    def add(self, tool: Annotated) -> None:
        """Paint what this tool has, too."""
        self._tools.append(tool)

    def refresh(self) -> None:
        """Something changed: the camera or a tool's state."""
        parent = self.parentWidget()
        self.setVisible(any(not tool.is_empty() for tool in self._tools))
        if parent is not None and self.isVisible():
            self.setGeometry(parent.rect())
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._theme = active_theme()
        with QPainter(self) as self._painter:
            self._painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for tool in self._tools:
                if not tool.is_empty():
                    tool.paint(self)

    @property
    def theme(self) -> Theme:
        return self._theme

    @property
    def painter(self) -> QPainter:
        """The painter at work, for tools that paint in pixels."""
        return self._painter

    def at(self, point: ArrayLike) -> QPointF | None:
        """Where a world point is in the picture, or None behind the viewer."""
        x, y, depth = self._project(np.asarray(point, float)[None])[0]
        return QPointF(x, y) if depth > 0 else None

    def line(
        self, start: ArrayLike, end: ArrayLike, color: QColor, width: float = 2, dash: bool = False
    ) -> None:
        """A straight line between world points, with a dark edge so that it shows on any ground."""
        a, b = self.at(start), self.at(end)
        if a is None or b is None:
            return
        edge = self._theme.color("viewport_bottom")
        edge.setAlphaF(0.6)
        for pen in (QPen(edge, width + 2), QPen(color, width)):
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            if dash:
                pen.setDashPattern([3, 3])
            self._painter.setPen(pen)
            self._painter.drawLine(a, b)

    def outline(self, points: NDArray[np.float64], color: QColor, width: float = 1.5) -> None:
        """A closed polygon of world points."""
        for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
            self.line(start, end, color, width)

    def dot(self, point: ArrayLike, color: QColor, radius: float = 4) -> None:
        """A round mark at a world point."""
        at = self.at(point)
        if at is None:
            return
        edge = self._theme.color("viewport_bottom")
        self._painter.setPen(QPen(edge, 1.5))
        self._painter.setBrush(color)
        self._painter.drawEllipse(at, radius, radius)

    def label(self, point: ArrayLike, text: str) -> None:
        """A short text on a card, centred at a world point."""
        at = self.at(point)
        if at is None:
            return
        theme, painter = self._theme, self._painter
        font = self.font_of(theme)
        size = QFontMetricsF(font).size(0, text)
        box = QRectF(0, 0, size.width() + theme.px(14), theme.px(22))
        box.moveCenter(at)
        back = theme.color("panel")
        back.setAlphaF(0.92)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(back)
        painter.drawRoundedRect(box, theme.px(5), theme.px(5))
        painter.setFont(font)
        painter.setPen(theme.color("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
