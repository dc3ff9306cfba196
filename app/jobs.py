"""A method running in its own process, as Qt signals; and the queue that runs one after another."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import ErrorReport, describe_death, describe_error, describe_event
from app.job_states import ACTIVE, ENDED, OFFERS, STARTABLE, JobState, Offer
from app.time_left import TimeLeft, describe_time_left
from app.worker_process import WorkerProcess
from app.worker_thread import WorkerThread
from recon.errors import ReconError
from recon.method import Output
from recon.run_folder import EventTail, RunFolder, end_process_tree

_LOOK_MS = 100
_GRACE_SECONDS = 10.0  # of silence after a stop or cancel, then the process tree is ended
_LOG_TAIL = 4000  # characters of log.txt that go into the details of a crash


@dataclass(frozen=True)
class JobProgress:
    """Where a job stands. seconds_left: None while it is too early to tell."""

    stage: str = ""
    step: int = 0
    total: int = 0
    it_s: float = 0.0
    losses: Mapping[str, float] = field(default_factory=dict)
    preview_share: float = 0.0
    seconds_left: float | None = None
    is_preparing: bool = False  # kernels are being compiled

    @property
    def stage_words(self) -> str:
        """The stage, and why it takes longer this once."""
        words = "preparing calculations, once on this machine"
        return (
            (f"{self.stage}: {words}" if self.stage else words.capitalize())
            if self.is_preparing
            else self.stage
        )

    @property
    def fraction(self) -> float:
        """Done part of the stage, 0 to 1."""
        return self.step / self.total if self.total else 0.0

    @property
    def time_left(self) -> str:
        """ "03:12 left (done 14:05)", or "estimating"."""
        return describe_time_left(self.seconds_left)


@dataclass(frozen=True)
class JobResult:
    """What a run made. is_stopped: the person ended it early. Times add up over every attempt.

    names: of its outputs, which are read from the folder when they are asked for first, as they may be large."""

    folder: RunFolder
    names: tuple[str, ...]
    figures: Mapping[str, Any]
    is_stopped: bool
    wall_s: float
    cpu_s: float
    peak_bytes: int

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """What it made. Raises FormatError."""
        return self.folder.outputs


class Job(QObject):
    """One run folder, followed while its worker runs and commanded by the person.

    What happens is read from the folder, so a run that another program started is followed just as well.
    """

    state_changed = Signal(str)
    progressed = Signal(object)  # JobProgress
    previewed = Signal(object)  # scene data
    finished = Signal(object)  # JobResult
    failed = Signal(object)  # ErrorReport
    logged = Signal(str, str)  # level, text

    def __init__(
        self, folder: RunFolder, parent: QObject | None = None, grace: float = _GRACE_SECONDS
    ) -> None:
        super().__init__(parent)
        self.folder = folder
        self.progress = JobProgress()
        self.result: JobResult | None = None
        self.error: ErrorReport | None = None
        self._grace = grace
        self._worker: WorkerProcess | WorkerThread | None = None
        self.is_in_process = False  # whether its last attempt was computed by this program itself
        self._tail = EventTail(folder)
        self._time_left = TimeLeft()
        self._asked: str | None = None
        self._last_sign = 0.0
        self._began = self._ended = 0.0
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.state = JobState(folder.status().state)
        self._take_up()

    # What it is.

    @cached_property
    def title(self) -> str:
        """The run's title; the name of its folder where run.json is damaged."""
        try:
            manifest = self.folder.manifest
        except ReconError:
            return self.folder.path.name
        return manifest.title or manifest.method

    @property
    def offer(self) -> Offer:
        """The buttons and badge of its state."""
        return OFFERS[self.state]

    @property
    def elapsed_seconds(self) -> float:
        """Wall time of this attempt so far."""
        return (self._ended or time.time()) - self._began if self._began else 0.0

    # What the person may ask of it.

    def start(self, worker: WorkerProcess | WorkerThread) -> None:
        """Run the folder, from its checkpoint where it has one, in a worker that waits for one."""
        self.close()  # The worker of the last attempt may still be on its way out.
        self._worker = worker
        self.is_in_process = isinstance(worker, WorkerThread)
        self._tail = EventTail(self.folder, from_end=True)
        self._asked = self.result = self.error = None
        self._began = self._ended = 0.0
        self._set_state(JobState.STARTING)
        worker.run(self.folder.path)
        self._timer.start()

    def pause(self) -> None:
        self._ask("pause", JobState.PAUSING)

    def resume(self) -> None:
        """Go on after a pause. A run that has ended goes on through the queue."""
        if self.state is JobState.PAUSED:
            self._send("resume")

    def stop(self) -> None:
        """Finish the step, keep a checkpoint, and make a result of what there is."""
        self._ask("stop", JobState.STOPPING)

    def cancel(self) -> None:
        """End now; the last checkpoint stays."""
        if self.state is JobState.STARTING and self._worker is not None:
            self._asked = "cancel"
            self._worker.kill()
            self._look()
        else:
            self._ask("cancel", JobState.CANCELLING)

    def checkpoint(self) -> None:
        if self.state is JobState.RUNNING:
            self._send("checkpoint")

    def preview_now(self) -> None:
        if self.state is JobState.RUNNING:
            self._send("preview")

    def keep_running(self) -> None:
        """Have the worker go on after this program has ended."""
        self._send("keep")

    def leave(self) -> None:
        """Follow the run no longer, and leave its process to itself."""
        self._timer.stop()
        if self._worker is not None:
            self._worker.leave()
            self._worker = None

    def close(self, patience: float = 0.0) -> None:
        """Follow the run no longer; end a process that this program started, after it kept a checkpoint."""
        self._timer.stop()
        if self._worker is None:
            return
        self._worker.close(patience)
        self._worker = None
        if self.state in ACTIVE:
            self._set_state(JobState(self.folder.status().state))

    def _ask(self, command: str, state: JobState) -> None:
        """Send a command that a button offers now; what cannot be asked in this state does nothing."""
        if command in self.offer.buttons:
            self._asked = command
            self._last_sign = time.monotonic()
            self._set_state(state)
            self._send(command)

    def _send(self, command: str) -> None:
        if self._worker is not None:
            self._worker.send(command)
        elif self.state in ACTIVE:
            self.folder.send(command)

    def move_to(self, folder: RunFolder) -> None:
        """The run, which is not under way, lies in another folder now."""
        self.folder, self._tail = folder, EventTail(folder, from_end=True)

    def set_queued(self, is_queued: bool) -> None:
        """Told by the queue."""
        if is_queued:
            self._set_state(JobState.QUEUED)
        elif self.state is JobState.QUEUED:
            self._set_state(JobState(self.folder.status().state))

    # What happens to it.

    def _take_up(self) -> None:
        """Show what the folder tells; follow the run where it is under way."""
        if self.state in ACTIVE:
            self._timer.start()
        elif self.state in (JobState.DONE, JobState.STOPPED):
            self.result = self._read_result()
        elif self.state is JobState.FAILED:
            self.error = describe_event(self.folder.recorded_status().error)

    def _look(self) -> None:
        """Take in what the worker said; find out whether it still lives."""
        is_dead = self._is_dead()  # Asked first: what it said before it died is in the file by then.
        events = self._tail.read_new()
        if events:
            self._last_sign = time.monotonic()
        for event in events:
            self._take(event)
        if any(event["event"] == "preview" for event in events):
            self._show_preview()
        if is_dead:
            self._conclude()
        elif self._is_silent():
            self._end_silent()

    def _is_dead(self) -> bool:
        if self._worker is not None:
            return self._worker.exit_status is not None
        return JobState(self.folder.status().state) not in ACTIVE

    def _take(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "hello":
                self._began = event["time"]
            case "progress":
                self._take_progress(event)
            case "preparing":
                self.progress = replace(self.progress, is_preparing=True)
                self.progressed.emit(self.progress)
            case "log":
                self.logged.emit(event["level"], event["text"])
            case "error":
                self._fail(describe_event(event))
            case "done":
                self._finish()
            case "state":
                self._follow(JobState(event["state"]), event["time"])

    def _follow(self, state: JobState, when: float) -> None:
        if state is JobState.PAUSED:
            self._time_left.pause()
        if state in ENDED:
            self._ended = when
        self._set_state(state)

    def _take_progress(self, event: Mapping[str, Any]) -> None:
        self._time_left.add(event["stage"], event["step"], event["total"], event["time"])
        self.progress = JobProgress(
            stage=event["stage"],
            step=event["step"],
            total=event["total"],
            it_s=event["it_s"],
            losses=event["losses"],
            preview_share=event["preview_share"],
            seconds_left=self._time_left.seconds,
        )
        self.progressed.emit(self.progress)

    def _show_preview(self) -> None:
        try:
            preview = self.folder.preview()
        except ReconError as error:
            self.logged.emit("warning", str(error))
            return
        if preview is not None:
            self.previewed.emit(preview)

    def _read_result(self) -> JobResult | None:
        try:
            record = self.folder.result_record
        except ReconError as error:
            self._fail(describe_error(error))
            return None
        return JobResult(
            folder=self.folder,
            names=tuple(str(row["name"]) for row in record.get("outputs", ())),
            figures=self.folder.figures,
            is_stopped=bool(record.get("stopped")),
            wall_s=record.get("wall_s", 0.0),
            cpu_s=record.get("cpu_s", 0.0),
            peak_bytes=record.get("peak_bytes", 0),
        )

    def _finish(self) -> None:
        result = self._read_result()
        if result is None:
            return
        try:
            _ = result.outputs
        except ReconError as error:
            self._fail(describe_error(error))
            return
        self.result = result
        self.finished.emit(result)

    def _fail(self, report: ErrorReport) -> None:
        self.error = report
        self.failed.emit(report)

    def _is_silent(self) -> bool:
        has_asked = self._asked in ("stop", "cancel") and self.state in ACTIVE
        return has_asked and time.monotonic() - self._last_sign > self._grace

    def _end_silent(self) -> None:
        """It does not obey: end it and all it started."""
        if self._worker is not None:
            self._worker.kill()
        else:
            end_process_tree(self.folder.recorded_status().pid)

    def _conclude(self) -> None:
        """The process is gone. Where it did not say how it ended, find out."""
        self._timer.stop()
        exit_status, last_words = None, ""
        if self._worker is not None:
            exit_status = self._worker.exit_status
            last_words = self._worker.close()
            self._worker = None
        if self.state in ENDED:
            return
        self._ended = time.time()
        if self.error is not None:
            self._set_state(JobState.FAILED)
        elif self._asked == "cancel":
            self._set_state(JobState.CANCELLED)
        elif self._asked == "stop" and self.folder.keep_preview_as_result():
            self._finish()
            self._set_state(JobState.STOPPED)
        else:
            self._set_state(JobState.INTERRUPTED)
            self._fail(describe_death(exit_status, last_words + self._log_tail()))

    def _log_tail(self) -> str:
        try:
            return (self.folder.path / "log.txt").read_text(errors="replace")[-_LOG_TAIL:]
        except FileNotFoundError:
            return ""

    def _set_state(self, state: JobState) -> None:
        if state is not self.state:
            self.state = state
            self.state_changed.emit(state.value)


class JobQueue(QObject):
    """Runs one job at a time, in the order of the list, and keeps one warm worker for the next.

    keeps_warm: after a job, have another worker wait; it takes some 300 MB.
    """

    changed = Signal()  # the list, its order or a job's state

    def __init__(self, parent: QObject | None = None, *, keeps_warm: bool = True) -> None:
        super().__init__(parent)
        self._keeps_warm = keeps_warm
        self._jobs: list[Job] = []
        self._warm: WorkerProcess | None = None
        self._is_closed = False

    @property
    def jobs(self) -> Sequence[Job]:
        """Every job, in the order in which they run or ran."""
        return tuple(self._jobs)

    @property
    def current(self) -> Job | None:
        """The job that is under way."""
        return next((job for job in self._jobs if job.state in ACTIVE), None)

    @property
    def has_warm_worker(self) -> bool:
        return self._warm is not None and self._warm.exit_status is None

    def warm_up(self) -> None:
        """Have a worker import what is slow, so that the next run starts at once."""
        if not self.has_warm_worker and not self._is_closed:
            if self._warm is not None:
                self._warm.close()
            self._warm = WorkerProcess()

    def add(self, job: Job, *, start: bool = True) -> None:
        """Run a job as soon as those before it have ended; one that has ended goes on from its checkpoint.

        start=False only lists it, as do jobs that are under way or done already.
        """
        if job not in self._jobs:
            self._jobs.append(job)
            job.setParent(self)
            job.state_changed.connect(self._on_state_changed)
        if start and job.state in STARTABLE:
            job.set_queued(True)
            self._start_next()
        self.changed.emit()

    def remove(self, job: Job) -> None:
        """Take a job that is not under way off the list. Its folder stays."""
        if job in self._jobs and job.state not in ACTIVE:
            self._jobs.remove(job)
            job.state_changed.disconnect(self._on_state_changed)
            job.set_queued(False)
            self.changed.emit()

    def let_go(self, job: Job) -> None:
        """Leave a job that is under way to itself, off the list."""
        job.keep_running()
        job.leave()
        self._jobs.remove(job)
        job.state_changed.disconnect(self._on_state_changed)
        self.changed.emit()

    def move(self, job: Job, by: int) -> None:
        """Move a queued job up (by < 0) or down among the queued ones."""
        queued = [other for other in self._jobs if other.state is JobState.QUEUED]
        if job not in queued:
            return
        places = [self._jobs.index(other) for other in queued]
        target = min(max(queued.index(job) + by, 0), len(queued) - 1)
        queued.remove(job)
        queued.insert(target, job)
        for place, other in zip(places, queued, strict=True):
            self._jobs[place] = other
        self.changed.emit()

    def close(self, *, keep_running: bool = False, patience: float = 5.0) -> None:
        """End every process. The job under way keeps a checkpoint, within `patience` seconds, or runs on."""
        self._is_closed = True
        if self._warm is not None:
            self._warm.close()
            self._warm = None
        for job in self._jobs:
            if keep_running and job.state in ACTIVE:
                job.keep_running()
                job.leave()
            else:
                job.close(patience)

    def _on_state_changed(self, state: str) -> None:
        if JobState(state) in ENDED:
            QTimer.singleShot(0, self, self._start_next)
        self.changed.emit()

    def _start_next(self) -> None:
        """Start the first queued job, unless one is under way."""
        if self._is_closed or self.current is not None:
            return
        job = next((job for job in self._jobs if job.state is JobState.QUEUED), None)
        if job is None:
            if self._keeps_warm and any(job.state in ENDED and not job.is_in_process for job in self._jobs):
                self.warm_up()
            return
        worker = self._warm if self.has_warm_worker else None
        self._warm = None
        job.start(worker or WorkerProcess())
