"""How the window is asked to open, from the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LogLevel = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True)
class WindowOptions:
    """paths: a project, or files to open. imports: files to add to it. new: the name of a project to begin.

    is_safe: nothing is written unasked, and panels stand where they stood at first.
    """

    paths: tuple[Path, ...] = ()
    imports: tuple[Path, ...] = ()
    new: str = ""
    latest: bool = False
    is_safe: bool = False
    resets_settings: bool = False
    resets_layout: bool = False
    log_level: LogLevel = "info"


def add_window_options(parser: argparse.ArgumentParser) -> None:
    """The options of the window, on its parser."""
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="FILE", help="project, or file to import, to open"
    )
    parser.add_argument("--new", metavar="NAME", default="", help="begin a project of this name")
    parser.add_argument("--import", dest="imports", nargs="+", type=Path, default=[], metavar="FILE")
    parser.add_argument("--latest", action="store_true", help="open the project that was open last")
    parser.add_argument(
        "--safe-mode", action="store_true", help="without automatic saving and with the first layout"
    )
    parser.add_argument("--reset-settings", action="store_true", help="forget the preferences")
    parser.add_argument("--reset-layout", action="store_true", help="put all panels where they were at first")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")


def window_options(given: argparse.Namespace) -> WindowOptions:
    """What the parser found."""
    return WindowOptions(
        tuple(given.paths),
        tuple(given.imports),
        given.new,
        given.latest,
        given.safe_mode,
        given.reset_settings,
        given.reset_layout,
        given.log_level,
    )
