"""Parts by clicks and boxes: a network outlines what they mean in the view, and the outline becomes a stroke."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, QTimer
from PySide6.QtWidgets import QFileDialog

from app import part_strokes as strokes
from app.background import Background
from app.click_process import ClickProcess
from app.errors import ErrorReport, describe_error
from app.network_folders import NetworkProblem, finder_problem, load_folders, remember_folder
from app.part_strokes import Mark, MarkedView
from app.splat_edits import splats_of
from render.cameras import limited_size
from render.gaussians import GaussianCloud
from widgets.parts_panel import Note
from widgets.viewport_camera import Pinhole, Size, pinhole

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.part_marking import PartMarking

NETWORK = "sam2-hiera-small"
_USE: Literal["clicks"] = "clicks"  # of the network, in what is remembered of folders
_LONGEST = 1024  # pixels of the picture, which is what SAM 2 looks at
_REST_MS = 300  # after the camera moved
_IDLE_MS = 120_000  # after the tool was left, then the network's memory is let go of
_TOLD_MS = 500


@dataclass(frozen=True)
class _Asked:
    """What the network was asked: for which part of which view, with which clicks."""

    layer: str
    view: MarkedView
    mark: Mark


class PartClicks(QObject):
    """The tool “network” of marking. Each click is an undo step, as each stroke is."""

    def __init__(self, window: MainWindow, marking: PartMarking) -> None:
        super().__init__(marking)
        self._window, self._marking, self._panel = window, marking, window.parts_panel
        self.process = ClickProcess(self)
        self._folder = load_folders().get(_USE, "")
        self._place: Path | None = None  # of pictures for the process
        self._shown: tuple[object, ...] | None = None  # the view that the process looks at
        self._unseen: list[Path] = []  # pictures that the process has not looked at yet
        self._is_drawing = False
        self._background = Background(self)
        self._asked: _Asked | None = None
        self._number, self._since = 0, 0.0
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._idle = QTimer(self, singleShot=True, interval=_IDLE_MS)
        self._clock = QTimer(self, interval=_TOLD_MS)
        self._rest.timeout.connect(self._prepare)
        self._idle.timeout.connect(self._let_go)
        self._clock.timeout.connect(self._tell)
        self._wire()

    def _wire(self) -> None:
        tools, row = self._marking.tools, self._panel.network
        tools.pointed.connect(self.point)
        tools.boxed.connect(self.box)
        row.chosen.connect(self._use_folder)
        row.browse_wished.connect(self._browse)
        self.process.seen.connect(self._on_seen)
        self.process.found.connect(self._on_found)
        self.process.failed.connect(self._on_failed)
        self._window.viewport.camera_moved.connect(lambda _: self._rest.start() if self.is_on else None)
        self._window.document.begun.connect(self._let_go)

    @property
    def is_on(self) -> bool:
        return self._marking.tool == "network"

    @property
    def _is_seen(self) -> bool:
        """Whether the process looks at the view as it is now."""
        return self._shown is not None and not self._is_drawing and not self._unseen

    @property
    def is_busy(self) -> bool:
        """Whether the network is asked something that it has not answered yet."""
        return self._asked is not None

    # The tool

    def begin(self) -> None:
        """The tool was chosen: find the network, and have it look at the view while the person aims."""
        self._idle.stop()
        self._panel.network.set_folder(self._folder)
        self._panel.show_network(True)
        folder = self._folder

        def go_on(found: NetworkProblem | None) -> None:
            if found is None or folder != self._folder:
                return
            self._panel.network.set_problem(found.words, found.command)
            if found.words:
                self._marking.leave()
                self._panel.show_network(True)
            elif self.is_on:
                self._prepare()

        self._window.splats.look("network for clicks", lambda: finder_problem(NETWORK, _USE, folder), go_on)

    def end(self) -> None:
        """The tool was left: what was not answered is dropped; the network stays at hand for a while."""
        self._asked = None
        self._clock.stop()
        self._panel.show_network(bool(self._panel.network.problem))
        if self.process.is_running:
            self._idle.start()

    def close(self) -> None:
        """The window closes."""
        self._background.close()
        self._let_go()

    def point(self, at: QPointF, is_inside: bool) -> None:
        """A click on the part, or beside it."""
        mark = self._mark_here()
        if mark is None:
            return
        if not is_inside and not (mark.boxes or any(click[2] for click in mark.clicks)):
            self._window.shell.toast("Click on the part first, then on what is not of it.", "info")
            return
        self._ask(replace(mark, clicks=(*mark.clicks, (round(at.x(), 2), round(at.y(), 2), is_inside))))

    def box(self, corners: NDArray[np.float64]) -> None:
        """A box around the part, or a piece of it. corners: (2, 2) pixels."""
        mark = self._mark_here()
        if mark is not None:
            low, high = corners.min(0), corners.max(0)
            left, top, right, bottom = (round(float(x), 2) for x in (*low, *high))
            self._ask(replace(mark, boxes=(*mark.boxes, (left, top, right, bottom))))

    # Asking

    def _mark_here(self) -> Mark | None:
        """What was clicked for the chosen part on this view so far, in its pixels; None where one cannot mark."""
        view = self._marking.view_now()
        number = self._marking.number
        if view is None:
            return None
        if self._asked is not None and (self._asked.view.pose, self._asked.mark.part) == (view.pose, number):
            return self._asked.mark
        return strokes.clicked_mark(self._marking.views, view, number) or Mark(number, 0.0, ())

    def _ask(self, mark: Mark) -> None:
        view, layer = self._marking.view_now(), self._marking.layer
        if view is None or layer is None:
            return
        self._asked = _Asked(layer.id, view, mark)
        self._number += 1
        self._since = time.monotonic()
        self._clock.start()
        self._tell()
        self._prepare()
        self._send()

    def _send(self) -> None:
        """Ask, if the network looks at this view."""
        if self._asked is None or not self._is_seen:
            return
        view, mark = self._asked.view, self._asked.mark
        inside = strokes.in_size(mark, view.size, _picture_size(view.size))
        self.process.ask(self._number, inside.clicks, inside.boxes)

    def _prepare(self) -> None:
        """Have the network look at the view as it is now, unless it does."""
        view, layer = self._marking.view_now(), self._marking.layer
        given = splats_of(layer)
        if view is None or layer is None or given is None or not (self.is_on or self.is_busy):
            return
        key = (view.pose, view.size, view.hidden, layer.data)
        if self._shown is not None and self._shown[:3] == key[:3] and self._shown[3] is key[3]:
            return
        if self._is_drawing:
            return  # Once more when that is drawn.
        self._shown, self._is_drawing = key, True
        if not self.process.is_running:
            self.process.start(self._folder or NETWORK, self._window.method_panel.run_block.device())
        self._place = self._place or Path(tempfile.mkdtemp(prefix="isokiln-clicks-"))
        cloud, shown = given.cloud, ~(given.marks.deleted | given.marks.hidden)
        seen = pinhole(view.pose, _picture_size(view.size))
        path = self._place / f"view-{time.monotonic_ns()}.npy"
        self._background.run(
            "view", lambda: _write_picture(path, cloud, shown, seen), self._on_drawn, self._on_not_drawn
        )

    def _on_drawn(self, path: Path) -> None:
        self._is_drawing = False
        if self._shown is None:
            return  # It was let go of meanwhile.
        self._unseen.append(path)
        self.process.show(path)
        self._prepare()

    def _on_not_drawn(self, error: Exception) -> None:
        self._is_drawing = False
        self._on_failed(describe_error(error))

    # Answers

    def _on_seen(self) -> None:
        if self._unseen:
            self._unseen.pop(0).unlink(missing_ok=True)
        self._send()

    def _on_found(self, number: int, outline: NDArray[np.float64]) -> None:
        if self._asked is None or number != self._number:
            return
        asked, self._asked = self._asked, None
        self._clock.stop()
        if len(outline) < 3:
            words = "The network sees nothing there. Click elsewhere on it, or drag a box around it."
            self._marking.say(Note(words, "warn"))
            return
        found = strokes.mark_of(asked.mark.part, 0.0, outline)
        points = strokes.in_size(found, _picture_size(asked.view.size), asked.view.size).points
        self._marking.put_clicked(asked.layer, asked.view, replace(asked.mark, points=points))

    def _on_failed(self, report: ErrorReport) -> None:
        self._asked, self._shown = None, None
        self._unseen.clear()
        self._clock.stop()
        self.process.close()
        self._marking.say(Note(f"{report.sentence} {report.advice}", "error"))

    def _tell(self) -> None:
        if self._asked is not None:
            doing = "Asking the network" if self._is_seen else "The network looks at the view"
            self._marking.say(Note(f"{doing}… {time.monotonic() - self._since:.0f} s"))

    # The network

    def _use_folder(self, folder: str) -> None:
        self._folder = str(Path(folder).expanduser().absolute()) if folder else ""
        remember_folder(_USE, self._folder)
        self._let_go()
        if self.is_on:
            self.begin()
        else:
            self._marking.choose("network")

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._window, "Folder of the network", self._folder)
        if folder:
            self._use_folder(folder)

    def _let_go(self) -> None:
        """End the process, and remove its pictures."""
        self._idle.stop()
        self._clock.stop()
        self._rest.stop()
        self._asked, self._shown = None, None
        self._unseen.clear()
        self.process.close()
        if self._place is not None:
            shutil.rmtree(self._place, ignore_errors=True)
            self._place = None


def _picture_size(size: Size) -> Size:
    return limited_size(size, _LONGEST)


def _write_picture(path: Path, cloud: GaussianCloud, shown: NDArray[np.bool_], seen: Pinhole) -> Path:
    """Draw the splats that are shown, before white; called off the window's thread."""
    from render.splat_pictures import splat_picture

    left = cloud if shown.all() else cloud.subset(shown)
    picture = splat_picture(
        left, seen.cam_from_world, (seen.focal, seen.focal), seen.center, seen.size, background=(1, 1, 1)
    )
    np.save(path, np.asarray(np.clip(picture, 0, 1) * 255 + 0.5, np.uint8))
    return path
