"""The gallery of edited views: which edit it shows, looking at one beside its photo, keeping and leaving out by hand."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QObject

from app.background import Background
from app.edited_scenes import METHOD, photos_of
from app.layers import Layer
from app.scene_edit_words import consistency_words, view_of
from render.images import PosedImages
from widgets.compare_canvas import ComparePicture
from widgets.edited_views import EditedView, overruled

if TYPE_CHECKING:
    from app.main_window import MainWindow

_THUMBNAIL = 232  # pixels of the longer side
_LOG = logging.getLogger(__name__)


class EditGallery(QObject):
    """Fills the gallery with what a run left in its folder, and acts on what is wished there."""

    def __init__(self, window: MainWindow, parent: QObject) -> None:
        super().__init__(parent)
        self._window = window
        self._background = Background(self)
        self._shown: tuple[str, Path] | None = None  # layer and folder of the edit
        self._views: tuple[EditedView, ...] = ()
        self._decided: tuple[EditedView, ...] = ()  # as the run had them
        gallery = window.edited_views
        gallery.current_changed.connect(self.look_at)
        gallery.overruled.connect(self._overrule)
        gallery.forgotten.connect(lambda: self._show_views(self._decided))
        gallery.apply_wished.connect(self.apply_again)

    def refresh(self) -> None:
        """Show the views of the edit that waits, of the one that is selected, else of the newest."""
        layer = self._edit_shown()
        folder = None if layer is None else self._folder_of(layer)
        shown = None if layer is None or folder is None else (layer.id, folder)
        if shown == self._shown:
            return
        self._shown = shown
        self._window.edited_views.forget_pictures()
        self._decided = () if folder is None else tuple(_read_views(folder))
        self._show_views(self._decided)
        if folder is not None:
            self._background.run(
                "thumbnails",
                lambda: {i: _read(_file_of(folder, v.name), _THUMBNAIL) for i, v in enumerate(self._decided)},
                self._window.edited_views.set_pictures,
                lambda problem: _LOG.warning("Edited views cannot be shown: %s", problem),
            )

    def look_at(self, index: int) -> None:
        """Show an edited view beside its photo."""
        if self._shown is None or not 0 <= index < len(self._views):
            return
        folder, view, posed = self._shown[1], self._views[index], self._photos_of_shown()
        names = posed.images.names if posed is not None else ()
        place = names.index(view.name) if view.name in names else -1

        def pictures() -> list[ComparePicture]:
            from app.view_pictures import pictures_of

            edited = ComparePicture("Edited view", _read(_file_of(folder, view.name)))
            photos = [] if posed is None or place < 0 else pictures_of(posed, place, None)[:1]
            return [*photos, edited]

        def show(found: list[ComparePicture]) -> None:
            if self._window.compare_view.isHidden():
                self._window.show_compare()
            self._window.compare_view.show_image(view.name.rpartition("/")[2], found, view.row().note)

        self._background.run("look", pictures, show, self._window.shell.show_error)

    def apply_again(self) -> None:
        """Make the edit again with the views that a person kept and left out."""
        layer = None if self._shown is None else self._window.project.layer(self._shown[0])
        if layer is None or layer.origin is None or self._shown is None:
            return
        origin = layer.origin
        by_hand = [view for view in self._views if view.is_overruled]
        settings = {
            **origin.settings,
            "keep": [view.name for view in by_hand if view.is_kept],
            "drop": [view.name for view in by_hand if not view.is_kept],
            "reuse": str(self._shown[1].absolute()) if (self._shown[1] / "work.json").exists() else "",
        }
        record = next((run for run in self._window.document.runs if run.uuid == origin.run), None)
        job = self._window.runs.job(origin.run)
        if record is None or job is None:
            self._window.shell.toast(
                "The run that made this edit is gone: make it again from its words.", "warning"
            )
            return
        inputs = dict(zip(job.folder.manifest.inputs, record.inputs, strict=False))
        method = next(each for each in self._window.methods if each.id == METHOD)
        self._window.edits.start(method, settings, inputs, origin.seed, layer.name, "Whole scene")

    def close(self) -> None:
        """The window closes."""
        self._background.close()

    # Inner life

    def _overrule(self, which: Sequence[int], keeps: bool) -> None:
        self._show_views(tuple(overruled(self._views, which, keeps)))

    def _show_views(self, views: tuple[EditedView, ...]) -> None:
        self._views = views
        layer = None if self._shown is None else self._window.project.layer(self._shown[0])
        figures = {} if layer is None or layer.origin is None else layer.origin.figures
        self._window.edited_views.set_views(views, consistency_words(figures), self._decided)

    def _folder_of(self, layer: Layer) -> Path | None:
        """Where the run of an edit left its files, if they are there."""
        if layer.origin is None or layer.origin.method != METHOD:
            return None
        folder = self._window.document.folder / "runs" / layer.origin.run / "files"
        job = self._window.runs.job(layer.origin.run)
        places = [folder] if job is None else [folder, Path(job.folder.path) / "files"]
        return next((place for place in places if (place / "views.json").exists()), None)

    def _edit_shown(self) -> Layer | None:
        pending = self._window.pending.pending
        edits = [x for x in self._window.project.layers if x.origin is not None and x.origin.method == METHOD]
        offers = [pending, *self._window.scene.selected, *reversed(edits)]
        return next((x for x in offers if x is not None and x in edits), None)

    def _photos_of_shown(self) -> PosedImages | None:
        layer = None if self._shown is None else self._window.project.layer(self._shown[0])
        photos = None if layer is None else photos_of(self._window.project, layer)
        return photos.data if photos is not None and isinstance(photos.data, PosedImages) else None


def _read_views(folder: Path) -> list[EditedView]:
    try:
        rows = json.loads((folder / "views.json").read_text(encoding="utf-8"))
        return [view_of(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        _LOG.warning("The scores of edited views cannot be read: %s", problem)
        return []


def _file_of(folder: Path, name: str) -> Path:
    rows: Sequence[Mapping[str, Any]] = json.loads((folder / "views.json").read_text(encoding="utf-8"))
    return folder / next(str(row["file"]) for row in rows if row["name"] == name)


def _read(path: Path, longest: int = 0) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        if longest:
            picture.thumbnail((longest, longest))
        return np.asarray(picture.convert("RGB"))
