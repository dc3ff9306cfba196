"""The order in which a person would sort numbered files."""

from __future__ import annotations

import re
from pathlib import Path


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """A key for sorting: slice 2 before slice 10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in parts]
