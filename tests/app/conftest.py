"""Every test of the program has a home of its own."""

import pytest


@pytest.fixture(autouse=True)
def isokiln_home(tmp_path, monkeypatch):
    home = tmp_path / "isokiln-home"
    monkeypatch.setenv("ISOKILN_HOME", str(home))
    return home
