"""A run under way: drives a method's generator, obeys commands, and stores what comes out.

It says these events, each with `time` in seconds since 1970:

hello       pid, device, method, resumed: whether there is a checkpoint
state       state, as in status.json
stage       name, total: a new stage, or the same one counting anew
progress    stage, step, total, it_s, losses, preview_share; ten a second at most
preparing   kernels are being compiled, which happens once on a machine; over with the next progress
preview     kind, path: previews/latest.npz was replaced
checkpoint  step, path
log         level, text
done        outputs (name, kind, path), figures, stopped, wall_s, cpu_s, peak_bytes, preview_share
error       kind, sentence, advice, details
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from recon.announcer import Announcer
from recon.commands import Commands
from recon.errors import InputError, ReconError
from recon.failure import describe_failure
from recon.formats import native
from recon.heartbeat import GRACE_SECONDS, Heartbeat
from recon.method import Output, Progress, Result, Run, RunContext, StopRequested
from recon.pacing import Checkpoints, PreviewBudget
from recon.run_folder import ALIVE, RunFolder
from recon.run_lock import RunLock
from recon.run_request import choose_device, find_method, read_inputs
from render.scene_data import SceneData

_REPORT_SECONDS = 0.1  # between progress events of one stage
_SPEED_SECONDS = 5.0  # over which it/s is measured
_PAUSE_PATIENCE = 0.5  # seconds that a pause waits for a checkpoint
_STOP_PATIENCE = 3.0  # seconds that a stop waits for a checkpoint


class _Ended(Exception):
    """The run is to end without a result; the argument is the state it ends in."""


class _AlreadyUnderWay(InputError):
    """Another worker runs this folder."""


class ActiveRun:
    """One attempt at a run folder, from "starting" to an end state."""

    def __init__(
        self, folder: RunFolder, commands: Commands, announcer: Announcer, grace: float = GRACE_SECONDS
    ) -> None:
        self._folder = folder
        self._commands = commands
        self._announcer = announcer
        self._grace = grace
        self._last_preview: SceneData | None = None
        self._state = "starting"
        self._has_stopped = False
        self._is_interrupting = False
        self._is_preparing = False
        self._last_report = 0.0
        self._progress = Progress(0, 0, "")
        self._speeds: deque[tuple[float, int]] = deque()

    def execute(self) -> int:
        """Run to the end. Returns the exit status: 0, or 1 where the run failed."""
        lock = RunLock(self._folder.path)
        try:
            self._refuse_twice(lock)
            self._heartbeat = Heartbeat(self._folder, self._commands, self._grace)
            self._heartbeat.start()
            try:
                return self._attempt()
            finally:
                self._heartbeat.stop()
        except _AlreadyUnderWay as refusal:
            self._announcer.say("error", **_error_fields(refusal))
            return 1
        finally:
            lock.release()

    def _attempt(self) -> int:
        from render.compiling import telling  # imports numba

        try:
            with telling(self._say_preparing):
                run = self._begin()
                result = self._drive(run)
            self._finish(result)
        except _Ended as end:
            self._enter(str(end))
        except Exception as error:
            self._fail(error)
            return 1
        return 0

    def _refuse_twice(self, lock: RunLock) -> None:
        """The status tells of a worker on any machine, the lock of one that has not written its status yet."""
        status = self._folder.status()
        if status.state in ALIVE or not lock.take():
            status = self._folder.status()
            raise _AlreadyUnderWay(
                f"This run is already under way (process {status.pid} on {status.host}).",
                "Wait for it, or cancel it first.",
            )

    def _begin(self) -> Run:
        """Load the method and its inputs; the generator it gives has not run a step."""
        manifest = self._folder.manifest
        self._budget = PreviewBudget(manifest.preview_share)
        self._checkpoints = Checkpoints(
            self._folder.path / "checkpoints", manifest.checkpoint_seconds, self._say_checkpoint
        )
        self._checkpoints.sweep()
        method = find_method(manifest.method)
        self._title = manifest.title or method.title
        device = choose_device(manifest.device)
        self._announcer.say(
            "hello",
            pid=os.getpid(),
            device=device,
            method=method.id,
            resumed=bool(self._checkpoints.paths()),
        )
        settings = method.make_settings(manifest.settings)
        inputs = read_inputs(self._folder, method)
        run = method.load()(inputs, settings, self._context(device, manifest.seed))
        self._enter("running")
        return run

    def _context(self, device: str, seed: int) -> RunContext:
        files = self._folder.path / "files"
        files.mkdir(exist_ok=True)
        return RunContext(
            device=device,
            seed=seed,
            folder=files.absolute(),
            is_preview_due=self._budget.is_due,
            is_checkpoint_due=self._checkpoints.is_due,
            save_checkpoint=self._checkpoints.save,
            load_checkpoint=self._checkpoints.load,
        )

    def _drive(self, run: Run) -> Result | None:
        """Step the generator to its end. None where it was stopped and had nothing to return."""
        advance: Callable[[], Progress] = partial(next, run)
        try:
            while True:
                self._report(advance())
                advance = self._obey(run)
        except StopIteration as end:
            result: Result = end.value
            return result
        except StopRequested:
            return None

    def _obey(self, run: Run) -> Callable[[], Progress]:
        """Do what was asked since the last step. Returns how to go on."""
        commands = self._commands
        if commands.checkpoint:
            commands.checkpoint = False
            self._checkpoints.want()
        if commands.preview:
            commands.preview = False
            self._budget.wanted = True
        if commands.pause and not commands.stop:
            self._pause()
        elif self._state == "pausing":
            self._enter("running")
        if commands.is_ending:
            self._end_early(run)
        if commands.stop and not self._has_stopped:
            return self._stop(run)
        return partial(next, run)

    def _stop(self, run: Run) -> Callable[[], Progress]:
        """Wait for a checkpoint, then ask the method for what it has."""
        if self._state != "stopping":
            self._enter("stopping")
            self._checkpoints.want()
        if not self._checkpoints.is_settled(_STOP_PATIENCE):
            return partial(next, run)
        self._has_stopped = True
        return partial(run.throw, StopRequested())

    def _pause(self) -> None:
        """Wait for a checkpoint, then stand still until another command comes."""
        commands = self._commands
        if self._state != "pausing":
            self._enter("pausing")
            self._checkpoints.want()
        if not self._checkpoints.is_settled(_PAUSE_PATIENCE):
            return
        self._enter("paused")
        began = time.monotonic()
        while commands.pause and not commands.stop and not commands.is_ending:
            commands.arrived.wait(0.1)
            commands.arrived.clear()
        for clock in (self._budget, self._heartbeat):
            clock.leave_out(time.monotonic() - began)
        self._speeds.clear()
        self._enter("running")

    def _end_early(self, run: Run) -> None:
        """Close the generator. A cancel ends at once, an interruption once a checkpoint is kept."""
        if self._commands.interrupt:
            if not self._is_interrupting:
                self._is_interrupting = True
                self._checkpoints.want()
            if not self._checkpoints.is_settled(_STOP_PATIENCE):
                return
        with suppress(RuntimeError):  # A method that yields while it is closed; it ends all the same.
            run.close()
        raise _Ended("interrupted" if self._commands.interrupt else "cancelled")

    def _report(self, progress: Progress) -> None:
        """Tell of a step, at most ten times a second; previews always."""
        if progress.preview is not None:
            self._keep_preview(progress.preview)
        now = time.monotonic()
        last = self._progress
        is_new_stage = (progress.stage, progress.total) != (
            last.stage,
            last.total,
        ) or progress.step < last.step
        if is_new_stage:
            self._announcer.say("stage", name=progress.stage, total=progress.total)
            self._speeds.clear()
        self._progress = progress
        self._speeds.append((now, progress.step))
        if is_new_stage or progress.step >= progress.total or now - self._last_report >= _REPORT_SECONDS:
            self._last_report = now
            self._say_progress(progress)

    def _say_preparing(self, is_on: bool) -> None:
        if is_on and not self._is_preparing:
            self._is_preparing = True  # until the next progress: one kernel follows the other
            self._announcer.say("preparing")

    def _say_progress(self, progress: Progress) -> None:
        self._is_preparing = False
        place: dict[str, Any] = {"stage": progress.stage, "step": progress.step, "total": progress.total}
        share = round(self._budget.share, 4)
        losses = {name: float(value) for name, value in progress.losses.items()}
        self._announcer.say("progress", **place, it_s=self._speed(), losses=losses, preview_share=share)
        self._heartbeat.note(**place, preview_share=share)

    def _speed(self) -> float:
        """Steps a second over the last seconds; 0 while unknown."""
        while len(self._speeds) > 2 and self._speeds[-1][0] - self._speeds[0][0] > _SPEED_SECONDS:
            self._speeds.popleft()
        (began, first), (now, last) = self._speeds[0], self._speeds[-1]
        return round((last - first) / (now - began), 3) if now > began else 0.0

    def _keep_preview(self, preview: SceneData) -> None:
        self._last_preview = preview
        self._folder.write_preview(preview)
        self._budget.count()
        self._announcer.say("preview", kind=native.kind_of(preview), path="previews/latest.npz")

    def _finish(self, result: Result | None) -> None:
        """Store the result; where a stopped method gave none, the last preview."""
        is_stopped = self._has_stopped
        self._enter("saving")
        if result is None:
            kept = () if self._last_preview is None else (Output(self._title, self._last_preview),)
            result = Result(kept, {"from_preview": True} if kept else {})
        record = {
            "figures": dict(result.figures),
            "stopped": is_stopped,
            "preview_share": round(self._budget.share, 4),
            **self._heartbeat.costs(),
        }
        self._folder.write_result(result.outputs, record)
        self._announcer.say("done", **self._folder.result_record)
        self._enter("stopped" if is_stopped else "done")

    def _fail(self, error: Exception) -> None:
        where = f"step {self._progress.step} of {self._progress.stage}" if self._progress.stage else ""
        failure = describe_failure(error, where)
        fields = _error_fields(failure)
        self._announcer.say("error", **fields)
        self._enter("failed", error=fields)

    def _say_checkpoint(self, path: Path) -> None:
        name = path.relative_to(self._folder.path).as_posix()
        self._announcer.say("checkpoint", step=self._progress.step, path=name)

    def _enter(self, state: str, **changes: Any) -> None:
        self._state = state
        self._heartbeat.update(state=state, **changes)
        self._announcer.say("state", state=state)


def _error_fields(error: ReconError) -> dict[str, str]:
    return {
        "kind": type(error).__name__,
        "sentence": error.sentence,
        "advice": error.advice,
        "details": error.details,
    }
