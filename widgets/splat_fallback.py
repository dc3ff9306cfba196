"""Gaussian splats where the graphics card cannot draw them: pictures made by the processor, laid into VTK's.

A picture is made in a thread of its own, with few pixels while the camera moves; until it comes the last one stays.
It has one depth a pixel, the mean of what is seen there, so that splats hide meshes and are hidden by them as a whole:
where a mesh stands within a haze of splats it is wholly before it or wholly behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkRenderingCore import vtkActor, vtkTexture
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLPolyDataMapper

from render.gaussians import GaussianCloud
from widgets.splat_order import Sorter
from widgets.viewport_camera import CameraPose
from widgets.viewport_polydata import triangles
from widgets.viewport_scene import ViewportScene

Array = NDArray[np.float64]
_COARSENESS = 4  # pixels along a side of one that is drawn while the camera moves
_FAR = 200.0  # focal distances from which a perspective camera sees as a parallel one does


@dataclass(frozen=True)
class _Wish:
    """A picture to make, all that it depends on."""

    pose: CameraPose
    size: tuple[int, int]
    coarseness: int
    versions: tuple[object, ...]


class SplatsByCpu(QObject):
    """Keeps an actor with the newest picture in the scene. picture_wished: there is a newer one."""

    picture_wished = Signal()

    def __init__(self, parent: QObject, scene: ViewportScene) -> None:
        super().__init__(parent)
        self._scene = scene
        self._worker = Sorter(self)
        self._worker.done.connect(self._on_made)
        self._quad = _DepthQuad()
        self._wanted: _Wish | None = None
        self._shown: _Wish | None = None
        self._is_busy = False
        scene.renderer.AddActor(self._quad.actor)

    @property
    def is_sharp(self) -> bool:
        """Whether the picture has all the pixels that it can have, for the camera as it is."""
        return self._shown == self._wanted and (self._wanted is None or self._wanted.coarseness == 1)

    def prepare(self, pose: CameraPose, size: tuple[int, int], is_moving: bool, at_once: bool) -> None:
        """Want a picture of all visible splats for this camera; at_once: wait for it."""
        clouds = tuple((layer_id, layer.version) for layer_id, layer, _ in self._scene.splats())
        self._quad.actor.SetVisibility(bool(clouds))
        if not clouds:
            self._wanted = self._shown = None
            return
        clip = self._scene.clip
        cut = None if clip is None else (*clip[0].tolist(), clip[1])
        self._wanted = _Wish(pose, size, _COARSENESS if is_moving else 1, (clouds, cut))
        if at_once and self._shown != self._wanted:
            self._show(self._wanted, self._picture(self._wanted)())
        elif self._shown != self._wanted and not self._is_busy:
            self._begin(self._wanted)

    def release(self) -> None:
        """End the thread and take the picture away."""
        self._worker.stop()
        self._scene.renderer.RemoveActor(self._quad.actor)

    def _begin(self, wish: _Wish) -> None:
        self._is_busy = True
        make = self._picture(wish)
        self._worker.do(lambda: (wish, make()))

    def _on_made(self, made: object) -> None:
        self._is_busy = False
        assert isinstance(made, tuple)
        wish, picture = made
        if self._wanted is not None:
            self._show(wish, picture)
            self.picture_wished.emit()

    def _show(self, wish: _Wish, picture: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
        rgba, depth = picture
        camera = self._scene.renderer.GetActiveCamera()
        near, far = camera.GetClippingRange()
        if camera.GetParallelProjection():
            moved = float(np.linalg.norm(np.subtract(camera.GetPosition(), wish.pose.position)))
            share = (depth + moved - near) / (far - near)
        else:
            share = far * (depth - near) / np.maximum(depth * (far - near), 1e-12)
        self._quad.set(rgba, np.clip(share, 0, 0.999999).astype(np.float32))
        self._shown = wish

    def _picture(self, wish: _Wish) -> Callable[[], tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Work for the thread, with what it needs taken from the scene now."""
        parts = []
        for _, layer, cloud in self._scene.splats():
            marks = layer.style.marks
            kept = self._scene.kept(cloud.means)
            shown = np.ones(len(cloud), bool) if marks is None else marks.is_drawn
            parts.append((cloud, shown if kept is None else shown & kept, layer.style.opacity))
        return lambda: _draw(parts, wish)


def _draw(
    parts: list[tuple[GaussianCloud, NDArray[np.bool_], float]], wish: _Wish
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Straight colours with alpha (H, W, 4) and depths along the view (H, W), from the bottom row up."""
    from render.splat_pictures import colors_from, splat_channels  # numba is imported in the thread only

    cam_from_world, focal, shift = _camera(wish)
    size = max(1, wish.size[0] // wish.coarseness), max(1, wish.size[1] // wish.coarseness)
    clouds = [cloud.subset(shown) for cloud, shown, _ in parts]
    values = [colors_from(cloud, cam_from_world) for cloud in clouds]
    together = _joined(clouds, [opacity for _, _, opacity in parts])
    depths = together.means @ cam_from_world[2, :3] + cam_from_world[2, 3]
    channels = np.concatenate([np.concatenate(values), depths[:, None]], 1).astype(np.float32)
    focal /= wish.size[1] / size[1]
    center = wish.pose.axis_pixel(size)
    picture, alpha = splat_channels(together, channels, cam_from_world, (focal, focal), center, size)
    solid = np.maximum(alpha, 1e-6)[..., None]
    straight = picture / solid
    rgba = np.concatenate([np.clip(straight[..., :3], 0, 1), alpha[..., None]], -1)
    return rgba[::-1].astype(np.float32), (straight[::-1, :, 3] - shift).astype(np.float32)


def _camera(wish: _Wish) -> tuple[Array, float, float]:
    """cam_from_world (4, 4), focal length in pixels, and how far behind the pose the camera stands."""
    pose = wish.pose
    right, up, back = pose.axes
    shift = _FAR * pose.distance if pose.parallel else 0.0
    position = np.asarray(pose.position) + back * shift
    focal = wish.size[1] / (2 * math.tan(pose.view_angle / 2))
    if pose.parallel:
        focal *= (shift + pose.distance) / pose.distance
    cam_from_world = np.eye(4)
    cam_from_world[:3, :3] = np.stack([right, -up, -back])
    cam_from_world[:3, 3] = -cam_from_world[:3, :3] @ position
    return cam_from_world, focal, shift


def _joined(clouds: list[GaussianCloud], opacities: list[float]) -> GaussianCloud:
    """All Gaussians as one cloud; their colours are no part of it."""
    alphas = np.concatenate([cloud.opacities * share for cloud, share in zip(clouds, opacities, strict=True)])
    alphas = np.clip(alphas, 1e-6, 1 - 1e-6)
    logits = np.log(alphas / (1 - alphas))
    sh = np.zeros((len(logits), 1, 3), np.float32)
    fades = all(cloud.is_antialiased for cloud in clouds)
    return GaussianCloud(
        np.concatenate([cloud.means for cloud in clouds]),
        np.concatenate([cloud.quats for cloud in clouds]),
        np.concatenate([cloud.log_scales for cloud in clouds]),
        logits.astype(np.float32),
        sh,
        is_antialiased=fades,
    )


class _DepthQuad:
    """A picture over all of VTK's, with a depth for each of its pixels."""

    def __init__(self) -> None:
        corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
        data = triangles(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
        coordinates = numpy_to_vtk((corners[:, :2] + 1) / 2, deep=True)
        coordinates.SetName("TCoords")
        data.GetPointData().SetTCoords(coordinates)
        mapper = vtkOpenGLPolyDataMapper()
        mapper.SetInputData(data)
        self._colors, self._depths = _texture(), _texture()
        self.actor: Any = vtkActor()
        self.actor.SetMapper(mapper)
        self.actor.PickableOff()
        self.actor.UseBoundsOff()
        self.actor.ForceTranslucentOn()
        self.actor.GetProperty().LightingOff()
        self.actor.GetProperty().SetTexture("splatColors", self._colors)
        self.actor.GetProperty().SetTexture("splatDepths", self._depths)
        self._write_shader()
        self.set(np.zeros((1, 1, 4), np.float32), np.ones((1, 1), np.float32))

    def set(self, rgba: NDArray[np.float32], depth: NDArray[np.float32]) -> None:
        """Straight colours with alpha (H, W, 4) and window depths (H, W), from the bottom row up."""
        self._colors.SetInputDataObject(_image((rgba * 255).round().astype(np.uint8)))
        self._depths.SetInputDataObject(_image(depth[..., None]))

    def _write_shader(self) -> None:
        shader = self.actor.GetShaderProperty()
        for place, text in (
            ("//VTK::PositionVC::Dec", "out vec2 inPicture;\n"),
            ("//VTK::PositionVC::Impl",
             "gl_Position = vec4(vertexMC.xy, 0.0, 1.0);\ninPicture = vertexMC.xy * 0.5 + 0.5;\n"),
        ):  # fmt: skip
            shader.AddVertexShaderReplacement(place, True, f"{place}\n{text}", False)
        dec, color, depth = "//VTK::Color::Dec", "//VTK::TCoord::Impl", "//VTK::Depth::Impl"
        paint = (
            "vec4 seen = texture(splatColors, inPicture);\n"
            "if (seen.a < 0.004) discard;\ngl_FragData[0] = seen;\n"
        )
        put = "gl_FragDepth = texture(splatDepths, inPicture).r;\n"
        shader.AddFragmentShaderReplacement(dec, True, f"{dec}\nin vec2 inPicture;\n", False)
        shader.AddFragmentShaderReplacement(color, True, paint + put, False)
        shader.AddFragmentShaderReplacement(depth, True, put, False)


def _texture() -> Any:
    texture: Any = vtkTexture()
    texture.SetColorModeToDirectScalars()
    texture.InterpolateOff()
    texture.MipmapOff()
    return texture


def _image(values: NDArray[Any]) -> Any:
    height, width = values.shape[:2]
    image = vtkImageData()
    image.SetDimensions(width, height, 1)
    scalars = numpy_to_vtk(np.ascontiguousarray(values.reshape(height * width, -1)), deep=True)
    image.GetPointData().SetScalars(scalars)
    return image
