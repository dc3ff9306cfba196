"""Who hears whom of runs: the panel, the table, plots, previews and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from app.errors import ErrorReport
from app.jobs import Job
from app.layers import Layer
from app.log_file import log_folder
from app.method_panel import StartWish
from app.run_desk import id_of, shown_style
from app.workflows import SPLATS
from recon import method_by_id
from render.cross_sections import CrossSections
from widgets.viewport_scene import is_drawn
from widgets.viewport_style import LayerStyle

if TYPE_CHECKING:
    from app.main_window import MainWindow


def connect_runs(window: MainWindow) -> None:
    runs, panel = window.runs, window.method_panel
    panel.start_wished.connect(runs.start)
    runs.start_wished.connect(panel.start)
    runs.classic_wished.connect(lambda: _start_classic(window))
    panel.job_wished.connect(lambda verb: _command_run(window, verb))
    window.agreement_list.plane_requested.connect(window.agreement.go_to)
    window.log_view.open_wished.connect(lambda source: _open_log(window, source))
    window.job_panel.wish.connect(lambda job, verb: _on_job_wish(window, job, verb))
    window.job_panel.selection_changed.connect(lambda ids: window.plots.show_runs(ids) if ids else None)
    window.job_panel.selection_changed.connect(
        lambda ids: window.log_view.show_source(ids[0] if len(ids) == 1 else None)
    )
    window.plots.start_wished.connect(runs.start_or_resume)
    runs.changed.connect(lambda: _show_runs(window))
    runs.listed.connect(lambda job: _on_listed(window, job))
    runs.started.connect(lambda job: _on_started(window, job))
    runs.progressed.connect(lambda job: _plot(window, job))
    runs.previewed.connect(lambda job, data: _show_preview(window, job, data))
    runs.preview_ended.connect(lambda: _end_preview(window))
    runs.result_added.connect(lambda layers: _on_result(window, layers))
    runs.failed.connect(lambda job, report: _on_run_failed(window, job, report))
    runs.logged.connect(lambda job, level, text: window.shell.note(level, text, id_of(job)))


def _command_run(window: MainWindow, verb: str) -> None:
    job = window.runs.current
    if job is not None:
        window.runs.do(id_of(job), verb)


def _on_job_wish(window: MainWindow, job_id: str, verb: str) -> None:
    if not job_id:
        window.method_panel.start()
    else:
        window.runs.do(job_id, verb)


def _start_classic(window: MainWindow) -> None:
    layer = window.scene.sliced
    if layer is not None:
        classic = method_by_id("interpolate")
        kind = "cubic" if _is_parallel(layer) else "rbf"
        settings = classic.settings.model_validate({"kind": kind}).model_dump()
        window.runs.start(StartWish(classic, settings, {"sections": layer.id}, "cpu", 0))


def _is_parallel(layer: Layer) -> bool:
    """Whether all planes face the same way, or the opposite one."""
    if not isinstance(layer.data, CrossSections):
        return False
    normals = layer.data.enabled().normals
    return bool((np.abs(normals @ normals[0]) > 1 - 1e-6).all())


def _show_runs(window: MainWindow) -> None:
    row = window.runs.current_row()
    window.job_panel.set_rows(window.runs.rows())
    window.method_panel.show_job(row)
    window.status_line.show_job(row)
    window.conditions.update()


def _on_listed(window: MainWindow, job: Job) -> None:
    window.plots.add_run(id_of(job), job.title)
    window.log_view.name_source(id_of(job), job.title)


def _on_started(window: MainWindow, job: Job) -> None:
    window.shell.note("info", f"{job.title} started.", id_of(job))
    if job.is_in_process:
        return
    if window.workflows.current == SPLATS and not window.docks["dock_bottom"].isVisible():
        window.show_bottom("Jobs")  # Editing splats leaves its room to the picture.
    window.job_panel.select([id_of(job)])  # Plots follow what is selected.


def _open_log(window: MainWindow, source: str) -> None:
    job = window.runs.job(source)
    window.files.show_folder(job.folder.path if job is not None else log_folder())


def _plot(window: MainWindow, job: Job) -> None:
    window.plots.append(id_of(job), job.progress.step, job.progress.losses, job.progress.stage)


def _show_preview(window: MainWindow, job: Job, data: Any) -> None:
    style = LayerStyle(**shown_style(window.runs.method_of(job)))
    window.scene.show_preview(f"{job.title} (preview)", data, style)
    step = f"{job.progress.step:,}".replace(",", "\u202f")
    window.viewport.set_banner(f"Preview, {job.progress.stage.lower()} {step}".strip())


def _end_preview(window: MainWindow) -> None:
    window.scene.end_preview()
    window.viewport.set_banner("")


def _on_result(window: MainWindow, layers: Sequence[Layer]) -> None:
    drawn = [layer.id for layer in layers if is_drawn(layer.data)]
    window.scene.select(drawn or [layer.id for layer in layers])
    window.shell.note("info", f"{layers[0].name} is done.")
    if window.agreement.has_table(layers[0]):
        window.show_task("Agreement")


def _on_run_failed(window: MainWindow, job: Job, report: ErrorReport) -> None:
    window.shell.note("error", str(report), id_of(job))
    if window.edits.is_edit(job):
        window.edit_trouble.show_failure(job, report)
        return
    preset = window.runs.lower_preset(job) if report.code == "E14" else ""
    if not preset:
        window.shell.show_error(report)
        return
    answers = [
        (f"Start again with “{preset}”", lambda: window.runs.retry_with(job, preset)),
        ("Details", lambda: window.shell.show_error(report)),
        ("Close", lambda: None),
    ]
    window.shell.ask(report.sentence, report.advice, answers, "error")
