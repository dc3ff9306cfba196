"""Draws all layers of Gaussian splats of a viewport together: sorted among each other, and amid what VTK draws.

Camera at rest: all Gaussians, in strokes short enough that the window answers meanwhile; the last picture stays until
the next is complete. Camera moving: as many of them, and as many pixels, as the time of a picture allows.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from widgets.colour_maps import rgb
from widgets.splat_fallback import SplatsByCpu
from widgets.splat_order import Part, Question, Sorter, far_to_near, threshold_for
from widgets.splat_pace import Pace
from widgets.splat_program import NEAR_SHARE
from widgets.splat_shelf import Place, Shelf, Texels, pack
from widgets.theme import active_theme
from widgets.viewport_camera import CameraPose
from widgets.viewport_polydata import triangles
from widgets.viewport_scene import ViewportScene, box_corners

if TYPE_CHECKING:
    from widgets.splat_painter import SplatCamera, SplatLook, SplatPainter

Array = NDArray[np.float64]
_QUICK = 50_000  # Gaussians that are sorted in less time than a picture takes to be seen
_SMALL = 200_000  # Gaussians that are packed and sorted at once, without a picture in which they are missing
_UPLOAD_SECONDS = 0.008  # of each picture while a large layer comes in
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Tag:
    """What an order was made for. plan: which Gaussians its indices stand for."""

    name: str
    forward: tuple[float, ...]
    plan: tuple[object, ...]
    places: tuple[object, ...]
    threshold: float
    moved: object


@dataclass(frozen=True)
class _Sharp:
    """What a complete picture was made of."""

    camera: tuple[object, ...]
    content: tuple[object, ...]


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
        self._shelf = Shelf()
        self.pace = Pace()
        self._sorter = Sorter(self)
        self._sorter.answered.connect(self._on_answered)
        self._sorter.done.connect(self._on_packed)
        self._painter: SplatPainter | None = None
        self._packed: list[tuple[Place, str, int, tuple[Any, ...], Texels]] = []
        self._is_packing = False
        self._versions: tuple[object, ...] = ()
        self._plan: tuple[object, ...] = ()
        self._shown: frozenset[str] = frozenset()
        self._ids: dict[
            str, tuple[object, NDArray[np.uint32]]
        ] = {}  # "all" and "some", with what they answer
        self._threshold = 0.0
        self._is_moving = False
        self._is_final = False  # the next picture is to be complete whatever it takes
        self._sharp: _Sharp | None = None
        self._next: tuple[_Sharp, SplatCamera, SplatLook, int] | None = None
        self._strokes = QTimer(self)
        self._strokes.setSingleShot(True)
        self._strokes.timeout.connect(self._stroke)
        self._moved: Array | None = None
        self.problem = ""
        self._by_cpu: SplatsByCpu | None = None
        self._is_sharp = True  # there is nothing to draw
        scene.renderer.GetCullers().RemoveAllItems()  # they leave out what has no extent in the picture
        self._sentinel = _sentinel(WeakMethod(self._draw))
        self._is_placed = False

    # What the viewport tells

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
        self._is_moving = is_moving
        layers = self._scene.splat_layers()
        self._shown = frozenset(layer_id for layer_id, _, _ in self._scene.splats())
        is_drawn = bool(self._shown) and not self.problem
        self._is_sharp = not is_drawn
        self._place_sentinel(is_drawn)
        if self.problem:
            self._prepare_by_cpu()
        if not layers:
            self._forget()
        if not is_drawn:
            return
        versions = tuple((layer_id, layer.version) for layer_id, layer in layers.items())
        if versions != self._versions:
            self._versions = versions
            if self._shelf.put(layers):
                self._packed.clear()
                if self._painter is not None:
                    self._painter.num_rows = 0  # made anew at the next picture
            if self._plan != self._shelf.plan:
                self._plan = self._shelf.plan
                self._ids.clear()
        self._pack_more()
        self._want_order()

    def _prepare_by_cpu(self) -> None:
        if self._by_cpu is None:
            self._by_cpu = SplatsByCpu(self, self._scene)
            self._by_cpu.picture_wished.connect(self.picture_wished)
        window = self._scene.renderer.GetRenderWindow()
        size = (1, 1) if window is None else window.GetSize()
        self._by_cpu.prepare(self._pose(), size, self._is_moving, self._is_final)
        self._is_sharp = self._by_cpu.is_sharp

    @contextmanager
    def complete(self) -> Iterator[None]:
        """Pictures made meanwhile are complete whatever it takes: they are to be kept, not looked at as they sharpen."""
        self._is_final = True
        try:
            yield
        finally:
            self._is_final = False

    def set_moved(self, world_from_before: Array | None) -> None:
        """Show selected Gaussians where this similarity (4, 4) would take them, without touching their values."""
        self._moved = world_from_before
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

    def _forget(self) -> None:
        """Hold nothing of layers that are gone."""
        self._strokes.stop()
        self._packed.clear()
        self._ids.clear()
        self._sharp = self._next = None
        self._shelf, self._plan, self._versions = Shelf(), (), ()
        if self._painter is not None:
            window = self._scene.renderer.GetRenderWindow()
            if window is not None:
                window.MakeCurrent()
            self._painter.release()
            self._painter = None

    # Orders

    @property
    def _places(self) -> list[Place]:
        """The layers that are drawn."""
        return [place for layer_id, place in self._shelf.places.items() if layer_id in self._shown]

    def _want_order(self) -> None:
        is_part = self.pace.count < self._num_gaussians
        if is_part and (self._is_moving or "some" not in self._ids):
            self._want("some", is_quick=self.pace.count <= _QUICK)
        if not (is_part and self._is_moving):
            self._want("all", is_quick=("all" not in self._ids and self._is_small) or self._is_final)

    def _want(self, name: str, is_quick: bool) -> None:
        question = self._question(name)
        held = self._ids.get(name)
        if held is not None and held[0] == question.tag:
            return
        if is_quick:
            self._take_order(question, far_to_near(question))
        else:
            self._sorter.ask(question)

    def _question(self, name: str) -> Question:
        forward = -self._pose().axes[2]
        threshold = 0.0
        if name == "some":
            samples = [place.sample for place in self._places if place.sample is not None]
            threshold = threshold_for(samples, self.pace.count)
        parts = tuple(self._part(place, threshold) for place in self._places)
        moved = None if self._moved is None else (self._moved.tobytes(), self._versions)
        places = tuple((place.row, place.generation, place.num_ready) for place in self._places)
        return Question(parts, forward, _Tag(name, tuple(forward), self._plan, places, threshold, moved))

    def _part(self, place: Place, threshold: float) -> Part:
        means, marks = place.cloud.means[: place.num_ready], place.layer.style.marks
        rows = _sampled(place, threshold)
        if rows is not None and len(means) < len(place.cloud):
            rows = rows[rows < len(means)]
        is_moved = marks.selected[: len(means)] if self._moved is not None and marks is not None else None
        return Part(place.first, means, rows, self._moved, is_moved)

    def _take_order(self, question: Question, ids: NDArray[np.uint32]) -> None:
        tag: _Tag = question.tag
        if tag.plan == self._plan:
            self._ids[tag.name] = tag, ids

    def _on_answered(self) -> None:
        answer = self._sorter.take()
        if answer is None or self._painter is None:
            return
        self._take_order(*answer)
        if not self._is_moving:
            self.picture_wished.emit()

    @property
    def _num_gaussians(self) -> int:
        return sum(len(place.cloud) for place in self._places)

    @property
    def _is_small(self) -> bool:
        return self._num_gaussians <= _SMALL

    # Textures

    def _pack_more(self) -> None:
        """Pack what is missing: a little at once, much in the thread, piece after piece."""
        small = self._is_small or self._is_final
        while (piece := self._shelf.next_piece()) is not None:
            place, part, start = piece
            if not small and part != "marks":
                break
            if self._is_packing:
                break
            self._keep(
                place, part, start, place.held[part], pack(place, part, start, self._shelf.band_stride)
            )
        else:
            return
        if not self._is_packing:
            self._is_packing = True
            stride, values = self._shelf.band_stride, place.held[part]
            self._sorter.do(lambda: (place, part, start, values, pack(place, part, start, stride)))

    def _keep(self, place: Place, part: str, start: int, values: tuple[Any, ...], texels: Texels) -> None:
        is_wanted = (
            self._shelf.places.get(_id_of(self._shelf, place)) is place and place.held.get(part) is values
        )
        if is_wanted and (part, start) in place.missing:
            del place.missing[part, start]
            self._packed.append((place, part, start, values, texels))

    def _on_packed(self, packed: object) -> None:
        self._is_packing = False
        self._keep(*packed)  # type: ignore[misc]
        self._pack_more()
        self.picture_wished.emit()

    def _upload(self, painter: SplatPainter) -> None:
        if painter.num_rows != self._shelf.num_rows or painter.band_stride != self._shelf.band_stride:
            painter.allocate(self._shelf.num_rows, self._shelf.band_stride)
        deadline = time.perf_counter() + (math.inf if self._is_final else _UPLOAD_SECONDS)
        while self._packed and time.perf_counter() < deadline:
            for name, row, texels in self._packed.pop(0)[4]:
                if name == "paint":
                    painter.need_paint()
                painter.write(name, row, texels)
        painter.write("layers", 0, self._shelf.rows_of_layers())
        if self._packed:
            QTimer.singleShot(0, self, self.picture_wished.emit)

    # Drawing, called by VTK amid its own

    def _draw(self) -> None:
        window = self._scene.renderer.GetRenderWindow()
        if window is None or self.problem:
            return
        with _left_as_it_was(window):
            try:
                painter = self._painter or self._begin()
            except Exception as problem:  # whatever an old driver or a damaged installation comes up with
                self._give_up(str(problem))
                return
            onto = painter.bound()
            self._upload(painter)
            self._draw_into(painter, onto, window)
            onto.use()

    def _begin(self) -> SplatPainter:
        from widgets.splat_painter import SplatPainter  # moderngl is imported with the first splats only

        self._painter = SplatPainter()
        return self._painter

    def _give_up(self, problem: str) -> None:
        _LOG.warning("Splats cannot be drawn by the graphics card: %s", problem)
        self.problem = problem
        QTimer.singleShot(0, self, self._tell_problem)

    def _tell_problem(self) -> None:
        self.failed.emit(self.problem)
        self.picture_wished.emit()

    def _draw_into(self, painter: SplatPainter, onto: Any, window: Any) -> None:
        camera = self._camera(window)
        look = self._look(camera)
        has_others = any(layer.actors for _, layer in self._scene.visible())
        depth = window.GetRenderFramebuffer().GetDepthAttachmentAsTextureObject() if has_others else None
        if self._is_final:
            self._draw_whole(painter, camera, look, depth)
            painter.compose("kept", onto, camera, look)
        elif self._is_moving:
            self._draw_coarse(painter, onto, camera, look, depth)
        else:
            self._draw_still(painter, onto, camera, look, depth)

    def _draw_whole(self, painter: SplatPainter, camera: SplatCamera, look: SplatLook, depth: Any) -> None:
        ids = far_to_near(self._question("all")) if "all" not in self._ids else self._ids["all"][1]
        painter.set_ids("kept", ids)
        painter.begin("kept", camera, look, depth)
        painter.stroke("kept", "kept", camera, look, 0, len(ids))

    def _draw_coarse(
        self, painter: SplatPainter, onto: Any, camera: SplatCamera, look: SplatLook, depth: Any
    ) -> None:
        """A picture in the time that there is while the camera moves."""
        name = "some" if "some" in self._ids and self.pace.count < self._num_gaussians else "all"
        if name not in self._ids:
            return
        tag, ids = self._ids[name]
        coarseness = self.pace.coarseness
        look = replace(look, coarseness=coarseness, threshold=tag.threshold)
        self._is_sharp = False
        self._strokes.stop()
        self._next = None
        look = replace(look, area=self._area(camera, is_grown=name == "some"))
        times = [time.perf_counter()]
        painter.set_ids(name, ids)
        painter.begin("coarse", camera, look, depth)
        painter.finish()
        times.append(time.perf_counter())
        painter.stroke("coarse", name, camera, look, 0, len(ids))
        painter.finish()
        times.append(time.perf_counter())
        painter.compose("coarse", onto, camera, look)
        painter.finish()
        times.append(time.perf_counter())
        before, splats, after = np.diff(times)
        self.pace.note_moving(len(ids), float(splats), float(before + after))

    def _draw_still(
        self, painter: SplatPainter, onto: Any, camera: SplatCamera, look: SplatLook, depth: Any
    ) -> None:
        """The complete picture if there is time or it is there already, else what there is until it is."""
        wanted = self._sharp_of(camera, look)
        is_loaded = self._shelf.is_complete and not self._packed
        if (
            is_loaded
            and self._sharp != wanted
            and "all" in self._ids
            and self._ids["all"][0] == self._question("all").tag
        ):
            if self._next is None or self._next[0] != wanted:
                painter.set_ids("all", self._ids["all"][1])
                painter.begin("next", camera, look, depth)
                self._next = wanted, camera, look, 0
            self._stroke_until(painter, self.pace.stroke_seconds)
        if self._sharp is not None and self._sharp.camera == wanted.camera:
            self._is_sharp = self._sharp == wanted and is_loaded
            painter.compose("sharp", onto, camera, look)
        else:
            keep = self._next
            self._draw_coarse(painter, onto, camera, look, depth)
            self._next = keep
        if self._next is not None:
            self._strokes.start(0)

    def _stroke_until(self, painter: SplatPainter, seconds: float) -> None:
        """Go on with the complete picture for some time."""
        deadline = time.perf_counter() + seconds
        while self._next is not None and time.perf_counter() < deadline:
            wanted, camera, look, first = self._next
            start, count = time.perf_counter(), self.pace.stroke_count
            painter.stroke("next", "all", camera, look, first, count)
            painter.finish()
            self.pace.note_stroke(count, time.perf_counter() - start)
            self._next = wanted, camera, look, first + count
            if first + count >= painter.num_ids("all"):
                painter.rename("next", "sharp")
                self._sharp, self._next = wanted, None

    def _stroke(self) -> None:
        window = self._scene.renderer.GetRenderWindow()
        if self._next is None or self._painter is None or window is None:
            return
        window.MakeCurrent()
        with _left_as_it_was(window):
            onto = self._painter.bound()
            self._stroke_until(self._painter, self.pace.stroke_seconds)
            onto.use()
        self._go_on()

    def _go_on(self) -> None:
        if self._next is None:
            self.picture_wished.emit()
        else:
            self._strokes.start(0)

    # What is drawn

    def _camera(self, window: Any) -> SplatCamera:
        from widgets.splat_painter import SplatCamera

        renderer = self._scene.renderer
        camera = renderer.GetActiveCamera()
        projection = camera.GetProjectionTransformMatrix(renderer.GetTiledAspectRatio(), -1, 1)
        width, height = window.GetSize()
        pose = self._pose()
        tangent = math.tan(pose.view_angle / 2)
        return SplatCamera(
            _array(camera.GetModelViewTransformMatrix()), _array(projection), (width, height), pose.parallel,
            (tangent * width / height, tangent), NEAR_SHARE * pose.distance,
        )  # fmt: skip

    def _area(self, camera: SplatCamera, is_grown: bool = False) -> tuple[int, int, int, int] | None:
        """The part of the picture that splats can be seen in: x, y, width, height; None for all of it."""
        boxes = []
        for place in self._places:
            if place.reaches is None or place.layer.style.splat_scale > 1 or self._moved is not None:
                return None
            boxes.append(place.reaches[is_grown])
        corners = np.concatenate([box_corners(box) for box in boxes])
        seen = np.c_[corners, np.ones(len(corners))] @ (camera.projection @ camera.view).T
        if not camera.is_parallel and (seen[:, 3] < camera.near).any():
            return None
        pixels = (seen[:, :2] / seen[:, 3:] * 0.5 + 0.5) * camera.size
        room = 16 * self._pixel_ratio()  # for what the picture's pixels and dots add
        low = np.clip(pixels.min(0) - room, 0, camera.size).astype(int)
        high = np.clip(np.ceil(pixels.max(0) + room), 0, camera.size).astype(int)
        (x, y), (width, height) = low.tolist(), np.maximum(high - low, 0).tolist()
        return x, y, width, height

    def _look(self, camera: SplatCamera) -> SplatLook:
        from widgets.splat_painter import SplatLook

        clip = self._scene.clip
        opacity = self._shelf.common_opacity
        return SplatLook(
            clip=(*clip[0], clip[1]) if clip is not None else (0.0, 0.0, 0.0, 1.0),
            crop_from_world=np.asarray(np.linalg.inv(self._scene.crop), np.float64)
            if self._scene.crop is not None
            else None,
            accent=rgb(active_theme().accent),
            depth_range=self._scene.splat_depths(self._pose()),
            moved=self._moved,
            pixel_ratio=self._pixel_ratio(),
            opacity=1.0 if opacity is None else opacity,
            area=self._area(camera),
        )

    def _sharp_of(self, camera: SplatCamera, look: SplatLook) -> _Sharp:
        seen = (camera.view.tobytes(), camera.projection.tobytes(), camera.size)
        crop = None if self._scene.crop is None else self._scene.crop.tobytes()
        moved = None if self._moved is None else self._moved.tobytes()
        ready = tuple(place.num_ready for place in self._places), len(self._packed), self._shown
        looks = (look.clip, look.accent, look.depth_range, look.pixel_ratio, crop, moved)
        others = tuple(
            (id(actor), actor.GetRedrawMTime(), actor.GetVisibility())
            for _, layer in self._scene.visible()
            for actor in layer.actors
        )
        return _Sharp(seen, (self._versions, ready, looks, others))

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


def _sampled(place: Place, threshold: float) -> NDArray[np.int32] | None:
    if threshold <= 0 or place.sample is None:
        return None
    return place.sample.rows[: int(np.searchsorted(place.sample.keys, threshold))]


def _id_of(shelf: Shelf, place: Place) -> str:
    return next((layer_id for layer_id, each in shelf.places.items() if each is place), "")


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


def _array(matrix: Any) -> Array:
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
