"""Make the pictures of README: `xvfb-run -s "-screen 0 1600x1000x24" python -m tests.make_screenshot`.

The real window opens the bundled sample, runs it and is grabbed; nothing is painted over.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

OUTPUT = Path(__file__).parents[1] / "resources" / "screenshots"


def main(preset: str = "Balanced") -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["ISOKILN_HOME"] = home
        app = QApplication(["isokiln"])
        from app.main_window import MainWindow
        from app.preferences import Preferences

        window = MainWindow(Preferences(reduce_motion=True))
        window.show()
        window.files.open_sample("slices")
        _wait(app, lambda: bool(window.project.layers))
        window.method_panel.form.set_preset(preset)
        window.method_panel.start()
        _wait(app, lambda: window.runs.current is None and len(window.project.layers) > 1)
        window.scene.frame_all()
        window.slice_view.set_plane(5)
        _wait(app, lambda: False, seconds=2)
        OUTPUT.mkdir(parents=True, exist_ok=True)
        window.grab().save(str(OUTPUT / "window.png"))
        window.may_close = True
        window.close()


def _wait(app: QApplication, is_done: Callable[[], bool], seconds: float = 300) -> None:
    """Let the window live until something holds or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not is_done():
        app.processEvents()
        time.sleep(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
