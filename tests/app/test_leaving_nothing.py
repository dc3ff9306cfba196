"""What outlives a window: nothing."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import psutil
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
from vtkmodules.vtkCommonCore import vtkObjectBase

from app.layers import new_layer
from app.preferences import Preferences
from tests.app.windows import open_window
from tests.synthetic import TORUS, mesh_of, slices_of


@pytest.fixture
def only_what_is_new(qapp) -> Iterator[Callable[[], None]]:
    """Call it to leave all that there is out of what is counted and collected each time, and to make windows without
    the style sheet, which takes most of the time that one needs."""
    sheet: list[str] = []

    def begin() -> None:
        gc.collect()
        gc.freeze()
        sheet.append(qapp.styleSheet())
        qapp.setStyleSheet("")

    yield begin
    gc.unfreeze()
    qapp.setStyleSheet(sheet[0])


def living() -> Counter[str]:
    """How many VTK objects, timers and other Qt objects Python holds, by class."""
    gc.collect()
    # By type(): isinstance asks the thing itself, and torch has things that warn when they are asked.
    things = (thing for thing in gc.get_objects() if issubclass(type(thing), (vtkObjectBase, QObject)))
    return Counter(type(thing).__name__ for thing in things)


def use_a_window(qtbot, *, whole: bool = True) -> list[weakref.ref[object]]:
    """A life of a window; returns references to what must be gone after it. whole: with plots and a dialog, too."""
    with open_window(qtbot, Preferences(reduce_motion=True)) as window:
        window.resize(1024, 640)  # fewer pixels to draw
        window.show_project()
        mesh = replace(mesh_of(TORUS, 12))  # not the one that is kept for other tests
        window.project.edit("Add", [new_layer("Torus", mesh), new_layer("Slices", slices_of(TORUS, 4))])
        window.scene.frame_all()
        if whole:
            window.show_bottom("Plots")
            window.exports.show([]).close()
            QApplication.processEvents()
        assert window.viewport.screenshot().std() > 5
        gone = [weakref.ref(each) for each in (window, window.viewport, window.project, mesh)]
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    return gone


@pytest.mark.slow
def test_windows_open_and_close_and_leave_nothing(qtbot, only_what_is_new):  # T56
    use_a_window(qtbot)  # what Qt and VTK make once and keep
    only_what_is_new()
    before, threads = living(), threading.active_count()
    processes = {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)}
    for time in range(20):
        gone = use_a_window(qtbot, whole=time % 4 == 3)
        gc.collect()
        assert [reference() for reference in gone] == [None] * len(gone)
    more = living() - before
    assert not more, dict(more)
    assert threading.active_count() == threads
    assert {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)} <= processes
    assert [w for w in QApplication.topLevelWidgets() if w.objectName() == "main_window"] == []
    assert not [t for t in QApplication.instance().findChildren(QTimer) if t.isActive()]
