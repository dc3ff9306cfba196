"""Masks of things by their names, so that each word of a prompt finds its own: "the sofa blue and the wall green"."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.dn2n.editors.target_names import masks_called
from recon.dn2n.scene_views import SceneViews
from recon.errors import FormatError, InputError
from recon.method import Progress
from recon.romap.mask_folder import nearest_pixels, read_mask
from recon.romap.view_files import files_of_views

Float = NDArray[np.float32]

SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")
LABELS = "labels.json"
_BYTE = np.float32(255)


def has_names(folder: Path, views: SceneViews) -> bool:
    """Whether a folder of masks says what they are of: by folders named as things, or by numbers in labels.json."""
    return (folder / LABELS).is_file() or bool(_folders_of_things(folder, views))


def named_masks(folder: Path, views: SceneViews) -> Generator[Progress, None, dict[str, Float]]:
    """(N, H, W) within 0 and 1 by name; a photo without one shows nothing of the thing. Raises InputError, FormatError."""
    if (folder / LABELS).is_file():
        return (yield from _of_labels(folder, views))
    masks = {}
    for name, each in _folders_of_things(folder, views).items():
        masks[name] = yield from grey_masks(each, views)
    return masks


def grey_masks(folder: Path, views: SceneViews) -> Generator[Progress, None, Float]:
    """(N, H, W) from pictures named as the photos, white for all. Raises InputError where none fits, FormatError."""
    found, _ = files_of_views(folder, SUFFIXES, views.posed)
    if not found:
        raise InputError(
            f"No mask in {folder.name} is named as a photo of the scene.",
            f"Name masks as the photos, such as {Path(views.names[0]).stem}.png.",
        )
    masks = np.zeros(views.rgb.shape[:3], np.float32)
    for done, (view, path) in enumerate(found.items(), 1):
        grey = nearest_pixels(views.posed, view, _read(path), views.size)
        masks[view] = np.maximum(grey, 0).astype(np.float32) / _BYTE
        yield Progress(done, len(found), "Reading masks")
    return masks


def wanted_masks(masks: Mapping[str, Float], targets: Sequence[str], is_everywhere: bool) -> Float:
    """(N, H, W) where anything of a prompt is wanted. targets: its words for where. is_everywhere: whether some of it is
    for the whole scene. Where it names nothing that there are masks of, all masks count."""
    if is_everywhere:
        return np.ones_like(next(iter(masks.values())))
    chosen = [mask for target in targets if (mask := masks_called(target, masks)) is not None]
    return np.asarray(np.max(chosen or list(masks.values()), axis=0), np.float32)


def _folders_of_things(folder: Path, views: SceneViews) -> dict[str, Path]:
    """Folders by name that hold masks and are no part of the photos' own paths; none where masks lie beside them."""
    if not folder.is_dir() or any(path.suffix.lower() in SUFFIXES for path in folder.iterdir()):
        return {}
    of_photos = {part.lower() for path in views.posed.images.paths for part in PurePosixPath(path).parts[:-1]}
    names = [
        path for path in sorted(folder.iterdir()) if path.is_dir() and path.name.lower() not in of_photos
    ]
    return {path.name: path for path in names if files_of_views(path, SUFFIXES, views.posed)[0]}


def _of_labels(folder: Path, views: SceneViews) -> Generator[Progress, None, dict[str, Float]]:
    """Masks of the numbers that labels.json gives names."""
    numbers = _numbers(folder / LABELS)
    found, _ = files_of_views(folder, (".png", ".tif", ".tiff", ".npy"), views.posed)
    if not found:
        raise InputError(
            f"No mask in {folder.name} is named as a photo of the scene.",
            f"Name masks as the photos, such as {Path(views.names[0]).stem}.png.",
        )
    masks = {name: np.zeros(views.rgb.shape[:3], np.float32) for name in numbers}
    for done, (view, path) in enumerate(found.items(), 1):
        labels = nearest_pixels(views.posed, view, read_mask(path), views.size)
        for name, own in numbers.items():
            masks[name][view] = np.isin(labels, own)
        yield Progress(done, len(found), "Reading masks")
    return masks


def _numbers(path: Path) -> dict[str, list[int]]:
    """Numbers by name from {"sofa": 3, "wall": [1, 2]} or {"3": "sofa"}. Raises FormatError."""
    numbers: dict[str, list[int]] = {}
    try:
        for key, value in json.loads(path.read_text("utf-8")).items():
            if isinstance(value, str):
                numbers.setdefault(value, []).append(int(key))
            else:
                own = value if isinstance(value, list) else [value]
                numbers.setdefault(key, []).extend(int(number) for number in own)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FormatError(
            path,
            "It does not say which number means what.",
            'Write {"sofa": 3, "wall": [1, 2]}.',
            details=str(error),
        ) from error
    if not numbers:
        raise FormatError(path, "It names nothing.", 'Write {"sofa": 3, "wall": [1, 2]}.')
    return numbers


def _read(path: Path) -> NDArray[np.int64]:
    """(H, W) grey within 0 and 255."""
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("L"), np.int64)
    except (OSError, ValueError) as error:
        raise FormatError(path, "The mask cannot be read.", "Save it as PNG.", details=str(error)) from error
