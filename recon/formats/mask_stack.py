"""Stacks of PNG or TIFF masks → contours: a folder in natural order, a list of files, or a TIFF of many pages.

Columns run along +x, rows along +y, slices along +z from `options.origin`. Values are labels, palette indices too;
with a threshold, grey values above it are inside.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from recon.errors import FormatError
from recon.formats.natural_order import natural_order
from recon.formats.reading import Note, Reading, ReadOptions, check_size
from recon.formats.tracing import (
    LARGEST_VOLUME,
    MOST_LABELS,
    Grid,
    TracedSlice,
    check_voxels,
    sections_of,
    trace_labels,
    trace_level,
)
from render.frame import Frame

SUFFIXES = (".png", ".tif", ".tiff")
_LARGEST_PICTURE = 2**28  # pixels
_LARGEST_RATIO = 2000  # pixels a byte; neither deflate nor LZW packs 8-bit pixels tighter
_ADVICE = "Save it again, or leave it out of the stack."


def read(path: Path, options: ReadOptions = ReadOptions()) -> Reading:
    """Read a folder of masks, a TIFF of many pages or a single mask. Raises FormatError."""
    if not path.is_dir():
        return read_files([path], options)
    names = [each for each in path.iterdir() if each.is_file() and not each.name.startswith(".")]
    masks = [each for each in names if each.suffix.lower() in SUFFIXES]
    if not masks:
        raise FormatError(
            path, "The folder has no PNG or TIFF files.", "Choose the folder that holds the masks."
        )
    return read_files(sorted(masks, key=natural_order), options, path)


def read_files(paths: Sequence[Path], options: ReadOptions, name: Path | None = None) -> Reading:
    """Read masks in the order given. name: what to call the stack in messages."""
    stack = name or paths[0]
    if options.spacing is None:
        sentence = "Pictures do not say how large their pixels are and how far apart the slices lie."
        raise FormatError(stack, sentence, "Give the spacing: along columns, along rows, between slices.")
    slices = list(_traced(paths, options))
    slices, notes = _binary_as_one_label(slices, options)
    axes = options.patient_axes
    frame = Frame(options.up or "+Z", options.unit or "unit", axes)
    if len(paths) > 1:
        text = f"{len(slices)} slices, in the order of their names from {paths[0].name} to {paths[-1].name}."
        notes.append(Note("info", text))
    return sections_of(stack, slices, options, frame=frame, notes=notes)


def _traced(paths: Sequence[Path], options: ReadOptions) -> Iterator[TracedSlice]:
    """Each picture's contours; pictures are dropped as soon as they are traced."""
    assert options.spacing is not None
    dx, dy, dz = options.spacing
    origin = np.array(options.origin or (0.0, 0.0, 0.0))
    first: tuple[str, tuple[int, ...]] | None = None
    for number, (path, pixels) in enumerate(_pictures(paths)):
        if first is not None and pixels.shape != first[1]:
            raise FormatError(path, _sizes(pixels.shape, first), "Use masks of one size.")
        first = first or (path.name, pixels.shape)
        grid = Grid(origin + np.array([0, 0, number * dz]), np.array([0, dy, 0.0]), np.array([dx, 0, 0.0]))
        yield TracedSlice(grid, _outlines(path, pixels, options), number + 1)


def _sizes(shape: tuple[int, ...], first: tuple[str, tuple[int, ...]]) -> str:
    name, size = first
    return f"The picture has {shape[1]} × {shape[0]} pixels, but {name} has {size[1]} × {size[0]}."


def _outlines(
    path: Path, pixels: NDArray[Any], options: ReadOptions
) -> list[tuple[NDArray[np.float64], int]]:
    if options.threshold is not None:
        return [(ring, 1) for ring in trace_level(pixels, options.threshold)]
    values = np.unique(pixels)
    if len(values) > MOST_LABELS // 4 or (values != np.round(values)).any():
        sentence = f"The picture holds {len(values)} different grey values, so they are no labels."
        raise FormatError(path, sentence, f"Set a threshold, for example {float(values.max()) / 2:g}.")
    if values.min() < 0 or values.max() > 2**31 - 1:
        raise FormatError(path, f"The picture holds the value {values.min():g}; labels start at 1.", _ADVICE)
    # All of them: whether one value alone is used is only known at the end.
    return trace_labels(pixels)


def _binary_as_one_label(
    slices: list[TracedSlice], options: ReadOptions
) -> tuple[list[TracedSlice], list[Note]]:
    """Masks of one single value, usually 255, are label 1, unless that value was asked for."""
    values = {label for each in slices for _, label in each.outlines}
    if options.labels is not None and (len(values) != 1 or values <= set(options.labels)):
        return [_with_labels(each, options.labels) for each in slices], []
    if len(values) != 1 or values == {1}:
        return slices, []
    note = Note("info", f"The masks hold one value, {values.pop()}; it was read as label 1.")
    renamed = [replace(each, outlines=[(ring, 1) for ring, _ in each.outlines]) for each in slices]
    return renamed, [note]


def _with_labels(traced: TracedSlice, labels: tuple[int, ...]) -> TracedSlice:
    return replace(traced, outlines=[(ring, label) for ring, label in traced.outlines if label in labels])


def _pictures(paths: Sequence[Path]) -> Iterator[tuple[Path, NDArray[Any]]]:
    """Every page of every file as (H, W) numbers."""
    for path in paths:
        check_size(path, LARGEST_VOLUME)
        pages = _pages(path)
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter(
                        "ignore"
                    )  # Pillow warns of odd tags that do not concern the pixels.
                    pixels = next(pages)
            except StopIteration:
                break
            except Image.DecompressionBombError as error:
                sentence = "The picture is too large."
                raise FormatError(path, sentence, "Scale the masks down.", details=str(error)) from error
            except (
                OSError, ValueError, TypeError, SyntaxError, EOFError, IndexError, KeyError, OverflowError, MemoryError,
                AttributeError, RuntimeError, struct.error, zlib.error,
            ) as error:  # fmt: skip
                # Pillow's decoders raise all of these for damaged files.
                details = f"{type(error).__name__}: {error}"
                raise FormatError(path, "The picture is damaged.", _ADVICE, details=details) from error
            yield path, pixels


def _pages(path: Path) -> Iterator[NDArray[Any]]:
    with Image.open(path) as picture:
        num_pixels = picture.width * picture.height
        if num_pixels > _LARGEST_PICTURE:
            check_voxels(path, num_pixels, 2**4)
        if picture.mode != "1" and num_pixels > _LARGEST_RATIO * path.stat().st_size:
            sentence = f"The picture promises {num_pixels:,} pixels and is too short for them."
            raise FormatError(path, sentence, _ADVICE)
        for page in ImageSequence.Iterator(picture):
            yield _grey(path, page)


def _grey(path: Path, page: Image.Image) -> NDArray[Any]:
    """(H, W) values; colours are refused, grey saved as colours is not."""
    pixels = np.asarray(page)
    if pixels.dtype == bool:
        return pixels.astype(np.uint8)
    if pixels.ndim == 2:
        return pixels
    channels = pixels[..., : 3 if pixels.shape[2] >= 3 else 1]
    if (channels != channels[..., :1]).any():
        raise FormatError(path, "The picture has colours.", "Save the masks in grey or with a palette.")
    if pixels.shape[2] in (2, 4):
        return np.where(pixels[..., -1] > 0, channels[..., 0], 0)  # what is transparent is outside
    grey: NDArray[Any] = channels[..., 0]
    return grey
