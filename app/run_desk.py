"""Runs of the open project: started, followed, commanded, and their results put among the layers."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from app.document import OpenDocument
from app.edit_target import BEFORE
from app.errors import ErrorReport
from app.image_places import rebased
from app.job_states import ACTIVE, ENDED, JobState
from app.jobs import Job, JobQueue, JobResult
from app.layers import Layer, Missing, Origin, new_layer
from app.manifest import RunRecord
from app.method_panel import StartWish
from app.part_jobs import with_found_parts
from app.project_runs import run_folders
from app.result_words import summary
from app.versions import pending_layer, with_pending
from app.worker_thread import WorkerThread
from recon import METHODS, method_by_id
from recon.errors import ReconError
from recon.method import Method
from recon.romap import PART
from recon.run_folder import RunFolder, create
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from widgets.job_rows import JobRow

# What colours say more than shape, by method: shown as colours at once.
_SHOWN_VALUES = {"distance": "distance"}
EDIT_STEP = "Edit: "  # how undo steps begin that put an edit there to wait
_OF_ROOMS = ("debsdf", "tsdf", "poisson", "extract")


class RunDesk(QObject):
    """The jobs of the open project.

    Signals: changed after anything that a row shows; previewed (job, data); result_added (layers), edit_added (the
    layer that waits to be accepted); failed (job, report); progressed (job); logged (job, level, text); listed (job) when it is first followed, started (job).
    """

    changed = Signal()
    previewed = Signal(object, object)
    preview_ended = Signal()
    result_added = Signal(object)
    edit_added = Signal(object)
    failed = Signal(object, object)
    progressed = Signal(object)
    logged = Signal(object, str, str)
    listed = Signal(object)
    started = Signal(object)
    start_wished = Signal()
    classic_wished = Signal()

    def __init__(self, document: OpenDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.queue = JobQueue(self)
        self.queue.changed.connect(self._on_queue_changed)
        self.preview_share = 0.05
        self.keeps_running = False  # whether a run goes on when the window closes
        self.last_wish: StartWish | None = None
        document.has_active_run = lambda: self.is_running
        document.saved.connect(self._follow_home)

    # What there is

    @property
    def current(self) -> Job | None:
        """The run that is under way."""
        return self.queue.current

    @property
    def is_running(self) -> bool:
        return self.current is not None

    def job(self, job_id: str) -> Job | None:
        return next((job for job in self.queue.jobs if id_of(job) == job_id), None)

    def rows(self) -> list[JobRow]:
        """What the table shows, the newest first."""
        return [row_of(job) for job in reversed(self.queue.jobs)]

    def current_row(self) -> JobRow | None:
        return row_of(self.current) if self.current is not None else None

    # What the person asks for

    def start(self, wish: StartWish) -> Job | None:
        """Make a run of what is chosen and queue it. None when an input is missing."""
        layers = {slot: self.document.project.layer(layer_id) for slot, layer_id in wish.inputs.items()}
        data = {slot: layer.content for slot, layer in layers.items() if layer is not None}
        inputs = {slot: value for slot, value in data.items() if not isinstance(value, Missing)}
        if len(inputs) < len(wish.inputs):
            return None
        self.last_wish = wish
        self.document.autosave()
        run_id = uuid.uuid4().hex
        name = wish.title or f"{wish.method.title} {len(self.document.runs) + 1}"
        place = self.document.folder / "runs" / run_id
        folder = create(
            place,
            wish.method.id,
            {**wish.settings, **_stored_pictures(place, wish)},
            {**inputs, **wish.data},
            seed=wish.seed,
            device=wish.device or "cpu",
            title=name,
            preview_share=self.preview_share,
        )
        ids = [layer.id for layer in layers.values() if layer is not None]
        self.document.add_run(RunRecord(uuid=run_id, method=wish.method.id, name=name, inputs=ids))
        job = self._follow(folder)
        self.queue.add(job, start=not wish.is_instant)
        if wish.is_instant:
            job.start(WorkerThread())
        self.started.emit(job)
        return job

    def pause(self) -> None:
        self._with_current(Job.pause)

    def stop(self) -> None:
        self._with_current(Job.stop)

    def cancel(self) -> None:
        self._with_current(Job.cancel)

    def checkpoint(self) -> None:
        self._with_current(Job.checkpoint)

    def preview(self) -> None:
        self._with_current(Job.preview_now)

    def resume(self) -> None:
        self._with_current(Job.resume)

    def start_or_resume(self) -> None:
        """Resume a paused run, else wish for a new one."""
        if self.current is not None and self.current.state is JobState.PAUSED:
            self.resume()
        else:
            self.start_wished.emit()

    def start_classic(self) -> None:
        """Run classic interpolation on the same cross-sections, to compare."""
        self.classic_wished.emit()

    def do(self, job_id: str, verb: str) -> None:
        """What a button of a row asks for."""
        job = self.job(job_id)
        if job is None:
            return
        verbs: dict[str, Callable[[], None]] = {
            "pause": job.pause,
            "stop": job.stop,
            "cancel": job.cancel,
            "checkpoint": job.checkpoint,
            "preview": job.preview_now,
            "resume": lambda: job.resume() if job.state is JobState.PAUSED else self.queue.add(job),
            "retry": lambda: self._again(job),
            "duplicate": lambda: self._again(job),
            "move_up": lambda: self.queue.move(job, -1),
            "move_down": lambda: self.queue.move(job, 1),
            "remove": lambda: self._discard(job),
            "discard": lambda: self._discard(job),
            "show": lambda: self._show(job),
            "use_result": lambda: self._show(job),
            "show_error": lambda: self.failed.emit(job, job.error),
            "copy_details": lambda: _copy_details(job.error),
        }
        verbs[verb]()

    # Projects come and go

    def open_project_runs(self) -> None:
        """List the runs of the project that was just opened."""
        for folder in run_folders(self.document.folder):
            if self.job(folder.name) is None and (folder / "run.json").exists():
                self.queue.add(self._follow(RunFolder(folder)), start=False)

    def method_of(self, job: Job) -> str:
        """The method of a run of this project; "" for one that is none of its own."""
        return next((run.method for run in self.document.runs if run.uuid == id_of(job)), "")

    def forget_all(self) -> None:
        """End what runs, or leave it to itself if that was wished, and list nothing: another project comes."""
        for job in self.queue.jobs:
            if self.keeps_running and job.state in ACTIVE:
                self.queue.let_go(job)
                continue
            job.close(patience=2.0)
            self.queue.remove(job)
        self.keeps_running = False
        self.preview_ended.emit()

    def close(self) -> None:
        """The window closes: end every process, but for a run that shall go on."""
        self.queue.close(keep_running=self.keeps_running)

    # What happens

    def _follow(self, folder: RunFolder) -> Job:
        job = Job(folder, self)
        job.progressed.connect(lambda _: self._on_progress(job))
        job.previewed.connect(lambda data: self.previewed.emit(job, data))
        job.finished.connect(lambda result: self._add_result(job, result))
        job.failed.connect(lambda report: self.failed.emit(job, report))
        job.logged.connect(lambda level, text: self.logged.emit(job, level, text))
        job.state_changed.connect(lambda state: self._on_state(job, JobState(state)))
        self.listed.emit(job)
        return job

    def _on_progress(self, job: Job) -> None:
        self.progressed.emit(job)
        self.changed.emit()

    def _on_state(self, job: Job, state: JobState) -> None:
        if state in ENDED:
            self.preview_ended.emit()
            self._bring_home(job)
        self.changed.emit()

    def is_at_home(self, job: Job) -> bool:
        """Whether a run lies in the project's own folder: the project was saved before it began."""
        return Path(job.folder.path).parent == self.document.folder / "runs"

    def _follow_home(self) -> None:
        """Runs that a first save, or one under another name, took along are followed there."""
        for job in self.queue.jobs:
            home = RunFolder(self.document.folder / "runs" / id_of(job))
            before = Path(job.folder.path)
            if job.state not in ACTIVE and before != home.path and home.path.exists():
                self._move(job, home.path)
                self.document.drop_unsaved(before)

    def _bring_home(self, job: Job) -> None:
        """A run that was under way when the project was saved here joins it when it has ended."""
        is_ours = any(run.uuid == id_of(job) for run in self.document.runs)
        if is_ours and job.state not in ACTIVE and self.document.path and not self.is_at_home(job):
            self.document.bring_home(Path(job.folder.path), lambda home: self._move(job, home))

    def _move(self, job: Job, home: Path) -> None:
        """Follow a run in its new folder, and let layers find there the pictures that it made."""
        before = Path(job.folder.path)
        job.move_to(RunFolder(home))
        self.document.project.rewrite(lambda data: rebased(data, before, home))

    def _on_queue_changed(self) -> None:
        self.changed.emit()

    def _with_current(self, ask: Callable[[Job], None]) -> None:
        if self.current is not None:
            ask(self.current)

    def lower_preset(self, job: Job) -> str:
        """The preset that asks for less than a run's settings; empty when there is none."""
        try:
            manifest = job.folder.manifest
            presets = _complete_presets(method_by_id(manifest.method))
        except ReconError:
            return ""
        names = list(presets)
        now = next((name for name in names if presets[name] == manifest.settings), None)
        if now is None:
            return names[0] if names else ""
        return names[names.index(now) - 1] if now != names[0] else ""

    def retry_with(self, job: Job, preset: str) -> None:
        """A new run on the inputs of another, with the settings of a preset."""
        self._again(job, _complete_presets(method_by_id(job.folder.manifest.method))[preset])

    def _again(self, job: Job, settings: Mapping[str, Any] | None = None) -> None:
        """A new run with the inputs of another, and its settings unless others are given."""
        manifest = job.folder.manifest
        run_id = uuid.uuid4().hex
        name = f"{manifest.title.rstrip('0123456789 ')} {len(self.document.runs) + 1}"
        folder = create(
            self.document.folder / "runs" / run_id,
            manifest.method,
            manifest.settings if settings is None else settings,
            job.folder.input_paths(),
            seed=manifest.seed,
            device=manifest.device,
            title=name,
            preview_share=self.preview_share,
        )
        inputs = next((run.inputs for run in self.document.runs if run.uuid == id_of(job)), [])
        self.document.add_run(RunRecord(uuid=run_id, method=manifest.method, name=name, inputs=inputs))
        again = self._follow(folder)
        self.queue.add(again)
        self.started.emit(again)

    def _discard(self, job: Job) -> None:
        """Take a run off the list, with its files."""
        if job.state in ACTIVE:
            return
        self.queue.remove(job)
        job.close()
        shutil.rmtree(job.folder.path, ignore_errors=True)

    def _show(self, job: Job) -> None:
        """Select the layers of a run; put them back where they were deleted."""
        layers = [x for x in self.document.project.layers if x.origin and x.origin.run == id_of(job)]
        if layers:
            self.result_added.emit(layers)
        elif job.result is not None:
            self._add_result(job, job.result)

    def _add_result(self, job: Job, result: JobResult) -> None:
        """The result becomes layers, as one undo step; earlier results of the same inputs step aside."""
        self.preview_ended.emit()
        project = self.document.project
        origin = self._origin(job, result.figures)
        base = self._edited_layer(job)
        if base is not None and result.outputs:
            self._add_edit(job, result, base, origin)
            return
        labelled = self._labelled_layer(job, result, origin)
        if labelled is not None:
            project.edit(job.title, [labelled if x.id == labelled.id else x for x in project.layers])
            self._accept(job)
            self.result_added.emit([labelled])
            return
        layers = [
            _result_layer(job, output.name, output.data, origin, len(result.outputs))
            for output in result.outputs
        ]
        earlier = [x.id for x in project.layers if _steps_aside(x, origin, layers)]
        kept = [x for x in project.layers if not (x.origin and x.origin.run == origin.run)]
        project.edit(job.title, [*kept, *layers])
        project.set_visible(earlier, False)
        self._accept(job)
        self.result_added.emit(layers)

    def _edited_layer(self, job: Job) -> Layer | None:
        """The layer of which a run's result is another edition; None for results that stand on their own."""
        manifest = job.folder.manifest
        method = next((each for each in METHODS if each.id == manifest.method and each.edits), None)
        record = next((run for run in self.document.runs if run.uuid == id_of(job)), None)
        if method is None or record is None:
            return None
        layers = dict(zip(manifest.inputs, record.inputs, strict=False))
        base = layers.get(BEFORE) or layers.get(method.edits, "")
        return self.document.project.layer(base)

    def _labelled_layer(self, job: Job, result: JobResult, origin: Origin) -> Layer | None:
        """The layer of splats whose parts a run found, with them; None for other runs, or other splats by now."""
        if (
            origin.method != PART.id
            or not result.outputs
            or not isinstance(result.outputs[0].data, GaussianCloud)
        ):
            return None
        layers = (self.document.project.layer(layer_id) for layer_id in origin.inputs)
        found = result.outputs[0].data
        made = (with_found_parts(layer, found, origin) for layer in layers if layer is not None)
        return next((layer for layer in made if layer is not None), None)

    def _add_edit(self, job: Job, result: JobResult, base: Layer, origin: Origin) -> None:
        """The result waits beside the layer that it was made from; that one is hidden meanwhile."""
        project, output = self.document.project, result.outputs[0]
        pending = pending_layer(base, job.title, output.data, origin, shown_style(origin.method))
        project.edit(f"{EDIT_STEP}{job.title}", with_pending(project.layers, pending))
        self.result_added.emit([pending])
        self.edit_added.emit(pending)

    def _origin(self, job: Job, figures: Mapping[str, Any]) -> Origin:
        manifest = job.folder.manifest
        inputs = next((run.inputs for run in self.document.runs if run.uuid == id_of(job)), [])
        return Origin(
            manifest.method, manifest.settings, manifest.seed, tuple(inputs), id_of(job), dict(figures)
        )

    def _accept(self, job: Job) -> None:
        record = next((run for run in self.document.runs if run.uuid == id_of(job)), None)
        if record is not None:
            self.document.add_run(record.model_copy(update={"accepted": True}))


def _steps_aside(layer: Layer, origin: Origin, made: Sequence[Layer]) -> bool:
    """Whether a layer is hidden when a run has made others: an earlier result of the same kind from the same
    inputs, or an input of which the result is another edition, as images with poses or cues are."""
    kinds = {type(new.data) for new in made}
    if layer.id in origin.inputs:
        return bool(kinds & {PosedImages}) and isinstance(layer.data, PosedImages | ImageSet)
    is_earlier = layer.origin is not None and set(layer.origin.inputs) & set(origin.inputs)
    return bool(is_earlier) and type(layer.data) in kinds


def _stored_pictures(run: Path, wish: StartWish) -> dict[str, str]:
    """Write the pictures that go with a run into its folder; the setting that says where they are."""
    if not wish.pictures:
        return {}
    folder = run.absolute() / wish.pictures_for
    folder.mkdir(parents=True)
    for name, pixels in wish.pictures.items():
        Image.fromarray(pixels).save(folder / name)
    return {wish.pictures_for: str(folder)}


def _complete_presets(of: Method) -> dict[str, dict[str, Any]]:
    """Every setting of each preset, the one that asks for least first."""
    return {
        name: of.settings.model_validate(values).model_dump(mode="json")
        for name, values in of.presets.items()
    }


def id_of(job: Job) -> str:
    """The id of a run: the name of its folder."""
    return Path(job.folder.path).name


def row_of(job: Job) -> JobRow:
    """What the table shows of a job."""
    progress, offer = job.progress, job.offer
    try:
        manifest = job.folder.manifest
        workflow, device = manifest.method, manifest.device
    except ReconError:
        workflow, device = "", ""
    is_moving = job.state in (JobState.RUNNING, JobState.PAUSING, JobState.PAUSED)
    return JobRow(
        id=id_of(job),
        state=job.state.value,
        name=job.title,
        workflow=workflow,
        fraction=1.0 if job.state is JobState.DONE else (progress.fraction if progress.total else None),
        stage=progress.stage_words,
        step=progress.step,
        total=progress.total,
        speed=progress.it_s or None,
        elapsed=job.result.wall_s if job.result else job.elapsed_seconds,
        left=progress.time_left if is_moving and progress.total else "",
        device=device,
        peak_bytes=job.result.peak_bytes if job.result else 0,
        result=_result_words(job),
        preview_share=progress.preview_share,
        primary=offer.primary,
        others=offer.others,
        is_primary_enabled=offer.is_primary_enabled,
    )


def _result_words(job: Job) -> str:
    if job.error is not None:
        return job.error.sentence
    if job.result is None:
        return ""
    names = ", ".join(job.result.names)
    return summary(job.result.figures) or names or "Nothing"


def shown_style(method: str) -> dict[str, Any]:
    """Display values of what a method makes, where they differ from the usual ones."""
    if method in _OF_ROOMS:
        return {"cull_backfaces": True}  # One looks into a room through the backs of its walls.
    value = _SHOWN_VALUES.get(method)
    return {} if value is None else {"shading": "values", "value_name": value}


def _result_layer(job: Job, name: str, data: Any, origin: Origin, num_outputs: int) -> Layer:
    number = job.title.rpartition(" ")[2]
    title = job.title if num_outputs == 1 else f"{name} ({job.title})"
    if origin.method in _OF_ROOMS and num_outputs > 1:
        title = f"{name} {number}"
    return new_layer(title, data, origin=origin, style=shown_style(origin.method))


def _copy_details(report: ErrorReport | None) -> None:
    if report is not None:
        QGuiApplication.clipboard().setText(report.text_to_copy)
