"""The ground grid: lines at 1-2-5 spacing that fade with distance, drawn by a shader on one square."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkActor
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPolyDataMapper

from render.cross_sections import plane_basis
from render.frame import Axis
from widgets.colour_maps import rgb
from widgets.theme import Theme
from widgets.viewport_camera import CameraPose, Size, axis_vector
from widgets.viewport_polydata import triangles

Array = NDArray[np.float64]
_STRENGTH = 0.12  # share of the text colour in the strongest lines
_PIXELS_PER_CELL = 34.0  # the least distance of two lines where the camera looks

# A line is as wide as a pixel whatever its distance; lines closer than two pixels fade into nothing.
_FUNCTIONS = """
in vec2 onGround;
float gridLines(vec2 place, float spacing) {
  vec2 cell = place / spacing;
  vec2 perPixel = fwidth(cell);
  vec2 away = abs(fract(cell - 0.5) - 0.5) / max(perPixel, vec2(1e-7));
  vec2 ink = clamp(1.1 - away, 0.0, 1.0) * (1.0 - smoothstep(0.12, 0.42, perPixel));
  return max(ink.x, ink.y);
}
"""
_INK = """
  float ink = max(0.45 * gridLines(onGround, gridSpacing) * gridShare,
                  gridLines(onGround, gridSpacing * 10.0));
  ink *= 1.0 - smoothstep(0.15, 1.0, length(onGround - gridFocus) / gridReach);
  if (ink < 0.004) discard;
  gl_FragData[0] = vec4(gridColor, ink * gridStrength);
"""


def nice_length(at_least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is no less."""
    power = 10.0 ** math.floor(math.log10(at_least) + 1e-9)
    return next(m * power for m in (1, 2, 5, 10) if m * power >= at_least * (1 - 1e-9))


class GroundGrid:
    """One actor that follows the camera over the ground."""

    def __init__(self, theme: Theme) -> None:
        corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
        mapper = vtkOpenGLPolyDataMapper()
        mapper.SetInputData(triangles(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32)))
        self.actor: Any = vtkActor()
        self.actor.SetMapper(mapper)
        self.actor.PickableOff()
        self.actor.UseBoundsOff()
        self.actor.ForceTranslucentOn()
        self.actor.GetProperty().LightingOff()
        self._write_shader()
        self.set_theme(theme)
        self._height = 0.0
        self._spacing = 1.0

    @property
    def spacing(self) -> float:
        """World length between two thin lines."""
        return self._spacing

    def set_theme(self, theme: Theme) -> None:
        """Draw in another theme's text colour."""
        uniforms = self._uniforms()
        uniforms.SetUniform3f("gridColor", rgb(theme.text))
        uniforms.SetUniformf("gridStrength", _STRENGTH)

    def place(self, pose: CameraPose, size: Size, up_axis: Axis, box: Array | None) -> Array:
        """Lay the grid under the box (2, 3), around where the camera looks; returns its corners (4, 3)."""
        up = axis_vector(up_axis)
        diagonal = 1.0
        if box is not None:
            diagonal = float(np.linalg.norm(box[1] - box[0])) or 1.0
            lowest = float(min(box[0] @ up, box[1] @ up))
            # Previews differ a little from step to step; the ground is not to tremble with them.
            if abs(lowest - self._height) > 0.02 * diagonal:
                self._height = lowest
        wanted = pose.units_per_pixel(size) * _PIXELS_PER_CELL
        self._spacing = nice_length(wanted)
        reach = max(3.0 * pose.distance * math.tan(pose.view_angle / 2) * 2, 1.2 * diagonal)
        u, v = plane_basis(up)
        focus = np.array([u @ pose.focal, v @ pose.focal])
        snapped = np.round(focus / (self._spacing * 10)) * self._spacing * 10
        center = u * snapped[0] + v * snapped[1] + up * self._height
        side = reach * 1.05 + float(np.abs(focus - snapped).max())
        self._set_uniforms(wanted, reach, side, focus - snapped)
        self._set_matrix(u * side, v * side, up, center)
        corners: Array = np.array([a * u + b * v for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
        ground: Array = center + side * corners
        return ground

    def _set_uniforms(self, wanted: float, reach: float, side: float, focus: Array) -> None:
        uniforms = self._uniforms()
        # Thin lines come and go with the zoom instead of jumping.
        uniforms.SetUniformf("gridShare", min(1.0, max(0.0, 2.4 * (self._spacing / wanted - 0.9))))
        uniforms.SetUniformf("gridSpacing", self._spacing)
        uniforms.SetUniformf("gridReach", reach)
        uniforms.SetUniformf("gridSide", side)
        uniforms.SetUniform2f("gridFocus", [float(focus[0]), float(focus[1])])
        vertex = self.actor.GetShaderProperty().GetVertexCustomUniforms()
        vertex.SetUniformf("groundSide", side)

    def _set_matrix(self, u: Array, v: Array, up: Array, center: Array) -> None:
        matrix = vtkMatrix4x4()
        for column, vector in enumerate((u, v, up, center)):
            for row in range(3):
                matrix.SetElement(row, column, float(vector[row]))
        self.actor.SetUserMatrix(matrix)

    def _uniforms(self) -> Any:
        return self.actor.GetShaderProperty().GetFragmentCustomUniforms()

    def _write_shader(self) -> None:
        shader = self.actor.GetShaderProperty()
        for place, text in (
            ("//VTK::PositionVC::Dec", "out vec2 onGround;\n"),
            ("//VTK::PositionVC::Impl", "onGround = vertexMC.xy * groundSide;\n"),
        ):
            shader.AddVertexShaderReplacement(place, True, f"{place}\n{text}", False)
        dec, light = "//VTK::Color::Dec", "//VTK::Light::Impl"
        shader.AddFragmentShaderReplacement(dec, True, f"{dec}\n{_FUNCTIONS}", False)
        shader.AddFragmentShaderReplacement(light, True, f"{light}\n{_INK}", False)
