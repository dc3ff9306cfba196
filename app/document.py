"""The project that is open in the window: where it lies, whether it is saved, who else has it open."""

from __future__ import annotations

import os
import shutil
import uuid
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from PySide6.QtCore import QLockFile, QObject, QTimer, Signal
from PySide6.QtGui import QImage

from app import project_folder
from app.background import Background
from app.directories import state_directory
from app.layers import Missing, ProjectState
from app.manifest import Manifest, PromptRecord, RunRecord
from app.preferences import remember_project
from app.project import Project
from app.project_folder import Document, Opened
from app.project_lock import lock_holder, take_lock
from app.project_runs import copy_run
from app.recovery import Recovery, discard_recovery, find_recovery, write_recovery
from recon.errors import InputError


class OpenDocument(QObject):
    """Saving, opening and recovering of the one open project.

    Signals: changed after anything that the title or the status bar shows; begun when a new project took the place
    of another; opened with an Opened;
    locked with the path of a project that another program has open; recovery_found with a Recovery that
    goes on from the project just opened; saved; failed with the exception.
    """

    changed = Signal()
    begun = Signal()
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
        self.prompts: tuple[PromptRecord, ...] = ()
        self.session: dict[str, Any] = {}
        self.look: Callable[[], Mapping[str, Any]] = (
            dict  # how it is looked at, which is saved but is no change
        )
        self.keeps_work = True  # whether unsaved work is written to the disk by itself
        self._manifest = Manifest.new()
        self._background = background
        self._lock: QLockFile | None = None
        self._runs_changed = False
        self._autosaved_state: ProjectState | None = None
        self.kept_at: datetime | None = None  # when unsaved work was last kept for recovery
        self.project.spill_folder = _spill_folder()
        self.project.run_aside = background.run
        weakref.finalize(self, shutil.rmtree, self.project.spill_folder, ignore_errors=True)
        # The window sets both: whether a run of this project is under way, and what the project looks like.
        self.has_active_run: Callable[[], bool] = lambda: False
        self.take_picture: Callable[[], QImage | None] = lambda: None
        self.autosave_timer = QTimer(self)
        self.autosave_timer.timeout.connect(self.autosave)
        project.state_changed.connect(self.changed)
        project.undo_stack.cleanChanged.connect(self.changed)
        project.undo_stack.indexChanged.connect(self.changed)  # By now it knows what can be redone.

    @property
    def title(self) -> str:
        return self._manifest.title

    @property
    def uuid(self) -> str:
        return self._manifest.uuid

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
        if layer is None or isinstance(layer.data, Missing) or self.path is None:
            return None
        return project_folder.stored_file(layer.data, self.path.parent)

    def new(self, title: str = "Untitled") -> None:
        """Begin an empty project that lies nowhere yet."""
        self.release()
        self._become(Document(manifest=Manifest.new(title)), None, is_read_only=False)
        self.begun.emit()

    def open(self, path: Path, *, read_only: bool = False, take_over: bool = False) -> None:
        """Read a project in the background; one of the signals opened, locked and failed answers."""
        self._background.run(
            "open",
            lambda: project_folder.open_project(path),
            lambda opened: self._show(opened, read_only, take_over),
            self.failed.emit,
        )

    def open_copy(self, path: Path, target: Path) -> None:
        """Read a project that may be open elsewhere, and save it at `target` as one of its own."""

        def show(opened: Opened) -> None:
            self._show(opened, read_only=True, take_over=False)
            self.save(target)

        self._background.run("open", lambda: project_folder.open_project(path), show, self.failed.emit)

    def recover(self, recovery: Recovery) -> None:
        """Put unsaved work in place of the project's last save; it stays unsaved until Save."""
        document = recovery.open()
        path = recovery.project_path
        if self.path is not None and self._manifest.uuid == recovery.uuid:
            path = self.path  # Where it is open now, should it have been moved.
        is_read_only = not self._change_to(path)
        self._become(document, path, is_read_only=is_read_only)
        self._runs_changed = True
        self.changed.emit()

    def add_run(self, run: RunRecord) -> None:
        """Note a run of this project, or a new state of one."""
        others = tuple(r for r in self.runs if r.uuid != run.uuid)
        self.runs = (*others, run)
        self._runs_changed = True
        self.changed.emit()

    def set_prompts(self, prompts: tuple[PromptRecord, ...]) -> None:
        """Note what was asked for by words; it is saved with the project and is no undo step."""
        self.prompts = prompts
        self._runs_changed = True
        self.changed.emit()

    def keep(self, key: str, value: Any | None) -> None:
        """Note something of the session that is saved with the project and is no undo step; None forgets it."""
        if self.session.get(key) == value:
            return
        self.session[key] = value
        if value is None:
            del self.session[key]
        self._runs_changed = True
        self.changed.emit()

    def save(self, path: Path | None = None) -> None:
        """Save in the background, at `path` for Save as; one of the signals saved and failed answers."""
        target, document = path or self.path, self._snapshot()
        assert target is not None, "a project is saved first with a path"
        try:
            self._check_free(target)
        except InputError as error:
            self.failed.emit(error)
            return
        work = self._save_work(target, document)
        self._background.run(
            "save", work, lambda d: self._mark_saved(target, document.state, d), self.failed.emit
        )

    def save_now(self, path: Path | None = None) -> None:
        """Save before returning. Raises ReconError when the disk refuses."""
        target, document = path or self.path, self._snapshot()
        assert target is not None, "a project is saved first with a path"
        self._check_free(target)
        self._mark_saved(target, document.state, self._save_work(target, document)())

    def autosave(self) -> None:
        """Keep unsaved work for recovery, when there is any that was not kept yet."""
        if not self.keeps_work or not self.is_dirty or self.project.state is self._autosaved_state:
            return
        document, path = self._snapshot(), self.path

        def done(_: Recovery) -> None:
            self._autosaved_state, self.kept_at = document.state, datetime.now()
            self.changed.emit()

        self._background.run("autosave", lambda: write_recovery(document, path), done, self.failed.emit)

    def close(self) -> None:
        """Let go of the project for good; nothing is kept by itself any more."""
        self.autosave_timer.stop()
        self.keeps_work = False
        self.release()

    def release(self) -> None:
        """Let go of the project: its lock, its recovery, and the runs of one that was never saved."""
        discard_recovery(self._manifest.uuid)
        if self.path is None and not self.has_active_run():
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    def drop_unsaved(self, run: Path) -> None:
        """Remove the folder that a run had before the project was first saved; the project holds it now."""
        if run.is_relative_to(state_directory()):
            shutil.rmtree(run, ignore_errors=True)

    def bring_home(self, run: Path, on_done: Callable[[Path], None]) -> None:
        """Copy a run that was under way when the project was saved here into the project, in the background."""
        home = self.folder / "runs" / run.name

        def done(_: None) -> None:
            on_done(home)
            self.drop_unsaved(run)

        self._background.run(f"run {run.name}", lambda: copy_run(run, home), done, self.failed.emit)

    def _show(self, opened: Opened, read_only: bool, take_over: bool) -> None:
        read_only = read_only or opened.is_read_only or not os.access(opened.path.parent, os.W_OK)
        if not self._change_to(opened.path, read_only=read_only, take_over=take_over):
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

    def _change_to(self, path: Path | None, *, read_only: bool = False, take_over: bool = False) -> bool:
        """Let go of the open project for another, once that one is ours; False leaves all as it is."""
        if path is not None and path == self.path and (read_only or self._lock is not None):
            return True
        lock = None if path is None or read_only else take_lock(path.parent, take_over=take_over)
        if lock is None and path is not None and not read_only:
            return False
        if path != self.path:
            self.release()
        self._lock = lock
        return True

    def _become(self, document: Document, path: Path | None, *, is_read_only: bool) -> None:
        self.path, self.is_read_only = path, is_read_only
        self._manifest, self.runs = document.manifest, document.runs
        self.prompts = document.prompts
        self.session = dict(document.session)
        self._runs_changed, self._autosaved_state, self.kept_at = False, None, None
        self.project.load(document.state, document.hidden)
        shutil.rmtree(self.project.spill_folder or "", ignore_errors=True)
        self.changed.emit()

    def _snapshot(self) -> Document:
        session = {**self.session, **self.look()}
        return Document(
            self.project.state, self.project.hidden, self.runs, session, self._manifest, self.prompts
        )

    def _check_free(self, target: Path) -> None:
        """Raises InputError where another program has the project open that would be written over."""
        if target != self.path and lock_holder(target.parent) is not None:
            raise InputError(
                f"The project {target.stem} is open in another window.",
                "Choose another name, or close it there first.",
            )

    def _save_work(self, target: Path, document: Document) -> Any:
        picture = self.take_picture()
        # What a read-only project has run since lies elsewhere.
        old_folders = {self.folder, *([self.path.parent] if self.path is not None else [])}
        is_same = self.path is not None and target == self.path

        def work() -> Document:
            if is_same:
                saved = project_folder.save(target, document)
            else:
                saved = project_folder.save_as(target, document, old_folders)
            _write_picture(target.parent, picture)
            return saved

        return work

    def _mark_saved(self, target: Path, state: ProjectState, saved: Document) -> None:
        if target != self.path:
            self._change_to(target)
            self.path, self.is_read_only = target, False
        self._manifest, self._runs_changed, self.kept_at = saved.manifest, False, None
        discard_recovery(saved.manifest.uuid)
        if self.project.state is state:
            self.project.undo_stack.setClean()
        else:
            self.project.undo_stack.resetClean()  # Edited while it was saved.
        remember_project(saved.manifest.uuid, saved.manifest.title, target)
        self.saved.emit()
        self.changed.emit()


def _spill_folder() -> Path:
    """A place for what the undo stack of this program has no memory for; those of dead programs go."""
    root = state_directory() / "undo"
    for folder in root.iterdir() if root.is_dir() else ():
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
    return root / f"{os.getpid()}-{uuid.uuid4().hex}"


def _write_picture(folder: Path, picture: QImage | None) -> None:
    """Put the project's picture into its folder; for want of it nothing is lost but a picture in a list."""
    if picture is None:
        return
    beside = folder / f".{project_folder.PREVIEW}"
    if picture.save(str(beside)):
        beside.replace(folder / project_folder.PREVIEW)
