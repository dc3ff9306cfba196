"""From posed photos to a radiance field: the whole method as one generator."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from typing import Any

import numpy as np

from recon.method import Output, Progress, Result, Run, RunContext, StopRequested
from recon.nerf import NerfSettings
from recon.nerf.preparation import prepare_trainer
from recon.nerf.results import Views, look_through_all, view_figures
from recon.nerf.train import Trainer
from recon.splats.reconstruct import Course, Diverged
from recon.splats.train import StepReport
from render.images import PosedImages

REPORT_EVERY = 10  # steps
CHECK_EVERY = 100  # steps, whether all is finite
CURVE_EVERY = 0.1  # share of training between points of the curves
CURVE_VIEWS = 3  # that a point of the curves is measured on
CURVE_SHARE = 0.4  # of a photo's size
THOUSANDTHS = 1000  # of a time limit


def run(inputs: Mapping[str, Any], settings: NerfSettings, context: RunContext) -> Run:
    """The field that looks like the photos `inputs["scene"]`, in their world's frame, and what it looks like from there.

    Raises InputError for scenes that cannot be trained on, Diverged where training fails."""
    posed: PosedImages = inputs["scene"]
    began = time.process_time(), time.perf_counter()
    yield Progress(0, 1, "Reading photos")
    trainer = prepare_trainer(posed, settings, context.device, context.seed)
    course = Course()
    arrays = context.load_checkpoint()
    if arrays is not None:
        trainer.load(arrays)
        course.load(arrays)
    prepared = time.process_time()
    stopped_at = None
    try:
        yield from _train(trainer, posed, context, course)
    except StopRequested:
        stopped_at = trainer.step_count
    trained = time.process_time()
    field, views = yield from look_through_all(trainer, posed)
    figures = _figures(trainer, course, views)
    ends = time.process_time(), time.perf_counter()
    figures["cpu_seconds"] = {
        "preparation": round(prepared - began[0], 2),
        "training": round(trained - prepared, 2),
        "views": round(ends[0] - trained, 2),
    }
    figures["seconds"] = round(ends[1] - began[1], 2)
    if stopped_at is not None:
        figures["notes"].append(f"Stopped after {stopped_at} of {settings.steps} steps.")
    return Result((Output("Radiance field", field), Output("Views", views.rendered)), figures)


def _train(
    trainer: Trainer, posed: PosedImages, context: RunContext, course: Course
) -> Generator[Progress, None, None]:
    while not trainer.is_done:
        losses = trainer.step()
        course.add(StepReport(losses))
        _check(trainer, losses)
        if not course.points or trainer.share >= course.points[-1]["share"] + CURVE_EVERY:
            _measure(trainer, posed, course)
        if context.is_checkpoint_due() and not trainer.is_done:
            context.save_checkpoint(trainer.state() | course.state())
        preview = None
        if not trainer.is_done and context.is_preview_due():
            preview = trainer.field(posed.frame, trainer.photos.cameras)
        if preview is not None or trainer.is_done or trainer.step_count % REPORT_EVERY == 0:
            yield Progress(*_place(trainer), "Training", _told(course), preview)


def _measure(trainer: Trainer, posed: PosedImages, course: Course) -> None:
    """Add a point to the curves: held-out photos where there are any. Does not count as training."""
    began = time.process_time()
    held_out = np.flatnonzero(trainer.photos.is_held_out)
    views = held_out if len(held_out) else trainer.photos.trained
    chosen = views[:: max(1, -(-len(views) // CURVE_VIEWS))]
    figures = view_figures(trainer, posed, [int(view) for view in chosen], CURVE_SHARE)
    point: dict[str, float] = {"step": trainer.step_count, "share": trainer.share}
    if figures:
        point["psnr_held_out" if len(held_out) else "psnr_trained"] = float(np.mean(figures))
    course.points.append(point)
    trainer.leave_out(time.process_time() - began)


def _place(trainer: Trainer) -> tuple[int, int]:
    """Step and number of steps; thousandths where a time limit decides, as nobody knows how many steps fit in it."""
    if trainer.settings.minutes:
        return round(THOUSANDTHS * trainer.share), THOUSANDTHS
    return trainer.step_count, trainer.settings.steps


def _told(course: Course) -> dict[str, float]:
    """What is plotted while training runs."""
    last = course.points[-1] if course.points else {}
    return {**course.losses, **{name: value for name, value in last.items() if name.startswith("psnr")}}


def _check(trainer: Trainer, losses: Mapping[str, float]) -> None:
    """Raises Diverged where a loss, or at times where any parameter, is no number any more."""
    is_finite = all(np.isfinite(value) for value in losses.values())
    if is_finite and trainer.step_count % CHECK_EVERY == 0:
        is_finite = trainer.engine.is_finite()
    if not is_finite:
        raise Diverged(
            f"Training failed at step {trainer.step_count}: the loss is no number any more.",
            "Lower the learning rate and start again; earlier results are kept.",
            str(dict(losses)),
        )


def _figures(trainer: Trainer, course: Course, views: Views) -> dict[str, Any]:
    photos, layout = trainer.photos, trainer.layout
    return {
        **views.means,
        "steps": trainer.step_count,
        "images": len(photos),
        "held_out_images": int(photos.is_held_out.sum()),
        "image_size": list(photos.size(0)),
        "background": list(layout.background),
        "parameters": int(sum(np.prod(shape) for shape in layout.shapes.values())),
        "has_depth": trainer.pixels.has_depth,
        "extent": trainer.world_from_box.scale,
        "losses": dict(course.losses),
        "curves": list(course.points),
        "notes": [],
    }
