"""What there is to know about the selected layer, and how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from widgets.icons import IconLabel
from widgets.theme import active_theme

Choices = tuple[tuple[str, str], ...]  # (value, text)


@dataclass(frozen=True)
class LayerDisplay:
    """How a layer is drawn, and what may be chosen. color: "#rrggbb". opacity: 0..1. splat_scale: times the size
    of splats, 0..2. Empty choices, or None, hide a row."""

    color: str = ""
    opacity: float = 1.0
    shading: str = ""
    shadings: Choices = ()
    color_by: str = ""
    color_bys: Choices = ()
    sides: str = ""
    sides_choices: Choices = ()
    view: str = ""
    views: Choices = ()
    degree: str = ""
    degrees: Choices = ()
    splat_scale: float | None = None


@dataclass(frozen=True)
class LayerFacts:
    """What the panel shows of one layer: rows of (label, value) to read, ready in the user's words.

    result: what a run says of the layer that it made."""

    id: str
    name: str
    kind_icon: str = "box"
    counts: tuple[tuple[str, str], ...] = ()
    bounds: tuple[tuple[str, str], ...] = ()
    display: LayerDisplay | None = None
    provenance: tuple[tuple[str, str], ...] = ()
    locked: bool = False
    result: tuple[tuple[str, str], ...] = ()


class PropertiesPanel(QWidget):
    """The panel [props_panel]; changes are wishes that the app answers with new facts."""

    renamed = Signal(str, str)  # layer id, name
    display_changed = Signal(str, str, object)  # layer id, field of LayerDisplay, value

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("props_panel")
        self.setMinimumWidth(active_theme().px(224))
        self._facts: LayerFacts | None = None
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        nothing = QLabel("Select a layer to see what it holds and how it is drawn.")
        nothing.setProperty("role", "secondary")
        nothing.setWordWrap(True)
        nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        nothing.setContentsMargins(*(active_theme().px(16),) * 4)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(nothing)
        self._stack.addWidget(self._scroll)

    def facts(self) -> LayerFacts | None:
        """What is shown."""
        return self._facts

    def set_facts(self, facts: LayerFacts | None) -> None:
        """Show a layer, or what the panel is for. Fields being dragged or typed in are left alone."""
        if facts == self._facts:
            return
        self._facts = facts
        if facts is None:
            self._stack.setCurrentIndex(0)
            return
        top = self._scroll.verticalScrollBar().value()
        last = self._scroll.takeWidget()
        if last is not None:
            last.deleteLater()  # it may be in the middle of the signal that brought us here
        self._scroll.setWidget(self._page(facts))
        self._scroll.verticalScrollBar().setValue(top)
        self._stack.setCurrentIndex(1)

    def _page(self, facts: LayerFacts) -> QWidget:
        px = active_theme().px
        page = QWidget()
        page.setProperty("transparent", True)
        column = QVBoxLayout(page)
        column.setContentsMargins(px(12), px(12), px(4), px(16))  # beside the scroll bar
        column.setSpacing(px(8))
        column.addLayout(self._name_row(facts))
        _add_section(column, "Result", _readings(facts.result) if facts.result else None)
        _add_section(column, "Display", self._display(facts) if facts.display is not None else None)
        for title, rows in (
            ("Contents", facts.counts),
            ("Bounds", facts.bounds),
            ("Origin", facts.provenance),
        ):
            _add_section(column, title, _readings(rows) if rows else None)
        column.addStretch(1)
        return page

    def _name_row(self, facts: LayerFacts) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(active_theme().px(8))
        name = QLineEdit(facts.name)
        name.setObjectName("props_name")
        name.setAccessibleName("Name")
        name.setReadOnly(facts.locked)
        name.editingFinished.connect(lambda: self._rename(name))
        row.addWidget(IconLabel(facts.kind_icon, 20, "text_second"))
        row.addWidget(name, 1)
        return row

    def _rename(self, field: QLineEdit) -> None:
        facts, name = self._facts, field.text().strip()
        if facts is None or not name:
            field.setText(facts.name if facts else "")
        elif name != facts.name:
            self.renamed.emit(facts.id, name)

    def _display(self, facts: LayerFacts) -> QGridLayout:
        display = facts.display
        assert display is not None
        grid = _form_grid()
        if display.color:
            _add_row(grid, "Colour", self._color_button(facts.id, display))
        _add_row(grid, "Opacity", self._slider(facts.id, "opacity", display.opacity, 100))
        if display.splat_scale is not None:
            _add_row(grid, "Splat size", self._slider(facts.id, "splat_scale", display.splat_scale, 200))
        for field, label, value, choices in (
            ("view", "Show as", display.view, display.views),
            ("shading", "Shading", display.shading, display.shadings),
            ("color_by", "Colour by", display.color_by, display.color_bys),
            ("degree", "Colours", display.degree, display.degrees),
            ("sides", "Show", display.sides, display.sides_choices),
        ):
            if choices:
                _add_row(grid, label, self._combo(facts.id, field, value, choices))
        return grid

    def _combo(self, layer_id: str, field: str, value: str, choices: Choices) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName(f"props_{field}")
        # A long choice must not widen the panel.
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(4)
        combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for choice, text in choices:
            combo.addItem(text, choice)
        combo.setCurrentIndex(max(0, combo.findData(value)))
        combo.activated.connect(lambda _: self.display_changed.emit(layer_id, field, combo.currentData()))
        return combo

    def _slider(self, layer_id: str, field: str, value: float, most: int) -> QWidget:
        """A share of one in percent, up to `most`."""
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setObjectName(f"props_{field}")
        slider.setRange(0, most)
        slider.setPageStep(10)
        slider.setMinimumWidth(active_theme().px(48))
        slider.setValue(round(100 * value))
        reading = QLabel(f"{slider.value()} %")
        reading.setMinimumWidth(reading.fontMetrics().horizontalAdvance("100 %") + active_theme().px(2))
        reading.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        slider.valueChanged.connect(lambda value: reading.setText(f"{value} %"))
        slider.valueChanged.connect(lambda value: self._drag(layer_id, field, value / 100))
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(slider, 1)
        row.addWidget(reading)
        return both

    def _drag(self, layer_id: str, field: str, value: float) -> None:
        if self._facts is not None and self._facts.display is not None:
            # Remembered at once, so that the app's answer does not rebuild the slider under the pointer.
            self._facts = _with_display(self._facts, **{field: value})
        self.display_changed.emit(layer_id, field, value)

    def _color_button(self, layer_id: str, display: LayerDisplay) -> QPushButton:
        button = ColorButton(display.color)
        button.setObjectName("props_color")
        button.picked.connect(lambda color: self.display_changed.emit(layer_id, "color", color))
        return button


class ColorButton(QPushButton):
    """Shows a colour and its code; a click asks for another."""

    picked = Signal(str)

    def __init__(self, color: str, parent: QWidget | None = None) -> None:
        super().__init__(color, parent)
        self._color = color
        self.setProperty("leading", True)
        self.setAccessibleName(f"Colour {color}")
        self.clicked.connect(self._ask)

    def set_color(self, color: str) -> None:
        """Show another colour."""
        self._color = color
        self.setText(color)
        self.setAccessibleName(f"Colour {color}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        side = active_theme().px(14)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(active_theme().color("field_line"))
        painter.setBrush(QColor(self._color))
        left = self.width() - side - active_theme().px(8)
        painter.drawRoundedRect(left, (self.height() - side) // 2, side, side, 3, 3)

    def _ask(self) -> None:
        dialog = QColorDialog(QColor(self._color), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self._take)
        dialog.open()

    def _take(self, color: QColor) -> None:
        self.set_color(color.name())
        self.picked.emit(color.name())


def _with_display(facts: LayerFacts, **values: float) -> LayerFacts:
    assert facts.display is not None
    return replace(facts, display=replace(facts.display, **values))  # type: ignore[arg-type]


def _form_grid() -> QGridLayout:
    px = active_theme().px
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(px(8))
    grid.setVerticalSpacing(px(6))
    grid.setColumnMinimumWidth(0, px(72))
    grid.setColumnStretch(1, 1)
    return grid


def _add_row(
    grid: QGridLayout, text: str, control: QWidget, place: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignVCenter
) -> None:
    label = QLabel(text)
    label.setProperty("role", "field")
    label.setBuddy(control)
    control.setAccessibleName(control.accessibleName() or text)
    row = grid.rowCount()
    grid.addWidget(label, row, 0, place)
    grid.addWidget(control, row, 1)


def _readings(rows: Sequence[tuple[str, str]]) -> QGridLayout:
    grid = _form_grid()
    for text, value in rows:
        reading = QLabel(value)
        reading.setWordWrap(True)
        reading.setTextFormat(Qt.TextFormat.PlainText)
        flags = Qt.TextInteractionFlag
        reading.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
        _add_row(grid, text, reading, Qt.AlignmentFlag.AlignTop)
    return grid


def _add_section(column: QVBoxLayout, title: str, contents: QGridLayout | None) -> None:
    if contents is None:
        return
    column.addSpacing(active_theme().px(8))
    heading = QLabel(title)
    heading.setProperty("role", "heading")
    rule = QFrame()
    rule.setProperty("rule", True)
    column.addWidget(heading)
    column.addWidget(rule)
    column.addLayout(contents)
