"""The same work on many things in a few threads, watched from the one that asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")

_LOOK_SECONDS = 0.2


def in_threads(
    work: Callable[[Task], Answer], tasks: Iterable[Task], num_threads: int
) -> Generator[tuple[Task, Answer] | None, None, None]:
    """Each task with its answer, in order; None several times a second while one is waited for.

    Tasks are taken only as threads become free. Closing it drops those that have not begun. What `work` raises
    is raised here.
    """
    pool = ThreadPoolExecutor(max(1, num_threads), thread_name_prefix="poses")
    waiting: deque[tuple[Task, Future[Answer]]] = deque()
    source = iter(tasks)
    try:
        while True:
            while len(waiting) < num_threads + 1 and (task := next(source, None)) is not None:
                waiting.append((task, pool.submit(work, task)))
            if not waiting:
                return
            task, future = waiting[0]
            if not wait_for([future], _LOOK_SECONDS).done:
                yield None
                continue
            waiting.popleft()
            yield task, future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
