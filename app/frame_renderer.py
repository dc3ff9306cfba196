"""Pictures of radiance fields for a viewport's camera: coarse while it moves, finer and finer when it rests.

One thread draws, in pieces of a tenth of a second. After each it looks whether the camera has moved on, and if so
begins with the newest one. Pictures that somebody waits for (a screenshot, a film) come first and are always finished.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal

from render.field_picture import FieldPicture
from render.field_pictures import Field, field_picture
from render.view_field import ViewField
from widgets.viewport_camera import Pinhole, Size, pinhole
from widgets.viewport_field_layer import FieldFrame
from widgets.viewport_fields import FieldFrames, FieldView

Rows = Callable[[int, int], FieldPicture]  # the picture's rows from the first up to, but without, the second
Open = Callable[[Field, Pinhole, bool], Rows]  # a field and a camera; whether haste matters more than quality
Pieces = Generator[FieldFrames | None, None, None]
_MOVING_SECONDS = 0.045  # for a picture while the camera moves
_FIRST_SECONDS = 0.2  # for the first one when it rests, unless all of it takes hardly longer
_PATIENCE_SECONDS = 0.25  # after which a picture is given up for a newer one although the camera still moves
_PIECE_SECONDS = 0.1  # between two looks at what is wanted now
_FEWEST, _MOST_COARSE = 4_000, 12.0  # pixels of a picture; the screen's along a side of one that is drawn
_LOG = logging.getLogger(__name__)


class FieldPace:
    """How fast pictures of a field come, learnt from the last ones. pixels_per_second: None before the first."""

    def __init__(self) -> None:
        self.pixels_per_second: float | None = None
        self._is_warm = False

    def note(self, num_pixels: int, seconds: float) -> None:
        """Learn from a picture; from the first only that it was made: kernels are compiled or read before it."""
        if not self._is_warm or not num_pixels:
            self._is_warm = self._is_warm or num_pixels > 0
            return
        rate = num_pixels / max(seconds, 1e-4)
        known = self.pixels_per_second
        if known is None or rate < known:  # a person waits no second time
            self.pixels_per_second = rate
        else:
            self.pixels_per_second = known * (rate / known) ** 0.5

    def seconds(self, num_pixels: int) -> float:
        """What a picture will take."""
        return num_pixels / (self.pixels_per_second or 150_000.0)


def coarseness_for(size: Size, seconds_of_all: float, seconds: float) -> float:
    """Pixels of the screen along a side of one of a picture that takes `seconds`, where all take `seconds_of_all`."""
    wanted = math.sqrt(max(1.0, seconds_of_all / seconds))
    return max(1.0, min(wanted, _MOST_COARSE, math.sqrt(size[0] * size[1] / _FEWEST)))


def steps_at_rest(size: Size, seconds_of_all: float) -> list[float]:
    """The coarseness of each picture while the camera rests, down to 1."""
    if seconds_of_all <= 2.5 * _FIRST_SECONDS:
        return [1.0]
    steps = [coarseness_for(size, seconds_of_all, _FIRST_SECONDS)]
    while steps[-1] > 2.0:
        steps.append(steps[-1] / 2.5)
    return [max(1.0, step) for step in steps if step > 1.3] + [1.0]


class FrameRenderer(QObject):
    """Draws what a viewport wishes. drawn: FieldFrames for it. failed: why a field cannot be drawn, once.
    preparing: whether kernels are being compiled, which happens once on a machine, before anything can be drawn."""

    drawn = Signal(object)
    failed = Signal(object)
    preparing = Signal(bool)
    _answered = Signal(object, object)

    def __init__(self, parent: QObject | None = None, open_rows: Open | None = None) -> None:
        super().__init__(parent)
        self._open = open_rows or rows_of
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="field-frames")
        self._lock = threading.Lock()
        self._wanted: FieldView | None = None
        self._waited: deque[tuple[FieldView, Future[FieldFrames]]] = deque()
        self._is_busy = self._is_closed = False
        self._paces: dict[type, FieldPace] = {}
        self._last: FieldFrames | None = None
        self._answered.connect(_act_on, Qt.ConnectionType.QueuedConnection)

    def want(self, view: FieldView) -> None:
        """Draw this view instead of any that was wanted before."""
        with self._lock:
            self._wanted = view if view.fields else None
        self._wake()

    def finest(self, view: FieldView) -> Future[FieldFrames]:
        """The finest pictures of a view, before everything else and whatever the camera does."""
        answer: Future[FieldFrames] = Future()
        with self._lock:
            if self._is_closed:
                answer.cancel()
            else:
                self._waited.append((replace(view, is_moving=False), answer))
        self._wake()
        return answer

    def ask(self, view: FieldView, act: Callable[[FieldFrames], None]) -> None:
        """The same, given to a function on the window's thread; never where a field cannot be drawn."""
        self.finest(view).add_done_callback(lambda answer: self._answered.emit(act, answer))

    def now(self, view: FieldView) -> FieldFrames:
        """The same, waited for."""
        return self.finest(view).result()

    def close(self) -> None:
        """End the thread; what was waited for is cancelled."""
        with self._lock:
            self._is_closed, self._wanted = True, None
            waited, self._waited = list(self._waited), deque()
        for _, answer in waited:
            answer.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    # In the thread

    def _wake(self) -> None:
        with self._lock:
            if self._is_busy or self._is_closed:
                return
            self._is_busy = True
        self._pool.submit(self._work)

    def _work(self) -> None:
        from render.compiling import telling  # numba, in the thread only

        with telling(self.preparing.emit):
            self._draw_what_is_wanted()

    def _draw_what_is_wanted(self) -> None:
        view: FieldView | None = None
        pieces: Pieces = (None for _ in ())
        began = 0.0
        while True:
            with self._lock:
                waited = self._waited.popleft() if self._waited else None
                wanted = self._wanted
                if waited is None and wanted is None:
                    self._is_busy = False
                    return
            if waited is not None:
                self._answer(*waited)
                continue
            assert wanted is not None
            is_late = time.perf_counter() - began > _PATIENCE_SECONDS
            if wanted is not view and (view is None or is_late or not (view.is_moving and wanted.is_moving)):
                pieces.close()
                view, pieces, began = wanted, self._pieces(wanted), time.perf_counter()
            if not self._go_on(pieces):
                with self._lock:
                    self._wanted = None if self._wanted is view else self._wanted
                view = None

    def _go_on(self, pieces: Pieces) -> bool:
        """Draw one piece; False when there are no more."""
        try:
            frames = next(pieces)
        except StopIteration:
            return False
        except Exception as problem:  # whatever a damaged field makes of the arithmetic
            self._give_up(problem)
            return False
        if frames is not None and not self._is_closed:
            self._last = frames
            self.drawn.emit(frames)
        return True

    def _answer(self, view: FieldView, answer: Future[FieldFrames]) -> None:
        frames: FieldFrames | None = None
        try:
            for each in self._level(view, 1.0):
                if self._is_closed:
                    answer.cancel()
                    return
                frames = each
        except Exception as problem:
            self._give_up(problem)
            answer.set_exception(problem)
            return
        assert frames is not None  # the last thing that is drawn
        answer.set_result(frames)

    def _give_up(self, problem: Exception) -> None:
        _LOG.error("A field cannot be drawn", exc_info=problem)
        self.failed.emit(problem)

    def _pieces(self, view: FieldView) -> Pieces:
        """Pictures of a view, each finer than the last, and None between the pieces of one."""
        seconds = sum(self._pace(field).seconds(view.size[0] * view.size[1]) for _, field in view.fields)
        if view.is_moving:
            yield from self._level(view, coarseness_for(view.size, seconds, _MOVING_SECONDS))
            return
        for coarseness in steps_at_rest(view.size, seconds):
            if coarseness == 1.0 or not self._is_as_fine(view, coarseness):
                yield from self._level(view, coarseness)

    def _is_as_fine(self, view: FieldView, coarseness: float) -> bool:
        """Whether the last picture was of this view and hardly coarser than this."""
        last = self._last
        if last is None or (last.view.fields, last.view.pose, last.view.size) != (
            view.fields, view.pose, view.size,
        ):  # fmt: skip
            return False
        width = next(iter(last.frames.values())).camera.size[0]
        return view.size[0] / width <= 1.4 * coarseness

    def _level(self, view: FieldView, coarseness: float) -> Pieces:
        """All fields of a view, equally fine."""
        width, height = (max(1, round(side / coarseness)) for side in view.size)
        camera = pinhole(view.pose, (width, height))
        frames = {}
        for layer_id, field in view.fields:
            start = time.perf_counter()
            parts: list[FieldPicture] = []
            try:
                for part in self._bands(field, camera, view.is_moving):
                    parts.append(part)
                    yield None
            finally:  # also when it is given up
                seconds = time.perf_counter() - start
                self._pace(field).note(sum(part.alpha.size for part in parts), seconds)
            frames[layer_id] = FieldFrame(_joined(parts), camera, view.pose)
        yield FieldFrames(view, frames, is_sharp=coarseness == 1.0)

    def _bands(self, field: Field, camera: Pinhole, is_hasty: bool) -> Iterator[FieldPicture]:
        """Rows of a picture, as many at once as can be drawn before the next look at what is wanted."""
        width, height = camera.size
        seconds = self._pace(field).seconds(width * height)
        num_bands = max(1, min(height // 8, round(seconds / _PIECE_SECONDS)))
        edges = np.linspace(0, height, num_bands + 1).round().astype(int).tolist()
        rows = self._open(field, camera, is_hasty)
        for top, bottom in pairwise(edges):
            yield rows(top, bottom)

    def _pace(self, field: Field) -> FieldPace:
        return self._paces.setdefault(type(field), FieldPace())


def _act_on(act: Callable[[FieldFrames], None], answer: Future[FieldFrames]) -> None:
    if not answer.cancelled() and answer.exception() is None:
        act(answer.result())


def rows_of(field: Field, camera: Pinhole, is_hasty: bool) -> Rows:
    """Get ready to draw a field from a camera, some rows at a time."""
    focal = (camera.focal, camera.focal)
    if isinstance(field, ViewField):
        from render.view_pictures import NUM_QUICK_SOURCES, ViewDrawer  # numba, in the thread only

        count = NUM_QUICK_SOURCES if is_hasty else None
        drawer = ViewDrawer(
            field, camera.cam_from_world, focal, camera.center, camera.size, num_sources=count
        )
        return lambda top, bottom: drawer.picture((top, bottom))

    def rows(top: int, bottom: int) -> FieldPicture:
        center = camera.center[0], camera.center[1] - top
        return field_picture(field, camera.cam_from_world, focal, center, (camera.size[0], bottom - top))

    return rows


def _joined(parts: list[FieldPicture]) -> FieldPicture:
    if len(parts) == 1:
        return parts[0]
    return FieldPicture(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("rgb", "alpha", "depth"))
    )
