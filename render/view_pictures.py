"""What a field of views looks like from any camera: its views, brought there by depth, and blended.

Edited pictures are blended by rule or by the field's network; where the edit is a map of colours, the originals are
blended and then coloured. A picture can be drawn a few rows at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.color_map import mapped
from render.compiled import Float
from render.field_picture import FieldPicture
from render.view_candidates import Candidates, KnownViews, blended, room_for
from render.view_cutout import carve
from render.view_depth import novel_depth
from render.view_field import ViewField
from render.view_rule import by_rule, guessed_colors, guessed_share, opacity, rule_prior
from render.view_sources import (
    LOG_WEIGHT,
    NUM_QUICK_SOURCES,
    NUM_SOURCES,
    choose_sources,
    pinhole,
    prepared,
    rows_of,
    source_cameras,
    sources_at_rest,
)

SKY_BELIEF = -15.0  # log prior of a view that says that there is sky: half its pixels at least have no depth
TILE = 8192  # pixels that are drawn at once, so that what is known of them stays in the cache

__all__ = ["NUM_QUICK_SOURCES", "ViewDrawer", "view_picture"]


def view_picture(
    field: ViewField,
    pose: ArrayLike,
    focal: ArrayLike,
    center: ArrayLike,
    size: tuple[int, int],
    *,
    rows: tuple[int, int] | None = None,
    num_sources: int | None = None,
    depth: ArrayLike | None = None,
    chosen: NDArray[np.integer] | None = None,
) -> FieldPicture:
    """A field of views from one pinhole; arguments as those of `ViewDrawer`. rows: first and last + 1; all where not
    given."""
    drawer = ViewDrawer(field, pose, focal, center, size, num_sources=num_sources, depth=depth, chosen=chosen)
    return drawer.picture(rows)


class ViewDrawer:
    """Draws a field from one camera, all of it or a few rows at a time: between calls one may stop or show what there
    is. Sources and depth are found when it is made.

    pose: (4, 4) cam_from_world. focal, center: (2,) pixels. size: width, height. num_sources: views that are blended,
    NUM_QUICK_SOURCES while the camera moves, those of a picture at rest where not given. depth: (H, W) z-depth, where
    it is known better than from the views, 0 for sky. chosen: (S,) views to blend; the best ones where not given.
    """

    def __init__(
        self,
        field: ViewField,
        pose: ArrayLike,
        focal: ArrayLike,
        center: ArrayLike,
        size: tuple[int, int],
        *,
        num_sources: int | None = None,
        depth: ArrayLike | None = None,
        chosen: NDArray[np.integer] | None = None,
    ) -> None:
        self.field, self.size = field, (int(size[0]), int(size[1]))
        if chosen is None:
            count = sources_at_rest(field) if num_sources is None else num_sources
            chosen = choose_sources(field, pose, focal, center, self.size, count=count)
        self.chosen = np.ascontiguousarray(chosen, np.int64)
        if depth is None:
            depth = novel_depth(field, pose, focal, center, self.size, self.chosen[:NUM_SOURCES])
        self.depth = np.ascontiguousarray(depth, np.float32)
        if field.is_cut_out:
            self.depth = self._carved(pose, pinhole(focal, center))
        self._world_from_cam = np.linalg.inv(np.asarray(pose, np.float64))
        if len(self.chosen):
            self._views = KnownViews.of(field, self.chosen, pose, as_before=field.has_color_map)
        self._target = pinhole(focal, center)

    def _carved(self, pose: ArrayLike, target: Float) -> Float:
        """Depth without what views of cut-out photos see through."""
        depth = self.depth.copy()
        cameras = source_cameras(self.field, self.chosen, pose)
        carve(depth, np.ascontiguousarray(self.field.depths), self.chosen, cameras, target)
        return depth

    def picture(self, rows: tuple[int, int] | None = None) -> FieldPicture:
        """Rows first … last of the picture, all where not given. alpha is 1 where a view shows what is there, falls
        to 0 beyond what they show; depth is 0 where alpha is, and where sky is seen."""
        first, last = (0, self.size[1]) if rows is None else rows
        pixels = rows_of(self.size, (first, last))
        rgb = np.zeros((len(pixels), 3), np.float32)
        alpha = np.zeros(len(pixels), np.float32)
        if len(self.chosen):
            for start in range(0, len(pixels), TILE):
                part = slice(start, start + TILE)
                rgb[part], alpha[part] = self._tile(pixels[part])
        shape = (last - first, self.size[0])
        depth = self.depth[first:last] * (alpha > 0).reshape(shape)
        return FieldPicture(rgb.reshape(*shape, 3), alpha.reshape(shape), depth)

    def candidates(self, pixels: NDArray[np.integer], *, with_coarse: bool) -> Candidates:
        """What the sources know of pixels (P,), flat indices."""
        found = room_for(len(pixels), len(self.chosen), with_coarse=with_coarse)
        self._views.gather_into(found, self._target, self.depth, np.ascontiguousarray(pixels, np.int64))
        return found

    def _tile(self, pixels: NDArray[np.integer]) -> tuple[Float, Float]:
        """Colours (P, 3) times alpha, and alpha (P,)."""
        has_network = self.field.network.size > 0
        found = self.candidates(pixels, with_coarse=has_network)
        ruled = by_rule(found, self.field.sharpness)
        colors = self._blend(ruled)
        self._guess(colors, ruled, pixels)
        if self.field.has_color_map:
            colors = mapped(self.field, colors, self._points(pixels), self._world_from_cam)
        alpha = self._opacity(found, pixels)
        return np.clip(colors, 0, 1) * alpha[:, None], alpha

    def _guess(self, colors: Float, ruled: Candidates, pixels: NDArray[np.integer]) -> None:
        """Give colours (P, 3) to what no source shows."""
        sharpness = self.field.sharpness
        share = guessed_share(ruled.prior.max(1) / np.float32(sharpness))
        guessed = np.flatnonzero(share)
        if len(guessed):
            blurred = guessed_colors(self.candidates(pixels[guessed], with_coarse=True), sharpness)
            colors[guessed] += share[guessed, None] * (blurred - colors[guessed])

    def _blend(self, ruled: Candidates) -> Float:
        if not self.field.network.size:
            return blended(ruled)
        from render.view_network import blend

        return np.asarray(blend(ruled, self.field.network), np.float32)

    def _opacity(self, found: Candidates, pixels: NDArray[np.integer]) -> Float:
        """(P,) 1 where a view's picture contains the point, less where it ends shortly before it; of sky, 1 where a view
        says that it is sky; 0 for sky where the scene is cut out."""
        is_sky = self.depth.reshape(-1)[pixels] <= 0
        alpha = np.ones(len(pixels), np.float32)
        some = np.flatnonzero(is_sky | ~found.is_inside.any(1))
        if len(some):
            belief = found.prior[some] - self._views.cameras[:, LOG_WEIGHT]
            known = opacity(rule_prior(belief, found.is_inside[some]).max(1))
            sky = (belief.max(1) > SKY_BELIEF) & (not self.field.is_cut_out)
            alpha[some] = np.where(is_sky[some], sky.astype(np.float32), known)
        return alpha

    def _points(self, pixels: NDArray[np.integer]) -> Float:
        """(P, 3) in the camera's axes; sky at the far end of what is known."""
        depth = self.depth.reshape(-1)[pixels]
        depth = np.where(depth > 0, depth, np.float32(prepared(self.field).far))
        rows, columns = np.divmod(pixels, self.size[0])
        xy = (np.stack([columns, rows], 1).astype(np.float32) + 0.5 - self._target[2:]) / self._target[:2]
        return np.concatenate([xy * depth[:, None], depth[:, None]], 1).astype(np.float32)
