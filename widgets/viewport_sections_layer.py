"""Cross-sections in the viewport: contours by label, and their planes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from render.cross_sections import CrossSections
from widgets import viewport_polydata as polydata
from widgets.colour_maps import label_color, rgb
from widgets.theme import Theme, mix
from widgets.viewport_planes import plane_polygons, veil_opacity
from widgets.viewport_style import LayerStyle, Shading

_MANY_PLANES = 20  # with more only the active one is filled: so many veils hide what they hold
Array = NDArray[np.float64]


class SectionsLayer:
    """Draws contours as lines in their label's colour and each plane as a thin veil with an outline."""

    def __init__(self, theme: Theme, pixel_ratio: float) -> None:
        self._theme, self._ratio = theme, pixel_ratio
        self._sections: CrossSections | None = None
        self._style = LayerStyle()
        self._outlines: list[Array] = []
        self._bounds: Array | None = None
        self._lines, self._active_lines = _line_actor(), _line_actor()
        self._veils, self._frames = _flat_actor(), _line_actor()
        self._active_veil, self._active_frame = _flat_actor(), _line_actor()

    @property
    def actors(self) -> tuple[Any, ...]:
        """What to add to the renderer, translucent parts last."""
        return (
            self._lines, self._active_lines, self._frames, self._active_frame,
            self._veils, self._active_veil,
        )  # fmt: skip

    @property
    def data(self) -> CrossSections | None:
        return self._sections

    @property
    def style(self) -> LayerStyle:
        return self._style

    @property
    def bounds(self) -> Array | None:
        """(2, 3), or None where there are neither contours nor planes."""
        return self._bounds

    @property
    def outer_points(self) -> Array:
        """What to fit the camera to: the corners (N, 3) of the planes' polygons, which hold the contours."""
        return np.concatenate([np.zeros((0, 3)), *self._outlines])

    @property
    def plane_outlines(self) -> list[Array]:
        """For each plane the corners (N, 3) of the polygon that stands for it."""
        return self._outlines

    def set(self, sections: CrossSections, style: LayerStyle, shading: Shading) -> None:
        """Show these sections in this way; meshes' shading does not concern them."""
        is_new, old = sections is not self._sections, self._style
        self._sections, self._style = sections, style
        if is_new:
            self._outlines = plane_polygons(sections)
            self._bounds = _bounds_of(np.concatenate([sections.vertices, *self._outlines]))
            self._upload(sections)
        if is_new or old.active_plane != style.active_plane:
            self._upload_active(sections)
        if is_new or old.label_colors != style.label_colors:
            self._color(sections)
        self._dress()

    def set_theme(self, theme: Theme, pixel_ratio: float) -> None:
        """Follow another theme or screen."""
        self._theme, self._ratio = theme, pixel_ratio
        if self._sections is not None:
            self._color(self._sections)
        self._dress()

    def set_clipping(self, plane: Any | None) -> None:
        """Cut by a vtkPlane, or not at all."""
        for actor in self.actors:
            actor.GetMapper().RemoveAllClippingPlanes()
            if plane is not None:
                actor.GetMapper().AddClippingPlane(plane)

    def set_lift(self, depth: float) -> None:
        """Draw contours nearer by this part of the depth buffer's range, so that surfaces don't hide them."""
        for actor, times in ((self._lines, 1.0), (self._active_lines, 1.5), (self._active_frame, 0.25)):
            # VTK counts in steps of 0.000016 (vtkOpenGLPolyDataMapper, ReplaceShaderDepth... line offset).
            actor.GetMapper().SetRelativeCoincidentTopologyLineOffsetParameters(0, -times * depth / 1.6e-5)

    def release(self) -> None:
        """Let go of VTK's objects."""
        for actor in self.actors:
            actor.GetMapper().RemoveAllInputs()

    def _upload(self, sections: CrossSections) -> None:
        _show(self._lines, polydata.polygons(sections.vertices, sections.loop_starts, filled=False))
        starts = np.cumsum([0, *(len(outline) for outline in self._outlines)])
        corners = np.concatenate(self._outlines) if self._outlines else np.zeros((0, 3))
        _show(self._frames, polydata.polygons(corners, starts, filled=False))
        _show(self._veils, polydata.polygons(corners, starts, filled=True))

    def _upload_active(self, sections: CrossSections) -> None:
        active = self._style.active_plane
        has_active = active is not None and 0 <= active < sections.num_planes
        for actor in (self._active_lines, self._active_veil, self._active_frame):
            actor.SetVisibility(has_active)
        if not has_active or active is None:
            return
        loops = [loop.points for loop in sections.plane(active).loops]
        starts = np.cumsum([0, *(len(points) for points in loops)])
        points = np.concatenate(loops) if loops else np.zeros((0, 3))
        _show(self._active_lines, polydata.polygons(points, starts, filled=False))
        outline = self._outlines[active]
        _show(self._active_frame, polydata.polygons(outline, [0, len(outline)], filled=False))
        _show(self._active_veil, polydata.polygons(outline, [0, len(outline)], filled=True))
        colors = [self._label_color(loop.label) for loop in sections.plane(active).loops]
        polydata.set_cell_colors(self._active_lines.GetMapper().GetInput(), _bytes(colors))

    def _color(self, sections: CrossSections) -> None:
        """Labels' colours on the contours; those of disabled planes are drawn back into the background."""
        assert sections.disabled_planes is not None
        back = mix(self._theme.viewport_top, self._theme.viewport_bottom, 0.5)
        colors = [
            mix(color, back, 0.3) if sections.disabled_planes[plane] else color
            for plane, color in zip(
                sections.loop_planes, map(self._label_color, sections.loop_labels.tolist()), strict=True
            )
        ]
        polydata.set_cell_colors(self._lines.GetMapper().GetInput(), _bytes(colors))
        self._color_planes(sections)
        self._upload_active(sections)

    def _color_planes(self, sections: CrossSections) -> None:
        assert sections.disabled_planes is not None
        rgba = np.empty((sections.num_planes, 4), np.uint8)
        rgba[:, :3] = np.array(rgb(self._theme.text)) * 255
        rgba[:, 3] = np.where(sections.disabled_planes, 70, 255)
        for actor in (self._veils, self._frames):
            polydata.set_cell_colors(actor.GetMapper().GetInput(), rgba)

    def _label_color(self, label: int) -> str:
        own = dict(self._style.label_colors)
        return own.get(label) or label_color(label, self._theme.is_dark)

    def _dress(self) -> None:
        style, ratio = self._style, self._ratio
        shown = style.plane_opacity > 0
        num_planes = self._sections.num_planes if self._sections is not None else 0
        many = num_planes > _MANY_PLANES
        crowd = min(
            1.0, _MANY_PLANES / max(1, num_planes)
        )  # hundreds of lines are drawn finer, to stay lines
        line_width = max(0.8, style.line_width * min(1.0, 3 * crowd))
        self._frames.SetVisibility(shown)
        self._veils.SetVisibility(shown and not many)
        self._veils.GetProperty().SetOpacity(veil_opacity(style.plane_opacity, num_planes) * style.opacity)
        self._frames.GetProperty().SetOpacity(0.20 * crowd**0.5 * style.opacity)
        self._lines.GetProperty().SetOpacity(style.opacity)
        accent = rgb(self._theme.accent)
        for actor, opacity in ((self._active_veil, 0.14), (self._active_frame, 0.9)):
            actor.GetProperty().SetColor(*accent)
            actor.GetProperty().SetOpacity(opacity * style.opacity)
        for actor, width in (
            (self._lines, line_width), (self._active_lines, style.line_width + 1.5),
            (self._frames, 1.0), (self._active_frame, 1.5),
        ):  # fmt: skip
            actor.GetProperty().SetLineWidth(width * ratio)


def _bounds_of(points: Array) -> Array | None:
    return np.stack([points.min(0), points.max(0)]) if len(points) else None


def _line_actor() -> Any:
    """An actor for lines that can be brought out of surfaces."""
    actor = _flat_actor()
    actor.GetMapper().SetResolveCoincidentTopologyToPolygonOffset()
    return actor


def _flat_actor() -> Any:
    """An actor in plain colours, not lit."""
    actor, mapper = vtkActor(), vtkPolyDataMapper()
    actor.SetMapper(mapper)
    actor.GetProperty().LightingOff()
    actor.UseBoundsOff()
    return actor


def _show(actor: Any, data: Any) -> None:
    actor.GetMapper().SetInputData(data)


def _bytes(colors: list[str]) -> NDArray[np.uint8]:
    return (np.array([rgb(color) for color in colors]).reshape(-1, 3) * 255).round().astype(np.uint8)
