"""What lies beside a scene's images: masks and cues of the same name; and lists of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from recon.formats.natural_order import natural_order
from recon.formats.scene_sniffing import PICTURES

_CUE_ENDINGS = (".npy", ".png", ".exr", ".tif", ".tiff")


def pictures_in(folder: Path, suffixes: Iterable[str] = PICTURES) -> list[Path]:
    """The pictures in a folder, in the natural order of their names."""
    if not folder.is_dir():
        return []
    known = tuple(suffixes)
    found = [
        each for each in folder.iterdir() if each.suffix.lower() in known and not each.name.startswith(".")
    ]
    return sorted((each for each in found if each.is_file()), key=natural_order)


def mask_beside(root: Path, image: Path, name: str | None = None) -> Path | None:
    """masks/NAME.png, as nerfstudio, or masks/NAME.jpg.png, as COLMAP has it."""
    relative = Path(name or image.name)
    for folder in ("masks", "mask"):
        if not (root / folder).is_dir():
            continue
        for candidate in (
            root / folder / relative.with_suffix(".png"),
            root / folder / f"{relative}.png",
            root / folder / relative,
        ):
            if candidate.is_file() and candidate != image:
                return candidate
    return None


def cue_beside(root: Path, image: Path, folder: str) -> Path | None:
    """FOLDER/NAME with the ending of a picture or an array."""
    if not (root / folder).is_dir():
        return None
    candidates = (root / folder / f"{image.stem}{ending}" for ending in _CUE_ENDINGS)
    return next((each for each in candidates if each.is_file()), None)
