"""How long the window stands still while a million splats are selected, changed, undone, and saved.

    python -m tests.benchmarks.bench_splat_window [--count 1000000] [--degree 3]

For each edit: seconds until it is pushed (computed off the window's thread), and how long the window's thread was
busy at most between two turns of its events, in CPU-milliseconds without those of drawing: for the edit, its undo and
its redo. Needs a display; xvfb-run gives one.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.layers import new_layer
from app.main_window import MainWindow
from app.preferences import Preferences
from app.workflows import SPLATS
from render.gaussians import GaussianCloud
from widgets.gizmo import Motion, rotation_about
from widgets.selection_strokes import Stroke


def cloud_of(count: int, degree: int) -> GaussianCloud:
    """A ball of splats with all harmonics."""
    rng = np.random.default_rng(0)
    means = rng.standard_normal((count, 3)).astype(np.float32)
    quats = rng.standard_normal((count, 4)).astype(np.float32)
    log_scales = rng.normal(-5, 0.5, (count, 3)).astype(np.float32)
    sh = rng.normal(0, 0.2, (count, (degree + 1) ** 2, 3)).astype(np.float32)
    return GaussianCloud(means, quats, log_scales, rng.normal(1, 2, count).astype(np.float32), sh)


class Watch:
    """The most CPU time of the window's thread between two turns of the event loop, without drawing pictures."""

    def __init__(self, window: MainWindow) -> None:
        self._timer = QTimer(window)
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._tick)
        self._last = time.thread_time()
        self.longest = 0.0
        self._drawn = self._picture_begun = 0.0
        canvas = window.viewport._canvas
        if canvas is not None:
            before = canvas.before_render
            canvas.before_render = lambda: (self._begin_picture(), before())[1]
            canvas.rendered.connect(self._end_picture)
        self._timer.start()

    def _begin_picture(self) -> None:
        self._picture_begun = time.thread_time()

    def _end_picture(self, _: float) -> None:
        self._drawn += time.thread_time() - self._picture_begun

    def _tick(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._last - self._drawn)
        self._last, self._drawn = now, 0.0

    def during(self, act: Callable[[], object], is_done: Callable[[], bool]) -> tuple[float, float]:
        """Seconds until done, and the longest turn meanwhile."""
        turn(0.3)
        self._last, self.longest, self._drawn = time.thread_time(), 0.0, 0.0
        start = time.perf_counter()
        act()
        while not is_done():
            turn(0.01)  # Not in a busy loop, which would keep the interpreter from the other thread.
        seconds = time.perf_counter() - start
        turn(0.2)
        return seconds, self.longest


def turn(seconds: float) -> None:
    """Let events be answered for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--degree", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["ISOKILN_HOME"] = home
        app = QApplication([])
        window = MainWindow(Preferences(reduce_motion=True), multi_samples=0)
        window.resize(1440, 900)
        window.show()
        try:
            measure(window, options.count, options.degree, Path(home))
        finally:
            window.may_close = True
            window.close()
            app.processEvents()


def measure(window: MainWindow, count: int, degree: int, folder: Path) -> None:
    """Every edit in turn, each on what the one before left."""
    window.project.edit("Import", [new_layer("Ball", cloud_of(count, degree))])
    window.show_project()
    window.workflows.choose(SPLATS)
    window.scene.select([window.project.layers[0].id])
    turn(2.0)
    watch = Watch(window)
    width, height = window.viewport.width(), window.viewport.height()
    middle = np.array([[0.3 * width, 0.3 * height], [0.7 * width, 0.7 * height]])
    splats, tools = window.splats, window.splat_tools

    def idle() -> bool:
        return not splats.edits.is_busy and not window.background.is_busy

    print(f"{count:,} splats, SH degree {degree}: seconds until pushed; longest turn of edit, undo, redo")
    plain = {"hue": 0.0, "saturation": 1.0, "brightness": 1.0, "contrast": 1.0, "tint": "#ffffff", "strength": 0.0,
             "opacity": 1.0, "size": 1.0}  # fmt: skip
    turned = Motion(rotation_about(np.array([0.0, 0, 1]), 0.5), 1.0, np.array([0.1, 0, 0]), np.zeros(3))
    floaters = {"isolation": None, "min_opacity": 0.02, "max_size": None}
    edits: dict[str, Callable[[], object]] = {
        "rectangle": lambda: tools.select_stroke(Stroke("rectangle", middle), "set"),
        "brush": lambda: tools.select_stroke(Stroke("brush", middle, 24.0), "add"),
        "invert": splats.invert,
        "hide": splats.hide,
        "show all": splats.show_all,
        "select all": splats.select_all,
        "rectangle again": lambda: tools.select_stroke(Stroke("rectangle", middle), "set"),
        "recolour": lambda: window.splat_panels.apply("recolor", {**plain, "hue": 40.0}),
        "rotate": lambda: tools.moving.apply(turned),
        "clean (opacity)": lambda: window.splat_panels.apply("floaters", floaters),
        "delete": splats.delete,
        "grow (finds neighbours)": lambda: (splats.select_all(), splats.shrink()),
        "decimate to half": lambda: window.splat_panels.apply("decimate", {"target": count // 2}),
    }
    stack = window.project.undo_stack
    for name, act in edits.items():
        seconds, pause = watch.during(act, idle)
        _, undo = watch.during(stack.undo, idle)
        _, redo = watch.during(stack.redo, idle)
        print(f"  {name:24} {seconds:6.2f} s   {pause * 1e3:5.0f} {undo * 1e3:5.0f} {redo * 1e3:5.0f} ms   "
              f"undo holds {window.project.undo_bytes / 2**20:5.0f} MiB", flush=True)  # fmt: skip
    seconds, pause = watch.during(lambda: window.document.save(folder / "Ball" / "Ball.isokiln"), idle)
    print(f"  {'save':24} {seconds:6.2f} s   {pause * 1e3:5.0f} ms")


if __name__ == "__main__":
    main()
