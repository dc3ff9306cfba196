"""How the work panels look: nothing clipped, every button named, in both themes and at twice the size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import pytest
from pydantic import BaseModel, Field
from PySide6.QtCore import Qt
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from tests.widgets.looks import clipped
from widgets.agreement_list import AgreementList, AgreementRow
from widgets.history_view import HistoryView
from widgets.job_panel import JobPanel
from widgets.job_rows import JobRow
from widgets.log_view import LogView
from widgets.mesh_tools_panel import MeshToolsPanel
from widgets.plots import Plots
from widgets.run_block import RunBlock
from widgets.settings_form import SettingsForm
from widgets.slice_view import SliceView
from widgets.theme import ThemeName, apply_theme


class Example(BaseModel):
    prior: Literal["auto", "none"] = Field(
        "auto", title="Between the slices", json_schema_extra={"basic": True}
    )
    resolution: int = Field(
        129, ge=33, le=385, title="Resolution", json_schema_extra={"basic": True, "unit": "cells"}
    )
    tension: float = Field(
        0.3, ge=0.001, le=10, title="Tension towards the prior", json_schema_extra={"unit": "mm"}
    )
    keeps: bool = Field(True, title="Keep parts apart")


def form() -> QWidget:
    view = SettingsForm(Example, presets={"Quick check": {"resolution": 65}, "Balanced": {}})
    view.set_values({"resolution": 999, "tension": 0.5})
    view.show_all()
    return view


def jobs() -> QWidget:
    view = JobPanel()
    running = JobRow(
        "a", "running", "Hand", fraction=0.6, primary="pause", others=("checkpoint", "stop", "cancel")
    )
    failed = JobRow("b", "failed", "Eight", primary="show_error", others=("retry", "duplicate", "discard"))
    view.set_rows([running, failed])
    return view


def run_block() -> QWidget:
    view = RunBlock()
    view.set_devices([("cpu", "CPU, 2 cores")], "cpu")
    view.set_ready("Import slices first: there is nothing here that can become a solid.")
    return view


def running_block() -> QWidget:
    view = RunBlock()
    view.show_job(
        JobRow(
            "a",
            "running",
            "Hand",
            fraction=0.6,
            stage="Grid",
            step=1,
            total=2,
            primary="pause",
            others=("stop",),
        )
    )
    return view


def slices() -> QWidget:
    ring = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]])
    view = SliceView()
    view.set_sections(CrossSections.from_planes([((0, 0, 1), 0.0, [(ring, 1)]), ((0, 0, 1), 1.0, [])]))
    return view


def mesh_tools() -> QWidget:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    view = MeshToolsPanel()
    view.set_mesh(TriangleMesh(corners, faces))  # type: ignore[arg-type]
    view.open_tool("components")
    return view


def agreement() -> QWidget:
    view = AgreementList()
    view.set_rows(
        [
            AgreementRow(0, 0.97, 0.9, "Plane 9 contradicts it along 3 mm of their crossing."),
            AgreementRow(1, 1, 1),
        ]
    )
    view.select_plane(0)
    return view


def plots() -> QWidget:
    view = Plots()
    view.add_run("a", "Hand")
    for step in range(20):
        view.append("a", step, {"data": 1 / (step + 1)})
    view.redraw()
    return view


def log() -> QWidget:
    view = LogView()
    view.name_source("a", "Hand")
    view.add("info", "Hand started.", "a")
    return view


def history() -> QWidget:
    stack = QUndoStack()
    stack.push(QUndoCommand("Import hand"))
    view = HistoryView(stack)
    stack.setParent(view)
    view.set_memory(31_000_000, 512_000_000)
    return view


PANELS: dict[str, tuple[Callable[[], QWidget], int, int]] = {
    "form": (form, 312, 620),
    "jobs": (jobs, 660, 180),
    "run block": (run_block, 312, 160),
    "running block": (running_block, 312, 160),
    "slices": (slices, 340, 460),
    "mesh tools": (mesh_tools, 344, 560),
    "agreement": (agreement, 344, 300),
    "plots": (plots, 660, 180),
    "log": (log, 660, 180),
    "history": (history, 300, 180),
    "no jobs": (JobPanel, 660, 180),
    "no losses": (Plots, 660, 180),
    "no log": (LogView, 660, 180),
    "no history": (HistoryView, 300, 180),
    "no slices": (SliceView, 224, 300),
    "no agreement": (AgreementList, 344, 300),
    "no mesh": (MeshToolsPanel, 344, 300),
}


@pytest.fixture
def dress(qapp: QApplication) -> Iterator[Callable[[ThemeName, float], None]]:
    """Dresses the application, and undresses it afterwards."""
    sheet, font, palette = qapp.styleSheet(), qapp.font(), qapp.palette()
    theme = qapp.property("isokiln_theme")
    yield lambda name, scale: (apply_theme(qapp, name, scale), None)[1]
    qapp.setStyleSheet(sheet)
    qapp.setFont(font)
    qapp.setPalette(palette)
    qapp.setProperty("isokiln_theme", theme)


@pytest.mark.parametrize(("theme", "scale"), [("dark", 1.0), ("light", 1.0), ("dark", 2.0)])
@pytest.mark.parametrize("panel", PANELS)
def test_no_word_of_a_panel_is_clipped_and_every_button_has_a_name(
    qtbot: QtBot, dress: Callable[[str, float], None], panel: str, theme: str, scale: float
) -> None:
    dress(theme, scale)
    make, width, height = PANELS[panel]
    view = make()
    qtbot.addWidget(view)
    view.resize(round(width * scale), round(height * scale))
    view.show()
    qtbot.waitExposed(view)
    QApplication.processEvents()  # layouts forget what was hidden
    view.resize(round(width * scale), round(height * scale))
    assert view.width() <= round(width * scale) + 1, "the panel needs more width than its place has"
    assert clipped(view) == []
    buttons = [b for b in view.findChildren(QAbstractButton) if b.isVisible()]
    assert all(b.text() or b.accessibleName() or b.toolTip() for b in buttons)


def test_a_panel_follows_a_change_of_theme_while_it_is_open(
    qtbot: QtBot, dress: Callable[[str, float], None]
) -> None:
    dress("dark", 1.0)
    view = slices()
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show()
    qtbot.waitExposed(view)
    dark = view.grab().toImage().pixelColor(200, 380).lightness()
    dress("light", 1.0)
    light = view.grab().toImage().pixelColor(200, 380).lightness()
    assert dark < 80 and light > 180


def test_every_tool_of_the_slice_editor_is_reached_with_tab(
    qtbot: QtBot, dress: Callable[[str, float], None]
) -> None:
    dress("dark", 1.0)
    view = slices()
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    names, here = set(), view.canvas.nextInFocusChain()
    while here is not view.canvas:
        if here.isVisible() and here.focusPolicy() & Qt.FocusPolicy.TabFocus:
            names.add(here.objectName())
        here = here.nextInFocusChain()
    assert {"tool_look", "tool_polygon", "tool_brush", "act_smooth", "label_chooser", "use_plane"} <= names
