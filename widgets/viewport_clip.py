"""Cutting the picture by a plane: which plane, its handle in the picture, its panel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QSlider, QToolButton, QWidget

from widgets.icons import icon
from widgets.viewport_annotations import Annotations
from widgets.viewport_camera import Vector, box_corners
from widgets.viewport_planes import plane_in_box

Array = NDArray[np.float64]
_STEPS = 1000


@dataclass(frozen=True)
class ClipPlane:
    """Keeps only where n . x <= offset. normal: unit length."""

    normal: Vector
    offset: float

    def flipped(self) -> ClipPlane:
        """Keep the other side."""
        x, y, z = self.normal
        return ClipPlane((-x, -y, -z), -self.offset)


class ClipTool(QObject):
    """A pointer tool with a handle on the plane; it wishes planes, the viewport applies them."""

    wished = Signal(object)  # ClipPlane
    ended = Signal()

    def __init__(
        self,
        parent: QObject,
        box: Callable[[], Array | None],
        project: Callable[[Array], Array],
    ) -> None:
        super().__init__(parent)
        self._box, self._project = box, project
        self.plane: ClipPlane | None = None
        self.is_active = False
        self._grabbed: tuple[QPointF, float] | None = None

    def through_middle(self, normal: Array) -> ClipPlane:
        """The plane of this normal through the middle of what is drawn."""
        box = self._box()
        middle = (box[0] + box[1]) / 2 if box is not None else np.zeros(3)
        unit = np.asarray(normal, float) / np.linalg.norm(normal)
        x, y, z = (float(value) for value in unit)
        return ClipPlane((x, y, z), float(unit @ middle))

    def reach(self, normal: Vector) -> tuple[float, float]:
        """Least and greatest offset at which a plane of this normal meets what is drawn."""
        box = self._box()
        if box is None:
            return -1.0, 1.0
        offsets = box_corners(box) @ normal
        return float(offsets.min()), float(offsets.max())

    def handle(self, event: QEvent) -> bool:
        if not self.is_active or self.plane is None:
            return False
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.ended.emit()
            return True
        if not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            return self._grab(event.position())
        if self._grabbed is not None and event.type() == QEvent.Type.MouseMove:
            self._drag(event.position())
            return True
        if self._grabbed is not None and event.type() == QEvent.Type.MouseButtonRelease:
            self._grabbed = None
            return True
        return False

    def knob(self) -> tuple[Array, Array] | None:
        """The handle's foot on the plane and its tip, or None without a plane."""
        box = self._box()
        if self.plane is None or box is None:
            return None
        normal = np.asarray(self.plane.normal)
        middle = (box[0] + box[1]) / 2
        foot = middle + normal * (self.plane.offset - normal @ middle)
        return foot, foot + normal * 0.16 * float(np.linalg.norm(box[1] - box[0]))

    def _grab(self, at: QPointF) -> bool:
        handle = self.knob()
        if handle is None or self.plane is None:
            return False
        pixels = self._project(np.stack(handle))[:, :2]
        if min(np.linalg.norm(pixels - [at.x(), at.y()], axis=1)) > 14:
            return False
        self._grabbed = at, self.plane.offset
        return True

    def _drag(self, at: QPointF) -> None:
        handle = self.knob()
        if self._grabbed is None or self.plane is None or handle is None:
            return
        pixels = self._project(np.stack(handle))[:, :2]
        way = pixels[1] - pixels[0]
        length = float(np.linalg.norm(handle[1] - handle[0]))
        moved = at - self._grabbed[0]
        # Seen end on, the handle has no direction in the picture; then up is outward.
        square = float(way @ way)
        share = (moved.x() * way[0] + moved.y() * way[1]) / square if square > 64 else -moved.y() / 100
        low, high = self.reach(self.plane.normal)
        offset = min(high, max(low, self._grabbed[1] + share * length))
        self.wished.emit(replace(self.plane, offset=offset))

    def is_empty(self) -> bool:
        return not self.is_active or self.plane is None

    def paint(self, pen: Annotations) -> None:
        box, handle = self._box(), self.knob()
        if box is None or handle is None or self.plane is None:
            return
        room = 0.03 * (box[1] - box[0]).max()
        outline = plane_in_box(np.asarray(self.plane.normal), self.plane.offset, box[0] - room, box[1] + room)
        accent = pen.theme.color("accent")
        pen.outline(outline, accent)
        pen.line(*handle, accent, 2.5)
        pen.dot(handle[0], pen.theme.color("text"), 4)
        pen.dot(handle[1], accent, 7)


class ClipPanel(QFrame):
    """Direction, place and side of the clip plane, at the bottom of the picture."""

    direction_wished = Signal(str)  # "x", "y", "z" or "view"
    share_wished = Signal(float)  # 0 to 1 of the way through what is drawn
    flip_wished = Signal()
    close_wished = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("viewport_clip_panel")
        self.setProperty("notice", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 4, 6, 4)
        row.setSpacing(2)
        self._directions = QButtonGroup(self)
        for name, title, tip in (
            ("x", "X", "Cut across X"), ("y", "Y", "Cut across Y"), ("z", "Z", "Cut across Z"),
            ("view", "View", "Cut across the direction of view"),
        ):  # fmt: skip
            row.addWidget(self._direction_button(name, title, tip))
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setObjectName("clip_slider")
        self._slider.setAccessibleName("Place of the clip plane")
        self._slider.setRange(0, _STEPS)
        self._slider.setMinimumWidth(24)
        self._slider.setMaximumWidth(240)
        self._slider.valueChanged.connect(lambda value: self.share_wished.emit(value / _STEPS))
        row.addWidget(self._slider, 1)
        row.addWidget(self._tool("clip_flip", "arrow-up-down", "Keep the other side", self.flip_wished.emit))
        row.addWidget(self._tool("clip_close", "x", "Stop clipping (Esc)", self.close_wished.emit))
        self.hide()

    def needed_size(self) -> QSize:
        """What it takes to show everything, with the style's type sizes known."""
        for child in self.findChildren(QWidget):
            child.ensurePolished()
        layout = self.layout()
        if layout is not None:
            layout.invalidate()
        return self.sizeHint()

    def set_share(self, share: float) -> None:
        """Follow the plane without wishing anything."""
        self._slider.blockSignals(True)
        self._slider.setValue(round(share * _STEPS))
        self._slider.blockSignals(False)

    def set_direction(self, normal: Vector) -> None:
        """Mark the axis that the plane lies across."""
        along = int(np.argmax(np.abs(normal)))
        name = "xyz"[along] if abs(normal[along]) > 0.9999 else "view"
        for button in self._directions.buttons():
            button.setChecked(button.objectName() == f"clip_{name}")

    def _direction_button(self, name: str, title: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"clip_{name}")
        button.setText(title)
        button.setToolButtonStyle(
            Qt.ToolButtonStyle.ToolButtonTextOnly
        )  # else Qt leaves room for an icon only
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setCheckable(True)
        button.setAutoRaise(True)
        self._directions.addButton(button)
        button.clicked.connect(lambda: self.direction_wished.emit(name))
        return button

    def _tool(self, name: str, icon_name: str, tip: str, on_click: Callable[[], object]) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setIcon(icon(icon_name))
        button.setToolTip(tip)
        button.setAccessibleName(tip.partition(" (")[0])
        button.setAutoRaise(True)
        button.clicked.connect(lambda: on_click())
        return button
