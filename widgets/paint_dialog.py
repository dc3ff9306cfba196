"""Paint on one or more views how a part is to look; the splats are then fitted to what was painted."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QColorDialog,
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSlider,
    QWidget,
)

from widgets.image_cells import pixmap_of
from widgets.paint_canvas import PaintCanvas, PaintedView
from widgets.parts import column_in, icon_button, row_of, text_button
from widgets.theme import active_theme, secondary_label

_COLORS = ("#b03a2e", "#d68910", "#f4d03f", "#239b56", "#2471a3", "#6c3483", "#fdfefe", "#17202a")
_THUMBNAIL = 96


class PaintDialog(QDialog):
    """The dialog [dlg_paint]. painted: the PaintedViews that were painted on, when the person is done."""

    painted = Signal(object)

    def __init__(self, title: str, views: Sequence[PaintedView], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dlg_paint")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._views = tuple(views)
        self.canvas = PaintCanvas()
        self._build()
        self._swatches[0].setChecked(True)
        self.list.setCurrentRow(0)
        self._refresh()
        self.resize(active_theme().px(980), active_theme().px(640))

    @property
    def views(self) -> tuple[PaintedView, ...]:
        """What can be painted on."""
        return self._views

    def set_color(self, color: QColor) -> None:
        """Paint in this colour."""
        self.canvas.color = QColor(color)
        self._eraser.setChecked(False)
        self._own.setIcon(_swatch(self.canvas.color))
        self.canvas.update()

    # Inner life

    def _build(self) -> None:
        px = active_theme().px
        self.list = QListWidget()
        self.list.setObjectName("paint_views")
        self.list.setAccessibleName("Views")
        self.list.setIconSize(QSize(px(_THUMBNAIL), px(_THUMBNAIL)))
        self.list.setFixedWidth(px(_THUMBNAIL + 92))
        self.list.setSpacing(2)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for view in self._views:
            self.list.addItem(QListWidgetItem(QIcon(pixmap_of(view.picture)), ""))
        self.list.currentRowChanged.connect(self._choose)
        self.canvas.changed.connect(self._refresh)
        hint = secondary_label(
            "Paint the part as it is to look; one view is enough, more are better. What is dimmed stays as it is."
        )
        hint.setWordWrap(True)
        right = QWidget()
        column = column_in(right, spacing=8)
        column.addWidget(hint)
        column.addLayout(self._build_tools())
        column.addWidget(self.canvas, 1)
        middle = row_of(self.list, right, spacing=12)
        middle.setStretchFactor(right, 1)
        outer = column_in(self, margin=16, spacing=12)
        outer.addLayout(middle, 1)
        outer.addLayout(self._build_foot())

    def _build_tools(self) -> QHBoxLayout:
        self._swatches = [self._color_button(color) for color in _COLORS]
        self._own = text_button("Colour…")
        self._own.setObjectName("paint_color")
        self._own.setIcon(_swatch(QColor(_COLORS[0])))
        self._own.clicked.connect(self._ask_color)
        self._eraser = icon_button("eraser", "Erase", "Bring the picture back (E)", is_checkable=True)
        self._eraser.setObjectName("paint_eraser")
        self._eraser.toggled.connect(self._set_erasing)
        self._width = QSlider(Qt.Orientation.Horizontal)
        self._width.setObjectName("paint_width")
        self._width.setAccessibleName("Width of the brush")
        self._width.setToolTip("Width of the brush (the wheel, or [ and ])")
        self._width.setRange(2, 200)
        self._width.setValue(self.canvas.width_of_brush)
        self._width.setFixedWidth(active_theme().px(120))
        self._width.valueChanged.connect(self.canvas.set_width)
        self.canvas.sized.connect(self._width.setValue)
        self._undo = icon_button("undo-2", "Undo", "Undo the last stroke (Ctrl+Z)")
        self._undo.setObjectName("paint_undo")
        self._undo.clicked.connect(self.canvas.undo)
        self._clear = icon_button("trash-2", "Clear", "Take all strokes of this view away")
        self._clear.clicked.connect(self.canvas.clear)
        for keys, act in (
            ("Ctrl+Z", self.canvas.undo), ("E", self._eraser.toggle),
            ("[", lambda: self._width.setValue(self._width.value() - 4)),
            ("]", lambda: self._width.setValue(self._width.value() + 4)),
        ):  # fmt: skip
            QShortcut(QKeySequence(keys), self).activated.connect(act)
        words = QLabel("Brush")
        words.setProperty("role", "field")
        return row_of(
            *self._swatches,
            self._own,
            self._eraser,
            words,
            self._width,
            1,
            self._undo,
            self._clear,
            spacing=4,
        )

    def _build_foot(self) -> QHBoxLayout:
        self._count = secondary_label("")
        self._count.setObjectName("paint_count")
        cancel = text_button("Cancel")
        cancel.clicked.connect(self.close)
        self.use = text_button("Use these pictures", "check", is_primary=True)
        self.use.setObjectName("paint_use")
        self.use.clicked.connect(self._finish)
        return row_of(self._count, 1, cancel, self.use)

    def _color_button(self, color: str) -> QPushButton:
        button = QPushButton()
        button.setCheckable(True)
        button.setAutoExclusive(True)
        button.setProperty("quiet", True)
        button.setIcon(_swatch(QColor(color)))
        button.setFixedWidth(active_theme().px(28))
        button.setAccessibleName(f"Colour {color}")
        button.setToolTip(color)
        button.setObjectName(f"paint_{color.removeprefix('#')}")
        button.clicked.connect(lambda: self.set_color(QColor(color)))
        return button

    def _ask_color(self) -> None:
        dialog = QColorDialog(self.canvas.color, self)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self.set_color)
        dialog.open()

    def _set_erasing(self, on: bool) -> None:
        self.canvas.is_erasing = on

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._views):
            self.canvas.set_view(self._views[row])
            self._refresh()

    def _refresh(self) -> None:
        painted = [view for view in self._views if view.is_painted]
        for row, view in enumerate(self._views):
            item = self.list.item(row)
            item.setIcon(QIcon(pixmap_of(view.painted() if view.is_painted else view.picture)))
            item.setText("painted" if view.is_painted else "")
        now = self.canvas.view
        self._undo.setEnabled(now is not None and bool(now.strokes))
        self._clear.setEnabled(now is not None and bool(now.strokes))
        self.use.setEnabled(bool(painted))
        views = "view" if len(painted) == 1 else "views"
        self._count.setText(f"{len(painted)} {views} painted" if painted else "Nothing is painted yet.")

    def _finish(self) -> None:
        self.painted.emit([view for view in self._views if view.is_painted])
        self.close()


def _swatch(color: QColor) -> QIcon:
    side = active_theme().px(16)
    pixmap = QPixmap(side, side)
    pixmap.fill(color)
    return QIcon(pixmap)
