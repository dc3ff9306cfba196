"""The command line: everything but the window. Imports neither Qt nor VTK, and torch only in the worker."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence

from app.errors import ErrorReport, describe_error
from app.manifest import app_version
from app.window_options import WindowOptions, add_window_options, window_options
from recon.errors import SettingsError

Command = Callable[[Sequence[str]], int]
OpenWindow = Callable[[WindowOptions], int]

# Name → where it is and what it does; a command's module is imported when it is called.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "run": (
        "app.cli_run:main",
        "run a method: from slices, photos or splats to a solid, a surface or splats",
    ),
    "methods": ("app.cli_system:methods", "list the methods"),
    "convert": ("app.cli_files:convert", "turn a file into another format"),
    "clean": ("app.cli_clean:main", "crop, clean and thin out splats"),
    "render": ("app.cli_render:main", "draw splats or a field from the cameras of a scene"),
    "validate": ("app.cli_files:validate", "read a file and tell what is in it and what is wrong with it"),
    "evaluate": ("app.cli_files:evaluate", "compare a mesh with a reference"),
    "slice": ("app.cli_files:slice_mesh", "cut a mesh into cross-sections"),
    "samples": ("app.cli_files:samples", "list the bundled samples, or copy one"),
    "pack": ("app.cli_projects:pack", "put a whole project into one file"),
    "unpack": ("app.cli_projects:unpack", "make a project folder from a packed one"),
    "relink": ("app.cli_projects:relink", "give a project the files again that were moved"),
    "info": ("app.cli_system:info", "versions and hardware, for a report; or what is in a file"),
    "doctor": ("app.cli_system:doctor", "check that everything needed is here"),
}


def main(arguments: Sequence[str], open_window: OpenWindow) -> int:
    """Obey a command line. Returns the exit status: 0 done, 1 failed, 2 wrong usage.

    open_window: called with what to open where the first word is no command.
    """
    words = [_with_dashes(word) for word in arguments]
    wants_details = "--details" in words
    words = [word for word in words if word != "--details"]
    try:
        if words and words[0] in COMMANDS:
            return _command(words[0])(words[1:])
        return open_window(window_options(_window_parser().parse_args(words)))
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has had enough.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        report: ErrorReport = getattr(error, "report", None) or describe_error(error)
        _tell(report, wants_details)
        return 2 if isinstance(error, SettingsError) else 1


def _with_dashes(word: str) -> str:
    """--plane_weight is --plane-weight: settings are named alike in files, the window and here."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value


def _command(name: str) -> Command:
    module, _, function = COMMANDS[name][0].partition(":")
    command: Command = getattr(importlib.import_module(module), function)
    return command


def _window_parser() -> argparse.ArgumentParser:
    lines = [f"  {name:10} {text}" for name, (_, text) in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="isokiln",
        usage="isokiln [OPTIONS] [FILE …]\n       isokiln COMMAND …",
        description="3D reconstruction and editing. Without a command, opens the window with the given files.",
        epilog="\n".join(
            [
                "commands:",
                *lines,
                "",
                "`isokiln COMMAND --help` tells more. --details adds the technical cause to any error.",
                "Exit status: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl+C.",
            ]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_window_options(parser)
    parser.add_argument("--version", action="version", version=f"Isokiln {app_version()}")
    return parser


def _tell(report: ErrorReport, wants_details: bool) -> None:
    """Sentence and advice on standard error; never a traceback unasked."""
    print(f"isokiln: {report.sentence}", file=sys.stderr)
    if report.advice:
        print(f"  {report.advice}", file=sys.stderr)
    if not report.details:
        return
    if wants_details:
        print(report.details, file=sys.stderr)
    elif "Traceback" in report.details:
        print("  --details tells the technical cause.", file=sys.stderr)
