"""Two pictures of the same view, compared: a wiper between them, side by side, or one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QSizePolicy, QWidget

from widgets.compare_canvas import CompareCanvas, ComparePicture, Mode
from widgets.parts import EmptyPlace, IconButton, column_in, icon_button, row_of
from widgets.theme import active_theme, secondary_label
from widgets.viewport_overlays import Legend

__all__ = ["ComparePicture", "CompareView"]

_FLICKER_MS = 500
_WORDS_FROM = 320  # design pixels of width from which there is room for figures
_MODES: tuple[tuple[Mode, str, str], ...] = (
    ("wiper", "square-split-horizontal", "Wiper: drag the line between the two"),
    ("beside", "columns-2", "Side by side"),
    ("flicker", "zap", "Flicker: one after the other at the same place"),
)


class CompareView(QWidget):
    """The pane [compare_view]. It shows pictures that it is given, by their names.

    stepped: by how many images to go on. closed: the pane is to go. chosen: names of the left and right picture,
    after a person chose others.
    """

    stepped = Signal(int)
    closed = Signal()
    chosen = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("compare_view")
        self.setMinimumWidth(active_theme().px(200))
        self._pictures: dict[str, ComparePicture] = {}
        self._wanted = ("", "")
        self._flicker = QTimer(self, interval=_FLICKER_MS)
        self._build()
        self._flicker.timeout.connect(self.canvas.swap)
        self.show_image("", ())

    @property
    def names(self) -> tuple[str, str]:
        """Which pictures are shown, left and right."""
        return self._left.currentData() or "", self._right.currentData() or ""

    @property
    def mode(self) -> Mode:
        return self.canvas.mode

    def show_image(
        self, title: str, pictures: Sequence[ComparePicture], note: str = "", words: str = ""
    ) -> None:
        """Show what there is of one image; the names that were chosen stay where they can.

        note: figures of the image. words: what to say where there is nothing to see.
        """
        self._pictures = {picture.name: picture for picture in pictures}
        self._title.setText(title)
        self._title.setToolTip(title)
        self._note.setText(note)
        self._empty.setVisible(not pictures)
        self._content.setVisible(bool(pictures))
        if words:
            self._empty.label.setText(words)
        self._fill()
        self._show()

    def choose(self, left: str, right: str) -> None:
        """Show these pictures as soon as there are such."""
        self._wanted = left, right
        self._fill()
        self._show()

    def set_mode(self, mode: Mode) -> None:
        """Compare in another way."""
        self.canvas.set_mode(mode)
        self._buttons[mode].setChecked(True)
        self._flicker.start() if mode == "flicker" else self._flicker.stop()
        self._place_legends()

    def legends(self) -> tuple[Legend, Legend]:
        """What explains the colours of the left and the right picture; hidden where colours are the photo's."""
        return self._legends

    # Inner life

    def _build(self) -> None:
        self._empty = EmptyPlace(
            "layer-views", "Look through the camera of an image to see it beside its rendering."
        )
        self._content = QWidget()
        self.canvas = CompareCanvas()
        self._legends = Legend(self.canvas), Legend(self.canvas)
        for legend in self._legends:
            legend.has_card = True
        self.canvas.resized.connect(self._place_legends)
        whole = column_in(self, spacing=0)
        for row in (self._build_header(), self._build_choices()):
            margin = active_theme().px(6)
            row.setContentsMargins(margin, 2, margin, 2)
            whole.addLayout(row)
        whole.addWidget(self._empty, 1)
        whole.addWidget(self._content, 1)
        column_in(self._content).addWidget(self.canvas, 1)

    def _build_header(self) -> QHBoxLayout:
        back = icon_button("chevron-left", "Previous image", "Previous image (Page Up)")
        back.clicked.connect(lambda: self.stepped.emit(-1))
        forth = icon_button("chevron-right", "Next image", "Next image (Page Down)")
        forth.clicked.connect(lambda: self.stepped.emit(1))
        close = icon_button("x", "Close", "Close and leave the camera")
        close.setObjectName("compare_close")
        close.clicked.connect(self.closed)
        self._title = QLabel()
        self._title.setObjectName("compare_title")
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._note = secondary_label("")
        self._note.setObjectName("compare_note")
        self._group = QButtonGroup(self)
        self._buttons: dict[Mode, IconButton] = {}
        for mode, icon_name, tip in _MODES:
            button = icon_button(icon_name, tip.partition(":")[0], tip, is_checkable=True)
            button.setObjectName(f"compare_{mode}")
            button.clicked.connect(lambda _=False, mode=mode: self.set_mode(mode))
            self._group.addButton(button)
            self._buttons[mode] = button
        self._buttons["wiper"].setChecked(True)
        row = row_of(back, forth, self._title, self._note, *self._buttons.values(), close, spacing=4)
        row.setStretchFactor(self._title, 1)
        return row

    def _build_choices(self) -> QHBoxLayout:
        self._left, self._right = QComboBox(), QComboBox()
        for combo, side in ((self._left, "left"), (self._right, "right")):
            combo.setObjectName(f"compare_{side}")
            combo.setAccessibleName(f"Picture on the {side}")
            combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            combo.activated.connect(lambda _: self._on_chosen())
        row = row_of(self._left, self._right, spacing=6)
        row.setStretchFactor(self._left, 1)
        row.setStretchFactor(self._right, 1)
        return row

    def _fill(self) -> None:
        names = list(self._pictures)
        for combo, wanted, other in zip((self._left, self._right), self._wanted, (0, 1), strict=True):
            with QSignalBlocker(combo):
                combo.clear()
                for name in names:
                    combo.addItem(name, name)
                place = names.index(wanted) if wanted in names else min(other, len(names) - 1)
                combo.setCurrentIndex(place)

    def _on_chosen(self) -> None:
        self._wanted = self.names
        self._show()
        self.chosen.emit(*self.names)

    def _show(self) -> None:
        left, right = (self._pictures.get(name) for name in self.names)
        self.canvas.set_pictures(left, right)
        for legend, picture in zip(self._legends, (left, right), strict=True):
            is_coloured = picture is not None and picture.value_range is not None
            if picture is not None and picture.value_range is not None:
                legend.set(picture.name, picture.unit, picture.color_map, picture.value_range)
            legend.setVisible(is_coloured)
        self._place_legends()

    def _place_legends(self) -> None:
        """The right one's legend at the right edge, the left one's at the left of the middle or of the pane."""
        left, right = self._legends
        px, area = active_theme().px, self.canvas.rect()
        canvas = self.canvas
        places = (
            (left, canvas.left_end(), 0, canvas.left_bottom()),
            (right, area.width(), canvas.right_top(), area.height()),
        )
        for legend, edge, top, bottom in places:
            width, height = legend.sizeHint().width(), min(px(136), max(px(96), bottom - top - px(24)))
            legend.setGeometry(edge - width, top + px(10), width, height)
            legend.raise_()
        if left.isVisible() and right.isVisible() and self.canvas.mode == "flicker":
            left.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._note.setVisible(self.width() >= active_theme().px(_WORDS_FROM))
        self._place_legends()

    def hideEvent(self, event: QHideEvent) -> None:
        self._flicker.stop()
        super().hideEvent(event)
