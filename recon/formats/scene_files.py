"""What lies beside a scene's images: masks and cues of the same name; and lists of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from recon.formats.natural_order import natural_order
from recon.formats.scene_sniffing import PICTURES

_NOT_PHOTOS = (".", "mask", "depth", "normal", "mono_", "label", "sparse", "semantic")
_CUE_ENDINGS = (".npy", ".png", ".exr", ".tif", ".tiff")


def pictures_under(folder: Path) -> list[Path]:
    """The pictures in a folder and the folders in it, but for those of masks and cues; folder by folder."""
    found = pictures_in(folder)
    for each in sorted(folder.iterdir(), key=natural_order):
        if each.is_dir() and not each.is_symlink() and not each.name.lower().startswith(_NOT_PHOTOS):
            found += pictures_under(each)
    return found


def pictures_in(folder: Path, suffixes: Iterable[str] = PICTURES) -> list[Path]:
    """The pictures in a folder, in the natural order of their names."""
    if not folder.is_dir():
        return []
    known = tuple(suffixes)
    found = [
        each for each in folder.iterdir() if each.suffix.lower() in known and not each.name.startswith(".")
    ]
    return sorted((each for each in found if each.is_file()), key=natural_order)


def mask_beside(root: Path, image: Path) -> Path | None:
    """masks/NAME.png, as nerfstudio, or masks/NAME.jpg.png, as COLMAP has it."""
    for folder in ("masks", "mask"):
        if not (root / folder).is_dir():
            continue
        for name in _names(root, image):
            candidates = (name.with_suffix(".png"), name.with_name(f"{name.name}.png"), name)
            for candidate in (root / folder / each for each in candidates):
                if candidate != image and candidate.is_file():
                    return candidate
    return None


def cue_beside(root: Path, image: Path, folder: str) -> Path | None:
    """FOLDER/NAME with the ending of a picture or an array."""
    if not (root / folder).is_dir():
        return None
    candidates = (root / folder / n.with_suffix(end) for n in _names(root, image) for end in _CUE_ENDINGS)
    return next((each for each in candidates if each.is_file()), None)


def _names(root: Path, image: Path) -> tuple[Path, ...]:
    """What an image is called in folders beside its own: its path in the folder of images, images/a/1.jpg → a/1.jpg."""
    if not image.is_relative_to(root):
        return (Path(image.name),)
    inside = image.relative_to(root)
    return (Path(*inside.parts[1:]), inside) if len(inside.parts) > 1 else (inside,)
