"""How live the view of Gaussian splats stays: `xvfb-run -a python -m tests.benchmarks.bench_splat_view [FILE …]`.

For each cloud, in a real window: what it takes until the first picture and until the complete one; pictures a second
while the camera is dragged, the longest time that the window did not answer then and while the picture sharpens; and
the memory of the process. Without files: synthetic clouds of --counts Gaussians with colours of degree 3.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from render.gaussians import GaussianCloud
from widgets.viewport import Viewport


def bumpy_ball(count: int, degree: int = 3, seed: int = 0) -> GaussianCloud:
    """Flat Gaussians on a bumpy sphere, as many as cover it about four times, with one in a hundred floating."""
    rng = np.random.default_rng(seed)
    out = rng.standard_normal((count, 3)).astype(np.float32)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    radius = 1 + 0.05 * np.sin(9 * out[:, 0]) * np.cos(8 * out[:, 1])
    radius[rng.random(count) < 0.01] *= 1.5
    size = np.log(np.sqrt(16 / count))
    scales = rng.normal(size, 0.3, (count, 3)).astype(np.float32)
    quats = rng.standard_normal((count, 4)).astype(np.float32)
    sh = rng.normal(0, 0.05, (count, (degree + 1) ** 2, 3)).astype(np.float32)
    sh[:, 0] = out * 1.2
    logits = rng.normal(1.0, 1.5, count).astype(np.float32)
    return GaussianCloud(out * radius[:, None], quats, scales, logits, sh)


class Watch:
    """Counts pictures, and measures the longest time between two turns of the window's loop."""

    def __init__(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self.pictures: list[float] = []
        self.cpu: list[float] = []
        self.longest, self._last, self._began = 0.0, time.perf_counter(), time.process_time()
        canvas = viewport._canvas
        assert canvas is not None
        canvas.rendered.connect(self._on_rendered)
        self._before = canvas.before_render
        canvas.before_render = self._on_begun
        self._timer = QTimer()
        self._timer.timeout.connect(self._turn)
        self._timer.start(2)

    def end(self) -> None:
        """Watch no more."""
        self._timer.stop()
        canvas = self._viewport._canvas
        assert canvas is not None
        canvas.rendered.disconnect(self._on_rendered)
        canvas.before_render = self._before

    def _on_begun(self) -> None:
        self._began = time.process_time()
        self._before()

    def _on_rendered(self, seconds: float) -> None:
        self.pictures.append(seconds)
        self.cpu.append(time.process_time() - self._began)

    def begin(self) -> None:
        self.pictures.clear()
        self.cpu.clear()
        self.longest, self._last = 0.0, time.perf_counter()

    def _turn(self) -> None:
        now = time.perf_counter()
        self.longest, self._last = max(self.longest, now - self._last), now


def wait_for_sharp(app: QApplication, viewport: Viewport, limit: float = 300) -> float:
    """Let the window turn until the complete picture is there; returns the seconds."""
    start = time.perf_counter()
    while not viewport.splats.is_sharp and time.perf_counter() - start < limit:
        app.processEvents()
        time.sleep(0.0005)
    return time.perf_counter() - start


def drag(app: QApplication, viewport: Viewport, seconds: float) -> None:
    """Turn the view with the left button held, as fast as a hand does, sixty moves a second."""
    canvas = viewport._canvas
    assert canvas is not None
    middle = QPointF(canvas.width() / 2, canvas.height() / 2)

    def send(kind: QEvent.Type, at: QPointF, button: Qt.MouseButton, buttons: Qt.MouseButton) -> None:
        no_key = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(canvas, QMouseEvent(kind, at, canvas.mapToGlobal(at), button, buttons, no_key))

    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    send(QEvent.Type.MouseButtonPress, middle, left, left)
    start = last = time.perf_counter()
    while (now := time.perf_counter()) - start < seconds:
        if now - last >= 1 / 60:
            last = now
            angle = 2 * np.pi * (now - start) / seconds
            at = middle + QPointF(QPoint(round(220 * np.sin(angle)), round(60 * np.sin(2 * angle))))
            send(QEvent.Type.MouseMove, at, none, left)
        app.processEvents()
        time.sleep(0.001)
    send(QEvent.Type.MouseButtonRelease, middle, left, none)


def memory() -> float:
    """MB of the process."""
    return float(psutil.Process().memory_info().rss / 1e6)


def measure(app: QApplication, viewport: Viewport, name: str, cloud: GaussianCloud, seconds: float) -> str:
    """Print one row; returns what drew."""
    watch = Watch(viewport)
    before = memory()
    start = time.perf_counter()
    viewport.show_layer("splats", cloud)
    viewport.frame_all(animated=False)
    while not watch.pictures:
        app.processEvents()
    first = time.perf_counter() - start
    loaded = wait_for_sharp(app, viewport)
    block_loading = watch.longest
    drag(app, viewport, 1.0)  # the pace is learnt
    watch.begin()
    drag(app, viewport, seconds)
    cpu = median(watch.cpu or [0.0])
    count, block, typical = len(watch.pictures), watch.longest, median(watch.pictures or [0.0])
    watch.begin()
    sharpened = wait_for_sharp(app, viewport)
    pace = viewport.splats.pace
    print(
        f"{name:<16} {len(cloud):>9,} {first:6.2f} {loaded:7.2f} {1e3 * block_loading:6.0f} | "
        f"{count / seconds:6.1f} {1e3 * typical:6.0f} {1e3 * cpu:6.0f} {1e3 * block:6.0f} "
        f"{pace.count:>8,} {pace.coarseness:>3} | {sharpened:6.2f} {1e3 * watch.longest:6.0f} | "
        f"{memory() - before:7.0f}"
    )
    renderer = viewport.splats.renderer_name
    viewport.clear()
    app.processEvents()
    watch.end()
    return renderer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--counts", type=int, nargs="*", default=[150_000, 1_000_000, 5_000_000])
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--samples", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    app = QApplication([])
    viewport = Viewport(multi_samples=options.samples)
    viewport.resize(*(int(side) for side in options.size.split("x")))
    viewport.show()
    app.processEvents()
    print(
        "                           first sharp  block | drag:  pict.   CPU          splats co- | rest:       | memory"
    )
    print(
        "cloud            Gaussians  s      s       ms |  /s      ms     ms  block ms drawn arse| s   block ms |   MB"
    )
    renderer = ""
    for path in options.files:
        from recon.formats import read

        cloud = read(path).data
        assert isinstance(cloud, GaussianCloud)
        renderer = measure(app, viewport, path.stem[:16], cloud, options.seconds)
    for count in options.counts if not options.files else []:
        renderer = measure(app, viewport, "ball", bumpy_ball(count), options.seconds)
    print(renderer)
    viewport.close()


if __name__ == "__main__":
    main()
