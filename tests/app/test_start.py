"""What the program does before the first picture."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = (
    "cv2",
    "matplotlib",
    "numba",
    "open3d",
    "pandas",
    "pycolmap",
    "pyqtgraph",
    "pyvista",
    "scipy",
    "SimpleITK",
    "skimage",
    "torch",
    "transformers",
    "trimesh",
)
_SHOW = f"""
import sys
from PySide6.QtWidgets import QApplication
from app.main_window import MainWindow
app = QApplication([])
window = MainWindow()
window.show()
app.processEvents()
print(*[name for name in {HEAVY} if name in sys.modules])
window.may_close = True
window.close()
"""


def test_the_window_is_drawn_before_anything_heavy_is_imported(qtbot) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SHOW], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
