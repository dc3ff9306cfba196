"""The window and the project folder: `xvfb-run python -m tests.benchmarks.bench_program`.

Prints CPU-seconds, and ratios to writing the same bytes plainly, so that a busy machine changes little.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from app import project_folder
from app.layers import ProjectState, new_layer
from app.manifest import Manifest
from app.project_folder import Document
from render.mesh import TriangleMesh

_START = """
import time, sys
from app.main_window import MainWindow
from PySide6.QtWidgets import QApplication
app = QApplication([])
window = MainWindow()
window.show()
app.processEvents()
print(time.process_time())
window.may_close = True
window.close()
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ISOKILN_HOME"] = f"{folder}/home"
        _window_start()
        _project(Path(folder))
        _command_line()


def _window_start() -> None:
    root = Path(__file__).parents[2]
    seconds = sorted(
        float(
            subprocess.run([sys.executable, "-c", _START], cwd=root, capture_output=True, check=True).stdout
        )
        for _ in range(3)
    )
    print(f"window, from the start of Python to the first picture  {seconds[1]:6.2f} CPU-s (of {seconds})")


def _project(folder: Path) -> None:
    mesh = _sheet(1_000_000)
    document = Document(ProjectState((new_layer("Sheet", mesh),)), manifest=Manifest.new())
    path = folder / "P" / "P.isokiln"
    plain = _seconds(lambda: (folder / "plain").write_bytes(mesh.vertices.tobytes() + mesh.faces.tobytes()))
    first = _seconds(lambda: project_folder.save(path, document))
    again = _seconds(lambda: project_folder.save(path, document))
    opened = _seconds(lambda: project_folder.open_project(path))
    megabytes = mesh.num_bytes / 1e6
    print(f"project with {len(mesh.faces):,} faces, {megabytes:.0f} MB")
    for name, seconds in (("first save", first), ("save again", again), ("open", opened)):
        print(f"  {name:12} {seconds:6.3f} CPU-s, {seconds / plain:6.1f} times a plain write of the bytes")


def _command_line() -> None:
    for words in (["--help"], ["methods"]):
        seconds = _child_seconds([sys.executable, "-m", "app", *words])
        bare = _child_seconds([sys.executable, "-c", "pass"])
        print(f"isokiln {words[0]:8} {seconds:6.2f} CPU-s, {seconds / bare:5.1f} times an empty Python")


def _child_seconds(command: list[str]) -> float:
    before = os.times()
    subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _sheet(num_faces: int) -> TriangleMesh:
    """A wavy sheet of about that many triangles."""
    n = int(np.sqrt(num_faces / 2)) + 1
    x, y = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n), indexing="ij")
    vertices = np.stack([x, y, 0.2 * np.sin(9 * x) * np.cos(7 * y)], axis=-1).reshape(-1, 3)
    corner = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).reshape(-1)
    faces = np.concatenate(
        [np.stack([corner, corner + n, corner + 1], 1), np.stack([corner + 1, corner + n, corner + n + 1], 1)]
    )
    return TriangleMesh(vertices, faces)


if __name__ == "__main__":
    main()
