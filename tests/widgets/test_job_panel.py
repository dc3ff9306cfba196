"""The table of jobs and the foot of the task panel, in every state."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMenu, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from widgets.job_panel import JobPanel
from widgets.job_rows import STATES, VERBS, JobRow, bytes_text, duration_text, state_look
from widgets.job_table import DEVICE, MEMORY, PROGRESS, RESULT, STATE
from widgets.parts import StateLabel
from widgets.run_block import RunBlock

RUNNING = JobRow(
    "a", "running", "Hand", fraction=0.62, stage="Neural prior", step=1240, total=2000, elapsed=94,
    left="03:12 left (done 14:05)", device="CPU", primary="pause", others=("checkpoint", "stop", "cancel"),
    preview_share=0.04,
)  # fmt: skip
QUEUED = JobRow("b", "queued", "Eight", queue_place=1, others=("move_up", "move_down", "remove"))
FAILED = JobRow(
    "c", "failed", "Skull", fraction=0.4, result="Not enough memory.", primary="show_error",
    others=("retry", "duplicate", "copy_details", "discard"),
)  # fmt: skip


@pytest.fixture
def panel(qtbot: QtBot) -> JobPanel:
    panel = JobPanel()
    qtbot.addWidget(panel)
    panel.resize(1280, 300)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def button(panel: JobPanel, place: int, verb: str) -> QAbstractButton:
    widget = panel.table.indexWidget(panel.table.model().index(place, 8))
    return widget.findChild(QAbstractButton, f"job_{verb}")  # type: ignore[return-value]


def text(panel: JobPanel, place: int, column: int) -> str:
    return str(panel.table.model().index(place, column).data())


def test_an_empty_table_says_what_to_do_and_offers_it(panel: JobPanel, qtbot: QtBot) -> None:
    heard: list[tuple[str, str]] = []
    panel.wish.connect(lambda job, verb: heard.append((job, verb)))
    start = panel.currentWidget().findChild(QPushButton)
    assert start.isVisible() and not panel.table.isVisible()
    qtbot.mouseClick(start, Qt.MouseButton.LeftButton)
    assert heard == [("", "start")]


def test_a_row_shows_state_words_numbers_and_the_stage(panel: JobPanel) -> None:
    panel.set_rows([RUNNING, QUEUED, FAILED])
    assert [text(panel, place, STATE) for place in range(3)] == ["Running", "Queued (1)", "Failed"]
    assert text(panel, 0, RESULT) == "Neural prior 1\u2009240 of 2\u2009000"
    assert text(panel, 2, RESULT) == "Not enough memory."


@pytest.mark.parametrize("verb", ["pause", "checkpoint", "stop", "cancel"])
def test_each_button_of_a_running_job_wishes_its_verb(panel: JobPanel, qtbot: QtBot, verb: str) -> None:
    panel.set_rows([QUEUED, RUNNING])
    with qtbot.waitSignal(panel.wish) as heard:
        qtbot.mouseClick(button(panel, 1, verb), Qt.MouseButton.LeftButton)
    assert heard.args == ["a", verb]


def test_many_verbs_fold_into_a_menu_that_wishes_them(panel: JobPanel, qtbot: QtBot) -> None:
    panel.set_rows([FAILED])
    menu = button(panel, 0, "more").findChild(QMenu)
    assert [action.text() for action in menu.actions()] == ["Duplicate", "Copy details", "Discard"]
    with qtbot.waitSignal(panel.wish) as heard:
        menu.actions()[1].trigger()
    assert heard.args == ["c", "copy_details"]


def test_buttons_follow_the_state_and_stay_while_it_stays(panel: JobPanel) -> None:
    panel.set_rows([RUNNING])
    first = button(panel, 0, "pause")
    panel.set_rows([replace(RUNNING, fraction=0.7, step=1400)])
    assert button(panel, 0, "pause") is first, "progress must not rebuild what the mouse is about to press"
    panel.set_rows([replace(RUNNING, state="paused", primary="resume", others=("stop", "cancel"))])
    assert button(panel, 0, "pause") is None and button(panel, 0, "resume").isEnabled()


def test_enter_does_the_first_thing_offered(panel: JobPanel, qtbot: QtBot) -> None:
    panel.set_rows([FAILED])
    panel.table.setCurrentIndex(panel.table.model().index(0, 0))
    with qtbot.waitSignal(panel.wish) as heard:
        qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert heard.args == ["c", "show_error"]


def test_a_draft_shows_start_but_cannot_be_started(panel: JobPanel) -> None:
    panel.set_rows(
        [JobRow("d", "draft", "New", primary="start", others=("check",), is_primary_enabled=False)]
    )
    assert not button(panel, 0, "start").isEnabled() and button(panel, 0, "check").isEnabled()


def test_selection_is_told_by_id_and_survives_a_new_order(panel: JobPanel, qtbot: QtBot) -> None:
    panel.set_rows([RUNNING, QUEUED])
    with qtbot.waitSignal(panel.selection_changed) as heard:
        panel.select(["b"])
    assert heard.args == [["b"]]
    panel.set_rows([QUEUED, RUNNING, FAILED])
    assert panel.selected_ids() == ["b"]


def test_a_narrow_table_gives_up_its_lesser_columns_first(panel: JobPanel) -> None:
    panel.set_rows([RUNNING])
    assert not panel.table.isColumnHidden(MEMORY)
    panel.resize(760, 300)
    assert panel.table.isColumnHidden(MEMORY) and panel.table.isColumnHidden(DEVICE)
    assert not panel.table.isColumnHidden(PROGRESS) and not panel.table.isColumnHidden(STATE)


def test_in_a_narrow_table_every_button_is_still_in_sight(panel: JobPanel) -> None:
    panel.resize(660, 300)
    panel.set_rows([RUNNING, FAILED])
    for place, verb in ((0, "pause"), (0, "cancel"), (1, "more")):
        found = button(panel, place, verb)
        corner = found.mapTo(panel.table, found.rect().bottomRight())
        assert found.isVisible() and corner.x() <= panel.table.width()


def test_every_state_and_verb_has_words_and_an_icon_that_exists(panel: JobPanel) -> None:
    panel.set_rows([JobRow(state, state, state, others=tuple(VERBS)) for state in STATES])
    for place, state in enumerate(STATES):
        assert text(panel, place, STATE) == state_look(state).word
        assert not panel.table.model().index(place, STATE).data(Qt.ItemDataRole.DecorationRole).isNull()


@pytest.fixture
def block(qtbot: QtBot) -> RunBlock:
    block = RunBlock()
    qtbot.addWidget(block)
    block.set_devices([("cpu", "CPU, 2 cores"), ("cuda:0", "NVIDIA")], "cuda:0")
    block.resize(320, 200)
    block.show()
    qtbot.waitExposed(block)
    return block


def run_button(block: RunBlock, verb: str) -> QPushButton:
    name = "start_button" if verb == "start" else f"run_{verb}"
    return block.findChild(QPushButton, name)  # type: ignore[return-value]


def test_start_wishes_a_run_on_the_chosen_device(block: RunBlock, qtbot: QtBot) -> None:
    with qtbot.waitSignal(block.wish) as heard:
        qtbot.mouseClick(run_button(block, "start"), Qt.MouseButton.LeftButton)
    assert heard.args == ["start"] and block.device() == "cuda:0"


def test_start_that_is_not_possible_says_why_beside_it(block: RunBlock) -> None:
    block.set_ready("Import slices first.")
    reason = block.findChild(StateLabel, "start_reason")
    assert not run_button(block, "start").isEnabled()
    assert reason.isVisible() and reason.text() == "Import slices first."
    block.set_ready("")
    assert run_button(block, "start").isEnabled() and not reason.isVisible()


def test_a_run_in_progress_shows_how_far_it_is_and_what_may_be_done(block: RunBlock, qtbot: QtBot) -> None:
    block.show_job(RUNNING)
    shown = {
        verb for verb in ("start", "pause", "resume", "stop", "cancel") if run_button(block, verb).isVisible()
    }
    assert shown == {"pause", "stop"}
    assert block.findChild(QProgressBar).value() == 620
    with qtbot.waitSignal(block.wish) as heard:
        qtbot.mouseClick(run_button(block, "pause"), Qt.MouseButton.LeftButton)
    assert heard.args == ["pause"]
    block.show_job(replace(RUNNING, state="paused", primary="resume", others=("stop", "cancel")))
    assert run_button(block, "resume").isVisible() and not run_button(block, "pause").isVisible()
    block.show_job(replace(RUNNING, state="done", primary="show", others=()))
    assert run_button(block, "start").isVisible()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "00:00"), (59.9, "00:59"), (192, "03:12"), (3792, "1:03:12")]
)
def test_durations_are_read_as_clocks(seconds: float, words: str) -> None:
    assert duration_text(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (999, "999 B"), (1_240_000_000, "1.2 GB"), (310e6, "310 MB")]
)
def test_memory_is_read_in_round_units(count: int, words: str) -> None:
    assert bytes_text(int(count)) == words
