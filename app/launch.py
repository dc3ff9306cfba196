"""What the command line asks of the window: forget settings, begin, open, import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from app.directories import config_directory, state_directory
from app.preferences import load_recent
from app.window_options import WindowOptions
from app.window_wiring import offer_abandoned_work

if TYPE_CHECKING:
    from app.main_window import MainWindow


def reset(options: WindowOptions) -> None:
    """Forget what the person asked to forget; preferences stay beside, as they may have been written by hand."""
    preferences = config_directory() / "preferences.json"
    if options.resets_settings and preferences.exists():
        preferences.replace(preferences.with_suffix(".json.old"))
    if options.resets_layout:
        (state_directory() / "window.ini").unlink(missing_ok=True)


def begin(window: MainWindow, options: WindowOptions) -> None:
    """Show what was asked for: a new project, the latest one, or files."""
    paths = [*options.paths, *(_latest() if options.latest else ())]
    if options.new:
        window.document.new(options.new)
        window.show_project()
    if paths:
        window.open_paths(paths)
    if options.imports:
        _import(window, options.imports, wait=bool(paths))
    if not (options.new or paths or options.imports or options.is_safe):
        offer_abandoned_work(window)


def _latest() -> list[Path]:
    """The newest project that is still there."""
    return [row.path for row in load_recent() if row.path.exists()][:1]


def _import(window: MainWindow, paths: tuple[Path, ...], *, wait: bool) -> None:
    """Add files to the project; where one is being opened, once it is."""
    if wait:
        once = Qt.ConnectionType.SingleShotConnection
        window.document.opened.connect(lambda _: window.files.read(paths), once)
    else:
        window.files.read(paths)
