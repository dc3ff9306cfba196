"""One row of the list of parts: what it says of a part, and how its cells look."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QTreeWidgetItem

from widgets.icons import item_icon
from widgets.parts import grouped
from widgets.theme import active_theme

NAME, COUNT, SURE, EYE, LOCK = range(5)  # columns
NO_PART = -1
_ROW = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class PartRow:
    """What is shown of one part. number: NO_PART for what belongs to none. confidence: mean, 0 … 1, None where nobody
    said. num_strokes: drawn for it."""

    number: int
    name: str
    color: str
    count: int
    confidence: float | None = None
    is_hidden: bool = False
    is_locked: bool = False
    num_strokes: int = 0

    @property
    def is_part(self) -> bool:
        return self.number != NO_PART


def row_of(item: QTreeWidgetItem) -> PartRow:
    """What a row of the list shows."""
    row: PartRow = item.data(NAME, _ROW)
    return row


def swatch(color: str, *, is_hollow: bool = False) -> QIcon:
    """A rounded square of a colour; hollow for a part without splats."""
    side = active_theme().px(16) * 2
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    inset = side // 6
    box = QRect(inset, inset, side - 2 * inset, side - 2 * inset)
    if is_hollow:
        pen = painter.pen()
        pen.setColor(QColor(color))
        pen.setWidthF(side / 11)
        painter.setPen(pen)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
    painter.drawRoundedRect(box, side / 8, side / 8)
    painter.end()
    found = QIcon(pixmap)
    found.addPixmap(pixmap, QIcon.Mode.Selected)  # else Qt mixes it with the selection's colour
    return found


def item_of(row: PartRow) -> QTreeWidgetItem:
    """A row of the list that shows this."""
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    sure = "" if row.confidence is None or not row.count else f"{round(100 * row.confidence)}\u202f%"
    item = QTreeWidgetItem([row.name, grouped(row.count), sure, "", ""])
    item.setData(NAME, _ROW, row)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable if row.is_part else item.flags())
    item.setIcon(NAME, swatch(row.color, is_hollow=not row.count or not row.is_part))
    item.setTextAlignment(COUNT, right)
    item.setTextAlignment(SURE, right)
    second = active_theme().color("text_second")
    for column in (COUNT, SURE):
        item.setForeground(column, second)
    if not row.is_part or row.is_hidden:
        item.setForeground(NAME, second)
    if row.count:
        eye = ("eye-off", "text_disabled") if row.is_hidden else ("eye", "text_second")
        item.setIcon(EYE, item_icon(eye[0], 16, eye[1]))
        lock = ("lock", "text") if row.is_locked else ("lock-open", "line")
        item.setIcon(LOCK, item_icon(lock[0], 16, lock[1]))
        item.setToolTip(EYE, "Show" if row.is_hidden else "Hide")
        item.setToolTip(LOCK, "Unlock" if row.is_locked else "Lock: nothing changes it")
    item.setToolTip(NAME, _tip(row))
    item.setToolTip(COUNT, f"{grouped(row.count)} splats")
    item.setToolTip(SURE, "How sure it is in the mean that they belong to it")
    return item


def _tip(row: PartRow) -> str:
    if not row.is_part:
        return "Splats that belong to no part. Choose this row to mark what belongs to none."
    strokes = (
        f", {row.num_strokes} strokes" if row.num_strokes > 1 else ", 1 stroke" if row.num_strokes else ""
    )
    return (
        f"{row.name}: {grouped(row.count)} splats{strokes}. Click the square for another colour, F2 renames."
    )
