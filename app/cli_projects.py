"""Commands on projects: pack, unpack."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from app import project_pack


def pack(arguments: Sequence[str]) -> int:
    """`isokiln pack PROJECT`."""
    parser = argparse.ArgumentParser(
        prog="isokiln pack", description="Put a whole project into one file.", allow_abbrev=False
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="its folder or its .isokiln file")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default PROJECT.isokilnz beside it"
    )
    parser.add_argument("--with-checkpoints", action="store_true", help="so that its runs can be resumed")
    options = parser.parse_args(arguments)
    folder = options.project if options.project.is_dir() else options.project.parent
    target = options.output or folder.absolute().with_suffix(project_pack.PACK_SUFFIX)
    print(project_pack.pack(options.project, target, with_checkpoints=options.with_checkpoints))
    return 0


def unpack(arguments: Sequence[str]) -> int:
    """`isokiln unpack FILE`."""
    parser = argparse.ArgumentParser(
        prog="isokiln unpack", description="Make a project folder from a packed one.", allow_abbrev=False
    )
    parser.add_argument("pack", type=Path, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="default FILE without its ending")
    options = parser.parse_args(arguments)
    print(project_pack.unpack(options.pack, options.output or options.pack.with_suffix("")))
    return 0
