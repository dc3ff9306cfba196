"""Over the view: an edit that waits, what it changed, how to look at it, and what to do with it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from widgets.icons import IconLabel, icon
from widgets.parts import column_in, row_of, text_button
from widgets.theme import active_theme
from widgets.view_compare import CompareMode

_WORDS_FROM = 720  # design pixels of width from which there is room for words
_MODES: tuple[tuple[CompareMode, str, str, str], ...] = (
    ("after", "eye", "Edited", "The edit alone (hold ` to see what was before)"),
    ("split", "square-split-horizontal", "Split", "Before and after, parted by a line to drag (\\)"),
    ("beside", "columns-2", "Side by side", "Before and after beside each other"),
    ("flicker", "zap", "Flicker", "Before and after, one after the other at the same place"),
    ("difference", "flame", "Difference", "Where the picture changed, and how much"),
)


class ReviewBar(QFrame):
    """The bar [review_bar]. mode_chosen: how to compare. wished: "accept", "reject", "another", "refine" or "close"."""

    mode_chosen = Signal(str)
    wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("review_bar")
        self.setProperty("notice", True)
        self._group = QButtonGroup(self)
        self.modes = {mode: self._mode_button(mode, *words) for mode, *words in _MODES}
        self._build()
        self.set_mode("after")
        self.hide()

    def show_pending(
        self, title: str, figures: str, note: str = "", *, has_base: bool = True, has_seed: bool = True
    ) -> None:
        """An edit that waits. figures: how much it changed. note: what made it. has_base: whether what it was made from
        is still there, to compare with and to try again on. has_seed: whether another seed makes another edit."""
        gone = "" if has_base else "What it was made from was deleted"
        self._show(title, figures, ". ".join(filter(None, (note, gone))), "circle-dashed", is_pending=True)
        for button in self.modes.values():
            button.setVisible(has_base)
        self._choices["another"].setVisible(has_base and has_seed)

    def show_pair(self, before: str, after: str) -> None:
        """Two versions that are compared, by their names, with nothing to decide."""
        self._show(f"“{before}” and “{after}”", "", "", "git-compare", is_pending=False)
        self.modes["after"].setText(after)
        for button in self.modes.values():
            button.show()

    def set_mode(self, mode: str) -> None:
        """Tick how it is compared; none for "before"."""
        button = self.modes.get(mode)  # type: ignore[call-overload]
        if button is not None:
            button.setChecked(True)

    # Inner life

    def _build(self) -> None:
        px = active_theme().px
        self._icon = IconLabel("circle-dashed", 16, "accent")
        self._title, self._figures = QLabel(), QLabel()
        self._title.setProperty("role", "heading")
        self._title.setObjectName("review_title")
        self._figures.setProperty("role", "secondary")
        self._figures.setObjectName("review_figures")
        for label in (self._title, self._figures):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._choices = self._make_choices()
        choices = self._choices
        head = row_of(self._icon, self._title, choices["reject"], choices["accept"], choices["close"])
        head.setStretchFactor(self._title, 1)
        tools = row_of(*self.modes.values(), 1, choices["another"], choices["refine"], spacing=2)
        column = column_in(self, spacing=4)
        column.setContentsMargins(px(12), px(8), px(8), px(6))
        column.addLayout(head)
        column.addWidget(self._figures)
        column.addLayout(tools)

    def _make_choices(self) -> dict[str, QPushButton]:
        made: dict[str, QPushButton] = {}
        for name, words, icon_name, tip in (
            ("accept", "Accept", "check", "Keep it as a new version (Ctrl+Shift+Return)"),
            ("reject", "Reject", "x", "Drop it; everything is as before (Ctrl+Shift+Backspace, or Ctrl+Z)"),
            ("another", "Another seed", "refresh-cw", "Try the same words with another seed"),
            ("refine", "Refine", "pencil", "Change the words, and try again"),
            ("close", "Close", "x", "Compare no longer (\\)"),
        ):
            button = text_button(words, icon_name, is_primary=name == "accept")
            button.setObjectName(f"review_{name}")
            button.setToolTip(tip)
            if name not in ("accept", "close"):
                button.setProperty("quiet", True)
            button.clicked.connect(lambda _=False, name=name: self.wished.emit(name))
            made[name] = button
        return made

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where it is narrow, ways to compare are told by their icons alone."""
        super().resizeEvent(event)
        is_wide = event.size().width() >= active_theme().px(_WORDS_FROM)
        styles = Qt.ToolButtonStyle
        for button in self.modes.values():
            button.setToolButtonStyle(
                styles.ToolButtonTextBesideIcon if is_wide else styles.ToolButtonIconOnly
            )

    def _mode_button(self, mode: str, icon_name: str, words: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"review_mode_{mode}")
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setIcon(icon(icon_name))
        button.setText(words)
        button.setAccessibleName(words)
        button.setToolTip(tip)
        side = active_theme().px(16)
        button.setIconSize(QSize(side, side))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.clicked.connect(lambda: self.mode_chosen.emit(mode))
        self._group.addButton(button)
        return button

    def _show(self, title: str, figures: str, note: str, icon_name: str, *, is_pending: bool) -> None:
        self._icon.set_icon(icon_name, 16, "accent" if is_pending else "text_second")
        self._title.setText(title)
        self._figures.setText(". ".join(filter(None, (figures, note))))
        self._figures.setVisible(bool(figures or note))
        for name, button in self._choices.items():
            button.setVisible((name == "close") != is_pending)
        self.modes["after"].setText("Edited")
        self.setAccessibleName(f"{title}. {figures}")
        self.show()
