"""Marking parts in the picture: the tools, what was drawn on each view, and finding parts from it while one draws."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt

from app import part_strokes as strokes
from app.data_words import counted
from app.layers import Layer, changed
from app.part_changes import title_of
from app.part_clicks import PartClicks
from app.part_strokes import Mark, MarkedView, Views
from app.splat_edits import Change, Splats, splats_of
from recon.errors import InputError
from recon.romap.part_table import ERASED, NO_PART
from render.gaussians import GaussianCloud
from widgets.part_marks import MarkPath, MarkTools
from widgets.parts_panel import Note, ViewChip
from widgets.selection_strokes import Stroke
from widgets.selection_tools import LARGEST_BRUSH, SMALLEST_BRUSH
from widgets.tool_options import ToolOptions, ToolWords
from widgets.viewport_camera import CameraPose, Size

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.parts_desk import PartsDesk
    from recon.romap.view_strokes import StrokeFinder

_LONG_S = 4.0  # finding that takes longer is not done after each stroke
_HINTS = {
    "brush": "Paint on it.",
    "lasso": "Draw around it.",
    "polygon": "Click corners, Enter closes.",
    "eraser": "Takes strokes back.",
    "network": "Click it or drag a box. Ctrl: not this.",
}


class PartMarking(QObject):
    """One tool at a time; each stroke is an undo step, together with what is found from it."""

    def __init__(self, window: MainWindow, desk: PartsDesk) -> None:
        super().__init__(desk)
        self._window, self._desk, self._panel = window, desk, window.parts_panel
        self.tool = ""
        self.is_live = True
        self._made_finder: StrokeFinder | None = None
        self._is_wanted = self.is_finding = self._has_found = False
        self._key = ""  # of the newest stroke's undo step
        self._note = Note()
        self._read: tuple[object, Views] = (None, ())  # what was stored, and what it says
        self._likely: tuple[object, dict[int, NDArray[np.float32]]] = (None, {})
        self.tools = MarkTools(self)
        viewport = window.viewport
        viewport.add_tool(self.tools)
        viewport.tools.annotations.add(self.tools)
        self.options = ToolOptions(viewport, [])
        self.clicks = PartClicks(window, self)
        self._wire()

    def _wire(self) -> None:
        window, panel, tools = self._window, self._panel, self.tools
        tools.changed.connect(window.viewport.tools.annotations.refresh)
        tools.ended.connect(self.leave)
        tools.marked.connect(self.mark)
        tools.erased.connect(lambda stroke: self._push(stroke, ERASED, "Erase strokes"))
        tools.radius_changed.connect(self.options.set_amount)
        self.options.amount_changed.connect(tools.set_radius)
        self.options.closed.connect(self.leave)
        panel.tool_wished.connect(self.choose)
        panel.find_wished.connect(self.find)
        panel.live_toggled.connect(self.set_live)
        panel.view_wished.connect(self.go_to_view)
        panel.view_dropped.connect(self.drop_view)
        window.task_tabs.currentChanged.connect(lambda _: self._leave_with_panel())
        window.splat_tools.tool_changed.connect(lambda tool: self.leave() if tool else None)
        window.viewport.tool_changed.connect(lambda tool: self.leave() if tool and tool != "clip" else None)
        window.viewport.camera_moved.connect(lambda _: self._show_strokes())
        window.splats.edits.failed.connect(lambda _: self._end())

    # Which tool

    def choose(self, tool: str) -> None:
        """Begin a tool, or leave marking with ""."""
        if tool and (self._desk.layer is None or len(self._desk.parts) < 2):
            tool = ""
        if tool:
            self._window.splat_tools.leave()
            self._window.viewport.tools.yield_pointer()
            self._unselect()
            self._prepare()
            if self._desk.show == "color":
                self._desk.set_show("parts")
        before, self.tool = self.tool, tool
        if before == "network" != tool:
            self.clicks.end()
        if tool:
            self.tools.begin_marking(tool)  # type: ignore[arg-type]
            self._window.viewport.take_keys(Qt.CursorShape.CrossCursor)
        elif self.tools.is_active:
            self.tools.end()
            self._window.viewport.take_keys(Qt.CursorShape.ArrowCursor)
        if tool == "network":
            self.clicks.begin()
        self.refresh()
        self._window.conditions.update()

    def leave(self) -> None:
        """Let the left button move the camera again."""
        if self.tool:
            self.choose("")

    def _leave_with_panel(self) -> None:
        """Who goes on elsewhere, as to say how the part should look, no longer marks it."""
        if self._window.task_tabs.currentWidget() is not self._panel:
            self.leave()

    def set_on(self, on: bool) -> None:
        """Begin marking with the brush, or leave it."""
        self._window.show_task("Parts")
        if on and len(self._desk.parts) < 2:
            self._desk.make_part()
            self._window.splats.edits.then(lambda: self.choose("brush"))
        else:
            self.choose("brush" if on else "")

    def set_live(self, on: bool) -> None:
        """Find parts after each stroke, or only when it is asked for."""
        self.is_live = on
        self.refresh()

    # What is drawn

    @property
    def views(self) -> Views:
        """The views of the layer that were drawn on."""
        layer = self._desk.layer
        stored = None if layer is None else layer.extra.get(strokes.KEY)
        if stored is None or layer is None:
            return ()
        if self._read[0] is not stored:
            self._read = stored, strokes.views_in(layer.extra)
        return self._read[1]

    def mark(self, stroke: Stroke, is_part: bool) -> None:
        """A stroke was drawn for the chosen part, or for what belongs to none."""
        number = self._desk.number if is_part else NO_PART
        name = "No part" if number == NO_PART else self._desk.title_of(number)
        self._push(stroke, number, f"Mark “{name}”")

    @property
    def layer(self) -> Layer | None:
        """The layer whose parts are marked."""
        return self._desk.layer

    @property
    def number(self) -> int:
        """The part that is marked, NO_PART for none."""
        return self._desk.number

    def view_now(self) -> MarkedView | None:
        """The view as it is, to mark on; None, with a word about it, where one cannot."""
        layer = self._desk.layer
        if layer is None or not isinstance(layer.data, GaussianCloud):
            return None
        if layer.is_locked:
            self._window.shell.toast(f"“{layer.name}” is locked.", "warning")
            return None
        hidden = "" if layer.marks is None else strokes.hidden_words(layer.marks.hidden)
        return MarkedView(self._window.viewport.camera, self._size(), hidden=hidden)

    def put_clicked(self, layer_id: str, view: MarkedView, mark: Mark) -> None:
        """What a network made of clicks on a view, as if it had been drawn there."""
        layer = self._desk.layer
        if layer is not None and layer.id == layer_id:
            name = "No part" if mark.part == NO_PART else self._desk.title_of(mark.part)
            self._mark(layer, f"Click on “{name}”", strokes.with_clicked(self.views, view, mark))

    def say(self, note: Note) -> None:
        """Tell what is going on below the tools."""
        self._note = note
        self._panel.say(note)

    def _push(self, stroke: Stroke, part: int, text: str) -> None:
        view, layer = self.view_now(), self._desk.layer
        if view is None or layer is None:
            return
        mark = strokes.mark_of(part, stroke.radius if stroke.kind == "brush" else 0.0, stroke.points)
        self._mark(layer, text, strokes.with_mark(self.views, view, mark))

    def _mark(self, layer: Layer, text: str, views: Views) -> None:
        self._key = f"stroke {uuid.uuid4().hex}"
        self._edit(layer, text, views)
        if self.is_live:
            self.find()

    def go_to_view(self, place: int) -> None:
        """Look as one did when one drew, and see the strokes."""
        if place < len(self.views):
            self._window.viewport.move_camera(self.views[place].pose, animated=False)
            if not self.tool:
                self.choose("brush")

    def drop_view(self, place: int) -> None:
        """Forget what was drawn on a view."""
        layer, views = self._desk.layer, self.views
        if layer is not None and place < len(views):
            self._key = f"stroke {uuid.uuid4().hex}"
            self._edit(layer, "Forget strokes", (*views[:place], *views[place + 1 :]))
            if self.is_live and len(views) > 1:
                self.find()

    def _edit(self, layer: Layer, text: str, views: Views) -> None:
        extra = strokes.extra_with(layer.extra, views)
        layers = changed(self._window.project.layers, layer.id, extra=extra)
        self._window.project.edit(text, layers, merge_key=self._key)

    # What is found

    def find(self) -> None:
        """Find the parts that were drawn; asked for again while it is under way, once more after."""
        self._is_wanted = True
        if not self.is_finding:
            self.is_finding = True
            self._window.splats.edits.then(self._begin)
        self.refresh()

    def _begin(self) -> None:
        self._is_wanted = False
        layer, views, key = self._desk.layer, self.views, self._key
        if layer is None or layer.id not in self._window.splats.ids:
            self._end()
            return
        text = self._window.project.undo_stack.undoText() if key else "Find parts"
        edits = self._window.splats.edits
        edits.do([layer.id], lambda given: self._found(given[0], views, text, key))
        edits.then(self._end)

    def _found(self, given: Splats, views: Views, text: str, key: str) -> Change | str:
        """The layer with the parts that strokes find; called off the window's thread."""
        began = time.thread_time()  # a busy machine is no reason to stop
        try:
            found = self._finder().find(
                given.cloud,
                strokes.stroked_views(views, given.cloud),
                ~given.marks.deleted,
                given.marks.locked,
                lambda number: title_of(given.cloud, number),
            )
        except InputError as error:
            self._note = Note(f"{error.sentence} {error.advice}", "error")
            return ""
        took = time.thread_time() - began
        counts = {number: counted(count, "splat") for number, count in found.counts.items()}
        told = [f"“{title_of(given.cloud, number)}” {count}" for number, count in counts.items()]
        words = ", ".join(told) if len(told) < 4 else f"Found {counted(len(told), 'part')}"
        is_slow = took > _LONG_S and self._has_found  # the first time is always longer
        slow = f" It took {took:.0f} s: press Find parts when you are done drawing." if is_slow else ""
        self.is_live, self._has_found = self.is_live and not is_slow, True
        self._note = Note(f"{words}.{slow}", "ok")
        columns = {number: found.probabilities[:, place] for place, number in enumerate(found.counts)}
        self._likely = (given.cloud.means, columns)
        return Change(text, {given.id: {"data": found.cloud}}, merge_key=key)

    def _finder(self) -> StrokeFinder:
        """What finds parts; for the background thread, as it takes long to import."""
        from recon.romap.view_strokes import StrokeFinder

        if self._made_finder is None:
            self._made_finder = StrokeFinder()
        return self._made_finder

    def _prepare(self) -> None:
        """Do what the first search needs while the person draws."""
        given = splats_of(self._desk.layer)
        if given is not None:
            self._window.splats.look(
                "prepare parts",
                lambda: self._finder().prepare(given.cloud, ~given.marks.deleted),
                lambda _: None,
            )

    def _end(self) -> None:
        self.is_finding = False
        self._key = ""
        if self._is_wanted:
            self.find()
        self.refresh()

    def likeliness(self, number: int) -> NDArray[np.float32] | None:
        """(N,) how likely each splat belongs to a part, where that was found just now; None else."""
        layer = self._desk.layer
        if (
            layer is None
            or not isinstance(layer.data, GaussianCloud)
            or layer.data.means is not self._likely[0]
        ):
            return None
        return self._likely[1].get(number)

    # What is shown

    def refresh(self) -> None:
        """Follow the project, the chosen part and the tool."""
        desk, tools = self._desk, self.tools
        if self.tool and (desk.layer is None or len(desk.parts) < 2):
            self.leave()
            return
        self._panel.set_tool(self.tool)
        self._panel.set_finding(
            can_find=any(view.num_strokes for view in self.views),
            is_live=self.is_live,
            is_busy=self.is_finding,
        )
        self._panel.say(self._note if self.views or self.clicks.is_on else Note())
        name = "what belongs to no part" if desk.number == NO_PART else f"“{desk.title_of(desk.number)}”"
        tools.color, tools.other_color = desk.color_of(desk.number), desk.color_of(NO_PART)
        if self.tool:
            has_size = self.tool in ("brush", "eraser")
            ctrl = "" if self.tool in ("eraser", "network") or desk.number == NO_PART else " Ctrl: no part."
            words = ToolWords(
                "Eraser" if self.tool == "eraser" else f"Mark {name}",
                f"{_HINTS[self.tool]}{ctrl} Alt moves the camera.",
                "Size" if has_size else "", " px", (SMALLEST_BRUSH, LARGEST_BRUSH), is_geometric=True,
            )  # fmt: skip
            self.options.show_tool(words, tools.radius)
            self.options.place(self._window.splat_tools.strip.right_edge())
        else:
            self.options.show_tool(None)
        self._show_strokes()

    def _show_strokes(self) -> None:
        """Paint what was drawn on the view that the camera shows, and mark its chip."""
        views, pose, size = self.views, self._window.viewport.camera, self._size()
        here = [view for view in views if strokes.is_same_view(view.pose, pose)]
        shown = here if self.tool else []
        marks = [strokes.in_size(mark, view.size, size) for view in shown for mark in view.marks]
        paths = [MarkPath(np.array(m.points), m.radius, self._color(m), m.clicks) for m in marks]
        if paths or self.tools.paths:
            self.tools.show_paths(paths)
        chips = [self._chip(place, view, pose) for place, view in enumerate(views)]
        self._panel.set_views(chips)

    def _chip(self, place: int, view: MarkedView, pose: CameraPose) -> ViewChip:
        parts = dict.fromkeys(mark.part for mark in view.marks if mark.part != ERASED)
        names = ", ".join("no part" if n == NO_PART else self._desk.title_of(n) for n in parts)
        tip = f"{counted(view.num_strokes, 'stroke')}: {names}. Right click forgets them."
        return ViewChip(f"View {place + 1}", tip, strokes.is_same_view(view.pose, pose))

    def _color(self, mark: Mark) -> str:
        return "" if mark.part == ERASED else self._desk.color_of(mark.part)

    def _size(self) -> Size:
        viewport = self._window.viewport
        return max(1, viewport.width()), max(1, viewport.height())

    def _unselect(self) -> None:
        """The selection's colour would hide what is marked."""
        if self._window.splats.num_selected:
            self._window.splats.select_none()
