"""Photos as structure from motion takes them: grey, scaled, with their masks and what the camera said of itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from recon.errors import InputError
from recon.poses import PosesSettings
from render.image_files import image_size, read_image, read_mask
from render.images import ImageSet

Size = tuple[int, int]

_FULL_FRAME_DIAGONAL = float(np.hypot(36, 24))  # mm; focal lengths "in 35 mm film" refer to it
_USUAL_FOCAL = 1.2  # focal length over the longer side where nothing is known, as in COLMAP
_UP_OF_ORIENTATION = {3: (0, 1), 4: (0, 1), 5: (-1, 0), 6: (-1, 0), 7: (1, 0), 8: (1, 0)}


@dataclass(frozen=True)
class Photo:
    """What the header of image `index` tells.

    size: width, height in pixels. camera: maker, model and focal length, as far as the file tells. focal: in
    pixels of the stored picture, 0 unknown. up: which way is up in the stored picture, x to the right, y down.
    """

    index: int
    size: Size
    camera: tuple[str, ...] = ()
    focal: float = 0.0
    up: tuple[int, int] = (0, -1)


def look_at(images: ImageSet, index: int) -> Photo:
    """Read the header of one image. Raises OSError, ValueError."""
    path = images.path(index)
    size = image_size(path)
    try:
        with Image.open(path) as picture:
            exif = picture.getexif()
            tags: dict[int, Any] = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    except Exception:
        # Pillow raises nearly anything for damaged EXIF data, which is a help and no more.
        return Photo(index, size)
    focal_35 = _number(tags.get(ExifTags.Base.FocalLengthIn35mmFilm))
    names = (ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.FocalLength)
    camera = (*(str(tags.get(name, "")) for name in names), str(focal_35))
    focal = focal_35 / _FULL_FRAME_DIAGONAL * float(np.hypot(*size))
    return Photo(index, size, camera, focal, _UP_OF_ORIENTATION.get(_orientation(tags), (0, -1)))


def read_grey(
    images: ImageSet, photo: Photo, longest: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """(H, W) grey and which pixels count (None for all), scaled down to `longest`. Raises OSError, ValueError."""
    factor = min(1.0, longest / max(photo.size))
    size = (max(1, round(photo.size[0] * factor)), max(1, round(photo.size[1] * factor)))
    grey = cv2.cvtColor(read_image(images, photo.index, size), cv2.COLOR_RGB2GRAY)
    mask = read_mask(images, photo.index, size)
    return np.asarray(grey, np.uint8), None if mask.all() else mask


def assign_lenses(photos: list[Photo], settings: PosesSettings) -> list[list[Photo]]:
    """The photos of each lens, in order of their first photo. Raises InputError where one lens cannot be."""
    groups: dict[Any, list[Photo]] = defaultdict(list)
    for photo in photos:
        key = {"each": photo.index, "one": 0, "alike": (photo.size, photo.camera)}[settings.lenses]
        groups[key].append(photo)
    sizes = sorted({photo.size for photo in groups.get(0, ())}) if settings.lenses == "one" else []
    if len(sizes) > 1:
        raise InputError(
            f"The images have {len(sizes)} sizes, such as {sizes[0][0]} × {sizes[0][1]} and "
            f"{sizes[-1][0]} × {sizes[-1][1]} pixels, so they are not from one lens.",
            "Choose lenses “alike” or “each”.",
        )
    return list(groups.values())


def focal_length(photos: list[Photo], settings: PosesSettings) -> tuple[float, bool]:
    """Focal length of a lens in pixels, and whether it is more than a guess."""
    longest = max(photos[0].size)
    if settings.field_of_view > 0:
        return longest / 2 / float(np.tan(np.radians(settings.field_of_view) / 2)), True
    known = [photo.focal for photo in photos if photo.focal > 0]
    return (float(np.median(known)), True) if known else (_USUAL_FOCAL * longest, False)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return number if np.isfinite(number) and number > 0 else 0.0


def _orientation(tags: dict[int, Any]) -> int:
    return int(_number(tags.get(ExifTags.Base.Orientation)))
