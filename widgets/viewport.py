"""The live 3D view: shows scene data in layers, and says what the user does there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEasingCurve, QEvent, QPointF, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLRenderer

from render.frame import Axis
from render.scene_data import SceneData
from widgets import viewport_camera as cameras
from widgets.theme import active_theme
from widgets.viewport_camera import CameraPose, Size, ViewName
from widgets.viewport_canvas import Canvas, gl_problem
from widgets.viewport_furniture import Furniture, FurnitureName
from widgets.viewport_navigation import Navigation
from widgets.viewport_picking import Picker
from widgets.viewport_scene import ViewportScene, box_corners
from widgets.viewport_style import SHADINGS, LayerStyle, Shading

_ANIMATION_MS = 150
_REST_MS = 160  # after the last change of the camera the full picture is made


class Viewport(QWidget):
    """A 3D view of layers. It never changes what it shows by itself; it emits what was done.

    Without OpenGL it says so in place of the picture; everything else still answers.
    """

    picked = Signal(str, tuple)  # layer id, point (x, y, z); "" and () beside everything
    plane_picked = Signal(str, int)  # layer id, index of the plane
    camera_moved = Signal(object)  # CameraPose
    measured = Signal(float, tuple, tuple)  # length in world units, the two points
    shading_changed = Signal(object)  # the Shading of all meshes, or None
    context_menu_requested = Signal(object, str)  # global QPoint, layer id under it or ""

    def __init__(self, parent: QWidget | None = None, *, multi_samples: int = 4) -> None:
        super().__init__(parent)
        self.setObjectName("viewport")
        self._pose = CameraPose()
        self._up_axis: Axis = "+Z"
        self._shading: Shading | None = None
        self._reduce_motion = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        problem = gl_problem()
        self._canvas = None if problem else Canvas(self, multi_samples)
        layout.addWidget(self._canvas or _no_picture(problem or ""))
        renderer = self._canvas.renderer if self._canvas else vtkOpenGLRenderer()
        self._scene = ViewportScene(renderer, active_theme(), self._pixel_ratio())
        self._picker = Picker(self._scene)
        self._furniture = Furniture(self, self._scene)
        self._navigation = Navigation(self, lambda: self._pose, self._size, self._surface_point)
        self._animation = QVariantAnimation(self)
        self._rest = QTimer(self)
        self._connect()

    # Layers

    def show_layer(self, layer_id: str, data: SceneData, style: LayerStyle | None = None) -> None:
        """Draw data as the layer `layer_id`, new or in its place; the camera stays where it is."""
        self._scene.show(layer_id, data, style or LayerStyle())
        self._layers_changed()

    def remove_layer(self, layer_id: str) -> None:
        """Draw a layer no longer."""
        self._scene.remove(layer_id)
        self._layers_changed()

    def set_layer_visible(self, layer_id: str, visible: bool) -> None:
        """Show or hide a layer; raises KeyError for an id that was not shown."""
        self._scene.set_visible(layer_id, visible)
        self._layers_changed()

    def clear(self) -> None:
        """Remove every layer."""
        for layer_id in self.layer_ids:
            self._scene.remove(layer_id)
        self._layers_changed()

    @property
    def layer_ids(self) -> tuple[str, ...]:
        """The layers in the order in which they came."""
        return tuple(self._scene.layers)

    # Camera

    @property
    def camera(self) -> CameraPose:
        """Where the view looks from; setting it is immediate."""
        return self._pose

    @camera.setter
    def camera(self, pose: CameraPose) -> None:
        self._animation.stop()
        self._set_pose(pose)

    def frame_all(self, animated: bool = True) -> None:
        """Bring everything that is drawn into the picture."""
        self._frame(self._scene.bounds(), animated)

    def frame(self, layer_ids: Iterable[str], animated: bool = True) -> None:
        """Bring these layers into the picture; raises KeyError for an id that was not shown."""
        self._frame(self._scene.bounds(layer_ids), animated)

    def set_view(self, name: ViewName, animated: bool = True) -> None:
        """Look from a side named with respect to the up axis."""
        self.move_camera(cameras.look_along(self._pose, name, self.up_axis), animated)

    def set_orthographic(self, on: bool) -> None:
        """Parallel projection or perspective; what lies at the focal point keeps its size."""
        self.camera = replace(self._pose, parallel=on)

    @property
    def up_axis(self) -> Axis:
        """The axis that the turntable turns about."""
        return self._up_axis

    def set_up_axis(self, axis: Axis) -> None:
        """Turn about another axis; the camera keeps its place relative to it."""
        if axis == self._up_axis:
            return
        self._up_axis = axis
        self._navigation.up = cameras.axis_vector(axis)
        self._furniture.cube.set_up_axis(axis)
        self.set_view("iso", animated=False)

    def set_reduce_motion(self, on: bool) -> None:
        """Let the camera jump where it would glide."""
        self._reduce_motion = on

    def move_camera(self, pose: CameraPose, animated: bool = True) -> None:
        """Go to a pose, in 150 ms unless motion is reduced or nothing is to be seen of it."""
        self._animation.stop()
        if not animated or self._reduce_motion or not self.isVisible() or self._canvas is None:
            self._set_pose(pose)
            return
        self._glide_from, self._glide_to = self._pose, pose
        self._animation.start()

    # Look

    def set_shading(self, shading: Shading | None) -> None:
        """Draw every mesh in this view so; None leaves it to each layer's style."""
        self._shading = shading
        self._scene.set_shading(shading)
        self._layers_changed()
        self.shading_changed.emit(shading)

    def cycle_shading(self) -> None:
        """The next way to draw meshes: shaded, with edges, wire, normals, values, points."""
        index = SHADINGS.index(self._shading) if self._shading else 0
        self.set_shading(SHADINGS[(index + 1) % len(SHADINGS)])

    @property
    def shading(self) -> Shading | None:
        """The shading of all meshes in this view, or None where each layer has its own."""
        return self._shading

    def is_shown(self, name: FurnitureName) -> bool:
        """Whether grid, axes, scale, counts, legend or cube are wanted."""
        return self._furniture.is_shown(name)

    def set_shown(self, name: FurnitureName, shown: bool) -> None:
        """Show or hide the grid, the axes, the scale bar, the counts, the legend or the view cube."""
        self._furniture.set_shown(name, shown)
        self._changed()

    def set_banner(self, text: str) -> None:
        """Say one sentence over the picture, for example "Preview, step 3 000"; "" says nothing."""
        self._furniture.banner.set_text(text)
        self._furniture.place()

    def screenshot(
        self, path: Path | None = None, *, transparent: bool = False, scale: int = 1
    ) -> NDArray[np.uint8]:
        """The picture without overlays, (H, W, 3) or (H, W, 4) uint8; also as a PNG when a path is given.

        scale: how many times as many pixels as the screen has. Raises RuntimeError where there is no picture.
        """
        if self._canvas is None:
            raise RuntimeError("there is no OpenGL to make a picture with")
        self._before_render()
        picture: NDArray[np.uint8] = np.asarray(
            self._canvas.screenshot(path, transparent_background=transparent, return_img=True, scale=scale)
        )
        self._changed()
        return picture

    # Inner life

    def _connect(self) -> None:
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._come_to_rest)
        self._animation.setDuration(_ANIMATION_MS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._glide)
        self._navigation.posed.connect(self._navigate)
        self._navigation.clicked.connect(self._click)
        self._navigation.double_clicked.connect(self._set_pivot)
        self._navigation.menu_wished.connect(self._wish_menu)
        self._furniture.cube.direction_wished.connect(self._look_from)
        self._furniture.cube.orbit_wished.connect(self._navigation.orbit)
        if self._canvas is not None:
            self._canvas.tools.append(self._navigation)
            self._canvas.before_render = self._before_render
            self._canvas.resized.connect(self._changed)

    def _size(self) -> Size:
        area = self._canvas or self
        return max(1, area.width()), max(1, area.height())

    def _pixel_ratio(self) -> float:
        return self._canvas.devicePixelRatioF() if self._canvas else 1.0

    def _changed(self) -> None:
        if self._canvas is not None:
            self._canvas.request_render()

    def _layers_changed(self) -> None:
        self._furniture.describe()
        self._changed()

    def _before_render(self) -> None:
        self._scene.apply(self._pose, self._furniture.follow(self._pose, self._size(), self._up_axis))

    def _set_pose(self, pose: CameraPose) -> None:
        if pose == self._pose:
            return
        self._pose = pose
        self._changed()
        self._rest.start()
        self.camera_moved.emit(pose)

    def _come_to_rest(self) -> None:
        self._changed()

    def _navigate(self, pose: CameraPose) -> None:
        self._animation.stop()
        self._set_pose(pose)

    def _glide(self, share: Any) -> None:
        self._set_pose(cameras.between(self._glide_from, self._glide_to, float(share)))

    def _look_from(self, back: NDArray[np.float64], up: NDArray[np.float64]) -> None:
        self.move_camera(cameras.look_from(self._pose, back, up))

    def _frame(self, box: NDArray[np.float64] | None, animated: bool) -> None:
        if box is None:
            return
        width, height = self._size()
        self.move_camera(cameras.fit(self._pose, box_corners(box), width / height), animated)

    def _surface_point(self, x: float, y: float) -> NDArray[np.float64] | None:
        pick = self._picker.surface(self._pose, x, y, self._size())
        return None if pick is None else pick.point

    def _click(self, at: QPointF) -> None:
        surface = self._picker.surface(self._pose, at.x(), at.y(), self._size())
        plane = self._picker.plane(self._pose, at.x(), at.y(), self._size())
        if plane is not None and (surface is None or plane.depth <= surface.depth * (1 + 1e-3)):
            self.picked.emit(plane.layer_id, _plain(plane.point))
            self.plane_picked.emit(plane.layer_id, plane.plane)
        elif surface is not None:
            self.picked.emit(surface.layer_id, _plain(surface.point))
        else:
            self.picked.emit("", ())

    def _set_pivot(self, at: QPointF) -> None:
        """Turn about the surface point that was clicked twice; it moves to the middle."""
        point = self._surface_point(at.x(), at.y())
        if point is None:
            return
        shift = point - np.asarray(self._pose.focal)
        position = np.asarray(self._pose.position) + shift
        self.move_camera(replace(self._pose, position=tuple(position), focal=tuple(point)))

    def _wish_menu(self, at: QPointF) -> None:
        pick = self._picker.surface(self._pose, at.x(), at.y(), self._size())
        area = self._canvas or self
        self.context_menu_requested.emit(area.mapToGlobal(at.toPoint()), pick.layer_id if pick else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._furniture.place()
        self._changed()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kinds = (QEvent.Type.StyleChange, QEvent.Type.PaletteChange, QEvent.Type.DevicePixelRatioChange)
        if event.type() in kinds and hasattr(self, "_scene"):
            self._scene.set_theme(active_theme(), self._pixel_ratio())
            self._furniture.set_theme(active_theme())
            self._layers_changed()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.release()
        super().closeEvent(event)

    def release(self) -> None:
        """Give back all that VTK holds; a window calls it when it closes. The widget shows nothing after."""
        self._animation.stop()
        self._rest.stop()
        self._scene.release()
        if self._canvas is not None:
            self._canvas.close()


def _no_picture(problem: str) -> QLabel:
    label = QLabel(f"The 3D view cannot be shown.\n{problem}\nEverything else works: run, save and export.")
    label.setObjectName("viewport_message")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    label.setProperty("role", "secondary")
    return label


def _plain(point: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in point)
    return x, y, z
