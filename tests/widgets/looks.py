"""Measures of how a window looks: contrast, and words that do not fit."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QStyle,
    QStyleOptionComboBox,
    QWidget,
)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours "#rrggbb" by WCAG 2, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def clipped(window: QWidget) -> list[str]:
    """Words of visible labels, buttons and combos that have less room than they need."""
    for _ in range(3):
        QApplication.processEvents()
    return [text for widget in _worded(window) if (text := _clipped_text(widget))]


def _worded(window: QWidget) -> Iterator[QWidget]:
    kinds = (QLabel, QAbstractButton, QComboBox)
    return (w for kind in kinds for w in window.findChildren(kind) if w.isVisible())


def _clipped_text(widget: QWidget) -> str:
    text = widget.currentText() if isinstance(widget, QComboBox) else widget.property("text")
    if not text:
        return ""
    wraps = isinstance(widget, QLabel) and widget.wordWrap()
    if isinstance(widget, QComboBox):
        return (
            "" if _combo_room(widget) >= widget.fontMetrics().horizontalAdvance(text) else f"combo {text!r}"
        )
    needed = 0 if wraps else widget.sizeHint().width()
    height = widget.heightForWidth(widget.width()) if wraps else widget.sizeHint().height()
    return f"{text!r}: {widget.size()}" if widget.width() < needed or widget.height() < height - 1 else ""


def _combo_room(combo: QComboBox) -> int:
    """Width that the style leaves for the words of a combo."""
    option = QStyleOptionComboBox()
    combo.initStyleOption(option)
    style = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
    return combo.style().subControlRect(style[0], option, style[1], combo).width()
