"""The networks that make edits by words: where each lies on this machine, and whether it can be used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QFileDialog

from app.edit_engines import engines_of
from app.network_folders import NetworkProblem, editor_problem, load_folders, remember_folder
from recon.diffusion import PAINTERS
from recon.method import Method

if TYPE_CHECKING:
    from app.main_window import MainWindow


class EditNetworks(QObject):
    """Follows the field for a network's folder in the prompt box; what is chosen there is remembered by editor."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._box = window, window.edit_panel.prompt.settings
        self._folders = load_folders()
        self._box.engine_chosen.connect(self.check)
        self._box.network_chosen.connect(self._use)
        self._box.network_wished.connect(self._browse)
        window.installEventFilter(self)

    def offer(self, method: Method) -> None:
        """Offer who can make edits by a method."""
        self._box.set_engines(engines_of(method))
        self.check()

    def settings(self, method: Method, engine: str) -> dict[str, Any]:
        """The settings that name the folder of a network, where one was chosen."""
        folder = self._folders.get(engine, "")
        return (
            {"model": folder}
            if folder and engine in PAINTERS and "model" in method.settings.model_fields
            else {}
        )

    def take(self, engine: str, folder: str) -> None:
        """Use the network that made an earlier edit, where it is still there."""
        if engine in PAINTERS and Path(folder).is_absolute() and Path(folder).is_dir():
            self._folders[engine] = folder
        self.check()

    def check(self, _engine: str = "") -> None:
        """Say whether the network of the chosen engine is on this machine."""
        engine = self._box.chosen
        if engine is None or not engine.is_network:
            return
        folder = self._folders.get(engine.id, "")
        self._box.set_network(engine.id, folder, engine.problem, engine.command)

        def show(found: NetworkProblem | None) -> None:
            if found is not None:
                self._box.set_network(engine.id, folder, found.words, found.command)

        self._window.splats.look("network for edits", lambda: editor_problem(engine.id, folder), show)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A network may have been fetched while the person was elsewhere."""
        if (
            event.type() == QEvent.Type.WindowActivate
            and self._box.chosen is not None
            and self._box.chosen.problem
        ):
            self.check()
        return super().eventFilter(watched, event)

    def _use(self, folder: str) -> None:
        engine = self._box.chosen
        if engine is None:
            return
        path = str(Path(folder).expanduser().absolute()) if folder else ""
        self._folders[engine.id] = path
        remember_folder(engine.id, path)
        self.check()

    def _browse(self) -> None:
        engine = self._box.chosen
        before = "" if engine is None else self._folders.get(engine.id, "")
        folder = QFileDialog.getExistingDirectory(self._window, "Folder of the network", before)
        if folder:
            self._use(folder)
