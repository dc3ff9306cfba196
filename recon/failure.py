"""Why a run ended: any exception in the user's words."""

from __future__ import annotations

import errno
import traceback

from recon.errors import OutOfMemory, ReconError

_MEMORY_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")

# Out of space, over the person's quota, over the largest file that is allowed.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def describe_failure(error: BaseException, where: str = "") -> ReconError:
    """The sentence and advice for whatever a method raised; the traceback goes into the details.

    where: such as "step 210 of Training", told with failures that depend on it.
    """
    details = "".join(traceback.format_exception(error))
    if isinstance(error, ReconError):
        return error
    if _is_out_of_memory(error):
        place = "GPU memory" if "cuda" in str(error).lower() else "memory"
        at = f" at {where}" if where else ""
        return OutOfMemory(
            f"Not enough {place}{at}.",
            "Choose a quicker preset or a lower resolution, or close other programs; then start again.",
            details,
        )
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return ReconError("The disk is full.", "Free some space; then resume the run.", details)
    if isinstance(error, ImportError):
        name = error.name or str(error)
        return ReconError(
            f"This method needs {name}, which cannot be imported.",
            f"Install it (pip install {name}).",
            details,
        )
    return ReconError(
        "The run ended with an unexpected error.",
        "Your input is unchanged. Copy the details into a report; the run can resume from its last checkpoint.",
        details,
    )


def _is_out_of_memory(error: BaseException) -> bool:
    """torch, numpy and the system each have their own way to say it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _MEMORY_WORDS)
