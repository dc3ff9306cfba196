"""Edited pictures in place of words: of a folder, or painted on views of the splats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from app.data_words import counted
from app.edit_target import EditTarget
from app.layers import Layer
from app.view_painting import PaintedPictures, ViewToPaint, views_to_paint
from render.cameras import limited_size
from render.gaussians import GaussianCloud
from render.images import PosedImages
from widgets.paint_canvas import PaintedView
from widgets.paint_dialog import PaintDialog
from widgets.viewport_camera import pinhole

if TYPE_CHECKING:
    from app.main_window import MainWindow

_LONGEST = 720  # pixels of a view to paint on
_KINDS = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class StylePicture:
    """A picture whose colours a scene is to get."""

    path: Path


Pictures = Path | PaintedPictures | StylePicture


class EditPictures(QObject):
    """The pictures that stand in place of words, for each layer. changed: there are others, or none."""

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._of_layers: dict[str, Pictures] = {}
        self._views: dict[tuple[str, int], tuple[list[PaintedView], PosedImages]] = {}  # that were painted on

    def of(self, layer: Layer) -> Pictures | None:
        """The pictures to use for a layer; None where words are used."""
        return self._of_layers.get(layer.id)

    def words(self, layer: Layer) -> str:
        """What there is, as in "3 painted views"; "" for none."""
        pictures = self.of(layer)
        if isinstance(pictures, PaintedPictures):
            return counted(len(pictures.pictures), "painted view")
        if isinstance(pictures, StylePicture):
            return f"colours of {pictures.path.name}"
        if pictures is None:
            return ""
        files = pictures.iterdir() if pictures.is_dir() else ()
        return (
            f"{counted(sum(x.suffix.lower() in _KINDS for x in files), 'edited picture')} in {pictures.name}"
        )

    def use(self, layer: Layer, pictures: Pictures | None) -> None:
        """Fit the part to these pictures; None takes words again."""
        if pictures is None:
            self._of_layers.pop(layer.id, None)
        else:
            self._of_layers[layer.id] = pictures
        self.changed.emit()

    def choose_folder(self, target: EditTarget) -> None:
        """Ask for a folder of pictures that were edited elsewhere."""
        folder = QFileDialog.getExistingDirectory(self._window, "Edited pictures, named as the views")
        if folder:
            self.use(target.layer, Path(folder))

    def choose_style(self, target: EditTarget) -> bool:
        """Ask for a picture whose colours the scene is to get; whether one was chosen."""
        kinds = " ".join(f"*{kind}" for kind in _KINDS)
        path, _ = QFileDialog.getOpenFileName(
            self._window, "A picture with the colours", "", f"Pictures ({kinds})"
        )
        if path:
            self.use(target.layer, StylePicture(Path(path)))
        return bool(path)

    def paint(self, target: EditTarget) -> None:
        """Open views of a part to paint on; they are drawn off the window's thread."""
        key = target.layer.id, target.part
        if isinstance(self.of(target.layer), PaintedPictures) and key in self._views:
            self._open(target, *self._views[key])  # Go on with the strokes that there are.
            return
        cloud, scene = target.layer.content, self.cameras()
        assert isinstance(cloud, GaussianCloud)
        viewport = self._window.viewport
        size = limited_size((viewport.width(), viewport.height()), _LONGEST)
        camera = pinhole(viewport.camera, size)

        def show(found: tuple[list[ViewToPaint], PosedImages] | None) -> None:
            if found is not None:
                views = [PaintedView(each.name, each.picture, each.mask) for each in found[0]]
                self._open(target, views, found[1])

        self._window.splats.look(
            "views to paint", lambda: views_to_paint(cloud, target.part, camera, scene), show
        )

    def cameras(self) -> Layer | None:
        """The project's cameras, if it has any."""
        layers = self._window.project.layers
        return next((layer for layer in layers if isinstance(layer.data, PosedImages)), None)

    def _open(self, target: EditTarget, views: list[PaintedView], cameras: PosedImages) -> None:
        dialog = PaintDialog(f"Paint {target.title.removeprefix('Part: ')}", views, self._window)

        def take(painted: list[PaintedView]) -> None:
            self._views[target.layer.id, target.part] = views, cameras
            self.use(target.layer, PaintedPictures({each.name: each.painted() for each in painted}, cameras))

        dialog.painted.connect(take)
        dialog.show()
