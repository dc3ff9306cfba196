"""Pictures of scenes from files: colours, masks and cues, undistorted and in the size that one asks for.

Every function takes `size` = (width, height), or None for the size that the camera says. What cannot be read
raises OSError or ValueError with the file's name.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render.array_files import Size, image_size, opened, read_array
from render.images import DepthCues, ImageSet, NormalCues, PosedImages
from render.lenses import is_perfect, undistortion_map

__all__ = [
    "Size",
    "image_size",
    "read_array",
    "read_depth",
    "read_image",
    "read_mask",
    "read_mask_file",
    "read_normals",
    "read_opacity",
    "seen_by_lens",
]

_LARGE = 2**20  # pixels
_SHORTEST_NORMAL = 0.2  # below, there is none: (128, 128, 128) is how many programs write "unknown"


def read_image(source: PosedImages | ImageSet, index: int, size: Size | None = None) -> NDArray[np.uint8]:
    """(H, W, 3) sRGB of one image, undistorted where its camera is known, scaled down by area averaging."""
    path = _images(source).path(index)
    size = size or _natural_size(source, index)
    with opened(path) as picture:
        pixels = _scaled(_rgb(_decoded(picture, size)), size)
    return np.asarray(_undistorted(source, index, pixels, cv2.INTER_CUBIC), np.uint8)


def read_mask(source: PosedImages | ImageSet, index: int, size: Size | None = None) -> NDArray[np.bool_]:
    """(H, W), which pixels count: its mask file, its alpha channel, and what the lens saw at all."""
    images = _images(source)
    size = size or _natural_size(source, index)
    used = np.full((size[1], size[0]), 255, np.uint8)
    alpha = _read_alpha(images.path(index), size)
    if alpha is not None:
        used = alpha
    mask = _read_mask_file(images, index, size)
    if mask is not None:
        used = np.minimum(used, mask)
    used = _undistorted(source, index, used, cv2.INTER_LINEAR)
    is_seen = _seen_by_lens(source, index, size)
    return (used > 127) if is_seen is None else (used > 127) & is_seen


def read_opacity(
    source: PosedImages | ImageSet, index: int, size: Size | None = None
) -> NDArray[np.uint8] | None:
    """(H, W) 0..255 from the alpha channel, undistorted; None where the picture has no transparency."""
    size = size or _natural_size(source, index)
    alpha = _read_alpha(_images(source).path(index), size)
    return (
        None if alpha is None else np.asarray(_undistorted(source, index, alpha, cv2.INTER_LINEAR), np.uint8)
    )


def read_mask_file(
    source: PosedImages | ImageSet, index: int, size: Size | None = None
) -> NDArray[np.uint8] | None:
    """(H, W) 0..255 from the mask file alone, undistorted; None where there is none."""
    size = size or _natural_size(source, index)
    mask = _read_mask_file(_images(source), index, size)
    return None if mask is None else np.asarray(_undistorted(source, index, mask, cv2.INTER_LINEAR), np.uint8)


def seen_by_lens(source: PosedImages | ImageSet, index: int, size: Size | None = None) -> NDArray[np.bool_]:
    """(H, W), which pixels of the undistorted picture the lens saw at all."""
    size = size or _natural_size(source, index)
    is_seen = _seen_by_lens(source, index, size)
    return np.ones((size[1], size[0]), bool) if is_seen is None else is_seen


def read_depth(posed: PosedImages, index: int, size: Size | None = None) -> NDArray[np.float32]:
    """(H, W) stored numbers times the scale, NaN where unknown; the nearest stored pixel, undistorted.

    Raises ValueError where the image has no depth.
    """
    path = _cue_path(posed, posed.depth, index)
    assert posed.depth is not None
    stored = _single_channel(path, read_array(path)).astype(np.float32)
    size = size or _natural_size(posed, index)
    depth, is_seen = _nearest(posed, index, stored, size, posed.depth.are_undistorted)
    is_known = is_seen & np.isfinite(depth) & (depth != 0)
    return np.where(is_known, depth * np.float32(posed.depth.scale), np.float32(np.nan))


def read_normals(posed: PosedImages, index: int, size: Size | None = None) -> NDArray[np.float32]:
    """(H, W, 3) unit normals in OpenCV's camera axes, looking at the camera; NaN where unknown.

    The nearest stored pixel, undistorted. Raises ValueError where the image has no normals.
    """
    path = _cue_path(posed, posed.normals, index)
    cues = posed.normals
    assert cues is not None
    stored = _three_channels(path, read_array(path))
    size = size or _natural_size(posed, index)
    stored, is_seen = _nearest(posed, index, stored, size, cues.are_undistorted)
    normals = _as_signed(stored) if cues.is_zero_to_one else stored.astype(np.float32)
    normals = normals * np.array(cues.signs, np.float32)
    if cues.space == "world":
        normals = normals @ posed.cameras.cam_from_world[index, :3, :3].T.astype(np.float32)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = normals / length
    is_known = is_seen[..., None] & np.isfinite(length) & (length > _SHORTEST_NORMAL)
    return np.where(is_known, unit, np.nan).astype(np.float32)


def _images(source: PosedImages | ImageSet) -> ImageSet:
    return source.images if isinstance(source, PosedImages) else source


def _natural_size(source: PosedImages | ImageSet, index: int) -> Size:
    if isinstance(source, PosedImages):
        width, height = source.cameras.size[index]
        return int(width), int(height)
    return image_size(source.path(index))


def _decoded(picture: Image.Image, size: Size) -> Image.Image:
    """Decode, a JPEG already scaled down by 2, 4 or 8 where that divides its size and stays above `size`."""
    if picture.format == "JPEG":
        width, height = picture.size
        for factor in (8, 4, 2):
            is_exact = width % factor == 0 and height % factor == 0
            if is_exact and width >= factor * size[0] and height >= factor * size[1]:
                picture.draft(None, (width // factor, height // factor))
                break
    picture.load()
    return picture


def _rgb(picture: Image.Image) -> NDArray[np.uint8]:
    """8-bit colours; transparency is left to the mask."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        grey = np.clip(np.asarray(picture).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, 2)
    if picture.mode == "F":
        raise ValueError("a picture of floating point numbers is no photo")
    if picture.mode in ("P", "PA", "LA"):
        picture = picture.convert("RGBA")
    return np.asarray(picture.convert("RGB"))


def _scaled(pixels: NDArray[Any], size: Size) -> NDArray[Any]:
    """Another size: by area averaging downwards, bicubic upwards."""
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    is_smaller = size[0] <= width and size[1] <= height
    return np.asarray(
        cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC)
    )


# Images of one lens follow each other, so a few maps are enough; one takes 9 bytes a pixel.
_small_map = lru_cache(maxsize=16)(undistortion_map)
_large_map = lru_cache(maxsize=1)(undistortion_map)


def _map_of(
    source: PosedImages | ImageSet, index: int, size: Size
) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
    """The undistortion of one image in this size; None for a perfect lens."""
    if not isinstance(source, PosedImages):
        return None
    assert source.lens_params is not None
    model, params = source.lens_models[index], source.lens_params[index]
    if is_perfect(model, params):
        return None
    factor = np.array(size) / source.cameras.size[index]
    focal, center = source.cameras.focal[index] * factor, source.cameras.center[index] * factor
    cached = _small_map if size[0] * size[1] <= _LARGE else _large_map
    return cached(model, tuple(params.tolist()), tuple(focal.tolist()), tuple(center.tolist()), size)


def _undistorted(
    source: PosedImages | ImageSet, index: int, pixels: NDArray[Any], interpolation: int
) -> NDArray[Any]:
    found = _map_of(source, index, (pixels.shape[1], pixels.shape[0]))
    if found is None:
        return pixels
    where = found[0] - np.float32(0.5)  # OpenCV's first pixel is at (0, 0)
    return np.asarray(cv2.remap(pixels, where, None, interpolation, borderMode=cv2.BORDER_REPLICATE))


def _seen_by_lens(source: PosedImages | ImageSet, index: int, size: Size) -> NDArray[np.bool_] | None:
    found = _map_of(source, index, size)
    return None if found is None else found[1]


def _nearest(
    posed: PosedImages, index: int, stored: NDArray[Any], size: Size, is_undistorted: bool
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The stored pixel in which each pixel's centre falls, and (H, W) where the lens saw anything."""
    rows, columns = stored.shape[:2]
    found = None if is_undistorted else _map_of(posed, index, size)
    if found is None:
        x = np.floor((np.arange(size[0]) + 0.5) * columns / size[0]).astype(np.int64)
        y = np.floor((np.arange(size[1]) + 0.5) * rows / size[1]).astype(np.int64)
        return stored[y[:, None], x], np.ones((size[1], size[0]), bool)
    where, is_seen = found
    x = np.clip((where[..., 0] * (columns / size[0])).astype(np.int64), 0, columns - 1)
    y = np.clip((where[..., 1] * (rows / size[1])).astype(np.int64), 0, rows - 1)
    return stored[y, x], is_seen


def _read_alpha(path: Path, size: Size) -> NDArray[np.uint8] | None:
    """(H, W) 0..255, or None where the picture has no transparency; JPEG never has, so it is not opened."""
    if path.suffix.lower() in (".jpg", ".jpeg"):
        return None
    with opened(path) as picture:
        if "A" not in picture.getbands() and "transparency" not in picture.info:
            return None
        alpha = np.asarray(picture.convert("RGBA").getchannel("A"))
        return np.asarray(_scaled(alpha, size), np.uint8)


def _read_mask_file(images: ImageSet, index: int, size: Size) -> NDArray[np.uint8] | None:
    """(H, W) 0..255, as the lens took it; None where there is no mask file."""
    path = images.mask_path(index)
    if path is None:
        return None
    mask = _scaled(_read_grey_mask(path), size)
    return np.asarray(255 - mask if images.are_masks_inverted else mask, np.uint8)


def _read_grey_mask(path: Path) -> NDArray[np.uint8]:
    """(H, W) 255 where any channel is not zero."""
    pixels: NDArray[Any] = read_array(path)
    if pixels.ndim == 3:
        pixels = np.asarray(pixels[..., :3].any(-1))
    return np.asarray(np.where(pixels != 0, 255, 0), np.uint8)


def _cue_path(posed: PosedImages, cues: DepthCues | NormalCues | None, index: int) -> Path:
    if cues is None or not cues.paths[index]:
        raise ValueError(f"{posed.images.paths[index]} has no such cue")
    return Path(posed.images.folder, cues.paths[index])


def _single_channel(path: Path, pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.ndim == 2:
        return pixels
    first = pixels[..., 0]
    if pixels.shape[-1] in (3, 4) and (pixels[..., :3] != first[..., None]).any():
        raise ValueError(f"{path.name} is a picture in colours, not depth")
    return np.asarray(first)


def _three_channels(path: Path, pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.ndim != 3 or pixels.shape[-1] < 3:
        raise ValueError(f"{path.name} does not hold three channels for normals")
    return pixels[..., :3]


def _as_signed(stored: NDArray[Any]) -> NDArray[np.float32]:
    """[0, 1], 0..255 or 0..65535 → [-1, 1]."""
    largest = {"uint8": 255.0, "uint16": 65535.0}.get(stored.dtype.name, 1.0)
    return (stored.astype(np.float32) * np.float32(2 / largest) - 1).astype(np.float32)
