"""Choose a method, its inputs and settings, and run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from recon.method import Method
from render.scene_data import SceneData
from widgets.job_rows import JobRow
from widgets.parts import LABEL_WIDTH, icon_button, with_role
from widgets.run_block import RunBlock
from widgets.settings_form import SettingsForm
from widgets.theme import active_theme, title_label


@dataclass(frozen=True)
class Choice:
    """A layer that an input may be."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True)
class StartWish:
    """What the person wants computed. inputs: slot name → layer id. title: of the run, "" for the method's with a
    number. is_instant: it takes a moment, so that it need not wait for other runs nor for a process of its own. data:
    further inputs that are no layers, or files of them. pictures: (H, W, 3) by file name, to lie in the run's folder; the setting
    `pictures_for` then names that folder."""

    method: Method
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    device: str
    seed: int
    title: str = ""
    is_instant: bool = False
    data: Mapping[str, SceneData | Path] = field(default_factory=dict)
    pictures: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    pictures_for: str = "anchors"


class MethodPanel(QWidget):
    """The task panel [task_panel], made from the methods there are.

    start_wished: a StartWish. job_wished: a verb for the run that is shown. readiness_changed: "" when Start
    is possible, else why not.
    """

    start_wished = Signal(object)
    job_wished = Signal(str)
    readiness_changed = Signal(str)

    def __init__(self, methods: Sequence[Method], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("task_panel")
        self.setMinimumWidth(active_theme().px(316))  # of the widest row of its form
        self._methods = {method.id: method for method in methods}
        self._forms: dict[str, SettingsForm] = {}
        self._input_combos: dict[str, QComboBox] = {}
        self._choices: tuple[Choice, ...] = ()
        self._problem = ""
        self._job: JobRow | None = None
        # What a run will take and make, in words; the window knows earlier runs.
        self.estimate: Callable[[Method, Mapping[str, Any], Mapping[str, str]], str] = lambda *_: ""
        self._build()
        self.set_method(methods[0].id)

    def _build(self) -> None:
        px = active_theme().px
        self.method_combo = QComboBox()
        self.method_combo.setObjectName("method_combo")
        self.method_combo.setAccessibleName("Method")
        for method in self._methods.values():
            self.method_combo.addItem(method.title, method.id)
        self.method_combo.currentIndexChanged.connect(
            lambda: self.set_method(self.method_combo.currentData())
        )
        self._summary = with_role(QLabel(), "secondary")
        self._summary.setWordWrap(True)
        self._inputs_form = QFormLayout()
        self._inputs_form.setHorizontalSpacing(px(8))
        self._inputs_form.setVerticalSpacing(px(6))
        self._inputs_form.setContentsMargins(
            0, 0, px(8) + icon_button("rotate-ccw", "").sizeHint().width(), 0
        )
        self.seed = QSpinBox()
        self.seed.setObjectName("seed")
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed gives the same result")
        self._form_place = QVBoxLayout()
        self.run_block = RunBlock()
        self.run_block.wish.connect(self._on_wish)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(px(16), px(12), px(16), px(12))
        column.setSpacing(px(8))
        column.addWidget(self.method_combo)
        column.addWidget(self._summary)
        column.addSpacing(px(4))
        column.addWidget(title_label("Inputs"))
        column.addLayout(self._inputs_form)
        column.addSpacing(px(4))
        column.addWidget(title_label("Settings"))
        column.addLayout(self._form_place)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        foot = QWidget()
        foot_column = QVBoxLayout(foot)
        foot_column.setContentsMargins(px(16), px(12), px(16), px(16))
        foot_column.addWidget(self.run_block)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addWidget(foot)

    # What is chosen

    @property
    def method(self) -> Method:
        return self._methods[self.method_combo.currentData()]

    @property
    def form(self) -> SettingsForm:
        return self._forms[self.method.id]

    @property
    def problem(self) -> str:
        """Why the method cannot start now; empty when it can."""
        return self._problem

    def set_method(self, method_id: str) -> None:
        """Show another method; what was set for each stays."""
        with QSignalBlocker(self.method_combo):
            if self.method_combo.findData(method_id) < 0:  # one of another workflow, asked for by its name
                self.method_combo.addItem(self._methods[method_id].title, method_id)
            self.method_combo.setCurrentIndex(self.method_combo.findData(method_id))
        self._summary.setText(self.method.summary)
        if method_id not in self._forms:
            method = self.method
            form = SettingsForm(method.settings, {}, method.presets, method.default_preset)
            form.validity_changed.connect(lambda _: self._check())
            form.values_changed.connect(lambda _: self._check())
            self._forms[method_id] = form
            self._form_place.addWidget(form)
        for other, form in self._forms.items():
            form.setVisible(other == method_id)
        self._make_inputs()
        self._check()

    def show_methods(self, method_ids: Sequence[str]) -> None:
        """Offer these methods only; another one is chosen where the present one is not among them."""
        now = self.method_combo.currentData()
        with QSignalBlocker(self.method_combo):
            self.method_combo.clear()
            for method_id in method_ids:
                self.method_combo.addItem(self._methods[method_id].title, method_id)
        self.set_method(now if now in method_ids else method_ids[0])

    def set_choices(self, choices: Sequence[Choice], preferred: Sequence[str] = ()) -> None:
        """The layers that inputs may be; the preferred ones are taken where nothing else was chosen."""
        self._choices = tuple(choices)
        self._fill_inputs(preferred)
        self._check()

    def set_values(self, method_id: str, settings: Mapping[str, Any], seed: int) -> None:
        """Show a method with the settings of an earlier run."""
        self.set_method(method_id)
        self.form.set_values(settings)
        self.seed.setValue(seed)
        self._check()

    def show_job(self, row: JobRow | None) -> None:
        """Show the run that is under way, or Start."""
        self._job = row
        self.run_block.show_job(row)

    def start(self) -> None:
        """Wish for a run with what is shown, when it is possible."""
        if not self._problem:
            settings = self.form.model()
            assert settings is not None
            self.start_wished.emit(
                StartWish(
                    self.method,
                    settings.model_dump(),
                    self.inputs(),
                    self.run_block.device(),
                    self.seed.value(),
                )
            )

    def inputs(self) -> dict[str, str]:
        """Slot → id of the chosen layer."""
        chosen = {slot: combo.currentData() for slot, combo in self._input_combos.items()}
        return {slot: layer_id for slot, layer_id in chosen.items() if layer_id}

    # Inner life

    def _make_inputs(self) -> None:
        while self._inputs_form.rowCount():
            self._inputs_form.removeRow(0)
        self._input_combos.clear()
        for slot in self.method.inputs:
            combo = QComboBox()
            combo.setObjectName(f"input_{slot.name}")
            combo.setAccessibleName(slot.title)
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            # A long placeholder must not widen the panel.
            combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            combo.currentIndexChanged.connect(self._check)
            label = QLabel(slot.title)
            label.setMinimumWidth(active_theme().px(LABEL_WIDTH))
            self._inputs_form.addRow(label, combo)
            self._input_combos[slot.name] = combo
        self._fill_inputs(())

    def _fill_inputs(self, preferred: Sequence[str]) -> None:
        taken: set[str] = set()
        for slot in self.method.inputs:
            combo = self._input_combos[slot.name]
            before = combo.currentData()
            fitting = [choice for choice in self._choices if choice.kind in slot.kinds]
            with QSignalBlocker(combo):
                combo.clear()
                if slot.optional:
                    combo.addItem("None", "")
                for choice in fitting:
                    combo.addItem(choice.name, choice.id)
                offered = [] if slot.is_left_empty else [*preferred, before, *(c.id for c in fitting)]
                wanted = [i for i in offered if i == before or i not in taken] or [before, ""]
                place = next((p for p in map(combo.findData, wanted) if p >= 0), -1)
                combo.setCurrentIndex(place)
            combo.setEnabled(combo.count() > 0)
            combo.setPlaceholderText("None open yet")
            taken.add(combo.currentData() or "")

    def _check(self) -> None:
        problem = self._missing_input() or self.form.problem()
        values = self.form.model()
        words = self.estimate(self.method, values.model_dump(), self.inputs()) if values is not None else ""
        self.run_block.set_ready(problem, words)
        if problem != self._problem:
            self._problem = problem
            self.readiness_changed.emit(problem)

    def _missing_input(self) -> str:
        for slot in self.method.inputs:
            if not slot.optional and not self._input_combos[slot.name].currentData():
                return f"{slot.title}: {_nothing(slot.kind)[:1].lower()}{_nothing(slot.kind)[1:]}."
        chosen = list(self.inputs().values())
        if len(set(chosen)) < len(chosen):
            return "The same layer is chosen twice."
        return ""

    def _on_wish(self, verb: str) -> None:
        if verb == "start":
            self.start()
        else:
            self.job_wished.emit(verb)


def _nothing(kind: str) -> str:
    words = {
        "cross_sections": "No cross-sections open yet",
        "mesh": "No mesh open yet",
        "images": "No photos without poses open yet",
        "posed_images": "No photos with poses open yet",
        "sdf_field": "No trained surface yet: run one of the methods that train",
        "points": "No points open yet",
        "gaussians": "No splats open yet",
        "radiance_field": "No radiance field yet: train one from posed photos",
        "view_field": "No edited scene yet",
    }
    return words.get(kind, "Nothing that fits is open yet")
