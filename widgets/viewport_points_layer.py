"""A point cloud in the viewport."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from render.points import PointCloud
from widgets import viewport_polydata as polydata
from widgets.colour_maps import rgb
from widgets.theme import Theme
from widgets.viewport_camera import box_corners
from widgets.viewport_style import LayerStyle, Shading

Array = NDArray[np.float64]
_SMALL_CLOUD = 5000  # points; fewer are drawn larger, to be seen at all


class PointsLayer:
    """Draws every point as a dot of its own colour, not lit."""

    def __init__(self, theme: Theme, pixel_ratio: float) -> None:
        self._theme, self._ratio = theme, pixel_ratio
        self._cloud: PointCloud | None = None
        self._style = LayerStyle()
        self._bounds: Array | None = None
        self._actor: Any = vtkActor()
        self._actor.SetMapper(vtkPolyDataMapper())
        self._actor.GetProperty().LightingOff()
        self._actor.GetProperty().SetRepresentationToPoints()

    @property
    def actors(self) -> tuple[Any, ...]:
        """What to add to the renderer."""
        return (self._actor,)

    @property
    def data(self) -> PointCloud | None:
        return self._cloud

    @property
    def style(self) -> LayerStyle:
        return self._style

    @property
    def bounds(self) -> Array | None:
        """(2, 3) around most of the points, or None without any: far outliers do not make the scene small."""
        return self._bounds

    @property
    def outer_points(self) -> Array:
        """What to fit the camera to: the corners (8, 3) of the bounds, or nothing."""
        return box_corners(self._bounds)

    def set(self, cloud: PointCloud, style: LayerStyle, shading: Shading) -> None:
        """Show this cloud in this way; meshes' shading does not concern it."""
        if cloud is not self._cloud:
            self._cloud, self._bounds = cloud, most_of(cloud.points)
            data = polydata.point_cloud(cloud.points.astype(np.float32))
            polydata.set_point_colors(data, cloud.colors)
            self._actor.GetMapper().SetInputData(data)
        self._style = style
        self._dress(cloud)

    def set_theme(self, theme: Theme, pixel_ratio: float) -> None:
        """Follow another theme or screen."""
        self._theme, self._ratio = theme, pixel_ratio
        if self._cloud is not None:
            self._dress(self._cloud)

    def set_clipping(self, plane: Any | None) -> None:
        """Cut by a vtkPlane, or not at all."""
        self._actor.GetMapper().RemoveAllClippingPlanes()
        if plane is not None:
            self._actor.GetMapper().AddClippingPlane(plane)

    def release(self) -> None:
        """Let go of VTK's objects."""
        self._actor.GetMapper().RemoveAllInputs()

    def _dress(self, cloud: PointCloud) -> None:
        own = cloud.colors is not None and self._style.color is None
        self._actor.GetMapper().SetScalarVisibility(own)
        material = self._actor.GetProperty()
        material.SetColor(*rgb(self._style.color or self._theme.text_second))
        material.SetOpacity(self._style.opacity)
        size = self._style.point_size * (1.5 if len(cloud.points) < _SMALL_CLOUD else 1.0)
        material.SetPointSize(size * self._ratio)


def most_of(points: Array, share: float = 0.98) -> Array | None:
    """(2, 3) around all but the outermost points of each axis; None for no points."""
    if not len(points):
        return None
    low, high = np.quantile(points, [(1 - share) / 2, (1 + share) / 2], axis=0)
    return np.stack([low, high])
