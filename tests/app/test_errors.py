"""Any exception in the user's words."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from app.errors import describe_death, describe_error, describe_event
from recon.errors import FormatError, MissingModel, NoSurface, OutOfMemory


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OutOfMemory("No room.", "Choose less."), "E14"),
        (MissingModel("No weights.", "Download them."), "E12"),
        (NoSurface("Nothing there.", "Lower the threshold."), "E22"),
        (MemoryError(), "E14"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "E14"),
        (OSError(errno.ENOSPC, "No space left on device"), "E18"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "E18"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/x/y"), ""),
        (ValueError("a bug"), "E21"),
        (ImportError("no", name="torch"), "E21"),
    ],
)
def test_every_exception_has_a_sentence_an_advice_and_its_code(error: BaseException, code: str) -> None:
    report = describe_error(error)
    assert report.code == code
    assert report.sentence.endswith(".")
    assert report.advice.endswith((".", ")."))
    assert "Traceback" not in str(report)
    assert type(error).__name__ not in str(report)


def test_what_a_reader_says_is_passed_on_with_file_and_line() -> None:
    report = describe_error(
        FormatError(Path("a/b.csl"), "A number is missing.", "Add it.", line=7, details="x")
    )
    assert report.sentence == "b.csl, line 7: A number is missing."
    assert report.advice == "Add it."
    assert report.text_to_copy == "b.csl, line 7: A number is missing.\nAdd it.\nx"


def test_an_unexpected_exception_keeps_its_traceback_for_copying() -> None:
    def broken() -> None:
        raise ZeroDivisionError("deep down")

    try:
        broken()
    except ZeroDivisionError as error:
        report = describe_error(error)
    assert report.sentence == "Something went wrong."
    assert "in broken" in report.details
    assert "ZeroDivisionError: deep down" in report.text_to_copy


def test_a_dead_worker_is_told_by_how_it_died() -> None:
    assert "memory ran out" in describe_death(-9).sentence
    assert "segmentation fault" in describe_death(-11).sentence
    assert describe_death(None).sentence == "The run ended unexpectedly."
    assert describe_death(1, "ImportError: x").details == "ImportError: x"
    assert {describe_death(status).code for status in (-9, -11, None, 1)} == {"E16"}


def test_an_error_event_of_a_newer_worker_still_reads() -> None:
    report = describe_event({"event": "error", "sentence": "Odd.", "kind": "Unheard", "hints": []})
    assert (report.sentence, report.code, report.details) == ("Odd.", "", "")
