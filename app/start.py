"""Opening the window: a picture at once, the window as soon as what it needs is imported."""

from __future__ import annotations

import importlib
import threading

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QSplashScreen

from app.log_file import report_uncaught, start_log
from app.manifest import app_version
from app.one_window import OneWindow, hand_over
from app.window_options import WindowOptions
from widgets.icons import app_icon

_SPLASH_SIDE = 160
_FIRST_NEEDED = ("scipy.spatial.transform", "recon.mesh_edits", "skimage.measure")


def open_window(options: WindowOptions) -> int:
    """Open the window as asked, or raise the one that has the project; returns the process's exit status."""
    app = _make_application()
    if hand_over(options.paths, options.imports):
        return 0
    start_log(options.log_level)
    splash = _show_splash()
    # VTK takes a while to import; the splash is on the screen by then.
    from app.launch import begin, reset
    from app.main_window import MainWindow
    from app.preparation import Preparation

    reset(options)
    window = MainWindow(is_safe=options.is_safe)
    OneWindow(window)
    report_uncaught(window.shell.show_unexpected)
    window.show()
    splash.finish(window)
    begin(window, options)
    window.runs.queue.warm_up()
    if not options.is_safe:
        Preparation(window).begin()
    threading.Thread(target=_import_ahead, name="import ahead", daemon=True).start()
    return app.exec()


def _import_ahead() -> None:
    """Import what the first file or camera move needs, while the person looks at the start page."""
    for name in _FIRST_NEEDED:
        importlib.import_module(name)


def _make_application() -> QApplication:
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    QGuiApplication.setDesktopFileName("isokiln")
    app = QApplication(["isokiln"])
    app.setApplicationName("Isokiln")
    app.setApplicationVersion(app_version())
    app.setWindowIcon(app_icon())
    return app


def _show_splash() -> QSplashScreen:
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    picture = app_icon().pixmap(QSize(_SPLASH_SIDE, _SPLASH_SIDE), ratio)
    splash = QSplashScreen(picture)
    splash.show()
    QApplication.processEvents()
    return splash
