"""Any exception as a sentence, an advice and details to copy."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recon.errors import MissingModel, NoSurface, OutOfMemory, ReconError
from recon.failure import describe_failure

_CODES: dict[str, str] = {
    MissingModel.__name__: "E12",
    OutOfMemory.__name__: "E14",
    NoSurface.__name__: "E22",
}
_DISK_FULL = "E18"
_UNEXPECTED = "E21"
_PROCESS_DIED = "E16"
_SAVE_ERRNOS = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.EFBIG)
_SIGNALS = {4: "illegal instruction", 6: "abort", 7: "bus error", 8: "arithmetic", 11: "segmentation fault"}


@dataclass(frozen=True)
class ErrorReport:
    """What the person is told. code: of the catalogue in the interface's design, "" where none applies."""

    sentence: str
    advice: str
    details: str = ""
    code: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".strip()

    @property
    def text_to_copy(self) -> str:
        """Everything, for a report."""
        head = f"{self.code}: {self.sentence}" if self.code else self.sentence
        return "\n".join(part for part in (head, self.advice, self.details) if part)


def describe_error(error: BaseException) -> ErrorReport:
    """Any exception in the user's words; the traceback only in the details."""
    if isinstance(error, ReconError):
        return _from_kind(type(error).__name__, error.sentence, error.advice, error.details)
    if isinstance(error, OSError) and not _is_memory(error):
        return _from_system(error)
    failure = describe_failure(error)
    if isinstance(failure, OutOfMemory):
        return _from_kind("OutOfMemory", failure.sentence, failure.advice, failure.details)
    if isinstance(error, ImportError):
        return ErrorReport(failure.sentence, failure.advice, failure.details, _UNEXPECTED)
    return ErrorReport(
        "Something went wrong.",
        "Your data are unchanged. Copy the details into a report, and carry on.",
        failure.details,
        _UNEXPECTED,
    )


def describe_event(event: Mapping[str, Any]) -> ErrorReport:
    """The report for a worker's error event, or for the error stored in a run's status."""
    texts = (str(event.get(key, "")) for key in ("kind", "sentence", "advice", "details"))
    return _from_kind(*texts)


def describe_death(exit_status: int | None, details: str = "") -> ErrorReport:
    """The report for a worker that ended without a word. exit_status: negative for a signal, None if unknown."""
    advice = "Resume it: it goes on from its last checkpoint."
    cause = ""
    if exit_status == -9:
        cause = " (killed, most often by the system because memory ran out)"
        advice = "Close other programs or choose a quicker preset, then resume: it goes on from its last checkpoint."
    elif exit_status is not None and exit_status < 0:
        cause = f" ({_SIGNALS.get(-exit_status, f'signal {-exit_status}')})"
    return ErrorReport(f"The run ended unexpectedly{cause}.", advice, details, _PROCESS_DIED)


def _from_kind(kind: str, sentence: str, advice: str, details: str) -> ErrorReport:
    return ErrorReport(sentence, advice, details, _CODES.get(kind, ""))


def _is_memory(error: OSError) -> bool:
    return error.errno == errno.ENOMEM


def _from_system(error: OSError) -> ErrorReport:
    """What the operating system refused, and for which file."""
    details = describe_failure(error).details
    name = f" {error.filename}" if error.filename else ""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            sentence, advice = (
                "The disk is full.",
                "Free some space or choose another place. What was saved is kept.",
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            sentence, advice = f"No permission for{name}.", "Choose another place, or change its permissions."
        case errno.ENOENT:
            sentence, advice = f"There is no{name or ' such file'}.", "Check the path."
        case errno.EISDIR:
            sentence, advice = f"This is a folder:{name}.", "Choose a file."
        case _:
            reason = error.strerror or str(error)
            sentence, advice = f"{reason}:{name}.", "Check that the file exists and may be used."
    return ErrorReport(sentence, advice, details, _DISK_FULL if error.errno in _SAVE_ERRNOS else "")
