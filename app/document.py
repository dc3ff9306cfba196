"""The project that is open in the window: where it lies, whether it is saved, who else has it open."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal

from app import project_folder
from app.background import Background
from app.directories import state_directory
from app.manifest import Manifest, RunRecord
from app.preferences import remember_project
from app.project import Missing, Project, ProjectState
from app.project_folder import Document, Opened
from app.recovery import Recovery, discard_recovery, find_recovery, write_recovery


class OpenDocument(QObject):
    """Saving, opening and recovering of the one open project.

    Signals: changed after anything that the title or the status bar shows; opened with an Opened;
    locked with the path of a project that another program has open; recovery_found with a Recovery that
    goes on from the project just opened; saved; failed with the exception.
    """

    changed = Signal()
    opened = Signal(object)
    locked = Signal(object)
    recovery_found = Signal(object)
    saved = Signal()
    failed = Signal(object)

    def __init__(self, project: Project, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project = project
        self.path: Path | None = None
        self.is_read_only = False
        self.runs: tuple[RunRecord, ...] = ()
        self.session: dict[str, Any] = {}
        self._manifest = Manifest.new()
        self._background = background
        self._lock: QLockFile | None = None
        self._runs_changed = False
        self._autosaved_state: ProjectState | None = None
        self.autosave_timer = QTimer(self)
        self.autosave_timer.timeout.connect(self.autosave)
        project.state_changed.connect(self.changed)
        project.undo_stack.cleanChanged.connect(self.changed)

    @property
    def title(self) -> str:
        return self._manifest.title

    @property
    def is_dirty(self) -> bool:
        return self._runs_changed or not self.project.undo_stack.isClean()

    @property
    def folder(self) -> Path:
        """Where runs of this project go: its own folder, or a place of our own until it is first saved."""
        if self.path is not None and not self.is_read_only:
            return self.path.parent
        return state_directory() / "unsaved" / self._manifest.uuid

    def file_of(self, layer_id: str) -> Path | None:
        """The project's own file of a layer's data, once it was saved."""
        layer = self.project.layer(layer_id)
        if layer is None or isinstance(layer.data, Missing):
            return None
        return project_folder.stored_file(layer.data)

    def new(self, title: str = "Untitled") -> None:
        """Begin an empty project that lies nowhere yet."""
        self.release()
        self._become(Document(manifest=Manifest.new(title)), None, is_read_only=False)

    def open(self, path: Path, *, read_only: bool = False, take_over: bool = False) -> None:
        """Read a project in the background; one of the signals opened, locked and failed answers."""
        self._background.run(
            "open",
            lambda: project_folder.open_project(path),
            lambda opened: self._show(opened, read_only, take_over),
            self.failed.emit,
        )

    def recover(self, recovery: Recovery) -> None:
        """Put unsaved work in place of the project's last save; it stays unsaved until Save."""
        path = recovery.project_path
        if path != self.path:
            self.release()
            self._take_lock(path)
        self._become(recovery.open(), path, is_read_only=False)
        self._runs_changed = True
        self.changed.emit()

    def add_run(self, run: RunRecord) -> None:
        """Note a run of this project, or a new state of one."""
        others = tuple(r for r in self.runs if r.uuid != run.uuid)
        self.runs = (*others, run)
        self._runs_changed = True
        self.changed.emit()

    def save(self, path: Path | None = None) -> None:
        """Save in the background, at `path` for Save as; one of the signals saved and failed answers."""
        target, document = path or self.path, self._snapshot()
        assert target is not None, "a project is saved first with a path"
        work = self._save_work(target, document)
        self._background.run(
            "save", work, lambda d: self._mark_saved(target, document.state, d), self.failed.emit
        )

    def save_now(self, path: Path | None = None) -> None:
        """Save before returning. Raises ReconError when the disk refuses."""
        target, document = path or self.path, self._snapshot()
        assert target is not None, "a project is saved first with a path"
        self._mark_saved(target, document.state, self._save_work(target, document)())

    def autosave(self) -> None:
        """Keep unsaved work for recovery, when there is any that was not kept yet."""
        if not self.is_dirty or self.project.state is self._autosaved_state:
            return
        document, path = self._snapshot(), self.path

        def done(_: Recovery) -> None:
            self._autosaved_state = document.state
            self.changed.emit()

        self._background.run("autosave", lambda: write_recovery(document, path), done, self.failed.emit)

    def release(self) -> None:
        """Let go of the project: its lock, its recovery, and the runs of one that was never saved."""
        discard_recovery(self._manifest.uuid)
        if self.path is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    def _show(self, opened: Opened, read_only: bool, take_over: bool) -> None:
        if opened.path != self.path:
            self.release()
        read_only = read_only or opened.is_read_only
        if not read_only and not self._take_lock(opened.path, take_over):
            self.locked.emit(opened.path)
            return
        self._become(opened.document, opened.path, is_read_only=read_only)
        if not read_only and not opened.notes:
            project_folder.remove_unused_layer_files(opened.path)
        remember_project(self._manifest.uuid, self.title, opened.path)
        self.opened.emit(opened)
        self._offer_recovery()

    def _offer_recovery(self) -> None:
        recovery = find_recovery(self._manifest.uuid)
        if recovery is None:
            return
        if recovery.base_revision == self._manifest.revision:
            self.recovery_found.emit(recovery)
        else:
            discard_recovery(recovery.uuid)

    def _take_lock(self, path: Path | None, take_over: bool = False) -> bool:
        if path is None or (self._lock is not None and self.path == path):
            return True
        file = path.parent / ".lock"
        if take_over:
            file.unlink(missing_ok=True)
        lock = QLockFile(str(file))
        lock.setStaleLockTime(0)  # Only a lock whose program has ended is stale, however old it is.
        if not lock.tryLock(0) and lock.error() == QLockFile.LockError.LockFailedError:
            return False
        self._lock = lock
        return True

    def _become(self, document: Document, path: Path | None, *, is_read_only: bool) -> None:
        self.path, self.is_read_only = path, is_read_only
        self._manifest, self.runs = document.manifest, document.runs
        self.session = dict(document.session)
        self._runs_changed, self._autosaved_state = False, None
        self.project.spill_folder = self.folder / "undo"
        self.project.load(document.state, document.hidden)
        self.changed.emit()

    def _snapshot(self) -> Document:
        return Document(self.project.state, self.project.hidden, self.runs, self.session, self._manifest)

    def _save_work(self, target: Path, document: Document) -> Any:
        if self.path is not None and target == self.path:
            return lambda: project_folder.save(target, document)
        return lambda: project_folder.save_as(target, document, self.folder)

    def _mark_saved(self, target: Path, state: ProjectState, saved: Document) -> None:
        if target != self.path:
            self.release()
            self.path, self.is_read_only = target, False
            self._take_lock(target)
        self._manifest, self._runs_changed = saved.manifest, False
        discard_recovery(saved.manifest.uuid)
        if self.project.state is state:
            self.project.undo_stack.setClean()
        else:
            self.project.undo_stack.resetClean()  # Edited while it was saved.
        self.project.spill_folder = self.folder / "undo"
        remember_project(saved.manifest.uuid, saved.manifest.title, target)
        self.saved.emit()
        self.changed.emit()
