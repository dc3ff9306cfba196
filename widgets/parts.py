"""Small parts that several panels share: buttons with icons, words with a state, places that are empty."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import IconLabel, icon
from widgets.theme import active_theme, secondary_label

W = TypeVar("W", bound=QWidget)
LABEL_WIDTH = 124  # of the column of labels in forms, in design pixels
ICON_GAP = "\u2002"  # between an icon and the words of a tool button: Qt leaves but three pixels
WORDED_ICON = QSize(22, 16)  # wider than the icon, which keeps it away from the words after it


def with_role(widget: W, role: str) -> W:
    """Give a widget its role in the style sheet, and the widget back."""
    return with_property(widget, "role", role)


def with_property(widget: W, name: str, value: object) -> W:
    """Set a property that the style sheet looks at, and style the widget anew when it changed."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
    return widget


class IconButton(QToolButton):
    """A tool button whose icon grows with the interface. side: design pixels."""

    def __init__(self, icon_name: str, side: int = 16) -> None:
        super().__init__()
        self._picture = QSize(side, side)
        self.setIcon(icon(icon_name, side))
        self.setIconSize(self._picture * active_theme().ui_scale)

    def set_worded(self, words: str) -> None:
        """Write words beside the icon."""
        self._picture = WORDED_ICON
        self.setIconSize(self._picture * active_theme().ui_scale)
        self.setText(words)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.setIconSize(self._picture * active_theme().ui_scale)


class WordButton(QPushButton):
    """A push button whose icon grows with the interface and keeps away from its words."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.setIconSize(WORDED_ICON * active_theme().ui_scale)
        self.setAutoDefault(False)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.setIconSize(WORDED_ICON * active_theme().ui_scale)


def icon_button(
    icon_name: str, name: str, tip: str = "", *, is_checkable: bool = False, side: int = 16
) -> IconButton:
    """A button that is only an icon. name: what it does, for screen readers and, without tip, the tooltip."""
    button = IconButton(icon_name, side)
    button.setAutoRaise(True)
    button.setCheckable(is_checkable)
    button.setAccessibleName(name)
    button.setToolTip(tip or name)
    return button


def text_button(text: str, icon_name: str = "", *, is_primary: bool = False) -> QPushButton:
    """A button with words; the primary one is the accented one of its panel."""
    button = WordButton(text)
    if icon_name:
        button.setIcon(icon(icon_name, color="on_accent" if is_primary else "text"))
    if is_primary:
        button.setProperty("primary", True)
    return button


def search_field(words: str) -> QLineEdit:
    """A field to search with. words: what it searches, for the placeholder and screen readers."""
    field = QLineEdit()
    field.setPlaceholderText(words)
    field.setAccessibleName(words)
    field.setClearButtonEnabled(True)
    field.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition).setToolTip(words)
    return field


def row_of(*items: QWidget | int, spacing: int = 8) -> QHBoxLayout:
    """Widgets side by side; an int is a stretch."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(active_theme().px(spacing))
    for item in items:
        if isinstance(item, int):
            row.addStretch(item)
        else:
            row.addWidget(item)
    return row


def form_grid() -> QGridLayout:
    """The columns of every form: labels, controls, and room for a reset arrow, so that edges line up."""
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setColumnStretch(1, 1)
    size_form_grid(grid)
    return grid


def size_form_grid(grid: QGridLayout) -> None:
    """Give the columns of a form their widths, again after the interface was scaled."""
    px = active_theme().px
    grid.setHorizontalSpacing(px(8))
    grid.setVerticalSpacing(px(6))
    grid.setColumnMinimumWidth(0, px(LABEL_WIDTH))
    grid.setColumnMinimumWidth(2, icon_button("rotate-ccw", "").sizeHint().width())


def column_in(widget: QWidget, margin: int = 0, spacing: int = 8) -> QVBoxLayout:
    """A column as the widget's layout. margin, spacing: design pixels."""
    column = QVBoxLayout(widget)
    space = active_theme().px(margin) if margin else 0
    column.setContentsMargins(space, space, space, space)
    column.setSpacing(active_theme().px(spacing) if spacing else 0)
    return column


def grouped(count: int) -> str:
    """ "12 345", with narrow spaces."""
    return f"{count:,}".replace(",", "\u2009")


class FoldButton(QAbstractButton):
    """A heading with an arrow that opens and closes what stands below it."""

    def __init__(self, title: str, note: str = "") -> None:
        super().__init__()
        self._note = note
        self._is_open = False
        self.setText(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.set_open(False)

    @property
    def is_open(self) -> bool:
        return self._is_open

    def set_open(self, is_open: bool) -> None:
        """Turn the arrow."""
        self._is_open = is_open
        self.setAccessibleName(f"{self.text()}, {'open' if is_open else 'closed'}")
        self.update()

    def sizeHint(self) -> QSize:
        bold = QFontMetrics(self._bold())
        width = bold.horizontalAdvance(self.text()) + self.fontMetrics().horizontalAdvance(self._note)
        return QSize(width + active_theme().px(36), active_theme().px(28))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = active_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.hasFocus():
            painter.setPen(QPen(theme.color("link")) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("hover") if self.underMouse() else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        side, middle = theme.px(16), self.height() // 2
        arrow = icon("chevron-down" if self._is_open else "chevron-right", color="text_second")
        arrow.paint(painter, 0, middle - side // 2, side, side)
        self._paint_words(painter, theme.px(20))

    def _paint_words(self, painter: QPainter, left: int) -> None:
        rest = self.rect().adjusted(left, 0, 0, 0)
        centre = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(self._bold())
        painter.setPen(active_theme().color("text"))
        painter.drawText(rest, centre, self.text())
        rest.setLeft(left + QFontMetrics(self._bold()).horizontalAdvance(self.text()) + active_theme().px(8))
        painter.setFont(self.font())
        painter.setPen(active_theme().color("text_second"))
        painter.drawText(rest, centre, self._note)

    def _bold(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font


class StateLabel(QWidget):
    """An icon and words in one of the theme's state colours: never a colour alone."""

    def __init__(self, parent: QWidget | None = None, *, is_wrapped: bool = True) -> None:
        super().__init__(parent)
        self._icon = IconLabel("info")
        self._icon.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._icon.setContentsMargins(0, 1, 0, 0)
        self._text = QLabel()
        self._text.setWordWrap(is_wrapped)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(active_theme().px(6))
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        self._color = "text_second"

    def say(self, text: str, color: str = "text_second", icon_name: str = "info") -> None:
        """Show words. color: a token of the theme."""
        self._color = color
        self._icon.set_icon(icon_name, 16, color)
        self._text.setText(text)
        self.setAccessibleName(text)
        self._tint()

    def text(self) -> str:
        return self._text.text()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        sheet = f"color: {getattr(active_theme(), self._color)}"
        if self._text.styleSheet() != sheet:
            self._text.setStyleSheet(sheet)


class EmptyPlace(QWidget):
    """What stands where nothing is yet: an icon, what the place is for, and the one next step."""

    def __init__(self, icon_name: str, sentence: str, button: QWidget | None = None) -> None:
        super().__init__()
        self.label = secondary_label(sentence)
        self.label.setWordWrap(True)
        self.label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        picture = IconLabel(icon_name, 20, "text_disabled")
        column = column_in(self, margin=16)
        column.addStretch(1)
        column.addWidget(picture, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.label)
        if button is not None:
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
