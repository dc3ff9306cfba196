"""The one table of menu entries."""

from collections import defaultdict
from operator import attrgetter

import pytest
from PySide6.QtGui import QKeySequence

from app.actions import ACTIONS, MENUS, REASONS
from widgets.command_palette import score
from widgets.svg import source


def test_ids_are_unique_and_menus_exist():
    assert len({spec.id for spec in ACTIONS}) == len(ACTIONS)
    assert {spec.menu for spec in ACTIONS} == set(MENUS)


def test_no_key_does_two_things():
    users = defaultdict(list)
    for spec in ACTIONS:
        for key in spec.keys:
            assert not QKeySequence(key).isEmpty(), key
            users[QKeySequence(key).toString()].append(spec.id)
    assert {key: ids for key, ids in users.items() if len(ids) > 1} == {}


def test_every_condition_has_a_reason_to_show():
    assert {need for spec in ACTIONS for need in spec.needs} <= REASONS.keys()


@pytest.mark.parametrize("name", sorted({spec.icon for spec in ACTIONS if spec.icon}))
def test_every_icon_is_there(name):
    assert "<svg" in source(name)


def test_every_entry_does_something_that_the_window_has(window):
    for spec in ACTIONS:
        assert callable(attrgetter(spec.function)(window)), spec.id


def test_what_cannot_be_done_is_off_and_says_why(window):
    assert not window.actions_by_id["export"].isEnabled()
    assert "nothing to export" in window.actions_by_id["export"].toolTip()
    assert window.actions_by_id["open"].isEnabled()


def test_the_palette_finds_a_command_by_what_else_people_call_it(window):
    commands = window.shell.commands()
    for query, title in {
        "reduce triangles": "Decimate…",
        "wireframe": "Next shading",
        "print": "Export…",
        "deviation": "Colour by distance to…",
    }.items():
        best = max(commands, key=lambda command: score(query, command))
        assert best.title == title, query
