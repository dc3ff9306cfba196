"""The agreement by plane and the tools that clean a mesh."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QTreeView, QWidget
from pytestqt.qtbot import QtBot

from render.frame import Frame
from render.mesh import TriangleMesh
from widgets.agreement_list import AgreementList, AgreementRow, percent
from widgets.mesh_figures import kept_parts, measures, part_areas
from widgets.mesh_tools_panel import MeshToolsPanel
from widgets.number_field import NumberField
from widgets.parts import FoldButton, StateLabel

ROWS = [
    AgreementRow(0, 1.0, 1.0),
    AgreementRow(1, 0.9995, 0.998),
    AgreementRow(2, 0.97, 0.91, "Plane 9 contradicts it along 3 mm."),
]


@pytest.fixture
def agreement(qtbot: QtBot) -> AgreementList:
    view = AgreementList()
    qtbot.addWidget(view)
    view.resize(320, 400)
    view.show()
    qtbot.waitExposed(view)
    return view


def cell(view: AgreementList, place: int, column: int) -> str:
    return str(view.findChild(QTreeView).model().index(place, column).data())


def test_the_worst_plane_comes_first_with_a_word_and_the_headline_counts(agreement: AgreementList) -> None:
    agreement.set_rows(ROWS)
    assert [cell(agreement, place, 0) for place in range(3)] == ["3", "2", "1"]
    assert [cell(agreement, 0, column) for column in (1, 2)] == ["97.000 %", "0.910"]
    assert [cell(agreement, place, 3) for place in (1, 2)] == ["Agrees", "Agrees"]
    assert agreement.summary() == "2 of 3 planes agree ≥ 99.9 %"
    agreement.set_rows(ROWS[:2])
    assert agreement.summary() == "2 of 2 planes agree ≥ 99.9 %"


def test_a_click_asks_for_the_plane_and_shows_its_whole_note(agreement: AgreementList, qtbot: QtBot) -> None:
    agreement.set_rows(ROWS)
    table = agreement.findChild(QTreeView)
    place = table.visualRect(table.model().index(0, 1)).center()
    with qtbot.waitSignal(agreement.plane_requested) as heard:
        qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    note = agreement.findChild(StateLabel, "agreement_note")
    assert heard.args == [2] and note.isVisible()
    assert note.text() == "Plane 3: Plane 9 contradicts it along 3 mm."


def test_a_plane_chosen_elsewhere_is_marked_without_an_echo(agreement: AgreementList) -> None:
    heard: list[int] = []
    agreement.plane_requested.connect(heard.append)
    agreement.set_rows(ROWS)
    agreement.select_plane(1)
    assert agreement.findChild(QTreeView).currentIndex().row() == 1 and heard == []


def test_without_a_result_the_list_says_what_it_will_hold(agreement: AgreementList) -> None:
    assert not agreement.findChild(QTreeView).isVisible() and agreement.summary() == ""


@pytest.mark.parametrize(("share", "words"), [(1.0, "100 %"), (0.9999999, "99.999 %"), (0.9995, "99.950 %")])
def test_almost_all_is_never_shown_as_all(share: float, words: str) -> None:
    assert percent(share) == words


def tetrahedra(*sizes: float) -> TriangleMesh:
    """Right tetrahedra with legs of these sizes, far from each other."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    vertices = [size * corners + 10 * place for place, size in enumerate(sizes)]
    indices = [faces + 4 * place for place in range(len(sizes))]
    return TriangleMesh(np.concatenate(vertices), np.concatenate(indices), frame=Frame(unit="mm"))  # type: ignore[arg-type]


def test_parts_and_measures_are_those_of_the_formula() -> None:
    mesh = tetrahedra(1.0, 0.1, 0.5)
    unit_area = 1.5 + np.sqrt(3) / 2
    np.testing.assert_allclose(part_areas(mesh), unit_area * np.array([1, 0.25, 0.01]), rtol=1e-5)
    assert kept_parts(part_areas(mesh), 0.1) == 2
    told = dict(measures(tetrahedra(6.0)))
    assert told["Volume"] == "36 mm³" and told["Size"] == "6 × 6 × 6 mm" and told["Triangles"] == "4"


@pytest.fixture
def panel(qtbot: QtBot) -> MeshToolsPanel:
    panel = MeshToolsPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 700)
    panel.show()
    qtbot.waitExposed(panel)
    panel.set_mesh(tetrahedra(1.0, 0.1, 0.5))
    return panel


def part(panel: QWidget, kind: type[Any], name: str) -> Any:
    return panel.findChild(kind, name)


def number(panel: MeshToolsPanel, name: str) -> NumberField:
    return part(panel, QWidget, f"parameter_{name}").findChild(NumberField)  # type: ignore[no-any-return]


def test_without_a_mesh_the_panel_says_what_to_select(panel: MeshToolsPanel) -> None:
    panel.open_tool("smooth")
    panel.set_mesh(None)
    assert panel.tool == "" and not part(panel, FoldButton, "tool_smooth").isVisible()


def test_opening_a_tool_shows_only_it_and_asks_for_its_preview(panel: MeshToolsPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.tool_preview_requested, timeout=3000) as heard:
        qtbot.mouseClick(part(panel, FoldButton, "tool_components"), Qt.MouseButton.LeftButton)
    assert heard.args == ["components", {"min_share": 0.01}]
    assert part(panel, QPushButton, "apply_components").isVisible()
    assert not part(panel, QPushButton, "apply_smooth").isVisible()


def test_the_count_of_parts_follows_the_share_at_once(panel: MeshToolsPanel, qtbot: QtBot) -> None:
    note = part(panel, QLabel, "note_components")
    with qtbot.waitSignal(panel.parts_wished):
        panel.open_tool("components")
    assert note.text() == "Counting the parts…"
    panel.set_part_areas(part_areas(tetrahedra(1.0, 0.1, 0.5)))
    number(panel, "min_share").lineEdit().setText("0.001")
    assert note.text() == "Keeps 3 of 3 parts."
    number(panel, "min_share").lineEdit().setText("0.2")
    assert note.text() == "Keeps 2 of 3 parts."
    with qtbot.waitSignal(panel.tool_preview_requested, timeout=3000) as heard:
        pass
    assert heard.args == ["components", {"min_share": 0.2}], "many changes, one preview"


def test_apply_sends_the_parameters_and_closes_the_tool(panel: MeshToolsPanel, qtbot: QtBot) -> None:
    panel.open_tool("decimate")
    number(panel, "target_faces").lineEdit().setText("8")
    panel.set_preview(tetrahedra(1.0, 0.5))
    assert part(panel, QLabel, "note_decimate").text() == "12 → 8 triangles"
    number(panel, "target_faces").lineEdit().setText("6")
    panel.set_preview(tetrahedra(1.0, 0.5))
    told = part(panel, QLabel, "note_decimate").text()
    assert told == "12 → 8 triangles: with fewer it would not stay whole"
    number(panel, "target_faces").lineEdit().setText("8")
    with qtbot.waitSignal(panel.tool_applied) as heard:
        qtbot.mouseClick(part(panel, QPushButton, "apply_decimate"), Qt.MouseButton.LeftButton)
    assert heard.args == ["decimate", {"target_faces": 8}] and panel.tool == ""


def test_holding_before_shows_the_mesh_as_it_was(panel: MeshToolsPanel, qtbot: QtBot) -> None:
    heard: list[bool] = []
    panel.before_wished.connect(heard.append)
    panel.open_tool("smooth")
    before = part(panel, QPushButton, "before_smooth")
    assert not before.isEnabled(), "there is nothing to compare with yet"
    panel.set_preview(tetrahedra(1.0, 0.1, 0.5))
    qtbot.mousePress(before, Qt.MouseButton.LeftButton)
    assert heard == [True]
    qtbot.mouseRelease(before, Qt.MouseButton.LeftButton)
    assert heard == [True, False]


def test_cancel_drops_the_preview(panel: MeshToolsPanel, qtbot: QtBot) -> None:
    panel.open_tool("smooth")
    with qtbot.waitSignal(panel.tool_cancelled):
        qtbot.mouseClick(part(panel, QPushButton, "cancel_smooth"), Qt.MouseButton.LeftButton)
    with qtbot.assertNotEmitted(panel.tool_preview_requested, wait=500):
        assert panel.tool == ""


def test_a_wrong_number_cannot_be_applied_and_is_explained(panel: MeshToolsPanel) -> None:
    panel.open_tool("smooth")
    number(panel, "iterations").lineEdit().setText("0")
    assert not part(panel, QPushButton, "apply_smooth").isEnabled()
    assert part(panel, QLabel, "note_smooth").text() == "Type a number, 1 to 1000."


def test_all_holes_are_meant_by_an_empty_field(panel: MeshToolsPanel) -> None:
    panel.open_tool("holes")
    assert panel.parameters() == {"max_edges": None}
    number(panel, "max_edges").lineEdit().setText("12")
    assert panel.parameters() == {"max_edges": 12}


def test_the_verdict_of_whoever_measured_counts_more_than_the_accuracy(qtbot: QtBot) -> None:
    listed = AgreementList()
    qtbot.addWidget(listed)
    rows = [
        AgreementRow(0, 0.9999, 0.988, "Too thin.", agrees=False),
        AgreementRow(1, 0.9991, 0.999, agrees=True),
    ]
    listed.set_rows(rows)
    assert listed.summary() == "1 of 2 planes agree with the solid"
    assert [row.plane for row in listed._model.rows] == [0, 1], "what does not agree comes first"
