"""Images of the project in the window: the list, the frustums, the view through a camera, what is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from app.data_words import number, used_words
from app.image_places import are_lost
from app.layers import Layer, changed
from app.surface_words import image_tables
from app.thumbnails import Picture, Thumbnails
from render.images import ImageSet, PosedImages
from render.rendered_views import RenderedViews
from widgets.compare_canvas import ComparePicture
from widgets.image_strip import ImageRow

if TYPE_CHECKING:
    from app.main_window import MainWindow


class ImageDesk(QObject):
    """Keeps list, frustums and comparison on the same image of the same layer."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._layer_id = ""
        self._shown: tuple[object, ...] = ()
        self.thumbnails = Thumbnails(self)
        self.thumbnails.ready.connect(self._show_pictures)
        strip, view = window.image_strip, window.compare_view
        strip.pictures_wished.connect(self.thumbnails.want)
        strip.current_changed.connect(self._on_current)
        strip.use_wished.connect(self.use)
        strip.look_wished.connect(self.look_through)
        strip.masks_toggled.connect(self._show_masks)
        strip.open_wished.connect(self._show_file)
        window.image_figures.image_chosen.connect(self._choose_named)
        strip.import_wished.connect(window.files.import_folder)
        view.stepped.connect(self._step)
        view.closed.connect(self.leave_camera)
        window.viewport.images.picked.connect(self._on_frustum)
        window.project.state_changed.connect(self.refresh)
        window.scene.selection_changed.connect(self.refresh)

    # What is shown

    @property
    def layer(self) -> Layer | None:
        """The layer of images that the list shows."""
        return self._window.project.layer(self._layer_id)

    @property
    def posed(self) -> PosedImages | None:
        """Its data, where the cameras are known."""
        data = self.layer.data if self.layer is not None else None
        return data if isinstance(data, PosedImages) else None

    @property
    def current(self) -> int:
        """Index of the current image; -1 for none."""
        return self._window.image_strip.current

    @property
    def views(self) -> RenderedViews | None:
        """The newest rendering of these images."""
        names = set(self.posed.images.names) if self.posed is not None else set()
        data = (layer.data for layer in reversed(self._window.project.layers))
        return next((x for x in data if isinstance(x, RenderedViews) and names & set(x.names)), None)

    def refresh(self) -> None:
        """Follow the selection and every edit."""
        layer = self._wanted()
        self._layer_id = layer.id if layer is not None else ""
        data, views = layer.data if layer is not None else None, self.views
        if self._shown and self._shown[0] is data and self._shown[1] is views:
            return
        is_same_layer = bool(self._shown) and self._shown[2] == self._layer_id
        self._shown = (data, views, self._layer_id)
        images = data if isinstance(data, PosedImages | ImageSet) else None
        if self.thumbnails.set_source(images):
            self._window.image_strip.forget_pictures()
        self._window.image_strip.set_rows(_rows(images, views), _summary(images), _nothing(images))
        self._window.image_figures.set_tables(image_tables(self._figures(), views))
        self._show_pictures(self.thumbnails.pictures)
        if images is not None and not are_lost(images):
            self.thumbnails.want_all()
        if not is_same_layer:
            self._window.scene.set_active_image(self._layer_id, None)
        if not self._window.compare_view.isHidden():
            self._compare()

    # What a person wishes

    def use(self, images: Sequence[int], on: bool) -> None:
        """Let methods use images or leave them out, as one undo step."""
        layer, posed = self.layer, self.posed
        if layer is None or not images:
            return
        what = f"image {images[0] + 1}" if len(images) == 1 else f"{number(len(images))} images"
        text = f"{'Use' if on else 'Leave out'} {what}"
        layers = self._window.project.layers
        if posed is not None:
            disabled = np.array(posed.disabled)
            disabled[list(images)] = not on
            data: PosedImages | ImageSet = replace(posed, disabled=disabled)
        elif isinstance(layer.data, ImageSet) and len(images) < len(layer.data):
            data = layer.data.select(np.delete(np.arange(len(layer.data)), list(images)))
        else:
            return
        self._window.project.edit(text, changed(layers, layer.id, data=data))

    def toggle_use(self) -> None:
        """Leave out the selected images, or use them again."""
        self._window.image_strip.toggle_use()

    def look_through(self, image: int) -> None:
        """Look through the camera of an image and compare what there is of it."""
        posed = self.posed
        if posed is None or not 0 <= image < len(posed):
            return
        self._window.image_strip.set_current(image)
        self._window.scene.set_active_image(self._layer_id, image)
        if self._window.compare_view.isHidden():
            self._window.show_compare()
        self._window.viewport.look_through(posed.cameras, image)
        self._compare()
        self._window.conditions.update()

    def look_through_current(self) -> None:
        """Look through the current image's camera; the first one where none is current."""
        self.look_through(max(0, self.current))

    def leave_camera(self) -> None:
        """Close the comparison and look from where the view was before."""
        self._window.compare_view.hide()
        self._window.viewport.images.leave_camera()
        self._window.conditions.update()

    def next_image(self) -> None:
        self._step(1)

    def previous_image(self) -> None:
        self._step(-1)

    def close(self) -> None:
        """The window closes: decode nothing more."""
        self.thumbnails.close()

    # Inner life

    def _wanted(self) -> Layer | None:
        """The selected images, else those that were shown, else the newest with cameras, else any."""
        layers = self._window.project.layers
        offers = [*self._window.scene.selected, self.layer]
        offers += [x for x in reversed(layers) if isinstance(x.data, PosedImages)]
        offers += [x for x in reversed(layers) if isinstance(x.data, ImageSet)]
        return next((x for x in offers if x is not None and isinstance(x.data, PosedImages | ImageSet)), None)

    def _show_pictures(self, pictures: dict[int, Picture]) -> None:
        if pictures:
            self._window.image_strip.set_pictures(pictures)
            if self.posed is not None:
                self._window.viewport.images.set_pictures(self._layer_id, pictures)

    def _show_masks(self, on: bool) -> None:
        self.thumbnails.show_masks(on)
        self._window.image_strip.forget_pictures()
        self.thumbnails.want_all()

    def _figures(self) -> dict[str, Any]:
        """What the newest run on these images reports that tells of single images."""
        origins = (
            layer.origin for layer in reversed(self._window.project.layers) if layer.origin is not None
        )
        reports = (dict(origin.figures) for origin in origins if "alignment" in origin.figures)
        return next(reports, {})

    def _choose_named(self, name: str) -> None:
        names = self.posed.images.names if self.posed is not None else ()
        if name in names:
            self._window.image_strip.set_current(names.index(name))
            self._on_current(names.index(name))

    def _on_current(self, image: int) -> None:
        self._window.scene.set_active_image(self._layer_id, image)
        posed = self.posed
        if posed is not None and 0 <= image < len(posed):
            self._window.image_figures.set_current(posed.images.names[image])
        if not self._window.compare_view.isHidden():
            self.look_through(image)
        self._window.conditions.update()

    def _on_frustum(self, layer_id: str, image: int) -> None:
        self._window.scene.select([layer_id])
        self._window.show_bottom("Images")
        self._window.image_strip.set_current(image)
        self._on_current(image)

    def _step(self, by: int) -> None:
        self._window.image_strip.step(by)

    def _show_file(self, image: int) -> None:
        data = self.layer.data if self.layer is not None else None
        images = data.images if isinstance(data, PosedImages) else data
        if isinstance(images, ImageSet):
            self._window.files.show_folder(Path(images.path(image)).parent)

    def _compare(self) -> None:
        """Gather the pictures of the current image in the background, and show them."""
        from app import view_pictures

        posed, image, views = self.posed, self.current, self.views
        view = self._window.compare_view
        if posed is None or not 0 <= image < len(posed):
            view.show_image("", ())
            return
        title = posed.images.names[image].rpartition("/")[2]
        note = view_pictures.figures_of(posed.images.names[image], views)

        def show(pictures: list[ComparePicture]) -> None:
            view.show_image(title, pictures, note, "The image's file cannot be read.")

        self._window.background.run(
            "compare",
            lambda: view_pictures.pictures_of(posed, image, views),
            show,
            self._window.shell.show_error,
        )


def _rows(data: PosedImages | ImageSet | None, views: RenderedViews | None) -> list[ImageRow]:
    if data is None or (isinstance(data, ImageSet) and data.is_video):
        return []
    if isinstance(data, ImageSet):
        masks = data.mask_paths
        return [ImageRow(name, True, False, bool(masks[i])) for i, name in enumerate(data.names)]
    assert data.disabled is not None
    found = {} if views is None else {name: k for k, name in enumerate(views.names)}
    rows = []
    for i, name in enumerate(data.images.names):
        row = ImageRow(name, not data.disabled[i], True, bool(data.images.mask_paths[i]), note=_size(data, i))
        if name in found and views is not None:
            k = found[name]
            row = replace(row, psnr=float(views.psnr[k]), is_held_out=bool(views.is_held_out[k]))
        rows.append(row)
    return rows


def _size(data: PosedImages, image: int) -> str:
    width, height = data.cameras.size[image]
    return f"{width} × {height}"


def _summary(data: PosedImages | ImageSet | None) -> str:
    if isinstance(data, PosedImages):
        return used_words(data)
    return "" if data is None else f"{number(len(data))} without poses"


def _nothing(data: PosedImages | ImageSet | None) -> str:
    if isinstance(data, ImageSet) and data.is_video:
        return "A video: its frames are chosen when the poses are computed."
    return "No images yet. Import photos or a scene with poses."
