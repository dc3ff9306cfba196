"""Before a project goes: what about the run that is active, and what about unsaved work?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from recon.errors import ReconError

if TYPE_CHECKING:
    from app.main_window import MainWindow


class Leaving:
    """Asks one question after the other, and goes on when all are answered; Cancel ends it."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def ask(self, go_on: Callable[[], None]) -> None:
        """Call `go_on` once nothing would be lost by it that the person wants to keep."""
        if self._window.runs.is_running:
            self._ask_about_run(lambda: self._ask_about_work(go_on))
        else:
            self._ask_about_work(go_on)

    def _ask_about_run(self, go_on: Callable[[], None]) -> None:
        runs, document = self._window.runs, self._window.document

        def stop() -> None:
            runs.forget_all()
            go_on()

        def keep() -> None:
            runs.keeps_running = True
            go_on()

        answers: list[tuple[str, Callable[[], None]]] = [("Stop and keep a checkpoint", stop)]
        if document.path is not None and runs.current is not None and runs.is_at_home(runs.current):
            answers.append(("Keep running in the background", keep))
        job = runs.current
        title = f"“{job.title}” is running" if job is not None else "A run is active"
        text = "It can be resumed from its checkpoint, when the project is opened again."
        self._window.shell.ask(title, text, [*answers, ("Cancel", lambda: None)], "warning")

    def _ask_about_work(self, go_on: Callable[[], None]) -> None:
        document = self._window.document
        if not document.is_dirty or (document.path is None and not document.project.layers):
            go_on()
            return
        title = f"Save the changes to “{document.title}”?"
        answers = [("Save", lambda: self._save_and(go_on)), ("Don’t save", go_on), ("Cancel", lambda: None)]
        self._window.shell.ask(title, "Changes that are not saved are lost.", answers, "warning")

    def _save_and(self, go_on: Callable[[], None]) -> None:
        document = self._window.document
        path = document.path
        if path is None or document.is_read_only:
            path = self._window.files.pick_project_path()
            if path is None:
                return
        try:
            document.save_now(path)
        except ReconError as error:
            self._window.shell.show_error(error)
            return
        go_on()
