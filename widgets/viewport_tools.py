"""The tools of one viewport: measuring and clipping, with what they paint and their panel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from widgets import viewport_camera as cameras
from widgets.theme import active_theme
from widgets.viewport_annotations import Annotations
from widgets.viewport_camera import CameraPose, Size
from widgets.viewport_clip import ClipPanel, ClipPlane, ClipTool
from widgets.viewport_measure import Measurement, MeasureTool
from widgets.viewport_picking import Picker, SurfacePick
from widgets.viewport_points_tool import PointsTool
from widgets.viewport_region import RegionTool
from widgets.viewport_scene import ViewportScene

Array = NDArray[np.float64]
Tool = MeasureTool | RegionTool | PointsTool | ClipTool


class Tools(QObject):
    """Makes the tools, paints them and lets one at a time have the pointer."""

    measured = Signal(object)  # Measurement
    clip_changed = Signal(object)  # ClipPlane or None
    tool_changed = Signal(str)  # "measure", "region", "points", "clip" or "" when none is active

    def __init__(
        self,
        parent: QWidget,
        scene: ViewportScene,
        picker: Picker,
        pose: Callable[[], CameraPose],
        size: Callable[[], Size],
    ) -> None:
        super().__init__(parent)
        self._scene, self._picker, self._pose, self._size = scene, picker, pose, size
        self._area = parent
        self.annotations = Annotations(parent, self._project)
        self.measure = MeasureTool(self, self.point_under)
        self.clip = ClipTool(self, scene.bounds, self._project)
        self.region = RegionTool(self, self._project, pose, size)
        self.points = PointsTool(self, self.point_under)
        self.panel = ClipPanel(parent)
        for tool in (self.clip, self.measure, self.region, self.points):
            self.annotations.add(tool)
        for other in (self.region, self.points):
            other.changed.connect(self.annotations.refresh)
            other.ended.connect(self._announce)
        self.measure.measured.connect(self.measured)
        self.measure.changed.connect(self.annotations.refresh)
        self.measure.ended.connect(self._announce)
        self.clip.wished.connect(self.set_clip)
        self.clip.ended.connect(self.end_clipping)
        self.panel.direction_wished.connect(self._turn_clip)
        self.panel.share_wished.connect(self._slide_clip)
        self.panel.flip_wished.connect(self.flip_clip)
        self.panel.close_wished.connect(self.end_clipping)

    @property
    def active(self) -> str:
        """ "measure", "region", "points", "clip" or ""."""
        tools: dict[str, Tool] = {
            "measure": self.measure, "region": self.region, "points": self.points, "clip": self.clip,
        }  # fmt: skip
        return next((name for name, tool in tools.items() if tool.is_active), "")

    def point_under(self, x: float, y: float) -> Array | None:
        """Where to measure from at a pixel: a corner of the surface or a contour, else the surface or splat."""
        pose, size = self._pose(), self._size()
        surface = self._picker.solid(pose, x, y, size)
        contour = self._picker.contour(pose, x, y, size)
        if contour is not None and (surface is None or contour.depth <= surface.depth * 1.002):
            return contour.point
        if isinstance(surface, SurfacePick):
            return self._picker.snapped(surface, pose, size)
        if surface is not None:
            return surface.point
        cloud = self._picker.cloud_point(pose, x, y, size)
        return None if cloud is None else cloud[1]

    def begin_measuring(self) -> None:
        """Clicks set the ends of lengths until Escape."""
        self._end_pointing()
        self._hide_clip_handle()
        self.measure.begin()
        self._announce()

    def begin_clipping(self) -> None:
        """Cut through the middle, or show the handle of the plane that cuts already."""
        self._end_pointing()
        self.clip.is_active = True
        if self.clip.plane is None:
            right = self._pose().axes[0]
            axis = np.eye(3)[int(np.argmax(np.abs(right)))]
            self.set_clip(self.clip.through_middle(axis * (np.sign(axis @ right) or 1)))
        self.panel.show()
        self.place()
        self.annotations.refresh()
        self._announce()

    def begin_region(self, box: Array) -> None:
        """Show handles on a box (4, 4), which `region.edited` tells of, until Escape."""
        self._end_pointing()
        self._hide_clip_handle()
        self.region.begin(box)
        self._announce()

    def begin_points(self, count: int) -> None:
        """Gather points from clicks, which `points.picked` tells of, until Escape."""
        self._end_pointing()
        self._hide_clip_handle()
        self.points.begin(count)
        self._announce()

    def end(self) -> None:
        """Let clicks pick again; measurements stay, a clip plane under its handle goes."""
        if self.clip.is_active:
            self.end_clipping()
        else:
            self._end_pointing()

    def yield_pointer(self) -> None:
        """Leave the pointer to a tool from elsewhere; a clip plane stays, without its handle."""
        self._end_pointing()
        self._hide_clip_handle()
        self._announce()

    def set_unit(self, unit: str) -> None:
        """What lengths are written in."""
        self.measure.unit = self.region.unit = unit

    def _end_pointing(self) -> None:
        for tool in (self.measure, self.region, self.points):
            tool.end()

    def end_clipping(self) -> None:
        """Show everything whole again."""
        self._hide_clip_handle()
        self.set_clip(None)
        self._announce()

    def set_clip(self, plane: ClipPlane | None) -> None:
        """Cut by this plane, or not at all."""
        self.clip.plane = plane
        if plane is None:
            self._scene.set_clip(None)
        else:
            self._scene.set_clip(np.asarray(plane.normal), plane.offset)
            low, high = self.clip.reach(plane.normal)
            self.panel.set_share((plane.offset - low) / max(high - low, 1e-30))
            self.panel.set_direction(plane.normal)
        self.annotations.refresh()
        self.clip_changed.emit(plane)

    def flip_clip(self) -> None:
        """Keep the other side."""
        if self.clip.plane is not None:
            self.set_clip(self.clip.plane.flipped())

    def place(self) -> None:
        """Put the panel at the bottom, below the banner where it would cover scale bar and counts, or, where
        the cube leaves it no room there, above the axes."""
        size, area, theme = self.panel.needed_size(), self._area.rect(), active_theme()
        left, top = (area.width() - size.width()) // 2, area.height() - size.height() - theme.px(12)
        width = size.width()
        beside_cube = area.width() - theme.px(116)
        if width > beside_cube - theme.px(8):
            width = min(width, area.width() - theme.px(8))
            left, top = (area.width() - width) // 2, area.height() - size.height() - theme.px(84)
        elif area.width() < width + theme.px(520):
            left, top = min(left, beside_cube - width), theme.px(46)
        self.panel.setGeometry(left, top, width, size.height())
        self.panel.raise_()

    def _hide_clip_handle(self) -> None:
        self.clip.is_active = False
        self.panel.hide()
        self.annotations.refresh()

    def _turn_clip(self, direction: str) -> None:
        normal = self._pose().axes[2] if direction == "view" else np.eye(3)["xyz".index(direction)]
        self.set_clip(self.clip.through_middle(normal))

    def _slide_clip(self, share: float) -> None:
        plane = self.clip.plane
        if plane is not None:
            low, high = self.clip.reach(plane.normal)
            self.set_clip(ClipPlane(plane.normal, low + share * (high - low)))

    def _project(self, points: ArrayLike) -> Array:
        return cameras.project(self._pose(), points, self._size())

    def _announce(self) -> None:
        self.tool_changed.emit(self.active)

    def set_measurements(self, measurements: tuple[Measurement, ...]) -> None:
        """Show these lengths and no others."""
        self.measure.set_measurements(measurements)
