"""Who makes an edit by words, how strongly, and by which seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QSlider, QSpinBox, QWidget

from widgets.icons import icon
from widgets.network_row import NetworkRow, field_label
from widgets.parts import column_in, form_grid, icon_button, row_of
from widgets.setting_editors import CalmCombo
from widgets.theme import active_theme

_MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Engine:
    """Who can make an edit. note: what kind it is, told honestly. is_network: whether it lies in a folder of this
    machine; folder: which, "" for the usual one. problem: why it cannot be used now, "" when it can; command: what would
    help."""

    id: str
    title: str
    note: str = ""
    is_network: bool = False
    folder: str = ""
    problem: str = ""
    command: str = ""


class PromptSettings(QWidget):
    """The settings below the sentence [prompt_settings].

    engine_chosen: its id. changed: what is said of an engine. network_chosen: a folder that was typed for the chosen
    engine, network_wished: look for one among the files.
    """

    engine_chosen = Signal(str)
    changed = Signal()
    network_chosen = Signal(str)
    network_wished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("prompt_settings")
        self._engines: tuple[Engine, ...] = ()
        self._has_maker = self.has_strength = True
        self.network = NetworkRow("prompt_network")
        self.network.chosen.connect(self.network_chosen)
        self.network.browse_wished.connect(self.network_wished)
        self._build()
        self._show_engine()

    @property
    def chosen(self) -> Engine | None:
        """Who makes the edit."""
        return next((each for each in self._engines if each.id == self.engine.currentData()), None)

    def set_engines(self, engines: Sequence[Engine]) -> None:
        """Offer these; the chosen one stays where it is among them."""
        if tuple(engines) == self._engines:
            return
        before, self._engines = self.engine.currentData(), tuple(engines)
        with QSignalBlocker(self.engine):
            self.engine.clear()
            for engine in engines:
                self.engine.addItem(engine.title, engine.id)
                self.engine.setItemData(self.engine.count() - 1, engine.note, Qt.ItemDataRole.ToolTipRole)
            self.engine.setCurrentIndex(max(0, self.engine.findData(before)))
        self._show_engine()

    def set_engine(self, engine_id: str) -> None:
        """Choose one of them, if it is there."""
        place = self.engine.findData(engine_id)
        if place >= 0:
            self.engine.setCurrentIndex(place)

    def set_network(self, engine_id: str, folder: str, problem: str = "", command: str = "") -> None:
        """Where the network of an engine is, and why it cannot be used; "" when it can."""
        self._engines = tuple(
            replace(x, folder=folder, problem=problem, command=command) if x.id == engine_id else x
            for x in self._engines
        )
        self._show_engine()

    def set_shown(self, *, maker: bool, strength: bool) -> None:
        """Show what counts. maker: who makes the edit and by which seed, which pictures edited elsewhere do without;
        strength: how much of it."""
        self._has_maker, self.has_strength = maker, strength
        for widget in (self.engine, *self._seed_row):
            widget.setVisible(maker)
        for widget in self._strength_row:
            widget.setVisible(strength)
        self._show_engine()

    def roll(self) -> None:
        """Another seed."""
        self.seed.setValue(random.randrange(_MOST_SEED))

    # Inner life

    def _build(self) -> None:
        self.engine = CalmCombo()
        self.engine.setObjectName("prompt_engine")
        self.engine.setAccessibleName("Made by")
        self.engine.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.engine.currentIndexChanged.connect(self._on_engine)
        column = column_in(self, spacing=8)
        column.addWidget(self.engine)  # its words say what it is, and need the room
        column.addWidget(self.network)
        grid = form_grid()
        grid.setColumnMinimumWidth(0, active_theme().px(72))
        grid.setColumnMinimumWidth(2, 0)
        self._strength_row = _add_row(grid, 0, "Strength", self._build_strength())
        self._seed_row = _add_row(grid, 1, "Seed", self._build_seed())
        column.addLayout(grid)

    def _build_strength(self) -> QHBoxLayout:
        self.strength = QSlider(Qt.Orientation.Horizontal)
        self.strength.setObjectName("prompt_strength")
        self.strength.setAccessibleName("Strength in percent")
        self.strength.setRange(5, 100)
        self.strength.setPageStep(10)
        self.strength.setToolTip("How much of the change is made")
        share = QLabel("100 %")
        share.setMinimumWidth(active_theme().px(44))
        share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.strength.valueChanged.connect(lambda value: share.setText(f"{value} %"))
        self.strength.setValue(100)
        row = row_of(self.strength, share)
        row.setStretchFactor(self.strength, 1)
        return row

    def _build_seed(self) -> QHBoxLayout:
        self.seed = QSpinBox()
        self.seed.setObjectName("prompt_seed")
        self.seed.setAccessibleName("Seed")
        self.seed.setRange(0, _MOST_SEED)
        self.seed.setToolTip("The same words with the same seed give the same edit")
        dice = icon_button("refresh-cw", "Another seed")
        dice.setObjectName("prompt_dice")
        dice.clicked.connect(lambda: self.roll())
        self.lock = icon_button("lock-open", "Keep the seed", is_checkable=True)
        self.lock.setObjectName("prompt_lock")
        self.lock.toggled.connect(self._on_locked)
        self.lock.setChecked(True)
        row = row_of(self.seed, dice, self.lock, spacing=4)
        row.setStretchFactor(self.seed, 1)
        return row

    def _on_locked(self, is_locked: bool) -> None:
        self.lock.setIcon(icon("lock" if is_locked else "lock-open"))
        self.lock.setToolTip("The seed is kept" if is_locked else "Each edit takes another seed")

    def _on_engine(self) -> None:
        self._show_engine()
        self.engine_chosen.emit(self.engine.currentData() or "")

    def _show_engine(self) -> None:
        engine = self.chosen
        self.engine.setToolTip(engine.note if engine is not None else "")
        self.network.setVisible(engine is not None and engine.is_network and self._has_maker)
        if engine is not None:
            self.network.set_folder(engine.folder)
            self.network.set_problem(engine.problem, engine.command)
        self.changed.emit()


def _add_row(grid: QGridLayout, place: int, words: str, row: QHBoxLayout) -> list[QWidget]:
    """A label and its controls; returns all of them."""
    label = field_label(words)
    grid.addWidget(label, place, 0)
    grid.addLayout(row, place, 1)
    items = (row.itemAt(i) for i in range(row.count()))
    return [label, *(widget for item in items if item is not None and (widget := item.widget()) is not None)]
