"""Methods for the tests of runs: they count, and do on demand what real methods do only sometimes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.method import InputSlot, Method, Output, Progress, Result, Run, RunContext, Settings, StopRequested
from render.mesh import TriangleMesh


class CountSettings(Settings):
    """How to count."""

    steps: int = 20
    """How far."""
    seconds: float = 0.005
    """Time of a step."""
    preview_seconds: float = 0.0
    """Cost of a preview."""
    keeps_on_stop: bool = False
    """Whether a stop is answered with a result."""
    trouble: str = ""
    """What happens at step 5."""
    hold_after: int = -1
    """The step after which it waits to be killed, the first time it comes there."""
    hold_mark: str = ""
    """The file that says that it waits there, or did."""


def tetrahedron(size: float) -> TriangleMesh:
    """A closed mesh whose size is told by its vertices."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]) * size
    return TriangleMesh(vertices, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))


def count(inputs: dict[str, Any], settings: CountSettings, context: RunContext) -> Run:
    """Add 1 + 2 + … + steps, in steps of `seconds`; the sum is the size of the resulting mesh."""
    arrays = context.load_checkpoint()
    first = int(arrays["step"]) if arrays else 0
    total = float(arrays["total"]) if arrays else 0.0
    try:
        for step in range(first + 1, settings.steps + 1):
            if step - 1 == settings.hold_after:
                _hold(Path(settings.hold_mark))
            time.sleep(settings.seconds)
            total += step
            if step == 5:
                _cause(settings.trouble)
            if context.is_checkpoint_due():
                context.save_checkpoint({"step": np.array(step), "total": np.array(total)})
            yield Progress(
                step,
                settings.steps,
                "Counting",
                {"left": settings.steps - step},
                _preview(total, settings, context),
            )
    except StopRequested:
        if not settings.keeps_on_stop:
            raise
        yield Progress(1, 1, "Extracting")
    figures = {"sum": total, "resumed_from": first, "seed": context.seed, "inputs": sorted(inputs)}
    return Result((Output("Count", tetrahedron(total)),), figures)


def _hold(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        time.sleep(600)


def _preview(total: float, settings: CountSettings, context: RunContext) -> TriangleMesh | None:
    if not context.is_preview_due():
        return None
    time.sleep(settings.preview_seconds)
    return tetrahedron(total)


def _cause(trouble: str) -> None:
    match trouble:
        case "input":
            raise InputError("Plane 5 has an open contour.", "Close it.", "ring 2")
        case "memory":
            raise MemoryError
        case "cuda memory":
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")
        case "bug":
            raise KeyError("a bug of ours")
        case "print":
            print("a library prints this")
            os.write(1, b"and a C library this\n")
        case "hang":
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            time.sleep(60)
        case "kill":
            os.kill(os.getpid(), 9)


COUNT = Method(
    id="count",
    title="Count",
    summary="Counts.",
    inputs=(InputSlot("solid", "mesh", "Solid", optional=True),),
    settings=CountSettings,
    run_at="tests.recon.toy_methods:count",
)
AT = "tests.recon.toy_methods:COUNT"
