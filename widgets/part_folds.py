"""Other ways to a part than marks, each folded away until it is asked for: how sure it is, words, mask pictures."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QSlider, QVBoxLayout, QWidget

from widgets.network_row import NetworkRow
from widgets.parts import FoldButton, StateLabel, column_in, row_of, text_button
from widgets.theme import active_theme, secondary_label

_HINT = "Small ones first, with commas: “left eye, nose, hair”."


class Fold(QWidget):
    """A heading that opens and closes what stands below it.

    turned: it was opened or closed."""

    turned = Signal(bool)

    def __init__(self, title: str, name: str) -> None:
        super().__init__()
        self.heading = FoldButton(title)
        self.heading.setObjectName(name)
        self.heading.clicked.connect(self._turn)
        self._body = QWidget()
        self._body.hide()
        column = column_in(self, spacing=8)
        column.addWidget(self.heading)
        column.addWidget(self._body)

    @property
    def is_open(self) -> bool:
        return self.heading.is_open

    def column(self) -> QVBoxLayout:
        """Where what it hides goes; asked for once."""
        column = column_in(self._body, spacing=8)
        column.setContentsMargins(active_theme().px(20), 0, 0, active_theme().px(8))
        return column

    def _turn(self) -> None:
        self.heading.set_open(not self.is_open)
        self._body.setVisible(self.is_open)
        self.turned.emit(self.is_open)


class SureFold(Fold):
    """Keep of a part only what is sure enough.

    changed, applied: the least sureness, 0 … 1; changed also when it is opened. closed: no longer looked at."""

    changed = Signal(float)
    applied = Signal(float)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__("Keep what is sure", "fold_sure")
        self._title = _wrapped()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("part_sure")
        self.slider.setAccessibleName("Least sureness")
        self.slider.setRange(0, 100)
        self.slider.setValue(50)
        self.slider.valueChanged.connect(lambda _: self.changed.emit(self.least))
        self._note = _wrapped("sure_note")
        self.apply_button = _named_button("apply_sure", "Apply")
        self.apply_button.clicked.connect(lambda: self.applied.emit(self.least))
        column = self.column()
        column.addWidget(self._title)
        column.addWidget(self.slider)
        column.addLayout(row_of(self._note, self.apply_button))
        self.turned.connect(lambda on: self.changed.emit(self.least) if on else self.closed.emit())

    @property
    def least(self) -> float:
        """The position of the slider, 0 … 1."""
        return self.slider.value() / self.slider.maximum()

    def say(self, part: str, words: str, *, can_apply: bool) -> None:
        """What keeping only what is surer than the slider says would do."""
        self._title.setText(part)
        self._note.setText(words)
        for widget in (self.slider, self.apply_button):
            widget.setEnabled(can_apply)


class WordsFold(Fold):
    """Find parts by their names.

    wished: names to look for. opened: it was unfolded."""

    wished = Signal(str)
    opened = Signal()

    def __init__(self) -> None:
        super().__init__("Find by words", "fold_words")
        self.turned.connect(lambda on: self.opened.emit() if on else None)
        self.words = QLineEdit()
        self.words.setObjectName("part_words")
        self.words.setAccessibleName("Parts in words")
        self.words.setPlaceholderText("left eye, nose, hair")
        self.find_button = _named_button("find_words", "Find")
        self._hint = StateLabel()
        self._hint.say(_HINT, "text_second", "info")
        self.network = NetworkRow("words_network")
        self.words.textChanged.connect(lambda text: self.find_button.setEnabled(bool(text.strip())))
        self.words.returnPressed.connect(self.find_button.click)
        self.find_button.clicked.connect(lambda: self.wished.emit(self.words.text()))
        column = self.column()
        column.addLayout(row_of(self.words, self.find_button))
        column.addWidget(self._hint)
        column.addWidget(self.network)
        self.set_problem("")

    def set_problem(self, problem: str, command: str = "") -> None:
        """Why parts cannot be found by words here, and the command that would help; "" when they can."""
        self.words.setEnabled(not problem)
        self.find_button.setEnabled(not problem and bool(self.words.text().strip()))
        self._hint.setVisible(not problem)
        self.network.set_problem(problem, command)


class MasksFold(Fold):
    """Find parts from pictures that say what they are.

    masks_wished: choose a folder of them. ring_wished: make cameras, where there are none."""

    masks_wished = Signal()
    ring_wished = Signal()

    def __init__(self) -> None:
        super().__init__("From mask pictures", "fold_masks")
        self._cameras = _wrapped("part_cameras")
        self._masks = _named_button("part_masks", "Choose masks…", "folder-open")
        self._masks.setToolTip(
            "A folder of grey pictures named as the photos, a part's number in each pixel, 255 for no opinion"
        )
        self._masks.clicked.connect(self.masks_wished)
        ring = _named_button("part_ring", "Make cameras…", "orbit")
        ring.setToolTip("A ring of cameras around the splats, where there are none")
        ring.clicked.connect(self.ring_wished)
        column = self.column()
        column.addWidget(self._cameras)
        buttons = QVBoxLayout()
        buttons.setSpacing(active_theme().px(6))
        buttons.addWidget(self._masks)
        buttons.addWidget(ring)
        column.addLayout(buttons)

    def set_cameras(self, words: str, *, has_cameras: bool) -> None:
        """What views mask pictures are seen from."""
        self._cameras.setText(words)
        self._masks.setEnabled(has_cameras)


def _wrapped(name: str = "") -> QLabel:
    label = secondary_label("")
    label.setObjectName(name)
    label.setWordWrap(True)
    return label


def _named_button(name: str, words: str, icon_name: str = "") -> QPushButton:
    button = text_button(words, icon_name)
    button.setObjectName(name)
    return button
