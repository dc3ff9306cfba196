"""Which file of a folder belongs to which view of a scene, by their names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePath, PurePosixPath

from render.images import PosedImages

Name = tuple[str, ...]  # the folders, then the file


def files_of_views(
    folder: Path, suffixes: Collection[str], scene: PosedImages
) -> tuple[dict[int, Path], int]:
    """The file of each used view that has one, in the scene's order, and how many files belong to no view.

    A file's path ends as its image's does, with or without what follows the last dot: in as many folders as they have
    in common, for images in two folders may bear one name. A file belongs to one view only.
    """
    files = {
        path: _names(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in suffixes
    }
    paths = scene.images.paths
    views = {view: _names(PurePosixPath(paths[view].replace("\\", "/"))) for view in scene.used.tolist()}
    found: dict[int, Path] = {}
    for length in range(max((len(names[0]) for names in files.values()), default=0), 0, -1):
        _match_ends(files, views, length, found)
    return {view: found[view] for view in views if view in found}, len(files) - len(found)


def _names(path: PurePath) -> tuple[Name, Name]:
    """The path without its ending, and with it, in lower case."""
    *folders, last = (part.lower() for part in path.parts)
    return (*folders, PurePath(last).stem), (*folders, last)


def _match_ends(
    files: dict[Path, tuple[Name, Name]],
    views: dict[int, tuple[Name, Name]],
    length: int,
    found: dict[int, Path],
) -> None:
    """Give views without a file one that is nobody's and has the same last `length` parts; the first of several."""
    taken = set(found.values())
    by_end: dict[Name, Path] = {}
    for path, names in files.items():
        for name in names:
            if path not in taken and len(name) >= length:
                by_end.setdefault(name[-length:], path)
    for view, names in views.items():
        match = next((by_end[name[-length:]] for name in names if name[-length:] in by_end), None)
        if view not in found and match is not None and match not in taken:
            found[view] = match
            taken.add(match)
