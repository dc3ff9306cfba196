"""The live 3D view: shows scene data in layers, and says what the user does there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QCloseEvent, QImage, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLRenderer

from render.cameras import CameraSet
from render.frame import Axis
from render.scene_data import SceneData
from widgets import viewport_camera as cameras
from widgets.theme import active_theme
from widgets.viewport_camera import CameraPose, Size, ViewName
from widgets.viewport_canvas import Canvas, PointerTool, gl_problem, no_picture
from widgets.viewport_clicks import Clicks
from widgets.viewport_clip import ClipPlane
from widgets.viewport_detail import Detail
from widgets.viewport_fields import FieldsInView
from widgets.viewport_furniture import Furniture, FurnitureName
from widgets.viewport_images import ImagesInView
from widgets.viewport_measure import Measurement
from widgets.viewport_motion import Motion
from widgets.viewport_picking import Picker
from widgets.viewport_scene import ViewportScene
from widgets.viewport_splats import SplatsInView
from widgets.viewport_style import SHADINGS, LayerStyle, Shading
from widgets.viewport_tools import Tools


class Viewport(QWidget):
    """A 3D view of layers. It never changes what it shows by itself; it emits what was done.

    Without OpenGL it says so in place of the picture; everything else still answers. Call `release` when
    the window closes: VTK must let go while its context lives.
    """

    picked = Signal(str, tuple)  # layer id, point (x, y, z); "" and () beside everything
    plane_picked = Signal(str, int)  # layer id, index of the plane
    camera_moved = Signal(object)  # CameraPose
    measured = Signal(float, tuple, tuple)  # length in world units, the two points
    clip_changed = Signal(object)  # ClipPlane or None
    tool_changed = Signal(str)  # "measure", "clip" or ""
    shading_changed = Signal(object)  # the Shading of all meshes, or None
    context_menu_requested = Signal(object, str)  # global QPoint, layer id under it or ""

    def __init__(self, parent: QWidget | None = None, *, multi_samples: int = 4) -> None:
        super().__init__(parent)
        self.setObjectName("viewport")
        self._shading: Shading | None = None
        self._taken: tuple[CameraPose, Size] | None = None  # from where a picture is taken, if not from here
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        problem = gl_problem()
        self._canvas = None if problem else Canvas(self, multi_samples)
        layout.addWidget(self._canvas or no_picture(problem or ""))
        renderer = self._canvas.renderer if self._canvas else vtkOpenGLRenderer()
        self._scene = ViewportScene(renderer, active_theme(), self._pixel_ratio())
        self._picker = Picker(self._scene)
        self._clicks = Clicks(self, self._picker, lambda: self.camera, self._size)
        self._motion = Motion(self, self._size, self._clicks.surface_point)
        self.tools = Tools(self, self._scene, self._picker, lambda: self.camera, self._size)
        self._furniture = Furniture(self, self._scene)
        self.images = ImagesInView(self, self._scene, self._motion)
        self.splats = SplatsInView(self, self._scene, lambda: self.camera, self._pixel_ratio)
        self.fields = FieldsInView(self, self._scene, lambda: self.camera, self._pixels)
        self._detail = Detail(self._scene, multi_samples)
        self._connect()

    # Layers

    def show_layer(self, layer_id: str, data: SceneData, style: LayerStyle | None = None) -> None:
        """Draw data as the layer `layer_id`, new or in its place; the camera stays where it is."""
        self._scene.show(layer_id, data, style or LayerStyle())
        self._layers_changed()

    def remove_layer(self, layer_id: str) -> None:
        """Draw a layer no longer; an id that was not shown is no mistake."""
        self._scene.remove(layer_id)
        self._layers_changed()

    def set_layer_visible(self, layer_id: str, visible: bool) -> None:
        """Show or hide a layer; raises KeyError for an id that was not shown."""
        self._scene.set_visible(layer_id, visible)
        self._layers_changed()

    def set_uncounted(self, layer_ids: Iterable[str]) -> None:
        """Leave these layers out of the counts: they are shown only to be compared with another."""
        self._scene.uncounted = frozenset(layer_ids)
        self._furniture.describe()

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
        return self._motion.pose if self._taken is None else self._taken[0]

    @camera.setter
    def camera(self, pose: CameraPose) -> None:
        self._motion.jump(pose)

    def play_camera(self, pose: CameraPose) -> None:
        """Be there as part of a motion that goes on: pictures may be coarse."""
        self._motion.play(pose)

    def move_camera(self, pose: CameraPose, animated: bool = True) -> None:
        """Go to a pose, in 150 ms unless motion is reduced or nothing is to be seen of it."""
        if animated and self.isVisible() and self._canvas is not None:
            self._motion.glide(pose)
        else:
            self._motion.jump(pose)

    def frame_all(self, animated: bool = True) -> None:
        """Bring everything that is drawn into the picture."""
        self._frame(self._scene.outer_points(), animated)

    def frame(self, layer_ids: Iterable[str], animated: bool = True) -> None:
        """Bring these layers into the picture; raises KeyError for an id that was not shown."""
        self._frame(self._scene.outer_points(layer_ids), animated)

    def look_through(self, images: CameraSet, index: int) -> None:
        """Look through the camera of an image until the view is moved; see `images`."""
        self.images.look_through(images, index, self._size())

    def set_view(self, name: ViewName, animated: bool = True) -> None:
        """Look from a side named with respect to the up axis."""
        self.move_camera(cameras.look_along(self.camera, name, self.up_axis), animated)

    def set_orthographic(self, on: bool) -> None:
        """Parallel projection or perspective; what lies at the focal point keeps its size."""
        self.camera = replace(self.camera, parallel=on)

    @property
    def up_axis(self) -> Axis:
        """The axis that the turntable turns about."""
        return self._motion.up_axis

    def set_up_axis(self, axis: Axis) -> None:
        """Turn about another axis and look from its isometric side."""
        if axis == self.up_axis:
            return
        self._motion.up_axis = axis
        self._furniture.cube.set_up_axis(axis)
        self.set_view("iso", animated=False)
        self._changed()

    def set_reduce_motion(self, on: bool) -> None:
        """Let the camera jump where it would glide."""
        self._motion.reduce_motion = on

    # Look

    @property
    def shading(self) -> Shading | None:
        """The shading of all meshes in this view, or None where each layer has its own."""
        return self._shading

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

    def set_xray(self, on: bool) -> None:
        """Let meshes be seen through."""
        self._scene.set_xray(on)
        self._layers_changed()

    @property
    def is_xray(self) -> bool:
        return self._scene.is_xray

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
        self._motion.is_moving = False
        if self.splats.problem:
            scale = 1  # the processor's splats are one picture, not tiles of a larger one
        with self.splats.complete(), self.fields.complete(scale):
            picture = self._canvas.picture(transparent=transparent, scale=scale)
        if path is not None:
            Image.fromarray(picture).save(path, "PNG")
        return picture

    def shown_picture(self) -> NDArray[np.uint8] | None:
        """What is on the screen, (H, W, 3) uint8, as coarse as it is; None where there is no picture."""
        if self._canvas is None or not self._canvas.isVisible():
            return None
        image = self._canvas.grabFramebuffer().convertToFormat(QImage.Format.Format_RGB888)
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        return pixels[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()

    def picture_from(self, pose: CameraPose, size: Size) -> NDArray[np.uint8]:
        """What would be seen from elsewhere in a picture of width and height `size`, (H, W, 3) uint8, complete; the
        view itself stays. Raises RuntimeError where there is no picture."""
        if self._canvas is None:
            raise RuntimeError("there is no OpenGL to make a picture with")
        was_moving, self._motion.is_moving = self._motion.is_moving, False
        self._taken = pose, size
        try:
            with self.splats.complete(), self.fields.complete():
                return self._canvas.picture(transparent=False, scale=1, size=size)
        finally:
            self._taken, self._motion.is_moving = None, was_moving

    # Tools

    @property
    def active_tool(self) -> str:
        """ "measure", "clip" or "" when clicks pick."""
        return self.tools.active

    def begin_measuring(self) -> None:
        """Let clicks set the ends of lengths, until Escape or end_tool."""
        self.tools.begin_measuring()

    def begin_clipping(self) -> None:
        """Cut by a plane with a handle and a panel, until Escape or end_tool."""
        self.tools.begin_clipping()

    def add_tool(self, tool: PointerTool) -> None:
        """Let a tool from elsewhere have pointer and keys before all others; it says itself when it wants them."""
        if self._canvas is not None:
            self._canvas.tools.insert(0, tool)

    def take_keys(self, cursor: Qt.CursorShape) -> None:
        """Give the picture the keys, for a tool that was just chosen, and show its cursor."""
        if self._canvas is not None:
            self._canvas.setFocus()
            self._canvas.setCursor(cursor)

    def end_tool(self) -> None:
        """Let clicks pick again; measurements stay, a clip plane under its handle goes."""
        self.tools.end()

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """The lengths that are shown."""
        return self.tools.measure.measurements

    def set_measurements(self, measurements: Iterable[Measurement]) -> None:
        """Show these lengths and no others."""
        self.tools.set_measurements(tuple(measurements))

    @property
    def clip(self) -> ClipPlane | None:
        """The plane that cuts what is drawn."""
        return self.tools.clip.plane

    def set_clip(self, plane: ClipPlane | None) -> None:
        """Keep only where n . x <= offset; None shows everything."""
        self.tools.set_clip(plane)

    def release(self) -> None:
        """Give back all that VTK and the proxies' thread hold. The widget shows nothing after."""
        self._motion.stop()
        self._detail.release()
        if self._canvas is not None:
            self._canvas.make_current()
        self.splats.release()
        self._scene.release()
        if self._canvas is not None:
            self._canvas.close()

    # Inner life

    def _connect(self) -> None:
        self._motion.moved.connect(self._moved)
        self._motion.rested.connect(self._rested)
        navigation = self._motion.navigation
        navigation.clicked.connect(self._click)
        navigation.double_clicked.connect(self._clicks.set_pivot)
        navigation.menu_wished.connect(self._clicks.ask_for_menu)
        self._clicks.picked.connect(self.picked)
        self._clicks.plane_picked.connect(self.plane_picked)
        self._clicks.image_picked.connect(self.images.picked)
        self.images.changed.connect(self._changed)
        self.splats.picture_wished.connect(self._changed)
        self.fields.picture_wished.connect(self._changed)
        self.fields.changed.connect(self._tell_of_fields)
        self._clicks.pivot_wished.connect(self.move_camera)
        self._clicks.menu_wished.connect(self._wish_menu)
        self._furniture.cube.direction_wished.connect(self._look_from)
        self._furniture.cube.orbit_wished.connect(navigation.orbit)
        self.tools.measured.connect(lambda m: self.measured.emit(m.length, m.start, m.end))
        self.tools.clip_changed.connect(self._clip_changed)
        self.tools.tool_changed.connect(self._tool_changed)
        if self._canvas is not None:
            tools = self.tools
            self._canvas.tools += [tools.clip, tools.region, tools.measure, tools.points, navigation]
            self._canvas.before_render = self._before_render
            self._canvas.rendered.connect(self._detail.note)
            self._canvas.rendered.connect(self.splats.pace.note_picture)
            self._canvas.resized.connect(self._changed)

    def _size(self) -> Size:
        if self._taken is not None:
            return self._taken[1]
        area = self._canvas or self
        return max(1, area.width()), max(1, area.height())

    def _pixel_ratio(self) -> float:
        return float(self._canvas.devicePixelRatioF()) if self._canvas else 1.0

    def _pixels(self) -> Size:
        """Of the picture, as the device counts them."""
        ratio = self._pixel_ratio() if self._taken is None else 1.0
        width, height = self._size()
        return max(1, round(width * ratio)), max(1, round(height * ratio))

    def _changed(self) -> None:
        if self._canvas is not None:
            self._canvas.request_render()

    def _layers_changed(self) -> None:
        self._furniture.describe()
        self.tools.set_unit(self._furniture.unit)
        self._detail.layers_changed()
        self._changed()

    def _before_render(self) -> None:
        self._detail.prepare(self._canvas.window_vtk if self._canvas else None, self._motion.is_moving)
        width, height = self._size()
        ground = self._furniture.follow(self.camera, (width, height), self.up_axis)
        self._scene.apply(self.camera, width / max(1, height), ground)
        self.fields.prepare(self._motion.is_moving)
        self.splats.prepare(self._motion.is_moving)
        self.tools.annotations.refresh()

    def _moved(self, pose: CameraPose) -> None:
        self._changed()
        self.camera_moved.emit(pose)

    def _rested(self) -> None:
        if self._detail.is_cheap or not self.splats.is_sharp or not self.fields.is_sharp:
            self._changed()

    def _tell_of_fields(self) -> None:
        state = "preparing" if self.fields.is_preparing else "refining" if self.fields.is_refining else ""
        if self._furniture.fields_state != state:
            self._furniture.fields_state = state
            self._furniture.describe()

    def _clip_changed(self, plane: ClipPlane | None) -> None:
        self._changed()
        self.clip_changed.emit(plane)

    def _tool_changed(self, tool: str) -> None:
        if self._canvas is not None:
            self._canvas.setCursor(
                Qt.CursorShape.CrossCursor if tool in ("measure", "points") else Qt.CursorShape.ArrowCursor
            )
        self.tool_changed.emit(tool)

    def _frame(self, points: NDArray[np.float64], animated: bool) -> None:
        if len(points):
            width, height = self._size()
            self.move_camera(cameras.fit(self.camera, points, width / height), animated)

    def _look_from(self, back: NDArray[np.float64], up: NDArray[np.float64]) -> None:
        self.move_camera(cameras.look_from(self.camera, back, up))

    def _click(self, at: QPointF) -> None:
        if self.tools.measure.is_active:
            self.tools.measure.click(at)
        elif self.tools.points.is_active:
            self.tools.points.click(at)
        else:
            self._clicks.pick(at)

    def _wish_menu(self, at: QPointF, layer_id: str) -> None:
        self.context_menu_requested.emit((self._canvas or self).mapToGlobal(at.toPoint()), layer_id)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._furniture.place()
        self.tools.place()
        self._changed()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kinds = (QEvent.Type.StyleChange, QEvent.Type.PaletteChange, QEvent.Type.DevicePixelRatioChange)
        if event.type() in kinds and hasattr(
            self, "_detail"
        ):  # Qt tells of styles within the constructor too
            self._scene.set_theme(active_theme(), self._pixel_ratio())
            self._furniture.set_theme(active_theme())
            self._layers_changed()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.release()
        super().closeEvent(event)
