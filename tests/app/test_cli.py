"""The command line: what it offers, what it refuses, and what it tells of this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import recon
from app import cli
from app.cli_options import make_model
from app.doctor import Finding
from app.window_options import WindowOptions
from recon.errors import SettingsError
from recon.formats.reading import ReadOptions
from tests.app.command_line import PROJECT, Run
from tests.make_samples import BEAN_FILE


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


def test_the_program_is_installed_under_its_name() -> None:
    script = shutil.which("isokiln", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("not installed in this environment")
    done = subprocess.run([script, "--version"], capture_output=True, text=True)
    assert done.stdout.startswith("Isokiln ")
