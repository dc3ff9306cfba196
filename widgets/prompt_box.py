"""Say in words what is to change: the sentence, what was understood of it, and the settings of who does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPlainTextEdit,
    QSizePolicy,
    QWidget,
)

from widgets.icons import IconLabel, icon
from widgets.parts import StateLabel, column_in, icon_button, row_of, text_button, with_property
from widgets.prompt_settings import PromptSettings
from widgets.prompt_words import PromptWord, PromptWords
from widgets.theme import active_theme, secondary_label, title_label

_LINES = 3
RUN = "Make the edit"
_RUN_TIP = "Make the edit (Ctrl+Enter). It waits for you to accept it."
EXAMPLE = "What to change: “dark red”, “gold”, “twice as big” …"


@dataclass(frozen=True)
class PromptWish:
    """What a person asks for. strength: 0 … 1."""

    text: str
    engine: str
    strength: float
    seed: int


class PromptBox(QWidget):
    """The box [prompt_box], and its `foot`, which whoever shows the box places below it.

    text_changed: after each change of the sentence. run_wished: a PromptWish. stepped: −1 for the prompt before, 1 for
    the one after it. paint_wished, folder_wished: edited pictures instead of words; cleared: no
    longer. all_wished: every setting of the method.
    """

    text_changed = Signal(str)
    run_wished = Signal(object)
    stepped = Signal(int)
    paint_wished = Signal()
    folder_wished = Signal()
    cleared = Signal()
    all_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("prompt_box")
        self._problem, self._misunderstood, self._is_busy, self._pictures = "", "", False, ""
        self.settings = PromptSettings()
        self.engine, self.strength = self.settings.engine, self.settings.strength
        self.seed, self.lock = self.settings.seed, self.settings.lock
        self.settings.changed.connect(self._refresh)
        self._run_words = RUN
        self._build()
        self.set_ideas(())
        self.set_pictures("")
        self._refresh()

    # What it says

    def wish(self) -> PromptWish:
        """What is set now."""
        return PromptWish(
            self.text.toPlainText().strip(),
            self.engine.currentData() or "",
            self.strength.value() / 100,
            self.seed.value(),
        )

    @property
    def problem(self) -> str:
        """Why what is said cannot be done as it stands, or not by who is to do it; "" when it can."""
        if self._pictures:
            return ""
        engine = self.settings.chosen
        return self._misunderstood or (engine.problem if engine is not None else "")

    @property
    def has_pictures(self) -> bool:
        """Whether edited pictures stand in place of words."""
        return bool(self._pictures)

    # What it is told

    def set_target(self, icon_name: str, title: str, note: str) -> None:
        """What an edit would change, such as a part and how many splats it has."""
        self._target_icon.set_icon(icon_name, 16, "text")
        self._target.setText(title)
        self._target.setToolTip(title)
        self._target_note.setText(note)
        self._target_note.setVisible(bool(note))

    def set_wording(self, run: str = RUN, example: str = EXAMPLE) -> None:
        """What the button that runs it says, and what stands where no words are yet."""
        self._run_words = run
        self.text.setPlaceholderText(example)
        self._refresh()

    def set_problem(self, problem: str) -> None:
        """Why nothing can be run now, such as that no part is chosen; "" when it can."""
        self._problem = problem
        self._refresh()

    def set_words(self, words: Sequence[PromptWord], problem: str = "", advice: str = "") -> None:
        """What was understood of the sentence; problem: why it cannot be run as it stands, and what to say instead."""
        self.words.set_words(words)
        self._misunderstood = problem
        self._advice.setVisible(bool(problem))
        if problem:
            self._advice.say(f"{problem} {advice}".strip(), "warn", "circle-help")
        self._refresh()

    def set_wish(self, wish: PromptWish) -> None:
        """Show an earlier wish; its seed is kept."""
        self.set_text(wish.text)
        self.settings.set_engine(wish.engine)
        self.strength.setValue(round(100 * wish.strength))
        self.seed.setValue(wish.seed)
        self.lock.setChecked(True)

    def set_text(self, text: str) -> None:
        """Write a sentence, as a person would."""
        self.text.setPlainText(text)
        self.text.moveCursor(QTextCursor.MoveOperation.End)

    def set_ideas(self, ideas: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Sentences to begin with, in groups."""
        menu = QMenu(self._ideas)
        for group, sentences in ideas:
            menu.addSection(group)
            for sentence in sentences:
                menu.addAction(sentence).triggered.connect(lambda _=False, s=sentence: self._take_idea(s))
        old = self._ideas.menu()
        self._ideas.setMenu(menu)
        if old is not None:
            old.deleteLater()
        self._ideas.setVisible(bool(ideas))

    def set_pictures(self, words: str, *, can_paint: bool = True) -> None:
        """Pictures in place of words, as in "3 painted views"; "" for none."""
        self._pictures = words
        self._folder.setVisible(not words)
        self._paint.setEnabled(can_paint)
        self._has_pictures.setText(words)
        self._pictures_row.setVisible(bool(words))
        self.text.setEnabled(not words)
        self.words.setVisible(not words and bool(self.words.words))
        self._refresh()

    def add_before_run(self, widget: QWidget) -> None:
        """Put something between what is set and the button that runs it."""
        self._foot.insertWidget(self._foot.indexOf(self.run_button), widget)

    def set_busy(self, is_busy: bool) -> None:
        """An edit is being made: there is nothing to start until it is done."""
        self._is_busy = is_busy
        self._refresh()

    def set_accented(self, on: bool) -> None:
        """Whether running is the one thing to do next."""
        with_property(self.run_button, "primary", on)
        self.run_button.setIcon(icon("wand-sparkles", color="on_accent" if on else "text"))

    # What a person does

    def run(self) -> None:
        """Ask for the edit, as Ctrl+Enter does. An unlocked seed is drawn anew."""
        if not self.run_button.isEnabled():
            return
        if not self.lock.isChecked():
            self.settings.roll()
        self.run_wished.emit(self.wish())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.text and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            is_ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            is_shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            if is_ctrl and not is_shift and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.run()
                return True
            if is_ctrl and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self.stepped.emit(-1 if event.key() == Qt.Key.Key_Up else 1)
                return True
        return super().eventFilter(watched, event)

    # Inner life

    def _build(self) -> None:
        column = column_in(self, spacing=8)
        column.addLayout(self._build_target())
        column.addWidget(self._build_text())
        self.words = PromptWords()
        column.addWidget(self.words)
        self._advice = StateLabel()
        self._advice.hide()
        column.addWidget(self._advice)
        column.addLayout(self._build_pictures())
        column.addWidget(self.settings)
        self.foot = self._build_foot()

    def _build_foot(self) -> QWidget:
        """The button that runs it, for a place where it is always in sight."""
        foot = QWidget()
        foot.setObjectName("prompt_foot")
        self._foot = column_in(foot, spacing=6)
        self._state = StateLabel()
        self._state.setObjectName("prompt_state")
        self._foot.addWidget(self._state)
        self.run_button = text_button(self._run_words, "wand-sparkles", is_primary=True)
        self.run_button.setObjectName("prompt_run")
        self.run_button.clicked.connect(lambda: self.run())
        self._foot.addWidget(self.run_button)
        return foot

    def _build_target(self) -> QHBoxLayout:
        self._target_icon = IconLabel("layer-splats")
        self._target = title_label("")
        self._target.setObjectName("prompt_target")
        self._target.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._target_note = secondary_label("")
        row = row_of(self._target_icon, self._target, self._target_note, spacing=6)
        row.setStretchFactor(self._target, 1)
        return row

    def _build_text(self) -> QPlainTextEdit:
        self.text = QPlainTextEdit()
        self.text.setObjectName("prompt_text")
        self.text.setAccessibleName("What to change")
        self.text.setPlaceholderText(EXAMPLE)
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(_LINES * self.text.fontMetrics().lineSpacing() + active_theme().px(18))
        self.text.installEventFilter(self)
        self.text.textChanged.connect(self._on_text)
        return self.text

    def _build_pictures(self) -> QHBoxLayout:
        self._ideas = text_button("Ideas", "lightbulb")
        self._ideas.setProperty("quiet", True)
        self._ideas.setObjectName("prompt_ideas")
        self._paint = icon_button("paintbrush", "Paint on views", "Paint how it is to look on pictures of it")
        self._paint.setObjectName("prompt_paint")
        self._paint.clicked.connect(self.paint_wished)
        self._folder = icon_button(
            "folder-open", "Use edited pictures", "Use a folder of edited pictures, named as the views"
        )
        self._folder.setObjectName("prompt_folder")
        self._folder.clicked.connect(self.folder_wished)
        self._has_pictures = secondary_label("")
        self._has_pictures.setObjectName("prompt_pictures")
        clear = icon_button("x", "Use words again")
        clear.setObjectName("prompt_clear")
        clear.clicked.connect(self.cleared)
        self._pictures_row = QWidget()
        inner = row_of(IconLabel("image"), self._has_pictures, clear, spacing=4)
        self._pictures_row.setLayout(inner)
        self._all = icon_button("sliders-horizontal", "All settings", "Every setting of this kind of edit")
        self._all.setObjectName("prompt_all")
        self._all.clicked.connect(self.all_wished)
        return row_of(self._ideas, self._pictures_row, 1, self._paint, self._folder, self._all, spacing=4)

    def _on_text(self) -> None:
        self.text_changed.emit(self.text.toPlainText())
        self._refresh()

    def _take_idea(self, sentence: str) -> None:
        self.set_text(sentence)
        self.text.setFocus()

    def _refresh(self) -> None:
        is_empty = not self._pictures and not self.text.toPlainText().strip()
        self.run_button.setEnabled(not (self._problem or self.problem or is_empty or self._is_busy))
        self.run_button.setToolTip(self._problem or self.problem or _RUN_TIP)
        self.run_button.setText("Working…" if self._is_busy else self._run_words)
        self._state.setVisible(bool(self._problem))
        if self._problem:
            self._state.say(self._problem, "text_second", "info")
