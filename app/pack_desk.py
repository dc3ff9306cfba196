"""A project as one file, in the window: packed on wish, unpacked when one is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog

from app import project_pack
from app.directories import projects_directory
from app.project_pack import PACK_SUFFIX
from widgets.job_rows import bytes_text
from widgets.settings_form import SettingsForm

if TYPE_CHECKING:
    from app.main_window import MainWindow


class PackDesk(QObject):
    """packed: the path of the file."""

    packed = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._waiting: tuple[Path, bool] | None = None
        window.document.saved.connect(self._go_on)
        window.document.failed.connect(lambda _: self._give_up())

    def show(self) -> QDialog:
        """Ask what goes along, save, and pack."""
        small, large = self._sizes()

        class Packing(BaseModel):
            checkpoints: bool = Field(
                False,
                title="With checkpoints",
                description=f"Runs can then be resumed there. {large}".strip(),
                json_schema_extra={"basic": True},
            )

        return self._window.shell.ask_form(
            "dlg_pack",
            f"Pack project{small}",
            SettingsForm(Packing),
            "Pack…",
            lambda values: self._pack_to(bool(values["checkpoints"])),
        )

    def open(self, path: Path) -> None:
        """Ask where, unpack there in the background, and open the project."""
        files = self._window.files
        suggestion = projects_directory() / path.stem
        projects_directory().mkdir(parents=True, exist_ok=True)
        name, _ = files.pick_to_save(self._window, "Unpack project to", str(suggestion), "Folder (*)")
        if name:
            self._window.background.run(
                "unpack",
                lambda: project_pack.unpack(path, Path(name)),
                files.open_path,
                self._window.shell.show_error,
            )

    # Inner life

    def _sizes(self) -> tuple[str, str]:
        path = self._window.document.path
        if path is None:
            return "", ""
        small = project_pack.packed_size(path)
        large = project_pack.packed_size(path, with_checkpoints=True)
        return f", about {bytes_text(small)}", f"{bytes_text(large - small)} more."

    def _pack_to(self, with_checkpoints: bool) -> None:
        document, files = self._window.document, self._window.files
        suggestion = files.last_folder / f"{document.title}{PACK_SUFFIX}"
        name, _ = files.pick_to_save(
            self._window, "Pack project as", str(suggestion), f"Packed project (*{PACK_SUFFIX})"
        )
        if not name:
            return
        self._waiting = Path(name), with_checkpoints
        if document.path is not None and not document.is_dirty:
            self._go_on()
        else:
            files.save()

    def _go_on(self) -> None:
        """The project is saved: pack it, if that was waited for."""
        path = self._window.document.path
        if self._waiting is None or path is None:
            return
        (target, with_checkpoints), self._waiting = self._waiting, None
        self._window.background.run(
            "pack",
            lambda: project_pack.pack(path, target, with_checkpoints=with_checkpoints),
            self.packed.emit,
            self._window.shell.show_error,
        )

    def _give_up(self) -> None:
        self._waiting = None
