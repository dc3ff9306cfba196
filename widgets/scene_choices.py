"""Which photos of a scene an edit takes and where in them it goes; the preview of one; how far an edit is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from widgets.icons import IconLabel
from widgets.parts import StateLabel, column_in, form_grid, row_of, text_button
from widgets.setting_editors import CalmCombo
from widgets.theme import active_theme, secondary_label, title_label

Views = Literal["all", "every", "selected", "path"]
Region = Literal["whole", "box", "masks", "part"]
StageState = Literal["todo", "running", "done", "failed"]
_VIEWS: tuple[tuple[Views, str], ...] = (
    ("all", "All photos"), ("every", "Every n-th photo"), ("selected", "Selected in the list"),
    ("path", "Along the camera path"),
)  # fmt: skip
_REGIONS: tuple[tuple[Region, str, str], ...] = (
    ("whole", "Whole scene", ""), ("box", "In the box", "Edit box"), ("masks", "Masks of the photos", "Choose folder…"),
    ("part", "Chosen part of splats", "Show parts"),
)  # fmt: skip
_STATES: dict[StageState, tuple[str, str]] = {
    "todo": ("circle", "text_second"), "running": ("circle-play", "accent"), "done": ("circle-check", "ok"),
    "failed": ("circle-alert", "error"),
}  # fmt: skip


@dataclass(frozen=True)
class SceneChoice:
    """What an edit of a scene takes. every: n of "every". masks: the folder of masks. keeps_shapes: whether depth stays
    that of the scene."""

    views: Views = "all"
    every: int = 2
    region: Region = "whole"
    masks: str = ""
    keeps_shapes: bool = True


class SceneChoices(QWidget):
    """The block above the prompt [scene_choices]. changed: a SceneChoice. region_wished: the button beside the region."""

    changed = Signal(object)
    region_wished = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scene_choices")
        self._choice = SceneChoice()
        self._build()
        self.set_choice(self._choice)

    @property
    def choice(self) -> SceneChoice:
        """What is set."""
        return self._choice

    def set_choice(self, choice: SceneChoice) -> None:
        """Show a choice; tells nobody."""
        self._choice = choice
        for widget, value in ((self.views, choice.views), (self.region, choice.region)):
            with QSignalBlocker(widget):
                widget.setCurrentIndex(widget.findData(value))
        with QSignalBlocker(self.every), QSignalBlocker(self.shapes):
            self.every.setValue(choice.every)
            self.shapes.setChecked(choice.keeps_shapes)
        self.every.setVisible(choice.views == "every")
        action = next(action for value, _, action in _REGIONS if value == choice.region)
        self.action.setText(action)
        self.action.setVisible(bool(action))

    def set_note(self, words: str, problem: str = "") -> None:
        """Say what comes of it: how many photos, and about how long; or why it cannot be had."""
        self._note.say(
            problem or words, "warn" if problem else "text_second", "circle-help" if problem else "info"
        )

    def _build(self) -> None:
        column = column_in(self, spacing=6)
        column.addWidget(title_label("Photos and region"))
        self.views = self._combo("scene_views", "Which photos are edited", [(v, t) for v, t in _VIEWS])
        self.region = self._combo("scene_region", "Where the edit goes", [(v, t) for v, t, _ in _REGIONS])
        self.every = QSpinBox()
        self.every.setObjectName("scene_every")
        self.every.setAccessibleName("Every how many photos")
        self.every.setRange(2, 100)
        self.every.valueChanged.connect(lambda n: self._change(replace(self._choice, every=n)))
        self.action = QPushButton()
        self.action.setObjectName("scene_region_action")
        self.action.clicked.connect(lambda: self.region_wished.emit(self._choice.region))
        self.shapes = QCheckBox("Keep shapes as they are")
        self.shapes.setObjectName("scene_shapes")
        self.shapes.setToolTip(
            "Switch off for edits that change outlines, such as another animal in its place"
        )
        self.shapes.toggled.connect(lambda on: self._change(replace(self._choice, keeps_shapes=on)))
        grid = form_grid()
        grid.setColumnMinimumWidth(0, active_theme().px(72))
        grid.setColumnMinimumWidth(2, 0)
        for place, (words, first, second) in enumerate(
            (("Photos", self.views, self.every), ("Region", self.region, self.action))
        ):
            label = QLabel(words)
            label.setProperty("role", "field")
            row = row_of(first, second, spacing=6)
            row.setStretchFactor(first, 1)
            grid.addWidget(label, place, 0)
            grid.addLayout(row, place, 1)
        grid.addWidget(self.shapes, 2, 1)
        column.addLayout(grid)
        self._note = StateLabel()
        self._note.setObjectName("scene_note")
        column.addWidget(self._note)

    def _combo(self, name: str, words: str, choices: Sequence[tuple[str, str]]) -> CalmCombo:
        combo = CalmCombo()
        combo.setObjectName(name)
        combo.setAccessibleName(words)
        combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for value, text in choices:
            combo.addItem(text, value)
        combo.currentIndexChanged.connect(lambda _: self._on_combo())
        return combo

    def _on_combo(self) -> None:
        self._change(replace(self._choice, views=self.views.currentData(), region=self.region.currentData()))

    def _change(self, choice: SceneChoice) -> None:
        self.set_choice(choice)
        self.changed.emit(choice)


@dataclass(frozen=True)
class Stage:
    """One step of making an edit. share: done part of it, 0 … 1. note: figures."""

    title: str
    state: StageState = "todo"
    share: float = 0.0
    note: str = ""


class StageList(QWidget):
    """The steps of an edit with how far each is [edit_stages]; hidden where there are none. cancelled: end it."""

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("edit_stages")
        self._stages: tuple[Stage, ...] = ()
        self._rows: list[tuple[IconLabel, QLabel, QProgressBar, QLabel]] = []
        self._column = column_in(self, spacing=4)
        self.cancel = text_button("Cancel the edit", "x")
        self.cancel.setObjectName("edit_cancel")
        self.cancel.setToolTip("End it now; the scene stays as it is")
        self.cancel.clicked.connect(self.cancelled)
        self._column.addWidget(self.cancel)
        self.hide()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What is shown."""
        return self._stages

    def set_stages(self, stages: Sequence[Stage]) -> None:
        """Show these."""
        self._stages = tuple(stages)
        while len(self._rows) < len(stages):
            self._add_row()
        self.setVisible(bool(stages))
        for row, stage in zip(self._rows, stages, strict=False):
            sign, title, bar, note = row
            name, color = _STATES[stage.state]
            sign.set_icon(name, 16, color)
            title.setText(stage.title)
            bar.setVisible(stage.state == "running")
            bar.setValue(round(100 * stage.share))
            note.setText(stage.note)
            note.setVisible(bool(stage.note) and stage.state != "running")
            sign.parentWidget().setAccessibleName(f"{stage.title}: {stage.state}")  # type: ignore[union-attr]

    def _add_row(self) -> None:
        sign, title, bar, note = IconLabel("circle"), QLabel(), QProgressBar(), secondary_label("")
        bar.setRange(0, 100)
        bar.setTextVisible(False)
        bar.setFixedHeight(active_theme().px(6))
        bar.setMinimumWidth(active_theme().px(72))
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(active_theme().px(8))
        row.addWidget(sign)
        row.addWidget(title, 1)
        row.addWidget(bar)
        row.addWidget(note)
        self._rows.append((sign, title, bar, note))
        self._column.insertWidget(self._column.indexOf(self.cancel), holder)
