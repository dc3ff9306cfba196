"""The second half of changing a part: said in words, looked at in every way, accepted, written and opened again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton, QWidget

from recon import formats
from recon.romap import BUILT_IN
from recon.romap.part_table import part_numbers
from render.gaussians import PARAMETERS, GaussianCloud
from tests.app.windows import press
from tests.widgets.viewports import canvas_of, drag

_CTRL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def change_by_words(qtbot, window, words: str, folder: Path, picture: Path | None = None) -> None:
    """Change the chosen part, compare, accept, undo and redo, export, save and open both again.

    picture: where to keep a picture of the window, parted before and after."""
    before = window.project.layers[0]
    number = window.parts.current[1]
    part = part_numbers(before.data) == number
    pending = _ask(qtbot, window, words)
    assert f"{int(part.sum()):,}".replace(",", "\u202f") in window.review_bar._figures.text()
    assert "outside the part 0" in window.review_bar._figures.text()
    assert BUILT_IN in window.review_bar._figures.text(), "what made it is told"
    assert_only_the_part_changed(before.data, pending.data, part)
    _compare(qtbot, window, picture)
    QTest.keyClick(window, Qt.Key.Key_Return, _CTRL | _SHIFT)
    assert window.scene.current.name == f"{before.name} v2" and not window.pending.has_pending
    press(window, "Ctrl+Z")
    assert window.pending.has_pending and window.review_bar.isVisible()
    press(window, "Ctrl+Y")
    version = window.scene.current
    assert version.data is pending.data and not window.project.is_visible(before.id)
    _export(qtbot, window, folder / "changed.ply", version.data, words)
    _reopen(qtbot, window, folder / "Figure", before.data, version)


def assert_only_the_part_changed(before: GaussianCloud, after: GaussianCloud, part: np.ndarray) -> None:
    """Every byte of every other Gaussian is as it was, and each one of the part has another colour."""
    for name in PARAMETERS:
        assert getattr(after, name)[~part].tobytes() == getattr(before, name)[~part].tobytes(), name
    assert (after.sh[part] != before.sh[part]).any(axis=(1, 2)).mean() > 0.99


def _ask(qtbot, window, words: str):
    window.show_task("Edit")
    QApplication.processEvents()
    box = window.edit_panel.prompt
    box.text.setFocus()
    QTest.keyClicks(box.text, words)
    qtbot.waitUntil(lambda: bool(box.words.words), timeout=5000)
    assert all(word.is_known for word in box.words.words)
    QTest.keyClick(box.text, Qt.Key.Key_Return, _CTRL)
    qtbot.waitUntil(lambda: window.pending.has_pending, timeout=120_000)
    return window.pending.pending


def _compare(qtbot, window, picture: Path | None) -> None:
    """Orbit with the line in the view, drag it, and see where the picture changed."""
    QTest.keyClick(window, Qt.Key.Key_Backslash)
    compare, canvas = window.review.compare, canvas_of(window.viewport)
    width, height = window.viewport.width(), window.viewport.height()
    pose = window.viewport.camera
    drag(canvas, QPoint(width // 4, height // 4), QPoint(width // 4 + 60, height // 4))
    assert window.viewport.camera != pose and compare.mode == "split", (
        "it stays parted while one looks around"
    )
    window.viewport.camera = pose
    drag(canvas, QPoint(width // 2, height // 2), QPoint(width // 2 + 30, height // 2))
    assert window.viewport.camera == pose and compare.line > 0, "the line was dragged"
    compare.line = 0.0
    compare.set_mode("split")
    if picture is not None:
        qtbot.waitUntil(lambda: window.viewport.splats.is_sharp, timeout=60_000)
        QApplication.processEvents()
        window.grab().save(str(picture))
    for mode in ("beside", "flicker", "difference"):
        QTest.mouseClick(window.findChild(QToolButton, f"review_mode_{mode}"), Qt.MouseButton.LeftButton)
        assert compare.mode == mode
    qtbot.waitUntil(lambda: compare.pictures.difference is not None, timeout=120_000)
    assert window.findChild(QWidget, "compare_legend").isVisible()
    changed = np.ptp(compare.pictures.difference.pixels.astype(int), axis=-1) > 20
    assert 0.001 < changed.mean() < 0.5, "only a part of the picture changed"
    QTest.keyClick(window, Qt.Key.Key_Backslash)
    QTest.keyClick(window, Qt.Key.Key_Backslash)
    assert compare.mode == "after"


def _export(qtbot, window, path: Path, made: GaussianCloud, words: str) -> None:
    press(window, "Ctrl+E")
    wish = replace(window.exports.dialog.wish(), format="splats", path=path, sidecar=True)
    with qtbot.waitSignal(window.exports.exported, timeout=60_000):
        window.exports.write(wish)
    written = formats.read(path).data
    assert len(written) == len(made) and np.array_equal(written.sh, made.sh)
    assert np.array_equal(written.extra["part"], made.extra["part"])
    assert any(words in line and "not AI" in line for line in written.comments), (
        "the file tells how it was made"
    )
    assert words in path.with_name("changed.export.json").read_text()


def _reopen(qtbot, window, folder: Path, before: GaussianCloud, version) -> None:
    """The project holds both versions, and the file opens as what was seen."""
    window.document.save_now(folder / f"{folder.name}.isokiln")
    window.document.new()
    with qtbot.waitSignal(window.document.opened, timeout=60_000):
        window.open_paths([folder])
    first, second = window.project.layers
    for name in PARAMETERS:
        assert getattr(first.data, name).tobytes() == getattr(before, name).tobytes()
        assert getattr(second.data, name).tobytes() == getattr(version.data, name).tobytes()
    assert [row.name for row in window.layer_list.rows() if not row.parent] == [second.name]
    assert window.project.is_visible(second.id) and not window.project.is_visible(first.id)
    assert [row.verdict for row in window.edit_panel.history.shown] == ["accepted"]
    assert (
        window.findChild(QPushButton, "version_compare").isEnabled()
        or not window.edit_panel.versions.isVisible()
    )
