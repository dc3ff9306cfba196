"""From posed photos to a radiance field: the whole method as one generator."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from recon.method import Output, Progress, Result, Run, RunContext
from recon.nerf import NerfSettings
from recon.nerf.preparation import prepare_trainer
from recon.nerf.results import Views, look_through_all, view_figures
from recon.nerf.train import Trainer
from recon.training import Clock, Training
from render.images import PosedImages

CURVE_EVERY = 0.1  # share of training between points of the curves
CURVE_VIEWS = 3  # that a point of the curves is measured on
CURVE_SHARE = 0.4  # of a photo's size
ADVICE = "Lower the learning rate and start again; earlier results are kept."


def run(inputs: Mapping[str, Any], settings: NerfSettings, context: RunContext) -> Run:
    """The field that looks like the photos `inputs["scene"]`, in their world's frame, and what it looks like from there.

    Raises InputError for scenes that cannot be trained on, Diverged where training fails."""
    posed: PosedImages = inputs["scene"]
    clock = Clock()
    yield Progress(0, 1, "Reading photos")
    trainer = prepare_trainer(posed, settings, context.device, context.seed)
    training = Training(
        trainer, context, lambda: _measure(trainer, posed),
        lambda: trainer.field(posed.frame, trainer.photos.cameras), ADVICE, CURVE_EVERY,
    )  # fmt: skip
    clock.lap("preparation")
    yield from training.steps()
    clock.lap("training")
    field, views = yield from look_through_all(trainer, posed)
    clock.lap("views")
    outputs = Output("Radiance field", field), Output("Views", views.rendered)
    return Result(outputs, _figures(training, trainer, views, clock))


def _measure(trainer: Trainer, posed: PosedImages) -> dict[str, float]:
    """Look through some photos, held-out ones where there are any. Does not count as training."""
    began = time.process_time()
    views, named = trainer.photos.spread(CURVE_VIEWS)
    figures = view_figures(trainer, posed, views, CURVE_SHARE)
    trainer.pace.leave_out(time.process_time() - began)
    return {named: float(np.mean(figures))} if figures else {}


def _figures(training: Training, trainer: Trainer, views: Views, clock: Clock) -> dict[str, Any]:
    photos, layout = trainer.photos, trainer.layout
    return {
        **views.means,
        "steps": trainer.pace.step,
        "images": len(photos),
        "held_out_images": int(photos.is_held_out.sum()),
        "image_size": list(photos.size(0)),
        "background": list(layout.background),
        "parameters": int(sum(np.prod(shape) for shape in layout.shapes.values())),
        "has_depth": trainer.pixels.has_depth,
        "extent": trainer.world_from_box.scale,
        "losses": dict(training.course.losses),
        "curves": list(training.course.points),
        "notes": training.notes,
        "cpu_seconds": clock.processor,
        "seconds": clock.wall_in_all,
    }
