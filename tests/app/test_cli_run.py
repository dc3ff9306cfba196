"""Methods run from the command line: figures, failures, Ctrl+C, going on."""

from __future__ import annotations

import errno
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

import recon
from app import cli_run
from recon import formats
from recon.errors import FormatError
from tests.app.command_line import PROJECT, Run
from tests.make_samples import BEAN_FILE, bean_mesh
from tests.recon.toy_methods import COUNT


@pytest.fixture
def with_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The method that counts, in the menu of this process."""
    counted = COUNT.__class__(**{**vars(COUNT), "id": "count"})
    monkeypatch.setattr(recon, "METHODS", (*recon.METHODS, counted))
    create = cli_run.run_folder.create

    def create_elsewhere(folder: Path, method_id: str, *rest: Any, **more: Any) -> Any:
        # The worker's menu does not have it, so it is told where it is.
        return create(
            folder, "tests.recon.toy_methods:COUNT" if method_id == "count" else method_id, *rest, **more
        )

    monkeypatch.setattr(cli_run.run_folder, "create", create_elsewhere)


@pytest.mark.usefixtures("with_count")
def test_the_last_line_sums_up_costs_and_figures(isokiln: Run, tmp_path: Path) -> None:
    status, text, errors = isokiln("run", "count", "-o", tmp_path / "count.ply", "--steps", 4)
    assert status == 0, errors
    assert re.fullmatch(
        r".*count\.ply · 00:\d\d wall, \d+\.\d CPU-s · \d+ MiB peak · sum 10 · resumed from 0 · seed 0",
        text.strip().splitlines()[-1],
    )
    assert "Counting: 4/4" in errors


@pytest.mark.usefixtures("with_count")
def test_a_failed_run_gives_sentence_and_advice_without_a_traceback(isokiln: Run, tmp_path: Path) -> None:
    words = ("run", "count", "-o", tmp_path / "count.ply", "--trouble")
    status, _, errors = isokiln(*words, "input")
    assert status == 1
    assert "isokiln: Plane 5 has an open contour.\n  Close it." in errors
    status, _, errors = isokiln(*words, "bug")
    assert status == 1
    assert "Traceback" not in errors
    assert "--details" in errors
    _, _, errors = isokiln(*words, "bug", "--details")
    assert "KeyError: 'a bug of ours'" in errors
    status, _, errors = isokiln(*words, "kill")
    assert status == 1
    assert "killed, most often by the system because memory ran out" in errors
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("with_count")
def test_a_result_that_cannot_be_written_is_kept_and_told_where(
    isokiln: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> list[Path]:
        raise PermissionError(errno.EACCES, "Permission denied", "count.ply")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(cli_run, "write_outputs", refuse)
        status, _, errors = isokiln("run", "count", "-o", tmp_path / "count.ply")
    assert status == 1 and "Traceback" not in errors
    (folder,) = tmp_path.glob("isokiln-count-*")
    assert f"The result is kept in {folder}." in errors
    assert f"--folder {folder}" in errors
    assert cli_run.RunFolder(folder).outputs


def test_a_mesh_given_as_slices_is_refused_by_its_own_name(isokiln: Run, tmp_path: Path) -> None:
    formats.write(tmp_path / "bean.ply", bean_mesh())
    status, _, errors = isokiln("run", "orex", tmp_path / "bean.ply", "-o", tmp_path / "x.glb")
    assert status == 1
    assert "bean.ply does not hold cross-sections" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["bean.ply"]


@pytest.mark.usefixtures("with_count")
def test_ctrl_c_keeps_a_checkpoint_says_how_to_resume_and_the_same_folder_goes_on(
    isokiln: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    words = (
        "run",
        "count",
        "-o",
        tmp_path / "count.ply",
        "--folder",
        folder,
        "--steps",
        40,
        "--seconds",
        0.05,
    )
    show = cli_run.RunProgress.show

    def show_and_interrupt(progress: cli_run.RunProgress, event: Any) -> None:
        show(progress, event)
        if event["event"] == "progress" and event["step"] >= 10:
            monkeypatch.setattr(cli_run.RunProgress, "show", show)
            raise KeyboardInterrupt

    monkeypatch.setattr(cli_run.RunProgress, "show", show_and_interrupt)
    status, _, errors = isokiln(*words)
    assert status == 130
    assert f"To go on: isokiln run count -o {tmp_path / 'count.ply'} --folder {folder}" in errors
    monkeypatch.setattr(
        recon,
        "METHODS",
        (*recon.METHODS, COUNT.__class__(**{**vars(COUNT), "id": "tests.recon.toy_methods:COUNT"})),
    )
    status, _, errors = isokiln("run", "tests.recon.toy_methods:COUNT", *words[2:], "--seed", 1)
    assert status == 2
    assert "holds a run of another" in errors
    status, text, errors = isokiln("run", "tests.recon.toy_methods:COUNT", *words[2:])
    assert status == 0, errors
    assert "Resuming" in errors
    assert "sum 820" in text
    assert "resumed from 1" in text


def _heed_ctrl_c() -> None:
    """A shell lets what it starts in the background ignore SIGINT, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_real_ctrl_c_ends_the_program_and_its_worker(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "app",
        "run",
        "orex",
        BEAN_FILE,
        "-o",
        tmp_path / "bean.glb",
        "--folder",
        folder,
    ]
    with subprocess.Popen(
        command, cwd=PROJECT, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_ctrl_c
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not (folder / "events.jsonl").exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert "To go on:" in errors
    assert "Traceback" not in errors
    status = cli_run.RunFolder(folder).status()
    assert status.state == "interrupted"


def test_progress_on_a_terminal_is_one_line_with_a_bar() -> None:
    parent, child = pty.openpty()
    with os.fdopen(child, "w") as stream:
        progress = cli_run.RunProgress(stream)
        for step in (1, 50, 100):
            progress.show(
                {
                    "event": "progress",
                    "stage": "Training",
                    "step": step,
                    "total": 100,
                    "it_s": 20.0,
                    "time": step / 20,
                }
            )
            time.sleep(0.11)
        progress.close()
        written = b""
        while not written.endswith(b"\n"):
            written += os.read(parent, 10_000)
        text = written.decode()
    os.close(parent)
    assert text.count("\n") == 1
    assert "━" in text
    assert "Training" in text
    assert "100/100  20 it/s" in text
    assert "left (done" in text


def test_running_without_qt_installed_works_from_slices_to_mesh(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    for name in ("PySide6", "vtkmodules", "pyvista", "pyvistaqt", "pyqtgraph"):
        (hidden / name).mkdir(parents=True)
        (hidden / name / "__init__.py").write_text("raise ImportError('not installed here')")
    environment = {**os.environ, "PYTHONPATH": str(hidden)}
    environment.pop("DISPLAY", None)
    output = tmp_path / "bean.ply"
    command = ["run", "orex", BEAN_FILE, "-o", output, "--preset", "quick", "--resolution", "49"]
    done = subprocess.run(
        [sys.executable, "-m", "app", *map(str, command)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert output.exists()


def test_output_endings_are_checked_before_the_work() -> None:
    with pytest.raises(FormatError, match="No format has this ending"):
        cli_run.check_output(Path("x.exe"), [])
