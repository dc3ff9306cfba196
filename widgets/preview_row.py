"""The button that tries an edit on one photo, how far that is, and what came of it."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QProgressBar, QWidget

from widgets.parts import StateLabel, column_in, row_of, text_button
from widgets.theme import active_theme, secondary_label

PreviewState = Literal["info", "busy", "warn"]
_LOOKS = {"info": ("text_second", "info"), "busy": ("text_second", "loader"), "warn": ("warn", "circle-help")}


class PreviewRow(QWidget):
    """The block above the button that applies an edit [edit_preview]. wished: try it; cancelled: no longer."""

    wished = Signal()
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("edit_preview")
        self.button = text_button("Preview one view", "eye")
        self.button.setObjectName("preview_view")
        self.button.setToolTip(
            "Edit the current photo only and show it beside the original; nothing changes in 3D"
        )
        self.button.clicked.connect(self.wished)
        self.cancel = text_button("Cancel", "x")
        self.cancel.setObjectName("edit_preview_cancel")
        self.cancel.setToolTip("End the preview now; nothing is kept of it")
        self.cancel.clicked.connect(self.cancelled)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(active_theme().px(6))
        self._had_keys = False
        self._state, self._facts = StateLabel(), secondary_label("")
        self._facts.setObjectName("preview_facts")
        self._facts.setWordWrap(True)
        self._card = self._build_card()
        buttons = row_of(self.button, self.cancel, spacing=6)
        buttons.setStretchFactor(self.button, 1)
        column = column_in(self, spacing=6)
        column.addLayout(buttons)
        column.addWidget(self._card)
        self.set_state("")

    @property
    def words(self) -> str:
        """What is said below the button."""
        return self._state.text() if self._card.isVisibleTo(self) else ""

    @property
    def facts(self) -> str:
        """What made the preview."""
        return self._facts.text()

    def set_state(self, words: str, state: PreviewState = "info", facts: str = "") -> None:
        """Say something below the button; "" says nothing. busy: the button waits. facts: what made the preview."""
        self._card.setVisible(bool(words))
        self._state.say(words, *_LOOKS[state])
        self._facts.setText(facts)
        self._facts.setVisible(bool(facts))
        self._bar.hide()
        self.cancel.hide()
        self._set_waiting(state == "busy")

    def set_progress(self, words: str, share: float) -> None:
        """How far a preview is that takes long and can be cancelled. share: 0 … 1."""
        if self.button.isEnabled():
            self.set_state(words, "busy")
        self._state.say(words, *_LOOKS["busy"])
        self._bar.setRange(0, 100)
        self._bar.setValue(round(100 * share))
        self._bar.show()
        self.cancel.show()

    def _build_card(self) -> QFrame:
        card = QFrame()
        card.setProperty("card", True)
        column = column_in(card, margin=8, spacing=4)
        column.addWidget(self._state)
        column.addWidget(self._bar)
        column.addWidget(self._facts)
        return card

    def _set_waiting(self, is_waiting: bool) -> None:
        """The keys come back to the button after it waited, unless they went elsewhere meanwhile."""
        if is_waiting:
            self._had_keys = self.button.hasFocus()
            self.button.clearFocus()  # Else they would go to whatever control is next.
        self.button.setEnabled(not is_waiting)
        if not is_waiting and self._had_keys and self.window().focusWidget() is None:
            self.button.setFocus()
