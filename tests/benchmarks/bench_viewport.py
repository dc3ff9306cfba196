"""How the time of a picture grows with triangles: `xvfb-run -a python -m tests.benchmarks.bench_viewport`.

Times of a loaded machine mean little, so each is also printed as a ratio to the smallest mesh, and in
CPU-seconds of the process (software OpenGL draws on several threads).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from PySide6.QtWidgets import QApplication

from render.mesh import TriangleMesh
from widgets import viewport_camera as cameras
from widgets.viewport import Viewport


def bumpy_sphere(num_faces: int) -> TriangleMesh:
    """About num_faces triangles of much the same size."""
    n = round((num_faces / 4) ** 0.5)
    theta, phi = np.meshgrid(
        np.linspace(0.02, np.pi - 0.02, n), np.linspace(0, 2 * np.pi, 2 * n), indexing="ij"
    )
    radius = 1 + 0.05 * np.sin(9 * theta) * np.cos(8 * phi)
    vertices = np.stack(
        [radius * np.sin(theta) * np.cos(phi), radius * np.sin(theta) * np.sin(phi), radius * np.cos(theta)],
        -1,
    )
    row, column = np.meshgrid(np.arange(n - 1), np.arange(2 * n - 1), indexing="ij")
    here = (row * 2 * n + column).reshape(-1, 1)
    faces = np.concatenate([here + np.array([0, 2 * n, 2 * n + 1]), here + np.array([0, 2 * n + 1, 1])])
    return TriangleMesh(vertices.reshape(-1, 3), faces)


def times_of(action: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall and CPU milliseconds."""
    wall, cpu = [], []
    for _ in range(repeats):
        start, cpu_start = time.perf_counter(), time.process_time()
        action()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
    return median(wall) * 1e3, median(cpu) * 1e3


def measure(
    viewport: Viewport, mesh: TriangleMesh, app: QApplication, repeats: int
) -> dict[str, tuple[float, float]]:
    """Upload, a full picture at rest and a picture while the camera moves."""
    viewport.clear()
    result = {"upload": times_of(lambda: viewport.show_layer("mesh", mesh), 1)}
    viewport.frame_all(animated=False)
    canvas = viewport._canvas
    assert canvas is not None
    viewport.screenshot()

    def draw() -> None:
        canvas.request_render()
        canvas.repaint()

    def draw_full() -> None:
        viewport.camera = cameras.orbit(viewport.camera, 0.05, 0, (0, 0, 1))
        draw()

    def draw_moving() -> None:
        viewport._motion.navigation.orbit(6, 0)
        draw()

    result["full"] = times_of(draw_full, repeats)
    deadline = time.perf_counter() + 30
    proxies = viewport._detail._proxies._made.values()
    while not all(made.done() for _, made in proxies) and time.perf_counter() < deadline:
        app.processEvents()
    draw_moving()
    result["moving"] = times_of(draw_moving, repeats)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--faces", type=int, nargs="+", default=[20_000, 100_000, 1_000_000])
    options = parser.parse_args()
    app = QApplication([])
    viewport = Viewport(multi_samples=options.samples)
    viewport.resize(*(int(side) for side in options.size.split("x")))
    viewport.show()
    app.processEvents()
    print(f"{options.size}, {options.samples} samples a pixel at rest; median of {options.repeats}")
    print("triangles   what     wall ms  ratio   CPU ms  ratio")
    first: dict[str, tuple[float, float]] = {}
    for num_faces in options.faces:
        mesh = bumpy_sphere(num_faces)
        for what, (wall, cpu) in measure(viewport, mesh, app, options.repeats).items():
            base = first.setdefault(what, (wall, cpu))
            print(
                f"{len(mesh.faces):>9,}   {what:<7} {wall:8.0f} {wall / base[0]:6.1f} "
                f"{cpu:8.0f} {cpu / max(base[1], 1e-9):6.1f}"
            )
    viewport.close()


if __name__ == "__main__":
    main()
