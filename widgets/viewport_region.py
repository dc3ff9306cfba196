"""The box to reconstruct, with handles: drag a face along its axis, or the middle to move the whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent

from widgets.region_box import FACES, box_edges, box_points, face_center, moved_by, with_face_moved
from widgets.viewport_annotations import Annotations
from widgets.viewport_camera import CameraPose, Size
from widgets.viewport_overlays import plain_number, unit_label

Array = NDArray[np.float64]
_REACH = 12.0  # pixels within which a handle is taken
_END_ON = 8.0  # pixels: an axis seen shorter than this has no direction in the picture

Handle = tuple[int, int] | None  # a face, or None for the middle


class RegionTool(QObject):
    """A pointer tool: while active, six faces and the middle of a box can be dragged.

    edited: the box (4, 4) after a drag. ended: the tool was left with Escape.
    """

    edited = Signal(object)
    changed = Signal()
    ended = Signal()

    def __init__(
        self,
        parent: QObject,
        project: Callable[[ArrayLike], Array],
        pose: Callable[[], CameraPose],
        size: Callable[[], Size],
    ) -> None:
        super().__init__(parent)
        self._project, self._pose, self._size = project, pose, size
        self._grabbed: tuple[Handle, QPointF, Array] | None = None
        self._hover: tuple[Handle] | None = None
        self.box: Array | None = None
        self.is_active = False
        self.unit = "unit"

    def begin(self, box: Array) -> None:
        """Show handles on this box (4, 4) and take drags of them."""
        self.box, self.is_active = np.array(box), True
        self.changed.emit()

    def end(self) -> None:
        """Leave the pointer to others."""
        was_active, self.is_active, self._grabbed = self.is_active, False, None
        self.changed.emit()
        if was_active:
            self.ended.emit()

    def handle(self, event: QEvent) -> bool:
        if not self.is_active or self.box is None:
            return False
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.end()
            return True
        if not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            return self._grab(event.position())
        if event.type() == QEvent.Type.MouseMove:
            return self._move(event)
        if self._grabbed is not None and event.type() == QEvent.Type.MouseButtonRelease:
            self._grabbed = None
            self.edited.emit(self.box)
            return True
        return False

    def handle_pixels(self) -> dict[Handle, QPointF]:
        """Where the handles are in the picture; those behind the viewer are not there."""
        if self.box is None:
            return {}
        names: list[Handle] = [*FACES, None]
        points = np.stack([*(face_center(self.box, face) for face in FACES), self.box[:3, 3]])
        placed = self._project(points)
        return {name: QPointF(x, y) for name, (x, y, depth) in zip(names, placed, strict=True) if depth > 0}

    def is_empty(self) -> bool:
        return not self.is_active or self.box is None

    def paint(self, pen: Annotations) -> None:
        assert self.box is not None
        accent, quiet = pen.theme.color("accent"), pen.theme.color("text")
        corners = box_points(self.box)
        for start, end in box_edges():
            pen.line(corners[start], corners[end], accent, 1.5)
        for face in FACES:
            is_hot = self._hover == (face,)
            pen.dot(face_center(self.box, face), accent, 7 if is_hot else 5)
        pen.dot(self.box[:3, 3], quiet, 6 if self._hover == (None,) else 4)
        if self._grabbed is not None or self._hover is not None:
            pen.label(self.box[:3, 3] + self.box[:3, 2] * 0.18, self.size_text())

    def size_text(self) -> str:
        """The box's sides with their unit: "4.1 × 3.0 × 2.5 m"."""
        assert self.box is not None
        sides = 2 * np.linalg.norm(self.box[:3, :3], axis=0)
        numbers = " × ".join(plain_number(float(side), 3) for side in sides)
        return f"{numbers}\u202f{unit_label(self.unit)}"

    def _nearest(self, at: QPointF) -> tuple[Handle] | None:
        pixels = self.handle_pixels()
        apart = {name: (place - at).manhattanLength() for name, place in pixels.items()}
        name = min(apart, key=lambda each: apart[each], default=None)
        return (name,) if apart and apart[name] <= _REACH else None

    def _grab(self, at: QPointF) -> bool:
        nearest = self._nearest(at)
        if nearest is None or self.box is None:
            return False
        self._grabbed = nearest[0], at, self.box
        return True

    def _move(self, event: QMouseEvent) -> bool:
        if self._grabbed is None:
            hover = self._nearest(event.position()) if not event.buttons() else None
            if hover != self._hover:
                self._hover = hover
                self.changed.emit()
            return False
        handle, start, box = self._grabbed
        step = event.position() - start
        if handle is None:
            right, up, _ = self._pose().axes
            per_pixel = self._units_per_pixel(box[:3, 3])
            self.box = moved_by(box, (right * step.x() - up * step.y()) * per_pixel)
        else:
            self.box = with_face_moved(box, handle, self._pulled(box, handle, step))
        self.changed.emit()
        return True

    def _pulled(self, box: Array, face: tuple[int, int], step: QPointF) -> float:
        """How far outwards a drag pulls a face, in world units."""
        axis, side = face
        outward = side * box[:3, axis]
        center = face_center(box, face)
        ends = self._project(np.stack([center, center + outward]))[:, :2]
        way, length = ends[1] - ends[0], float(np.linalg.norm(outward))
        square = float(way @ way)
        if square < _END_ON**2:
            return -step.y() * self._units_per_pixel(center)
        return float(step.x() * way[0] + step.y() * way[1]) / square * length

    def _units_per_pixel(self, point: Array) -> float:
        right = self._pose().axes[0]
        ends = self._project(np.stack([point, point + right]))[:, :2]
        return 1 / max(1e-9, float(np.linalg.norm(ends[1] - ends[0])))
