"""What clicks in the picture mean while no tool wants them: pick, set the pivot, ask for a menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, Signal

from widgets.viewport_camera import CameraPose, Size, Vector
from widgets.viewport_picking import Picker


class Clicks(QObject):
    """Asks the picker what lies under a click and says it.

    pose, size: the camera and the picture's size in pixels now.
    """

    picked = Signal(str, tuple)  # layer id, point; "" and () beside everything
    plane_picked = Signal(str, int)  # layer id, plane
    image_picked = Signal(str, int)  # layer id, image
    pivot_wished = Signal(object)  # CameraPose
    menu_wished = Signal(QPointF, str)  # where, layer id or ""

    def __init__(
        self, parent: QObject, picker: Picker, pose: Callable[[], CameraPose], size: Callable[[], Size]
    ) -> None:
        super().__init__(parent)
        self._picker, self._pose, self._size = picker, pose, size

    def surface_point(self, x: float, y: float) -> NDArray[np.float64] | None:
        """The surface, splat or field under a pixel."""
        pose, size = self._pose(), self._size()
        pick = self._picker.solid(pose, x, y, size)
        if pick is not None:
            return pick.point
        cloud = self._picker.cloud_point(pose, x, y, size)
        return None if cloud is None else cloud[1]

    def pick(self, at: QPointF) -> None:
        """Say which layer and point, and which plane, are under a pixel."""
        pose, size = self._pose(), self._size()
        surface = self._picker.solid(pose, at.x(), at.y(), size)
        plane = self._picker.plane(pose, at.x(), at.y(), size)
        image = self._picker.image(pose, at.x(), at.y(), size)
        cloud = self._picker.cloud_point(pose, at.x(), at.y(), size)
        depth = min((pick.depth for pick in (surface, plane) if pick is not None), default=np.inf)
        if image is not None and image.depth <= depth:
            self.picked.emit(image.layer_id, ())
            self.image_picked.emit(image.layer_id, image.image)
        elif plane is not None and (surface is None or plane.depth <= surface.depth * (1 + 1e-3)):
            self.picked.emit(plane.layer_id, _plain(plane.point))
            self.plane_picked.emit(plane.layer_id, plane.plane)
        elif surface is not None:
            self.picked.emit(surface.layer_id, _plain(surface.point))
        elif cloud is not None:
            self.picked.emit(cloud[0], _plain(cloud[1]))
        else:
            self.picked.emit("", ())

    def set_pivot(self, at: QPointF) -> None:
        """Turn about the surface point under a pixel from now on; it moves to the middle."""
        point = self.surface_point(at.x(), at.y())
        if point is not None:
            pose = self._pose()
            position = np.asarray(pose.position) + point - np.asarray(pose.focal)
            self.pivot_wished.emit(replace(pose, position=_plain(position), focal=_plain(point)))

    def ask_for_menu(self, at: QPointF) -> None:
        """Say which layer a menu is wished for."""
        pick = self._picker.solid(self._pose(), at.x(), at.y(), self._size())
        self.menu_wished.emit(at, pick.layer_id if pick else "")


def _plain(point: NDArray[np.float64]) -> Vector:
    x, y, z = (float(value) for value in point)
    return x, y, z
