"""The camera path of the project: made from views, played in the viewport, kept with the project, filmed."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from PySide6.QtCore import QObject, QTimer, Signal

from app.film_desk import FilmDesk
from widgets.camera_path import CameraPath, restored, stored, turntable
from widgets.notices import NoticeAction
from widgets.settings_form import SettingsForm
from widgets.viewport_camera import CameraPose, axis_vector

if TYPE_CHECKING:
    from pathlib import Path

    from app.main_window import MainWindow

Picture = NDArray[np.uint8]
_KEY = "camera_path"  # in what a project keeps beside its layers
_TICK_MS = 33
_PICTURE = (232, 156)  # pixels of a card
_LOG = logging.getLogger(__name__)


class CameraPathDesk(QObject):
    """Keeps panel, viewport and project on the same path. changed: it is another one."""

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._path = CameraPath()
        self._pictures: dict[CameraPose, Picture] = {}
        self._began = 0.0  # when the path would have begun to play, by the clock
        self.films = FilmDesk(window)
        self._tick = QTimer(self, interval=_TICK_MS)
        self._tick.timeout.connect(self._play_on)
        self._rough: set[CameraPose] = set()  # views whose picture was taken before fields were sharp
        self._sharp = QTimer(self, singleShot=True, interval=_TICK_MS)
        self._sharp.timeout.connect(self._take_sharp_picture)
        window.viewport.fields.changed.connect(self._sharp.start)
        panel = window.path_panel
        panel.add_wished.connect(self.add_view)
        panel.insert_wished.connect(self._insert)
        panel.eased_changed.connect(lambda on: self._set(replace(self._path, is_eased=on)))
        panel.replace_wished.connect(self._replace)
        panel.remove_wished.connect(lambda places: self._set(self._path.without(places)))
        panel.reordered.connect(lambda order: self._set(self._path.reordered(order)))
        panel.turntable_wished.connect(self.ask_turntable)
        panel.closed_changed.connect(self._set_closed)
        panel.view_chosen.connect(self._look)
        panel.time_changed.connect(lambda place, at: self._set(self._path.with_time(place, at)))
        panel.seconds_changed.connect(lambda seconds: self._set(self._path.with_seconds(seconds)))
        panel.sought.connect(self.seek)
        panel.play_toggled.connect(self.play)
        panel.film_wished.connect(self.make_film)
        panel.film_cancelled.connect(self.films.cancel)
        self.films.progressed.connect(panel.set_film)
        self.films.ended.connect(self._on_film)
        window.document.begun.connect(self._read)
        window.document.opened.connect(lambda _: self._read())

    @property
    def path(self) -> CameraPath:
        return self._path

    def show(self) -> None:
        """Bring the panel to the front."""
        self._window.show_bottom("Camera path")

    # Views

    def add_view(self) -> None:
        """The view as it is now becomes the last one of the path."""
        self.show()
        self._set(self._path.with_view(self._window.viewport.camera))

    def ask_turntable(self) -> None:
        """Ask how to go around, and put that in place of the path."""
        now = self._elevation()

        class Turntable(BaseModel):
            seconds: float = Field(
                8.0, title="Once around in", ge=0.5, le=600, json_schema_extra={"basic": True, "unit": "s"}
            )
            elevation: float = Field(
                now, title="Height of the camera", description="Above the horizon; 90 looks from straight above",
                ge=-89, le=89, json_schema_extra={"basic": True, "unit": "°"},
            )  # fmt: skip
            count: int = Field(
                12, title="Views", description="Views on the way, which can be changed one by one", ge=3, le=360,
                json_schema_extra={"basic": True},
            )  # fmt: skip

        def take(values: dict[str, Any]) -> None:
            self.turn(values["seconds"], values["elevation"], values["count"])

        self._window.shell.ask_form("dlg_turntable", "Turntable", SettingsForm(Turntable), "Go around", take)

    def turn(self, seconds: float = 8.0, elevation: float | None = None, count: int = 12) -> None:
        """Once around what the view looks at, in place of the path. elevation: degrees above the horizon."""
        self.show()
        viewport = self._window.viewport
        height = None if elevation is None else math.radians(elevation)
        last = self._path
        self._set(turntable(viewport.camera, axis_vector(viewport.up_axis), seconds, height, count))
        if last and not last.is_closed:
            self._offer_back(last)

    def _offer_back(self, last: CameraPath) -> None:
        """A path made by hand is worth more than a button pressed by chance."""
        toast = self._window.shell.toast(
            "The turntable took the place of the camera path.",
            actions=[NoticeAction("back", "Bring the path back")],
        )
        toast.chosen.connect(lambda _: self._set(last))

    def seek(self, seconds: float) -> None:
        """Look from where the path is at a time."""
        if self._path:
            self._began = time.monotonic() - seconds
            self._window.viewport.play_camera(self._path.pose_at(seconds))
            self._window.path_panel.set_time(seconds)

    def play(self, on: bool) -> None:
        """Follow the path, from its beginning where its end is reached."""
        on = on and len(self._path) > 1
        self._window.path_panel.set_playing(on)
        if not on:
            self._tick.stop()
            return
        self._window.images.leave_camera()
        at = self._window.path_panel.time
        self._began = time.monotonic() - (at if at < self._path.seconds - 1e-3 else 0.0)
        self._tick.start()

    def make_film(self) -> None:
        """Ask what film is wished and make it."""
        if len(self._path) < 2:
            self._window.shell.toast("A film needs a camera path: add two views, or a turntable.")
            self.show()
        else:
            self.films.ask(self._path)

    def film_turntable(self) -> None:
        """A film that goes once around: of the path there is, or of a turntable where there is none."""
        if len(self._path) < 2:
            self.turn()
        self.show()
        self.make_film()

    def close(self) -> None:
        """The window closes."""
        self._tick.stop()
        self._sharp.stop()
        self.films.close()

    # Inner life

    def _set(self, path: CameraPath) -> None:
        self._path = path
        self._take_picture()
        self._window.document.keep(_KEY, stored(path) if path else None)
        self._show()

    def _show(self) -> None:
        poses = [keyframe.pose for keyframe in self._path.keyframes]
        self._pictures = {pose: picture for pose, picture in self._pictures.items() if pose in poses}
        found = {i: self._pictures[pose] for i, pose in enumerate(poses) if pose in self._pictures}
        self._window.path_panel.set_path(self._path, found)
        self.changed.emit()
        self._window.conditions.update()

    def _take_picture(self) -> None:
        """Of the view as it is now, if the path has it: what is on the screen, which costs nothing."""
        viewport = self._window.viewport
        if all(keyframe.pose != viewport.camera for keyframe in self._path.keyframes):
            return
        picture = viewport.shown_picture()
        if viewport.camera not in self._pictures and not viewport.fields.is_sharp:
            self._rough.add(viewport.camera)
        if picture is not None and viewport.camera not in self._pictures:
            step = max(1, min(picture.shape[0] // _PICTURE[1], picture.shape[1] // _PICTURE[0]))
            self._pictures[viewport.camera] = np.ascontiguousarray(picture[::step, ::step])

    def _insert(self, place: int) -> None:
        self._set(self._path.with_view_after(place, self._window.viewport.camera))
        self._window.path_panel.select(place + 1)

    def _take_sharp_picture(self) -> None:
        """The view of the path that is looked from is sharp now: its card shows it so."""
        pose = self._window.viewport.camera
        if pose in self._rough and self._window.viewport.fields.is_sharp:
            self._rough.discard(pose)
            self._pictures.pop(pose, None)
            self._take_picture()
            self._show()

    def _replace(self, place: int) -> None:
        self._set(self._path.with_pose(place, self._window.viewport.camera))

    def _set_closed(self, on: bool) -> None:
        self._set(replace(self._path, is_closed=on))

    def _look(self, place: int) -> None:
        keyframe = self._path.keyframes[place]
        self.play(False)
        self._window.viewport.move_camera(keyframe.pose)
        self._window.path_panel.set_time(keyframe.seconds)

    def _play_on(self) -> None:
        at = time.monotonic() - self._began
        if at >= self._path.seconds and not self._path.is_closed:
            at = self._path.seconds
            self.play(False)
        elif self._path.seconds:
            at %= self._path.seconds
        self._window.viewport.play_camera(self._path.pose_at(at))
        self._window.path_panel.set_time(at)

    def _read(self) -> None:
        """Take over what the project keeps."""
        self.play(False)
        self._path, self._pictures = CameraPath(), {}
        self._rough.clear()
        values = self._window.document.session.get(_KEY)
        if values is not None:
            try:
                self._path = restored(values)
            except (KeyError, TypeError, ValueError) as problem:
                _LOG.warning("The camera path of the project cannot be read: %s", problem)
        self._show()

    def _elevation(self) -> float:
        viewport = self._window.viewport
        rise = float(viewport.camera.axes[2] @ axis_vector(viewport.up_axis))
        return round(math.degrees(math.asin(min(1.0, max(-1.0, rise)))))

    def _on_film(self, path: Path | None) -> None:
        self._window.path_panel.set_film(None)
        if path is None:
            self._window.shell.toast("No film was written.")
