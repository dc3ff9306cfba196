"""From cues to the surface that training starts from."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recon.cues.alignment import AlignedDepth, ReadDepth, align_depth, file_reader
from recon.cues.joint_alignment import align_jointly, normals_reader
from recon.cues.sharpening import sharpened
from recon.debsdf.coarse import CoarseField, coarse_field, consistency_masks, rendered_depth
from recon.debsdf.region import Region, find_region
from recon.debsdf.unexplained import Colors, matches, unexplained_pixels
from render.cameras import CameraSet
from render.images import DepthKind, PosedImages

BLURS = (0.0, 0.004, 0.008, 0.013)  # of the longer side: how much a depth network may have blurred edges
BLUR_ROWS = 6  # every n-th row tells which
TRUSTED = 0.055  # of the region's half side: how far a cue may be from the base


@dataclass(frozen=True)
class Base:
    """What training starts from.

    aligned: the depth cues in the world, edges sharpened. region: the box. field: the
    coarse field in it. is_trusted: (N, H, W) where a view's cues agree with the field. blur: sigma in pixels of the
    blur that was undone. is_unexplained: (N, H, W), see `unexplained_pixels`.
    """

    aligned: AlignedDepth
    region: Region
    field: CoarseField
    is_trusted: NDArray[np.bool_]
    is_unexplained: NDArray[np.bool_]
    blur: float


def build_base(
    posed: PosedImages,
    rgb: NDArray[np.uint8],
    is_used: NDArray[np.bool_] | None = None,
    resolution: int = 160,
    read: ReadDepth | None = None,
    kind: DepthKind | None = None,
    is_scale_fixed: bool = True,
) -> Generator[str, None, Base | None]:
    """Align the depth cues, sharpen and fuse them; yields what it does next.

    rgb: (N, H, W, 3) the photos at the size to work at. is_used: (N, H, W) pixels that count. Others as in
    `align_depth`. Returns None where no view's depth can be aligned.
    """
    size = (rgb.shape[2], rgb.shape[1])
    read = _masked(read or file_reader(posed, size), is_used)
    aligned = yield from align_views(posed, size, read, kind, is_scale_fixed)
    if not aligned.is_aligned.any():
        return None
    region = find_region(posed, aligned)
    yield "Sharpening depth"
    colors = Colors.of(rgb)
    aligned, blur = sharpest_depth(aligned, colors, posed.cameras)
    yield "Looking for what the depth has lost"
    is_unexplained = unexplained_pixels(aligned.depth, colors, posed.cameras)
    yield "Fusing depth"
    field = coarse_field(posed.cameras, aligned, region, resolution, is_unexplained)
    yield "Comparing depth with the whole"
    rendered = rendered_depth(field, posed.cameras, region, size)
    is_trusted = consistency_masks(aligned, rendered, TRUSTED * region.world_from_box.scale)
    return Base(aligned, region, field, is_trusted, is_unexplained, blur)


def align_views(
    posed: PosedImages,
    size: tuple[int, int],
    read: ReadDepth | None = None,
    kind: DepthKind | None = None,
    is_scale_fixed: bool = True,
) -> Generator[str, None, AlignedDepth]:
    """Each view's depth aligned to sparse points, then all of them to each other; yields what it does next.

    Arguments as in `align_depth`.
    """
    yield "Aligning depth"
    read = read or file_reader(posed, size)
    aligned = align_depth(posed, size, read, kind, is_scale_fixed)
    if not aligned.is_aligned.any():
        return aligned
    yield "Aligning depth to other views"
    return align_jointly(posed, aligned, read, normals_reader(posed, size), is_scale_fixed)


def _masked(read: ReadDepth, is_used: NDArray[np.bool_] | None) -> ReadDepth:
    if is_used is None:
        return read
    return lambda i: np.where(is_used[i], read(i), np.nan).astype(np.float32)


def sharpest_depth(aligned: AlignedDepth, colors: Colors, cameras: CameraSet) -> tuple[AlignedDepth, float]:
    """The depth without the blur of its network, and the blur in pixels (sigma).

    Tries some; takes the one without which most pixels have their colour confirmed by other views.
    """
    best, best_share, best_sigma = aligned.depth, -1.0, 0.0
    for share in BLURS:
        sigma = share * max(aligned.size)
        depth = np.stack([sharpened(picture, sigma) for picture in aligned.depth])
        matched, tested = matches(depth, colors, cameras, BLUR_ROWS)
        confirmed = float(matched.sum() / max(1, tested.sum()))
        if confirmed > best_share:
            best, best_share, best_sigma = depth, confirmed, sigma
    return replace(aligned, depth=best), best_sigma
