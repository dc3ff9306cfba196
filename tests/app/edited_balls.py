"""Two balls of splats, two parts of one layer, to edit by words in a window."""

from __future__ import annotations

import hashlib

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from app.layers import new_layer
from app.workflows import SPLATS
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0
from tests.app.windows import begin_anew, sheets

CTRL = Qt.KeyboardModifier.ControlModifier


COUNT = 200  # of each of the two parts


def two_balls() -> GaussianCloud:
    """Part 1 “hat” at the left and part 2 “coat” at the right, both grey."""
    rng = np.random.default_rng(0)
    means = rng.uniform(-0.4, 0.4, (2 * COUNT, 3))
    means[:, 0] += np.repeat([-1.0, 1.0], COUNT)
    sh = np.full((2 * COUNT, 1, 3), (0.5 - 0.5) / SH_C0) + rng.normal(0, 0.1, (2 * COUNT, 1, 1))
    return GaussianCloud(
        means, np.tile([1.0, 0, 0, 0], (2 * COUNT, 1)), np.full((2 * COUNT, 3), np.log(0.09)),
        np.full(2 * COUNT, 4.0), sh, {"part": np.repeat([1, 2], COUNT).astype(np.int32)},
        ("part 1 hat", "part 2 coat"),
    )  # fmt: skip


def without_wishes(window):
    """The window with an empty project and an empty prompt box."""
    begin_anew(window)
    window.edit_panel.prompt.set_text("")
    window.edit_panel.prompt.strength.setValue(100)
    window.edit_panel.prompt.seed.setValue(0)
    return window


def begin(qtbot, window, part: int = 1):
    """The two balls open, seen from the front, a part chosen and the prompt box in front."""
    layer = new_layer("Balls", two_balls())
    window.project.edit("Import", [layer])
    window.show_project()
    window.workflows.choose(SPLATS)
    window.scene.select([layer.id])
    window.parts.choose(part)
    window.viewport.set_view("front", animated=False)
    window.viewport.frame_all(animated=False)
    window.show_task("Edit")
    QApplication.processEvents()
    return layer


def ask(qtbot, window, words: str):
    """Type words and press Ctrl+Enter; returns what waits then."""
    before = window.pending.pending
    text = window.edit_panel.prompt.text
    text.setFocus()
    text.selectAll()
    QTest.keyClicks(text, words)
    QTest.keyClick(text, Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(
        lambda: window.pending.pending not in (None, before) or bool(sheets(window)), timeout=60_000
    )
    assert window.pending.pending not in (None, before), [x.accessibleName() for x in sheets(window)]
    return window.pending.pending


def click(window, name: str, kind: type[QWidget] = QPushButton) -> None:
    button = window.findChild(kind, name)
    assert button.isVisible() and button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def digest(cloud: GaussianCloud) -> str:
    """Of every byte that a cloud holds."""
    found = hashlib.sha256()
    for name, array in sorted(cloud.arrays()):
        found.update(name.encode() + str(array.dtype).encode() + array.tobytes())
    return found.hexdigest() + "|".join(cloud.comments)


def seen(window) -> np.ndarray:
    """The picture, once all panels have the room they asked for."""
    QApplication.processEvents()
    return window.viewport.screenshot().astype(int)


def both(window) -> tuple[np.ndarray, np.ndarray]:
    """What was before and what is after, in the view as it is while an edit waits."""
    window.review.set_mode("before")
    before = seen(window)
    window.review.set_mode("after")
    return before, seen(window)
