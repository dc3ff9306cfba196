"""The export dialog asks for what was chosen, says what the file will be, and explains what stops it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, Field
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QListWidget, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.widgets.looks import clipped
from widgets.export_dialog import ExportDialog
from widgets.export_rows import ExportFormat, ExportLayer, ExportWarning, LayerChoice
from widgets.notices import NoticeAction
from widgets.theme import apply_theme


class Options(BaseModel):
    """Options of a format, for the tests."""

    colors: bool = Field(True, title="Vertex colours", json_schema_extra={"basic": True})


LAYERS = [
    ExportLayer("a", "Surface r2", count="24 312 triangles", is_visible=False),
    ExportLayer("b", "Surface r1", count="81 200 triangles", is_chosen=False, is_selected=True),
]
FORMATS = [
    ExportFormat("glb", "GLB", ".glb", "For the web and viewers.", Options, "blender"),
    ExportFormat("stl", "STL", ".stl", "For printing; no colours.", None, "print"),
]
PRESETS = [("project", "Project"), ("blender", "Blender"), ("print", "3D print")]


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> ExportDialog:
    dialog = ExportDialog(LAYERS, FORMATS, PRESETS, tmp_path, "hand")
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    return dialog


def child(dialog: ExportDialog, kind: type[QWidget], name: str) -> QWidget:
    found = dialog.findChild(kind, name)
    assert isinstance(found, kind)
    return found


def press(qtbot: QtBot, dialog: ExportDialog, text: str) -> None:
    (button,) = [b for b in dialog.findChildren(QPushButton) if b.text() == text and b.isVisible()]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown(dialog: ExportDialog) -> set[str]:
    return {label.text() for label in dialog.findChildren(QLabel) if label.isVisible()}


def export_button(dialog: ExportDialog) -> QWidget:
    return child(dialog, QPushButton, "export_accept")


def test_export_asks_for_the_ticked_layers_as_the_first_format(
    dialog: ExportDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    assert not dialog.isModal()
    with qtbot.waitSignal(dialog.export_wished) as told:
        press(qtbot, dialog, "Export")
    wish = told.args[0]
    assert (wish.layers, wish.format, wish.frame_preset) == (("a",), "glb", "blender")
    assert wish.path == tmp_path / "hand.glb" and wish.options == {"colors": True} and wish.sidecar


def test_another_format_changes_suffix_note_options_and_preset(
    dialog: ExportDialog, qtbot: QtBot, tmp_path: Path
) -> None:
    qtbot.keyClick(child(dialog, QComboBox, "export_format"), Qt.Key.Key_Down)
    wish = dialog.wish()
    assert (wish.format, wish.path, wish.options) == ("stl", tmp_path / "hand.stl", {})
    assert wish.frame_preset == "print"
    assert "For printing; no colours." in shown(dialog)


def test_each_change_asks_the_app_once_what_the_file_will_be(dialog: ExportDialog, qtbot: QtBot) -> None:
    qtbot.wait(120)
    told: list[object] = []
    dialog.changed.connect(told.append)
    field = child(dialog, QLineEdit, "export_path")
    qtbot.keyClicks(field, "x" * 10)
    qtbot.waitUntil(lambda: bool(told))
    qtbot.wait(120)
    assert told[-1] == dialog.wish() and len(told) < 10


@pytest.mark.parametrize(
    ("text", "layers"), [("All", ("a", "b")), ("Visible only", ("b",)), ("Selection only", ("b",))]
)
def test_layers_are_ticked_by_what_they_are(
    dialog: ExportDialog, qtbot: QtBot, text: str, layers: tuple[str, ...]
) -> None:
    press(qtbot, dialog, text)
    assert dialog.wish().layers == layers


def test_without_a_layer_or_a_name_export_says_why_it_waits(dialog: ExportDialog, qtbot: QtBot) -> None:
    rows = child(dialog, QListWidget, "export_layers")
    assert isinstance(rows, QListWidget)
    rows.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert not export_button(dialog).isEnabled() and "Choose at least one layer." in shown(dialog)
    rows.item(0).setCheckState(Qt.CheckState.Checked)
    field = child(dialog, QLineEdit, "export_path")
    assert isinstance(field, QLineEdit)
    field.clear()
    assert not export_button(dialog).isEnabled() and "Type a file name." in shown(dialog)


def test_a_file_that_the_project_reads_is_refused_until_the_name_changes(
    dialog: ExportDialog, qtbot: QtBot
) -> None:
    dialog.set_problem("This file is used by the project. Choose another name.")
    assert not export_button(dialog).isEnabled()
    assert "This file is used by the project. Choose another name." in shown(dialog)
    qtbot.keyClicks(child(dialog, QLineEdit, "export_path"), "2")
    assert export_button(dialog).isEnabled()


def test_warnings_stand_in_the_dialog_with_what_can_be_done(dialog: ExportDialog, qtbot: QtBot) -> None:
    scale = ExportWarning("The scale is not set.", actions=(NoticeAction("scale", "Set scale…"),))
    dialog.set_warnings([scale])
    qtbot.waitUntil(lambda: "The scale is not set." in shown(dialog))
    with qtbot.waitSignal(dialog.warning_chosen) as told:
        press(qtbot, dialog, "Set scale…")
    assert told.args == ["scale"]
    assert export_button(dialog).isEnabled()
    dialog.set_warnings([])
    assert "The scale is not set." not in shown(dialog)


def test_size_axes_and_the_command_are_shown_as_given(dialog: ExportDialog, qtbot: QtBot) -> None:
    dialog.set_estimate("24 312 triangles, about 0.9 MB.")
    dialog.set_frame_text("+Y up, metres, multiplied by 0.001")
    assert {"24 312 triangles, about 0.9 MB.", "+Y up, metres, multiplied by 0.001"} <= shown(dialog)
    dialog.set_command("isokiln convert hand.csl hand.glb")
    press(qtbot, dialog, "Copy CLI command")
    assert QGuiApplication.clipboard().text() == "isokiln convert hand.csl hand.glb"


def test_escape_closes_without_exporting(dialog: ExportDialog, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(dialog.export_wished):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_nothing_is_clipped(qapp: QApplication, qtbot: QtBot, tmp_path: Path, scale: float) -> None:
    apply_theme(qapp, "dark", scale)
    dialog = ExportDialog(LAYERS, FORMATS, PRESETS, tmp_path, "hand")
    qtbot.addWidget(dialog)
    dialog.set_estimate("24 312 triangles, about 0.9 MB. The object is 81 × 140 × 33 mm.")
    dialog.set_warnings([ExportWarning("The scale is not set. GLB is always in metres.")])
    dialog.show()
    assert clipped(dialog) == []
    apply_theme(qapp, "dark")


def test_older_versions_are_folded_away_and_nothing_unseen_is_written(qtbot: QtBot) -> None:
    old = [ExportLayer(key, key, is_chosen=False, is_earlier=True) for key in ("v1", "v2")]
    choice = LayerChoice([*old, ExportLayer("v3", "v3")])
    qtbot.addWidget(choice)
    choice.show()
    rows, fold = choice.findChild(QListWidget), choice.findChild(QWidget, "export_earlier")
    assert isinstance(rows, QListWidget) and isinstance(fold, QWidget)
    assert [rows.item(i).isHidden() for i in range(3)] == [False, True, True]
    everything = next(button for button in choice.findChildren(QPushButton) if button.text() == "All")
    everything.click()
    assert choice.chosen() == ("v3",)
    qtbot.mouseClick(fold, Qt.MouseButton.LeftButton)
    everything.click()
    assert choice.chosen() == ("v3", "v1", "v2")
    qtbot.mouseClick(fold, Qt.MouseButton.LeftButton)
    assert choice.chosen() == ("v3",)
    asked_for = LayerChoice([ExportLayer("v2", "v2"), ExportLayer("v1", "v1", is_earlier=True)])
    qtbot.addWidget(asked_for)
    assert asked_for.chosen() == ("v2", "v1"), "an older version that was asked for is shown"
