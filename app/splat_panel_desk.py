"""What the panel of splats wishes: histograms, previews of edits, and the edits themselves as one undo step each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from app.data_words import number
from app.layer_look import kind_of
from app.splat_changes import gaussians, num_left, selection_change
from app.splat_edits import Change, Splats, splats_of
from app.splat_tools import EDITS, Outcome
from recon import gaussian_values as values
from recon.gaussian_cleaning import FloaterLimits
from recon.gaussian_selection import combined, with_selected
from render.gaussians import GaussianCloud, GaussianMarks
from widgets.histogram_select import ValueChoice
from widgets.splat_panel import HISTOGRAM, SplatSummary

if TYPE_CHECKING:
    from app.main_window import MainWindow

_UNITS = {"degrees": "°", "length": "", "volume": "", "": ""}


@dataclass(frozen=True)
class Preview:
    """What is shown of an edit that was not made yet: other clouds or other marks, by layer id. is_tinted: whether the
    selection is tinted, which hides what becomes of colours."""

    note: str
    clouds: Mapping[str, GaussianCloud] = field(default_factory=dict)
    is_tinted: bool = True
    marks: Mapping[str, GaussianMarks] = field(default_factory=dict)


class SplatPanelDesk(QObject):
    """Computes off the window's thread; of previews only the newest answer counts."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._panel = panel = window.splat_panel
        self._preview: Preview | None = None
        self._shown: tuple[object, ...] = ()
        panel.import_wished.connect(window.files.import_files)
        panel.tool_opened.connect(self._on_opened)
        panel.preview_wished.connect(self.preview)
        panel.applied.connect(self.apply)
        panel.cancelled.connect(self._end_preview)
        panel.before_wished.connect(self._show_before)
        panel.histogram.value_wished.connect(lambda _: self._show_histogram())
        panel.histogram.range_changed.connect(self._preview_range)
        panel.histogram.chosen.connect(self.select_range)
        panel.set_values("floaters", asdict(FloaterLimits()))
        window.splat_tools.box.changed.connect(self._on_box_dragged)
        window.splat_tools.tool_changed.connect(self._on_tool)

    @property
    def has_splats(self) -> bool:
        """Whether the project holds splats."""
        return any(kind_of(layer) == "gaussians" for layer in self._window.project.layers)

    def refresh(self) -> None:
        """Follow the project and the selection of layers."""
        layers = self._window.splats.layers
        state = tuple((layer.id, layer.data, layer.marks, layer.name) for layer in layers)
        if state == self._shown:
            return
        is_other = [each[0] for each in state] != [each[0] for each in self._shown if isinstance(each, tuple)]
        self._shown = state
        if is_other:
            self._panel.close_tool()
        self._panel.set_summary(self._summary())
        if self._panel.tool == HISTOGRAM:
            self._show_histogram()

    # Tools by their names

    def show_histogram(self) -> None:
        self._open(HISTOGRAM)

    def show_floaters(self) -> None:
        self._open("floaters")

    def show_crop(self) -> None:
        self._open("crop")

    def show_transform(self) -> None:
        self._open("transform")

    def show_recolor(self) -> None:
        self._open("recolor")

    def show_decimate(self) -> None:
        self._open("decimate")

    def show_degree(self) -> None:
        self._open("degree")

    # Previews and edits

    def preview(self, tool: str, parameters: Mapping[str, Any]) -> None:
        """Show what a tool would do; nothing is changed yet."""
        given, edit = self._given(), EDITS[tool]

        def compute() -> Preview:
            outcomes = [(splats, edit.preview(splats, given, parameters)) for splats in given]
            return replace(_preview_of(edit.verb, outcomes), is_tinted=tool != "recolor")

        self._window.splats.look(
            "preview of splats", compute, lambda preview: self._show_preview(tool, preview)
        )

    def apply(self, tool: str, parameters: Mapping[str, Any]) -> None:
        """Do what a tool does, as one undo step."""
        edit = EDITS[tool]
        shown = self._preview  # Stays in the picture until the edit is there.
        self._preview = None

        def compute(given: Sequence[Splats]) -> Change | str:
            outcomes = [(splats, edit.apply(splats, given, parameters)) for splats in given]
            fields = {splats.id: _fields(splats, outcome) for splats, outcome in outcomes}
            changed = {key: each for key, each in fields.items() if each}
            count = sum(outcome.count for _, outcome in outcomes)
            return (
                Change(f"{edit.verb} {gaussians(count)}", changed)
                if changed
                else f"{edit.title}: there was nothing to do."
            )

        self._window.splats.do(compute)
        if shown is not None:
            self._window.splats.look(
                "preview of splats", lambda: None, lambda _: self._window.scene.show_marks({})
            )

    def select_range(self, name: str, low: float, high: float, mode: str) -> None:
        """Select the Gaussians whose value lies in a range."""

        def compute(given: Sequence[Splats]) -> Change | str:
            selected = [
                combined(s.marks, _in_range(s, name, low, high), mode).selected  # type: ignore[arg-type]
                for s in given
            ]
            return selection_change(given, selected)

        self._window.splats.do(compute)

    # Inner life

    def _given(self) -> list[Splats]:
        found = (splats_of(layer) for layer in self._window.splats.layers)
        return [splats for splats in found if splats is not None]

    def _summary(self) -> SplatSummary | None:
        layers = self._window.splats.layers
        clouds = [layer.data for layer in layers if isinstance(layer.data, GaussianCloud)]
        if not clouds:
            return None
        name = layers[0].name if len(layers) == 1 else f"{number(len(layers))} layers of splats"
        degree = max(cloud.sh_degree for cloud in clouds)
        return SplatSummary(name, sum(map(num_left, layers)), self._window.splats.num_selected, degree)

    def _open(self, tool: str) -> None:
        self._window.set_tab_shown(self._window.task_tabs, "Splats", True)
        self._window.show_task("Splats")
        self._panel.open_tool(tool)

    def _on_opened(self, tool: str) -> None:
        tools = self._window.splat_tools
        if tool == HISTOGRAM:
            names = values.value_names(self._given()[0].cloud)
            self._panel.histogram.set_choices(
                [
                    ValueChoice(key, each.title, _UNITS[each.unit], each.is_logarithmic)
                    for key, each in names.items()
                ]
            )
            self._show_histogram()
        was_cropping, tools.is_cropping = tools.is_cropping, tool == "crop"
        if tools.is_cropping:
            if tools.tool == "box":
                tools.show_options()
            else:
                tools.choose("box")
            self._on_box_dragged()
        elif was_cropping and tools.tool == "box":
            tools.leave()

    def _on_tool(self, tool: str) -> None:
        if self._panel.tool == "crop" and tool != "box":
            self._panel.close_tool()

    def _on_box_dragged(self) -> None:
        """Write a box that was dragged in the picture into the fields."""
        box = self._window.splat_tools.box.box
        if self._panel.tool == "crop" and box is not None:
            sizes = 2 * np.linalg.norm(box[:3, :3], axis=0)
            shown = {"center": _plain(box[:3, 3]), "size": _plain(sizes)}
            if shown != self._panel.parameters():
                self._panel.set_values("crop", shown)

    def _follow_fields(self, parameters: Mapping[str, Any]) -> None:
        """Show a box that was typed."""
        box = self._window.splat_tools.box
        if box.box is None:
            return
        typed = np.eye(4)
        typed[:3, :3] = np.diag(np.maximum(np.array(parameters["size"], float), 1e-9) / 2)
        typed[:3, 3] = parameters["center"]
        if not np.allclose(typed, box.box, rtol=1e-3, atol=1e-3 * float(np.abs(typed).max())):
            box.box = typed
            self._window.viewport.tools.annotations.refresh()

    def _show_histogram(self) -> None:
        name, given = self._panel.histogram.value, self._given()
        if not name or not given:
            return

        def compute() -> values.Histogram:
            choice = values.value_names(given[0].cloud)[name]
            columns = [values.values_of(s.cloud, name) for s in given if name in values.value_names(s.cloud)]
            marks = [s.marks for s in given if name in values.value_names(s.cloud)]
            counted = np.concatenate([each.is_drawn for each in marks])
            selected = np.concatenate([each.selected for each in marks])
            return values.histogram(np.concatenate(columns), counted, selected, 96, choice.is_logarithmic)

        self._window.splats.look(
            "histogram of splats",
            compute,
            lambda h: self._panel.histogram.set_histogram(name, h.edges, h.counts, h.selected),
        )

    def _preview_range(self, name: str, low: float, high: float) -> None:
        """Light up what lies in the range."""
        given = self._given()

        def compute() -> Preview:
            found = {s.id: _in_range(s, name, low, high) & s.marks.is_selectable for s in given}
            marks = {s.id: with_selected(s.marks, found[s.id]) for s in given}
            return Preview(str(sum(int(np.count_nonzero(each)) for each in found.values())), marks=marks)

        def show(preview: Preview) -> None:
            if self._panel.tool == HISTOGRAM and self._panel.histogram.plot.range is not None:
                self._panel.histogram.set_count(int(preview.note))
                self._preview = preview
                self._show(preview)

        self._window.splats.look("preview of splats", compute, show)

    def _show_preview(self, tool: str, preview: Preview) -> None:
        if self._panel.tool != tool:
            return
        self._preview = preview
        self._show(preview)
        self._panel.say(preview.note, has_preview=True)
        if tool == "crop":
            self._follow_fields(self._panel.parameters())

    def _show(self, preview: Preview | None) -> None:
        if preview is not None and preview.clouds:
            self._window.scene.show_clouds(preview.clouds, is_tinted=preview.is_tinted)
        else:
            self._window.scene.show_marks(preview.marks if preview is not None else {})

    def _show_before(self, on: bool) -> None:
        self._show(None if on else self._preview)

    def _end_preview(self) -> None:
        self._preview = None
        self._window.scene.show_marks({})


def _preview_of(verb: str, outcomes: Sequence[tuple[Splats, Outcome]]) -> Preview:
    total = sum(int(np.count_nonzero(~s.marks.deleted)) for s, _ in outcomes)
    count = sum(outcome.count for _, outcome in outcomes)
    notes = {outcome.note for _, outcome in outcomes if outcome.note}
    note = " ".join(sorted(notes)) or f"{verb} {gaussians(count)} of {number(total)}."
    return Preview(
        note,
        clouds={s.id: outcome.cloud for s, outcome in outcomes if outcome.cloud is not None},
        marks={
            s.id: with_selected(s.marks, outcome.found)
            for s, outcome in outcomes
            if outcome.found is not None
        },
    )


def _fields(splats: Splats, outcome: Outcome) -> dict[str, Any]:
    """What an outcome replaces of a layer; marks stay where they are of as many Gaussians."""
    fields: dict[str, Any] = {}
    if outcome.cloud is not None and outcome.cloud is not splats.cloud:
        fields["data"] = outcome.cloud
        if len(outcome.cloud) != len(splats.cloud):
            fields["marks"] = None
    if outcome.found is not None and outcome.found.any():
        kept = replace(splats.marks, selected=splats.marks.selected & ~outcome.found)
        fields["marks"] = replace(kept, deleted=splats.marks.deleted | outcome.found)
    return fields


def _in_range(splats: Splats, name: str, low: float, high: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if name not in values.value_names(splats.cloud):
        return np.zeros(len(splats.cloud), bool)
    return values.in_range(values.values_of(splats.cloud, name), low, high)


def _plain(numbers: Any) -> tuple[float, ...]:
    return tuple(float(f"{value:.4g}") for value in numbers)
