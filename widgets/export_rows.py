"""What the export dialog is told and tells, and the list in which layers are ticked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QPushButton, QWidget

from widgets.icons import item_icon
from widgets.notices import NoticeAction, Severity
from widgets.parts import FoldButton, column_in, row_of, text_button
from widgets.theme import active_theme

_ID = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class ExportLayer:
    """A layer that can be exported. count: in words, "24 312 triangles". is_chosen: ticked at first. is_earlier: a
    version that others came after."""

    id: str
    name: str
    icon: str = "layer-mesh"
    count: str = ""
    is_chosen: bool = True
    is_visible: bool = True
    is_selected: bool = False
    is_earlier: bool = False


@dataclass(frozen=True)
class ExportFormat:
    """A format. note: what its files are good for. options: fields to choose from, or None."""

    id: str
    title: str
    suffix: str
    note: str = ""
    options: type[BaseModel] | None = None
    frame_preset: str = "project"


@dataclass(frozen=True)
class ExportWarning:
    """Something to know before exporting; actions are buttons whose ids `warning_chosen` tells."""

    text: str
    severity: Severity = "warning"
    actions: tuple[NoticeAction, ...] = ()


@dataclass(frozen=True)
class ExportWish:
    """What is to be written. options: of the format, by name. frame_preset: id of the preset."""

    layers: tuple[str, ...]
    format: str
    path: Path
    frame_preset: str
    options: Mapping[str, Any] = field(default_factory=dict)
    sidecar: bool = True


class LayerChoice(QWidget):
    """Layers with ticks [export_layers], and buttons that tick all, the visible or the selected ones.

    Earlier versions are folded away at the end until they are asked for; what is folded away is not ticked by "All"."""

    changed = Signal()

    def __init__(self, layers: Sequence[ExportLayer], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = tuple(sorted(layers, key=lambda layer: layer.is_earlier))
        self._list = QListWidget()
        self._list.setObjectName("export_layers")
        self._list.setAccessibleName("Layers to export")
        self._list.setProperty("framed", True)
        side = active_theme().px(16)
        self._list.setIconSize(QSize(side, side))
        for layer in self._layers:
            self._list.addItem(_item(layer))
        self._list.itemChanged.connect(lambda _: self.changed.emit())
        earlier = [layer for layer in self._layers if layer.is_earlier]
        self._fold = FoldButton(f"Older versions ({len(earlier)})")
        self._fold.setObjectName("export_earlier")
        self._fold.setVisible(bool(earlier))
        self._fold.clicked.connect(lambda: self._show_earlier(not self._fold.is_open))
        self._show_earlier(any(layer.is_chosen for layer in earlier))
        heading = QLabel("What")
        heading.setProperty("role", "heading")
        buttons = [
            self._button("All", lambda layer: True),
            self._button("Visible only", lambda layer: layer.is_visible),
            self._button("Selection only", lambda layer: layer.is_selected),
        ]
        column = column_in(self, spacing=8)
        column.addLayout(row_of(heading, 1, *buttons))
        column.addWidget(self._list)
        column.addWidget(self._fold)

    def chosen(self) -> tuple[str, ...]:
        """Ids of the ticked layers, from the top."""
        rows = (self._list.item(i) for i in range(self._list.count()))
        return tuple(row.data(_ID) for row in rows if row.checkState() == Qt.CheckState.Checked)

    def _button(self, text: str, is_wanted: Callable[[ExportLayer], bool]) -> QPushButton:
        button = text_button(text)
        button.setProperty("link", True)
        button.setEnabled(any(is_wanted(layer) for layer in self._layers))
        button.clicked.connect(lambda: self._tick(is_wanted))
        return button

    def _show_earlier(self, on: bool) -> None:
        self._fold.set_open(on)
        for row, layer in enumerate(self._layers):
            if layer.is_earlier:
                self._list.item(row).setHidden(not on)
                if not on:
                    self._list.item(row).setCheckState(Qt.CheckState.Unchecked)  # nothing unseen is written
        shown = sum(on or not layer.is_earlier for layer in self._layers)
        self._list.setFixedHeight(active_theme().px(28 * min(max(shown, 2), 6) + 8))

    def _tick(self, is_wanted: Callable[[ExportLayer], bool]) -> None:
        with QSignalBlocker(self._list):
            for row, layer in enumerate(self._layers):
                is_offered = self._fold.is_open or not layer.is_earlier
                state = Qt.CheckState.Checked if is_offered and is_wanted(layer) else Qt.CheckState.Unchecked
                self._list.item(row).setCheckState(state)
        self.changed.emit()


def _item(layer: ExportLayer) -> QListWidgetItem:
    item = QListWidgetItem(item_icon(layer.icon), f"{layer.name}   {layer.count}".rstrip())
    item.setData(_ID, layer.id)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(Qt.CheckState.Checked if layer.is_chosen else Qt.CheckState.Unchecked)
    return item
