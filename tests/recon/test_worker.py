"""Run folders and the worker: what is promised when a run is stopped, killed, resumed or fails."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from recon import run_folder
from recon.active_run import ActiveRun
from recon.announcer import Announcer
from recon.commands import Commands
from recon.errors import FormatError, InputError, SettingsError
from recon.failure import describe_failure
from recon.pacing import Checkpoints, PreviewBudget
from recon.run_folder import EventTail, RunFolder, RunStatus
from recon.run_lock import RunLock
from recon.run_request import choose_device
from tests.make_samples import BEAN_FILE
from tests.recon.toy_methods import AT, tetrahedron

PROJECT = Path(__file__).parents[2]
MakeRun = Callable[..., RunFolder]
StartWorker = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Make a run folder of the method that counts."""

    def make(*, checkpoint_seconds: float = 0.05, preview_share: float = 0.05, **settings: Any) -> RunFolder:
        return run_folder.create(
            tmp_path / "run",
            AT,
            settings,
            {"solid": tetrahedron(1)},
            seed=7,
            checkpoint_seconds=checkpoint_seconds,
            preview_share=preview_share,
        )

    return make


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    """Start `python -m recon.worker FOLDER` with pipes; whatever still runs at the end is killed."""
    started = []

    def start(folder: RunFolder, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "recon.worker", str(folder.path)],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        run_folder.end_process_tree(process.pid)
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def run_here(folder: RunFolder, commands: Commands | None = None) -> list[dict[str, Any]]:
    """Run a folder in this process. Returns the events of this attempt."""
    tail = EventTail(folder, from_end=True)
    ActiveRun(folder, commands or Commands(), Announcer(folder)).execute()
    return tail.read_new()


def named(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name]


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def step_of(folder: RunFolder) -> int:
    return max((event["step"] for event in named(folder.events(), "progress")), default=0)


def test_a_run_leaves_its_result_figures_and_costs_in_its_folder(make_run: MakeRun) -> None:
    folder = make_run(steps=20)
    assert folder.status().state == "ready"
    events = run_here(folder)
    status = folder.status()
    assert status.state == "done"
    assert (status.step, status.total, status.stage) == (20, 20, "Counting")
    assert folder.figures == {"sum": 210, "resumed_from": 0, "seed": 7, "inputs": ["solid"]}
    (output,) = folder.outputs
    assert output.name == "Count"
    np.testing.assert_array_equal(output.data.vertices, tetrahedron(210).vertices)
    done = named(events, "done")[0]
    assert done["figures"]["sum"] == 210
    assert done["outputs"][0]["kind"] == "mesh"
    assert 0.1 <= done["wall_s"] < 30
    assert 0 <= done["cpu_s"] < 30
    assert done["peak_bytes"] > 10e6
    assert [event["state"] for event in named(events, "state")] == ["running", "saving", "done"]
    assert named(events, "progress")[-1]["losses"] == {"left": 0}


def test_a_worker_process_says_its_events_on_standard_output_and_nothing_else(
    make_run: MakeRun, start_worker: StartWorker
) -> None:
    folder = make_run(steps=10, trouble="print")
    process = start_worker(folder)
    assert process.stdout is not None
    assert process.stderr is not None
    events = [json.loads(line) for line in process.stdout]
    errors = process.stderr.read()
    assert events == folder.events()
    assert events[0]["event"] == "hello"
    assert events[-1] == {**events[-1], "event": "state", "state": "done"}
    assert "a library prints this" in errors
    assert "and a C library this" in errors


@pytest.mark.parametrize("kill_at", [0, 1, 12, 33])
def test_a_run_killed_at_any_moment_is_interrupted_and_comes_to_the_same_result(
    make_run: MakeRun, start_worker: StartWorker, tmp_path: Path, kill_at: int
) -> None:
    mark = tmp_path / "it waits"
    folder = make_run(steps=40, seconds=0.03, hold_after=kill_at, hold_mark=str(mark))
    process = start_worker(folder)
    wait_until(mark.exists, 60)
    process.kill()
    process.wait()
    assert folder.status().state == "interrupted"
    assert not folder.has_result
    arrays = Checkpoints(folder.path / "checkpoints", 1.0).load()
    kept = int(arrays["step"]) if arrays else 0
    assert kept <= kill_at and (kept > 0 or kill_at < 12)
    events = run_here(folder)
    assert folder.status().state == "done"
    assert folder.figures["sum"] == 820
    assert folder.figures["resumed_from"] == kept
    assert named(events, "hello")[0]["resumed"] == (kept > 0)
    assert folder.status().attempt == 2


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_solid(tmp_path: Path, start_worker: StartWorker) -> None:
    settings = {
        "prior": "neural", "networks": 1, "steps": 400, "batch_size": 512, "resolution": 49, "uncertainty": False,
    }  # fmt: skip
    meshes = []
    for name in ("whole", "killed"):
        folder = run_folder.create(
            tmp_path / name,
            "orex",
            settings,
            {"sections": BEAN_FILE},
            checkpoint_seconds=0.3,
            preview_share=0,
        )
        if name == "killed":
            process = start_worker(folder)
            wait_until(lambda folder=folder: training_step(folder) >= 40 and folder.has_checkpoint, 60)
            process.kill()
            process.wait()
            assert folder.status().state == "interrupted"
        tail = EventTail(folder, from_end=True)
        # A pipe that nobody reads fills up where a slow machine tells of every step, and the worker waits for ever.
        assert start_worker(folder, subprocess.DEVNULL).wait(200) == 0
        assert folder.status().state == "done"
        events = tail.read_new()
        meshes.append(folder.outputs[0].data)
    assert named(events, "hello")[0]["resumed"]
    assert min(e["step"] for e in named(events, "progress") if e["stage"] == "Neural prior") > 5
    whole, killed = meshes
    np.testing.assert_array_equal(killed.faces, whole.faces)
    np.testing.assert_allclose(killed.vertices, whole.vertices, atol=1e-5)


def training_step(folder: RunFolder) -> int:
    events = named(folder.events(), "progress")
    return max((event["step"] for event in events if event["stage"] == "Neural prior"), default=0)


def test_a_torn_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, 0)
    for step in range(4):
        checkpoints.save({"step": np.array(step), "weights": np.full(1000, step)})
    newest = checkpoints.paths()[-1]
    assert len(checkpoints.paths()) == 2
    whole = newest.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        newest.write_bytes(whole[:size])
        arrays = checkpoints.load()
        assert arrays is not None
        assert arrays["step"] == 2
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    newest.write_bytes(flipped)
    assert (checkpoints.load() or {})["step"] == 2
    (tmp_path / ".half.npz").write_bytes(b"x")
    checkpoints.sweep()
    assert not list(tmp_path.glob(".*"))


def test_a_pause_and_a_command_save_checkpoints_between_the_regular_ones(make_run: MakeRun) -> None:
    folder = make_run(steps=300, seconds=0.01, checkpoint_seconds=1000)
    commands = Commands()
    thread = threading.Thread(target=run_here, args=(folder, commands))
    thread.start()
    wait_until(lambda: step_of(folder) > 3)
    assert not folder.has_checkpoint
    folder.send("checkpoint")
    wait_until(lambda: folder.has_checkpoint)
    commands.take("pause")
    wait_until(lambda: folder.status().state == "paused")
    assert len(list((folder.path / "checkpoints").iterdir())) == 2
    before = folder.status()
    time.sleep(0.3)
    commands.take("resume")
    wait_until(lambda: folder.status().state == "running")
    assert folder.status().wall_s - before.wall_s < 0.3
    commands.take("cancel")
    thread.join(20)
    assert folder.status().state == "cancelled"
    assert folder.has_checkpoint
    assert not folder.has_result


@pytest.mark.parametrize("keeps_on_stop", [True, False])
def test_stop_gives_the_methods_own_result_or_else_its_last_preview(
    make_run: MakeRun, keeps_on_stop: bool
) -> None:
    folder = make_run(steps=1000, seconds=0.01, keeps_on_stop=keeps_on_stop, preview_share=0.5)
    commands = Commands()
    thread = threading.Thread(target=run_here, args=(folder, commands))
    thread.start()
    wait_until(lambda: step_of(folder) > 5)
    commands.take("stop")
    thread.join(20)
    assert folder.status().state == "stopped"
    assert folder.has_checkpoint
    assert folder.result_record["stopped"]
    assert len(folder.outputs) == 1
    assert ("sum" in folder.figures) == keeps_on_stop
    assert folder.figures.get("from_preview", False) != keeps_on_stop


def test_a_worker_whose_parent_is_gone_keeps_a_checkpoint_and_ends(
    make_run: MakeRun, start_worker: StartWorker
) -> None:
    folder = make_run(steps=5000, seconds=0.02, checkpoint_seconds=1000)
    process = start_worker(folder)
    wait_until(lambda: step_of(folder) > 2)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    assert process.wait(10) == 0
    assert folder.status().state == "interrupted"
    assert folder.has_checkpoint


def test_a_worker_that_was_told_to_keep_running_outlives_its_parent(
    make_run: MakeRun, start_worker: StartWorker
) -> None:
    folder = make_run(steps=60, seconds=0.02)
    process = start_worker(folder)
    wait_until(lambda: step_of(folder) > 2)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("keep\n")
    process.stdin.close()
    process.stdout.close()
    assert process.wait(20) == 0
    assert folder.status().state == "done"


def test_an_end_of_input_that_is_no_closed_pipe_changes_nothing(make_run: MakeRun) -> None:
    folder = make_run(steps=5)
    command = [sys.executable, "-m", "recon.worker", str(folder.path)]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=PROJECT, check=True)
    assert folder.status().state == "done"


def test_ctrl_c_keeps_a_checkpoint(make_run: MakeRun, start_worker: StartWorker) -> None:
    folder = make_run(steps=5000, seconds=0.02, checkpoint_seconds=1000)
    process = start_worker(folder)
    wait_until(lambda: step_of(folder) > 2)
    os.kill(process.pid, 2)
    assert process.wait(10) == 0
    assert folder.status().state == "interrupted"
    assert folder.has_checkpoint


def test_a_folder_runs_in_one_process_at_a_time(make_run: MakeRun, start_worker: StartWorker) -> None:
    folder = make_run(steps=5000, seconds=0.02)
    start_worker(folder)
    wait_until(lambda: step_of(folder) > 2)
    events = run_here(folder)
    assert "already under way" in named(events, "error")[0]["sentence"]
    assert folder.status().state == "running"


def test_of_two_workers_that_start_at_once_one_is_refused(make_run: MakeRun) -> None:
    """The other has the lock already, but has not yet written that it runs."""
    folder = make_run(steps=3)
    other = RunLock(folder.path)
    assert other.take()
    events = run_here(folder)
    assert "already under way" in named(events, "error")[0]["sentence"]
    assert not folder.has_result
    other.release()
    assert not named(run_here(folder), "error")
    assert folder.status().state == "done"


def test_a_failed_run_tells_why_and_can_run_again(make_run: MakeRun) -> None:
    folder = make_run(trouble="input")
    (error,) = named(run_here(folder), "error")
    assert error["sentence"] == "Plane 5 has an open contour."
    assert error["advice"] == "Close it."
    assert error["details"] == "ring 2"
    assert error["kind"] == "InputError"
    assert folder.status().state == "failed"
    assert folder.status().error["sentence"] == error["sentence"]


def test_any_exception_becomes_a_sentence_with_the_traceback_in_the_details() -> None:
    for error in (MemoryError(), RuntimeError("[enforce fail] not enough memory: you tried to allocate 9")):
        assert describe_failure(error).sentence == "Not enough memory."
    cuda = describe_failure(RuntimeError("CUDA out of memory"), "step 210 of Training")
    assert cuda.sentence == "Not enough GPU memory at step 210 of Training."
    assert describe_failure(OSError(28, "No space left")).sentence == "The disk is full."
    missing = describe_failure(ModuleNotFoundError("No module named 'torch'", name="torch"))
    assert "torch" in missing.sentence
    try:
        raise KeyError("x")
    except KeyError as error:
        failure = describe_failure(error)
    assert "KeyError" not in str(failure)
    assert "KeyError: 'x'" in failure.details


@pytest.mark.parametrize(
    ("settings", "inputs", "words"),
    [
        ({"steps": "many"}, {}, "steps cannot be 'many'"),
        ({"colour": 1}, {}, "colour"),
        ({}, {"solid": "missing.ply"}, "no such file"),
    ],
)
def test_wrong_settings_and_inputs_are_told_before_the_run(
    tmp_path: Path, settings: dict[str, Any], inputs: dict[str, str], words: str
) -> None:
    paths = {slot: tmp_path / name for slot, name in inputs.items()}
    folder = run_folder.create(tmp_path / "run", AT, settings, paths)
    (error,) = named(run_here(folder), "error")
    assert words in error["sentence"]
    assert folder.status().state == "failed"


def test_an_input_outlives_the_run_folder_that_it_came_from(make_run: MakeRun, tmp_path: Path) -> None:
    first = make_run()
    second = run_folder.create(tmp_path / "again", AT, {"steps": 2}, first.input_paths())
    shutil.rmtree(first.path)
    assert [path.exists() for path in second.input_paths().values()] == [True]
    run_here(second)
    assert second.figures["inputs"] == ["solid"]
    with pytest.raises(FormatError, match="cannot be read"):
        run_folder.create(tmp_path / "third", AT, {}, {"solid": tmp_path / "gone.npz"})


def test_previews_stay_within_their_share_of_the_time(make_run: MakeRun) -> None:
    folder = make_run(steps=60, seconds=0.02, preview_seconds=0.05, preview_share=0.1)
    events = run_here(folder)
    count = len(named(events, "preview"))
    assert 2 <= count <= 4
    assert folder.result_record["preview_share"] <= 0.11
    assert folder.preview() is not None


def test_without_a_share_there_are_no_previews_and_still_a_result(make_run: MakeRun) -> None:
    folder = make_run(steps=10, preview_share=0)
    events = run_here(folder)
    assert named(events, "preview") == []
    assert len(folder.outputs) == 1


def test_the_preview_budget_counts_cost_against_the_clock_and_honours_a_wish() -> None:
    now = [0.0]
    budget = PreviewBudget(0.1, lambda: now[0])
    assert budget.is_due()
    now[0] = 2.0
    budget.count()
    assert not budget.is_due()
    now[0] = 39.0
    assert not budget.is_due()
    now[0] = 40.0
    assert budget.is_due()
    now[0] = 41.0
    budget.count()
    assert budget.share == pytest.approx(3 / 41)
    budget.wanted = True
    assert budget.is_due()


def test_checkpoints_take_at_most_a_twentieth_of_the_time(tmp_path: Path) -> None:
    now = [0.0]
    checkpoints = Checkpoints(tmp_path, 1.0, lambda path: now.__setitem__(0, now[0] + 1), lambda: now[0])
    assert not checkpoints.is_due()
    now[0] = 1.0
    assert checkpoints.is_due()


def test_a_status_counts_as_alive_only_for_the_same_process_and_a_fresh_heartbeat_elsewhere() -> None:
    own = psutil.Process()
    here = RunStatus("running", own.pid, own.create_time(), host=os.uname().nodename)
    assert run_folder.is_alive(here)
    assert not run_folder.is_alive(RunStatus("running", own.pid, own.create_time() - 100, here.host))
    assert run_folder.is_alive(RunStatus("running", 1, 1, "elsewhere", heartbeat=time.time()))
    assert not run_folder.is_alive(RunStatus("running", 1, 1, "elsewhere", heartbeat=time.time() - 60))


def test_events_survive_a_torn_line(make_run: MakeRun) -> None:
    folder = make_run(steps=3)
    (folder.path / "events.jsonl").write_bytes(b'{"event": "hello", "pid": 1}\n{"event": "prog')
    tail = EventTail(folder)
    assert len(tail.read_new()) == 1
    Announcer(folder).say("log", level="info", text="after")
    assert [event["event"] for event in tail.read_new()] == ["log"]


def test_a_run_folder_is_not_overwritten_and_a_damaged_one_is_told(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run()
    with pytest.raises(InputError, match="already holds a run"):
        make_run()
    assert folder.manifest.seed == 7
    (folder.path / "run.json").write_text('{"method": 3')
    with pytest.raises(FormatError, match="damaged"):
        _ = folder.manifest
    with pytest.raises(FormatError, match="holds no run"):
        _ = RunFolder(tmp_path / "nowhere").manifest


def test_unknown_keys_of_a_manifest_are_kept(make_run: MakeRun) -> None:
    folder = make_run()
    values = json.loads((folder.path / "run.json").read_text())
    (folder.path / "run.json").write_text(json.dumps({**values, "x_note": "mine"}))
    assert folder.manifest.model_dump()["x_note"] == "mine"


def test_a_device_that_is_not_there_is_told() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") in ("cpu", "cuda")
    with pytest.raises(SettingsError, match="no device 'tpu'"):
        choose_device("tpu")


def test_what_listens_may_go_away_and_the_folder_still_records(make_run: MakeRun) -> None:
    folder = make_run(steps=2)
    lines = io.StringIO()
    announcer = Announcer(folder, lines)
    announcer.say("log", level="info", text="heard")
    lines.close()
    announcer.say("log", level="info", text="recorded")
    assert [event["text"] for event in folder.events()] == ["heard", "recorded"]
