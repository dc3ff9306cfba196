"""Masks of parts in a folder: pictures named as the images, a part's number in each pixel, 255 for "no opinion"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.errors import FormatError, InputError
from recon.romap.evidence import NO_OPINION, LabelEvidence
from recon.romap.view_files import files_of_views
from recon.romap.view_weights import Size
from render.images import PosedImages
from render.lenses import is_perfect, undistortion_map

SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".npy")
_UNLABELLED = {"uint8": 255, "uint16": 65535}
_ASPECT_SLACK = 0.02


@dataclass(frozen=True)
class MaskFolder:
    """The masks of a scene's images. paths: by index of the image. notes: what the person should know.

    part_ids: every part that any mask names, ascending: the meaning of the evidence's indices.
    """

    scene: PosedImages
    paths: dict[int, Path]
    part_ids: tuple[int, ...]
    longest: int
    notes: tuple[str, ...] = ()

    def evidence(self) -> Iterator[LabelEvidence]:
        """The masks that say anything, in the scene's order, no longer than `longest` pixels."""
        place = np.full(max(self.part_ids) + 1, NO_OPINION, np.int16)
        place[list(self.part_ids)] = np.arange(len(self.part_ids))
        for view, path in self.paths.items():
            stored = read_mask(path)
            labels = np.where(stored >= 0, place[np.maximum(stored, 0)], NO_OPINION)
            labels = nearest_pixels(self.scene, view, labels, self._size(view, stored))
            if (labels >= 0).any():
                yield LabelEvidence(view, labels.astype(np.int16))

    def _size(self, view: int, stored: NDArray[np.int64]) -> Size:
        """The smaller of mask and image, and of what was asked for."""
        width, height = (int(side) for side in self.scene.cameras.size[view])
        factor = min(1.0, self.longest / max(width, height), stored.shape[1] / width)
        return max(1, round(width * factor)), max(1, round(height * factor))


def open_masks(folder: Path, scene: PosedImages, longest: int) -> MaskFolder:
    """Match the files of a folder to a scene's images and see which parts they name.

    Raises InputError, FormatError: no folder, nothing fits, a mask of another shape or without numbers.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", "Give the folder that holds the masks.")
    found, _ = files_of_views(folder, SUFFIXES, scene)
    if not found:
        expected = PurePosixPath(scene.images.paths[int(scene.used[0])]).stem + ".png"
        raise InputError(
            f"No mask in {folder.name} is named as an image of the scene.",
            f"Name masks as the images, such as {expected}.",
        )
    notes, ids = _missing(found, scene), set()
    resized = 0
    for view, path in found.items():
        labels = read_mask(path)
        resized += _check_shape(path, labels, scene, view)
        ids.update(np.unique(labels[labels >= 0]).tolist())
    if resized:
        notes.append(f"{resized} masks have another size than their images; the nearest pixels are taken.")
    _check_parts(sorted(ids), folder)
    return MaskFolder(scene, found, tuple(sorted(ids)), longest, tuple(notes))


def read_mask(path: Path) -> NDArray[np.int64]:
    """(H, W) part numbers, -1 for no opinion. Palettes count by index. Raises FormatError."""
    try:
        pixels = np.load(path) if path.suffix.lower() == ".npy" else _opened(path)
    except (OSError, ValueError) as error:
        raise FormatError(path, "The mask cannot be read.", "Export it again.", details=str(error)) from error
    if pixels.ndim == 3:
        if (pixels[..., :3] != pixels[..., :1]).any():
            raise FormatError(
                path,
                "The mask is a picture in colours.",
                "Save masks in grey, a part's number in each pixel.",
            )
        pixels = pixels[..., 0]
    if pixels.ndim != 2 or pixels.dtype.kind not in "biu":
        raise FormatError(
            path, "The mask does not hold whole numbers.", "Save masks as grey PNG of 8 or 16 bits."
        )
    numbers = pixels.astype(np.int64)
    numbers[(numbers == _UNLABELLED.get(pixels.dtype.name, -1)) | (numbers < 0)] = NO_OPINION
    return numbers


def nearest_pixels(
    scene: PosedImages, view: int, labels: NDArray[np.integer], size: Size
) -> NDArray[np.integer]:
    """(H, W) the label in which each pixel's centre falls, in another size and without the lens's distortion."""
    rows, columns = labels.shape
    model, params = scene.lens_models[view], scene.lens_params
    assert params is not None
    if is_perfect(model, params[view]):
        x = ((np.arange(size[0]) + 0.5) * columns / size[0]).astype(np.int64)
        y = ((np.arange(size[1]) + 0.5) * rows / size[1]).astype(np.int64)
        return np.asarray(labels[y[:, None], x])
    factor = np.array(size) / scene.cameras.size[view]
    focal, center = scene.cameras.focal[view] * factor, scene.cameras.center[view] * factor
    where, is_seen = undistortion_map(
        model, tuple(params[view].tolist()), tuple(focal.tolist()), tuple(center.tolist()), size
    )
    x = np.clip((where[..., 0] * (columns / size[0])).astype(np.int64), 0, columns - 1)
    y = np.clip((where[..., 1] * (rows / size[1])).astype(np.int64), 0, rows - 1)
    return np.where(is_seen, labels[y, x], NO_OPINION)


def _opened(path: Path) -> NDArray[np.generic]:
    with Image.open(path) as picture:
        picture.load()
        return np.asarray(picture)


def _missing(found: dict[int, Path], scene: PosedImages) -> list[str]:
    without = len(scene.used) - len(found)
    return [f"{without} of {len(scene.used)} images have no mask."] if without else []


def _check_shape(path: Path, labels: NDArray[np.int64], scene: PosedImages, view: int) -> int:
    """1 where the mask has another size than the image. Raises InputError for another shape."""
    width, height = (int(side) for side in scene.cameras.size[view])
    rows, columns = labels.shape
    if abs(columns / rows * height / width - 1) > _ASPECT_SLACK:
        raise InputError(
            f"{path.name} has {columns} × {rows} pixels, its image {width} × {height}.",
            "Masks must show the whole image, in any size of the same shape.",
        )
    return int((columns, rows) != (width, height))


def _check_parts(ids: list[int], folder: Path) -> None:
    if not ids:
        raise InputError(
            f"The masks in {folder.name} name no part at all: every pixel is “no opinion”.",
            "Paint part numbers from 0 to 254; 255 is for pixels without an opinion.",
        )
