"""Icons of one family, drawn in the theme's text colour at whatever size and pixel ratio is asked for."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel, QWidget

from widgets import svg
from widgets.theme import active_theme


def icon(name: str, size: int = 16, color: str = "text", checked_color: str = "") -> QIcon:
    """The icon `name` of resources/icons; follows the theme by itself.

    size: design pixels that it will be shown at, which sets the stroke. color: a token of the theme, for
    example "on_accent" on a primary button. checked_color: when the button is checked; without it the accent
    takes the place of the text colour. Raises KeyError for a name that is not there.
    """
    svg.source(name)
    return _tinted(name, size, color, checked_color or ("accent" if color == "text" else color))


@cache
def _tinted(name: str, size: int, color: str, checked_color: str) -> QIcon:
    """Kept for good: an icon that goes with a window, in one cycle of garbage with it, is freed twice."""
    return QIcon(_TintedIcon(name, size, color, checked_color))


def item_icon(name: str, size: int = 16, color: str = "text") -> QIcon:
    """The same for rows of lists and trees, where Qt shows unfolded rows with the icon of a checked button."""
    return icon(name, size, color, color)


def app_icon() -> QIcon:
    """The program's own icon, in its own colours."""
    return QIcon(_PaintedIcon("isokiln"))


class IconLabel(QLabel):
    """A label that shows an icon and repaints it when the theme changes."""

    def __init__(self, name: str, size: int = 16, color: str = "text", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_icon(name, size, color)

    def set_icon(self, name: str, size: int = 16, color: str = "text") -> None:
        """Show another icon."""
        self._icon, self._size = icon(name, size, color), size
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._draw()

    def _draw(self) -> None:
        side = active_theme().px(self._size)
        self.setPixmap(self._icon.pixmap(QSize(side, side), self.devicePixelRatioF()))


class _TintedIcon(QIconEngine):
    """Asks for the theme's colour at every painting, so that icons already handed out follow a change."""

    def __init__(self, name: str, size: int, color: str, checked_color: str) -> None:
        super().__init__()
        self._name, self._size, self._color, self._checked_color = name, size, color, checked_color

    def clone(self) -> QIconEngine:
        return _TintedIcon(self._name, self._size, self._color, self._checked_color)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatio() if painter.device() else 1.0
        size = QSize(round(rect.width() * ratio), round(rect.height() * ratio))
        painter.drawPixmap(rect, self.pixmap(size, mode, state))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return _drawn(self._name, size, self._tint(mode, state), self._size)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        pixmap = QPixmap(self.pixmap(size * scale, mode, state))
        pixmap.setDevicePixelRatio(scale)
        return pixmap

    def _tint(self, mode: QIcon.Mode, state: QIcon.State) -> str:
        theme = active_theme()
        if mode == QIcon.Mode.Disabled:
            return theme.text_disabled
        return str(getattr(theme, self._checked_color if state == QIcon.State.On else self._color))


class _PaintedIcon(QIconEngine):
    """An icon in its own colours."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def clone(self) -> QIconEngine:
        return _PaintedIcon(self._name)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        QSvgRenderer(QByteArray(svg.source(self._name).encode())).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return _drawn(self._name, size, "#000000", 24)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        pixmap = QPixmap(self.pixmap(size * scale, mode, state))
        pixmap.setDevicePixelRatio(scale)
        return pixmap


def _drawn(name: str, size: QSize, color: str, nominal: int) -> QPixmap:
    """The icon as a pixmap of `size` device pixels, out of Qt's cache where it was drawn before."""
    key = f"isokiln/{name}/{size.width()}x{size.height()}/{color}/{nominal}"
    pixmap = QPixmap()
    if QPixmapCache.find(key, pixmap):
        return pixmap
    pixmap = QPixmap(size)
    pixmap.fill(Qt.GlobalColor.transparent)
    side = min(size.width(), size.height())
    # At the left of a wide rectangle: the style sheet asks for one to set a button's icon off from its text.
    square = QRectF(0, (size.height() - side) / 2, side, side)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.tinted(name, color, nominal).encode())).render(painter, square)
    painter.end()
    QPixmapCache.insert(key, pixmap)
    return pixmap
