"""Calculations are prepared ahead, once, in a process that never outlives the window; whoever waits is told why."""

from dataclasses import replace

from PySide6.QtCore import QProcess

from app import preparation
from app.jobs import JobProgress
from app.preparation import Preparation, is_prepared
from tests.app.windows import open_window


def test_what_is_being_prepared_is_said_and_ends_with_the_window(qtbot):
    with open_window(qtbot) as window:
        ahead = Preparation(window)
        ahead.begin()
        assert ahead._calm.isActive() and not ahead.is_under_way, "not before the person has settled in"
        ahead.start_when_idle()
        assert ahead._process.waitForStarted(10_000) and ahead.is_under_way
        assert "background" in window.status_line.currentMessage()
        assert ahead._place is not None and ahead._place.is_dir()
        ahead.close()
        assert not ahead._place.exists(), "nothing is left behind"
        assert not ahead.is_under_way and not is_prepared(), "it goes on at the next start"


def test_a_machine_is_prepared_once_for_each_version(qtbot, monkeypatch):
    with open_window(qtbot) as window:
        ahead = Preparation(window)
        ahead._on_finished(1, QProcess.ExitStatus.NormalExit)
        assert not is_prepared()
        ahead._on_finished(0, QProcess.ExitStatus.NormalExit)
        assert is_prepared() and window.status_line.currentMessage() == ""
        ahead.begin()
        assert not ahead._calm.isActive()
        monkeypatch.setattr(preparation, "app_version", lambda: "another")
        assert not is_prepared()


def test_a_run_that_waits_for_it_says_so():
    progress = JobProgress("Editing views", 2, 8)
    assert progress.stage_words == "Editing views"
    assert replace(progress, is_preparing=True).stage_words == (
        "Editing views: preparing calculations, once on this machine"
    )
    assert JobProgress(is_preparing=True).stage_words == "Preparing calculations, once on this machine"
