"""What happened, in a file that outlives a crash: one a start, the last twenty kept."""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from app.directories import state_directory

KEEP = 20
logger = logging.getLogger("isokiln")
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_folder() -> Path:
    folder = state_directory() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def start_log(level: str = "info") -> Path:
    """Log to a new file: our messages, Qt's, and the stack of every thread when the process dies of a signal."""
    path = log_folder() / f"isokiln-{datetime.now():%Y%m%d-%H%M%S-%f}.log"
    file = path.open("w", encoding="utf-8")
    handler = logging.StreamHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.getLevelNamesMapping()[level.upper()])
    faulthandler.enable(file)
    qInstallMessageHandler(_take_qt_message)
    for old in sorted(log_folder().glob("isokiln-*.log"))[:-KEEP]:
        old.unlink(missing_ok=True)
    return path


def report_uncaught(show: Callable[[BaseException], None]) -> None:
    """Have exceptions that nobody caught logged and shown; the program keeps running."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, Exception):
            sys.__excepthook__(kind, error, trace)
            return
        logger.error("uncaught", exc_info=(kind, error, trace))
        show(error)

    sys.excepthook = hook
    # A thread has no window to show anything in; what it raises is logged.
    threading.excepthook = lambda args: logger.error("uncaught in a thread", exc_info=args.exc_value)


def _take_qt_message(kind: QtMsgType, context: QMessageLogContext, message: str | None) -> None:
    logger.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", message)
