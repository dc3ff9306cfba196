"""The status bar: what runs, whether it is saved or kept, which way is up, how much memory is used."""

from __future__ import annotations

from datetime import datetime

import psutil
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from app.document import OpenDocument
from render.frame import Frame
from widgets.job_rows import JobRow, bytes_text
from widgets.parts import with_role
from widgets.theme import active_theme

_LOOK_MS = 5000


class StatusLine(QStatusBar):
    """Shows; decides nothing. frame_wished: say which way is up and how long a unit is."""

    frame_wished = Signal()

    def __init__(self, document: OpenDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._saved_at: datetime | None = None
        self.setSizeGripEnabled(False)
        self.job = QLabel()
        self.job.setObjectName("status_job")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(active_theme().px(120))
        self.progress.setFixedHeight(active_theme().px(6))
        self.saved, self.memory = (with_role(QLabel(), "secondary") for _ in range(2))
        self.saved.setObjectName("status_saved")
        self.frame = QPushButton()
        self.frame.setObjectName("status_frame")
        self.frame.setProperty("chip", True)
        self.frame.setToolTip("Up axis and unit of the project: click to change them")
        self.frame.clicked.connect(self.frame_wished)
        self.memory.setToolTip("Memory that this window uses")
        for widget in (self.job, self.progress, self.saved, self.frame, self.memory):
            self.addPermanentWidget(widget)
        self.show_job(None)
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()
        self._look()
        document.saved.connect(self._note_saved)
        document.changed.connect(self.show_document)

    def show_job(self, row: JobRow | None) -> None:
        """The run under way: "Surface from slices 1: Training 1 240 of 1 500, 00:12 left"."""
        self.progress.setVisible(row is not None)
        self.job.setVisible(row is not None)
        if row is None:
            return
        parts = [f"{row.name}: {row.stage or row.state_words}"]
        if row.total:
            parts.append(f"{row.step:,} of {row.total:,}".replace(",", "\u202f"))
        if row.left:
            parts.append(row.left)
        self.job.setText("  ".join(parts))
        self.progress.setRange(0, 0 if row.fraction is None else 1000)
        self.progress.setValue(round(1000 * (row.fraction or 0)))

    def show_frame(self, frame: Frame) -> None:
        unit = "unit not set" if frame.unit == "unit" else frame.unit
        axes = f", {frame.patient_axes}" if frame.patient_axes else ""
        self.frame.setText(f"{frame.up[1]} {'up' if frame.up[0] == '+' else 'down'}, {unit}{axes}")

    def show_document(self) -> None:
        self.show_frame(self._document.project.frame)
        kept = self._document.kept_at
        self.saved.setToolTip("Unsaved work is kept for recovery by itself" if kept else "")
        if self._document.is_read_only:
            self.saved.setText("Read-only")
        elif self._document.is_dirty:
            self.saved.setText(f"Unsaved changes, kept {_ago(kept)}" if kept else "Unsaved changes")
        elif self._saved_at is not None:
            self.saved.setText(f"Saved {self._saved_at:%H:%M}")
        else:
            self.saved.setText("")

    def _note_saved(self) -> None:
        self._saved_at = datetime.now()
        self.show_document()

    def _look(self) -> None:
        """Bring up to date what changes by itself: the memory, and how long ago work was kept."""
        self.memory.setText(bytes_text(psutil.Process().memory_info().rss))
        if self._document.kept_at is not None:
            self.show_document()


def _ago(when: datetime) -> str:
    minutes = int((datetime.now() - when).total_seconds() // 60)
    return "just now" if minutes < 1 else f"{minutes} min ago" if minutes < 60 else f"at {when:%H:%M}"
