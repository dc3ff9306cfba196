"""Exporting from the window: how far it is, and that its end leaves nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QProgressBar, QPushButton
from shiboken6 import isValid

from app.layers import new_layer
from recon import formats
from tests.synthetic import TORUS, mesh_of
from widgets.export_dialog import ExportDialog


class Brake:
    """Holds the writing before its second piece until it is let go."""

    def __init__(self, desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.let_go = threading.Event(), threading.Event()
        self._pieces, self._watch = 0, desk._watch
        monkeypatch.setattr(desk, "_watch", self._hold)

    def _hold(self, num_bytes: int) -> None:
        self._pieces += 1
        if self._pieces == 3:  # the first asks before anything is opened
            self.reached.set()
            assert self.let_go.wait(30)
        self._watch(num_bytes)


@pytest.fixture
def dialog(window, tmp_path: Path) -> ExportDialog:
    window.project.edit("Add", [new_layer("Torus", mesh_of(TORUS, 24))])
    dialog = window.exports.show([window.project.layers[0].id])
    dialog._path.setText(str(tmp_path / "out" / "torus.obj"))
    dialog._format.setCurrentIndex(dialog._format.findData("obj"))
    dialog._format.activated.emit(dialog._format.currentIndex())
    return dialog


def click(dialog: ExportDialog, name: str) -> None:
    button = dialog.findChild(QPushButton, name)
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("way", ["button", "escape", "cross"])
def test_a_cancelled_export_leaves_no_file_and_the_dialog_as_it_was(
    qtbot, window, dialog, tmp_path, monkeypatch, way
):  # T82
    brake = Brake(window.exports, monkeypatch)
    click(dialog, "export_accept")
    qtbot.waitUntil(brake.reached.is_set, timeout=20_000)
    progress = dialog.findChild(QProgressBar, "export_progress")
    qtbot.waitUntil(progress.isVisible)
    assert not dialog.findChild(QPushButton, "export_accept").isEnabled()
    assert len(list((tmp_path / "out").iterdir())) > 0, "it writes beside"
    {
        "button": lambda: click(dialog, "export_cancel"),
        "escape": lambda: QTest.keyClick(dialog, Qt.Key.Key_Escape),
        "cross": dialog.close,
    }[way]()
    assert dialog.isVisible(), "it stays until the writing has ended"
    with qtbot.waitSignal(window.exports.cancelled, timeout=20_000):
        brake.let_go.set()
    assert list((tmp_path / "out").iterdir()) == []
    assert dialog.isVisible() and not progress.isVisible()
    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        click(dialog, "export_accept")
    assert len(formats.read(tmp_path / "out" / "torus.obj").data.faces) == len(
        window.project.layers[0].data.faces
    )
    assert window.exports.dialog is None
    assert 0.5 < window.exports._num_bytes / window.exports._expected_bytes < 2, "progress tells the truth"
    qtbot.waitUntil(lambda: not isValid(dialog))


def test_a_second_export_takes_the_place_of_the_first_dialog(qtbot, window, dialog):
    again = window.exports.show([])
    assert again is window.exports.dialog and again is not dialog
    assert window.findChildren(ExportDialog) == [again] or not dialog.isVisible()
