"""Jobs and the queue: real workers, driven through Qt signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from pytestqt.qtbot import QtBot

from app.job_states import ENDED, OFFERS, STARTABLE, JobState, may_follow
from app.jobs import Job, JobQueue, JobResult
from app.time_left import TimeLeft, describe_duration, describe_time_left
from recon import run_folder
from recon.run_folder import RunFolder
from tests.recon.toy_methods import AT

WAIT_MS = 30_000


def workers_alive() -> list[psutil.Process]:
    """Processes of ours that run Python; the X server of the tests does not."""
    family = psutil.Process().children(recursive=True)
    return [child for child in family if child.status() != "zombie" and "python" in child.name()]


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """No process and no thread outlives a test."""
    threads = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while workers_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workers_alive() == []
    assert set(threading.enumerate()) <= threads


@pytest.fixture
def queue(qtbot: QtBot) -> Iterator[JobQueue]:
    """A queue that is closed at the end."""
    queue = JobQueue(keeps_warm=False)
    yield queue
    queue.close()


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., Job]:
    """Make a job that counts."""
    numbers = iter(range(100))

    def make(grace: float = 10.0, **settings: Any) -> Job:
        folder = run_folder.create(
            tmp_path / f"run-{next(numbers)}", AT, settings, {}, checkpoint_seconds=0.1
        )
        return Job(folder, grace=grace)

    return make


def states_of(job: Job) -> list[JobState]:
    """Grows with every state that the job enters, checking that it may."""
    states = [job.state]

    def note(value: str) -> None:
        assert may_follow(states[-1], JobState(value)), f"{value} after {states[-1]}"
        states.append(JobState(value))

    job.state_changed.connect(note)
    return states


def wait_for(qtbot: QtBot, job: Job, state: JobState) -> None:
    qtbot.waitUntil(lambda: job.state is state, timeout=WAIT_MS)


def wait_for_step(qtbot: QtBot, job: Job, step: int) -> None:
    qtbot.waitUntil(lambda: job.progress.step >= step, timeout=WAIT_MS)


def test_a_job_runs_from_ready_to_done_and_gives_its_result(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    job = make_job(steps=30)
    states, previews, results, steps = states_of(job), [], [], []
    job.previewed.connect(previews.append)
    job.finished.connect(results.append)
    job.progressed.connect(lambda progress: steps.append(progress.step))
    queue.add(job)
    wait_for(qtbot, job, JobState.DONE)
    assert states == [
        JobState.READY,
        JobState.QUEUED,
        JobState.STARTING,
        JobState.RUNNING,
        JobState.SAVING,
        JobState.DONE,
    ]
    assert isinstance(results[0], JobResult)
    assert results == [job.result]
    assert results[0].figures["sum"] == 465
    assert np.ptp(results[0].outputs[0].data.vertices, axis=0) == pytest.approx([465, 465, 465])
    assert not results[0].is_stopped
    assert results[0].peak_bytes > 10e6
    assert steps[0] == 1
    assert steps[-1] == 30
    assert steps == sorted(steps)
    assert len(previews) >= 1


def test_a_pause_stands_still_within_a_second_and_resume_goes_on(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    job = make_job(steps=2000, seconds=0.02)
    queue.add(job)
    wait_for_step(qtbot, job, 3)
    began = time.monotonic()
    job.pause()
    wait_for(qtbot, job, JobState.PAUSED)
    assert time.monotonic() - began < 1.5
    qtbot.wait(150)
    step = job.progress.step
    qtbot.wait(500)
    assert job.progress.step == step
    assert job.folder.has_checkpoint
    job.resume()
    wait_for(qtbot, job, JobState.RUNNING)
    wait_for_step(qtbot, job, step + 3)
    job.cancel()
    wait_for(qtbot, job, JobState.CANCELLED)


def test_stop_keeps_what_there_is_and_the_run_resumes_from_there(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    job = make_job(steps=100, seconds=0.02)
    states = states_of(job)
    queue.add(job)
    wait_for_step(qtbot, job, 5)
    job.stop()
    wait_for(qtbot, job, JobState.STOPPED)
    assert job.result is not None
    assert job.result.is_stopped
    assert len(job.result.outputs) == 1
    queue.add(job)
    wait_for(qtbot, job, JobState.DONE)
    assert job.result.figures["sum"] == 5050
    assert job.result.figures["resumed_from"] >= 5
    assert states.count(JobState.STARTING) == 2


def test_a_killed_worker_is_interrupted_says_why_and_resumes(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    job = make_job(steps=150, seconds=0.02)
    queue.add(job)
    wait_for_step(qtbot, job, 20)
    with qtbot.waitSignal(job.failed, timeout=WAIT_MS) as failed:
        psutil.Process(job.folder.status().pid).kill()
    assert job.state is JobState.INTERRUPTED
    assert failed.args[0].code == "E16"
    assert "memory" in failed.args[0].sentence
    assert Job(job.folder).state is JobState.INTERRUPTED
    queue.add(job)
    wait_for(qtbot, job, JobState.DONE)
    assert job.result is not None
    assert job.result.figures["sum"] == 11325
    assert job.result.figures["resumed_from"] > 0


@pytest.mark.parametrize(
    ("trouble", "code", "sentence"),
    [
        ("input", "", "Plane 5 has an open contour."),
        ("memory", "E14", "Not enough memory at step 4 of Counting."),
        ("cuda memory", "E14", "Not enough GPU memory at step 4 of Counting."),
        ("bug", "", "The run ended with an unexpected error."),
    ],
)
def test_a_failure_is_told_in_words_with_the_traceback_only_in_the_details(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job], trouble: str, code: str, sentence: str
) -> None:
    job = make_job(trouble=trouble)
    reports = []
    job.failed.connect(reports.append)
    queue.add(job)
    wait_for(qtbot, job, JobState.FAILED)
    assert [report.sentence for report in reports] == [sentence]
    assert reports[0].code == code
    assert reports[0].advice
    assert "Traceback" not in str(reports[0])
    assert Job(job.folder).error == reports[0]


def test_a_worker_that_does_not_obey_a_cancel_is_ended_with_all_it_started(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    job = make_job(grace=0.5, seconds=0.12, trouble="hang")
    queue.add(job)
    wait_for_step(qtbot, job, 4)
    family = psutil.Process(job.folder.status().pid)
    qtbot.waitUntil(lambda: len(family.children()) == 1, timeout=WAIT_MS)
    members = [family, *family.children()]
    job.cancel()
    wait_for(qtbot, job, JobState.CANCELLED)
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in members)


def test_a_worker_that_does_not_obey_a_stop_still_leaves_its_last_preview(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    job = make_job(grace=0.5, seconds=0.12, trouble="hang")
    queue.add(job)
    wait_for_step(qtbot, job, 4)
    qtbot.wait(100)
    job.stop()
    wait_for(qtbot, job, JobState.STOPPED)
    assert job.result is not None
    assert job.result.figures == {"from_preview": True}
    assert job.folder.status().state == "stopped"


def test_two_queued_jobs_run_in_order_and_cancelling_the_first_starts_the_second(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    first, second, third = make_job(steps=5000, seconds=0.02), make_job(steps=3), make_job(steps=3)
    order = []
    for job in (first, second, third):
        job.state_changed.connect(lambda state, job=job: order.append((job, state)))
        queue.add(job)
    wait_for_step(qtbot, first, 2)
    assert (second.state, third.state) == (JobState.QUEUED, JobState.QUEUED)
    queue.move(third, -1)
    assert queue.jobs == (first, third, second)
    queue.move(third, +1)
    first.cancel()
    for job in (second, third):
        wait_for(qtbot, job, JobState.DONE)
    assert order.index((first, "cancelled")) < order.index((second, "starting"))
    assert order.index((second, "done")) < order.index((third, "starting"))


def test_after_a_job_another_worker_is_kept_warm(qtbot: QtBot, make_job: Callable[..., Job]) -> None:
    queue = JobQueue()
    assert not queue.has_warm_worker
    queue.warm_up()
    (first,) = workers_alive()
    queue.add(make_job(steps=3))
    qtbot.waitUntil(lambda: queue.jobs[0].state is JobState.DONE, timeout=WAIT_MS)
    assert queue.jobs[0].folder.recorded_status().pid == first.pid
    qtbot.waitUntil(lambda: queue.has_warm_worker, timeout=WAIT_MS)
    queue.close()
    assert not queue.has_warm_worker


def test_a_queued_job_can_be_removed_and_added_again(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    first, second = make_job(steps=5000, seconds=0.02), make_job(steps=3)
    queue.add(first)
    queue.add(second)
    queue.remove(second)
    assert second.state is JobState.READY
    assert queue.jobs == (first,)
    wait_for_step(qtbot, first, 1)
    queue.remove(first)
    assert queue.jobs == (first,)
    first.cancel()
    wait_for(qtbot, first, JobState.CANCELLED)


def test_closing_the_queue_ends_every_process_and_keeps_a_checkpoint(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    job = make_job(steps=5000, seconds=0.02)
    queue.add(job)
    wait_for_step(qtbot, job, 3)
    queue.warm_up()
    queue.close()
    assert workers_alive() == []
    assert job.folder.has_checkpoint
    assert job.folder.status().state == "interrupted"


def test_a_run_that_keeps_running_is_taken_up_again_by_the_next_window(
    qtbot: QtBot, queue: JobQueue, make_job: Callable[..., Job]
) -> None:
    job = make_job(steps=5000, seconds=0.02)
    queue.add(job)
    wait_for_step(qtbot, job, 3)
    pid = job.folder.status().pid
    queue.close(keep_running=True)
    time.sleep(0.5)
    again = Job(RunFolder(job.folder.path))
    assert again.state is JobState.RUNNING
    wait_for_step(qtbot, again, job.progress.step + 10)
    again.pause()
    wait_for(qtbot, again, JobState.PAUSED)
    again.resume()
    wait_for(qtbot, again, JobState.RUNNING)
    again.stop()
    wait_for(qtbot, again, JobState.STOPPED)
    assert again.result is not None
    again.close()
    with pytest.raises((psutil.NoSuchProcess, psutil.TimeoutExpired)):
        # Popen's child of this test process: reaped here, as init would after the first window.
        psutil.Process(pid).wait(5)
        psutil.Process(pid)


def test_a_job_whose_process_died_unseen_is_interrupted(make_job: Callable[..., Job], qtbot: QtBot) -> None:
    folder = make_job().folder
    folder.write_status(
        run_folder.RunStatus(state="running", pid=psutil.Process().pid, pid_start_time=1.0, host="elsewhere")
    )
    assert Job(folder).state is JobState.INTERRUPTED


def test_each_state_offers_the_buttons_of_the_design() -> None:
    assert set(OFFERS) == set(JobState)
    assert OFFERS[JobState.RUNNING].buttons == ("pause", "checkpoint", "stop", "cancel")
    assert OFFERS[JobState.DRAFT].buttons == ("check",)
    assert OFFERS[JobState.PAUSED].primary == "resume"
    for state in (JobState.PAUSING, JobState.STOPPING, JobState.SAVING):
        assert OFFERS[state].buttons == ()
        assert OFFERS[state].badge == "amber"
    for state in STARTABLE - {JobState.READY, JobState.FAILED}:
        assert OFFERS[state].primary == "resume"
    for state in ENDED:
        assert may_follow(state, JobState.QUEUED)
        assert not may_follow(state, JobState.RUNNING)


def test_the_time_left_is_right_within_a_quarter_at_constant_speed() -> None:
    time_left = TimeLeft()
    rng = np.random.default_rng(0)
    for step in range(1, 400):
        time_left.add("Training", step, 1000, step * 0.1 + rng.uniform(-0.02, 0.02))
    assert time_left.seconds == pytest.approx(60.1, rel=0.25)


def test_the_time_left_is_not_told_too_early_and_starts_anew_with_a_stage() -> None:
    time_left = TimeLeft()
    for step in range(1, 10):
        time_left.add("Solving", step, 100, step * 0.1)
    assert time_left.seconds is None
    assert describe_time_left(time_left.seconds) == "estimating"
    time_left.add("Solving", 60, 100, 6.0)
    assert time_left.seconds is not None
    time_left.add("Extracting", 1, 10, 6.1)
    assert time_left.seconds is None


def test_the_time_left_reads_as_in_the_design() -> None:
    assert describe_time_left(192, datetime(2026, 1, 1, 14, 2)) == "03:12 left (done 14:05)"
    assert describe_duration(3792) == "1:03:12"
