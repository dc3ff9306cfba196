"""Images of a scene as a list of thumbnails: which there are, which are used, which is the current one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QListView, QMenu, QSizePolicy, QWidget

from widgets.icons import icon
from widgets.image_cells import ImageModel, ImageRow, show_as_cells
from widgets.parts import EmptyPlace, column_in, icon_button, row_of, text_button
from widgets.theme import active_theme, secondary_label

__all__ = ["ImageRow", "ImageStrip"]

Picture = NDArray[np.uint8]
_WORDS_FROM = 560  # design pixels of width from which the buttons have room for words
FILTERS: tuple[tuple[str, str], ...] = (
    ("all", "All"), ("used", "Used"), ("left out", "Left out"), ("masked", "With mask"),
    ("low", "Low PSNR"),
)  # fmt: skip


class _List(QListView):
    """Space toggles use, Enter and a double click look through the camera."""

    use_wished = Signal()
    look_wished = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            self.use_wished.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.look_wished.emit()
        else:
            super().keyPressEvent(event)


class ImageStrip(QWidget):
    """The gallery [data_gallery]. It shows rows and pictures that it is given; changes are wishes.

    pictures_wished: indices of images whose thumbnails are to be seen next. current_changed: index of an image.
    use_wished: (indices, whether methods are to use them). look_wished: index of the image to look through.
    masks_toggled: whether masks are to be laid over thumbnails. open_wished: index of a file to show.
    """

    pictures_wished = Signal(list)
    current_changed = Signal(int)
    selection_changed = Signal()
    use_wished = Signal(list, bool)
    look_wished = Signal(int)
    masks_toggled = Signal(bool)
    open_wished = Signal(int)
    import_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("data_gallery")
        self.setMinimumWidth(active_theme().px(240))  # less than its bar with words takes
        self._model = ImageModel(self)
        self._rest = QTimer(self, singleShot=True, interval=40)
        self._rest.timeout.connect(self._wish_visible)
        self._build()
        self.set_rows(())

    @property
    def rows(self) -> tuple[ImageRow, ...]:
        """What is known of the images, shown or filtered out."""
        return self._model.rows

    @property
    def current(self) -> int:
        """Index of the current image; -1 for none."""
        return self._model.image_at(self._list.currentIndex())

    def set_rows(self, rows: Sequence[ImageRow], summary: str = "", empty: str = "") -> None:
        """Show these images. summary: "46 of 48 used". empty: what to say where there are none."""
        current = self.current
        self._model.set_rows(rows)
        self._count.setText(summary)
        self._show_filters()
        self._empty.setVisible(not rows)
        self._content.setVisible(bool(rows))
        if empty:
            self._empty.label.setText(empty)
        if 0 <= current < len(rows):
            self.set_current(current)
        self._show_state()
        self._rest.start()

    def set_pictures(self, pictures: Mapping[int, Picture]) -> None:
        """Show more thumbnails (H, W, 3)."""
        self._model.set_pictures(pictures)

    def forget_pictures(self) -> None:
        """The thumbnails are of other images, or made otherwise: ask for them again."""
        self._model.forget_pictures()
        self._rest.start()

    def set_current(self, image: int) -> None:
        """Select an image, and show it where it is filtered in; tells nobody."""
        place = self._model.place_of(image)
        was_blocked = self._list.blockSignals(True)
        model = self._list.selectionModel()
        blocked = model.blockSignals(True)
        flags = QItemSelectionModel.SelectionFlag
        model.setCurrentIndex(place, flags.ClearAndSelect)
        model.blockSignals(blocked)
        self._list.blockSignals(was_blocked)
        if place.isValid():
            self._list.scrollTo(place)
        self._list.viewport().update()
        self._show_state()

    def selected(self) -> list[int]:
        """Indices of the selected images."""
        chosen = self._list.selectionModel().selectedIndexes()
        return sorted(self._model.image_at(place) for place in chosen)

    def toggle_use(self) -> None:
        """Wish that the selected images are left out, or used again where all of them are left out."""
        images = self.selected()
        if images:
            self.use_wished.emit(images, not any(self.rows[image].is_used for image in images))

    def step(self, by: int) -> None:
        """Go to the next image or the one before among those that are shown."""
        at = self._list.currentIndex().row() + by
        if 0 <= at < self._model.rowCount():
            self._list.setCurrentIndex(self._model.index(at))

    # Inner life

    def _build(self) -> None:
        button = text_button("Import a folder…", "import")
        button.clicked.connect(self.import_wished)
        self._empty = EmptyPlace("images", "No images yet. Import photos or a scene with poses.", button)
        self._content = QWidget()
        whole = column_in(self, spacing=0)
        whole.addWidget(self._empty)
        whole.addWidget(self._content)
        column = column_in(self._content, spacing=0)
        column.addLayout(self._build_bar())
        column.addWidget(self._build_list(), 1)

    def _build_bar(self) -> QHBoxLayout:
        px = active_theme().px
        self._filter = QComboBox()
        self._filter.setObjectName("image_filter")
        self._filter.setAccessibleName("Which images to show")
        for name, text in FILTERS:
            self._filter.addItem(text, name)
        self._filter.activated.connect(lambda _: self._apply_filter())
        self._count = QLabel()
        self._count.setObjectName("images_used")
        self._name = secondary_label("")
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._use = icon_button("square-check", "Use", "Use or leave out the selected images (Space)")
        self._use.setObjectName("toggle_use")
        self._use.set_worded("Leave out")
        self._use.clicked.connect(self.toggle_use)
        self._look = icon_button("video", "Look through", "Look through the camera of this image (Enter)")
        self._look.setObjectName("look_through")
        self._look.set_worded("Look through")
        self._look.clicked.connect(self._wish_look)
        self._masks = icon_button("brush", "Show masks", "Lay masks over the images", is_checkable=True)
        self._masks.setObjectName("show_masks")
        self._masks.toggled.connect(self.masks_toggled)
        bar = row_of(self._filter, self._count, self._name, self._masks, self._use, self._look)
        bar.setStretchFactor(self._name, 1)
        bar.setContentsMargins(px(8), px(4), px(8), px(4))
        return bar

    def _build_list(self) -> QListView:
        self._list = _List()
        self._list.setObjectName("image_list")
        self._list.setAccessibleName("Images")
        self._list.setModel(self._model)
        show_as_cells(self._list)
        self._list.setLayoutMode(QListView.LayoutMode.Batched)
        self._list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._list.customContextMenuRequested.connect(self._show_menu)
        self._list.doubleClicked.connect(lambda place: self.look_wished.emit(self._model.image_at(place)))
        self._list.use_wished.connect(self.toggle_use)
        self._list.look_wished.connect(self._wish_look)
        self._list.selectionModel().currentChanged.connect(self._on_current)
        self._list.selectionModel().selectionChanged.connect(lambda *_: self._show_state())
        self._list.selectionModel().selectionChanged.connect(lambda *_: self.selection_changed.emit())
        self._list.verticalScrollBar().valueChanged.connect(lambda _: self._rest.start())
        return self._list

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_words()
        self._rest.start()

    def _fit_words(self) -> None:
        """Buttons lose their words, both together, where these would not fit."""
        is_wide = self.width() >= active_theme().px(_WORDS_FROM)
        style = Qt.ToolButtonStyle
        for button in (self._use, self._look):
            button.setToolButtonStyle(style.ToolButtonTextBesideIcon if is_wide else style.ToolButtonIconOnly)
        self._name.setVisible(is_wide)

    def _on_current(self, place: QModelIndex, _before: QModelIndex) -> None:
        self._show_state()
        if place.isValid():
            self.current_changed.emit(self._model.image_at(place))

    def _wish_look(self) -> None:
        if self.current >= 0:
            self.look_wished.emit(self.current)

    def _wish_visible(self) -> None:
        """Ask for the thumbnails that are to be seen and are not there."""
        if not self.isVisible():
            return
        area = self._list.viewport().rect()
        wanted = []
        for row in range(self._model.rowCount()):
            place = self._model.index(row)
            box = self._list.visualRect(place)
            if box.top() > area.bottom():
                break
            if box.bottom() >= area.top() and not self._model.has_picture(self._model.image_at(place)):
                wanted.append(self._model.image_at(place))
        if wanted:
            self.pictures_wished.emit(wanted)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._rest.start()

    def _apply_filter(self) -> None:
        self._model.show_only(self._filter.currentData())
        self._rest.start()

    def _show_filters(self) -> None:
        """Offer only filters that could find something."""
        rows = self.rows
        offers = {
            "masked": any(row.has_mask for row in rows),
            "low": any(row.psnr is not None for row in rows),
        }
        for place in range(self._filter.count()):
            item = self._filter.model().item(place)  # type: ignore[attr-defined]
            item.setEnabled(offers.get(self._filter.itemData(place), True))
        self._masks.setVisible(offers["masked"])

    def _show_state(self) -> None:
        images = [image for image in self.selected() if 0 <= image < len(self.rows)]
        self._use.setEnabled(bool(images))
        self._look.setEnabled(len(images) == 1 and self.rows[images[0]].has_pose)
        is_used = any(self.rows[image].is_used for image in images)
        self._use.setText("Leave out" if is_used or not images else "Use")
        words = (
            self.rows[images[0]].words() if len(images) == 1 else f"{len(images)} selected" if images else ""
        )
        self._name.setText(words)
        self._name.setToolTip(words)

    def _show_menu(self, at: QPoint) -> None:
        image = self._model.image_at(self._list.indexAt(at))
        if image < 0:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, name, act in (
            ("Look through camera", "video", self._wish_look),
            (self._use.text(), "square-check", self.toggle_use),
            ("Show file", "folder-open", lambda: self.open_wished.emit(image)),
        ):
            action = QAction(icon(name), text, menu)
            action.triggered.connect(lambda _=False, act=act: act())
            menu.addAction(action)
        menu.popup(self._list.viewport().mapToGlobal(at))
