"""The preview of one view by a network: in a process of its own, told step by step, and ended when a person cancels."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QObject, QTimer, Signal

from app.background import Background
from app.errors import ErrorReport
from app.jobs import Job, JobResult
from app.worker_process import WorkerProcess
from recon.dn2n import EditSceneSettings
from recon.run_folder import RunFolder, create
from render.images import PosedImages
from render.scene_data import SceneData
from render.view_field import ViewField

_METHOD = "recon.dn2n.preview_run:PREVIEW"
_PICTURES = ("before.png", "after.png")
_SECOND_MS = 1000
_TELLS_WHERE = ("cloud", "field")  # inputs that only say where an edit goes


@dataclass(frozen=True, eq=False)
class PreviewWish:
    """What to try. others: what else a run of the whole scene would be given, by the names of its inputs."""

    posed: PosedImages
    view: int
    settings: Mapping[str, Any]
    seed: int
    others: Mapping[str, SceneData]
    device: str


@dataclass(frozen=True, eq=False)
class NetworkPreview:
    """before, after: (H, W, 3) uint8. figures: what the run told."""

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    figures: Mapping[str, Any]


class PreviewJob(QObject):
    """One preview at a time. progressed: what it does and how far it is, 0 … 1; done: a NetworkPreview; failed: an
    ErrorReport or an exception."""

    progressed = Signal(str, float)
    done = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._worker: WorkerProcess | None = None
        self._job: Job | None = None
        self._folder: Path | None = None
        self._began, self._words, self._share = 0.0, "", 0.0
        self._clock = QTimer(self, interval=_SECOND_MS)
        self._clock.timeout.connect(self._tell)

    @property
    def is_running(self) -> bool:
        return self._worker is not None or self._job is not None

    def start(self, wish: PreviewWish) -> None:
        """Begin a preview in place of the one that may be under way."""
        self.cancel()
        self._folder = folder = Path(tempfile.mkdtemp(prefix="isokiln-preview-"))
        self._worker = WorkerProcess()  # It imports what is slow while the folder is written.
        self._began = time.monotonic()
        self._take("Starting", 0.0)
        self._clock.start()
        self._background.run("folder", lambda: _run_folder(folder, wish), self._begin, self._fail)

    def cancel(self) -> None:
        """End it now; nobody hears of it again."""
        self._clock.stop()
        job, worker, folder = self._job, self._worker, self._folder
        self._job, self._worker, self._folder = None, None, None
        if job is not None:
            job.close()
            job.deleteLater()
        elif worker is not None:
            worker.close()
        if folder is not None:
            self._background.run("sweep", lambda: shutil.rmtree(folder, ignore_errors=True), _ignore, _ignore)

    def close(self) -> None:
        """The window closes."""
        folder = self._folder
        self.cancel()
        self._background.close()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    # Inner life

    def _begin(self, folder: RunFolder) -> None:
        if self._worker is None or folder.path != self._folder:
            return  # It was cancelled meanwhile.
        self._job, worker, self._worker = Job(folder, self), self._worker, None
        self._job.progressed.connect(lambda now: self._take(now.stage, (now.step - 1) / max(1, now.total)))
        self._job.finished.connect(self._read)
        self._job.failed.connect(self._fail)
        self._job.start(worker)

    def _read(self, result: JobResult) -> None:
        folder = self._folder
        assert folder is not None

        def read() -> NetworkPreview:
            before, after = (np.asarray(Image.open(folder / "files" / name)) for name in _PICTURES)
            return NetworkPreview(before, after, result.figures)

        self._background.run("read", read, self._show, self._fail)

    def _show(self, preview: NetworkPreview) -> None:
        if self._folder is not None:
            self.cancel()
            self.done.emit(preview)

    def _fail(self, problem: Exception | ErrorReport) -> None:
        if self._folder is not None:
            self.cancel()
            self.failed.emit(problem)

    def _take(self, words: str, share: float) -> None:
        self._words, self._share = words, share
        self._tell()

    def _tell(self) -> None:
        seconds = time.monotonic() - self._began
        self.progressed.emit(f"{self._words}… {seconds:.0f} s", self._share)


def _run_folder(folder: Path, wish: PreviewWish) -> RunFolder:
    """The run, with the one photo that it needs; called off the window's thread."""
    posed = wish.posed.select(np.array([wish.view]))
    inputs: dict[str, SceneData] = {"scene": posed}
    settings = EditSceneSettings.model_validate(dict(wish.settings))
    if settings.part >= 0 or settings.in_box:
        inputs |= {slot: wish.others[slot] for slot in _TELLS_WHERE if slot in wish.others}
    before = wish.others.get("before")
    name = posed.images.names[0]
    if isinstance(before, ViewField) and name in before.names:
        inputs["before"] = _one_view(before, before.names.index(name))
    return create(
        folder, _METHOD, settings.model_dump(mode="json"), inputs, wish.seed, wish.device, title="Preview"
    )


def _one_view(field: ViewField, place: int) -> ViewField:
    here = np.array([place])
    return replace(
        field, names=(field.names[place],), cameras=field.cameras.select(here), pictures=field.pictures[here],
        originals=field.originals[here], depths=field.depths[here], weights=field.weights[here],
    )  # fmt: skip


def _ignore(_: object) -> None:
    """There is nothing to do with an answer."""
