"""A small picture of what a source holds, painted at once: its contours, or a mesh as shaded triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from render.cross_sections import CrossSections
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.points import PointCloud
from widgets.colour_maps import label_color
from widgets.frustums import EDGES, frustum_points, frustum_size
from widgets.theme import active_theme, mix

_MOST_TRIANGLES = 4000
_MOST_POINTS = 20_000
_MOST_DOTS, _MOST_CAMERAS = 3000, 150
# Rows: right, up and towards the viewer, looking from the front right corner and somewhat from above, Z up.
_VIEW = np.array([[0.8, 0.6, 0.0], [-0.24, 0.32, 0.917], [0.55, -0.733, 0.4]])
_LIGHT = np.array([-0.3, 0.5, 0.81])  # in the view's axes

SceneShape = CrossSections | TriangleMesh | PosedImages | PointCloud


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
            elif isinstance(self._data, PosedImages) and len(self._data):
                self._paint_cameras(painter, self._data)
            elif isinstance(self._data, PointCloud) and len(self._data.points):
                self._paint_points(painter, self._data, self._data.points)
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

    def _paint_cameras(self, painter: QPainter, posed: PosedImages) -> None:
        """Frustums and most of the sparse points."""
        cameras = posed.cameras
        if len(cameras) > _MOST_CAMERAS:
            cameras = cameras.select(np.linspace(0, len(cameras) - 1, _MOST_CAMERAS).astype(int))
        corners = frustum_points(cameras, frustum_size(cameras, posed.bounds)).reshape(-1, 3)
        low, high = posed.bounds
        cloud = posed.points or PointCloud(np.zeros((0, 3)))
        is_near = ((cloud.points >= low) & (cloud.points <= high)).all(1)
        around = np.concatenate([corners, cloud.points[is_near]])
        self._paint_points(painter, cloud, around, is_near)
        places = self._places(around)
        painter.setPen(QPen(active_theme().color("text"), 1))
        for start in range(0, len(corners), 6):
            for a, b in EDGES:
                painter.drawLine(QPointF(*places[start + a]), QPointF(*places[start + b]))

    def _paint_points(
        self,
        painter: QPainter,
        cloud: PointCloud,
        around: NDArray[np.float64],
        chosen: NDArray[np.bool_] | None = None,
    ) -> None:
        """Dots of a cloud, seen so that all of `around` fits."""
        count = len(cloud.points) if chosen is None else int(chosen.sum())
        places = self._places(around)[len(around) - count :]
        colors = cloud.colors if chosen is None or cloud.colors is None else cloud.colors[chosen]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(active_theme().color("text_second"))
        for i in range(0, count, 1 + count // _MOST_DOTS):
            if colors is not None:
                painter.setBrush(QColor(*(int(channel) for channel in colors[i])))
            painter.drawEllipse(QPointF(*places[i]), 1.2, 1.2)

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
