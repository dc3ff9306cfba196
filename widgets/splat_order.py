"""The order in which Gaussians are drawn, found beside the window's thread; and which of them stand for the rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from widgets.splat_program import MOST_GROWN

Array = NDArray[np.float64]
_LOG = logging.getLogger(__name__)
_MOST_KEPT = 1 << 20  # Gaussians of a layer that may be drawn while the camera moves


@dataclass(frozen=True, eq=False)
class Sample:
    """Gaussians in the order in which they are worth drawing when not all can be.

    rows: (M,) int32. keys: (M,) float32, rising. Of all whose weight is w those with a key up to t are a random part
    of min(1, t w), so that the size of each of them can make up for those left out (priority sampling, Duffield,
    Lund and Thorup 2007; enlarging the rest as in stochastic simplification, Cook et al. 2007).
    """

    rows: NDArray[np.int32]
    keys: NDArray[np.float32]


def sample_of(log_scales: NDArray[np.float32], opacity_logits: NDArray[np.float32]) -> Sample:
    """The weight of a Gaussian is its opacity times its largest face."""
    opacity = 1 / (1 + np.exp(-np.clip(opacity_logits, -30, 30)))
    faces = log_scales.sum(1) - log_scales.min(1)
    chance = np.random.default_rng(0).random(len(faces), np.float32)
    keys = (chance + np.float32(1e-6)) / np.maximum(np.exp(faces) * opacity, np.float32(1e-30))
    keys = np.minimum(keys, np.float32(3e38)).astype(np.float32)
    if len(keys) > _MOST_KEPT:
        rows = np.argpartition(keys, _MOST_KEPT)[:_MOST_KEPT]
        rows = rows[np.argsort(keys[rows])]
    else:
        rows = np.argsort(keys)
    return Sample(rows.astype(np.int32), keys[rows])


def reaches_of(means: NDArray[np.float32], log_scales: NDArray[np.float32]) -> tuple[Array, Array]:
    """(2, 3) around all Gaussians as far as they can be seen, and the same when the smaller ones stand for others."""
    if not len(means):
        return np.zeros((2, 3)), np.zeros((2, 3))
    largest = np.exp(log_scales.max(1)) * np.float32(3.4)
    usual = np.quantile(largest[:: 1 + len(largest) // 100_000], 0.95)
    grown = np.where(largest <= usual, MOST_GROWN * largest, largest)
    return _box_around(means, largest), _box_around(means, grown)


def _box_around(means: NDArray[np.float32], reach: NDArray[np.float32]) -> Array:
    low = [(means[:, axis] - reach).min() for axis in range(3)]
    high = [(means[:, axis] + reach).max() for axis in range(3)]
    return np.array([low, high], np.float64)


def threshold_for(samples: Sequence[Sample], count: int) -> float:
    """The key up to which the samples together hold about `count` Gaussians; 0 when they hold no more than that."""
    if sum(len(sample.keys) for sample in samples) <= count:
        return 0.0
    if len(samples) == 1:
        return float(samples[0].keys[count])
    return float(np.partition(np.concatenate([sample.keys for sample in samples]), count)[count])


@dataclass(frozen=True, eq=False)
class Part:
    """Gaussians of one layer that are to be drawn. first: what the index of its first Gaussian is among all.

    means: (N, 3). rows: those to draw, or None for all. moved: (4, 4) for those in `is_moved` (N,).
    """

    first: int
    means: NDArray[np.float32]
    rows: NDArray[np.int32] | None = None
    moved: Array | None = None
    is_moved: NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class Question:
    """Which order is wanted. forward: the camera's direction. tag: whatever tells it from other questions."""

    parts: tuple[Part, ...]
    forward: Array
    tag: Any = None


def far_to_near(question: Question) -> NDArray[np.uint32]:
    """The Gaussians of all parts, the farthest along the camera's direction first."""
    if not question.parts:
        return np.zeros(0, np.uint32)
    depths = [_depths(part, question.forward) for part in question.parts]
    ids = [_ids(part) for part in question.parts]
    return np.concatenate(ids)[descending(np.concatenate(depths))]


def descending(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """The places of float32 values from the greatest to the least, equal ones in their order: two passes of
    numpy's radix sort for 16 bits, some four times as fast as sorting the numbers, and without Python's lock."""
    bits = np.ascontiguousarray(-values, np.float32).view(np.uint32)
    bits = np.where(bits >> 31, ~bits, bits | np.uint32(0x80000000))
    first = np.argsort((bits & 0xFFFF).astype(np.uint16), kind="stable")
    second = np.argsort((bits >> 16).astype(np.uint16)[first], kind="stable")
    return first[second]


def _ids(part: Part) -> NDArray[np.uint32]:
    rows = np.arange(len(part.means), dtype=np.uint32) if part.rows is None else part.rows.astype(np.uint32)
    return rows + np.uint32(part.first)


def _depths(part: Part, forward: Array) -> NDArray[np.float32]:
    means = part.means if part.rows is None else part.means[part.rows]
    depths: NDArray[np.float32] = means @ forward.astype(np.float32)
    if part.moved is not None and part.is_moved is not None:
        chosen = part.is_moved if part.rows is None else part.is_moved[part.rows]
        moved = means[chosen] @ part.moved[:3, :3].T.astype(np.float32) + part.moved[:3, 3].astype(np.float32)
        depths[chosen] = moved @ forward.astype(np.float32)
    return depths


def _log_failure(work: Future[None]) -> None:
    """A mistake of ours in the thread is not to go unseen."""
    problem = None if work.cancelled() else work.exception()
    if problem is not None:
        _LOG.error("Work for the picture of splats failed", exc_info=problem)


class Sorter(QObject):
    """Answers the newest question in a thread of its own; work given to `do` waits between questions.

    answered: there is an answer to take. done: a piece of other work is done; its result is the argument.
    """

    answered = Signal()
    done = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._question: Question | None = None
        self._is_busy = False
        self._answer: tuple[Question, NDArray[np.uint32]] | None = None

    def ask(self, question: Question) -> None:
        """Want this order instead of any asked for before."""
        with self._lock:
            self._question = question
            if self._is_busy:
                return
            self._is_busy = True
        self._thread().submit(self._answer_all).add_done_callback(_log_failure)

    def take(self) -> tuple[Question, NDArray[np.uint32]] | None:
        """The newest answer with its question, once."""
        with self._lock:
            answer, self._answer = self._answer, None
        return answer

    def do(self, work: Callable[[], object]) -> None:
        """Do other work in this thread; `done` brings its result."""
        self._thread().submit(lambda: self._tell(work())).add_done_callback(_log_failure)

    def stop(self) -> None:
        """End the thread."""
        with self._lock:
            self._question = None
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _thread(self) -> ThreadPoolExecutor:
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="viewport-splats")
        return self._pool

    def _tell(self, result: object) -> None:
        self.done.emit(result)

    def _answer_all(self) -> None:
        while True:
            with self._lock:
                question, self._question = self._question, None
                if question is None:
                    self._is_busy = False
                    return
            ids = far_to_near(question)
            with self._lock:
                self._answer = question, ids
            self.answered.emit()
