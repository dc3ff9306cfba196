"""The strip of tools beside a cross-section, and what they may wish for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QButtonGroup, QFrame, QMenu, QToolButton, QWidget

from render.cross_sections import CrossSections
from widgets import plane_edits
from widgets.contour_geometry import crosses_itself
from widgets.contour_strokes import BrushTool, PolygonTool, PreviewTool
from widgets.contour_tools import PointTool
from widgets.icons import icon
from widgets.parts import column_in, icon_button, row_of, text_button
from widgets.plane_drawing import FlatLoop, PlaneMap, Points, flat_loops
from widgets.slice_canvas import SliceCanvas, SliceTool
from widgets.slice_painting import label_qcolor
from widgets.theme import active_theme, secondary_label

_TOOLS = (
    (None, "move", "Look", "Look around: drag pans, the wheel zooms (Esc)"),
    ("points", "spline", "Edit points", "Edit points: drag one, double-click an edge to add one, Delete (W)"),
    ("polygon", "pen-tool", "Draw contour", "Draw a contour; drawn inside another it is a hole (P)"),
    ("brush", "brush", "Brush", "Add with a brush (B); [ and ] change its size"),
    ("eraser", "eraser", "Eraser", "Erase with a brush (E); [ and ] change its size"),
)
_KEYS = {"W": "points", "P": "polygon", "B": "brush", "E": "eraser"}


class ContourEditor(QWidget):
    """Tools in a column. Every finished stroke is one `edited`: what was done, and the new CrossSections."""

    edited = Signal(str, object)
    noticed = Signal(str)
    tool_changed = Signal(object)  # name of the tool, or None for looking around

    def __init__(self, canvas: SliceCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("contour_tools")
        self.canvas = canvas
        self.label = 1
        self.brush_radius = 14.0 * active_theme().ui_scale
        self.tool: str | None = None
        self._sections: CrossSections | None = None
        self._plane = 0
        self._build()
        self.preview_bar = self._build_preview_bar()
        self._add_keys()
        canvas.menu_wanted.connect(self._on_menu)
        canvas.refresh_cursor()

    def set_plane(self, sections: CrossSections, plane: int, *, is_edit: bool) -> None:
        """What the tools work on. A stroke begun on another plane, and every preview, is dropped."""
        self._sections, self._plane = sections, plane
        if self.label not in sections.labels and not is_edit:
            self.label = sections.labels[0] if sections.labels else 1
        if self.tool == "preview":
            self.choose(None)
        elif is_edit and self.canvas.tool is not None:
            self.canvas.tool.redrawn()
        else:
            self.choose(self.tool)
        self._refresh()

    def choose(self, name: str | None) -> None:
        """Take a tool in hand by name; None looks around."""
        self.tool = name
        self.canvas.tool = self._make(name)
        self.canvas.refresh_cursor()
        self.preview_bar.hide()
        self._buttons[name if name in self._buttons else None].setChecked(True)
        self.canvas.update()
        self.tool_changed.emit(name)

    def commit(self, text: str, loops: Sequence[FlatLoop]) -> None:
        """Wish that the plane had these loops. Those that stay keep their points in space to the last bit."""
        assert self._sections is not None
        sections = plane_edits.with_loops(self._sections, self._plane, self.canvas.drawing.loops, loops)
        self.edited.emit(f"{text} on plane {self._plane + 1}", sections)

    def notify(self, text: str) -> None:
        """Say what was not done or was mended."""
        self.noticed.emit(text)

    def smooth(self) -> None:
        """Smooth the selected contour, or all of the label."""
        loops, chosen = self.canvas.drawing.loops, self.canvas.selected
        which = (
            {chosen}
            if chosen is not None
            else {i for i, loop in enumerate(loops) if loop.label == self.label}
        )
        changed = plane_edits.smooth(loops, which)
        if not which:
            self.notify("Nothing of this label to smooth here.")
        elif any(crosses_itself(changed[i].points) for i in which):
            self.notify("Not smoothed: the contour would cross itself.")
        else:
            self.commit("Smooth contour", changed)

    def copy_from(self, step: int) -> None:
        """Copy the contours of the plane before (-1) or after (+1) in place of this one's."""
        assert self._sections is not None
        other = self._neighbour(step)
        if other is None:
            self.notify("There is no parallel plane on that side to copy from.")
            return
        here = PlaneMap.of(self._sections, self._plane)
        self.commit(f"Copy contours of plane {other + 1}", flat_loops(self._sections, other, here))

    def interpolate(self) -> None:
        """Show the shape between the planes around this one, to take or leave."""
        assert self._sections is not None
        new = plane_edits.in_between(self._sections, self._plane)
        if not new:
            self.notify("Needs a parallel plane with contours on either side.")
            return
        self.choose("preview")
        self.canvas.tool = PreviewTool(self, "Interpolate contours", new)
        self.preview_bar.show()
        self.canvas.setFocus()

    def delete_selected(self) -> None:
        """Delete the selected contour."""
        if self.canvas.selected is None:
            self.notify("Select a contour with Edit points first.")
        else:
            PointTool(self).delete_loop(self.canvas.selected)

    def set_label(self, label: int) -> None:
        """The label that is drawn and erased from now on."""
        self.label = label
        self._refresh()
        self.canvas.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._sections is not None:
            self._refresh()

    def _make(self, name: str | None) -> SliceTool | None:
        if name in ("brush", "eraser"):
            return BrushTool(self, erases=name == "eraser")
        return (
            {"points": PointTool, "polygon": PolygonTool}[name](self)
            if name in ("points", "polygon")
            else None
        )

    def _build(self) -> None:
        column = column_in(self, margin=4, spacing=2)
        self._buttons: dict[str | None, QToolButton] = {}
        group = QButtonGroup(self)
        for name, icon_name, words, tip in _TOOLS:
            button = icon_button(icon_name, words, tip, is_checkable=True, side=20)
            button.setObjectName(f"tool_{name or 'look'}")
            button.clicked.connect(lambda _=False, name=name: self.choose(name))
            group.addButton(button)
            column.addWidget(button)
            self._buttons[name] = button
        column.addWidget(_rule())
        self._acts: dict[str, QToolButton] = {}
        for name, icon_name, words, act in self._actions():
            button = icon_button(icon_name, words, side=20)
            button.setObjectName(f"act_{name}")
            self._acts[name] = button
            button.clicked.connect(act)
            column.addWidget(button)
        column.addStretch(1)
        self._label_button = icon_button("tag", "Label to draw", side=20)
        self._label_button.setObjectName("label_chooser")
        self._label_button.clicked.connect(self._on_labels)
        column.addWidget(self._label_button)

    def _actions(self) -> tuple[tuple[str, str, str, Callable[[], None]], ...]:
        return (
            ("smooth", "waves", "Smooth contours", self.smooth),
            ("copy", "copy", "Copy the contours of a neighbouring plane", self._on_copy),
            (
                "interpolate",
                "between-horizontal-start",
                "Interpolate between the planes before and after",
                self.interpolate,
            ),
            ("delete", "trash-2", "Delete the selected contour", self.delete_selected),
        )

    def _build_preview_bar(self) -> QWidget:
        bar = QFrame()
        bar.setObjectName("preview_bar")
        words = secondary_label("The dashed contour lies between those before and after.")
        apply = text_button("Apply", is_primary=True)
        apply.setObjectName("preview_apply")
        apply.clicked.connect(self._on_apply)
        cancel = text_button("Cancel")
        cancel.setObjectName("preview_cancel")
        cancel.clicked.connect(lambda: self.choose(None))
        row = row_of(words, 1, cancel, apply)
        margin = active_theme().px(8)
        row.setContentsMargins(active_theme().px(12), margin // 2, margin, margin // 2)
        bar.setLayout(row)
        bar.hide()
        return bar

    def _add_keys(self) -> None:
        for key, name in _KEYS.items():
            self.canvas.add_key(key, partial(self.choose, name))
        self.canvas.add_key("Esc", partial(self.choose, None))
        self.canvas.add_key("[", partial(self._resize, 1 / 1.2))
        self.canvas.add_key("]", partial(self._resize, 1.2))

    def _resize(self, factor: float) -> None:
        if isinstance(self.canvas.tool, BrushTool):
            self.canvas.tool.resize(factor)
            self.canvas.update()

    def _refresh(self) -> None:
        assert self._sections is not None
        self._label_button.setIcon(self._swatch(self.label))
        self._label_button.setToolTip(
            f"Draws {self._sections.label_name(self.label)}. Click for another label."
        )

    def _neighbour(self, step: int) -> int | None:
        assert self._sections is not None
        return plane_edits.neighbour(self._sections, self._plane, step)

    def _on_apply(self) -> None:
        if isinstance(self.canvas.tool, PreviewTool):
            self.canvas.tool.apply()

    def _on_labels(self) -> None:
        assert self._sections is not None
        menu = QMenu(self)
        labels = sorted({*self._sections.labels, self.label})
        for label in labels:
            action = menu.addAction(self._swatch(label), self._sections.label_name(label))
            action.triggered.connect(lambda _=False, label=label: self.set_label(label))
        new = menu.addAction(icon("plus"), "New label")
        new.triggered.connect(lambda: self.set_label(max(labels) + 1))
        menu.popup(self._label_button.mapToGlobal(QPoint(self._label_button.width(), 0)))

    def _on_copy(self) -> None:
        """Ask from which side."""
        menu = QMenu(self)
        for step, side in ((-1, "before"), (1, "after")):
            other = self._neighbour(step)
            words = (
                f"From plane {other + 1}, the one {side}"
                if other is not None
                else f"No plane {side} this one"
            )
            action = menu.addAction(icon("arrow-left" if step < 0 else "arrow-right"), words)
            action.setEnabled(other is not None)
            action.triggered.connect(partial(self.copy_from, step))
        button = self._acts["copy"]
        menu.popup(button.mapToGlobal(QPoint(button.width(), 0)))

    def _on_menu(self, point: Points, place: QPoint) -> None:
        """What may be done with the contour under the pointer."""
        if self._sections is None or self.isHidden():
            return
        tool = PointTool(self)
        edge, vertex = tool.edge_at(point), tool.vertex_at(point)
        if edge is None:
            return
        self.canvas.selected = edge[0]
        self.canvas.update()
        menu = QMenu(self)
        if vertex is not None:
            menu.addAction(icon("minus"), "Delete point").triggered.connect(
                lambda: tool.delete_vertex(*vertex)
            )
        menu.addAction(icon("plus"), "Insert point").triggered.connect(lambda: tool.insert(point))
        menu.addAction(icon("waves"), "Smooth contour").triggered.connect(self.smooth)
        self._add_relabel(menu, edge[0])
        menu.addAction(icon("trash-2"), "Delete contour").triggered.connect(lambda: tool.delete_loop(edge[0]))
        menu.popup(place)

    def _add_relabel(self, menu: QMenu, loop: int) -> None:
        assert self._sections is not None
        loops = self.canvas.drawing.loops
        for label in sorted({*self._sections.labels, self.label} - {loops[loop].label}):
            name = self._sections.label_name(label)
            changed = [replace(other, label=label) if i == loop else other for i, other in enumerate(loops)]
            action = menu.addAction(self._swatch(label), f"Make it {name}")
            action.triggered.connect(partial(self.commit, f"Make contour {name}", changed))

    def _swatch(self, label: int) -> QIcon:
        """A round patch of the label's colour."""
        side = active_theme().px(16) * 2
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(label_qcolor(label))
        painter.drawEllipse(QPointF(side / 2, side / 2), side * 0.36, side * 0.36)
        painter.end()
        return QIcon(pixmap)


def _rule() -> QFrame:
    rule = QFrame()
    rule.setProperty("rule", "true")
    return rule
