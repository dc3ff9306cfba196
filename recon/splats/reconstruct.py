"""From posed photos to Gaussian splats: the whole method as one generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recon.method import Output, Progress, Result, Run, RunContext
from recon.splats import SplatSettings
from recon.splats.preparation import prepare_trainer
from recon.splats.results import Views, look_through_all, trained_cloud, view_figures
from recon.splats.train import Trainer
from recon.splats.visibility import is_seen
from recon.training import Clock, Training
from render.gaussians import GaussianCloud
from render.images import PosedImages

CURVE_EVERY = 0.05  # share of training between points of the curves
CURVE_VIEWS = 6  # that a point of the curves is measured on
ADVICE = "Lower the learning rates, of sizes first, and start again; earlier results are kept."


def run(inputs: Mapping[str, Any], settings: SplatSettings, context: RunContext) -> Run:
    """The Gaussians that look like the photos `inputs["scene"]`, in their world's frame, and what they look like from
    there. Raises InputError for scenes that cannot be trained on, Diverged where training fails."""
    posed: PosedImages = inputs["scene"]
    clock = Clock()
    yield Progress(0, 1, "Reading photos")
    trainer = prepare_trainer(inputs, settings, context.device, context.seed)
    training = Training(
        trainer, context, lambda: _measure(trainer), lambda: trained_cloud(trainer, posed), ADVICE, CURVE_EVERY,
        lambda: {"gaussians": float(len(trainer.gaussians))}, shows_start=True,
    )  # fmt: skip
    clock.lap("preparation")
    yield from training.steps()
    clock.lap("training")
    views = yield from look_through_all(trainer, posed)
    cloud = trained_cloud(trainer, posed)
    seen = is_seen(trainer)
    if seen.any():
        cloud = cloud.subset(seen)
    clock.lap("views")
    return Result(
        (Output("Splats", cloud), Output("Views", views.rendered)),
        _figures(training, trainer, cloud, views, clock),
    )


def _measure(trainer: Trainer) -> dict[str, float]:
    """Look through some photos, held-out ones where there are any."""
    views, named = trainer.photos.spread(CURVE_VIEWS)
    figures = view_figures(trainer, views)
    return {"gaussians": len(trainer.gaussians)} | ({named: float(np.mean(figures))} if figures else {})


def _figures(
    training: Training, trainer: Trainer, cloud: GaussianCloud, views: Views, clock: Clock
) -> dict[str, Any]:
    photos = trainer.photos
    extent = trainer.world_from_box
    return {
        **views.means,
        "gaussians": len(cloud),
        "gaussians_unseen": len(trainer.gaussians) - len(cloud),
        "steps": trainer.pace.step,
        "images": len(photos),
        "held_out_images": int(photos.is_held_out.sum()),
        "image_size": list(photos.size(0)),
        "background": [round(value, 4) for value in trainer.background.tolist()],
        "extent": extent.scale,
        "losses": dict(training.course.losses),
        "curves": list(training.course.points),
        "notes": [*views.notes, *training.notes],
        "cpu_seconds": clock.processor,
        "seconds": clock.wall_in_all,
    }
