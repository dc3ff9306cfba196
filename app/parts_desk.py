"""The parts of the chosen layer of splats: which there are, which one is chosen, and what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app import part_changes as changes
from app.data_words import counted
from app.data_words import number as words_of
from app.layer_look import part_row
from app.layers import Layer, changed
from app.part_jobs import PartJobs
from app.part_marking import PartMarking
from app.part_strokes import views_in
from app.splat_edits import Change, Splats, splats_of
from recon.gaussian_neighbours import grown, shrunk
from recon.gaussian_selection import with_selected
from recon.romap.part_table import NO_PART, PART, Part, next_number, part_numbers, parts_of
from render.gaussians import GaussianCloud
from widgets.colour_maps import label_color
from widgets.layer_list import LayerRow
from widgets.part_legend import PartLegend
from widgets.part_rows import PartRow
from widgets.theme import active_theme

if TYPE_CHECKING:
    from app.main_window import MainWindow

_NOBODY = "#8a8782"  # as splats without a part are drawn
LOOKS: Mapping[str, Mapping[str, object]] = {
    "color": {"splat_coloring": "color"},
    "parts": {"splat_coloring": "tint", "value_name": "part"},
    "sure": {
        "splat_coloring": "value", "value_name": "part_confidence", "value_range": (0.0, 1.0), "color_map": "viridis",
    },
}  # fmt: skip


class PartsDesk(QObject):
    """Parts of one layer: the first of those that commands for splats work on.

    current_changed: another part is chosen, or none.
    """

    current_changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._panel = window, window.parts_panel
        self._chosen: dict[str, int] = {}  # by layer
        self._told: tuple[str, int, str] | None = None
        self._known: dict[str, tuple[tuple[object, object], tuple[Part, ...]]] = {}  # by layer
        self._made: dict[str, tuple[tuple[object, ...], list[PartRow]]] = {}  # by layer
        self.show = "color"
        self.legend = PartLegend(window.viewport)
        self.marking = PartMarking(window, self)
        self.jobs = PartJobs(window, self)
        self._wire()

    def _wire(self) -> None:
        panel = self._panel
        acts: dict[str, Callable[[], None]] = {
            "chosen": self._on_chosen, "new": self.make_part, "add": self.add_selection, "take": self.take_selection,
            "grow": self.grow, "shrink": self.shrink, "merge": self.merge, "delete": self.delete,
            "select": self.select,
        }  # fmt: skip
        panel.wished.connect(lambda wish: acts[wish]())
        self._window.scene.part_rows = self._listed
        self._window.scene.part_wished.connect(self._do_listed)
        panel.list.renamed.connect(self.rename)
        panel.list.recolored.connect(self.recolor)
        panel.list.visibility_toggled.connect(self.set_visible)
        panel.list.lock_toggled.connect(self.set_locked)
        panel.show_wished.connect(self.set_show)
        panel.import_wished.connect(self._window.files.import_files)
        panel.sure.changed.connect(self._preview_sure)
        panel.sure.applied.connect(self.keep_sure)
        panel.sure.closed.connect(self._end_sure)

    # What there is

    @property
    def layer(self) -> Layer | None:
        """The layer whose parts are shown."""
        return next(iter(self._window.splats.layers), None)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part of the layer, and last what belongs to none."""
        return () if self.layer is None else self._parts_in(self.layer)

    @property
    def current(self) -> tuple[str, int, str] | None:
        """The chosen part: id of its layer, its number and what it is called; None without one."""
        layer = self.layer
        if layer is None:
            return None
        number = self._chosen.get(layer.id, NO_PART)
        part = next((part for part in self.parts if part.number == number != NO_PART), None)
        return None if part is None else (layer.id, part.number, part.title)

    @property
    def number(self) -> int:
        """The number of the chosen part, NO_PART for none."""
        return NO_PART if self.current is None else self.current[1]

    def color_of(self, number: int) -> str:
        """The colour of a part, "#rrggbb"."""
        return _NOBODY if self.layer is None else _color_in(self.layer, number)

    def title_of(self, number: int) -> str:
        """What a part is called."""
        return next((part.title for part in self.parts if part.number == number), f"Part {number}")

    def choose(self, number: int) -> None:
        """Work on this part of the layer from now on; NO_PART for none."""
        layer = self.layer
        if layer is not None:
            self._chosen[layer.id] = number
            self.refresh()

    def refresh(self) -> None:
        """Follow the project and the selection of layers."""
        self._forget_layers()
        layer, current = self.layer, self.current
        self._panel.set_layer(layer.name if layer is not None else "", self._summary())
        if layer is not None:
            chosen = self._window.splats.num_selected
            self._panel.set_rows(self._rows(layer), self.number, chosen)
        self._show_colors()
        self.marking.refresh()
        self.jobs.refresh()
        if current != self._told and self._panel.sure.is_open:
            self._preview_sure(self._panel.sure.least)
        if current != self._told:
            self._told = current
            self.current_changed.emit()

    # Edits, one undo step each

    def make_part(self) -> None:
        """A new part: of the selected splats, or an empty one to mark in the picture."""
        layer = self.layer
        if layer is None or not isinstance(layer.data, GaussianCloud):
            return
        drawn = {mark.part for view in views_in(layer.extra) for mark in view.marks}
        number = max(next_number(layer.data), *(part + 1 for part in drawn), 1)
        self._do(lambda given: changes.new_part(given, number, f"Part {number}"))
        self._window.splats.edits.then(lambda: self._name_new(number))

    def add_selection(self) -> None:
        """The selected splats belong to the part, whatever is found later."""
        number = self.number
        self._do(lambda given: changes.added(given, number))

    def take_selection(self) -> None:
        """The selected splats do not belong to the part, whatever is found later."""
        number = self.number
        self._do(lambda given: changes.taken_out(given, number))

    def grow(self) -> None:
        number = self.number
        self._do(lambda given: changes.resized(given, number, "Grow", grown))

    def shrink(self) -> None:
        number = self.number
        self._do(lambda given: changes.resized(given, number, "Shrink", shrunk))

    def merge(self) -> None:
        """Make one part of those that are chosen in the list: the current one, with its name and colour."""
        numbers = self._panel.list.selected
        if len(numbers) < 2:
            return
        self._do(lambda given: changes.merged(given, numbers, numbers[0]))

    def delete(self) -> None:
        """Forget the parts that are chosen in the list; their splats stay."""
        self._delete(self._panel.list.selected)

    def rename(self, number: int, name: str) -> None:
        self._do(lambda given: changes.renamed(given, number, name))

    def recolor(self, number: int, color: str) -> None:
        """Draw a part in another colour."""
        layer = self.layer
        if layer is not None:
            style = changes.recolored_style(layer.style, number, color)
            text = f"Recolour “{self.title_of(number)}” in the list"
            self._window.project.edit(text, changed(self._window.project.layers, layer.id, style=style))

    def select(self) -> None:
        """Select the splats of the chosen part."""
        number = self.number
        self._do(lambda given: changes.selected(given, number))

    def set_visible(self, number: int, on: bool) -> None:
        self._do(lambda given: changes.hidden(given, number, not on))

    def set_locked(self, number: int, on: bool) -> None:
        self._do(lambda given: changes.locked(given, number, on))

    def keep_sure(self, least: float) -> None:
        """Let only what is sure enough belong to the chosen part."""
        number, likely = self.number, self.marking.likeliness(self.number)
        self._do(lambda given: changes.kept_sure(given, number, least, likely))

    # Colours in the picture

    def set_show(self, show: str) -> None:
        """Draw splats in their own colours ("color"), by parts ("parts"), or by how sure these are ("sure")."""
        self.show = show
        self._show_colors()
        self._window.conditions.update()

    def show_parts(self, on: bool) -> None:
        """Draw each part in its colour, or splats in their own."""
        self.set_show("parts" if on else "color")

    def show_sure(self, on: bool) -> None:
        """Draw how sure it is that splats belong to their parts, or their own colours."""
        self.set_show("sure" if on else "color")

    def _show_colors(self) -> None:
        layer = self.layer
        columns = layer.data.extra if layer is not None and isinstance(layer.data, GaussianCloud) else {}
        needed = {"parts": PART, "sure": "part_confidence"}.get(self.show)
        is_shown = layer is not None and needed is not None and needed in columns
        is_shown = is_shown and not self._panel.sure.is_open  # what would belong to a part is tinted then
        look = LOOKS[self.show] if is_shown else None
        self._window.scene.set_look({} if layer is None or look is None else {layer.id: look})
        self._panel.set_show(self.show)
        entries = (
            [(row.name, row.color) for row in self._rows(layer) if row.count and row.is_part]
            if layer is not None
            else []
        )
        self.legend.set_entries(entries if is_shown and self.show == "parts" else ())

    def close(self) -> None:
        """The window closes."""
        self.marking.clicks.close()

    # Inner life

    def _delete(self, numbers: Sequence[int]) -> None:
        if numbers:
            self._do(lambda given: changes.deleted(given, numbers))

    def _on_chosen(self) -> None:
        """A row was clicked: its splats are selected, but while parts are marked, which that would hide."""
        item = self._panel.list.current_number
        self.choose(item)
        if not self.marking.tool and item != NO_PART:
            self.select()

    def _name_new(self, number: int) -> None:
        """Let the person type the name of a part that was just made."""
        if any(part.number == number for part in self.parts):
            self.choose(number)
            self._panel.list.edit_name(number)

    def _do(self, compute: Callable[[Splats], Change | str]) -> None:
        """An edit of the one layer whose parts are shown."""
        layer, window = self.layer, self._window
        if layer is None:
            return
        if layer.id in window.splats.ids:
            window.splats.edits.do([layer.id], lambda given: compute(given[0]))
        else:
            state = "locked" if layer.is_locked else "hidden"
            window.shell.toast(f"“{layer.name}” is {state}.", "warning")

    def _rows(self, layer: Layer) -> list[PartRow]:
        key, known = (layer, active_theme()), self._made.get(layer.id)
        if known is None or known[0] != key:
            known = self._made[layer.id] = (key, self._made_rows(layer))
        return known[1]

    def _forget_layers(self) -> None:
        """Hold nothing of layers that are gone."""
        there = {layer.id for layer in self._window.project.layers}
        for table in (self._chosen, self._known, self._made):
            for gone in table.keys() - there:
                del table[gone]

    def _parts_in(self, layer: Layer) -> tuple[Part, ...]:
        if not isinstance(layer.data, GaussianCloud):
            return ()
        deleted = None if layer.marks is None else layer.marks.deleted
        known = self._known.get(layer.id)
        if known is None or known[0][0] is not layer.data or known[0][1] is not deleted:
            parts = parts_of(layer.data, None if deleted is None else ~deleted)
            known = self._known[layer.id] = ((layer.data, deleted), parts)
        return known[1]

    def _listed(self, layer: Layer) -> list[LayerRow]:
        """The parts of a layer as the list of layers shows them."""
        if not isinstance(layer.data, GaussianCloud) or not self._parts_in(layer)[:-1]:
            return []
        return [
            part_row(
                layer,
                LayerRow(str(row.number), row.name, "part", not row.is_hidden, row.is_locked, row.color),
            )
            for row in self._rows(layer)
            if row.is_part
        ]

    def _do_listed(self, layer_id: str, number: int, wish: str, value: Any) -> None:
        """What is wished of a part in the list of layers."""
        if self.layer is None or self.layer.id != layer_id:
            self._window.scene.select([layer_id])
        acts: dict[str, Callable[[], None]] = {
            "choose": lambda: self.choose(number),
            "show": lambda: self.set_visible(number, value),
            "lock": lambda: self.set_locked(number, value),
            "name": lambda: self.rename(number, value),
            "delete": lambda: self._delete([number]),
        }
        acts[wish]()

    def _made_rows(self, layer: Layer) -> list[PartRow]:
        given = splats_of(layer)
        if given is None:
            return []
        strokes = [mark.part for view in views_in(layer.extra) for mark in view.marks]
        states = {name: _numbers_all(given, name) for name in ("hidden", "locked")}
        return [
            PartRow(
                part.number, part.title, _color_in(layer, part.number), part.count, part.confidence,
                part.number in states["hidden"], part.number in states["locked"], strokes.count(part.number),
            )
            for part in self._parts_in(layer)
        ]  # fmt: skip

    def _summary(self) -> str:
        parts = self.parts
        if len(parts) < 2:
            return "No parts yet."
        rest = parts[-1].count
        others = f", {counted(rest, 'splat')} in none" if rest else ", every splat in one"
        return f"{counted(len(parts) - 1, 'part')}{others}."

    def _end_sure(self) -> None:
        self._window.scene.show_marks({})
        self._show_colors()

    def _preview_sure(self, least: float) -> None:
        """Light up what would belong to the part, and say how many join and leave."""
        layer = self.layer
        given = splats_of(layer)
        number, likely = self.number, self.marking.likeliness(self.number)
        self._show_colors()
        if given is None or number == NO_PART or not self._panel.sure.is_open:
            self._panel.sure.say("Choose a part in the list.", "", can_apply=False)
            return

        def compute() -> tuple[NDArray[np.bool_], int, int]:
            before = changes.mask_of(given, number)
            after = changes.sure_mask(given, number, least, likely)
            return after, int(np.count_nonzero(after & ~before)), int(np.count_nonzero(before & ~after))

        def show(found: tuple[NDArray[np.bool_], int, int] | None) -> None:
            if found is None or not self._panel.sure.is_open:
                return
            after, joins, leaves = found
            self._window.scene.show_marks({given.id: with_selected(given.marks, after)})
            words = f"{changes.splats(int(np.count_nonzero(after)))}: {words_of(joins)} join, {words_of(leaves)} leave."
            title = f"“{self.title_of(number)}”: at least {round(100 * least)}\u202f% sure"
            self._panel.sure.say(title, words, can_apply=joins + leaves > 0)

        self._window.splats.look("preview of parts", compute, show)


def _color_in(layer: Layer, number: int) -> str:
    own = dict(layer.style.get("label_colors") or ())
    if number in own:
        return str(own[number])
    return label_color(number, active_theme().is_dark) if number > 0 else _NOBODY


def _numbers_all(given: Splats, name: str) -> set[int]:
    """The parts of which all splats bear a mark, "hidden" or "locked"."""
    mark, left = getattr(given.marks, name), ~given.marks.deleted
    if not mark.any():
        return set()
    numbers = part_numbers(given.cloud)
    return set(np.unique(numbers[left & mark]).tolist()) - set(np.unique(numbers[left & ~mark]).tolist())
