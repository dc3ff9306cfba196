"""Find and keep parts of splats: the list of parts, marks in the picture, words, mask pictures, how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import icon
from widgets.network_row import NetworkRow
from widgets.part_folds import Fold, MasksFold, SureFold, WordsFold
from widgets.part_list import PartList
from widgets.part_rows import PartRow
from widgets.parts import (
    EmptyPlace,
    StateLabel,
    column_in,
    grouped,
    icon_button,
    row_of,
    text_button,
)
from widgets.theme import active_theme, secondary_label, title_label

Show = Literal["color", "parts", "sure"]
_SHOWS: tuple[tuple[Show, str, str], ...] = (
    ("color", "Own colours", "Draw splats in their own colours"),
    ("parts", "Parts", "Draw each part in its colour (Shift+P)"),
    ("sure", "How sure", "Draw how sure it is that splats belong to their parts"),
)
MARK_TOOLS: tuple[tuple[str, str, str], ...] = (
    ("brush", "brush", "Brush: paint or click on the part"),
    ("lasso", "lasso", "Lasso: draw around a piece of the part"),
    ("polygon", "pentagon", "Polygon: click corners, Enter closes"),
    ("eraser", "eraser", "Eraser: take back what was drawn"),
    ("network", "crosshair", "Network: click on the part, or drag a box around it"),
)
_ACTIONS: tuple[tuple[str, str, str], ...] = (
    ("add", "circle-plus", "Add the selected splats to the part"),
    ("take", "circle-x", "Take the selected splats out of the part"),
    ("grow", "expand", "Grow the part to its neighbours"),
    ("shrink", "shrink", "Shrink the part by its rim"),
    ("merge", "combine", "Make one part of the chosen ones"),
    ("delete", "trash-2", "Delete the part; its splats stay (Del)"),
)


@dataclass(frozen=True)
class ViewChip:
    """A view that was drawn on. tip: what lies on it."""

    title: str
    tip: str
    is_here: bool = False


@dataclass(frozen=True)
class Note:
    """What is said below the button that finds parts. state: "ok", "warn", "error" or "" for plain words."""

    text: str = ""
    state: Literal["", "ok", "warn", "error"] = ""


_LOOKS = {
    "": ("text_second", "info"),
    "ok": ("ok", "circle-check"),
    "warn": ("warn", "triangle-alert"),
    "error": ("error", "circle-alert"),
}


class PartsPanel(QWidget):
    """The panel [parts_panel]. It shows what it is told and says what a person wishes.

    wished: "new", "select" or one of the actions below the list. tool_wished: a mark tool that was switched, "" for
    none. find_wished, live_toggled: find parts from the strokes, now or after each. show_wished: colours.
    view_wished, view_dropped: go to a view that was drawn on, or forget what was drawn there. import_wished: splats.
    Its folds `sure`, `by_words` and `by_masks` say themselves what is wished of them.
    """

    wished = Signal(str)
    tool_wished = Signal(str)
    find_wished = Signal()
    live_toggled = Signal(bool)
    show_wished = Signal(str)
    view_wished = Signal(int)
    view_dropped = Signal(int)
    import_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("parts_panel")
        self.list = PartList()
        self.sure, self.by_words, self.by_masks = SureFold(), WordsFold(), MasksFold()
        self.buttons: dict[str, QToolButton] = {}
        self.tools: dict[str, QToolButton] = {}
        self._views: tuple[ViewChip, ...] = ()
        self._marked = ""
        self._build()
        self.set_layer("")

    # What it is told

    def set_layer(self, name: str, summary: str = "") -> None:
        """Work on the parts of this layer; "" for none."""
        self._pages.setCurrentIndex(1 if name else 0)
        self._name.setText(name)
        self._summary.setText(summary)

    def set_rows(self, rows: Sequence[PartRow], current: int, num_selected: int) -> None:
        """Show these parts, and which of the actions make sense."""
        self.list.set_rows(rows, current)
        has_parts = len(rows) > 1
        self.list.setVisible(has_parts)
        self._hint.setVisible(not has_parts)
        for key in self.buttons:
            self.buttons[key].setVisible(has_parts)
        row = next((row for row in rows if row.number == current), None)
        is_part = row is not None and row.is_part
        is_free = is_part and row is not None and not row.is_locked
        has_splats = is_free and row is not None and row.count > 0
        self.buttons["add"].setEnabled(is_free and num_selected > 0)
        self.buttons["take"].setEnabled(has_splats and num_selected > 0)
        self.buttons["grow"].setEnabled(has_splats)
        self.buttons["shrink"].setEnabled(has_splats)
        self.buttons["merge"].setEnabled(len(self.list.selected) > 1)
        self.buttons["delete"].setEnabled(is_part)
        self.new_button.setText("New part from selection" if num_selected else "New part")
        self.new_button.setToolTip(
            f"A part of the {grouped(num_selected)} selected splats"
            if num_selected
            else "An empty part to mark in the picture"
        )
        self._marked = "what belongs to no part" if not is_part or row is None else f"“{row.name}”"
        self._mark_place.setEnabled(has_parts)
        self._show_marking()

    def _show_marking(self) -> None:
        """Say how to mark, with the tool that is under way."""
        if not self._mark_place.isEnabled():
            words = "Make a part first; then mark here what belongs to it."
        elif self.tools["network"].isChecked():
            words = (
                f"Click on {self._marked}, or drag a box around it: a network outlines it. Ctrl or the right button "
                "says what is not of it."
            )
        else:
            words = f"Draw on {self._marked}, in one to three views. Ctrl marks what belongs to none."
        self._marking.setText(words)

    def set_tool(self, tool: str) -> None:
        """Show which mark tool is under way; "" for none."""
        for name, button in self.tools.items():
            button.setChecked(name == tool)
        self._show_marking()

    def show_network(self, on: bool) -> None:
        """Show where the network for clicks lies, and what is wrong with it."""
        self.network.setVisible(on)

    def set_show(self, show: str) -> None:
        """Show what the colours in the picture mean; "" for something else."""
        self._shows.setExclusive(False)
        for name, button in self._show_buttons.items():
            button.setChecked(name == show)
        self._shows.setExclusive(True)

    def set_views(self, views: Sequence[ViewChip]) -> None:
        """The views that were drawn on."""
        if tuple(views) == self._views:
            return  # the camera asks at every step
        self._views = tuple(views)
        while self._view_row.count():
            item = self._view_row.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.deleteLater()
        for place, view in enumerate(views):
            self._view_row.addWidget(self._chip(place, view))
        self._view_row.addStretch(1)
        self._view_place.setVisible(bool(views))

    def set_finding(self, *, can_find: bool, is_live: bool, is_busy: bool) -> None:
        """Whether there are strokes to find parts from, and whether it is done after each."""
        self.find_button.setEnabled(can_find and not is_busy)
        self.find_button.setText("Finding…" if is_busy else "Find parts")
        with QSignalBlocker(self.live):
            self.live.setChecked(is_live)

    def say(self, note: Note) -> None:
        """Tell what finding came to."""
        self._note.setVisible(bool(note.text))
        self._note.say(note.text, *_LOOKS[note.state])

    # Building

    def _build(self) -> None:
        px = active_theme().px
        button = text_button("Import splats…", "import")
        button.clicked.connect(self.import_wished)
        self._pages = QStackedWidget()
        self._pages.addWidget(
            EmptyPlace("puzzle", "Choose one layer of splats in the list to find and keep its parts.", button)
        )
        content = QWidget()
        content.setProperty("transparent", "true")
        column = column_in(content, margin=12, spacing=8)
        self._add_head(column)
        self._add_list(column)
        column.addSpacing(px(8))
        self._add_marking(column)
        column.addSpacing(px(4))
        for fold in (self.sure, self.by_words, self.by_masks):
            column.addWidget(fold)
            fold.turned.connect(lambda on, fold=fold: self._bring_up(fold) if on else None)
        column.addStretch(1)
        self._scroll = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        self._pages.addWidget(scroll)
        column_in(self).addWidget(self._pages)

    def _bring_up(self, fold: Fold) -> None:
        """Scroll to what was unfolded, once it has its room."""
        QTimer.singleShot(0, fold, lambda: self._scroll.ensureWidgetVisible(fold, 0, 0))

    def _add_head(self, column: QVBoxLayout) -> None:
        self._name, self._summary = title_label(""), secondary_label("")
        self._summary.setObjectName("parts_summary")
        self._summary.setWordWrap(True)
        column.addWidget(self._name)
        column.addWidget(self._summary)
        self._shows, self._show_buttons = QButtonGroup(self), dict[str, QPushButton]()
        row = QHBoxLayout()
        row.setSpacing(active_theme().px(4))
        for show, words, tip in _SHOWS:
            button = text_button(words)
            button.setObjectName(f"show_{show}")
            button.setCheckable(True)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, name=show: self.show_wished.emit(name))
            self._shows.addButton(button)
            self._show_buttons[show] = button
            row.addWidget(button, 1)
        column.addLayout(row)

    def _add_list(self, column: QVBoxLayout) -> None:
        self._hint = secondary_label(
            "A part is a piece of the splats with a name, such as “hair”. Make one and mark it in the picture: it can "
            "then be recoloured, moved or changed in words, and nothing else changes."
        )
        self._hint.setWordWrap(True)
        self.list.chosen.connect(lambda _: self.wished.emit("chosen"))
        self.list.key_wished.connect(self.wished)
        self.new_button = text_button("New part", "plus")
        self.new_button.setObjectName("part_new")
        self.new_button.clicked.connect(lambda: self.wished.emit("new"))
        for key, icon_name, tip in _ACTIONS:
            button = icon_button(icon_name, tip)
            button.setObjectName(f"part_{key}")
            button.setMinimumSize(QSize(active_theme().px(28), active_theme().px(28)))
            button.clicked.connect(lambda _=False, wish=key: self.wished.emit(wish))
            self.buttons[key] = button
        column.addWidget(self._hint)
        column.addWidget(self.list)
        column.addLayout(row_of(self.new_button, 1, *self.buttons.values(), spacing=2))

    def _add_marking(self, column: QVBoxLayout) -> None:
        column.addWidget(title_label("Mark in the picture"))
        self._mark_place = QWidget()
        inner = column_in(self._mark_place, spacing=8)
        self._marking = secondary_label("")
        self._marking.setWordWrap(True)
        inner.addWidget(self._marking)
        self.live = QCheckBox("Find as I draw")
        self.live.setObjectName("part_live")
        self.live.setToolTip("Find the parts anew after each stroke")
        self.live.toggled.connect(self.live_toggled)
        inner.addLayout(row_of(*map(self._tool, MARK_TOOLS), 1, self.live, spacing=4))
        self.network = NetworkRow("part_network")
        self.network.hide()
        inner.addWidget(self.network)
        self._view_place = QWidget()
        self._view_row = QHBoxLayout(self._view_place)
        self._view_row.setContentsMargins(0, 0, 0, 0)
        self._view_row.setSpacing(active_theme().px(4))
        inner.addWidget(self._view_place)
        self.find_button = text_button("Find parts", "sparkles", is_primary=True)
        self.find_button.setObjectName("part_find")
        self.find_button.clicked.connect(self.find_wished)
        inner.addWidget(self.find_button)
        self._note = StateLabel()
        self._note.setObjectName("part_note")
        inner.addWidget(self._note)
        column.addWidget(self._mark_place)
        self.say(Note())

    def _tool(self, tool: tuple[str, str, str]) -> QToolButton:
        name, icon_name, tip = tool
        button = icon_button(icon_name, tip, is_checkable=True, side=18)
        button.setObjectName(f"mark_{name}")
        button.setFixedSize(QSize(active_theme().px(32), active_theme().px(32)))
        button.clicked.connect(lambda on: self.tool_wished.emit(name if on else ""))
        self.tools[name] = button
        return button

    def _chip(self, place: int, view: ViewChip) -> QWidget:
        """A view: a click goes there, the cross forgets what was drawn on it."""
        button = text_button(view.title, "video")
        button.setObjectName(f"part_view_{place}")
        button.setCheckable(True)
        button.setChecked(view.is_here)
        button.setToolTip(view.tip)
        button.clicked.connect(lambda: self.view_wished.emit(place))
        button.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        drop = button.addAction(icon("x"), "Forget the strokes of this view")
        drop.triggered.connect(lambda: self.view_dropped.emit(place))
        return button
