"""The photos of a scene that take part in an edit: read, of one size, with what is known of where the edit goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError, InputError
from recon.method import Progress
from render.cameras import CameraSet, limited_size
from render.frame import Frame
from render.image_files import read_image, read_mask_file, read_opacity
from render.images import PosedImages

Size = tuple[int, int]
FEWEST_FOR_HOLDING_OUT = 24
HELD_OUT_EVERY = 8
HALF = 127  # of an opacity or a mask: what is above counts


@dataclass(frozen=True, eq=False)
class Coverage:
    """What of N pictures counts. opacity: (N, H, W) uint8 of photos that are cut out, None where none is: nothing is
    where they are transparent. is_used: (N, H, W) where mask files let pixels count, None where there are none."""

    opacity: NDArray[np.uint8] | None = None
    is_used: NDArray[np.bool_] | None = None

    @property
    def counts(self) -> NDArray[np.bool_] | None:
        """(N, H, W) pixels that show the scene; None for all."""
        if self.opacity is None:
            return self.is_used
        is_shown: NDArray[np.bool_] = self.opacity > HALF
        return is_shown if self.is_used is None else is_shown & self.is_used

    @classmethod
    def of(cls, posed: PosedImages, size: Size) -> Coverage:
        """Read from the photos' transparency and masks."""
        shape = (len(posed), size[1], size[0])
        opacity, used = np.full(shape, 255, np.uint8), np.full(shape, 255, np.uint8)
        for i in range(len(posed)):
            for read, into in ((read_opacity, opacity), (read_mask_file, used)):
                found = read(posed, i, size)
                if found is not None:
                    into[i] = found
        is_cut_out, is_masked = bool((opacity <= HALF).any()), bool((used <= HALF).any())
        return cls(opacity if is_cut_out else None, used > HALF if is_masked else None)


@dataclass(frozen=True, eq=False)
class SceneViews:
    """N photos of one size. posed: of these images alone. rgb: (N, H, W, 3) uint8. is_held_out: (N,) which take no part
    in what novel views are made of. coverage: what of each picture counts."""

    posed: PosedImages
    cameras: CameraSet
    rgb: NDArray[np.uint8]
    is_held_out: NDArray[np.bool_]
    coverage: Coverage = field(default_factory=lambda: Coverage())

    def __len__(self) -> int:
        return len(self.rgb)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.posed.images.names)

    @property
    def size(self) -> Size:
        """Width and height."""
        return self.rgb.shape[2], self.rgb.shape[1]

    @property
    def frame(self) -> Frame:
        return self.posed.frame


def chosen_photos(posed: PosedImages, every: int, only: Sequence[str] = ()) -> NDArray[np.int64]:
    """Every n-th of the photos that are switched on, or of those among them that are named. Raises InputError for a
    name that no photo has."""
    names = posed.images.names
    unknown = set(only).difference(names)
    if unknown:
        raise InputError(f"No photo is called {min(unknown)!r}.", f"Photos have names such as {names[0]!r}.")
    return np.array([i for i in posed.used if not only or names[i] in only], np.int64)[::every]


def read_views(
    posed: PosedImages, longest: int, every: int, held_out: int, only: Sequence[str] = ()
) -> Generator[Progress, None, SceneViews]:
    """Read the photos that are chosen. held_out: every n-th of those is held out, 0 for none.

    Raises InputError where fewer than two are left, FormatError where one cannot be read.
    """
    chosen = chosen_photos(posed, every, only)
    if len(chosen) < 2:
        raise InputError(
            "One view does not show where anything is."
            if len(posed.used)
            else "All photos are switched off.",
            "Use at least two posed photos that show the same things, better twenty or more.",
        )
    posed = posed.select(chosen)
    size = common_size(posed.cameras, longest)
    rgb = np.empty((len(posed), size[1], size[0], 3), np.uint8)
    for i in range(len(posed)):
        rgb[i] = read_photo(posed, i, size)
        yield Progress(i + 1, len(posed), "Reading photos")
    coverage = read_coverage(posed, size)
    if coverage.opacity is not None:
        rgb = on_one_color(rgb, coverage.opacity)
    cameras = posed.cameras.resized(np.tile(size, (len(posed), 1)))
    return SceneViews(posed, cameras, rgb, held_out_ones(len(posed), held_out), coverage)


def read_coverage(posed: PosedImages, size: Size) -> Coverage:
    """What of the pictures counts. Raises FormatError for masks that cannot be read, InputError where nothing does."""
    try:
        coverage = Coverage.of(posed, size)
    except (OSError, ValueError) as error:
        folder = Path(posed.images.folder)
        sentence = "A mask of the photos cannot be read."
        raise FormatError(folder, sentence, "Replace it, or leave it out.", details=str(error)) from error
    counts = coverage.counts
    if counts is not None and not counts.any():
        raise InputError(
            "The photos show nothing: all of their pixels are transparent or masked.",
            "Check the masks; they may have to be taken the other way round.",
        )
    return coverage


def on_one_color(rgb: NDArray[np.uint8], opacity: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Photos (N, H, W, 3) with one colour where they are transparent (N, H, W), the mean of what they show: what lies
    there in files is anything, and would be taken for the scene."""
    is_gone = opacity == 0
    color = rgb[opacity > HALF].mean(0)
    return np.where(is_gone[..., None], np.round(color).astype(np.uint8), rgb)


def common_size(cameras: CameraSet, longest: int) -> Size:
    """Width and height at which all are read: the most frequent shape, no longer than so many pixels."""
    frequent = Counter(map(tuple, cameras.size.tolist())).most_common(1)[0][0]
    width, height = limited_size(frequent, longest)
    return max(2, width), max(2, height)


def held_out_every(wish: int | None, count: int, has_cameras: bool) -> int:
    """Every how many views one is held out, 0 for none."""
    if wish is not None:
        return wish
    return HELD_OUT_EVERY if count >= FEWEST_FOR_HOLDING_OUT and not has_cameras else 0


def held_out_ones(count: int, every: int) -> NDArray[np.bool_]:
    """(N,), the middle one of each so many; at least two stay."""
    found = np.zeros(count, bool)
    if every:
        found[every // 2 :: every] = True
    if count - found.sum() < 2:
        found[:] = False
    return found


def spread_evenly(count: int, most: int) -> NDArray[np.int64]:
    """(K,) at most so many of `count`, as far from each other and from both ends."""
    few = min(most, count)
    return ((np.arange(few) + 0.5) * count / max(few, 1)).astype(np.int64)


def read_photo(posed: PosedImages, index: int, size: Size) -> NDArray[np.uint8]:
    """(H, W, 3) one photo at a size. Raises FormatError."""
    try:
        return read_image(posed, index, size)
    except (OSError, ValueError) as error:
        path = Path(posed.images.path(index))
        raise FormatError(
            path, "The photo cannot be read.", "Relink or replace it.", details=str(error)
        ) from error
