"""The foot of the task panel: where to compute, Start, and how far the run is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSignalBlocker, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

from widgets.icons import IconLabel, icon
from widgets.job_rows import JobRow, device_text, state_look, step_text, verb_look
from widgets.parts import (
    StateLabel,
    column_in,
    form_grid,
    row_of,
    size_form_grid,
    text_button,
    with_property,
    with_role,
)
from widgets.setting_editors import CalmCombo
from widgets.theme import active_theme, secondary_label

_SHOWN_VERBS = ("pause", "resume", "stop", "cancel")


class RunBlock(QWidget):
    """Start and its device before a run; progress, Pause and Stop during it.

    wish: a verb ("start", "pause", "resume", "stop", "cancel"). device_changed: the id of the device.
    """

    wish = Signal(str)
    device_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run_block")
        column = column_in(self, spacing=8)
        self._idle = self._build_idle()
        self._active = self._build_active()
        column.addWidget(self._idle)
        column.addWidget(self._active)
        self.show_job(None)
        self.set_ready("")

    def set_devices(self, devices: Sequence[tuple[str, str]], chosen: str) -> None:
        """What one can compute on: (id, words) each."""
        with QSignalBlocker(self._devices):
            self._devices.clear()
            for device, words in devices:
                self._devices.addItem(words, device)
            self._devices.setCurrentIndex(max(0, self._devices.findData(chosen)))
        self._devices.setEnabled(len(devices) > 1)
        self._devices.setToolTip(
            "" if len(devices) > 1 else "This machine has no other device to compute on."
        )

    def choose_device(self, device: str) -> None:
        """Choose one of them, if it is there."""
        place = self._devices.findData(device)
        if place >= 0:
            self._devices.setCurrentIndex(place)

    def device(self) -> str:
        """The id of the chosen device."""
        return str(self._devices.currentData() or "")

    def set_ready(self, reason: str, estimate: str = "") -> None:
        """Let the user start, or say in one sentence why not. estimate: time and memory, in words."""
        self._start.setEnabled(not reason)
        self._start.setToolTip(reason or "Start this run (F5)")
        self._reason.setVisible(bool(reason))
        self._reason.say(reason, "warn", "triangle-alert")
        self._estimate.setText(estimate)
        self._estimate.setVisible(bool(estimate) and not reason)

    def show_job(self, row: JobRow | None) -> None:
        """Show a run in progress, or Start when there is none."""
        is_active = row is not None and row.is_active
        self._idle.setVisible(not is_active)
        self._active.setVisible(is_active)
        if row is not None and is_active:
            self._show_state(row)
            self._show_progress(row)
            self._show_buttons(row)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "_grid"):
            size_form_grid(self._grid)

    def _build_idle(self) -> QWidget:
        self._devices = CalmCombo()
        self._devices.setObjectName("device_combo")
        self._devices.setAccessibleName("Device")
        self._devices.currentIndexChanged.connect(lambda _: self.device_changed.emit(self.device()))
        label = QLabel("Compute on")
        label.setBuddy(self._devices)
        self._reason = StateLabel()
        self._reason.setObjectName("start_reason")
        self._estimate = secondary_label("")
        self._estimate.setWordWrap(True)
        self._start = text_button("Start", "play", is_primary=True)
        self._start.setObjectName("start_button")
        self._start.clicked.connect(lambda: self.wish.emit("start"))
        self._grid, host = _grid_of(label, self._devices, self._reason, self._estimate, self._start)
        return host

    def _build_active(self) -> QWidget:
        host = QWidget()
        self._state_icon = IconLabel("circle-play", 16, "ok")
        self._state = with_role(QLabel(), "heading")
        self._percent = QLabel()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName("Progress of the run")
        self._stage = secondary_label("")
        self._left = secondary_label("")
        self._cost = secondary_label("")
        for words in (self._stage, self._left, self._cost):
            words.setWordWrap(True)
        self._buttons = {verb: self._button(verb) for verb in _SHOWN_VERBS}
        column = column_in(host, spacing=6)
        column.addLayout(row_of(self._state_icon, self._state, 1, self._percent))
        column.addWidget(self._bar)
        for words in (self._stage, self._left, self._cost):
            column.addWidget(words)
        column.addSpacing(active_theme().px(4))
        column.addLayout(row_of(*self._buttons.values()))
        return host

    def _button(self, verb: str) -> QPushButton:
        look = verb_look(verb)
        button = text_button(look.word, look.icon)
        button.setObjectName(f"run_{verb}")
        button.setToolTip(look.tip)
        button.clicked.connect(lambda: self.wish.emit(verb))
        return button

    def _show_state(self, row: JobRow) -> None:
        look = state_look(row.state)
        self._state_icon.set_icon(look.icon, 16, look.color)
        self._state.setText(
            f"{row.state_words}…" if row.state.endswith("ing") and row.state != "running" else look.word
        )

    def _show_progress(self, row: JobRow) -> None:
        is_known = row.fraction is not None
        fraction = row.fraction or 0.0
        if not is_known and self._bar.maximum():
            self._bar.setRange(0, 0)
        elif is_known and not self._bar.maximum():
            self._bar.setRange(0, 1000)
        self._bar.setValue(round(1000 * fraction))
        tenth = f"{10 * int(10 * fraction)} %"  # screen readers hear every ten per cent, not every step
        if is_known and self._bar.accessibleDescription() != tenth:
            self._bar.setAccessibleDescription(tenth)
        self._percent.setText(f"{100 * fraction:.0f} %" if is_known else "")
        speed = f"{row.speed:.3g} steps/s" if row.speed else ""
        _say(self._stage, row.stage, step_text(row), speed)
        _say(self._left, row.left)
        _say(
            self._cost,
            device_text(row.device),
            f"previews take {100 * row.preview_share:.0f} % of the time" if row.preview_share else "",
        )

    def _show_buttons(self, row: JobRow) -> None:
        """Only what is allowed now; Resume is the one accented button of a paused run."""
        offered = ((row.primary,) if row.is_primary_enabled else ()) + row.others
        for verb, button in self._buttons.items():
            is_first = verb == "resume"
            button.setVisible(verb in offered and (verb != "cancel" or "stop" not in offered))
            with_property(button, "primary", is_first)
            button.setIcon(icon(verb_look(verb).icon, color="on_accent" if is_first else "text"))


def _grid_of(label: QLabel, device: QWidget, *below: QWidget) -> tuple[QGridLayout, QWidget]:
    host = QWidget()
    grid = form_grid()
    host.setLayout(grid)
    grid.addWidget(label, 0, 0)
    grid.addWidget(device, 0, 1, 1, 2)
    for place, widget in enumerate(below, 1):
        grid.addWidget(widget, place, 0, 1, 3)
    return grid, host


def _say(label: QLabel, *parts: str) -> None:
    text = " · ".join(part for part in parts if part)
    label.setText(text)
    label.setVisible(bool(text))
