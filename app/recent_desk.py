"""The projects of the start page: what was open lately, how it looks, and whether it is still there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from app.preferences import forget_project, load_recent
from app.project_folder import PREVIEW
from widgets.recent_list import RecentProject
from widgets.start_page import StartPage


class RecentDesk(QObject):
    """Fills the list. Paths may lie on a drive that does not answer, so a thread of its own looks at them."""

    _looked = Signal(object)

    def __init__(self, page: StartPage, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._page = page
        self._shown: tuple[RecentProject, ...] = ()
        self._looked.connect(self._take, Qt.ConnectionType.QueuedConnection)
        page.recent_removed.connect(lambda path: self.forget(Path(path)))

    def show(self) -> None:
        """List the projects that were open lately; pictures, and which are missing, follow."""
        self._list(
            [
                RecentProject(str(row.path), row.title, str(row.path.parent.parent), _date_words(row.opened))
                for row in load_recent()
            ]
        )
        threading.Thread(target=self._look, args=(self._shown,), daemon=True, name="recent projects").start()

    def forget(self, path: Path) -> None:
        """Take a project off the list; the project itself stays."""
        forget_project(path)
        self.show()

    def _list(self, projects: Sequence[RecentProject]) -> None:
        self._shown = tuple(projects)
        self._page.set_recent(self._shown)

    def _look(self, projects: Sequence[RecentProject]) -> None:
        found = [_seen(project) for project in projects]
        try:
            self._looked.emit((projects, found))
        except RuntimeError:
            return  # The window is gone.

    def _take(self, answer: tuple[Sequence[RecentProject], Sequence[RecentProject]]) -> None:
        asked, found = answer
        if asked == self._shown and found != list(asked):  # Else the list has changed meanwhile.
            self._list(found)


def _seen(project: RecentProject) -> RecentProject:
    """The project with what a look at the disk tells of it."""
    path = Path(project.path)
    picture = path.parent / PREVIEW
    thumbnail = str(picture) if picture.is_file() else ""
    return replace(project, is_missing=not path.exists(), thumbnail=thumbnail)


def _date_words(when: datetime) -> str:
    local, today = when.astimezone(), datetime.now().astimezone().date()
    return f"Today {local:%H:%M}" if local.date() == today else f"{local:%d %b %Y}"
