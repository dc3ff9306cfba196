"""The views that an edit was made of: each edited, with its score and what became of it; a person may overrule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QListView, QWidget

from widgets.elided_label import ElidedLabel
from widgets.image_cells import ImageModel, ImageRow, show_as_cells
from widgets.parts import EmptyPlace, column_in, icon_button, row_of, text_button
from widgets.theme import active_theme

Picture = NDArray[np.uint8]
_WORDS_FROM = 560  # design pixels of width from which the buttons have room for words
_FILTERS = (("all", "All"), ("used", "Kept"), ("doubtful", "Counting less"), ("left out", "Left out"))


@dataclass(frozen=True)
class EditedView:
    """One view. score: how far it is from what the views say together, in percent; None where it takes no part.
    is_kept: whether the edit uses it. is_overruled: whether a person decided so. counts_less: used, but hardly."""

    name: str
    score: float | None
    is_kept: bool
    reason: str = ""
    is_overruled: bool = False
    counts_less: bool = False

    def row(self, is_changed: bool = False) -> ImageRow:
        """How the list shows it. is_changed: since the edit was made."""
        figure = "" if self.score is None else f"{self.score:.1f} %"
        is_doubtful = self.counts_less and not self.is_overruled
        return ImageRow(
            self.name, self.is_kept, note=self.why, figure=figure, is_doubtful=is_doubtful, is_changed=is_changed
        )  # fmt: skip

    @property
    def why(self) -> str:
        """Why it is kept or left out; "" for what needs no reason."""
        return "Your choice" if self.is_overruled else self.reason


class _List(QListView):
    """Space keeps a view or leaves it out."""

    toggled = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self.toggled.emit()
        else:
            super().keyPressEvent(event)


class EditedViews(QWidget):
    """The gallery [edited_views].

    current_changed: index of the view to look at. overruled: indices of views, and whether they are to be kept.
    apply_wished: make the edit again with these views. forgotten: undo what was overruled.
    """

    current_changed = Signal(int)
    overruled = Signal(list, bool)
    apply_wished = Signal()
    forgotten = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("edited_views")
        self.setMinimumWidth(active_theme().px(240))  # less than its bar takes
        self._views: tuple[EditedView, ...] = ()
        self._model = ImageModel(self)
        self._empty = EmptyPlace(
            "layer-views", "The views of an edit appear here, each with its score and what became of it."
        )
        self._content = QWidget()
        whole = column_in(self, spacing=0)
        whole.addWidget(self._empty)
        whole.addWidget(self._content)
        column = column_in(self._content, spacing=0)
        column.addLayout(self._build_bar())
        column.addWidget(self._build_list(), 1)
        self.set_views(())

    @property
    def views(self) -> tuple[EditedView, ...]:
        """What is shown, with what was overruled."""
        return self._views

    @property
    def current(self) -> int:
        """Index of the current view; −1 for none."""
        return self._model.image_at(self.list.currentIndex())

    def set_views(
        self, views: Sequence[EditedView], summary: str = "", decided: Sequence[EditedView] = ()
    ) -> None:
        """Show the views of an edit. summary: how far they agreed before and after. decided: the same views as the edit
        was made with, where a person changed some since."""
        current = self.current
        self._views = tuple(views)
        changed = [now != then for now, then in zip(views, decided or views, strict=True)]
        self._model.set_rows([view.row(is_new) for view, is_new in zip(views, changed, strict=True)])
        self._empty.setVisible(not views)
        self._content.setVisible(bool(views))
        kept = sum(view.is_kept for view in views)
        self._count.setText(f"{kept} of {len(views)} kept")
        self._count.setToolTip(summary)
        is_changed = any(changed)
        self.apply.setEnabled(is_changed)
        self.apply.setToolTip(
            "Make the edit again with the views that are kept now" if is_changed
            else "First keep a view, or leave one out, against what was decided"
        )  # fmt: skip
        self._forget.setVisible(is_changed)
        if 0 <= current < len(views):
            flags = QItemSelectionModel.SelectionFlag
            self.list.selectionModel().setCurrentIndex(self._model.place_of(current), flags.SelectCurrent)
        self._show_state()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What does not fit is left to the tooltip."""
        super().resizeEvent(event)
        is_wide = self.width() >= active_theme().px(_WORDS_FROM)
        self.apply.setText("Apply again with these views" if is_wide else "Apply again")
        style = Qt.ToolButtonStyle
        self._toggle.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if is_wide else style.ToolButtonIconOnly
        )

    def set_pictures(self, pictures: Mapping[int, Picture]) -> None:
        """Show pictures (H, W, 3) of edited views."""
        self._model.set_pictures(pictures)

    def forget_pictures(self) -> None:
        """The pictures are of another edit."""
        self._model.forget_pictures()

    def selected(self) -> list[int]:
        """Indices of the selected views."""
        return sorted(self._model.image_at(place) for place in self.list.selectionModel().selectedIndexes())

    def toggle(self) -> None:
        """Keep the selected views, or leave them out where all are kept."""
        chosen = self.selected()
        if chosen:
            self.overruled.emit(chosen, not all(self._views[i].is_kept for i in chosen))

    def _build_bar(self) -> QHBoxLayout:
        px = active_theme().px
        self.filter = QComboBox()
        self.filter.setObjectName("edited_filter")
        self.filter.setAccessibleName("Which views to show")
        for name, text in _FILTERS:
            self.filter.addItem(text, name)
        self.filter.activated.connect(lambda _: self._model.show_only(self.filter.currentData()))
        self._count, self._reason = QLabel(), ElidedLabel(is_secondary=True)
        self._count.setObjectName("edited_kept")
        self._reason.setObjectName("edited_reason")
        self._toggle = icon_button(
            "square-check", "Leave out", "Keep the selected views or leave them out (Space)"
        )
        self._toggle.setObjectName("edited_toggle")
        self._toggle.set_worded("Leave out")
        self._toggle.clicked.connect(self.toggle)
        self._forget = icon_button("undo-2", "As decided", "Go back to what was decided by the scores")
        self._forget.clicked.connect(self.forgotten)
        self.apply = text_button("Apply again with these views", "refresh-cw")
        self.apply.setObjectName("edited_apply")
        self.apply.clicked.connect(self.apply_wished)
        bar = row_of(self.filter, self._count, self._reason, self._toggle, self._forget, self.apply)
        bar.setStretchFactor(self._reason, 1)
        bar.setContentsMargins(px(8), px(4), px(8), px(4))
        return bar

    def _build_list(self) -> QListView:
        self.list = _List()
        self.list.setObjectName("edited_list")
        self.list.setAccessibleName("Edited views")
        self.list.setModel(self._model)
        show_as_cells(self.list)
        self.list.toggled.connect(self.toggle)
        self.list.selectionModel().currentChanged.connect(
            lambda place, _: (
                self.current_changed.emit(self._model.image_at(place)) if place.isValid() else None
            )
        )
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._show_state())
        return self.list

    def _show_state(self) -> None:
        chosen = [i for i in self.selected() if 0 <= i < len(self._views)]
        self._toggle.setEnabled(bool(chosen))
        keeps = bool(chosen) and not all(self._views[i].is_kept for i in chosen)
        self._toggle.setText("Keep" if keeps else "Leave out")
        words = f"{len(chosen)} selected" if chosen else reasons(self._views)
        if len(chosen) == 1:
            words = _told(self._views[chosen[0]])
        self._reason.setText(words)


def reasons(views: Sequence[EditedView]) -> str:
    """Why views are left out or count less, those that most share first: "3: other shapes.  1: hardly edited"."""
    found = Counter(view.why for view in views if view.why and (view.counts_less or not view.is_kept))
    return "  ·  ".join(f"{count}: {why.rstrip('.')}" for why, count in found.most_common())


def _told(view: EditedView) -> str:
    """One view in a line: what is decided and why, then how far it is off."""
    off = "" if view.score is None else f"{view.score:.1f} % off what the views say together"
    return "  ·  ".join(part for part in (view.name.rpartition("/")[2], view.why.rstrip("."), off) if part)


def overruled(views: Sequence[EditedView], which: Sequence[int], keeps: bool) -> list[EditedView]:
    """The same views, some of them kept or left out by a person."""
    return [
        replace(view, is_kept=keeps, is_overruled=True) if i in which and view.is_kept != keeps else view
        for i, view in enumerate(views)
    ]
