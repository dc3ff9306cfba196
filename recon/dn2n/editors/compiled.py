"""Compile a loop over pixels to machine code, once a machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function as a numba kernel that frees the GIL; compiled at the first call, kept on disk."""
    return cast(F, numba.njit(cache=True, fastmath=True, nogil=True, error_model="numpy")(function))
