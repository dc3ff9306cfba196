"""How loops are compiled and spread over threads: the one way for all of render and recon.

Compiled code is kept in __pycache__, or in the user's cache where that may not be written, and made anew when the
kernel's own file changes. Kernels also contain parts from other files: who changes one of these while developing
deletes the __pycache__/*.nb? of their folders.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, cast

import numba
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Double = NDArray[np.float64]
Index = NDArray[np.int32]
Offset = NDArray[np.int64]
Kernel = Callable[..., Any]

# Not TBB first: open3d brings an old one, of which numba warns before it takes another.
numba.config.THREADING_LAYER_PRIORITY = ["omp", "workqueue", "tbb"]

# All of fastmath but the promise that nothing is infinite or NaN: parameters under training may be.
_CAREFUL = {"contract", "reassoc", "arcp", "nsz", "afn"}


def compiled(function: Kernel) -> Kernel:
    """A kernel, or a part of one, that sees finite numbers only."""
    return _compiled(function, True)


def compiled_for_any_number(function: Kernel) -> Kernel:
    """A kernel, or a part of one, that also sees infinities and NaN, and heeds them."""
    return _compiled(function, _CAREFUL)


def compiled_in_parallel(function: Kernel) -> Kernel:
    """A kernel whose `numba.prange` is spread over numba's own threads; its parts are `compiled`."""
    return _compiled(function, True, parallel=True)


def _compiled(function: Kernel, fastmath: bool | set[str], **more: bool) -> Kernel:
    # Parts are inlined whatever their size: else the process that compiles a kernel calls another copy of them than
    # those that find it in the cache, and the last bits of a result differ.
    options = {"cache": True, "nogil": True, "error_model": "numpy", "forceinline": True}
    return cast(Kernel, numba.njit(fastmath=fastmath, **options, **more)(function))


@compiled
def aligned_scratch(count: int) -> Any:
    """An array of `count` floats that begins with a line of the cache, so that no vector lies across two."""
    spare = np.empty(count + 16, np.float32)
    first = (-spare.ctypes.data % 64) // 4
    return spare[first : first + count]


def num_threads() -> int:
    """How many threads may work: NUMBA_NUM_THREADS, else the cores that this process may use."""
    return int(numba.config.NUMBA_NUM_THREADS)


def in_threads(kernel: Kernel, count: int, chunk: int, *arguments: Any) -> None:
    """Call kernel(start, stop, *arguments) for pieces of 0 … count, `chunk` at a time.

    Not numba's own threads: two Python threads may not enter those of its workqueue at once, and compiling for them
    takes several times as long. Pieces must not depend on each other; then results are the same for any number.
    """
    threads = num_threads()
    if threads == 1 or count <= chunk:
        kernel(0, count, *arguments)
        return
    pieces = [(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    for _ in _pool(threads).map(lambda piece: kernel(*piece, *arguments), pieces):
        pass


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="kernels")
