"""What the status bar and the history say of the work: whether it is kept, and what it takes."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QLabel

from app.layers import new_layer
from tests.synthetic import TORUS, mesh_of
from widgets.job_rows import bytes_text


def test_it_says_how_long_ago_unsaved_work_was_kept(qtbot, window, tmp_path):
    line, document = window.status_line, window.document
    window.project.edit("Add", [new_layer("Torus", mesh_of(TORUS, 12))])
    assert line.saved.text() == "Unsaved changes"
    document.autosave()
    qtbot.waitUntil(lambda: line.saved.text() == "Unsaved changes, kept just now", timeout=10_000)
    document.kept_at -= timedelta(minutes=3)
    line._look()
    assert line.saved.text() == "Unsaved changes, kept 3 min ago"
    document.kept_at -= timedelta(hours=2)
    line._look()
    assert line.saved.text() == f"Unsaved changes, kept at {document.kept_at:%H:%M}"
    document.save_now(tmp_path / "Part" / "Part.isokiln")
    assert line.saved.text().startswith("Saved ") and line.saved.toolTip() == ""


def test_the_frame_chip_asks_for_up_axis_and_unit(qtbot, window):
    window.show_project()
    QTest.mouseClick(window.status_line.frame, Qt.MouseButton.LeftButton)
    dialog = window.findChild(QDialog, "dlg_frame")
    assert dialog is not None and dialog.isVisible()
    dialog.close()


def test_the_history_says_what_it_takes(qtbot, window):
    def words() -> list[str]:
        return [label.text() for label in window.history_view.findChildren(QLabel)]

    mesh = mesh_of(TORUS, 48)
    window.project.edit("Add", [new_layer("Torus", mesh)])
    assert "0 MB of 512 MB" in words() or "0 MB of 537 MB" in words()
    window.project.edit("Remove", [])
    assert window.project.undo_bytes == mesh.num_bytes > 1e5
    assert any(text.startswith(f"{bytes_text(mesh.num_bytes)} of") for text in words())
