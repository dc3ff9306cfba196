"""Draws all layers of Gaussian splats of a viewport together: sorted among each other, and amid what VTK draws.

Camera at rest: all Gaussians, in strokes short enough that the window answers meanwhile; the last picture stays until
the next is complete. Camera moving: as many of them, and as many pixels, as the time of a picture allows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from widgets.colour_maps import rgb
from widgets.splat_camera import SplatCamera, SplatLook, area_of, camera_of
from widgets.splat_fallback import SplatsByCpu
from widgets.splat_frames import Frames, View
from widgets.splat_loading import Loading
from widgets.splat_order import Sorter
from widgets.splat_orders import Orders
from widgets.splat_pace import Pace
from widgets.splat_shelf import Place
from widgets.splat_sides import WHOLE, Sides
from widgets.theme import active_theme
from widgets.viewport_camera import CameraPose
from widgets.viewport_polydata import triangles
from widgets.viewport_scene import ViewportScene

if TYPE_CHECKING:
    from widgets.splat_painter import SplatPainter

Array = NDArray[np.float64]
_SMALL = 200_000  # Gaussians that are packed at once, rather than shown as they come in
_ARRIVALS_MS = 150
_LOG = logging.getLogger(__name__)


class SplatsInView(QObject):
    """The splats of one viewport.

    picture_wished: another picture would show more. failed: splats cannot be drawn on this graphics card, and why.
    """

    picture_wished = Signal()
    failed = Signal(str)

    def __init__(
        self,
        parent: QObject,
        scene: ViewportScene,
        pose: Callable[[], CameraPose],
        pixel_ratio: Callable[[], float],
    ) -> None:
        super().__init__(parent)
        self._scene, self._pose, self._pixel_ratio = scene, pose, pixel_ratio
        self.pace = Pace()
        self._sorter = Sorter(self)
        self._orders, self._loading = Orders(self, self._sorter), Loading(self, self._sorter)
        self._orders.changed.connect(self._on_ordered)
        self._loading.more.connect(self._on_more)
        self._painter: SplatPainter | None = None
        self._frames: Frames | None = None
        self._by_cpu: SplatsByCpu | None = None
        self._versions: tuple[object, ...] = ()
        self._is_moving = self._is_final = False  # final: complete whatever it takes
        self._is_sharp = True  # there is nothing to draw
        self._moved: Array | None = None
        self._sides, self._is_sliding = WHOLE, False
        self.problem = ""
        self._strokes = QTimer(self)
        self._strokes.setSingleShot(True)
        self._strokes.timeout.connect(self._stroke)
        self._arrivals = QTimer(self)  # a picture for each piece of a large layer would only delay the next
        self._arrivals.setSingleShot(True)
        self._arrivals.setInterval(_ARRIVALS_MS)
        self._arrivals.timeout.connect(self.picture_wished)
        scene.renderer.GetCullers().RemoveAllItems()  # they leave out what has no extent in the picture
        self._sentinel = _sentinel(WeakMethod(self._draw))
        self._is_placed = False

    @property
    def is_sharp(self) -> bool:
        """Whether the last picture was complete: all Gaussians, in every pixel."""
        return self._is_sharp

    @property
    def renderer_name(self) -> str:
        """What draws the splats, in the driver's words; nothing before the first."""
        return "" if self._painter is None else self._painter.renderer_name

    def prepare(self, is_moving: bool) -> None:
        """Get ready for the next picture."""
        self._is_moving = is_moving or self._is_sliding
        layers = self._scene.splat_layers()
        places = self._take_layers()
        is_drawn = bool(places) and not self.problem
        self._is_sharp = not is_drawn
        self._place_sentinel(is_drawn)
        if self.problem:
            self._prepare_by_cpu()
        if not layers:
            self._forget()
        if is_drawn:
            total = sum(len(place.cloud) for place in places)
            self._loading.pack(at_once=total <= _SMALL or self._is_final)
            forward = -self._pose().axes[2]
            self._orders.look(places, self._loading.shelf.plan, forward, self._moved, self._versions)
            self._want_orders(is_part=self.pace.count < total)

    @contextmanager
    def complete(self) -> Iterator[None]:
        """Pictures made meanwhile are complete whatever it takes: they are to be kept, not looked at as they sharpen."""
        self._is_final = True
        try:
            yield
        finally:
            self._is_final = False

    @property
    def moved(self) -> Array | None:
        """(4, 4), where selected Gaussians are shown from where they are; None for in their place."""
        return self._moved

    def set_moved(self, world_from_before: Array | None) -> None:
        """Show selected Gaussians where this similarity (4, 4) would take them, without touching their values."""
        self._moved = world_from_before
        self.picture_wished.emit()

    @property
    def sides(self) -> Sides:
        """Where in the picture layers are seen."""
        return self._sides

    def set_sides(self, sides: Sides, *, is_sliding: bool = False) -> None:
        """Show layers on one side of a line only, or nowhere. is_sliding: the line is being dragged, so that pictures
        are to come at once rather than complete."""
        if (sides.key, is_sliding) != (self._sides.key, self._is_sliding):
            self._sides, self._is_sliding = sides, is_sliding
            self.picture_wished.emit()

    def set_crop(self, world_from_box: Array | None) -> None:
        """Draw only what lies in the box from -1 to 1 along the axes of (4, 4); None draws all."""
        self._scene.crop = world_from_box
        self.picture_wished.emit()

    def release(self) -> None:
        """Give back the thread and all that is on the graphics card, whose context must be current."""
        self._sorter.stop()
        if self._by_cpu is not None:
            self._by_cpu.release()
        self._place_sentinel(False)
        self._forget()

    # Getting ready

    @property
    def _places(self) -> list[Place]:
        """The layers that are drawn."""
        places = self._loading.shelf.places
        return [places[layer_id] for layer_id, _, _ in self._scene.splats() if layer_id in places]

    def _take_layers(self) -> list[Place]:
        """Have room for the layers as they are now; returns the visible ones."""
        layers = self._scene.splat_layers()
        versions = tuple((layer_id, layer.version) for layer_id, layer in layers.items())
        if versions != self._versions and not self.problem:
            self._versions = versions
            self._loading.put(layers)
        return self._places

    def _want_orders(self, is_part: bool) -> None:
        if is_part and (self._is_moving or self._orders.held("some") is None):
            self._orders.want_some(self.pace.count)
        if not (is_part and self._is_moving):
            self._orders.want_all(at_once=self._is_final)

    def _on_more(self) -> None:
        if not self._arrivals.isActive():
            self._arrivals.start()

    def _on_ordered(self) -> None:
        if not self._is_moving:
            self.picture_wished.emit()

    def _prepare_by_cpu(self) -> None:
        if self._by_cpu is None:
            self._by_cpu = SplatsByCpu(self, self._scene)
            self._by_cpu.picture_wished.connect(self.picture_wished)
        window = self._scene.renderer.GetRenderWindow()
        size = (1, 1) if window is None else window.GetSize()
        self._by_cpu.prepare(self._pose(), size, self._is_moving, self._is_final)
        self._is_sharp = self._by_cpu.is_sharp

    def _forget(self) -> None:
        """Hold nothing of layers that are gone."""
        self._strokes.stop()
        self._arrivals.stop()
        self._loading.forget()
        self._orders.forget()
        self._versions, self._frames = (), None
        if self._painter is not None:
            window = self._scene.renderer.GetRenderWindow()
            if window is not None:
                window.MakeCurrent()
            self._painter.release()
            self._painter = None

    # Drawing, called by VTK amid its own

    def _draw(self) -> None:
        window = self._scene.renderer.GetRenderWindow()
        if window is None or self.problem:
            return
        with _left_as_it_was(window):
            try:
                painter, frames = self._ready()
            except Exception as problem:  # whatever an old driver or a damaged installation comes up with
                self._give_up(str(problem))
                return
            onto = painter.bound()
            self._loading.upload(painter, at_once=self._is_final)
            shown = {layer_id for layer_id, _, _ in self._scene.splats()}
            painter.write("layers", 0, self._loading.shelf.rows_of_layers(shown, self._sides))
            self._draw_view(frames, self._view(window, onto))
            onto.use()
        if self._loading.num_waiting:
            QTimer.singleShot(0, self, self.picture_wished.emit)

    def _ready(self) -> tuple[SplatPainter, Frames]:
        from widgets.splat_painter import SplatPainter  # moderngl is imported with the first splats only

        if self._painter is None or self._frames is None:
            self._painter = SplatPainter()
            self._frames = Frames(self._painter, self.pace)
        return self._painter, self._frames

    def _draw_view(self, frames: Frames, view: View) -> None:
        order = self._orders.exact() if self._is_final else None
        if order is not None:
            frames.draw_whole(view, order)
            self._is_sharp = True
        elif self._is_moving:
            frames.draw_moving(view, self._orders)
        else:
            self._is_sharp = frames.draw_still(view, self._orders, self._loading.is_complete)
        if frames.has_begun:
            self._strokes.start(0)

    def _stroke(self) -> None:
        """Sharpen the picture a little, outside of VTK's drawing."""
        window, frames = self._scene.renderer.GetRenderWindow(), self._frames
        if window is None or frames is None or self._painter is None or not frames.has_begun:
            return
        window.MakeCurrent()
        with _left_as_it_was(window):
            onto = self._painter.bound()
            is_done = frames.go_on()
            onto.use()
        if is_done:
            self.picture_wished.emit()
        else:
            self._strokes.start(0)

    def _give_up(self, problem: str) -> None:
        _LOG.warning("Splats cannot be drawn by the graphics card: %s", problem)
        self.problem = problem
        QTimer.singleShot(0, self, self._tell_problem)

    def _tell_problem(self) -> None:
        self.failed.emit(self.problem)
        self.picture_wished.emit()

    # What is drawn

    def _view(self, window: Any, onto: Any) -> View:
        camera, places, ratio = (
            camera_of(self._scene.renderer, self._pose()),
            self._places,
            self._pixel_ratio(),
        )
        others = [(layer_id, layer) for layer_id, layer in self._scene.visible() if layer.actors]
        depth = window.GetRenderFramebuffer().GetDepthAttachmentAsTextureObject() if others else None
        changes = tuple(
            (id(actor), actor.GetRedrawMTime(), actor.GetVisibility())
            for _, layer in others
            for actor in layer.actors
        )
        shown = tuple((place.row, place.num_ready) for place in places)
        content, around = (self._versions, shown, self._sides.key), (self._loading.num_waiting, changes)
        is_anywhere = self._moved is not None or self._sides.is_beside
        return View(
            camera, self._look(camera, places), onto, depth, content, around,
            lambda is_grown: None if is_anywhere else area_of(camera, places, ratio, is_grown),
        )  # fmt: skip

    def _look(self, camera: SplatCamera, places: list[Place]) -> SplatLook:
        clip, crop = self._scene.clip, self._scene.crop
        opacities = {place.layer.style.opacity for place in places}
        ratio = self._pixel_ratio()
        return SplatLook(
            clip=(*clip[0].tolist(), clip[1]) if clip is not None else (0.0, 0.0, 0.0, 1.0),
            crop_from_world=None if crop is None else np.asarray(np.linalg.inv(crop), np.float64),
            accent=rgb(active_theme().accent),
            depth_range=self._scene.depth_range(self._pose()),
            moved=self._moved,
            pixel_ratio=ratio,
            opacity=opacities.pop() if len(opacities) == 1 else 1.0,
            area=None if self._moved is not None or self._sides.is_beside else area_of(camera, places, ratio),
            line=self._sides.line,
        )

    def _place_sentinel(self, wanted: bool) -> None:
        """VTK draws in the order of its list: ours comes after all that may hide splats."""
        renderer = self._scene.renderer
        if self._is_placed:
            last = renderer.GetActors().GetLastActor()
            if wanted and last is self._sentinel:
                return
            renderer.RemoveActor(self._sentinel)
        if wanted:
            renderer.AddActor(self._sentinel)
        self._is_placed = wanted


def _sentinel(draw: WeakMethod[Callable[[], None]]) -> Any:
    """An actor of one triangle without any area, whose mapper tells when it is drawn: after the opaque things before
    it, before everything translucent. It does not keep what it tells."""

    def tell(*_: object) -> None:
        call = draw()
        if call is not None:
            call()

    mapper: Any = vtkPolyDataMapper()
    mapper.SetInputData(triangles(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32)))
    mapper.AddObserver("EndEvent", tell)
    actor: Any = vtkActor()
    actor.SetMapper(mapper)
    actor.UseBoundsOff()
    actor.PickableOff()
    return actor


@contextmanager
def _left_as_it_was(window: Any) -> Iterator[None]:
    """VTK remembers what it set in OpenGL and sets nothing twice; what we set must not be behind its back."""
    state = window.GetState()
    window.GetShaderCache().ReleaseCurrentShader()
    state.Reset()
    state.Push()
    try:
        yield
    finally:
        state.Reset()
        state.Pop()
