"""`isokiln` and `python -m app`: the window, or the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app import cli
from app.window_options import WindowOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the program with these arguments, those of the process by default."""
    return cli.main(sys.argv[1:] if arguments is None else arguments, _open_window)


def _open_window(options: WindowOptions) -> int:
    """Open the window. Qt is imported here, so that commands need none of it."""
    from app.start import open_window

    return open_window(options)


if __name__ == "__main__":
    sys.exit(main())
