"""The camera path as a row of views in time: add, order, time, play, and a film of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QListWidgetItem,
    QProgressBar,
    QSlider,
    QWidget,
)

from widgets.camera_path import CameraPath
from widgets.camera_path_cards import CARD, VIEW, PathCards
from widgets.icons import icon
from widgets.image_cells import pixmap_of
from widgets.parts import EmptyPlace, IconButton, column_in, icon_button, row_of, text_button
from widgets.theme import active_theme, secondary_label

Picture = NDArray[np.uint8]
_WORDS_FROM = 920  # design pixels of width from which the buttons have room for words
_TICKS = 1000  # of the slider


class CameraPathPanel(QWidget):
    """The panel [camera_path]; it shows the path that it is given, and changes are wishes.

    view_chosen: index of the view to look from. time_changed: index, seconds. seconds_changed: of the whole path.
    sought: seconds at which the path is to be looked at.
    """

    add_wished = Signal()
    insert_wished = Signal(int)
    replace_wished = Signal(int)
    remove_wished = Signal(list)
    reordered = Signal(list)
    turntable_wished = Signal()
    closed_changed = Signal(bool)
    eased_changed = Signal(bool)
    view_chosen = Signal(int)
    time_changed = Signal(int, float)
    seconds_changed = Signal(float)
    sought = Signal(float)
    play_toggled = Signal(bool)
    film_wished = Signal()
    film_cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("camera_path")
        self.setMinimumWidth(active_theme().px(240))  # less than its bar takes
        self._path = CameraPath()
        self._pictures: dict[int, Picture] = {}
        self._build()
        self.set_path(self._path, {})

    @property
    def path(self) -> CameraPath:
        """What is shown."""
        return self._path

    @property
    def time(self) -> float:
        """The seconds that the slider stands at."""
        return self._time

    def set_path(self, path: CameraPath, pictures: Mapping[int, Picture]) -> None:
        """Show a path. pictures: (H, W, 3) of some of its views."""
        chosen = [place for place in self.selected() if place < len(path)]
        self._path, self._pictures = path, dict(pictures)
        with QSignalBlocker(self._views):
            self._views.clear()
            for index in range(len(path)):
                self._views.addItem(self._card(index))
            for place in chosen:
                self._views.item(place).setSelected(True)
        self._empty.setVisible(not path)
        self._content.setVisible(bool(path))
        with QSignalBlocker(self._closed), QSignalBlocker(self._whole), QSignalBlocker(self._eased):
            self._closed.setChecked(path.is_closed)
            self._eased.setChecked(path.is_eased)
            self._whole.setValue(path.seconds)
        can_play = len(path) > 1
        for widget in (self._play, self._slider, self._whole, self._film, self._closed):
            widget.setEnabled(can_play)
        self._eased.setEnabled(can_play and not path.is_closed)
        self.set_time(min(self._time, path.seconds))
        self._show_chosen()

    def set_time(self, seconds: float) -> None:
        """Show where on the path the camera is; tells nobody."""
        self._time = seconds
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(_TICKS * seconds / max(self._path.seconds, 1e-9)))
        self._clock.setText(f"{seconds:.1f} of {self._path.seconds:.1f} s")

    def set_playing(self, on: bool) -> None:
        """Show whether the path is being played."""
        with QSignalBlocker(self._play):
            self._play.setChecked(on)
        self._play.setIcon(icon("pause" if on else "play"))
        self._play.setToolTip("Pause" if on else "Play the path in the view")

    def set_film(self, done: int | None, total: int = 0) -> None:
        """Show how far the making of a film is, or None where none is made."""
        self._progress.setVisible(done is not None)
        self._cancel.setVisible(done is not None)
        self._film.setVisible(done is None)
        self._progress.setRange(0, max(1, total))
        self._progress.setValue(done or 0)
        self._progress.setFormat(f"Picture {done} of {total}")

    def select(self, place: int) -> None:
        """Select one view."""
        self._views.setCurrentRow(place)

    def selected(self) -> list[int]:
        """The places of the selected views."""
        return sorted(self._views.row(item) for item in self._views.selectedItems())

    # Inner life

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Buttons lose their words, all together, where these would not fit."""
        super().resizeEvent(event)
        style = Qt.ToolButtonStyle
        is_wide = self.width() >= active_theme().px(_WORDS_FROM)
        for button in (
            self._add, self._insert, self._replace, self._remove, self._around, self._closed, self._eased,
        ):  # fmt: skip
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if is_wide else style.ToolButtonIconOnly)
        for label in self._labels:
            label.setVisible(is_wide)

    def _build(self) -> None:
        self._time = 0.0
        add = text_button("Add this view", "plus")
        add.setObjectName("path_add_first")
        add.clicked.connect(self.add_wished)
        around = text_button("Turntable…", "rotate-ccw")
        around.clicked.connect(self.turntable_wished)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(add)
        row.addWidget(around)
        empty = EmptyPlace(
            "video", "A way for the camera, to play or to film. Look at the scene and add the view.", both
        )
        content = QWidget()
        column = column_in(content, spacing=0)
        column.addLayout(self._build_bar())
        column.addWidget(self._build_views(), 1)
        column.addLayout(self._build_player())
        self._empty, self._content = empty, content
        whole = column_in(self, spacing=0)
        whole.addWidget(empty)
        whole.addWidget(content)

    def _build_bar(self) -> QHBoxLayout:
        px = active_theme().px
        self._add = self._worded(
            "plus", "Add view", "Add the view as it is now after the last one", "path_add"
        )
        self._add.clicked.connect(self.add_wished)
        self._insert = self._worded(
            "between-horizontal-start",
            "Insert",
            "Put the view as it is now between the selected one and the next",
            "path_insert",
        )
        self._insert.clicked.connect(lambda: self.insert_wished.emit(self.selected()[0]))
        self._replace = self._worded(
            "refresh-cw", "Replace", "Take the view as it is now in place of the selected one", "path_replace"
        )
        self._replace.clicked.connect(lambda: self.replace_wished.emit(self.selected()[0]))
        self._remove = self._worded(
            "trash-2", "Delete", "Take the selected views out of the path (Del)", "path_remove"
        )
        self._remove.clicked.connect(lambda: self.remove_wished.emit(self.selected()))
        self._around = self._worded(
            "rotate-ccw", "Turntable…", "Once around what is in the middle of the view", "path_turntable"
        )
        self._around.clicked.connect(self.turntable_wished)
        self._at = self._seconds("path_time", "When the selected view is reached")
        self._at.editingFinished.connect(self._on_time)
        self._whole = self._seconds("path_seconds", "How long the whole path takes")
        self._whole.editingFinished.connect(self._on_seconds)
        self._closed = self._worded(
            "orbit", "Loop", "Go on from the last view to the first, for films that loop", "path_closed"
        )
        self._closed.setCheckable(True)
        self._closed.toggled.connect(self.closed_changed)
        self._eased = self._worded("spline", "Gentle ends", "Begin and end slowly", "path_eased")
        self._eased.setCheckable(True)
        self._eased.toggled.connect(self.eased_changed)
        self._labels = at, whole = secondary_label("At"), secondary_label("Length")
        row = row_of(
            self._add,
            self._insert,
            self._replace,
            self._remove,
            self._around,
            1,
            at,
            self._at,
            whole,
            self._whole,
            self._closed,
            self._eased,
            spacing=6,
        )
        row.setContentsMargins(px(8), px(4), px(8), px(2))
        return row

    def _worded(self, icon_name: str, words: str, tip: str, name: str) -> IconButton:
        button = icon_button(icon_name, words, tip)
        button.setObjectName(name)
        button.set_worded(words)
        return button

    def _seconds(self, name: str, tip: str) -> QDoubleSpinBox:
        field = QDoubleSpinBox()
        field.setObjectName(name)
        field.setAccessibleName(tip)
        field.setToolTip(tip)
        field.setSuffix(" s")
        field.setDecimals(1)
        field.setRange(0.0, 3600.0)
        field.setSingleStep(0.5)
        field.setKeyboardTracking(False)
        field.setFixedWidth(active_theme().px(78))
        return field

    def _build_views(self) -> QWidget:
        self._views = PathCards()
        self._views.itemSelectionChanged.connect(self._show_chosen)
        self._views.itemDoubleClicked.connect(lambda item: self.view_chosen.emit(self._views.row(item)))
        self._views.itemClicked.connect(lambda item: self.view_chosen.emit(self._views.row(item)))
        self._views.delete_wished.connect(lambda: self.remove_wished.emit(self.selected()))
        self._views.reordered.connect(self._tell_order)
        return self._views

    def _build_player(self) -> QHBoxLayout:
        px = active_theme().px
        self._play = icon_button("play", "Play", "Play the path in the view", is_checkable=True)
        self._play.setObjectName("path_play")
        self._play.toggled.connect(self._on_play)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName("path_slider")
        self._slider.setAccessibleName("Time on the path")
        self._slider.setRange(0, _TICKS)
        self._slider.valueChanged.connect(lambda tick: self.sought.emit(tick / _TICKS * self._path.seconds))
        self._clock = secondary_label("")
        self._film = text_button("Make a film…", "film")
        self._film.setObjectName("path_film")
        self._film.clicked.connect(self.film_wished)
        self._progress = QProgressBar()
        self._progress.setObjectName("film_progress")
        self._progress.setMinimumWidth(px(180))
        self._cancel = text_button("Cancel", "x")
        self._cancel.setObjectName("film_cancel")
        self._cancel.clicked.connect(self.film_cancelled)
        row = row_of(
            self._play, self._slider, self._clock, self._progress, self._cancel, self._film, spacing=8
        )
        row.setStretchFactor(self._slider, 1)
        row.setContentsMargins(px(8), px(2), px(8), px(8))
        self.set_film(None)
        return row

    def _card(self, index: int) -> QListWidgetItem:
        seconds = self._path.times[index]
        item = QListWidgetItem(f"{index + 1}  ·  {seconds:.1f} s")
        item.setData(VIEW, index)
        item.setToolTip(f"View {index + 1}, reached after {seconds:.1f} s. Drag it to another place.")
        picture = self._pictures.get(index)
        if picture is not None:
            item.setData(Qt.ItemDataRole.DecorationRole, _fitted(picture))
        return item

    def _show_chosen(self) -> None:
        chosen = self.selected()
        self._replace.setEnabled(len(chosen) == 1)
        self._insert.setEnabled(len(chosen) == 1 and chosen[0] < len(self._path) - 1)
        self._remove.setEnabled(bool(chosen))
        self._at.setEnabled(len(chosen) == 1 and chosen[0] > 0)
        if len(chosen) == 1:
            with QSignalBlocker(self._at):
                self._at.setValue(self._path.times[chosen[0]])

    def _on_time(self) -> None:
        chosen = self.selected()
        if len(chosen) == 1 and abs(self._at.value() - self._path.times[chosen[0]]) > 0.04:
            self.time_changed.emit(chosen[0], self._at.value())

    def _on_seconds(self) -> None:
        if abs(self._whole.value() - self._path.seconds) > 0.04:
            self.seconds_changed.emit(self._whole.value())

    def _on_play(self, on: bool) -> None:
        self.set_playing(on)
        self.play_toggled.emit(on)

    def _tell_order(self, order: list[int]) -> None:
        if order != list(range(len(order))) and len(order) == len(self._path):
            self.reordered.emit(order)


def _fitted(picture: Picture) -> QPixmap:
    """The middle of a picture, as large as a card."""
    shown = CARD * active_theme().ui_scale
    mode, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    scaled = pixmap_of(picture).scaled(shown, mode, smooth)
    left, top = (scaled.width() - shown.width()) // 2, (scaled.height() - shown.height()) // 2
    return scaled.copy(left, top, shown.width(), shown.height())
