"""The base of scene data: frozen dataclasses of read-only arrays, checked once when made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True, eq=False)
class Frozen:
    """A value. Its arrays are read-only, so that it may be shared, saved and undone to.

    A subclass converts its arrays in `__post_init__` with `self._own(name, dtype, shape)` and raises
    ValueError for what it cannot be; whoever holds an instance may trust it.
    """

    def _own(self, name: str, dtype: DTypeLike, shape: tuple[int | None, ...]) -> NDArray[Any]:
        """Make the field `name` a read-only C-contiguous array of `dtype`; None in `shape` is any length."""
        value = getattr(self, name)
        array = np.ascontiguousarray(value, dtype=dtype)
        if array.ndim == 0 and len(shape) == 1:
            raise ValueError(f"{type(self).__name__}.{name} must be an array, not a number")
        if array.size == 0 and array.ndim != len(shape):
            array = array.reshape(tuple(n or 0 for n in shape))
        if array.ndim != len(shape) or any(
            want is not None and have != want for have, want in zip(array.shape, shape, strict=True)
        ):
            raise ValueError(f"{type(self).__name__}.{name} has shape {array.shape}, expected {shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{type(self).__name__}.{name} holds values that are not finite")
        if array.flags.writeable:
            if array is value or array.base is not None:
                array = array.copy()
            array.flags.writeable = False
        object.__setattr__(self, name, array)
        return array

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Every array of this value with its field's name."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                yield field.name, value

    @property
    def num_bytes(self) -> int:
        """Memory that the arrays take."""
        return sum(array.nbytes for _, array in self.arrays())

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        # Unpickling alone would make the arrays writable and skip the checks.
        return type(self), tuple(getattr(self, field.name) for field in fields(self))
