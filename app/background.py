"""Short work off the window's thread: reading and writing files. Only the newest answer of a key counts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal


class Background(QObject):
    """Runs functions on one thread and gives their answers back on the window's thread."""

    _answered = Signal(str, int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="background")
        self._newest: dict[str, int] = {}
        self._is_closed = False
        self._waiting: dict[tuple[str, int], tuple[Callable[[Any], None], Callable[[Exception], None]]] = {}
        # Queued also when the work ended at once: an answer never comes before `run` returns.
        self._answered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting)

    def run(
        self,
        key: str,
        work: Callable[[], Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[Exception], None],
    ) -> None:
        """Call `work` on the background thread, then `on_done` with its answer or `on_failed` with its error.

        A later call with the same key makes the answer of an earlier one void. After `close` nothing is done: a
        timer of a window that is on its way out may still ask.
        """
        if self._is_closed:
            return
        number = self._newest.get(key, 0) + 1
        self._newest[key] = number
        self._waiting[key, number] = (on_done, on_failed)
        future = self._threads.submit(work)
        future.add_done_callback(lambda done: self._answered.emit(key, number, done))

    def close(self) -> None:
        """Wait for the work under way and drop all answers."""
        self._is_closed = True
        self._waiting.clear()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _deliver(self, key: str, number: int, future: Future[Any]) -> None:
        waiting = self._waiting.pop((key, number), None)
        if waiting is None or self._newest[key] != number:
            return
        error = future.exception()
        if error is None:
            waiting[0](future.result())
        elif isinstance(error, Exception):
            waiting[1](error)
        else:
            raise error
