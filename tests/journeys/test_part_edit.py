"""A part of a real figure found by strokes, changed by words, compared, accepted, exported and opened again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QToolButton

from recon.romap.part_table import part_numbers
from tests.app.windows import open_files, press
from tests.journeys.edit_by_words import change_by_words
from tests.widgets.viewports import canvas_of, move
from widgets import viewport_camera as cameras


def settle_parts(qtbot, window) -> None:
    """Wait until everything that was asked for is found and shown."""
    QTest.qWait(5)
    qtbot.waitUntil(
        lambda: (
            not (
                window.parts.marking.is_finding
                or window.splats.edits.is_busy
                or window.splats.background.is_busy
            )
        ),
        timeout=120_000,
    )


def click_tool(window, name: str) -> None:
    button = window.findChild(QToolButton, name) or window.findChild(QPushButton, name)
    assert button is not None and button.isVisible() and button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def make_part(qtbot, window, name: str) -> None:
    """A new part with a name that is typed."""
    click_tool(window, "part_new")
    settle_parts(qtbot, window)
    editor = window.parts_panel.list.findChild(QLineEdit)
    assert editor is not None and editor.isVisible(), "the name can be typed at once"
    QTest.keyClicks(editor, name)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    settle_parts(qtbot, window)
    assert window.parts.current is not None and window.parts.current[2] == name


def draw(qtbot, window, points, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    """A stroke through places in the world, as they are seen now."""
    size = (window.viewport.width(), window.viewport.height())
    ends = cameras.project(window.viewport.camera, points, size)[:, :2]
    steps = np.concatenate([np.linspace(a, b, 12) for a, b in itertools.pairwise(ends)])
    path = [QPoint(round(x), round(y)) for x, y in steps]
    canvas = canvas_of(window.viewport)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, modifier, path[0])
    for place in path[1:]:
        move(canvas, place, Qt.MouseButton.LeftButton, modifier)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, modifier, path[-1])
    settle_parts(qtbot, window)


def across(means: np.ndarray, low: float, high: float) -> np.ndarray:
    """(2, 3) a line from left to right through the middle of a slab of a figure that stands along −Y."""
    slab = means[(means[:, 1] > low) & (means[:, 1] < high)]
    middle, half = np.median(slab, axis=0), 0.3 * np.ptp(np.quantile(slab[:, 0], [0.1, 0.9]))
    return middle + np.array([[-half, 0, 0], [half, 0, 0]])


def find_parts(qtbot, window, file) -> None:
    """Open the figure and find its head, jacket and trousers, each by a stroke from the front and one from behind; the
    jacket is chosen in the end."""
    open_files(qtbot, window, file)
    means = window.project.layers[0].data.means
    window.show_task("Parts")
    slabs = {"Head": (-3.0, -2.8), "Jacket": (-2.5, -1.9), "Trousers": (-1.3, -0.8)}
    for name, slab in slabs.items():
        make_part(qtbot, window, name)
        if not window.parts.marking.tool:
            click_tool(window, "mark_brush")
        for view in ("1", "Ctrl+1"):
            press(window, view)
            window.viewport.frame_all(animated=False)
            draw(qtbot, window, across(means, *slab))
    assert len(window.parts.marking.views) == 2
    found = part_numbers(window.project.layers[0].data)
    press(window, "Ctrl+Z")
    settle_parts(qtbot, window)
    assert not np.array_equal(part_numbers(window.project.layers[0].data), found), (
        "the stroke and what it found"
    )
    press(window, "Ctrl+Y")
    settle_parts(qtbot, window)
    assert np.array_equal(part_numbers(window.project.layers[0].data), found)
    QTest.keyClick(canvas_of(window.viewport), Qt.Key.Key_Escape)
    assert not window.parts.marking.tool
    window.parts.choose(next(part.number for part in window.parts.parts if part.title == "Jacket"))
    head, jacket, trousers = (means[found == part.number, 1] for part in window.parts.parts[:3])
    assert len(head) > 6000 and (head < -2.55).mean() > 0.98
    assert len(jacket) > 40_000 and ((jacket > -2.85) & (jacket < -1.3)).mean() > 0.98
    assert len(trousers) > 50_000 and (trousers > -1.8).mean() > 0.98


@pytest.mark.slow
def test_a_part_of_a_real_figure_is_found_changed_compared_accepted_exported_and_reopened(
    qtbot, window, shared_data, tmp_path
):
    find_parts(qtbot, window, shared_data / "splats" / "real" / "biker.compressed.ply")
    assert window.parts.current is not None and window.parts.current[2] == "Jacket"
    window.viewport.set_view("front", animated=False)
    window.viewport.frame_all(animated=False)
    change_by_words(qtbot, window, "dark red", tmp_path, tmp_path / "part_edit.png")
    assert (tmp_path / "part_edit.png").stat().st_size > 50_000
