"""Clean a mesh: small parts, holes, noise, too many triangles; seen before it is applied. And its measures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QStackedWidget, QWidget

from render.mesh import TriangleMesh
from widgets.mesh_figures import kept_parts, measures
from widgets.panel_tool import PanelTool
from widgets.parts import EmptyPlace, column_in, grouped
from widgets.setting_fields import Limits, SettingField
from widgets.theme import active_theme, secondary_label

_PREVIEW_MS = 350  # after the last change of a parameter

_TOOLS: dict[str, tuple[str, str, tuple[SettingField, ...]]] = {
    "components": (
        "Remove small parts",
        "Parts smaller than this share of the largest one go.",
        (
            SettingField(
                "min_share", "Smallest part to keep", "Share of the largest part's area", "float", 0.01,
                Limits(0.0001, 1.0),
            ),
        ),
    ),
    "holes": (
        "Fill holes",
        "Openings of the surface are closed.",
        (
            SettingField(
                "max_edges", "Largest hole", "Holes with more edges stay open", "int", None, Limits(3, None),
                unit="edges", is_optional=True, none_text="All",
            ),
        ),
    ),
    "smooth": (
        "Smooth",
        "Noise goes; a closed mesh keeps its volume.",
        (SettingField("iterations", "Rounds", "More rounds, smoother", "int", 10, Limits(1, 1000)),),
    ),
    "decimate": (
        "Decimate",
        "Fewer triangles, the same shape as far as they can tell it.",
        (SettingField("target_faces", "Triangles", "How many to keep", "int", 10_000, Limits(4, None)),),
    ),
    "weld": (
        "Weld seams",
        "Points that lie at the same place become one, so that parts that only touch hold together.",
        (),
    ),
    "winding": (
        "Make winding consistent",
        "Triangles that are wound against their neighbours are turned over.",
        (),
    ),
    "flip": ("Flip normals", "Turns the surface inside out, for meshes that are wound the wrong way.", ()),
}  # fmt: skip


class MeshToolsPanel(QWidget):
    """One tool open at a time; what it would do is asked for as a preview and applied or dropped.

    tool_preview_requested, tool_applied: name of the tool and its parameters. tool_cancelled: drop the preview.
    before_wished: show the mesh as it was (True, while the button is held) or the preview again. parts_wished: say by
    set_part_areas how large the parts of the mesh are, which takes a while for a large one.
    """

    tool_preview_requested = Signal(str, dict)
    tool_applied = Signal(str, dict)
    tool_cancelled = Signal()
    before_wished = Signal(bool)
    parts_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mesh_tools")
        self._mesh: TriangleMesh | None = None
        self._areas: NDArray[np.float64] | None = None
        self._preview: TriangleMesh | None = None
        self._open = ""
        self._values: dict[str, QLabel] = {}
        self._tools = {name: PanelTool(self, name, *parts) for name, parts in _TOOLS.items()}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PREVIEW_MS)
        self._timer.timeout.connect(self._ask_preview)
        self._build()
        self.set_mesh(None)

    @property
    def tool(self) -> str:
        """Name of the tool that is open; empty for none."""
        return self._open

    def set_mesh(self, mesh: TriangleMesh | None) -> None:
        """Work on another mesh, or on none."""
        self._mesh, self._areas = mesh, None
        self._pages.setCurrentIndex(0 if mesh is None else 1)
        if mesh is None:
            self._show(None)
            return
        self._show_measures(mesh)
        self._tools["decimate"].set_value("target_faces", max(4, len(mesh.faces) // 4))
        if self._open == "components":
            self.parts_wished.emit()
        if self._open:
            self._refresh_notes(None)

    def set_preview(self, mesh: TriangleMesh) -> None:
        """Say what the preview that was asked for came to, and let it be compared."""
        if not self._open:
            return
        self._refresh_notes(mesh)

    def set_part_areas(self, areas: NDArray[np.float64]) -> None:
        """The areas of the mesh's connected parts, largest first."""
        self._areas = areas
        if self._open:
            self._refresh_notes(self._preview)

    def open_tool(self, name: str) -> None:
        """Open a tool, and ask for its preview. Raises KeyError for an unknown one."""
        self._tools[name]
        if name != self._open:
            self._drop_preview()
            self._show(name)

    def parameters(self) -> dict[str, Any]:
        """The values of the open tool."""
        return self._tools[self._open].values() if self._open else {}

    def _build(self) -> None:
        self._pages = QStackedWidget()
        self._pages.addWidget(EmptyPlace("wrench", "Select a mesh to clean or measure it."))
        content = QWidget()
        content.setProperty("transparent", "true")
        column = column_in(content, margin=12, spacing=4)
        self._measures = QGridLayout()
        self._measures.setColumnStretch(1, 1)
        self._measures.setHorizontalSpacing(active_theme().px(16))
        self._measures.setVerticalSpacing(active_theme().px(4))
        column.addLayout(self._measures)
        column.addSpacing(active_theme().px(8))
        for name, tool in self._tools.items():
            column.addWidget(tool.heading)
            column.addWidget(tool.body)
            tool.heading.clicked.connect(lambda _=False, name=name: self._on_heading(name))
            tool.changed.connect(self._on_changed)
            tool.applied.connect(self._on_apply)
            tool.cancelled.connect(self._on_cancel)
            tool.before_wished.connect(self.before_wished)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(content)
        self._pages.addWidget(scroll)
        column_in(self).addWidget(self._pages)

    def _show_measures(self, mesh: TriangleMesh) -> None:
        for place, (word, value) in enumerate(measures(mesh)):
            if word not in self._values:
                self._values[word] = QLabel()
                self._values[word].setObjectName(f"measure_{word.lower()}")
                self._values[word].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._measures.addWidget(secondary_label(word), place, 0)
                self._measures.addWidget(self._values[word], place, 1)
            self._values[word].setText(value)

    def _show(self, name: str | None) -> None:
        self._open = name or ""
        for key, tool in self._tools.items():
            tool.set_open(key == name)
        if name == "components" and self._mesh is not None and self._areas is None:
            self.parts_wished.emit()
        if name and self._mesh is not None:
            self._refresh_notes(None)
            self._timer.start()

    def _on_heading(self, name: str) -> None:
        if name == self._open:
            self._on_cancel()
        else:
            self.open_tool(name)

    def _on_changed(self) -> None:
        self._refresh_notes(None)
        self._timer.start()

    def _ask_preview(self) -> None:
        if self._open and self._mesh is not None and self._tools[self._open].is_valid():
            if self._open != "components":
                self._tools[self._open].say("Making the preview…")
            self.tool_preview_requested.emit(self._open, self.parameters())

    def _on_apply(self) -> None:
        self._timer.stop()
        name, parameters = self._open, self.parameters()
        self._show(None)
        self.tool_applied.emit(name, parameters)

    def _on_cancel(self) -> None:
        self._drop_preview()
        self._show(None)

    def _drop_preview(self) -> None:
        self._timer.stop()
        if self._open:
            self.tool_cancelled.emit()

    def _refresh_notes(self, preview: TriangleMesh | None) -> None:
        """What the open tool would do, as far as it is known."""
        assert self._mesh is not None
        tool, self._preview = self._tools[self._open], preview
        note = ""
        if self._open == "components" and tool.is_valid():
            note = self._parts_note()
        if preview is not None:
            before, after = len(self._mesh.faces), len(preview.faces)
            change = f"{grouped(before)} → {grouped(after)} triangles"
            note = f"{note} {change}".strip() if before != after else note or "Shown in the picture."
            if self._open == "decimate" and tool.is_valid() and after > self.parameters()["target_faces"]:
                note += ": with fewer it would not stay whole"
        tool.say(note, has_preview=preview is not None)

    def _parts_note(self) -> str:
        if self._areas is None:
            return "Counting the parts…"
        kept, count = kept_parts(self._areas, float(self.parameters()["min_share"])), len(self._areas)
        return f"Keeps {grouped(kept)} of {grouped(count)} part{'s' if count != 1 else ''}."
