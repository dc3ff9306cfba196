"""An edited scene as files: its views, a film, or the whole of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from PySide6.QtCore import QObject

from app.background import Background
from app.edited_scenes import edited_field
from recon.formats import native
from render.view_field import ViewField

if TYPE_CHECKING:
    from app.main_window import MainWindow


class SceneEditExport(QObject):
    """Asks what of an edited scene is wished, and writes it.

    has_exported: something was, since the project was opened."""

    def __init__(self, window: MainWindow, parent: QObject) -> None:
        super().__init__(parent)
        self._window = window
        self._background = Background(self)
        self.has_exported = False

    def ask(self) -> None:
        """Ask what of the edited scene is wished as files."""
        field = edited_field(self._window.project, self._window.scene.selected)
        if field is None:
            return
        self._window.shell.ask(
            "Export the edited scene",
            "The views as they are after the edit, a film along the camera path, or the whole scene for another day: "
            "the command line draws it from any cameras (isokiln render). Other programs take a mesh or splats, which "
            "are made of it first.",
            [
                ("Views…", lambda: self._ask_views(field)),
                ("Film…", self._window.paths.film_turntable),
                ("Scene file…", lambda: self._ask_field(field)),
                ("Mesh…", lambda: self._make_of(field, "field.mesh")),
                ("Splats…", lambda: self._make_of(field, "field.splats")),
                ("Cancel", lambda: None),
            ],
        )

    def write_views(self, field: ViewField, folder: Path) -> None:
        """Write every view as the edit has it, as PNG, in the background."""
        self._background.run(
            "export", lambda: _write_views(field, folder), self._on_exported, self._window.shell.show_error
        )

    def write_field(self, field: ViewField, path: Path) -> None:
        """Write the whole edited scene as one file, in the background."""

        def work() -> Path:
            native.write(path, field)
            return path

        self._background.run("export", work, self._on_exported, self._window.shell.show_error)

    def _make_of(self, field: ViewField, method: str) -> None:
        """Get ready to make something of the scene that the export dialog writes: one press of Start is left."""
        window = self._window
        layer = next(x for x in window.project.layers if x.data is field)
        window.scene.select([layer.id])
        window.method_panel.set_method(method)
        window.show_task("Task")
        window.shell.toast("Press Start. The result is a layer, which Export writes in any format.")

    def _ask_views(self, field: ViewField) -> None:
        name = self._window.files.pick_folder(
            self._window, "Folder for the views", str(self._window.files.last_folder)
        )
        if name:
            self.write_views(field, Path(name))

    def _ask_field(self, field: ViewField) -> None:
        files = self._window.files
        suggested = files.last_folder / f"{self._window.document.title}.npz"
        name, _ = files.pick_to_save(self._window, "Save the edited scene", str(suggested), "Scene (*.npz)")
        if name:
            self.write_field(field, Path(name).with_suffix(".npz"))

    def _on_exported(self, path: Path) -> None:
        self.has_exported = True
        self._window.files.last_folder = path.parent
        self._window.exports.exported.emit([path])
        self._window.steps.update()

    def forget(self) -> None:
        """Another project is open."""
        self.has_exported = False

    def close(self) -> None:
        """The window closes."""
        self._background.close()


def _write_views(field: ViewField, folder: Path) -> Path:
    """One PNG a view, named as its photo; returns the first. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{Path(name).stem}.png" for name in field.names]
    if len(set(paths)) < len(paths):
        paths = [folder / f"{i + 1:04d}.png" for i in range(len(paths))]
    for path, picture in zip(paths, field.pictures, strict=True):
        Image.fromarray(picture).save(path)
    return paths[0]
