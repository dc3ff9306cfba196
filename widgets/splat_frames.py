"""Pictures of splats in time: at once while the camera moves, complete and in strokes when it rests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from widgets.splat_camera import Area, SplatCamera, SplatLook
from widgets.splat_orders import Order, Orders
from widgets.splat_pace import Pace

if TYPE_CHECKING:
    from widgets.splat_painter import SplatPainter


class Key(NamedTuple):
    """What makes one complete picture another one."""

    camera: tuple[object, ...]
    look: tuple[object, ...]
    content: tuple[object, ...]
    around: tuple[object, ...]

    @property
    def subject(self) -> tuple[object, ...]:
        """Equal for views of the same splats in the same colours: a picture of one may stand in for the other."""
        return self[:3]


@dataclass(frozen=True, eq=False)
class View:
    """What a picture is made of and for.

    onto: VTK's framebuffer. depth: VTK's texture of depths, None where nothing but splats is. content: which splats are
    seen. around: whatever else makes another picture. area: where splats are seen when they are as large as they are,
    or grown.
    """

    camera: SplatCamera
    look: SplatLook
    onto: Any
    depth: Any | None
    content: tuple[object, ...]
    around: tuple[object, ...]
    area: Callable[[bool], Area | None]

    @property
    def key(self) -> Key:
        """Equal for views whose complete pictures are the same."""
        return Key(self.camera.key, self.look.key, self.content, self.around)


@dataclass(frozen=True, eq=False)
class _Begun:
    """A complete picture in the making. num_drawn: Gaussians that are in it."""

    key: Key
    camera: SplatCamera
    look: SplatLook
    ids: NDArray[np.uint32]
    num_drawn: int = 0


class Frames:
    """Draws with one painter, and keeps the last complete picture until the next is."""

    def __init__(self, painter: SplatPainter, pace: Pace) -> None:
        self._painter, self._pace = painter, pace
        self._sharp: Key | None = None
        self._begun: _Begun | None = None

    @property
    def has_begun(self) -> bool:
        """Whether a complete picture is in the making."""
        return self._begun is not None

    def draw_whole(self, view: View, order: Order) -> None:
        """The complete picture, whatever it takes."""
        self._painter.set_ids("kept", order.ids)
        self._painter.begin("kept", view.camera, view.look, view.depth)
        self._painter.stroke("kept", "kept", view.camera, view.look, 0, len(order.ids))
        self._painter.compose("kept", view.onto, view.camera, view.look, view.depth is None)

    def draw_moving(self, view: View, orders: Orders) -> None:
        """A picture in the time that there is while the camera moves."""
        self._begun = None
        self._draw_coarse(view, orders)

    def draw_still(self, view: View, orders: Orders, is_loaded: bool) -> bool:
        """The complete picture if it is there or there is time, else what there is until it comes. True if it is."""
        order = orders.exact()
        if is_loaded and order is not None and not self._is_there(view):
            if self._begun is None or self._begun.key != view.key:
                self._begin(view, order)
            self.go_on()
        sharp = self._sharp
        may_stand_in = sharp is not None and sharp.subject == view.key.subject
        if not may_stand_in and not self._draw_coarse(view, orders):  # Nothing is in order yet, for a moment.
            may_stand_in = sharp is not None and sharp.camera == view.camera.key
        if may_stand_in:
            self._painter.compose("sharp", view.onto, view.camera, view.look, view.depth is None)
        return is_loaded and self._is_there(view)

    def go_on(self) -> bool:
        """Draw on at the complete picture for a moment; True when it is finished."""
        deadline = time.perf_counter() + self._pace.stroke_seconds
        while self._begun is not None and time.perf_counter() < deadline:
            begun, count, start = self._begun, self._pace.stroke_count, time.perf_counter()
            self._painter.stroke("next", "all", begun.camera, begun.look, begun.num_drawn, count)
            self._painter.finish()
            self._pace.note_stroke(count, time.perf_counter() - start)
            self._begun = replace(begun, num_drawn=begun.num_drawn + count)
            if self._begun.num_drawn >= len(begun.ids):
                self._painter.rename("next", "sharp")
                self._sharp, self._begun = begun.key, None
        return self._begun is None

    def _is_there(self, view: View) -> bool:
        return self._sharp == view.key

    def _begin(self, view: View, order: Order) -> None:
        self._painter.set_ids("all", order.ids)
        self._painter.begin("next", view.camera, view.look, view.depth)
        self._begun = _Begun(view.key, view.camera, view.look, order.ids)

    def _draw_coarse(self, view: View, orders: Orders) -> bool:
        """A picture of what is in order, perhaps for another direction; False where nothing is."""
        total = orders.num_gaussians
        some = orders.held("some") if self._pace.count < total else None
        order = some or orders.held("all")
        if order is None:
            return False
        painter, camera, ids = self._painter, view.camera, order.ids
        name = "some" if some is not None else "every"  # not "all": the strokes go on with that
        look = replace(
            view.look,
            coarseness=self._pace.coarseness,
            threshold=order.threshold,
            area=view.area(order.threshold > 0),
        )
        painter.set_ids(name, ids)
        painter.begin("coarse", camera, look, view.depth)
        painter.finish()
        times = [time.perf_counter()]
        painter.stroke("coarse", name, camera, look, 0, len(ids))
        painter.finish()
        times.append(time.perf_counter())
        painter.compose("coarse", view.onto, camera, look, view.depth is None)
        self._pace.note_moving(len(ids), times[1] - times[0], is_all=some is None)
        return True
