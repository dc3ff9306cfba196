"""Photos without cameras: a folder of pictures, one picture, or a video whose frames are chosen later."""

from __future__ import annotations

from pathlib import Path

from recon.errors import FormatError
from recon.formats.reading import Note, Reading, ReadOptions
from recon.formats.scene_files import mask_beside, pictures_in, pictures_under
from recon.formats.scene_sniffing import VIDEOS
from render.frame import Frame
from render.images import ImageSet

_FOLDERS = ("images", "rgb", "color", "input", "photos", "results")


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """A folder of photos (or of a folder `images` with them), a photo or a video. Raises FormatError."""
    frame = Frame(options.up or "+Z", options.unit or "unit")
    if path.is_file() and path.suffix.lower() in VIDEOS:
        folder, name = path.absolute().parent, path.name
        return Reading(ImageSet(str(folder), (name,), is_video=True, frame=frame))
    if path.is_file():
        return Reading(ImageSet(str(path.absolute().parent), (path.name,), frame=frame))
    root = path.absolute()
    pictures = find_pictures(root, options)
    if not pictures:
        sentence = "The folder holds no photos."
        raise FormatError(
            path, sentence, "Choose a folder of JPEG, PNG, TIFF, WebP or BMP pictures, or a video."
        )
    masks = tuple(_name(root, mask_beside(root, each)) for each in pictures)
    images = ImageSet(
        str(root), tuple(_name(root, each) for each in pictures), masks, options.invert_masks, frame=frame
    )
    return Reading(images, _notes(images))


def find_pictures(root: Path, options: ReadOptions = ReadOptions()) -> list[Path]:
    """The photos of a folder: its own, else those of its folder `images` or the like, else all that are in it."""
    if options.image_folder is not None:
        return pictures_in(root / options.image_folder)
    own = pictures_in(root)
    usual = own or next((found for name in _FOLDERS if (found := pictures_in(root / name))), [])
    return usual or pictures_under(root)


def _name(root: Path, path: Path | None) -> str:
    if path is None:
        return ""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _notes(images: ImageSet) -> tuple[Note, ...]:
    num_masks = sum(map(bool, images.mask_paths))
    if not num_masks:
        return ()
    return (Note("info", f"{num_masks} of {len(images)} images have a mask."),)
