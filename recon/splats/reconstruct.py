"""From posed photos to Gaussian splats: the whole method as one generator."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import ReconError
from recon.method import Output, Progress, Result, Run, RunContext, StopRequested
from recon.splats import SplatSettings
from recon.splats.preparation import prepare_trainer
from recon.splats.results import Views, look_through_all, trained_cloud, view_figures
from recon.splats.train import StepReport, Trainer
from recon.splats.visibility import is_seen
from render.gaussians import GaussianCloud
from render.images import PosedImages

REPORT_EVERY = 10  # steps
CHECK_EVERY = 100  # steps, whether all is finite
CURVE_EVERY = 0.05  # share of training between points of the curves
CURVE_VIEWS = 6  # that a point of the curves is measured on
THOUSANDTHS = 1000  # of a time limit
MEMORY = 0.95  # of the losses shown


class Diverged(ReconError):
    """Training left the finite numbers."""


@dataclass
class Course:
    """How training went: running means of losses, and points of curves."""

    losses: dict[str, float] = field(default_factory=dict)
    points: list[dict[str, float]] = field(default_factory=list)

    def add(self, report: StepReport) -> None:
        """Take one step in."""
        for name, value in report.losses.items():
            self.losses[name] = MEMORY * self.losses.get(name, value) + (1 - MEMORY) * value

    def is_due(self, share: float) -> bool:
        """Whether to measure a point of the curves now."""
        return not self.points or share >= self.points[-1]["share"] + CURVE_EVERY

    def state(self) -> dict[str, NDArray[Any]]:
        """All of it as an array of text."""
        text = json.dumps({"losses": self.losses, "points": self.points})
        return {"course": np.frombuffer(text.encode(), np.uint8).copy()}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        kept = json.loads(arrays["course"].tobytes())
        self.losses, self.points = kept["losses"], kept["points"]

    def measure(self, trainer: Trainer) -> None:
        """Look through some photos, held-out ones where there are any."""
        held_out = np.flatnonzero(trainer.photos.is_held_out)
        views = held_out if len(held_out) else trainer.photos.trained
        chosen = views[:: max(1, -(-len(views) // CURVE_VIEWS))]
        figures = view_figures(trainer, [int(view) for view in chosen])
        named = "psnr_held_out" if len(held_out) else "psnr"
        point = {"step": trainer.step_count, "share": trainer.share, "gaussians": len(trainer.gaussians)}
        if figures:
            point[named] = float(np.mean(figures))
        self.points.append(point)


def run(inputs: Mapping[str, Any], settings: SplatSettings, context: RunContext) -> Run:
    """The Gaussians that look like the photos `inputs["scene"]`, in their world's frame, and what they look like from
    there. Raises InputError for scenes that cannot be trained on, Diverged where training fails."""
    posed: PosedImages = inputs["scene"]
    began = time.process_time(), time.perf_counter()
    yield Progress(0, 1, "Reading photos")
    trainer = prepare_trainer(inputs, settings, context.device, context.seed)
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
    views = yield from look_through_all(trainer, posed)
    cloud = trained_cloud(trainer, posed)
    seen = is_seen(trainer)
    if seen.any():
        cloud = cloud.subset(seen)
    figures = _figures(trainer, cloud, course, views)
    ends = time.process_time(), time.perf_counter()
    figures["cpu_seconds"] = {
        "preparation": round(prepared - began[0], 2),
        "training": round(trained - prepared, 2),
        "views": round(ends[0] - trained, 2),
    }
    figures["seconds"] = round(ends[1] - began[1], 2)
    if stopped_at is not None:
        figures["notes"].append(f"Stopped after {stopped_at} of {settings.steps} steps.")
    return Result((Output("Splats", cloud), Output("Views", views.rendered)), figures)


def _train(
    trainer: Trainer, posed: PosedImages, context: RunContext, course: Course
) -> Generator[Progress, None, None]:
    if trainer.step_count == 0 and context.is_preview_due():
        yield Progress(*_place(trainer), "Training", {}, trained_cloud(trainer, posed))
    while not trainer.is_done:
        report = trainer.step()
        course.add(report)
        _check(trainer, report)
        if course.is_due(trainer.share):
            course.measure(trainer)
        if context.is_checkpoint_due() and not trainer.is_done:
            context.save_checkpoint(trainer.state() | course.state())
        preview = None
        if not trainer.is_done and context.is_preview_due():
            preview = trained_cloud(trainer, posed)
        if preview is not None or trainer.is_done or trainer.step_count % REPORT_EVERY == 0:
            yield Progress(*_place(trainer), "Training", _told(trainer, course), preview)


def _place(trainer: Trainer) -> tuple[int, int]:
    """Step and number of steps; thousandths where a time limit decides, as nobody knows how many steps fit in it."""
    if trainer.settings.minutes:
        return round(THOUSANDTHS * trainer.share), THOUSANDTHS
    return trainer.step_count, trainer.settings.steps


def _told(trainer: Trainer, course: Course) -> dict[str, float]:
    """What is plotted while training runs."""
    last = course.points[-1] if course.points else {}
    told = {**course.losses, "gaussians": float(len(trainer.gaussians))}
    return told | {name: value for name, value in last.items() if name.startswith("psnr")}


def _check(trainer: Trainer, report: StepReport) -> None:
    """Raises Diverged where a loss, or at times where any parameter, is no number any more."""
    is_finite = all(np.isfinite(value) for value in report.losses.values())
    if is_finite and trainer.step_count % CHECK_EVERY == 0:
        is_finite = trainer.gaussians.is_finite()
    if not is_finite:
        raise Diverged(
            f"Training failed at step {trainer.step_count}: the loss is no number any more.",
            "Lower the learning rates, of sizes first, and start again; earlier results are kept.",
            str(report.losses),
        )


def _figures(trainer: Trainer, cloud: GaussianCloud, course: Course, views: Views) -> dict[str, Any]:
    photos = trainer.photos
    extent = trainer.world_from_box
    return {
        **views.means,
        "gaussians": len(cloud),
        "gaussians_unseen": len(trainer.gaussians) - len(cloud),
        "steps": trainer.step_count,
        "images": len(photos),
        "held_out_images": int(photos.is_held_out.sum()),
        "image_size": list(photos.size(0)),
        "background": [round(value, 4) for value in trainer.background.tolist()],
        "extent": extent.scale,
        "losses": dict(course.losses),
        "curves": list(course.points),
        "notes": list(views.notes),
    }
