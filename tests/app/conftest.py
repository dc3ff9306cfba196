"""Every test of the program has a home of its own; a window of its own where it asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def isokiln_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "isokiln-home"
    monkeypatch.setenv("ISOKILN_HOME", str(home))
    return home


@pytest.fixture
def window(qtbot) -> Iterator[object]:
    from tests.app.windows import open_window

    with open_window(qtbot) as window:
        yield window
