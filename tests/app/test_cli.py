"""The command line, in this process and as a program of its own."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recon
from app import cli, cli_run
from app.__main__ import main
from app.cli_files import sample_folders
from app.cli_options import make_model
from app.doctor import Finding
from app.window_options import WindowOptions
from recon import formats
from recon.errors import FormatError, SettingsError
from recon.formats.reading import ReadOptions
from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from tests.make_samples import BEAN, BEAN_FILE, bean_mesh, bean_slices
from tests.recon.toy_methods import COUNT

PROJECT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def isokiln(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process: (exit status, standard output, standard error)."""

    def run(*words: object) -> tuple[int, str, str]:
        try:
            status = main([str(word) for word in words])
        except SystemExit as end:
            status = int(end.code or 0)
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


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


def program(*words: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the program with no display."""
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    command = [sys.executable, "-m", "app", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=environment, **more)


def test_the_command_line_imports_nothing_heavy() -> None:
    heavy = (
        "torch",
        "PySide6",
        "vtkmodules",
        "vtk",
        "pyvista",
        "open3d",
        "scipy",
        "numba",
        "skimage",
        "trimesh",
    )
    code = (
        "import sys; from app import __main__, cli, cli_run, cli_files, cli_system, doctor; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("words", [("methods",), ("--help",), ("run", "orex", "--help")])
def test_help_and_methods_answer_within_a_second(words: Sequence[str]) -> None:
    before = os.times()
    done = program(*words)
    after = os.times()
    assert done.returncode == 0
    assert done.stderr == ""
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1


def test_methods_are_listed_for_people_and_with_their_schema_for_programs(isokiln: Run) -> None:
    _, text, _ = isokiln("methods")
    assert all(method.title in text for method in recon.METHODS)
    _, text, _ = isokiln("methods", "--json")
    listed = {method["id"]: method for method in json.loads(text)}
    assert listed["orex"]["settings"]["properties"]["resolution"]["minimum"] == 33
    assert listed["orex"]["presets"].keys() == {"Quick check", "Balanced", "Best"}


def test_every_setting_is_an_option_with_its_range_and_default(isokiln: Run) -> None:
    status, text, _ = isokiln("run", "orex", "--help")
    flat = " ".join(text.split())
    assert status == 0
    for name in recon.method_by_id("orex").settings.model_fields:
        assert f"--{name.replace('_', '-')}" in flat
    assert "(33 to 385, cells, default 129)" in flat
    assert "--no-slope-correction" in flat


@pytest.mark.parametrize(
    ("method", "option"), [("romap.part", "masks"), ("romap.part", "scribbles"), ("romap.edit", "anchors")]
)
def test_the_help_of_parts_says_which_options_are_folders(isokiln: Run, method: str, option: str) -> None:
    status, text, _ = isokiln("run", method, "--help")
    assert status == 0
    assert f"--{option} FOLDER" in text


@pytest.mark.slow
def test_slices_become_a_solid_in_glb_with_its_figures(isokiln: Run, tmp_path: Path) -> None:
    output = tmp_path / "bean.glb"
    status, text, errors = isokiln(
        "run", "orex", BEAN_FILE, "-o", output, "--preset", "quick", "--resolution", 65, "--json"
    )
    assert status == 0, errors
    summary = json.loads(text)
    assert summary["files"] == [str(output)]
    assert summary["settings"]["resolution"] == 65
    assert summary["settings"]["prior"] == "none"
    assert summary["wall_s"] > 0
    assert summary["cpu_s"] > 0
    assert summary["peak_bytes"] > 50e6
    mesh = formats.read(output).data
    assert isinstance(mesh, TriangleMesh)
    assert mesh.volume == pytest.approx(bean_mesh().volume, rel=0.05)
    _, text, _ = isokiln("evaluate", output, write_true_bean(tmp_path), "--slices", BEAN_FILE, "--json")
    figures = json.loads(text)
    assert figures["iou"] > 0.93
    assert figures["slices"]["worst_slice_accuracy"] > 99
    assert len(figures["slices"]["planes"]) == 12


def write_true_bean(folder: Path) -> Path:
    formats.write(folder / "true.ply", bean_mesh())
    return folder / "true.ply"


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


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("run", "orex", BEAN_FILE, "-o", "x.glb", "--resolution", "7"), 2, "--resolution cannot be '7'"),
        (("run", "orex", BEAN_FILE, "-o", "x.glb", "--prior", "magic"), 2, "invalid choice: 'magic'"),
        (("run", "orex", BEAN_FILE), 2, "required: -o"),
        (("run", "sorcery", BEAN_FILE), 2, "There is no method 'sorcery'"),
        (("run", "orex", BEAN_FILE, "-o", "x.docx"), 1, "No format has this ending"),
        (("run", "orex", BEAN_FILE, "-o", "nowhere/x.glb"), 1, "There is no folder"),
        (("run", "orex", BEAN_FILE, "-o", BEAN_FILE), 1, "is the input"),
        (("run", "orex", "missing.csl", "-o", "x.glb"), 1, "no such file"),
        (("convert", "missing.csl", "x.json"), 1, "no such file"),
        (("slice", BEAN_FILE, "-o", "x.csl"), 1, "does not hold a mesh"),
        (("samples", "unicorn"), 1, "There is no sample 'unicorn'"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence_with_advice(
    isokiln: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: Sequence[object],
    status: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    got, _, errors = isokiln(*words)
    assert got == status
    assert told in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_files_convert_both_ways(isokiln: Run, tmp_path: Path) -> None:
    contours = tmp_path / "bean.json"
    assert isokiln("convert", BEAN_FILE, contours)[0] == 0
    sections = formats.read(contours).data
    assert isinstance(sections, CrossSections)
    assert sections.num_planes == 12
    again = formats.read(BEAN_FILE).data
    assert isinstance(again, CrossSections)
    assert sections.vertices == pytest.approx(again.vertices, abs=1e-9)
    stl = tmp_path / "bean.stl"
    assert isokiln("convert", write_true_bean(tmp_path), stl, "--write-unit", "mm")[0] == 0
    mesh = formats.read(stl).data
    assert isinstance(mesh, TriangleMesh)
    assert len(mesh.faces) == len(bean_mesh().faces)


def test_a_mesh_is_sliced_and_validated(isokiln: Run, tmp_path: Path) -> None:
    mesh = write_true_bean(tmp_path)
    for extra in ((), ("--arbitrary", "--seed", 4), ("--axis", "z")):
        output = tmp_path / "cut.csl"
        assert isokiln("slice", mesh, "-n", 7, *extra, "-o", output)[0] == 0
        sections = formats.read(output).data
        assert isinstance(sections, CrossSections)
        assert sections.num_planes == 7
        is_parallel = bool((abs(sections.normals @ sections.normals[0]) > 0.999).all())
        assert is_parallel == ("--arbitrary" not in extra)
    status, text, _ = isokiln("validate", output, "--json")
    facts = json.loads(text)
    assert (status, facts["kind"], facts["planes"]) == (0, "cross-sections", 7)
    status, text, _ = isokiln("validate", mesh)
    assert re.search(r"faces +\d+", text)


def test_a_damaged_file_is_told_with_its_line(isokiln: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csl"
    bad.write_text("".join(BEAN_FILE.read_text().splitlines(keepends=True)[:40]))
    status, _, errors = isokiln("validate", bad)
    assert status == 1
    assert errors.startswith("isokiln: bad.csl")
    assert "Traceback" not in errors


def test_a_mesh_is_compared_in_the_reference_s_axes(isokiln: Run, tmp_path: Path) -> None:
    mesh = write_true_bean(tmp_path)
    glb = tmp_path / "true.glb"
    isokiln("convert", mesh, glb)
    _, text, _ = isokiln("evaluate", glb, mesh, "--json")
    assert json.loads(text)["iou"] > 0.999
    _, text, _ = isokiln("evaluate", glb, mesh, "--json", "--as-is")
    assert json.loads(text)["iou"] < 0.9


def test_samples_are_bundled_small_and_as_their_formula_says(isokiln: Run, tmp_path: Path) -> None:
    _, text, _ = isokiln("samples")
    assert "slices-bean: bean.csl" in text
    assert sum(file.stat().st_size for file in BEAN_FILE.parent.iterdir()) <= 200_000
    assert isokiln("samples", "slices-bean", "-o", tmp_path / "bean")[0] == 0
    assert (tmp_path / "bean" / "bean.csl").read_bytes() == BEAN_FILE.read_bytes()
    assert isokiln("samples", "slices-bean", "-o", tmp_path / "bean")[0] == 1
    assert [folder.name for folder in sample_folders()] == ["slices-bean", "surface-room"]
    stored = formats.read(BEAN_FILE).data
    assert isinstance(stored, CrossSections)
    assert stored.normals == pytest.approx(bean_slices().normals)
    assert len(stored.vertices) == len(bean_slices().vertices)
    assert abs(BEAN.sdf(stored.vertices)).max() < 0.005
    facing = abs(stored.normals @ stored.normals.T)[~np.eye(12, dtype=bool)]
    assert facing.max() < 0.9999


def test_info_tells_versions_without_importing_them(isokiln: Run) -> None:
    status, text, _ = isokiln("info", "--json")
    facts = json.loads(text)
    assert status == 0
    assert facts["torch"][0].isdigit()
    assert "GiB free" in facts["memory"]


def test_the_doctor_s_exit_status_tells_whether_something_needed_is_missing(
    isokiln: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, odd = Finding("ok", "Python", "3.11"), Finding("warn", "display", "none", "Use xvfb-run.")
    bad = Finding("fail", "torch", "No module named 'torch'", "pip install torch")
    monkeypatch.setattr("app.doctor.checks", lambda: iter([good, odd]))
    status, text, _ = isokiln("doctor")
    assert status == 0
    assert text == "ok    Python: 3.11\nwarn  display: none\n      Use xvfb-run.\n"
    monkeypatch.setattr("app.doctor.checks", lambda: iter([good, bad]))
    status, text, _ = isokiln("doctor", "--json")
    assert status == 1
    assert json.loads(text)[1]["advice"] == "pip install torch"


def test_each_check_of_the_doctor_finds_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from app import doctor

    monkeypatch.setenv("ISOKILN_HOME", str(tmp_path))
    monkeypatch.setattr(doctor, "_NEEDED", {"json": "json", "no_such_module": "no-such-package"})
    monkeypatch.setattr(doctor, "_OPTIONAL", {"no_such_module": ("no-such-package", "magic")})
    monkeypatch.setattr(doctor, "_LIBRARIES", {"libnothing.so.9": "libnothing9"})
    monkeypatch.setattr(doctor, "_DRAW_A_BALL", "import os; os.abort()")
    found = {(finding.subject, finding.level): finding for finding in doctor.checks()}
    assert ("json", "ok") in found
    assert found["no-such-package", "fail"].advice.endswith("no-such-package")
    assert "magic" in found["no-such-package", "warn"].text
    assert "libnothing9" in found["system libraries", "fail"].advice
    assert found["3D drawing", "fail"].text == "ended by signal 6"


def test_files_open_the_window_and_commands_do_not() -> None:
    opened: list[WindowOptions] = []

    def open_window(options: WindowOptions) -> int:
        opened.append(options)
        return 7

    assert cli.main(["a.csl", "b.isokiln"], open_window) == 7
    assert cli.main([], open_window) == 7
    assert cli.main(["methods"], open_window) == 0
    words = [
        "--new",
        "Scan",
        "--import",
        "a.csl",
        "b.csl",
        "--safe-mode",
        "--reset_layout",
        "--log-level",
        "debug",
    ]
    assert cli.main(words, open_window) == 7
    assert opened == [
        WindowOptions(paths=(Path("a.csl"), Path("b.isokiln"))),
        WindowOptions(),
        WindowOptions(
            new="Scan",
            imports=(Path("a.csl"), Path("b.csl")),
            is_safe=True,
            resets_layout=True,
            log_level="debug",
        ),
    ]


def test_options_become_a_model_and_wrong_ones_name_themselves() -> None:
    options = make_model(ReadOptions, {"spacing": ["1", "1", "2.5"], "labels": ["1", "3"]})
    assert options.spacing == (1, 1, 2.5)
    assert options.labels == (1, 3)
    with pytest.raises(SettingsError, match="--read-spacing cannot be"):
        make_model(ReadOptions, {"spacing": ["1", "1"]}, "read-")


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


def test_the_program_is_installed_under_its_name() -> None:
    script = shutil.which("isokiln", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("not installed in this environment")
    done = subprocess.run([script, "--version"], capture_output=True, text=True)
    assert done.stdout.startswith("Isokiln ")
