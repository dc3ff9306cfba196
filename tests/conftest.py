"""What every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real inputs beside the project; tests that need it are skipped where it is absent."""
    path = Path(__file__).parents[1].parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the folder of real inputs is not beside the project")
    return path


@pytest.fixture(autouse=True)
def isokiln_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes what the user has."""
    home = tmp_path / "isokiln-home"
    monkeypatch.setenv("ISOKILN_HOME", str(home))
    return home


@pytest.fixture
def window(qtbot) -> Iterator[object]:
    """The program's window, open and closed after the test."""
    from tests.app.windows import open_window

    with open_window(qtbot) as window:
        yield window
