"""Pictures that a person gives: read as sRGB whatever is odd about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from recon.errors import InputError

Float = NDArray[np.float32]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_MOST_PIXELS = 200_000_000


def read_picture(path: Path, longest: int = 0) -> tuple[Float, Float]:
    """(H, W, 3) sRGB within 0 and 1, and (H, W) opacity 0 … 1. longest: scale down to that, 0 for as it is.

    Raises InputError where it cannot be read."""
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise InputError(f"{path.name} has too many pixels.", "Scale it down first.")
            if longest:
                picture.draft("RGB", (longest, longest))
            turned = ImageOps.exif_transpose(picture)
            if longest and max(turned.size) > longest:
                turned.thumbnail((longest, longest), Image.Resampling.BOX)
            values = _as_rgba(turned)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path.name} is no picture that can be read.", "Save it as PNG or JPEG.", str(error)
        ) from error
    return values[..., :3], values[..., 3]


def _as_rgba(picture: Image.Image) -> Float:
    if picture.mode.startswith(("I", "F")):
        grey = np.asarray(picture, np.float32)
        is_known = np.isfinite(grey)
        known = np.where(is_known, grey, np.float32(0))
        top = known.max(initial=0)
        scale = 1.0 if top <= 1 else 255.0 if top <= 255 else 65535.0
        level = np.clip(known / np.float32(scale), 0, 1)
        return np.stack([level, level, level, is_known.astype(np.float32)], -1)
    return np.asarray(picture.convert("RGBA"), np.float32) / np.float32(255)
