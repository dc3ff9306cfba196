"""Kernels that free the GIL, on several threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

Task = TypeVar("Task")


def in_threads(work: Callable[[Task], None], tasks: Iterable[Task]) -> None:
    """Do the tasks on as many threads as numba may use."""
    with ThreadPoolExecutor(numba.config.NUMBA_NUM_THREADS) as pool:
        for _ in pool.map(work, tasks):
            pass
