"""The process that a run computes in, without Qt: started, commanded and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from recon.run_folder import end_process_tree


class WorkerProcess:
    """A warm worker: it imports what is slow at once, and runs one folder when told to.

    output: where its standard output goes, `subprocess.PIPE` to read events from. It reads commands from a
    pipe, so it ends by itself, keeping a checkpoint, when this process ends, unless `keep` was sent.
    """

    def __init__(self, output: int = subprocess.DEVNULL) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", "recon.worker", "--warm"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=self._errors,
            env=_environment(),
            text=True,
            encoding="utf-8",
            # Ctrl+C in the terminal is for us; we tell the worker.
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        return self.process.poll()

    def run(self, folder: Path) -> None:
        """Have it run a run folder."""
        self.send(str(folder.absolute()))

    def send(self, command: str) -> None:
        """Give it a command. One that has ended needs none."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()

    def close(self, patience: float = 0.0) -> str:
        """Close its input and wait `patience` seconds for it to end by itself; then end it and all it started.

        Returns what it printed before it took up a run; from then on that goes to the run's log.txt.
        """
        self._close_input()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        if self.process.poll() is None:
            self.kill()
        return self._last_words()

    def kill(self) -> None:
        """End it and everything it started, now."""
        end_process_tree(self.process.pid)
        self.process.wait()

    def _last_words(self) -> str:
        if self._errors.closed:
            return ""
        self._errors.seek(0)
        words = self._errors.read().decode("utf-8", "replace")
        self._errors.close()
        return words

    def leave(self) -> None:
        """Let it run on after this process, if it was told to keep running."""
        self._close_input()
        self._errors.close()
        # Popen would warn that its child still runs, which is what is wanted here.
        self.process.returncode = 0

    def _close_input(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def _environment() -> dict[str, str]:
    """Ours, with the same import path, and OpenMP's threads asleep while they wait."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
