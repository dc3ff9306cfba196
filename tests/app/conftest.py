"""What tests of the program share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app.__main__ import main


@pytest.fixture(scope="module")
def one_window(qapp: object) -> Iterator[object]:
    """A window for all tests of a file: begin anew with it before each."""
    from tests.app.windows import kept_window

    with kept_window() as window:
        yield window


@pytest.fixture
def isokiln(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line in this process: (exit status, standard output, standard error)."""

    def run(*words: object) -> tuple[int, str, str]:
        try:
            status = main([str(word) for word in words])
        except SystemExit as end:
            status = int(end.code or 0)
        output = capfd.readouterr()
        return status, output.out, output.err

    return run
