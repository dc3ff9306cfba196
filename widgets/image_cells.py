"""The cells of the image list: what is known of each image, and how it is painted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from widgets.icons import icon
from widgets.theme import Theme, active_theme, interface_font

Picture = NDArray[np.uint8]
Place = QModelIndex | QPersistentModelIndex
_ROW, _PICTURE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_WIDTH, _HEIGHT, _WORDS = 116, 87, 18  # of a thumbnail, and of the line below it, in design pixels
_LOW_SHARE = 0.25  # the worst quarter of those with a figure


@dataclass(frozen=True)
class ImageRow:
    """What the list knows of one image. psnr: of its rendering, in dB, if there is one."""

    name: str
    is_used: bool = True
    has_pose: bool = True
    has_mask: bool = False
    psnr: float | None = None
    is_held_out: bool = False
    note: str = ""  # further facts, for the line above the list
    figure: str = ""  # written on the picture where there is no PSNR
    is_doubtful: bool = False  # used, but not trusted
    is_changed: bool = False  # a person just decided otherwise: it stays where it was seen

    def words(self) -> str:
        """The image in one line."""
        figure = (
            "" if self.psnr is None else f"PSNR {self.psnr:.1f} dB{', held out' if self.is_held_out else ''}"
        )
        state = "" if self.is_used else "left out"
        return "  ·  ".join(part for part in (self.name, self.note, state, figure) if part)


class ImageModel(QAbstractListModel):
    """The images that a filter lets through; thumbnails come and go by the image's own index."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: tuple[ImageRow, ...] = ()
        self._shown: list[int] = []
        self._filter = "all"
        self._pictures: dict[int, QPixmap] = {}

    @property
    def rows(self) -> tuple[ImageRow, ...]:
        return self._rows

    def set_rows(self, rows: Sequence[ImageRow]) -> None:
        """Take over what is known; the list is laid out anew only where other images are to be seen."""
        self._rows = tuple(rows)
        shown = self._filtered()
        if shown == self._shown:
            if shown:
                self.dataChanged.emit(self.index(0), self.index(len(shown) - 1))
            return
        self.beginResetModel()
        self._shown = shown
        self.endResetModel()

    def show_only(self, name: str) -> None:
        """Filter the images: "all", "used", "doubtful", "left out", "masked" or "low"."""
        self.beginResetModel()
        self._filter = name
        self._shown = self._filtered()
        self.endResetModel()

    def set_pictures(self, pictures: Mapping[int, Picture]) -> None:
        """Take over thumbnails (H, W, 3)."""
        for image, picture in pictures.items():
            self._pictures[image] = pixmap_of(picture)
            place = self.place_of(image)
            if place.isValid():
                self.dataChanged.emit(place, place, [_PICTURE])

    def forget_pictures(self) -> None:
        """Show no thumbnails until others come."""
        self._pictures.clear()

    def has_picture(self, image: int) -> bool:
        return image in self._pictures

    def image_at(self, place: Place) -> int:
        """The image's own index; -1 beside the list."""
        return self._shown[place.row()] if place.isValid() and place.row() < len(self._shown) else -1

    def place_of(self, image: int) -> QModelIndex:
        """Where an image stands; an invalid index where it is filtered out."""
        return self.index(self._shown.index(image)) if image in self._shown else QModelIndex()

    def rowCount(self, parent: Place = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def data(self, place: Place, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        image = self.image_at(place)
        if image < 0:
            return None
        row = self._rows[image]
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.words()
        answers = {Qt.ItemDataRole.DisplayRole: row.name, _ROW: row, _PICTURE: self._pictures.get(image)}
        return answers.get(Qt.ItemDataRole(role) if role < _ROW else role)

    def _filtered(self) -> list[int]:
        figures = [row.psnr for row in self._rows if row.psnr is not None]
        low = float(np.quantile(figures, _LOW_SHARE)) if figures else -np.inf
        tests: dict[str, Callable[[ImageRow], bool]] = {
            "all": lambda row: True,
            "used": lambda row: row.is_used,
            "doubtful": lambda row: row.is_used and row.is_doubtful,
            "left out": lambda row: not row.is_used or row.is_changed,
            "masked": lambda row: row.has_mask,
            "low": lambda row: row.psnr is not None and row.psnr <= low,
        }
        return [image for image, row in enumerate(self._rows) if tests[self._filter](row)]


class ImageCells(QStyledItemDelegate):
    """Paints a thumbnail with its name; an image that is left out is pale and crossed out by a sign."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)

    def sizeHint(self, option: QStyleOptionViewItem, place: Place) -> QSize:
        px = active_theme().px
        return QSize(px(_WIDTH + 8), px(_HEIGHT + _WORDS + 8))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, place: Place) -> None:
        theme, px = active_theme(), active_theme().px
        row, picture = place.data(_ROW), place.data(_PICTURE)
        box: QRect = option.rect
        state = option.state
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        if is_chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QPen(theme.color("accent"), 1.5) if is_chosen else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("selection" if is_chosen else "hover"))
            painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), px(6), px(6))
        frame = QRectF(box.x() + px(4), box.y() + px(4), box.width() - px(8), px(_HEIGHT))
        self._paint_picture(painter, theme, frame, picture, row)
        self._paint_signs(painter, frame, row)
        painter.setFont(interface_font(theme, 12))
        painter.setPen(theme.color("text" if row.is_used else "text_disabled"))
        words = QRect(box.x() + px(6), round(frame.bottom()), box.width() - px(12), px(_WORDS + 2))
        text = painter.fontMetrics().elidedText(_short(row.name), Qt.TextElideMode.ElideMiddle, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    def _paint_picture(
        self, painter: QPainter, theme: Theme, frame: QRectF, picture: QPixmap | None, row: ImageRow
    ) -> None:
        if picture is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("window"))
            painter.drawRoundedRect(frame, 4, 4)
            return
        size = picture.size().scaled(frame.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        inside = QRectF(0, 0, size.width(), size.height())
        inside.moveCenter(frame.center())
        clip = QPainterPath()
        clip.addRoundedRect(inside, 4, 4)
        painter.save()
        painter.setClipPath(clip)
        painter.setOpacity(1.0 if row.is_used else 0.35)
        painter.drawPixmap(inside, picture, QRectF(picture.rect()))
        painter.restore()

    def _paint_signs(self, painter: QPainter, frame: QRectF, row: ImageRow) -> None:
        px = active_theme().px
        signs = [("ban", "error")] if not row.is_used else []
        signs += [("circle-help", "warn")] if not row.has_pose else []
        signs += [("triangle-alert", "warn")] if row.is_used and row.is_doubtful else []
        for place, (name, color) in enumerate(signs):
            at = QRectF(frame.right() - px(22) - place * px(22), frame.top() + px(4), px(18), px(18))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(active_theme().color("panel"))
            painter.drawEllipse(at)
            icon(name, 14, color).paint(painter, at.adjusted(px(2), px(2), -px(2), -px(2)).toRect())
        figure = row.figure if row.psnr is None else f"{row.psnr:.1f} dB"
        if figure:
            self._paint_figure(painter, frame, figure)

    def _paint_figure(self, painter: QPainter, frame: QRectF, text: str) -> None:
        theme, px = active_theme(), active_theme().px
        painter.setFont(interface_font(theme, 12))
        width = painter.fontMetrics().horizontalAdvance(text) + px(10)
        box = QRectF(frame.left() + px(4), frame.bottom() - px(20), width, px(17))
        back = QColor(theme.color("panel"))
        back.setAlphaF(0.88)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.color("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def pixmap_of(picture: Picture) -> QPixmap:
    """A picture (H, W, 3) for Qt."""
    pixels = np.ascontiguousarray(picture)
    height, width = pixels.shape[:2]
    return QPixmap.fromImage(
        QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    )


def _short(name: str) -> str:
    """The file's name without its folders."""
    return name.rpartition("/")[2]


def show_as_cells(view: QListView) -> None:
    """Paint a list of images as rows of thumbnails, of which several can be chosen."""
    view.setItemDelegate(ImageCells(view))
    view.setViewMode(QListView.ViewMode.IconMode)
    view.setResizeMode(QListView.ResizeMode.Adjust)
    view.setMovement(QListView.Movement.Static)
    view.setUniformItemSizes(True)
    view.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
    view.setSpacing(active_theme().px(4))
    view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
