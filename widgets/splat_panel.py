"""Clean and change splats: by what they are, by numbers, by colour; seen before it is applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from widgets.histogram_select import HistogramSelect
from widgets.panel_tool import PanelTool
from widgets.parts import EmptyPlace, FoldButton, column_in, grouped, text_button
from widgets.setting_fields import Limits, SettingField
from widgets.theme import active_theme, secondary_label, title_label

_PREVIEW_MS = 120  # after the last change of a parameter
HISTOGRAM = "histogram"


def _number(
    name: str,
    title: str,
    about: str,
    default: float,
    low: float | None,
    high: float | None,
    unit: str = "",
    **more: Any,
) -> SettingField:
    return SettingField(name, title, about, "float", default, Limits(low, high), unit=unit, **more)


def _triple(name: str, title: str, about: str, default: float, unit: str = "") -> SettingField:
    return SettingField(
        name,
        title,
        about,
        "tuple",
        (default,) * 3,
        unit=unit,
        item="float",
        length=3,
        item_words=("X", "Y", "Z"),
    )


TOOLS: dict[str, tuple[str, str, tuple[SettingField, ...]]] = {
    "floaters": (
        "Clean floaters",
        "What would go is lit up in the picture.",
        (
            _number("isolation", "Isolation", "How much further from their neighbours than usual they are; "
                    "less finds more", 6.0, 1.0, 20.0, is_optional=True, none_text="Off"),
            _number("min_opacity", "Fainter than", "Opacity below which a splat goes", 0.02, 0.0, 1.0,
                    is_optional=True, none_text="Off"),
            _number("max_size", "Larger than", "Size above which a splat goes, as a share of the scene", 0.3, 0.001, 1.0,
                    is_optional=True, none_text="Off"),
        ),
    ),
    "crop": (
        "Crop to box",
        "Drag the faces of the box in the picture, or type. What lies outside goes.",
        (_triple("center", "Middle", "Of the box, X Y Z", 0.0), _triple("size", "Size", "Of the box, X Y Z", 1.0)),
    ),
    "transform": (
        "Transform by numbers",
        "The selection, or everything when nothing is selected, about its middle.",
        (
            _triple("move", "Move", "Along X, Y and Z", 0.0),
            _triple("rotate", "Rotate", "About X, then Y, then Z", 0.0, "°"),
            SettingField("scale", "Scale", "The same along all axes", "float", 1.0, Limits(1e-4, 1e4),
                         has_slider=False),
        ),
    ),
    "recolor": (
        "Colour and opacity",
        "Of the selection, or of everything when nothing is selected.",
        (
            _number("hue", "Hue", "Turns colours around the wheel", 0.0, -180.0, 180.0, "°"),
            _number("saturation", "Saturation", "0 is grey, 1 as it is", 1.0, 0.0, 3.0),
            _number("brightness", "Brightness", "1 as it is", 1.0, 0.0, 3.0),
            _number("contrast", "Contrast", "1 as it is", 1.0, 0.0, 3.0),
            SettingField("tint", "Tint", "A colour to blend towards", "text", "#f0883e"),
            _number("strength", "Tint strength", "0 leaves colours, 1 makes all of it the tint", 0.0, 0.0, 1.0),
            _number("opacity", "Opacity", "Times as opaque", 1.0, 0.0, 4.0),
            _number("size", "Splat size", "Times as large, each in its place", 1.0, 0.1, 4.0),
        ),
    ),
    "decimate": (
        "Fewer splats",
        "Those go that change the picture least.",
        (SettingField("target", "Splats", "How many to keep", "int", 10_000, Limits(1, None)),),
    ),
    "degree": (
        "Less colour detail",
        "How colours change with the side they are seen from; less makes files smaller.",
        (
            SettingField("degree", "SH degree", "0: the same from all sides", "choice", 0,
                         choices=((0, "0: one colour"), (1, "1"), (2, "2"), (3, "3: full"))),
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class SplatSummary:
    """What the panel works on. count: Gaussians that are not deleted. degree: of the colours."""

    name: str
    count: int
    selected: int
    degree: int


class SplatPanel(QWidget):
    """One tool open at a time; what it would do is asked for as a preview and applied or dropped.

    tool_opened: its name, or "" when it was closed. preview_wished, applied: name and parameters. cancelled: drop the
    preview. before_wished: show the splats as they were while True. import_wished: there is nothing yet.
    """

    tool_opened = Signal(str)
    preview_wished = Signal(str, dict)
    applied = Signal(str, dict)
    cancelled = Signal()
    before_wished = Signal(bool)
    import_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("splat_panel")
        self.tool = ""
        self._summary: SplatSummary | None = None
        self._timer = QTimer(self, singleShot=True, interval=_PREVIEW_MS)
        self._timer.timeout.connect(self._ask_preview)
        self.histogram = HistogramSelect()
        self._tools = {name: PanelTool(self, name, *parts) for name, parts in TOOLS.items()}
        self._build()
        self.set_summary(None)

    # What it is told

    def set_summary(self, summary: SplatSummary | None) -> None:
        """Work on these splats, or on none."""
        before, self._summary = self._summary, summary
        self._pages.setCurrentIndex(0 if summary is None else 1)
        if summary is None:
            self._show("")
            return
        self._name.setText(summary.name)
        chosen = f", {grouped(summary.selected)} selected" if summary.selected else ""
        self._counts.setText(f"{grouped(summary.count)} splats{chosen}, SH degree {summary.degree}")
        self._hint.setVisible(not summary.selected and not self.tool)
        if before is None or before.count != summary.count:
            self._tools["decimate"].set_value("target", max(1, summary.count // 2))
        if before is None or before.degree != summary.degree:
            self._tools["degree"].set_value("degree", max(0, min(summary.degree, 3) - 1))

    def set_values(self, tool: str, values: Mapping[str, Any]) -> None:
        """Show parameters that were changed elsewhere, such as a box dragged in the picture."""
        for name, value in values.items():
            self._tools[tool].set_value(name, value)
        if tool == self.tool:
            self._timer.start()

    def say(self, note: str, *, has_preview: bool) -> None:
        """What the open tool would do."""
        if self.tool in self._tools:
            self._tools[self.tool].say(note, has_preview=has_preview)

    def open_tool(self, name: str) -> None:
        """Open a tool and ask for its preview. Raises KeyError for an unknown one."""
        if name != HISTOGRAM:
            self._tools[name]
        if name != self.tool:
            self._drop_preview()
            self._show(name)
        self._scroll.ensureWidgetVisible(self._heading(name))

    def close_tool(self) -> None:
        """Fold the open tool and drop its preview."""
        if self.tool:
            self._drop_preview()
            self._show("")

    def parameters(self) -> dict[str, Any]:
        """The values of the open tool."""
        return self._tools[self.tool].values() if self.tool in self._tools else {}

    # Inner life

    def _build(self) -> None:
        px = active_theme().px
        button = text_button("Import splats…", "import")
        button.clicked.connect(self.import_wished)
        self._pages = QStackedWidget()
        self._pages.addWidget(
            EmptyPlace(
                "layer-splats",
                "Choose a layer of splats in the list, or drop a splat file (.ply, .spz, .splat), "
                "to clean and edit it.",
                button,
            )
        )
        content = QWidget()
        content.setProperty("transparent", "true")
        column = column_in(content, margin=12, spacing=4)
        self._name, self._counts = title_label(""), secondary_label("")
        self._counts.setObjectName("splat_counts")
        self._counts.setWordWrap(True)
        self._hint = secondary_label(
            "Select with the tools at the left of the picture: M rectangle, L lasso, B brush."
        )
        self._hint.setWordWrap(True)
        for label in (self._name, self._counts, self._hint):
            column.addWidget(label)
        column.addSpacing(px(8))
        self._add_histogram(column)
        for name, tool in self._tools.items():
            column.addWidget(tool.heading)
            column.addWidget(tool.body)
            self._wire(name, tool)
        column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(content)
        self._pages.addWidget(self._scroll)
        column_in(self).addWidget(self._pages)

    def _add_histogram(self, column: QVBoxLayout) -> None:
        self._histogram_heading = FoldButton("Select by property")
        self._histogram_heading.setObjectName(f"tool_{HISTOGRAM}")
        self._histogram_heading.clicked.connect(lambda: self._on_heading(HISTOGRAM))
        self._histogram_place = QWidget()
        inner = column_in(self._histogram_place)
        inner.setContentsMargins(active_theme().px(20), 0, 0, active_theme().px(12))
        inner.addWidget(self.histogram)
        column.addWidget(self._histogram_heading)
        column.addWidget(self._histogram_place)

    def _wire(self, name: str, tool: PanelTool) -> None:
        tool.heading.clicked.connect(lambda _=False: self._on_heading(name))
        tool.changed.connect(self._on_changed)
        tool.applied.connect(self._on_apply)
        tool.cancelled.connect(self.close_tool)
        tool.before_wished.connect(self.before_wished)

    def _heading(self, name: str) -> QWidget:
        return self._histogram_heading if name == HISTOGRAM else self._tools[name].heading

    def _show(self, name: str) -> None:
        was_open, self.tool = self.tool, name
        self._histogram_heading.set_open(name == HISTOGRAM)
        self._histogram_place.setVisible(name == HISTOGRAM)
        for key, tool in self._tools.items():
            tool.set_open(key == name)
        if name in NEUTRAL:
            for field, value in NEUTRAL[name].items():
                self._tools[name].set_value(field, value)
        if self._summary is not None:
            self._hint.setVisible(not self._summary.selected and not name)
        if name in self._tools:
            self._tools[name].say("", has_preview=False)
        if name or was_open:
            self.tool_opened.emit(name)
        if name in self._tools and name not in NEUTRAL:
            self._timer.start()

    def _on_heading(self, name: str) -> None:
        if name == self.tool:
            self.close_tool()
        else:
            self.open_tool(name)

    def _on_changed(self) -> None:
        self._tools[self.tool].say("", has_preview=False)
        self._timer.start()

    def _ask_preview(self) -> None:
        if self.tool in self._tools and self._tools[self.tool].is_valid():
            self._tools[self.tool].say("Making the preview…")
            self.preview_wished.emit(self.tool, self.parameters())

    def _on_apply(self) -> None:
        self._timer.stop()
        name, parameters = self.tool, self.parameters()
        self._show("")
        self.applied.emit(name, parameters)

    def _drop_preview(self) -> None:
        self._timer.stop()
        if self.tool:
            self.histogram.forget_range()
            self.cancelled.emit()


# What changes nothing: these tools begin with it, and are previewed only once something was changed.
NEUTRAL: dict[str, dict[str, Any]] = {
    name: {field.name: field.default for field in TOOLS[name][2]} for name in ("transform", "recolor")
}
