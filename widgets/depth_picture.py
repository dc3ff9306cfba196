"""A picture made elsewhere, with a depth for each of its pixels, amid what VTK draws.

The picture hangs in the world as the camera that it was made for saw it. So it lies where it belongs, for perspective
and parallel cameras, in a large picture made of tiles, and roughly so when the camera has moved on since. Where it
hides more than it lets through it has VTK's depth, so that things behind it are hidden and things before it hide it;
where it is thin it is laid over all that is behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkActor, vtkTexture
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPolyDataMapper

from widgets.viewport_camera import Pinhole
from widgets.viewport_polydata import triangles

Array = NDArray[np.float64]
_CORNERS = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)

_WHOLE = (-2.0, 2.0, 0.0)
_POSITION = (
    "gl_Position.x += shift * gl_Position.w;\n"
    "gl_Position.z = 0.0;  // never cut by the near or far plane; the depth is written below\n"
    "inPicture = vertexMC.xy * 0.5 + 0.5;\n"
)
# A depth is a whole number of three bytes, as VTK keeps but half of a float's digits in a texture; the fourth says
# whether there is one, or what is seen is infinitely far, as sky is. At an edge, where this pixel has none, the
# nearest of the four around: edges are smooth, depths are not.
_PUT = """
const vec3 bytes = vec3(1.0, 256.0, 65536.0) / 16777215.0;
float across = 2.0 * gl_FragCoord.x / viewWidth - 1.0;
if (across < side.x || across >= side.y) discard;
vec4 seen = texture(pictureColors, inPicture) * share;
if (seen.a < 0.004 || (seen.a >= 0.5) != (isSolid > 0)) discard;
ivec2 sides = textureSize(pictureDepths, 0), at = ivec2(floor(inPicture * vec2(sides) - 0.5));
vec4 code = texelFetch(pictureDepths, clamp(ivec2(inPicture * vec2(sides)), ivec2(0), sides - 1), 0);
bool isSky = code.a > 0.25 && code.a < 0.75;
float away = code.a > 0.75 ? dot(floor(code.rgb * 255.0 + 0.5), bytes) : 2.0;
for (int k = 0; k < 4 && !isSky && away > 1.5; k++) {
  code = texelFetch(pictureDepths, clamp(at + ivec2(k & 1, k >> 1), ivec2(0), sides - 1), 0);
  if (code.a > 0.75) away = dot(floor(code.rgb * 255.0 + 0.5), bytes);
  isSky = isSky || (k == 3 && code.a > 0.25);
}
if (away > 1.5 && !isSky) discard;
away = nearest + away * depthSpan;
vec4 place = vec4((rays.xy + inPicture * rays.zw) * away, away, 1.0);
if (!isSky && dot(cut, place) > 0.0) discard;
gl_FragDepth = isSky ? 1.0 : clamp(0.5 + 0.5 * dot(depthRow, place) / dot(lastRow, place), 0.0, 0.999999);
"""
_PAINT = "gl_FragData[0] = vec4(seen.rgb / seen.a, seen.a);\n"


@dataclass(frozen=True, eq=False)
class DepthPixels:
    """rgba: (H, W, 4) uint8, colours times alpha. depth: (H, W) float32 along the view of `camera`, 0 where there is
    none: what is seen there is infinitely far. The top row comes first."""

    rgba: NDArray[np.uint8]
    depth: NDArray[np.float32]
    camera: Pinhole


class DepthPicture:
    """Holds two actors: `solid` belongs after all opaque things, `thin` is translucent."""

    def __init__(self) -> None:
        self._colors, self._depths = _texture(), _texture()
        self.solid, self.thin = (_actor(self._colors, self._depths, is_solid) for is_solid in (True, False))
        self._camera: Pinhole | None = None

    @property
    def actors(self) -> tuple[Any, Any]:
        return self.solid, self.thin

    def set(self, pixels: DepthPixels | None, *, is_smooth: bool) -> None:
        """Show these pixels, or nothing. is_smooth: whether they are blended where there are fewer than the
        screen's."""
        for actor in self.actors:
            actor.SetVisibility(pixels is not None)
        self._camera = None if pixels is None else pixels.camera
        if pixels is None:
            return
        self._colors.SetInterpolate(is_smooth)
        self._colors.SetInputDataObject(_image(pixels.rgba[::-1]))
        codes, nearest, span = coded(pixels.depth, pixels.rgba[..., 3])
        self._depths.SetInputDataObject(_image(codes[::-1]))
        for actor in self.actors:
            uniforms = actor.GetShaderProperty().GetFragmentCustomUniforms()
            uniforms.SetUniformf("nearest", nearest)
            uniforms.SetUniformf("depthSpan", span)
        self._hang(pixels.camera)
        for actor in self.actors:
            actor.Modified()  # VTK does not ask textures, and others draw anew only what changed

    def follow(
        self,
        renderer: Any,
        opacity: float,
        clip: tuple[Array, float] | None,
        side: tuple[float, float, float] = _WHOLE,
    ) -> None:
        """Get ready to be drawn by the renderer's camera as it is now. clip: n and offset; n · x <= offset is kept.
        side: from where to where across the view it is seen, −1 … 1, and how far it is moved to the right."""
        held = self._camera
        if held is None:
            return
        camera = renderer.GetActiveCamera()
        matrix = camera.GetCompositeProjectionTransformMatrix(renderer.GetTiledAspectRatio(), -1, 1)
        clip_from_picture = _array(matrix) @ np.linalg.inv(held.cam_from_world)
        cut = np.array([0.0, 0, 0, -1])
        if clip is not None:
            cut = np.append(clip[0], -clip[1]) @ np.linalg.inv(held.cam_from_world)
        for actor in self.actors:
            uniforms = actor.GetShaderProperty().GetFragmentCustomUniforms()
            uniforms.SetUniform4f("depthRow", clip_from_picture[2].tolist())
            uniforms.SetUniform4f("lastRow", clip_from_picture[3].tolist())
            uniforms.SetUniform4f("cut", cut.tolist())
            uniforms.SetUniformf("share", opacity)
            uniforms.SetUniformf("viewWidth", float(renderer.GetRenderWindow().GetActualSize()[0]))
            uniforms.SetUniform4f("side", [side[0], side[1], 0.0, 0.0])
            actor.GetShaderProperty().GetVertexCustomUniforms().SetUniformf("shift", side[2])

    def _hang(self, camera: Pinhole) -> None:
        """Put the picture's plane where the camera's focal point is."""
        (width, height), focal, center = camera.size, camera.focal, np.asarray(camera.center)
        low = -center / focal  # the upper left corner at depth 1
        span = np.array([width, height]) / focal
        quad = np.eye(4)
        quad[:3, 0], quad[:3, 1] = [span[0] / 2, 0, 0], [0, -span[1] / 2, 0]
        quad[:3, 3] = [*(low + span / 2), 1.0]
        quad[:3] *= camera.distance
        place = vtkMatrix4x4()
        place.DeepCopy((np.linalg.inv(camera.cam_from_world) @ quad).reshape(-1).tolist())
        # From the lower left corner of the picture, as textures count.
        rays = [float(low[0]), float(low[1] + span[1]), float(span[0]), -float(span[1])]
        for actor in self.actors:
            actor.SetUserMatrix(place)
            actor.GetShaderProperty().GetFragmentCustomUniforms().SetUniform4f("rays", rays)


def coded(depth: NDArray[np.float32], alpha: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float, float]:
    """Depths (H, W) as (H, W, 4) uint8: a number of 24 bits, the lowest byte first, then 255; or 128 where something
    is seen without a depth, 0 where nothing is. With the depth that 0 stands for, and how much farther the greatest
    number is."""
    known = depth > 0
    nearest, farthest = (float(depth[known].min()), float(depth[known].max())) if known.any() else (1.0, 1.0)
    span = max(farthest - nearest, 1e-6 * farthest)
    share = np.where(known, depth, nearest).astype(np.float64)
    numbers = ((share - nearest) * (0xFFFFFF / span)).round().astype(np.uint32)
    numbers |= np.where(known, 0xFF000000, np.where(alpha > 0, 0x80000000, 0)).astype(np.uint32)
    return numbers.astype("<u4").view(np.uint8).reshape(*depth.shape, 4), nearest, span


def _actor(colors: Any, depths: Any, is_solid: bool) -> Any:
    data = triangles(_CORNERS, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    coordinates = numpy_to_vtk((_CORNERS[:, :2] + 1) / 2, deep=True)
    coordinates.SetName("TCoords")
    data.GetPointData().SetTCoords(coordinates)
    mapper = vtkOpenGLPolyDataMapper()
    mapper.SetInputData(data)
    actor: Any = vtkActor()
    actor.SetMapper(mapper)
    actor.PickableOff()
    actor.UseBoundsOff()
    actor.SetVisibility(False)
    if is_solid:
        actor.ForceOpaqueOn()
    else:
        actor.ForceTranslucentOn()
    actor.GetProperty().LightingOff()
    actor.GetProperty().SetTexture("pictureColors", colors)
    actor.GetProperty().SetTexture("pictureDepths", depths)
    _write_shader(actor.GetShaderProperty(), is_solid)
    return actor


def _write_shader(shader: Any, is_solid: bool) -> None:
    uniforms = shader.GetFragmentCustomUniforms()
    uniforms.SetUniformi("isSolid", int(is_solid))
    shader.GetVertexCustomUniforms().SetUniformf("shift", 0.0)
    for name in ("depthRow", "lastRow", "cut", "rays", "side"):
        uniforms.SetUniform4f(name, [0.0, 0.0, 0.0, 1.0])
    for name in ("share", "nearest", "depthSpan", "viewWidth"):
        uniforms.SetUniformf(name, 1.0)
    dec, position = "//VTK::PositionVC::Dec", "//VTK::PositionVC::Impl"
    shader.AddVertexShaderReplacement(dec, True, f"{dec}\nout vec2 inPicture;\n", False)
    shader.AddVertexShaderReplacement(position, True, f"{position}\n{_POSITION}", False)
    color, paint, depth = "//VTK::Color::Dec", "//VTK::TCoord::Impl", "//VTK::Depth::Impl"
    shader.AddFragmentShaderReplacement(color, True, f"{color}\nin vec2 inPicture;\n", False)
    shader.AddFragmentShaderReplacement(depth, True, _PUT, False)  # comes before the colours
    shader.AddFragmentShaderReplacement(paint, True, _PAINT, False)


def _texture() -> Any:
    texture: Any = vtkTexture()
    texture.SetColorModeToDirectScalars()
    texture.InterpolateOff()
    texture.MipmapOff()
    texture.RepeatOff()
    texture.EdgeClampOn()
    return texture


def _image(values: NDArray[Any]) -> Any:
    height, width = values.shape[:2]
    image = vtkImageData()
    image.SetDimensions(width, height, 1)
    scalars = numpy_to_vtk(np.ascontiguousarray(values).reshape(height * width, -1), deep=True)
    image.GetPointData().SetScalars(scalars)
    return image


def _array(matrix: Any) -> Array:
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
