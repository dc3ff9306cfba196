"""Brings the Gaussians of all layers onto the graphics card: small clouds at once, large ones piece by piece."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from widgets.splat_order import Sorter
from widgets.splat_shelf import Place, Shelf, Texels, pack
from widgets.viewport_splats_layer import SplatsLayer

if TYPE_CHECKING:
    from widgets.splat_painter import SplatPainter

_UPLOAD_SECONDS = 0.02  # of each picture while a large layer comes in


class Loading(QObject):
    """What is on its way: packed in the sorter's thread, then put into the painter's textures. more: another piece is
    ready to be put there."""

    more = Signal()

    def __init__(self, parent: QObject, sorter: Sorter) -> None:
        super().__init__(parent)
        self._sorter = sorter
        sorter.done.connect(self._on_packed)
        self.shelf = Shelf()
        self._packed: list[Texels] = []
        self._is_packing = self._is_laid_out_anew = False

    @property
    def is_complete(self) -> bool:
        """Whether the textures hold all Gaussians as their layers have them now."""
        return self.shelf.is_complete and not self._packed

    @property
    def num_waiting(self) -> int:
        """Pieces that are packed and not put yet."""
        return len(self._packed)

    def put(self, layers: Mapping[str, SplatsLayer]) -> None:
        """Have these layers and no others."""
        if self.shelf.put(layers):
            self._packed.clear()
            self._is_laid_out_anew = True

    def forget(self) -> None:
        """Have nothing; the textures are gone."""
        self._packed.clear()
        self.shelf = Shelf()

    def pack(self, at_once: bool) -> None:
        """Pack what is missing: all of it now, or piece after piece in the thread; marks always now."""
        for place in self.shelf.places.values():
            if ("marks", 0) in place.missing:
                self._pack_now(place, "marks", 0)
        while (piece := self.shelf.next_piece()) is not None and not self._is_packing:
            if not at_once:
                self._begin(*piece)
                return
            self._pack_now(*piece)

    def upload(self, painter: SplatPainter, at_once: bool) -> None:
        """Put pieces into the textures, as many as a picture has time for."""
        shelf = self.shelf
        if self._is_laid_out_anew or painter.num_rows != shelf.num_rows:
            painter.allocate(shelf.num_rows, shelf.band_stride)
            self._is_laid_out_anew = False
        deadline = time.perf_counter() + (math.inf if at_once else _UPLOAD_SECONDS)
        while self._packed and time.perf_counter() < deadline:
            for name, row, texels in self._packed.pop(0):
                painter.write(name, row, texels)

    def _pack_now(self, place: Place, part: str, start: int) -> None:
        self._keep(place, part, start, place.held[part], self._work(place, part, start))

    def _work(self, place: Place, part: str, start: int) -> Texels:
        return pack(place, part, start, self.shelf.band_stride)

    def _begin(self, place: Place, part: str, start: int) -> None:
        self._is_packing = True
        values = place.held[part]
        self._sorter.do(lambda: (place, part, start, values, self._work(place, part, start)))

    def _on_packed(self, packed: object) -> None:
        self._is_packing = False
        assert isinstance(packed, tuple)
        self._keep(*packed)
        self.pack(at_once=False)
        self.more.emit()

    def _keep(self, place: Place, part: str, start: int, values: tuple[Any, ...], texels: Texels) -> None:
        """Hold a piece for the textures, unless its layer has moved on since."""
        is_there = any(each is place for each in self.shelf.places.values())
        if is_there and place.held.get(part) is values and (part, start) in place.missing:
            del place.missing[part, start]
            self._packed.append(texels)
            if not place.missing:
                place.num_filled = len(place.cloud)
