"""The project's rules: style, types, which package may import which, and words that do not belong here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PACKAGES = ("app", "recon", "render", "widgets")


def check(*command: str) -> None:
    """Run a tool in the project; its output is the failure's message."""
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr


def sources() -> list[Path]:
    """Every file of ours that git would keep and that holds text of ours."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, cwd=PROJECT,
    )  # fmt: skip
    paths = [PROJECT / name for name in listed.stdout.split("\0") if name]
    kept = {".py", ".md", ".toml", ".txt", ""}
    return [path for path in paths if path.suffix in kept and path.is_file()]


def test_ruff_finds_nothing() -> None:
    check("ruff", "check", ".")


def test_everything_is_formatted() -> None:
    check("ruff", "format", "--check", ".")


@pytest.mark.slow
def test_mypy_strict_finds_nothing() -> None:
    check("mypy")


def test_packages_import_only_downward_and_qt_stays_above() -> None:
    code = "import sys; from importlinter import cli; sys.exit(cli.lint_imports())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_left_for_later() -> None:
    unfinished = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b|raise NotImplemented" r"Error")
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text(errors="ignore").splitlines(), 1)
        if unfinished.search(line)
    ]
    assert found == []


def test_every_module_of_the_program_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(PROJECT))
        for package in PACKAGES
        for path in (PROJECT / package).rglob("*.py")
        if not path.read_text().lstrip().startswith('"""')
    ]
    assert silent == []


def test_the_scripts_of_the_readme_can_be_run() -> None:
    for name in ("setup", "demo", "test", "run"):
        script = PROJECT / ".ci" / name
        assert script.stat().st_mode & 0o111, f"{name} is not executable"
        assert subprocess.run(["bash", "-n", script]).returncode == 0
