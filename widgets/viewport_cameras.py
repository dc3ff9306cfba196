"""Posed images in the viewport: a frustum with its thumbnail for each camera, and the sparse points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from render.images import PosedImages
from render.points import PointCloud
from widgets import viewport_polydata as polydata
from widgets.colour_maps import rgb
from widgets.frustums import EDGES, frustum_points, frustum_size
from widgets.region_box import box_edges, box_points
from widgets.theme import Theme, mix
from widgets.thumbnail_atlas import ThumbnailAtlas
from widgets.viewport_points_layer import PointsLayer
from widgets.viewport_style import LayerStyle, Shading

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]
_NO_POINTS = PointCloud(np.zeros((0, 3)))


class CamerasLayer:
    """One polydata of lines for all frustums and one of textured quads, so that hundreds stay fast."""

    def __init__(self, theme: Theme, pixel_ratio: float) -> None:
        self._theme, self._ratio = theme, pixel_ratio
        self._posed: PosedImages | None = None
        self._style = LayerStyle()
        self._corners = np.zeros((0, 6, 3))
        self._bounds: Array | None = None
        self._pictures: dict[int, Picture] = {}
        self._atlas: ThumbnailAtlas | None = None
        self._cameras_shown = True
        self._points = PointsLayer(theme, pixel_ratio)
        self._lines, self._active, self._region = _flat_actor(), _flat_actor(), _flat_actor()
        self._quads = _flat_actor()

    @property
    def actors(self) -> tuple[Any, ...]:
        """What to add to the renderer."""
        return (*self._points.actors, self._lines, self._active, self._quads, self._region)

    @property
    def data(self) -> PosedImages | None:
        return self._posed

    @property
    def style(self) -> LayerStyle:
        return self._style

    @property
    def bounds(self) -> Array | None:
        """(2, 3) around cameras and most points, or None without images."""
        return self._bounds

    @property
    def outer_points(self) -> Array:
        """What to fit the camera to: frustums and the box around most points (N, 3)."""
        region = self._posed.world_from_region if self._posed is not None else None
        box = np.zeros((0, 3)) if region is None else box_points(region)
        return np.concatenate([self._corners.reshape(-1, 3), self._points.outer_points, box])

    @property
    def frustums(self) -> Array:
        """(N, 6, 3) corners in the world; see frustum_points. None of them while they are not shown."""
        return self._corners if self._cameras_shown else self._corners[:0]

    @property
    def num_pictures(self) -> int:
        """How many thumbnails there are."""
        return len(self._pictures)

    def set(self, posed: PosedImages, style: LayerStyle, shading: Shading) -> None:
        """Show these cameras in this way; meshes' shading does not concern them."""
        before, self._posed = self._posed, posed
        if before is None or before.images is not posed.images:
            self._pictures, self._atlas = {}, None
        if before is None or before.cameras is not posed.cameras or before.points is not posed.points:
            self._place(posed)
        is_new = before is not posed
        if not is_new and style == self._style:
            return
        self._style = style
        if is_new:
            self._draw_pictures(posed, self._pictures)
            self._draw_region(posed)
        self._points.set(posed.points or _NO_POINTS, style, shading)
        self._quads.GetProperty().SetOpacity(style.opacity)
        self._color(posed)

    def set_pictures(self, pictures: Mapping[int, Picture]) -> None:
        """Show more thumbnails: index of the image → (H, W, 3)."""
        self._pictures = {**self._pictures, **pictures}
        if self._posed is not None:
            self._draw_pictures(self._posed, pictures)

    def show_cameras(self, on: bool) -> None:
        """Draw frustums and region, or only the points."""
        self._cameras_shown = on
        for actor in (self._lines, self._active, self._quads):
            actor.SetVisibility(on)
        self._region.SetVisibility(
            on and self._posed is not None and self._posed.world_from_region is not None
        )

    def show_points(self, on: bool) -> None:
        """Draw the sparse points or not."""
        for actor in self._points.actors:
            actor.SetVisibility(on)

    def set_theme(self, theme: Theme, pixel_ratio: float) -> None:
        """Follow another theme or screen."""
        self._theme, self._ratio = theme, pixel_ratio
        self._points.set_theme(theme, pixel_ratio)
        if self._posed is not None:
            self._color(self._posed)
            self._draw_region(self._posed)

    def set_clipping(self, plane: Any | None) -> None:
        """Cut the points by a vtkPlane, or not at all; cameras stay whole."""
        self._points.set_clipping(plane)

    def release(self) -> None:
        """Let go of VTK's objects."""
        self._points.release()
        for actor in (self._lines, self._active, self._quads, self._region):
            actor.GetMapper().RemoveAllInputs()
        self._quads.SetTexture(None)
        self._atlas, self._pictures = None, {}

    def _place(self, posed: PosedImages) -> None:
        bounds = posed.bounds
        self._corners = frustum_points(posed.cameras, frustum_size(posed.cameras, bounds))
        self._bounds = None
        if len(posed):
            outer = np.concatenate([bounds, self._corners.reshape(-1, 3)])
            self._bounds = np.stack([outer.min(0), outer.max(0)])
        self._lines.GetMapper().SetInputData(_edges(self._corners))

    def _color(self, posed: PosedImages) -> None:
        """Used cameras in the text's colour, left out ones nearly as the ground, the chosen one in the accent."""
        assert posed.disabled is not None
        theme, active = self._theme, self._style.active_image
        ground = mix(theme.viewport_top, theme.viewport_bottom, 0.5)
        used, unused = mix(theme.text, ground, 0.72), mix(theme.text_disabled, ground, 0.45)
        colors = np.where(posed.disabled[:, None], _bytes(unused), _bytes(used)).astype(np.uint8)
        polydata.set_cell_colors(self._lines.GetMapper().GetInput(), np.repeat(colors, len(EDGES), axis=0))
        self._lines.GetProperty().SetLineWidth(1.2 * self._ratio)
        self._lines.GetProperty().SetOpacity(self._style.opacity)
        chosen = self._corners[active : active + 1] if active is not None else self._corners[:0]
        self._active.GetMapper().SetInputData(_edges(chosen))
        self._active.GetProperty().SetColor(*rgb(theme.accent))
        self._active.GetProperty().SetLineWidth(2.6 * self._ratio)

    def _draw_pictures(self, posed: PosedImages, new: Mapping[int, Picture]) -> None:
        """Quads for the thumbnails that are there; those of images that are left out are drained of colour.

        new: those that are others than before."""
        assert posed.disabled is not None
        shown = sorted(index for index in self._pictures if index < len(posed))
        if not shown:
            self._quads.GetMapper().SetInputData(polydata.polygons(np.zeros((0, 3)), [0], filled=True))
            return
        self._atlas = self._atlas or ThumbnailAtlas(len(posed))
        for index, picture in new.items():
            self._atlas.put(index, _drained(picture) if posed.disabled[index] else picture)
        self._atlas.upload()
        corners = self._corners[shown][:, 1:5].reshape(-1, 3)
        data = polydata.polygons(corners, np.arange(0, 4 * len(shown) + 1, 4), filled=True)
        coordinates = np.concatenate([self._atlas.coordinates(index) for index in shown])
        data.GetPointData().SetTCoords(numpy_to_vtk(np.ascontiguousarray(coordinates), deep=True))
        self._quads.GetMapper().SetInputData(data)
        self._quads.SetTexture(self._atlas.texture)

    def _draw_region(self, posed: PosedImages) -> None:
        region = posed.world_from_region
        self._region.SetVisibility(region is not None and self._cameras_shown)
        if region is not None:
            self._region.GetMapper().SetInputData(polydata.segments(box_points(region), box_edges()))
            self._region.GetProperty().SetColor(*rgb(self._theme.link))
            self._region.GetProperty().SetLineWidth(1.6 * self._ratio)


def _edges(corners: Array) -> Any:
    starts = 6 * np.arange(len(corners))[:, None, None]
    return polydata.segments(corners.reshape(-1, 3), (EDGES[None] + starts).reshape(-1, 2))


def _drained(picture: Picture) -> Picture:
    """Grey and pale."""
    grey = picture.astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32)
    return np.repeat((0.45 * grey + 70)[..., None], 3, axis=2).astype(np.uint8)


def _flat_actor() -> Any:
    """An actor in plain colours, not lit."""
    actor = vtkActor()
    actor.SetMapper(vtkPolyDataMapper())
    actor.GetProperty().LightingOff()
    actor.UseBoundsOff()
    return actor


def _bytes(color: str) -> NDArray[np.float64]:
    return np.array(rgb(color)) * 255
