"""Makes a film of the camera path: picture after picture from the view's scene, complete, beside what the person does.

Pictures of fields are drawn in their own thread, files are written in another; only VTK's part is done in the window's,
between other events.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from PySide6.QtCore import QObject, Qt, Signal

from app.film_files import FilmFile, Mp4, PngPictures
from render.view_field import ViewField
from widgets.camera_path import CameraPath
from widgets.settings_form import SettingsForm
from widgets.viewport_camera import CameraPose
from widgets.viewport_fields import FieldFrames, FieldView
from widgets.viewport_style import FieldVersion

if TYPE_CHECKING:
    from app.main_window import MainWindow

Picture = NDArray[np.uint8]
Shown = Literal["edited", "original", "both"]
_WAITING = 3  # pictures that may wait to be written


@dataclass(frozen=True)
class FilmWish:
    """What a film is to be. size: width and height in pixels, both even. shown: of an edited scene."""

    path: Path
    camera: CameraPath
    size: tuple[int, int] = (1280, 720)
    per_second: int = 30
    shown: Shown = "edited"
    has_grid: bool = False

    @property
    def is_mp4(self) -> bool:
        return self.path.suffix.lower() == ".mp4"


class FilmDesk(QObject):
    """One film at a time. progressed: pictures done, of how many. ended: the path written, or None."""

    progressed = Signal(int, int)
    ended = Signal(object)
    _come = Signal(object)  # FieldFrames, or the exception instead
    _written = Signal(object)  # None, or the exception

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._making: _Making | None = None
        self._come.connect(self._on_frames, Qt.ConnectionType.QueuedConnection)
        self._written.connect(self._on_written, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        return self._making is not None

    def ask(self, camera: CameraPath) -> None:
        """Ask what the film is to be, where to, and make it."""
        window = self._window
        has_edit = any(isinstance(x.data, ViewField) for x in window.project.layers)

        class Film(BaseModel):
            format: Literal["mp4", "png"] = Field(
                "mp4", title="Write", description="One file to play, or a numbered picture for each moment",
                json_schema_extra={"basic": True, "choices": {"mp4": "Film (MP4)", "png": "Pictures (PNG)"}},
            )  # fmt: skip
            width: int = Field(
                1280, title="Width", ge=64, le=7680, json_schema_extra={"basic": True, "unit": "pixels"}
            )
            height: int = Field(
                720, title="Height", ge=64, le=4320, json_schema_extra={"basic": True, "unit": "pixels"}
            )
            per_second: int = Field(
                30, title="Pictures a second", ge=1, le=120, json_schema_extra={"basic": True}
            )
            shown: Shown = Field(
                "edited", title="Edited scenes", description="What is seen of scenes that were edited by words",
                json_schema_extra={
                    "basic": has_edit,
                    "choices": {"edited": "As edited", "original": "As they were", "both": "Both, side by side"},
                },
            )  # fmt: skip
            has_grid: bool = Field(False, title="Ground grid", json_schema_extra={"basic": True})

        window.shell.ask_form(
            "dlg_film",
            "Make a film",
            SettingsForm(Film),
            "Choose where…",
            lambda v: self._choose_place(camera, v),
        )

    def make(self, wish: FilmWish) -> None:
        """Make a film; ended tells when it is there. A film that is being made is not disturbed."""
        if self._making is not None or not wish.camera:
            return
        self._making = _Making(wish, _even(wish.size))
        self.progressed.emit(0, self._making.total)
        self._making.begin(self._written.emit)

    def cancel(self) -> None:
        """End now and leave no file."""
        self._end(None)

    def close(self) -> None:
        """The window closes."""
        if self._making is not None:
            self._making.drop()
            self._making = None

    # Inner life

    def _choose_place(self, camera: CameraPath, values: dict[str, Any]) -> None:
        kind = values.pop("format")
        stem = self._window.document.title
        suggested = f"{stem}.mp4" if kind == "mp4" else f"{stem} pictures"
        filters = "MP4 film (*.mp4)" if kind == "mp4" else ""

        def make(path: Path) -> None:
            target = path.with_suffix(".mp4") if kind == "mp4" else path
            size = values["width"], values["height"]
            self.make(
                FilmWish(target, camera, size, values["per_second"], values["shown"], values["has_grid"])
            )

        files = self._window.files
        name, _ = files.pick_to_save(self._window, "Make a film", str(files.last_folder / suggested), filters)
        if name:
            make(Path(name))

    def _next(self) -> None:
        """Begin the next picture: with its fields where there are any."""
        making = self._making
        if making is None:
            return
        if making.step >= len(making.shots):
            making.finish(self._written.emit)
            return
        pose, shown = making.shots[making.step]
        fields = self._window.viewport.fields
        view = FieldView(fields.fields_shown(shown), pose, making.part_size)
        if not view.fields:
            self._come.emit(FieldFrames(view, {}, True))
            return
        self._window.field_frames.finest(view).add_done_callback(lambda answer: self._tell(view, answer))

    def _tell(self, view: FieldView, answer: Future[FieldFrames]) -> None:
        try:
            self._come.emit(answer.result())
        except (CancelledError, Exception) as problem:
            self._come.emit(problem)

    def _on_frames(self, frames: object) -> None:
        making = self._making
        if making is None:
            return
        if not isinstance(frames, FieldFrames):
            if not isinstance(frames, CancelledError):
                self._fail(frames)
            return
        if frames.view.pose != making.shots[making.step][0]:
            return  # of a film that was cancelled
        making.take(self._shot(frames, making), self._written.emit)

    def _shot(self, frames: FieldFrames, making: _Making) -> Picture:
        viewport = self._window.viewport
        pose, shown = making.shots[making.step]
        had_grid = viewport.is_shown("grid")
        if had_grid != making.wish.has_grid:
            viewport.set_shown("grid", making.wish.has_grid)
        try:
            with viewport.fields.given(frames), viewport.fields.showing(shown):
                return viewport.picture_from(pose, making.part_size)
        finally:
            if had_grid != making.wish.has_grid:
                viewport.set_shown("grid", had_grid)

    def _on_written(self, result: object) -> None:
        """The file is open, a picture is written, or the film is finished."""
        making = self._making
        if making is None:
            return
        if isinstance(result, Exception):
            self._fail(result)
        elif isinstance(result, Path):
            self._end(result)
        else:
            self.progressed.emit(making.num_done, making.total)
            self._next()

    def _fail(self, problem: object) -> None:
        self._end(None)
        if isinstance(problem, Exception):
            self._window.shell.show_error(problem)

    def _end(self, path: Path | None) -> None:
        making, self._making = self._making, None
        if making is None:
            return
        if path is None:
            making.drop()
        making.threads.shutdown(wait=True)
        self.ended.emit(path)


class _Making:
    """A film in the making. shots: pose and what is shown, one or two a picture; of two the first is at the left."""

    def __init__(self, wish: FilmWish, size: tuple[int, int]) -> None:
        self.wish, self.size = wish, size
        self._file: FilmFile | None = None  # known to the thread of the file alone
        shown: tuple[FieldVersion, ...] = ("original", "edited") if wish.shown == "both" else (wish.shown,)
        self.shots: list[tuple[CameraPose, FieldVersion]] = [
            (pose, each) for pose in wish.camera.frames(wish.per_second) for each in shown
        ]
        self.num_parts = len(shown)
        self.part_size = size[0] // self.num_parts, size[1]
        self.step = 0
        self.threads = ThreadPoolExecutor(1, thread_name_prefix="film")
        self._parts: list[Picture] = []

    @property
    def total(self) -> int:
        """Pictures of the film."""
        return len(self.shots) // self.num_parts

    @property
    def num_done(self) -> int:
        return self.step // self.num_parts

    def begin(self, tell: Callable[[object], None]) -> None:
        """Open the file, beside the window's thread: what writes films takes long to import."""

        def work() -> None:
            self._file = _open(self.wish, self.size)

        self.write(work, tell)

    def finish(self, tell: Callable[[object], None]) -> None:
        """All pictures are there."""
        self.write(lambda: self._opened.finish(), tell)

    @property
    def _opened(self) -> FilmFile:
        assert self._file is not None, "the film goes on only after its file was opened"
        return self._file

    def take(self, picture: Picture, tell: Callable[[object], None]) -> None:
        """One more part of a picture; what is whole is written."""
        self.step += 1
        self._parts.append(picture)
        if len(self._parts) < self.num_parts:
            tell(None)
            return
        whole = np.concatenate(self._parts, axis=1)
        whole = np.pad(whole, ((0, 0), (0, self.size[0] - whole.shape[1]), (0, 0)))
        self._parts = []
        self.write(lambda: self._opened.add(whole), tell)

    def write(self, work: Callable[[], object], tell: Callable[[object], None]) -> None:
        """Do work in the thread of the file and tell its answer, or why there is none."""

        def done(answer: Future[object]) -> None:
            if not answer.cancelled():
                tell(answer.exception() or answer.result())

        self.threads.submit(work).add_done_callback(done)

    def drop(self) -> None:
        """Leave nothing behind."""
        self.threads.submit(lambda: self._file.drop() if self._file is not None else None)
        self.threads.shutdown(wait=True)


def _even(size: tuple[int, int]) -> tuple[int, int]:
    """MPEG-4 has colours for squares of two pixels only."""
    return max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)


def _open(wish: FilmWish, size: tuple[int, int]) -> FilmFile:
    return Mp4(wish.path, wish.per_second, size) if wish.is_mp4 else PngPictures(wish.path)
