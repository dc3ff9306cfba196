"""A small picture of what a source holds, painted at once: its contours, or a mesh as shaded triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from widgets.colour_maps import label_color
from widgets.theme import active_theme, mix

_MOST_TRIANGLES = 4000
_MOST_POINTS = 20_000
# Rows: right, up and towards the viewer, looking from the front right corner and somewhat from above, Z up.
_VIEW = np.array([[0.8, 0.6, 0.0], [-0.24, 0.32, 0.917], [0.55, -0.733, 0.4]])
_LIGHT = np.array([-0.3, 0.5, 0.81])  # in the view's axes

SceneShape = CrossSections | TriangleMesh


class ImportPreview(QWidget):
    """Shows the shape of one source, or says that there is nothing to show yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("import_preview")
        self.setMinimumSize(active_theme().px(180), active_theme().px(160))
        self._data: SceneShape | None = None
        self._words = ""
        self.set_data(None, "Select a source to see it here.")

    def set_data(self, data: SceneShape | None, words: str = "") -> None:
        """Show this; words: what to say where there is nothing to show."""
        self._data, self._words = data, words
        self.setAccessibleName(words or "Preview")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.color("line"), 1))
            painter.setBrush(theme.color("viewport_bottom"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            if isinstance(self._data, CrossSections) and len(self._data.vertices):
                self._paint_contours(painter, self._data)
            elif isinstance(self._data, TriangleMesh) and len(self._data.faces):
                self._paint_mesh(painter, self._data)
            else:
                painter.setPen(theme.color("text_second"))
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(self.rect().adjusted(16, 16, -16, -16), flags, self._words)

    def _paint_contours(self, painter: QPainter, sections: CrossSections) -> None:
        places = self._places(sections.vertices)
        step = max(1, len(places) // _MOST_POINTS)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for loop, label in enumerate(sections.loop_labels):
            start, end = sections.loop_starts[loop : loop + 2]
            painter.setPen(QPen(QColor(label_color(int(label), active_theme().is_dark)), 1.5))
            painter.drawPolygon(_polygon(places[start:end:step]))

    def _paint_mesh(self, painter: QPainter, mesh: TriangleMesh) -> None:
        faces = mesh.faces[:: max(1, len(mesh.faces) // _MOST_TRIANGLES)]
        places, corners = self._places(mesh.vertices), mesh.vertices[faces] @ _VIEW.T
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        length = np.linalg.norm(normals, axis=1)
        shade = np.abs(normals @ _LIGHT) / np.where(length > 0, length, 1)
        theme = active_theme()
        painter.setPen(Qt.PenStyle.NoPen)
        for face in np.argsort(corners[:, :, 2].mean(1)):
            painter.setBrush(QColor(mix("#e8cfba", theme.viewport_bottom, 0.25 + 0.7 * float(shade[face]))))
            painter.drawPolygon(_polygon(places[faces[face]]))

    def _places(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """(N, 2) where points stand in the widget, with a margin around them all."""
        flat = points.astype(np.float64) @ _VIEW[:2].T * [1, -1]
        low, high = flat.min(0), flat.max(0)
        room = np.array([self.width(), self.height()]) - 2.0 * active_theme().px(20)
        scale = float((room / np.maximum(high - low, 1e-12)).min())
        middle = np.array([self.width(), self.height()]) / 2.0
        places: NDArray[np.float64] = (flat - (low + high) / 2) * scale + middle
        return places


def _polygon(places: NDArray[np.float64]) -> QPolygonF:
    return QPolygonF([QPointF(float(x), float(y)) for x, y in places])
