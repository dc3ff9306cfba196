"""Pictures and cues of scenes, where what cannot be read is told in the user's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from render import image_files
from render.image_files import Size
from render.images import ImageSet, PosedImages


def read_image(source: PosedImages | ImageSet, index: int, size: Size | None = None) -> NDArray[np.uint8]:
    """As render.image_files.read_image. Raises FormatError."""
    with _told(_images(source).path(index), "picture"):
        return image_files.read_image(source, index, size)


def read_mask(source: PosedImages | ImageSet, index: int, size: Size | None = None) -> NDArray[np.bool_]:
    """As render.image_files.read_mask. Raises FormatError."""
    images = _images(source)
    with _told(images.mask_path(index) or images.path(index), "mask"):
        return image_files.read_mask(source, index, size)


def read_opacity(
    source: PosedImages | ImageSet, index: int, size: Size | None = None
) -> NDArray[np.uint8] | None:
    """As render.image_files.read_opacity. Raises FormatError."""
    with _told(_images(source).path(index), "picture"):
        return image_files.read_opacity(source, index, size)


def read_mask_file(
    source: PosedImages | ImageSet, index: int, size: Size | None = None
) -> NDArray[np.uint8] | None:
    """As render.image_files.read_mask_file. Raises FormatError."""
    images = _images(source)
    with _told(images.mask_path(index) or images.path(index), "mask"):
        return image_files.read_mask_file(source, index, size)


def read_depth(posed: PosedImages, index: int, size: Size | None = None) -> NDArray[np.float32]:
    """As render.image_files.read_depth. Raises FormatError."""
    with _told(_cue(posed, index, "depth"), "depth"):
        return image_files.read_depth(posed, index, size)


def read_normals(posed: PosedImages, index: int, size: Size | None = None) -> NDArray[np.float32]:
    """As render.image_files.read_normals. Raises FormatError."""
    with _told(_cue(posed, index, "normals"), "normal picture"):
        return image_files.read_normals(posed, index, size)


@contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        advice = "Put it back, or relink the images to the folder where they are now."
        raise FormatError(path, f"The {what} is no longer there.", advice) from error
    except (OSError, ValueError) as error:
        advice = "Copy the file again, or leave this image out."
        raise FormatError(path, f"The {what} cannot be read.", advice, details=str(error)) from error


def _images(source: PosedImages | ImageSet) -> ImageSet:
    return source.images if isinstance(source, PosedImages) else source


def _cue(posed: PosedImages, index: int, kind: str) -> Path:
    cues = posed.depth if kind == "depth" else posed.normals
    named = cues.paths[index] if cues is not None else ""
    return Path(posed.images.folder, named or posed.images.paths[index])
