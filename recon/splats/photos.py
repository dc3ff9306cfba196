"""The photos at the size that training looks at them in: read when needed, kept while the memory's budget allows."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.debsdf.photos import held_out
from recon.formats.pixels import read_image, read_mask_file, read_opacity
from recon.splats import Transparency
from render.cameras import CameraSet
from render.image_files import seen_by_lens
from render.images import PosedImages

Size = tuple[int, int]

PIXELS_OF_A_PHOTO = {"cpu": 480 * 480, "cuda": 1600 * 1200}
SMALLEST_SIDE = 16
BUDGET = 2 << 30  # bytes of decoded photos that are kept
SHOWN = 127  # a pixel of a mask counts above


@dataclass(frozen=True)
class Photo:
    """rgb: (H, W, 3) uint8. used: (H, W) uint8, 255 where the pixel counts. opacity: (H, W) uint8, None where
    opaque throughout: what is behind is the background."""

    rgb: NDArray[np.uint8]
    used: NDArray[np.uint8]
    opacity: NDArray[np.uint8] | None = None

    @property
    def num_bytes(self) -> int:
        """Memory that it takes."""
        return self.rgb.nbytes + self.used.nbytes + (0 if self.opacity is None else self.opacity.nbytes)

    def scaled(self, size: Size) -> Photo:
        """Smaller, by area averaging; a pixel counts where all that it covers did."""
        if (self.rgb.shape[1], self.rgb.shape[0]) == size:
            return self
        small = [
            None
            if each is None
            else np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA), np.uint8)
            for each in (self._clean_rgb, self.used, self.opacity)
        ]
        rgb, used, opacity = small
        assert rgb is not None and used is not None
        return Photo(rgb, np.where(used == 255, 255, 0).astype(np.uint8), opacity)

    @property
    def _clean_rgb(self) -> NDArray[np.uint8]:
        """Nothing where the pixel does not count, so that it cannot leak into its neighbours."""
        return np.where(self.used[..., None] > 0, self.rgb, 0).astype(np.uint8)


class Photos:
    """N photos of a scene at their working sizes.

    cameras: in the scene's world, of these sizes. is_held_out: (N,) only measured. kept_bytes: memory of those that are
    kept, at most `budget`, or one.
    """

    def __init__(
        self, posed: PosedImages, longest: int, held_out_every: int, device: str, transparency: Transparency,
        budget: int = BUDGET,
    ) -> None:  # fmt: skip
        self._posed = posed
        sizes = np.array([_working_size(size, longest, device) for size in posed.cameras.size])
        self.cameras: CameraSet = posed.cameras.resized(sizes)
        self.is_held_out = held_out(len(posed), held_out_every)
        self._transparency = transparency
        self._budget = budget
        self._kept: OrderedDict[int, Photo] = OrderedDict()
        self.kept_bytes = 0

    def __len__(self) -> int:
        return len(self._posed)

    @cached_property
    def trained(self) -> NDArray[np.int64]:
        """Indices of the photos that are trained on."""
        return np.flatnonzero(~self.is_held_out)

    def spread(self, most: int) -> tuple[list[int], str]:
        """Some photos to measure, evenly from all, and how that figure is called: held-out ones where there are any."""
        held_out = np.flatnonzero(self.is_held_out)
        views = held_out if len(held_out) else self.trained
        chosen = views[:: max(1, -(-len(views) // most))]
        return [int(view) for view in chosen], "psnr_held_out" if len(held_out) else "psnr_trained"

    @property
    def names(self) -> tuple[str, ...]:
        return self._posed.images.names

    def size(self, index: int) -> Size:
        """Width and height."""
        width, height = self.cameras.size[index]
        return int(width), int(height)

    def photo(self, index: int) -> Photo:
        """One photo. Raises FormatError where it cannot be read."""
        found = self._kept.get(index)
        if found is not None:
            self._kept.move_to_end(index)
            return found
        found = self._read(index)
        self._kept[index] = found
        self.kept_bytes += found.num_bytes
        while self.kept_bytes > self._budget and len(self._kept) > 1:
            _, left = self._kept.popitem(last=False)
            self.kept_bytes -= left.num_bytes
        return found

    def _read(self, index: int) -> Photo:
        posed, size = self._posed, self.size(index)
        rgb, mask, alpha = (read(posed, index, size) for read in (read_image, read_mask_file, read_opacity))
        assert rgb is not None
        is_used, opacity = seen_by_lens(posed, index, size), None
        if self._transparency == "empty":
            known = [each for each in (mask, alpha) if each is not None]
            opacity = np.minimum.reduce(known) if known else None
        else:
            is_used = is_used & (True if mask is None else mask > SHOWN)
            if self._transparency == "auto":
                opacity = alpha
            elif alpha is not None:
                is_used = is_used & (alpha > SHOWN)
        return Photo(rgb, np.where(is_used, 255, 0).astype(np.uint8), opacity)


def _working_size(size: NDArray[np.int64], longest: int, device: str) -> Size:
    """Width and height to train at: the photo's own where that is small, else its shape scaled down."""
    width, height = size
    if longest:
        factor = longest / max(width, height)
    else:
        factor = math.sqrt(
            PIXELS_OF_A_PHOTO["cuda" if device.startswith("cuda") else "cpu"] / (width * height)
        )
    factor = min(1.0, factor)
    return max(SMALLEST_SIDE, round(width * factor)), max(SMALLEST_SIDE, round(height * factor))
