"""Run a generator to its end."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

Returned = TypeVar("Returned")


def finish(steps: Generator[Any, None, Returned]) -> Returned:
    """What the generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            returned: Returned = stop.value
            return returned
