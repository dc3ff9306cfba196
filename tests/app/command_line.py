"""What tests of the command line share: where the program is, how it is run, the true solid of the sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recon import formats
from tests.make_samples import bean_mesh

PROJECT = Path(__file__).parents[2]


Run = Callable[..., tuple[int, str, str]]


def write_true_bean(folder: Path) -> Path:
    formats.write(folder / "true.ply", bean_mesh())
    return folder / "true.ply"
