"""Small pictures of images, decoded off the window's thread, those that are looked at first."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.background import Background
from app.image_places import images_of
from render.images import PosedImages
from render.scene_data import SceneData

Picture = NDArray[np.uint8]
_SIDE = 192  # pixels of the longer side
_BATCH = 6  # pictures decoded before others may push to the front
_MOST = 1000  # pictures that are decoded without anybody looking at them


class Thumbnails(QObject):
    """The thumbnails of one layer's images at a time.

    ready: {index: (H, W, 3) uint8} as they come. A picture that cannot be read has none; its layer tells why.
    """

    ready = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._source: SceneData | None = None
        self._shows_masks = False
        self._waiting: list[int] = []
        self._known: dict[int, Picture | None] = {}
        self._is_busy = False

    @property
    def pictures(self) -> dict[int, Picture]:
        """Those that are there."""
        return {index: picture for index, picture in self._known.items() if picture is not None}

    def set_source(self, data: SceneData | None) -> bool:
        """Work on these images; whether they are others than before."""
        images = images_of(data)
        is_same = images is images_of(self._source) and isinstance(data, PosedImages) == isinstance(
            self._source, PosedImages
        )
        self._source = data
        if is_same:
            return False
        self._waiting, self._known = [], {}
        return True

    def show_masks(self, on: bool) -> None:
        """Tint what masks leave out, from now on."""
        self._shows_masks = on
        self._waiting, self._known = [], {}

    def want(self, indices: Iterable[int]) -> None:
        """Decode these next."""
        new = [index for index in indices if index not in self._known]
        self._waiting = [*new, *(index for index in self._waiting if index not in set(new))]
        self._go_on()

    def want_all(self) -> None:
        """Decode the rest, too, when nothing else is wanted; of very many images only the first."""
        images = images_of(self._source)
        count = 0 if images is None or images.is_video else min(len(images), _MOST)
        known = set(self._known) | set(self._waiting)
        self._waiting += [index for index in range(count) if index not in known]
        self._go_on()

    def close(self) -> None:
        """Wait for the pictures under way, and make no more."""
        self._waiting = []
        self._background.close()

    def _go_on(self) -> None:
        if self._is_busy or not self._waiting or self._source is None:
            return
        batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
        source, masks, known = self._source, self._shows_masks, self._known
        self._is_busy = True

        def take(pictures: dict[int, Picture | None]) -> None:
            self._is_busy = False
            known.update(pictures)
            if known is self._known:  # still the same images
                self.ready.emit(
                    {index: picture for index, picture in pictures.items() if picture is not None}
                )
            self._go_on()

        self._background.run(
            "thumbnails",
            lambda: {index: _thumbnail(source, index, masks) for index in batch},
            take,
            lambda error: take(dict.fromkeys(batch)),
        )


def _thumbnail(source: SceneData, index: int, with_mask: bool) -> Picture | None:
    """A small picture; None where the file is not there or cannot be read: the layer's badge tells of that."""
    from render import image_files

    images = images_of(source)
    assert images is not None
    try:
        natural = image_files.image_size(images.path(index))
        scale = _SIDE / max(natural)
        size = (max(1, round(natural[0] * scale)), max(1, round(natural[1] * scale)))
        pixels = image_files.read_image(images, index, size)
        if with_mask:
            mask = image_files.read_mask(images, index, size)
            tint = np.array([196, 64, 48], np.float32)
            pixels = np.where(mask[..., None], pixels, (0.45 * pixels + 0.55 * tint)).astype(np.uint8)
        return pixels
    except (OSError, ValueError):
        return None
