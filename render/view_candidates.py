"""What each source view has to say about each pixel of a new view: its colour there, and how far it may be believed.

A pixel with z-depth 0 is sky: it lies in a direction only, and is seen by those views whose own depth is unknown there.
`gather_plainly` in tests/render/view_twins.py says the same, readably.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.compiled import Float, in_threads
from render.view_candidate_kernels import COARSE_CELLS, WIDER, blend_by_prior, fill_candidates
from render.view_field import ViewField
from render.view_sources import (
    NUM_LEVELS,
    Texels,
    pinhole,
    prepared,
    source_cameras,
)

CHUNK = 1024  # pixels that a thread takes at once


@dataclass(frozen=True, eq=False)
class Candidates:
    """P pixels as S sources see them; float32, colours sRGB within 0 and 1.

    colors: (P, S, 3) in the pictures. originals: (P, S, 3) before the edit. coarse_colors, coarse_originals: (P, S, 3)
    the same blurred over some 16th of the source's longer side, wide_colors, wide_originals: over a quarter of it, all
    (0, 0, 0) where not asked for. disagreement: (P, S) depth of
    the point in the source over the depth that the source has there, less 1, within -1 and 1: positive where
    something hides it, 0 where unknown. angle: (P, S) radians between the two rays. scale: (P, S) log2 of how many
    pixels of the source fall to one of the picture along one side. is_inside: (P, S) bool, the source's picture
    contains the point. prior: (P, S) log weight of blending by rule: angle (unstructured lumigraph rendering,
    Buehler et al. 2001), occlusion, the view's weight. Outside the colours are those of the picture's border, and the prior at most OUTSIDE.
    """

    colors: Float
    originals: Float
    coarse_colors: Float
    coarse_originals: Float
    wide_colors: Float
    wide_originals: Float
    disagreement: Float
    angle: Float
    scale: Float
    is_inside: NDArray[np.bool_]
    prior: Float


def gather(
    field: ViewField,
    chosen: NDArray[np.integer],
    pose: ArrayLike,
    focal: ArrayLike,
    center: ArrayLike,
    depth: ArrayLike,
    pixels: ArrayLike | None = None,
    *,
    with_coarse: bool = True,
) -> Candidates:
    """What the chosen views (S,) know of a camera's pixels. pose: (4, 4) cam_from_world. depth: (H, W) z-depth of what
    the camera sees, 0 for sky. pixels: (P,) flat indices, row by row, of those asked for; all where not given."""
    depth = np.ascontiguousarray(depth, np.float32)
    pixels = np.arange(depth.size) if pixels is None else pixels
    found = room_for(np.size(pixels), len(chosen), with_coarse=with_coarse)
    known_views = KnownViews.of(field, np.ascontiguousarray(chosen, np.int64), pose)
    known_views.gather_into(found, pinhole(focal, center), depth, np.ascontiguousarray(pixels, np.int64))
    return found


def room_for(num_pixels: int, num_sources: int, *, with_coarse: bool) -> Candidates:
    """Candidates to be filled in."""
    shape = (num_pixels, num_sources)
    coarse = (*shape, 3) if with_coarse else (0, 0, 0)

    def floats(*sides: int) -> Float:
        return np.empty(sides, np.float32)

    return Candidates(
        floats(*shape, 3), floats(*shape, 3), floats(*coarse), floats(*coarse), floats(*coarse), floats(*coarse),
        floats(*shape), floats(*shape), floats(*shape), np.empty(shape, np.bool_), floats(*shape),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class KnownViews:
    """Chosen views, ready to be drawn from one camera. texels, levels: as of `Prepared`. depths: (N, H, W) of all views.
    cameras: as `source_cameras`. first: the channel of the colours, 3 for those of the originals. usual_depth: of the
    scene."""

    texels: Texels
    levels: NDArray[np.int64]
    depths: Float
    chosen: NDArray[np.int64]
    cameras: Float
    usual_depth: float
    first: int = 0

    @classmethod
    def of(
        cls, field: ViewField, chosen: NDArray[np.int64], pose: ArrayLike, *, as_before: bool = False
    ) -> KnownViews:
        """as_before: colours are those of the originals."""
        known = prepared(field)
        cameras = source_cameras(field, chosen, pose)
        texels = known.texels(chosen)
        return cls(
            texels, known.levels, field.depths, chosen, cameras, known.usual_depth, 3 if as_before else 0
        )

    def gather_into(self, found: Candidates, target: Float, depth: Float, pixels: NDArray[np.int64]) -> None:
        """`gather` with what is known of the views. target: as `pinhole`."""
        in_threads(
            fill_candidates, len(pixels), CHUNK, self.texels.reshape(len(self.chosen), -1), self.levels,
            blurred_levels(self.depths.shape[1:]), self.depths, self.chosen, self.cameras,
            np.float32(1 / self.usual_depth), self.first, target, depth, pixels,
            found.colors, found.originals, found.coarse_colors, found.coarse_originals, found.wide_colors,
            found.wide_originals, found.disagreement, found.angle, found.scale, found.is_inside, found.prior,
        )  # fmt: skip


def blurred_levels(size: tuple[int, ...]) -> NDArray[np.int64]:
    """(2,) the coarse and the wide level of pictures of a size: the same share of a picture, however large it is."""
    coarse = np.clip(round(np.log2(max(size) / COARSE_CELLS)), 1, NUM_LEVELS - 1 - WIDER)
    return np.array([coarse, coarse + WIDER], np.int64)


def blended(candidates: Candidates) -> Float:
    """(P, 3) by rule: the sources' colours with weights softmax(prior)."""
    colors = np.empty((len(candidates.prior), 3), np.float32)
    in_threads(blend_by_prior, len(colors), CHUNK, candidates.colors, candidates.prior, colors)
    return colors
