"""Has kernels compiled ahead: in a process of its own with the lowest priority, once on a machine and version."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QProcess, QProcessEnvironment, QTimer

import recon
from app.directories import state_directory
from app.manifest import app_version

if TYPE_CHECKING:
    from app.main_window import MainWindow

_CALM_SECONDS = 20.0  # after the start, or after the last look that found a run under way
_WORDS = "Preparing calculations in the background, once on this machine"
_LOG = logging.getLogger(__name__)


class Preparation(QObject):
    """Waits until the person has settled in, then starts `recon.prepare` where this version was not prepared yet.
    Meanwhile the status line says so; nothing of it outlives the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._process = QProcess(self)
        self._process.setProcessEnvironment(_environment())
        self._process.setStandardOutputFile(QProcess.nullDevice())
        self._process.setStandardErrorFile(QProcess.nullDevice())
        self._process.finished.connect(self._on_finished)
        self._place: Path | None = None
        self._calm = QTimer(self, singleShot=True, interval=round(1000 * _CALM_SECONDS))
        self._calm.timeout.connect(self.start_when_idle)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.close)

    @property
    def is_under_way(self) -> bool:
        return self._process.state() is not QProcess.ProcessState.NotRunning

    def begin(self) -> None:
        """Prepare soon, if that is needed."""
        if not is_prepared():
            self._calm.start()

    def start_when_idle(self) -> None:
        """Start now, or later where a run needs the machine."""
        if self._window.runs.current is not None:
            self._calm.start()
            return
        self._place = Path(tempfile.mkdtemp(prefix="isokiln-"))
        self._process.start(sys.executable, ["-m", "recon.prepare", str(self._place)])
        self._window.status_line.showMessage(_WORDS)

    def close(self) -> None:
        """End it, now: what it compiled so far is kept."""
        self._calm.stop()
        self._process.blockSignals(True)
        if self.is_under_way:
            self._process.kill()
            self._process.waitForFinished(3000)
        self._clear()

    def _on_finished(self, status: int, how: QProcess.ExitStatus) -> None:
        self._window.status_line.clearMessage()
        self._clear()
        if status == 0 and how is QProcess.ExitStatus.NormalExit:
            _stamp().write_text(_key(), encoding="utf-8")
        else:
            _LOG.warning("Calculations could not be prepared ahead: status %s", status)

    def _clear(self) -> None:
        """It clears up itself, unless it was killed."""
        if self._place is not None:
            shutil.rmtree(self._place, ignore_errors=True)


def is_prepared() -> bool:
    """Whether this version was prepared on this machine."""
    try:
        return _stamp().read_text(encoding="utf-8") == _key()
    except OSError:
        return False


def _stamp() -> Path:
    return state_directory() / "prepared"


def _key() -> str:
    """Another one where compiled code would be another: of the sources and of the compiler."""
    root = Path(recon.__file__).parents[1]
    sources = sorted(path for package in ("recon", "render") for path in (root / package).rglob("*.py"))
    times = "".join(str(path.stat().st_mtime_ns) for path in sources)
    compiler = f"{version('numba')} {sys.version_info[:2]}"
    return f"{app_version()} {compiler} {hashlib.blake2b(times.encode(), digest_size=8).hexdigest()}"


def _environment() -> QProcessEnvironment:
    """Ours, with the same import path."""
    environment = QProcessEnvironment.systemEnvironment()
    environment.insert("PYTHONPATH", os.pathsep.join(entry for entry in sys.path if entry))
    environment.insert("OMP_WAIT_POLICY", "PASSIVE")
    return environment
