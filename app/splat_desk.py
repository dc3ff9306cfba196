"""The tools over the picture that choose and move Gaussians: which one is under way, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, Qt, Signal

from app.splat_changes import gaussians
from app.splat_edits import Change, Splats, splats_of
from app.splat_finding import combined_change, found_from, hit_at
from app.splat_moving import MovingDesk
from app.splat_selection import found_in, region_of, screen_camera
from app.splat_tool_table import BAR, FILTERS, STRIP, TOOLS
from app.splat_visibility import visible
from recon.gaussian_finding import in_box, in_sphere
from recon.gaussian_projection import ScreenCamera
from recon.gaussian_selection import Mask
from recon.gaussian_values import base_colors
from widgets import viewport_camera
from widgets.gizmo import Gizmo
from widgets.selection_bar import SelectionBar
from widgets.selection_sphere import SphereTool
from widgets.selection_strokes import Stroke
from widgets.selection_tools import SCREEN_TOOLS, SelectionTools
from widgets.tool_options import ToolOptions, ToolWords
from widgets.tool_strip import ToolStrip
from widgets.viewport_region import RegionTool

if TYPE_CHECKING:
    from app.main_window import MainWindow

Array = NDArray[np.float64]


class SplatDesk(QObject):
    """One tool at a time; what it finds becomes the selection of the chosen layers, as one undo step.

    tool_changed: the name of the tool under way, or "".
    """

    tool_changed = Signal(str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._viewport = viewport = window.viewport
        self.tool = ""
        self.only_visible = self.by_footprint = False
        self.is_cropping = False  # whether the box is that of the panel's crop
        # What the actions of the tools call.
        self.on = SimpleNamespace(
            **{name: partial(self.set_tool, name) for name in TOOLS}, none=self._set_none
        )
        self._amounts = {"flood": 12.0, "eyedropper": 12.0, "connected": 1.0}
        given = (self._project, lambda: viewport.camera, self._size)
        self.strokes = SelectionTools(self)
        self.box = RegionTool(self, *given)
        self.sphere = SphereTool(self, self._project, lambda: viewport.camera)
        self.gizmo = Gizmo(self, *given)
        self.moving = MovingDesk(window, self.gizmo)
        for tool in (self.strokes, self.box, self.sphere, self.gizmo):
            viewport.add_tool(tool)
            viewport.tools.annotations.add(tool)
            tool.changed.connect(viewport.tools.annotations.refresh)
            tool.ended.connect(partial(self._ended, tool))
        self.strokes.drawn.connect(self.select_stroke)
        self.strokes.clicked.connect(self._click)
        self.strokes.radius_changed.connect(lambda radius: self.options.set_amount(radius))
        for volume in (self.box, self.sphere):
            volume.changed.connect(self._count_inside)
        viewport.tool_changed.connect(self._on_other_tool)
        self._make_overlays(window)

    def _make_overlays(self, window: MainWindow) -> None:
        actions = window.actions_by_id
        self.strip = ToolStrip(self._viewport, [[actions[key] for key in group] for group in STRIP])
        self.bar = SelectionBar(self._viewport, [actions[key] for key in BAR])
        self.options = ToolOptions(self._viewport, [actions[key] for key in FILTERS])
        self.options.amount_changed.connect(self._set_amount)
        self.options.volume_wished.connect(self.select_volume)
        self.options.closed.connect(self.leave)

    # Which tool

    def choose(self, tool: str) -> None:
        """Begin a tool, or leave it when it is under way already; "" leaves every tool."""
        if tool == self.tool or not self._window.splats.layers:
            tool = ""
        self._end_all()
        self.tool = tool
        if tool:
            self._viewport.tools.yield_pointer()
            self._begin(tool)
            self._viewport.take_keys(_cursor_of(tool))
        else:
            self._viewport.take_keys(Qt.CursorShape.ArrowCursor)
        self.show_options()
        self._count_inside()
        self.tool_changed.emit(tool)
        self._window.conditions.update()

    def show_options(self) -> None:
        """Say what the tool under way does."""
        self.options.show_tool(self._words(self.tool), self._amount(self.tool))
        self.options.place(self.strip.right_edge())

    def leave(self) -> None:
        """Let the left button move the camera again."""
        if self.tool:
            self.choose("")

    def set_tool(self, tool: str, on: bool) -> None:
        """An action of a tool was switched."""
        if on != (self.tool == tool):
            self.choose(tool)
        self._window.conditions.update()

    def _set_none(self, on: bool) -> None:
        self.leave()
        self._window.conditions.update()

    def set_only_visible(self, on: bool) -> None:
        """Select only what is not behind other Gaussians."""
        self.only_visible = on
        self._window.conditions.update()

    def set_by_footprint(self, on: bool) -> None:
        """Select Gaussians by any part of them instead of by their middles."""
        self.by_footprint = on
        self._window.conditions.update()

    def larger_brush(self) -> None:
        self._brush.grow_brush(2)

    def smaller_brush(self) -> None:
        self._brush.grow_brush(-2)

    @property
    def _brush(self) -> SelectionTools:
        """The brush under way: one that marks parts, or the one that selects."""
        marking = self._window.parts.marking
        return marking.tools if marking.tool else self.strokes

    def refresh(self) -> None:
        """Follow the project: what there is to select, how much is selected, where the gizmo stands."""
        splats = self._window.splats
        layers = splats.layers
        is_shown = bool(layers) and not self._window.is_on_start_page
        if is_shown != self.strip.isVisible():
            self.strip.setVisible(is_shown)
            self.strip.place()
        if not layers:
            self.leave()
        self.bar.show_counts(splats.num_selected if is_shown else 0, splats.num_left, self.strip.right_edge())
        unit = self._window.project.frame.unit
        self.box.unit = self.sphere.unit = self.gizmo.unit = unit
        if self.gizmo.is_active:
            self.moving.place()

    # What tools find

    def select_stroke(self, stroke: Stroke, mode: str) -> None:
        """Select what a stroke covers."""
        camera, size = self._camera(), self._size()
        by_footprint, only_visible = self.by_footprint, self.only_visible

        def find(splats: Splats) -> Mask:
            found = found_in(splats.cloud, camera, region_of(stroke), by_footprint=by_footprint)
            if only_visible:
                found = found & visible(splats.cloud, splats.marks, camera, size)
            return found

        self._window.splats.do(lambda given: combined_change(given, [find(each) for each in given], mode))

    def select_volume(self, mode: str) -> None:
        """Select what lies in the box or the sphere."""
        find = self._finder()
        if find is not None:
            self._select(find, mode)

    def select_at(self, tool: str, at: tuple[float, float], mode: str) -> None:
        """Select from a click: what is like the Gaussian there, or hangs together with it."""
        camera, amount = self._camera(), self._amounts[tool]

        def compute(given: Sequence[Splats]) -> Change | str:
            hit = hit_at(given, camera, at)
            if hit is None:
                return "There is no splat there."
            owner, row = hit
            color = base_colors(owner.cloud)[row]
            found = [found_from(tool, splats, owner, row, color, amount) for splats in given]
            return combined_change(given, found, mode)

        self._window.splats.do(compute)

    def _finder(self) -> Callable[[Splats], Mask] | None:
        """What finds the Gaussians in the volume of the tool under way."""
        box, center, radius = self.box.box, self.sphere.center, self.sphere.radius
        if self.tool == "box" and box is not None:
            return lambda splats: in_box(splats.cloud, box)
        if self.tool == "sphere":
            return lambda splats: in_sphere(splats.cloud, center, radius)
        return None

    def _count_inside(self) -> None:
        """Say how many Gaussians the box or the sphere holds."""
        find = self._finder()
        if find is None or self.is_cropping:
            return
        parts = [splats_of(layer) for layer in self._window.splats.layers]
        given = [part for part in parts if part is not None]
        self._window.splats.look(
            "count in a volume",
            lambda: sum(int(np.count_nonzero(find(s) & s.marks.is_selectable)) for s in given),
            lambda count: self.options.say(f"{gaussians(count)} inside.") if self._finder() else None,
        )

    def _select(self, find: Callable[[Splats], Mask], mode: str) -> None:
        self._window.splats.do(lambda given: combined_change(given, [find(each) for each in given], mode))

    # Inner life

    def _begin(self, tool: str) -> None:
        if tool in SCREEN_TOOLS:
            self.strokes.begin(tool)
        elif tool == "box":
            self.box.begin(self._usual_box())
        elif tool == "sphere":
            box = self._usual_box()
            self.sphere.begin(box[:3, 3], float(np.linalg.norm(box[:3, :3], axis=0).min()))
        else:
            self.gizmo.begin(tool)  # type: ignore[arg-type]
            self.moving.place()

    def _usual_box(self) -> Array:
        """(4, 4) a box around the middle half of what is selected, or of everything."""
        box = np.eye(4)
        parts = [splats_of(layer) for layer in self._window.splats.layers]
        means = [
            each.cloud.means[each.marks.selected if each.marks.selected.any() else ~each.marks.deleted]
            for each in parts
            if each is not None
        ]
        points = np.concatenate(means) if means else np.zeros((0, 3), np.float32)
        if len(points):
            some = points[:: max(1, len(points) // 50_000)]
            low, high = np.quantile(some, [0.05, 0.95], axis=0)
            half = np.maximum((high - low) / 2, 1e-3 * max(1e-6, float(np.linalg.norm(high - low))))
            box[:3, :3], box[:3, 3] = np.diag(half), (low + high) / 2
        return box

    def _end_all(self) -> None:
        self.tool = ""  # First, so that the end of a tool is not taken for Escape.
        for tool in (self.strokes, self.box, self.sphere, self.gizmo):
            tool.end()

    def _ended(self, tool: QObject) -> None:
        """Escape in the picture."""
        if self.tool:
            self.leave()

    def _on_other_tool(self, tool: str) -> None:
        if tool and tool != "clip":
            self.leave()

    def _click(self, tool: str, at: QPointF, mode: str) -> None:
        if mode == "none":
            self._window.splats.select_none()
        else:
            self.select_at(tool, (at.x(), at.y()), mode)

    def _words(self, tool: str) -> ToolWords | None:
        words = TOOLS.get(tool)
        return replace(words, has_volume=False) if words is not None and self.is_cropping else words

    def _amount(self, tool: str) -> float:
        return self.strokes.radius if tool == "brush" else self._amounts.get(tool, 0.0)

    def _set_amount(self, amount: float) -> None:
        if self.tool == "brush":
            self.strokes.set_radius(amount)
        elif self.tool in self._amounts:
            self._amounts[self.tool] = amount

    def _camera(self) -> ScreenCamera:
        return screen_camera(self._viewport.camera, self._size())

    def _size(self) -> tuple[int, int]:
        return max(1, self._viewport.width()), max(1, self._viewport.height())

    def _project(self, points: Any) -> Array:
        return viewport_camera.project(self._viewport.camera, points, self._size())


def _cursor_of(tool: str) -> Qt.CursorShape:
    return Qt.CursorShape.CrossCursor if tool in SCREEN_TOOLS else Qt.CursorShape.ArrowCursor
