"""Pictures and arrays as they are stored: their size from the header alone, or all of their numbers.

What cannot be read raises OSError with the file's name.
"""

from __future__ import annotations

import tokenize
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Size = tuple[int, int]  # width, height


def image_size(path: Path) -> Size:
    """Width and height of a picture or an array, from its header alone."""
    if path.suffix.lower() in (".npy", ".exr"):
        height, width = _array_shape(path)
        return width, height
    with opened(path) as picture:
        return picture.size


def read_array(path: Path) -> NDArray[Any]:
    """The numbers of a picture or a .npy file as stored: (H, W) or (H, W, C), RGB order."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _channels_last(path, _load_npy(path))
    if suffix == ".exr":
        return _read_exr(path)
    if suffix == ".png":
        image_size(path)  # refuses what promises too many pixels, which OpenCV would make room for
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        # Pillow cuts 16-bit colours to 8 bits; what OpenCV refuses, it may still read.
        if pixels is not None:
            order = {2: None, 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[-1] if pixels.ndim == 3 else 2]
            return pixels if order is None else np.ascontiguousarray(pixels[..., order])
    with opened(path) as picture:
        return np.array(picture)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture whose damage, whatever Pillow calls it, is an OSError with the file's name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and of tags that do not concern the pixels
            with Image.open(path) as picture:
                yield picture
    except FileNotFoundError:
        raise
    except (
        OSError, ValueError, TypeError, SyntaxError, EOFError, IndexError, KeyError, OverflowError, AttributeError,
        RuntimeError, Image.DecompressionBombError,
    ) as error:  # fmt: skip
        # Pillow's decoders raise all of these for damaged files.
        raise OSError(f"{path.name}: {error or type(error).__name__}") from error


def _load_npy(path: Path, mmap_mode: Literal["r"] | None = None) -> NDArray[Any]:
    """The array of a .npy file. Raises OSError for anything else."""
    try:
        array = np.load(path, mmap_mode, allow_pickle=False)
    except FileNotFoundError:
        raise
    except (
        OSError, ValueError, EOFError, SyntaxError, TypeError, MemoryError, OverflowError, tokenize.TokenError,
    ) as error:  # fmt: skip
        # numpy parses the header as Python, and raises all of these for damaged ones.
        raise OSError(f"{path.name}: {error}") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise OSError(f"{path.name} does not hold an array of numbers")
    return array


def _channels_last(path: Path, array: NDArray[Any]) -> NDArray[Any]:
    """(H, W), (1, H, W), (H, W, 1), (C, H, W) or (H, W, C) → (H, W) or (H, W, C)."""
    is_first = array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4)
    if is_first:
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or 0 in array.shape:
        raise OSError(f"{path.name} has the shape {array.shape}, which is no picture")
    return array


@contextmanager
def _opened_exr(path: Path, header_only: bool = False) -> Iterator[Any]:
    import OpenEXR

    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    try:
        with OpenEXR.File(str(path), separate_channels=True, header_only=header_only) as file:
            yield file
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        raise OSError(f"{path.name}: {error}") from error


def _read_exr(path: Path) -> NDArray[Any]:
    """(H, W) or (H, W, C): R, G, B or X, Y, Z where it has them, else the channels by name."""
    with _opened_exr(path) as file:
        channels = {name: np.array(channel.pixels) for name, channel in file.channels().items()}
    sets = (("R", "G", "B"), ("X", "Y", "Z"), tuple(sorted(channels)))
    names = next(names for names in sets if set(names) <= set(channels))
    if not names:
        raise OSError(f"{path.name} holds no channels")
    return channels[names[0]] if len(names) == 1 else np.stack([channels[name] for name in names[:4]], -1)


def _array_shape(path: Path) -> Size:
    """(height, width) of a .npy or .exr file without its numbers."""
    if path.suffix.lower() == ".exr":
        with _opened_exr(path, header_only=True) as file:
            low, high = file.header()["dataWindow"]
            return int(high[1] - low[1] + 1), int(high[0] - low[0] + 1)
    array = _load_npy(path, "r")
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        return int(array.shape[1]), int(array.shape[2])
    if array.ndim not in (2, 3):
        raise OSError(f"{path.name} has the shape {array.shape}, which is no picture")
    return int(array.shape[0]), int(array.shape[1])
