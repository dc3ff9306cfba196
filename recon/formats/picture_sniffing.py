"""Whether pictures are photos or masks, told by the first of them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from recon.formats.scene_files import pictures_in

_SAMPLE = 64  # pixels along each side


def has_colour_pictures(folder: Path) -> bool:
    """Whether the first readable PNG or TIFF of a folder, or of its `images`, has more colours than grey."""
    for place in (folder, folder / "images", folder / "rgb"):
        for picture in pictures_in(place)[:3]:
            found = _is_colourful(picture)
            if found is not None:
                return found
    return False


def _is_colourful(path: Path) -> bool | None:
    """None where the picture cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                if picture.mode not in ("RGB", "RGBA", "CMYK", "YCbCr"):
                    return False
                picture.draft("RGB", (_SAMPLE, _SAMPLE))
                small = np.asarray(
                    picture.convert("RGB").resize((_SAMPLE, _SAMPLE), Image.Resampling.NEAREST)
                )
    except Exception:  # Whatever is wrong with it, its reader tells better.
        return None
    return bool((small != small[..., :1]).any())
