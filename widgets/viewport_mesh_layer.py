"""A triangle mesh in the viewport."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from render.mesh import TriangleMesh
from widgets import viewport_polydata as polydata
from widgets.colour_maps import map_colors, natural_range, rgb
from widgets.theme import Theme, mix
from widgets.viewport_cap import cut_face
from widgets.viewport_normals import ShadedVertices, shade
from widgets.viewport_proxy import CoarseMesh
from widgets.viewport_style import LayerStyle, Shading

_CLAY_ON_DARK, _CLAY_ON_LIGHT = "#d2c7b9", "#d5c6b4"

_XRAY = 0.35  # opacity of meshes that are seen through


def clay_color(theme: Theme) -> str:
    """The colour of a mesh that has none of its own."""
    return _CLAY_ON_DARK if theme.is_dark else _CLAY_ON_LIGHT


Clip = tuple[NDArray[np.float64], float]  # normal (3,) and offset of what is kept, n . x <= offset


class MeshLayer:
    """Draws one mesh; uploads it only when it is another mesh or another kind of drawing."""

    def __init__(self, theme: Theme, pixel_ratio: float) -> None:
        self._theme, self._ratio = theme, pixel_ratio
        self._mesh: TriangleMesh | None = None
        self._bounds: NDArray[np.float64] | None = None  # asked for at every picture
        self._shaded: ShadedVertices | None = None
        self._drawn: tuple[object, ...] = ()
        self._style = LayerStyle()
        self._shading: Shading = "shaded"
        self.is_xray = False
        self._full: Any = None
        self._coarse: tuple[CoarseMesh, tuple[object, ...], Any] | None = None
        self._mapper: Any = vtkPolyDataMapper()
        self._mapper.SetResolveCoincidentTopologyToPolygonOffset()
        self._mapper.SetRelativeCoincidentTopologyPolygonOffsetParameters(1, 1)
        self._mapper.SetScalarVisibility(False)
        self._actor: Any = vtkActor()
        self._actor.SetMapper(self._mapper)
        self._cap: Any = vtkActor()  # the cut face while the mesh is clipped
        self._cap.SetMapper(vtkPolyDataMapper())
        self._cap.GetProperty().LightingOff()
        self._cap.VisibilityOff()
        self._clip: Clip | None = None
        self._cap_is_stale = True

    @property
    def actors(self) -> tuple[Any, ...]:
        """What to add to the renderer."""
        return (self._actor, self._cap)

    @property
    def data(self) -> TriangleMesh | None:
        return self._mesh

    @property
    def style(self) -> LayerStyle:
        return self._style

    @property
    def shading(self) -> Shading:
        """How it is drawn now: the style's shading unless the viewport says otherwise."""
        return self._shading

    @property
    def opacity(self) -> float:
        """The style's, less where the viewport lets meshes be seen through."""
        return self._style.opacity * (_XRAY if self.is_xray else 1.0)

    @property
    def bounds(self) -> NDArray[np.float64] | None:
        """(2, 3), or None for a mesh without vertices."""
        return self._bounds

    @property
    def outer_points(self) -> NDArray[np.float64]:
        """Enough of the vertices (N, 3) to fit the camera to: the outermost ones and some 4000 others."""
        if self._mesh is None or not len(self._mesh.vertices):
            return np.zeros((0, 3))
        vertices = self._mesh.vertices
        ends = np.concatenate([vertices.argmin(0), vertices.argmax(0)])
        return np.concatenate([vertices[ends], vertices[:: 1 + len(vertices) // 4000]]).astype(np.float64)

    def set(self, mesh: TriangleMesh, style: LayerStyle, shading: Shading) -> None:
        """Show this mesh in this way."""
        if mesh is not self._mesh:
            self._mesh, self._shaded, self._drawn, self._coarse = mesh, None, (), None
            self._bounds = mesh.bounds if len(mesh.vertices) else None
        self._style, self._shading = style, shading
        self._draw_colors(mesh)
        self._dress()

    def set_theme(self, theme: Theme, pixel_ratio: float) -> None:
        """Follow another theme or screen."""
        self._theme, self._ratio = theme, pixel_ratio
        self._dress()

    def value_range(self) -> tuple[float, float] | None:
        """The range that the colours span, or None when no values are shown."""
        values = self._values()
        if values is None:
            return None
        return self._style.value_range or natural_range(values, self._style.color_map)

    def value_name(self) -> str | None:
        """Which of the mesh's values are shown."""
        if self._mesh is None or self._shading != "values":
            return None
        names = list(self._mesh.vertex_values)
        wanted = self._style.value_name
        return wanted if wanted in names else (names[0] if names and wanted is None else None)

    def show_coarse(self, coarse: CoarseMesh | None) -> None:
        """Draw this proxy of the mesh instead, or the mesh itself again."""
        wanted = self._full
        if coarse is not None and self._shading != "points":
            if self._coarse is None or self._coarse[0] is not coarse or self._coarse[1] != self._drawn:
                self._coarse = coarse, self._drawn, self._coarse_data(coarse)
            wanted = self._coarse[2]
        if self._mapper.GetInput() is not wanted and wanted is not None:
            self._mapper.SetInputData(wanted)

    def set_clipping(self, plane: Any | None, clip: Clip | None, cap_color: str) -> None:
        """Cut by a vtkPlane, the same as n . x <= offset of `clip`, and close the cut in one flat colour."""
        self._mapper.RemoveAllClippingPlanes()
        if plane is not None:
            self._mapper.AddClippingPlane(plane)
        self._cap.GetProperty().SetColor(*rgb(cap_color))
        self._clip = clip
        self._cap_is_stale = True
        self._cap.SetVisibility(clip is not None and self._shading not in ("wire", "points"))

    def close_cut(self) -> None:
        """Make the cut face, if the plane or the mesh has changed since."""
        if self._clip is None or not self._cap.GetVisibility() or not self._cap_is_stale:
            return
        self._cap.GetMapper().SetInputData(cut_face(self._full, *self._clip))
        self._cap_is_stale = False

    def release(self) -> None:
        """Let go of VTK's objects."""
        self._mapper.RemoveAllInputs()
        self._cap.GetMapper().RemoveAllInputs()
        self._full, self._coarse = None, None

    def _values(self) -> NDArray[np.float32] | None:
        name = self.value_name()
        return None if name is None or self._mesh is None else self._mesh.vertex_values[name]

    def _draw_colors(self, mesh: TriangleMesh) -> None:
        """Upload what changed: points and faces for another mesh, colours for another way of colouring."""
        kind = "points" if self._shading == "points" else "faces"
        colors_from: tuple[object, ...] = (self._shading == "normals",)
        if self._shading == "values":
            colors_from = ("values", self.value_name(), self._style.value_range, self._style.color_map)
        elif self._shading != "wire" and self._has_own_colors(mesh):
            colors_from += ("own",)
        wanted = (kind, colors_from)
        if wanted == self._drawn:
            return
        if not self._drawn or self._drawn[0] != kind:
            self._upload(mesh, kind)
        assert self._shaded is not None
        colors = self._vertex_colors(mesh, self._shaded.source, self._shaded.normals)
        polydata.set_point_colors(self._full, colors)
        self._mapper.SetScalarVisibility(colors is not None)
        self._drawn = wanted

    def _upload(self, mesh: TriangleMesh, kind: str) -> None:
        self._shaded = self._shaded or shade(mesh)
        vertices = mesh.vertices[self._shaded.source]
        if kind == "points":
            self._full = polydata.point_cloud(vertices, self._shaded.normals)
        else:
            self._full = polydata.triangles(vertices, self._shaded.faces, self._shaded.normals)
        self._mapper.SetInputData(self._full)

    def _coarse_data(self, coarse: CoarseMesh) -> Any:
        shaded = shade(TriangleMesh(coarse.vertices, coarse.faces))
        data = polydata.triangles(coarse.vertices[shaded.source], shaded.faces, shaded.normals)
        assert self._mesh is not None
        source = coarse.source[shaded.source]
        polydata.set_point_colors(data, self._vertex_colors(self._mesh, source, shaded.normals))
        return data

    def _vertex_colors(
        self, mesh: TriangleMesh, source: NDArray[np.int64], normals: NDArray[np.float32]
    ) -> NDArray[np.uint8] | None:
        """Colours of the vertices to draw, each of them the mesh's vertex `source`."""
        if self._shading == "normals":
            colors: NDArray[np.uint8] = ((normals + 1) * 127.5).round().astype(np.uint8)
            return colors
        values = self._values()
        if values is not None:
            return map_colors(values, self._style.color_map, self._style.value_range)[source]
        if self._has_own_colors(mesh) and self._shading not in ("values", "wire"):
            assert mesh.colors is not None
            return mesh.colors[source]
        return None

    def _has_own_colors(self, mesh: TriangleMesh) -> bool:
        return self._style.color is None and self._style.own_colors and mesh.colors is not None

    def _dress(self) -> None:
        """The material: a surface with soft light, points, or lines on a surface as dark as the ground."""
        style, shading, theme = self._style, self._shading, self._theme
        base = style.color or (_CLAY_ON_DARK if theme.is_dark else _CLAY_ON_LIGHT)
        ground = mix(theme.viewport_top, theme.viewport_bottom, 0.5)
        is_wire = shading == "wire"
        material = self._actor.GetProperty()
        material.SetColor(*rgb(ground if is_wire else base))
        material.SetOpacity(self.opacity)
        material.SetRepresentation(0 if shading == "points" else 2)
        material.SetEdgeVisibility(is_wire or shading == "shaded+wire")
        material.SetEdgeColor(*rgb(mix(base, theme.text, 0.5) if is_wire else mix("#000000", base, 0.62)))
        material.SetEdgeOpacity(0.75 if is_wire else 0.55)
        material.SetLineWidth(0.8 * self._ratio)
        material.SetPointSize(style.point_size * self._ratio)
        material.SetBackfaceCulling(style.cull_backfaces)
        is_lit = shading not in ("normals", "wire")
        material.SetLighting(is_lit)
        # VTK adds both also without light; then the colour is to come out as it is.
        # The colours of photos hold the room's light already.
        is_photo = (
            self._mesh is not None and self._has_own_colors(self._mesh) and shading.startswith("shaded")
        )
        ambient = {"values": 0.22, "points": 0.5}.get(shading, 0.5 if is_photo else 0.17)
        material.SetAmbient(ambient if is_lit else 0.0)
        material.SetDiffuse((0.5 if shading == "points" or is_photo else 0.88) if is_lit else 1.0)
        material.SetSpecular(0.0 if is_photo or shading in ("values", "points") else 0.16)
        material.SetSpecularPower(24)
