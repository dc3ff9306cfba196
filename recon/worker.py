"""Runs one run folder: `python -m recon.worker FOLDER`.

Says what happens as JSON lines on standard output and in the folder's events.jsonl, and takes the commands
pause, resume, stop, checkpoint, preview, cancel and keep on standard input or as files in the folder.
`--warm` waits for a folder's path on standard input, and imports what is slow to import meanwhile.
When standard input is a pipe and closes, the run keeps a checkpoint and ends, unless the command was keep.
"""

from __future__ import annotations

import os

# Before anything starts OpenMP: threads that spin while they wait slow a busy machine twentyfold.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import faulthandler
import importlib
import json
import logging
import signal
import stat
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TextIO, TypeAlias

import recon
from recon.active_run import ActiveRun
from recon.announcer import Announcer
from recon.commands import Commands
from recon.run_folder import RunFolder

_NO_FOLDER = {
    "kind": "InputError",
    "sentence": "There is no such run folder.",
    "advice": "Give the folder that the run was made in.",
}
Wishes: TypeAlias = SimpleQueue[str | None]
_SLOW_IMPORTS = ("scipy.sparse.linalg", "scipy.ndimage", "skimage.measure", "numba", "torch")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a folder to its end. Returns 0 when it was done, stopped or cancelled, 1 when it failed."""
    parser = argparse.ArgumentParser(prog="python -m recon.worker", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="the run folder")
    parser.add_argument("--warm", action="store_true", help="wait for the folder's path on standard input")
    options = parser.parse_args(arguments)
    if options.folder is None and not options.warm:
        parser.error("give a run folder, or --warm")
    limit_threads()
    logging.captureWarnings(True)
    lines = _own_standard_output()
    wishes: Wishes = SimpleQueue()
    threading.Thread(target=_read_standard_input, args=(wishes,), daemon=True, name="standard input").start()
    folder = options.folder or _wait_for_folder(wishes, lines)
    if folder is None:
        return 0  # The window closed before it needed this worker.
    if not folder.is_dir():
        print(json.dumps({"event": "error", **_NO_FOLDER, "details": str(folder)}), file=lines, flush=True)
        return 1
    if options.warm:
        _log_to(folder)
    return run(RunFolder(folder.absolute()), wishes, lines)


def run(folder: RunFolder, wishes: Wishes, lines: TextIO) -> int:
    """Run one folder, obeying `wishes` and telling `lines`."""
    commands = Commands()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: commands.take("interrupt"))
    threading.Thread(target=_pass_on, args=(wishes, commands), daemon=True, name="commands").start()
    announcer = Announcer(folder, lines)
    with announcer.logging():
        return ActiveRun(folder, commands, announcer).execute()


def limit_threads() -> None:
    """One core stays free for the window; with every core taken twice, throughput falls tenfold."""
    threads = str(max(1, (os.cpu_count() or 2) - 1))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, threads)


def import_slow_modules(is_enough: Callable[[], bool]) -> None:
    """Import what methods need, until it is enough, so that a run answers at once.

    What is missing is told by the run that needs it.
    """
    methods = [method.run_at.partition(":")[0] for method in recon.METHODS]
    for name in (*_SLOW_IMPORTS, *methods):
        if is_enough():
            return
        with suppress(ImportError):
            importlib.import_module(name)


def _wait_for_folder(wishes: Wishes, lines: TextIO) -> Path | None:
    """The path that a warm worker waits for; None where the window closes instead."""
    import_slow_modules(is_enough=lambda: not wishes.empty())
    print('{"event": "ready"}', file=lines, flush=True)
    line = wishes.get()
    return Path(line) if line else None


def _own_standard_output() -> TextIO:
    """Keep standard output for events: what libraries print goes to standard error."""
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    faulthandler.enable()
    return lines


def _log_to(folder: Path) -> None:
    """Send what this process prints, and a crash's traceback, to the run's log.txt."""
    with (folder / "log.txt").open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def _read_standard_input(wishes: Wishes) -> None:
    """Queue the lines of standard input, and None when its other end is gone.

    Read without Python's buffer, whose lock a waiting thread would hold when the interpreter ends. Only a pipe
    tells that whoever held its other end is gone; the end of a file or of /dev/null does not.
    """
    rest = b""
    while chunk := os.read(0, 4096):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            wishes.put(line.decode("utf-8", "replace").strip())
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        wishes.put(None)


def _pass_on(wishes: Wishes, commands: Commands) -> None:
    for wish in iter(wishes.get, None):
        commands.take(wish)
    commands.take("parent gone")


if __name__ == "__main__":
    sys.exit(main())
