"""The layer list shows rows and emits wishes, by pointer and by keyboard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from widgets.layer_list import LayerList
from widgets.layer_tree import BADGE, EYE, LOCK, NAME, SWATCH, LayerRow
from widgets.theme import apply_theme

ROWS = (
    LayerRow("s", "Hand", "cross_sections", swatch="#7ab3ef"),
    LayerRow("g", "Results", "group"),
    LayerRow("m", "Surface r1", "mesh", parent="g", badges=("newest",)),
    LayerRow("r", "Reference", "mesh", locked=True, visible=False, badges=("missing",)),
)


@pytest.fixture
def layers(qtbot: QtBot) -> LayerList:
    layers = LayerList()
    qtbot.addWidget(layers)
    layers.resize(320, 400)
    layers.set_rows(ROWS)
    layers.show()
    qtbot.waitExposed(layers)
    layers.tree.setFocus()
    return layers


def place(layers: LayerList, layer_id: str, column: int) -> QPoint:
    item = layers._find(layer_id)
    assert item is not None
    rect = layers.tree.visualItemRect(item)
    header = layers.tree.header()
    left = header.sectionPosition(column) if column else rect.left()
    return QPoint(left + 12, rect.center().y())


def click(qtbot: QtBot, layers: LayerList, layer_id: str, column: int) -> None:
    qtbot.mouseClick(layers.tree.viewport(), Qt.MouseButton.LeftButton, pos=place(layers, layer_id, column))


def test_an_empty_list_says_what_it_is_for_and_offers_import(qtbot: QtBot) -> None:
    layers = LayerList()
    qtbot.addWidget(layers)
    layers.show()
    assert layers.tree.isHidden()
    (button,) = [b for b in layers.findChildren(QPushButton) if b.isVisible()]
    with qtbot.waitSignal(layers.import_wished):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    layers.set_rows(ROWS)
    assert layers.tree.isVisible() and not button.isVisible()


def test_names_groups_and_badges_are_shown(layers: LayerList) -> None:
    assert [item.text(NAME) for item in layers.tree.all_items()] == [
        "Hand",
        "Results",
        "Surface r1",
        "Reference",
    ]
    child = layers._find("m")
    assert child is not None and child.parent() is layers._find("g")
    reference = layers._find("r")
    assert reference is not None and "cannot be found" in reference.toolTip(BADGE)


def test_eye_lock_and_swatch_tell_the_opposite_and_leave_the_selection(
    layers: LayerList, qtbot: QtBot
) -> None:
    layers.select(["m"])
    with qtbot.assertNotEmitted(layers.selection_changed):
        for layer_id, column, signal, args in (
            ("s", EYE, layers.visibility_toggled, ["s", False]),
            ("r", EYE, layers.visibility_toggled, ["r", True]),
            ("r", LOCK, layers.lock_toggled, ["r", False]),
            ("s", SWATCH, layers.swatch_clicked, ["s"]),
        ):
            with qtbot.waitSignal(signal) as told:
                click(qtbot, layers, layer_id, column)
            assert told.args == args
    assert layers.selected_ids() == ["m"]


def test_a_click_selects_and_control_adds(layers: LayerList, qtbot: QtBot) -> None:
    with qtbot.waitSignal(layers.selection_changed) as told:
        click(qtbot, layers, "s", NAME)
    assert told.args == [["s"]]
    with qtbot.waitSignal(layers.selection_changed) as told:
        qtbot.mouseClick(
            layers.tree.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.ControlModifier,
            place(layers, "m", NAME),
        )
    assert set(told.args[0]) == {"s", "m"} and told.args[0][0] == "m"


def test_f2_opens_the_name_and_return_tells_the_new_one(layers: LayerList, qtbot: QtBot) -> None:
    layers.select(["m"])
    qtbot.keyClick(layers.tree, Qt.Key.Key_F2)
    (editor,) = layers.tree.findChildren(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, "Palm")
    with qtbot.waitSignal(layers.renamed) as told:
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert told.args == ["m", "Palm"]
    item = layers._find("m")
    assert item is not None and item.text(NAME) == "Surface r1"  # until the app answers
    layers.set_rows([replace(row, name="Palm") if row.id == "m" else row for row in ROWS])
    item = layers._find("m")
    assert item is not None and item.text(NAME) == "Palm" and layers.selected_ids() == ["m"]


def test_an_empty_name_changes_nothing(layers: LayerList, qtbot: QtBot) -> None:
    layers.edit_name("s")
    (editor,) = layers.tree.findChildren(QLineEdit)
    editor.clear()
    with qtbot.assertNotEmitted(layers.renamed):
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    item = layers._find("s")
    assert item is not None and item.text(NAME) == "Hand"


def test_a_locked_layer_cannot_be_renamed(layers: LayerList) -> None:
    layers.edit_name("r")
    assert layers.tree.findChildren(QLineEdit) == []


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_delete_wishes_the_selected_layers_removed(layers: LayerList, qtbot: QtBot, key: Qt.Key) -> None:
    layers.select(["m", "s"])
    with qtbot.waitSignal(layers.remove_requested) as told:
        qtbot.keyClick(layers.tree, key)
    assert told.args == [["m", "s"]]
    assert len(layers.tree.all_items()) == 4


def test_space_shows_and_hides(layers: LayerList, qtbot: QtBot) -> None:
    layers.select(["r"])
    with qtbot.waitSignal(layers.visibility_toggled) as told:
        qtbot.keyClick(layers.tree, Qt.Key.Key_Space)
    assert told.args == ["r", True]


@pytest.mark.parametrize("wish", ["frame", "isolate", "duplicate", "export", "show_in_files", "properties"])
def test_the_context_menu_tells_each_wish(layers: LayerList, qtbot: QtBot, wish: str) -> None:
    layers.select(["s"])
    menu = layers.context_menu()
    action = next(action for action in menu.actions() if action.objectName() == f"layer_{wish}")
    with qtbot.waitSignal(layers.wished) as told:
        action.trigger()
    assert told.args == [wish, ["s"]]


def test_the_menu_has_rename_and_remove_with_their_keys(layers: LayerList) -> None:
    layers.select(["s", "m"])
    actions = {action.objectName(): action for action in layers.context_menu().actions()}
    assert actions["layer_rename"].shortcut().toString() == "F2"
    assert not actions["layer_rename"].isEnabled()  # two are selected
    assert actions["layer_remove"].shortcut().toString() == "Del"


def test_lock_and_visibility_can_be_reached_without_a_pointer(layers: LayerList, qtbot: QtBot) -> None:
    layers.select(["r"])
    actions = {action.objectName(): action for action in layers.context_menu().actions()}
    with qtbot.waitSignal(layers.lock_toggled) as told:
        actions["layer_lock"].trigger()
    assert told.args == ["r", False]
    with qtbot.waitSignal(layers.visibility_toggled) as told:
        actions["layer_toggle"].trigger()
    assert told.args == ["r", True]


@pytest.mark.parametrize("reason", list(QContextMenuEvent.Reason)[:2])
def test_the_menu_opens_by_pointer_and_by_keyboard(
    layers: LayerList, qtbot: QtBot, reason: QContextMenuEvent.Reason
) -> None:
    layers.select(["s"])
    by_mouse = reason == QContextMenuEvent.Reason.Mouse
    at = place(layers, "s", NAME) if by_mouse else layers.tree.viewport().rect().bottomLeft()
    event = QContextMenuEvent(reason, at, layers.tree.viewport().mapToGlobal(at))
    QApplication.sendEvent(layers.tree.viewport(), event)
    (menu,) = [menu for menu in layers.findChildren(QMenu) if menu.isVisible()]
    menu.close()


def test_a_drop_tells_the_whole_new_order(layers: LayerList, qtbot: QtBot) -> None:
    tree = layers.tree
    last = tree.takeTopLevelItem(2)
    tree.insertTopLevelItem(0, last)
    with qtbot.waitSignal(layers.reordered) as told:
        tree.dropped.emit()
    assert told.args == [[("r", ""), ("s", ""), ("g", ""), ("m", "g")]]


def test_new_rows_keep_selection_and_folding_and_tell_only_real_changes(
    layers: LayerList, qtbot: QtBot
) -> None:
    layers.select(["s"])
    group = layers._find("g")
    assert group is not None
    group.setExpanded(False)
    with qtbot.assertNotEmitted(layers.selection_changed):
        layers.set_rows([*ROWS, LayerRow("n", "New", "mesh")])
    group = layers._find("g")
    assert group is not None and not group.isExpanded() and layers.selected_ids() == ["s"]
    with qtbot.waitSignal(layers.selection_changed) as told:
        layers.set_rows(ROWS[1:])
    assert told.args == [[]]


def test_the_current_layer_comes_first_in_the_selection(layers: LayerList) -> None:
    layers.select(["r", "s"])
    assert layers.selected_ids() == ["r", "s"]
    item = layers._find("s")
    layers.tree.setCurrentItem(item, NAME, QItemSelectionModel.SelectionFlag.NoUpdate)
    assert layers.selected_ids() == ["s", "r"]


def test_a_theme_change_keeps_the_rows_and_the_selection(layers: LayerList, qapp) -> None:  # type: ignore[no-untyped-def]
    layers.select(["m"])
    apply_theme(qapp, "light")
    assert layers.selected_ids() == ["m"] and len(layers.tree.all_items()) == 4
    apply_theme(qapp, "dark")
