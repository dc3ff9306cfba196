"""Gaussian splats in the viewport: what a layer of them shows. `viewport_splats` draws all such layers together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.gaussians import GaussianCloud
from widgets.colour_maps import label_color, map_colors, natural_range, rgb
from widgets.splat_picking import nearest_center, splat_under
from widgets.theme import Theme
from widgets.viewport_camera import CameraPose, Size, box_corners
from widgets.viewport_points_layer import most_of
from widgets.viewport_style import LayerStyle, Shading

Array = NDArray[np.float64]
Kept = Callable[[NDArray[np.float32]], NDArray[np.bool_] | None]  # which points are not cut away; None is all
SplatHit = tuple[int, Array, float]  # the Gaussian, a point (3,), its distance
_TINT = 190  # of 255: how much of a label's colour lies over a splat's own
_BUILT_IN = ("opacity", "scale")  # values that every Gaussian has


class SplatsLayer:
    """One cloud and how it is drawn. It holds nothing of the graphics card.

    version: rises with everything that changes the picture.
    """

    actors: tuple[Any, ...] = ()

    def __init__(self, theme: Theme, pixel_ratio: float) -> None:
        self._theme, self._ratio = theme, pixel_ratio
        self._cloud: GaussianCloud | None = None
        self._style = LayerStyle()
        self._bounds: Array | None = None
        self._radii: NDArray[np.float32] | None = None
        self.version = 0

    @property
    def data(self) -> GaussianCloud | None:
        return self._cloud

    @property
    def style(self) -> LayerStyle:
        return self._style

    @property
    def bounds(self) -> Array | None:
        """(2, 3) around most of what is drawn, or None without any: far floaters do not make the scene small."""
        return self._bounds

    @property
    def outer_points(self) -> Array:
        """What to fit the camera to: the corners (8, 3) of the bounds, or nothing."""
        return box_corners(self._bounds)

    @property
    def is_on_dark(self) -> bool:
        return self._theme.is_dark

    def set(self, cloud: GaussianCloud, style: LayerStyle, shading: Shading) -> None:
        """Show this cloud in this way; meshes' shading does not concern it."""
        is_other = self._cloud is None or cloud.means is not self._cloud.means
        scales_before = None if self._cloud is None else self._cloud.log_scales
        self._cloud, self._style = cloud, style
        if is_other:
            self._bounds = subject_of(cloud)
        if is_other or cloud.log_scales is not scales_before:
            self._radii = None
        self.version += 1

    def set_theme(self, theme: Theme, pixel_ratio: float) -> None:
        """Follow another theme or screen."""
        self._theme, self._ratio = theme, pixel_ratio
        self.version += 1

    def set_clipping(self, plane: Any | None) -> None:
        """The plane is the scene's; here it only makes another picture."""
        self.version += 1

    def release(self) -> None:
        """There is nothing to let go of."""

    def under(self, pose: CameraPose, at: tuple[float, float], size: Size, kept: Kept) -> SplatHit | None:
        """The Gaussian under a pixel, the point there and its distance; kept: (N, 3) → (N,), what is not cut away."""
        cloud, marks = self._cloud, self._style.marks
        if cloud is None:
            return None
        if self._radii is None:
            self._radii = np.exp(cloud.log_scales.max(1))
        shown = None if marks is None else marks.is_drawn
        cut = kept(cloud.means)
        if cut is not None:
            shown = cut if shown is None else shown & cut
        if self._style.splat_view == "centers":
            return nearest_center(cloud, shown, pose, at, size)
        return splat_under(cloud, self._radii, shown, pose, at, size, self._style.splat_scale)

    # What its colours mean

    def column_name(self) -> str | None:
        """Which of the cloud's values the colours stand for."""
        if self._cloud is None or self._style.splat_coloring not in ("label", "value", "tint"):
            return None
        is_value = self._style.splat_coloring == "value"
        names = value_names(self._cloud) if is_value else label_names(self._cloud)
        wanted = self._style.value_name
        return wanted if wanted in names else next(iter(names), None)

    def value_range(self) -> tuple[float, float] | None:
        """The range that the colours span where they stand for values."""
        name = self.column_name()
        if name is None or self._cloud is None or self._style.splat_coloring != "value":
            return None
        return self._style.value_range or natural_range(
            shown_values(self._cloud, name), self._style.color_map
        )

    def colors_from(self) -> tuple[object, ...]:
        """What `paint` depends on beside the cloud's own values; empty where Gaussians show their own colour."""
        name = self.column_name()
        if name is None:
            return ()
        style = self._style
        return (
            style.splat_coloring,
            name,
            self.value_range(),
            style.color_map,
            style.label_colors,
            self.is_on_dark,
        )

    def paint(self, rows: slice) -> NDArray[np.uint8]:
        """Colours (M, 4) uint8 that stand for the values or labels of some Gaussians."""
        name = self.column_name()
        assert name is not None and self._cloud is not None
        colors = np.full((len(self._cloud.means[rows]), 4), 255, np.uint8)
        if self._style.splat_coloring in ("label", "tint"):
            labels = self._cloud.extra[name][rows]
            colors[:, :3] = self._label_colors(labels)
            if self._style.splat_coloring == "tint":
                colors[:, 3] = np.where(labels.astype(np.int64) < 0, 0, _TINT)
        else:
            values = shown_values(self._cloud, name, rows)
            colors[:, :3] = map_colors(values, self._style.color_map, self.value_range())
        return colors

    def _label_colors(self, labels: NDArray[Any]) -> NDArray[np.uint8]:
        own = dict(self._style.label_colors)
        found, place = np.unique(labels.astype(np.int64), return_inverse=True)
        table = [
            own.get(int(x)) or (label_color(int(x), self.is_on_dark) if x > 0 else "#8a8782") for x in found
        ]
        colors: NDArray[np.uint8] = (np.array([rgb(x) for x in table]) * 255).round().astype(np.uint8)
        return colors[place.reshape(-1)]


def label_names(cloud: GaussianCloud) -> tuple[str, ...]:
    """The integer columns, "part" first."""
    names = [name for name, column in cloud.extra.items() if column.dtype.kind in "biu" and column.ndim == 1]
    return tuple(sorted(names, key=lambda name: name != "part"))


def value_names(cloud: GaussianCloud) -> tuple[str, ...]:
    """What a number of each Gaussian can be shown of."""
    return (*_BUILT_IN, *(name for name, column in cloud.extra.items() if column.ndim == 1))


def shown_values(cloud: GaussianCloud, name: str, rows: slice = slice(None)) -> NDArray[Any]:
    """One number a Gaussian: its opacity, its largest standard deviation (as a power of ten), or an extra column."""
    if name == "opacity":
        return np.asarray(1 / (1 + np.exp(-np.clip(cloud.opacity_logits[rows], -30, 30))))
    if name == "scale":
        return np.asarray(cloud.log_scales[rows].max(1) / np.log(10))
    column: NDArray[Any] = cloud.extra[name][rows]
    return column


def subject_of(cloud: GaussianCloud) -> Array | None:
    """(2, 3) around what a person looks at: the bulk of the solid Gaussians."""
    if not len(cloud):
        return None
    step = 1 + len(cloud) // 200_000
    means, logits = cloud.means[::step], cloud.opacity_logits[::step]
    solid = means[logits > -1.0]
    return most_of((solid if len(solid) > len(means) // 20 else means).astype(np.float64))
