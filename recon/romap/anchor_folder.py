"""Anchor images that a person painted: pictures in a folder, named as the views that they show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.errors import FormatError, InputError
from recon.romap.edit_provider import Anchor, EditView
from recon.romap.view_files import files_of_views
from render.images import PosedImages

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
_ASPECT_SLACK = 0.02


class AnchorFolder:
    """The pictures of a folder that belong to views of a scene. Raises InputError where none does."""

    def __init__(self, folder: Path, scene: PosedImages) -> None:
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.", "Give the folder that holds the edited images.")
        self.paths, self.num_strange = files_of_views(folder, SUFFIXES, scene)
        if not self.paths:
            first = PurePosixPath(scene.images.paths[int(scene.used[0])]).stem
            raise InputError(
                f"No picture in {folder.name} is named as a view of the scene.",
                f"Name edited images as the images of the cameras, such as {first}.png.",
            )

    @property
    def views(self) -> list[int]:
        """The views that have an edited image."""
        return list(self.paths)

    def anchors(self, views: Iterator[EditView]) -> Iterator[Anchor]:
        """Each picture in its view's size. Raises FormatError, InputError: unreadable, or another shape."""
        for each in views:
            if each.view in self.paths:
                yield Anchor(each.view, _read(self.paths[each.view], each.mask.shape))

    def pull(self, picture: NDArray[np.float32], mask: NDArray[np.float32], share: float) -> None:
        return None

    def close(self) -> None:
        return None


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(H, W, 3) sRGB, scaled to a shape."""
    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, ValueError) as error:
        raise FormatError(
            path, "The picture cannot be read.", "Export it again.", details=str(error)
        ) from error
    (rows, columns), (height, width) = pixels.shape[:2], shape
    if abs(columns / rows * height / width - 1) > _ASPECT_SLACK:
        raise InputError(
            f"{path.name} has {columns} × {rows} pixels, its view {width} × {height}.",
            "Edited images must show the whole view, in any size of the same shape.",
        )
    if (rows, columns) != (height, width):
        is_smaller = height <= rows and width <= columns
        pixels = cv2.resize(
            pixels, (width, height), interpolation=cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
        )
    return (np.asarray(pixels, np.float32) / 255).astype(np.float32)
