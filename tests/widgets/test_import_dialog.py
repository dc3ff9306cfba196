"""The import inspector: the table, the problems, the options, the frame, and what Import asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from pydantic import BaseModel, Field
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QRadioButton, QWidget
from pytestqt.qtbot import QtBot

from tests.widgets.looks import clipped
from widgets.import_dialog import ImportDialog
from widgets.import_rows import (
    COUNT,
    KIND,
    PROBLEMS,
    USE,
    ImportProblem,
    ImportRow,
    ImportTable,
    with_basic_fields,
)
from widgets.settings_form import SettingsForm
from widgets.theme import apply_theme

KINDS = (("cross_sections", "Cross-sections"), ("mesh", "Mesh"))
OPEN_CONTOUR = ImportProblem(
    "warning", "Plane 5 has an open contour.", "It will be closed.", 1, True, "Close it"
)
NO_SPACING = ImportProblem("error", "The spacing is not known.", "Type it below.")
HAND = ImportRow(
    "h", "hand.csl", "/d/hand.csl", "cross_sections", KINDS, "15 planes", problems=(OPEN_CONTOUR,)
)
MASKS = ImportRow("m", "masks/", "/d/masks", "cross_sections", KINDS, "48 images", problems=(NO_SPACING,))
MESH = ImportRow("r", "reference.ply", "/d/reference.ply", "mesh", KINDS, "24 312 triangles")


class Options(BaseModel):
    """How to read a file, for the tests."""

    threshold: float | None = Field(None, title="Threshold")
    holes: Literal["auto", "winding"] = Field("auto", title="Holes")
    spacing: float = Field(1.0, title="Spacing", gt=0)


@pytest.fixture
def dialog(qtbot: QtBot) -> ImportDialog:
    dialog = ImportDialog()
    qtbot.addWidget(dialog)
    dialog.set_rows([HAND, MASKS, MESH])
    dialog.set_frame("+Z", "mm", "as the file says")
    dialog.show()
    qtbot.waitExposed(dialog)
    return dialog


def table(dialog: ImportDialog) -> ImportTable:
    found = dialog.findChild(ImportTable, "import_table")
    assert found is not None
    return found


def accept_button(dialog: ImportDialog) -> QPushButton:
    found = dialog.findChild(QPushButton, "import_accept")
    assert found is not None
    return found


def shown(dialog: QWidget, kind: type[QWidget] = QLabel) -> set[str]:
    return {widget.property("text") for widget in dialog.findChildren(kind) if widget.isVisible()}


def press(qtbot: QtBot, dialog: QWidget, text: str) -> None:
    (button,) = [b for b in dialog.findChildren(QPushButton) if b.text() == text and b.isVisible()]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_dialog_does_not_stop_the_window(dialog: ImportDialog) -> None:
    assert not dialog.isModal()


def test_each_source_is_listed_with_its_problems(dialog: ImportDialog) -> None:
    rows = table(dialog)
    assert [rows.item(i, COUNT).text() for i in range(3)] == ["15 planes", "48 images", "24 312 triangles"]
    assert [rows.item(i, PROBLEMS).text() for i in range(3)] == ["1 warning", "1 error", "None"]
    assert "Plane 5 has an open contour. It will be closed." in shown(dialog)


def test_a_source_with_an_error_cannot_be_used(dialog: ImportDialog) -> None:
    item = table(dialog).item(1, USE)
    assert item.checkState() == Qt.CheckState.Unchecked and not item.flags() & Qt.ItemFlag.ItemIsEnabled
    assert [source[0] for source in dialog.wish().sources] == ["h", "r"]


def test_unticking_leaves_a_source_out_and_unticking_all_stops_import(
    dialog: ImportDialog, qtbot: QtBot
) -> None:
    rows = table(dialog)
    rows.item(2, USE).setCheckState(Qt.CheckState.Unchecked)
    assert [source[0] for source in dialog.wish().sources] == ["h"]
    rows.item(0, USE).setCheckState(Qt.CheckState.Unchecked)
    assert not accept_button(dialog).isEnabled() and "No source is in use" in shown(dialog)


def test_show_and_fix_tell_the_problem(dialog: ImportDialog, qtbot: QtBot) -> None:
    with qtbot.waitSignal(dialog.show_wished) as told:
        press(qtbot, dialog, "Show")
    assert told.args == ["h", 0]
    with qtbot.waitSignal(dialog.fix_wished) as told:
        press(qtbot, dialog, "Close it")
    assert told.args == ["h", 0]


def test_selecting_another_source_shows_its_problems_and_asks_for_its_preview(
    dialog: ImportDialog, qtbot: QtBot
) -> None:
    rows = table(dialog)
    place = rows.visualItemRect(rows.item(1, COUNT)).center()
    with qtbot.waitSignal(dialog.row_selected) as told:
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert told.args == ["m"]
    qtbot.waitUntil(lambda: "The spacing is not known. Type it below." in shown(dialog))
    assert "Show" not in shown(dialog, QPushButton)


def test_recognised_as_can_be_overridden(dialog: ImportDialog, qtbot: QtBot) -> None:
    combo = table(dialog).cellWidget(0, KIND)
    assert isinstance(combo, QComboBox) and combo.currentText() == "Cross-sections"
    with qtbot.waitSignal(dialog.kind_changed) as told:
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert told.args == ["h", "mesh"]


def test_options_are_told_when_valid_and_stop_import_when_not(dialog: ImportDialog, qtbot: QtBot) -> None:
    dialog.set_options("h", Options, basic=["spacing"])
    form = dialog.findChild(SettingsForm)
    assert form is not None and {"Spacing", "How to read it"} <= shown(dialog)
    field = form.findChild(QWidget, "setting_spacing")
    assert field is not None and field.isVisible()
    with qtbot.waitSignal(dialog.options_changed) as told:
        form.set_values({"spacing": 2.5})
        form.values_changed.emit(form.values())
    assert told.args[0] == "h" and told.args[1]["spacing"] == 2.5
    assert dialog.wish().sources[0] == ("h", "cross_sections", form.values())
    form.set_values({"spacing": -1.0})
    with qtbot.assertNotEmitted(dialog.options_changed):
        form.values_changed.emit(form.values())
    assert not accept_button(dialog).isEnabled()
    assert "Spacing" in accept_button(dialog).toolTip()


def test_basic_fields_keep_their_limits_and_the_model_its_other_fields() -> None:
    model = with_basic_fields(Options, ["spacing"])
    assert list(model.model_fields) == list(Options.model_fields)
    assert model.model_fields["spacing"].json_schema_extra == {"basic": True}
    assert Options.model_fields["spacing"].json_schema_extra is None
    with pytest.raises(ValueError, match="greater than 0"):
        model(spacing=-1)


def test_import_waits_for_sources_that_are_being_read(dialog: ImportDialog) -> None:
    dialog.set_rows([HAND, replace(MESH, is_reading=True)])
    assert not accept_button(dialog).isEnabled() and "Reading…" in shown(dialog)
    dialog.set_rows([HAND, MESH])
    assert accept_button(dialog).isEnabled()


def test_import_asks_for_sources_frame_and_copy(dialog: ImportDialog, qtbot: QtBot) -> None:
    unit = dialog.findChild(QComboBox, "import_unit")
    assert unit is not None and unit.currentText() == "millimetres"
    with qtbot.waitSignal(dialog.frame_changed) as told:
        qtbot.keyClick(unit, Qt.Key.Key_Up)
    assert told.args == ["+Z", "cm"]
    (reference,) = [b for b in dialog.findChildren(QRadioButton) if b.text() == "Leave in place"]
    qtbot.mouseClick(
        reference, Qt.MouseButton.LeftButton, pos=reference.rect().topLeft() + reference.rect().center() / 4
    )
    with qtbot.waitSignal(dialog.import_wished) as told:
        qtbot.mouseClick(accept_button(dialog), Qt.MouseButton.LeftButton)
    wish = told.args[0]
    assert (wish.up, wish.unit, wish.copy) == ("+Z", "cm", False)
    assert [(source, kind) for source, kind, _ in wish.sources] == [("h", "cross_sections"), ("r", "mesh")]


def test_new_rows_keep_the_selection_and_the_forms(dialog: ImportDialog, qtbot: QtBot) -> None:
    dialog.set_options("m", Options)
    table(dialog).selectRow(1)
    dialog.set_rows([HAND, replace(MASKS, problems=()), MESH])
    assert table(dialog).selected_id() == "m"
    assert [source[0] for source in dialog.wish().sources] == ["h", "m", "r"]
    assert set(dialog.wish().sources[1][2]) == {"threshold", "holes", "spacing"}
    dialog.set_rows([HAND])
    qtbot.waitUntil(lambda: dialog.findChild(SettingsForm) is None)


def test_copy_details_lists_every_source_and_problem(dialog: ImportDialog, qtbot: QtBot) -> None:
    press(qtbot, dialog, "Copy details")
    text = QGuiApplication.clipboard().text()
    assert "/d/masks" in text and "error: The spacing is not known. Type it below." in text


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_nothing_is_clipped(qapp: QApplication, qtbot: QtBot, scale: float) -> None:
    apply_theme(qapp, "light", scale)
    dialog = ImportDialog()
    qtbot.addWidget(dialog)
    dialog.set_rows([HAND, MASKS, MESH])
    dialog.set_options("h", Options, basic=["spacing", "holes"])
    dialog.show()
    assert clipped(dialog) == []
    apply_theme(qapp, "dark")
