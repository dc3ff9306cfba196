"""From posed photos to a mesh: the whole method as one generator."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from recon.debsdf import DebsdfSettings
from recon.debsdf.color_network import ColorNetwork
from recon.debsdf.network_layout import NetworkLayout
from recon.debsdf.preparation import Prepared, alignment_figures, base_values, prepare
from recon.debsdf.preview import preview_mesh
from recon.debsdf.rays import TrainingRays
from recon.debsdf.results import Outputs, make_outputs
from recon.debsdf.schedule import Schedule
from recon.debsdf.sdf_network import SdfNetwork
from recon.debsdf.train import StepReport, Trainer
from recon.errors import NoSurface
from recon.hash_grid import HashGridLayout
from recon.method import Output, Progress, Result, Run, RunContext, StopRequested
from recon.training import Clock
from render.images import PosedImages
from render.mesh import TriangleMesh

REPORT_EVERY = 10  # steps
MEMORY = 0.9  # of the losses shown
SPARSE_SHARE = 0.98  # sparse points within this share of the box count


@dataclass
class Training:
    """What training has shown so far: running means of losses and excluded shares."""

    losses: dict[str, float] = field(default_factory=dict)
    excluded_depth: float = 0.0
    excluded_normals: float = 0.0

    def add(self, report: StepReport) -> None:
        """Take one step in."""
        for name, value in report.losses.items():
            self.losses[name] = MEMORY * self.losses.get(name, value) + (1 - MEMORY) * value
        self.losses = {name: self.losses[name] for name in report.losses}
        self.excluded_depth = MEMORY * self.excluded_depth + (1 - MEMORY) * report.excluded_depth
        self.excluded_normals = MEMORY * self.excluded_normals + (1 - MEMORY) * report.excluded_normals


def run(inputs: Mapping[str, Any], settings: DebsdfSettings, context: RunContext) -> Run:
    """The surface that the photos `inputs["scene"]` show, in their world's frame.

    Raises InputError for scenes that cannot be reconstructed, NoSurface where nothing is left.
    """
    posed: PosedImages = inputs["scene"]
    clock = Clock()
    prepared = yield from prepare(posed, settings, context.device)
    clock.lap("alignment and coarse field")
    trainer = make_trainer(prepared, settings, context)
    training = Training()
    stopped_at = None
    try:
        yield from _train(trainer, prepared, settings, context, training)
    except StopRequested:
        stopped_at = trainer.step_count
    clock.lap("training")
    outputs = yield from make_outputs(trainer, prepared, settings)
    clock.lap("mesh and views")
    figures = _figures(trainer, prepared, training, outputs, clock)
    if stopped_at is not None:
        figures["note"] = f"Stopped after {stopped_at} of {settings.steps} steps."
    named = (
        Output("Surface", outputs.mesh),
        Output("Distance field", outputs.field),
        Output("Views", outputs.views),
    )
    return Result(named, figures)


def make_trainer(prepared: Prepared, settings: DebsdfSettings, context: RunContext) -> Trainer:
    """The networks at their start, or where the checkpoint left them."""
    generator = torch.Generator().manual_seed(context.seed)
    encoding = HashGridLayout.between(16, settings.finest, settings.levels, 2, settings.table_size)
    base = None
    if prepared.coarse is not None:
        base = base_values(prepared.coarse, settings.base_resolution)
    network = NetworkLayout(grid=encoding, base_resolution=0 if base is None else len(base))
    field = SdfNetwork(network, base, generator)
    color = ColorNetwork(network.num_features, len(prepared.photos), settings.image_codes, generator)
    rays = TrainingRays(
        prepared.photos, prepared.region.world_from_box, context.device, settings.uniform_share
    )
    schedule = Schedule(settings, prepared.start)
    trainer = Trainer(
        field, color, rays, settings, schedule, context.seed, sparse_points(prepared), context.device
    )
    arrays = context.load_checkpoint()
    if arrays is not None:
        trainer.load(arrays)
    return trainer


def sparse_points(prepared: Prepared) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """(M, 3) sparse points in the box, or None."""
    points = prepared.posed.points
    if points is None or not len(points.points):
        return None
    in_box = prepared.region.world_from_box.inverse.apply(points.points)
    kept = in_box[(np.abs(in_box) < SPARSE_SHARE).all(1)]
    return kept.astype(np.float32) if len(kept) else None


def _train(
    trainer: Trainer, prepared: Prepared, settings: DebsdfSettings, context: RunContext, training: Training
) -> Generator[Progress, None, None]:
    if trainer.step_count == 0 and context.is_preview_due():
        trainer.refresh_cache()
        yield Progress(1, settings.steps, "Training", {}, _preview(trainer, prepared))
    while trainer.step_count < settings.steps:
        training.add(trainer.step())
        is_last = trainer.step_count == settings.steps
        if context.is_checkpoint_due() and not is_last:
            context.save_checkpoint(trainer.state())
        preview = None
        if not is_last and context.is_preview_due():
            preview = _preview(trainer, prepared)
        if preview is not None or is_last or trainer.step_count % REPORT_EVERY == 0:
            yield Progress(trainer.step_count, settings.steps, "Training", dict(training.losses), preview)


def _preview(trainer: Trainer, prepared: Prepared) -> TriangleMesh | None:
    try:
        return preview_mesh(trainer.cache.values, prepared.region, prepared.posed.frame)
    except NoSurface:
        return None


def _figures(
    trainer: Trainer, prepared: Prepared, training: Training, outputs: Outputs, clock: Clock
) -> dict[str, Any]:
    views, is_held_out = outputs.views, outputs.views.is_held_out
    seen = views.psnr[~is_held_out & np.isfinite(views.psnr)]
    unseen = views.psnr[is_held_out & np.isfinite(views.psnr)]
    figures: dict[str, Any] = {
        "start": prepared.start,
        "images": len(prepared.photos),
        "image_size": list(prepared.photos.size),
        "steps": trainer.step_count,
        "beta": trainer.beta * prepared.region.world_from_box.scale,
        "psnr": float(seen.mean()) if len(seen) else None,
        "psnr_held_out": float(unseen.mean()) if len(unseen) else None,
        "excluded_depth": training.excluded_depth,
        "excluded_normals": training.excluded_normals,
        "calibration": dict(trainer.objective.calibration),
        "losses": dict(training.losses),
        "vertices": len(outputs.mesh.vertices),
        "faces": len(outputs.mesh.faces),
        "cpu_seconds": clock.processor,
        "seconds": clock.wall,
        "notes": list(prepared.notes),
    }
    if prepared.aligned is not None:
        figures["aligned_images"] = int(prepared.aligned.is_aligned.sum())
        figures["alignment"] = alignment_figures(prepared.aligned, prepared.posed.images.names)
    return figures
