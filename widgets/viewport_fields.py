"""Says which pictures of fields a viewport needs, and shows them as they come.

Pictures are made elsewhere, beside the window's thread: coarse ones while the camera moves, finer and finer ones when
it rests. Until one comes the last stays where it was in the world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from render.field_pictures import Field
from widgets.splat_sides import WHOLE, Sides
from widgets.viewport_camera import CameraPose, Size
from widgets.viewport_field_layer import FieldFrame
from widgets.viewport_scene import ViewportScene
from widgets.viewport_style import FieldVersion


@dataclass(frozen=True)
class FieldView:
    """What pictures are needed of. fields: layer id and field. size: of the finest picture, pixels of the device.
    is_moving: whether a coarse one is enough."""

    fields: tuple[tuple[str, Field], ...]
    pose: CameraPose
    size: Size
    is_moving: bool = False


@dataclass(frozen=True, eq=False)
class FieldFrames:
    """Pictures of all fields of a view, equally fine. is_sharp: there will be no finer ones."""

    view: FieldView
    frames: Mapping[str, FieldFrame]
    is_sharp: bool


class FieldsInView(QObject):
    """The fields of one viewport.

    wished: a FieldView, whose pictures `show_frames` is to be given; what was wished before is no longer needed.
    picture_wished: another picture of VTK's would show more. changed: whether all is sharp may be another.
    """

    wished = Signal(object)
    picture_wished = Signal()
    changed = Signal()

    def __init__(
        self,
        parent: QObject,
        scene: ViewportScene,
        pose: Callable[[], CameraPose],
        size: Callable[[], Size],
    ) -> None:
        super().__init__(parent)
        self._scene, self._pose, self._size = scene, pose, size
        self._wanted: FieldView | None = None
        self._shown: FieldFrames | None = None
        self._is_final, self._scale = False, 1
        self._version: FieldVersion | None = None
        self._sides, self._compared = WHOLE, ""
        self._is_preparing = False
        self.draw_now: Callable[[FieldView], FieldFrames] | None = None  # makes the finest pictures and waits

    @property
    def is_sharp(self) -> bool:
        """Whether the pictures that are shown are the finest for the camera as it is."""
        if self._wanted is None:
            return True
        shown = self._shown
        return shown is not None and shown.is_sharp and _is_same(shown.view, self._wanted)

    @property
    def is_refining(self) -> bool:
        """Whether the camera rests and finer pictures are on their way."""
        return self._wanted is not None and not self._wanted.is_moving and not self.is_sharp

    @property
    def is_preparing(self) -> bool:
        """Whether a picture waits for calculations that are prepared once on a machine."""
        return self._is_preparing and self.is_refining

    def set_preparing(self, on: bool) -> None:
        """Say that pictures wait for what is prepared once on a machine, or no longer."""
        self._is_preparing = on
        self.changed.emit()

    def set_sides(self, sides: Sides, compared: str = "") -> None:
        """Where layers are seen, to compare them. compared: a layer that is drawn a second time as it was before its
        edit; in `sides` that goes by `before_id`."""
        self._sides, self._compared = sides, compared
        self.picture_wished.emit()

    def prepare(self, is_moving: bool) -> None:
        """Get ready for VTK's next picture, and wish for those that are missing."""
        fields = self.fields_shown(self._version)
        if not fields:
            if self._wanted is not None:
                self._wanted = self._shown = None
                self.wished.emit(FieldView((), self._pose(), self._size()))
                self.changed.emit()
            return
        view = FieldView(fields, self._pose(), self._size(), is_moving)
        if self._is_final:
            self._show_final()
        elif view != self._wanted:
            is_news = self._wanted is None or not _is_same(view, self._wanted) or not is_moving
            self._wanted = view
            if is_news and not self.is_sharp:
                self.wished.emit(view)
            self.changed.emit()
        for layer_id, layer in self._scene.fields():
            if layer_id != self._compared:
                layer.show_before(None)
            parts = self._sides.part(layer_id), self._sides.part(before_id(layer_id))
            layer.follow(self._scene.renderer, self._scene.clip, *parts)

    def show_frames(self, frames: FieldFrames) -> None:
        """Show these pictures; those of layers that are gone, or of a field that was replaced, are left out."""
        current = dict(self._scene.fields())
        drawn = dict(frames.view.fields)
        depth_range = self._scene.depth_range(frames.view.pose)
        for layer_id, frame in frames.frames.items():
            layer = current.get(layer_id)
            if layer is not None and layer.drawn(self._version) is drawn[layer_id]:
                layer.show_frame(frame, depth_range)
        compared = current.get(self._compared)
        if compared is not None:
            compared.show_before(frames.frames.get(before_id(self._compared)))
        self._shown = frames
        self.changed.emit()
        self.picture_wished.emit()

    def finest_view(self, scale: int = 1) -> FieldView:
        """What the finest pictures are made of now. scale: how many times as many pixels as the screen has."""
        width, height = self._size()
        return FieldView(self.fields_shown(self._version), self._pose(), (width * scale, height * scale))

    @contextmanager
    def given(self, frames: FieldFrames | None) -> Iterator[None]:
        """Complete pictures made meanwhile show these, which are there already."""
        before = self.draw_now
        if frames is not None:
            self.draw_now = lambda _: frames
        try:
            yield
        finally:
            self.draw_now = before

    @contextmanager
    def complete(self, scale: int = 1) -> Iterator[None]:
        """Pictures of VTK's made meanwhile wait for the finest ones of fields."""
        self._is_final, self._scale = self.draw_now is not None, scale
        before = self._wanted, self._shown
        try:
            yield
        finally:
            self._is_final, self._scale = False, 1
            self._go_back(*before)

    def _go_back(self, wanted: FieldView | None, shown: FieldFrames | None) -> None:
        """Show the view's own pictures again after one for another camera or size."""
        if wanted is None or shown is None or self._shown is shown:
            return
        if self._shown is None or not _is_same(self._shown.view, wanted):
            self.show_frames(shown)
            self._wanted = wanted

    def fields_shown(self, version: FieldVersion | None = None) -> tuple[tuple[str, Field], ...]:
        """The fields that are drawn, by layer; of edited ones another version where one is named."""
        found = [(layer_id, layer.drawn(version)) for layer_id, layer in self._scene.fields()]
        if version is None:
            found += [
                (before_id(layer_id), layer.drawn("original"))
                for layer_id, layer in self._scene.fields()
                if layer_id == self._compared
            ]
        return tuple((layer_id, field) for layer_id, field in found if field is not None)

    @contextmanager
    def showing(self, version: FieldVersion) -> Iterator[None]:
        """Pictures made meanwhile show this version of edited fields, whatever their styles say."""
        self._version = version
        try:
            yield
        finally:
            self._version = None

    def _show_final(self) -> None:
        """Show the finest pictures for this once; `complete` shows again what was there before."""
        self._wanted = view = self.finest_view(self._scale)
        if not self.is_sharp and self.draw_now is not None:
            self.show_frames(self.draw_now(view))


def before_id(layer_id: str) -> str:
    """What a layer goes by as it was before its edit."""
    return f"{layer_id}/before"


def _is_same(a: FieldView, b: FieldView) -> bool:
    """Whether the finest pictures of both are the same."""
    return (a.fields, a.pose, a.size) == (b.fields, b.pose, b.size)
