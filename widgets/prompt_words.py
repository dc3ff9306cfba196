"""What was understood of a sentence, word by word, and what was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from widgets.flow_layout import flow_in

_MOST_LETTERS = 28  # of a chip; a word without an end would widen the panel


@dataclass(frozen=True)
class PromptWord:
    """One thing that a sentence says. is_known: whether it will be done; else it is left out. tip: more about it."""

    text: str
    is_known: bool = True
    tip: str = ""


class PromptWords(QWidget):
    """Chips [prompt_words]: filled for what is understood; outlined in the colour of warnings, with a question mark, for
    what is not."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("prompt_words")
        self._flow = flow_in(self)
        self._words: tuple[PromptWord, ...] = ()

    @property
    def words(self) -> tuple[PromptWord, ...]:
        """What is shown."""
        return self._words

    def set_words(self, words: Sequence[PromptWord]) -> None:
        """Show these; nothing takes no room."""
        if tuple(words) == self._words:
            return
        self._words = tuple(words)
        while (item := self._flow.takeAt(0)) is not None:
            if (label := item.widget()) is not None:
                label.hide()
                label.deleteLater()
        for word in words:
            self._flow.addWidget(_chip(word))
        self.setVisible(bool(words))
        known = ", ".join(word.text for word in words if word.is_known)
        unknown = ", ".join(word.text for word in words if not word.is_known)
        self.setAccessibleName(
            ". ".join(
                filter(None, (known and f"Understood: {known}", unknown and f"Not understood: {unknown}"))
            )
        )
        self.updateGeometry()


def _chip(word: PromptWord) -> QLabel:
    text = word.text if len(word.text) <= _MOST_LETTERS else f"{word.text[: _MOST_LETTERS - 1]}…"
    label = QLabel(text if word.is_known else f"{text} ?")
    label.setProperty("chip", "known" if word.is_known else "unknown")
    label.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    label.setToolTip(word.tip or ("" if word.is_known else "Not understood: it is left out."))
    return label
