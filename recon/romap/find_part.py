"""METHOD romap.part: a part for each Gaussian from masks, scribbles or words."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError, SettingsError
from recon.method import Output, Progress, Result, Run, RunContext
from recon.romap import PartSettings
from recon.romap.evidence import Evidence, EvidenceProvider
from recon.romap.galp import GalpSettings, fit_labels
from recon.romap.lifting import NO_PART, PartLabels, lift_votes
from recon.romap.mask_folder import MaskFolder, open_masks
from recon.romap.part_figures import part_figures
from recon.romap.part_names import comments_with_names
from recon.romap.scribbles import StrokesInMasks, evened, lift_scribbles
from recon.romap.view_votes import ViewVotes, is_never_meant, view_votes
from recon.romap.view_weights import ViewWeights
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.scene_data import SceneData


@dataclass(frozen=True)
class _Task:
    """What is known about the parts. part_ids: their numbers, by index. names: of the views, for people."""

    cloud: GaussianCloud
    weights: ViewWeights
    part_ids: tuple[int, ...]
    part_names: tuple[str, ...]
    providers: tuple[EvidenceProvider, ...]
    view_names: tuple[str, ...]
    notes: tuple[str, ...]
    is_strokes_only: bool = False


def run(inputs: Mapping[str, SceneData], settings: PartSettings, context: RunContext) -> Run:
    """The cloud with the columns "part" (−1: none) and "part_confidence".

    Raises InputError, SettingsError, MissingModel.
    """
    cloud = inputs["cloud"]
    assert isinstance(cloud, GaussianCloud)
    if not len(cloud):
        raise InputError("There are no splats.", "Give a scene with splats.")
    task = _task(cloud, inputs.get("cameras"), settings, context)
    evidence, votes = yield from _collect(task, settings)
    labels = yield from _lift(task, evidence, votes, settings, context.seed)
    figures = part_figures(labels, votes, task.part_ids, task.view_names)
    notes = [*task.notes, *figures.pop("notes")]
    made = with_parts(cloud, labels, task.part_ids, task.part_names)
    return Result((Output("Splats with parts", made),), {**figures, "notes": notes})


def with_parts(
    cloud: GaussianCloud, labels: PartLabels, part_ids: Sequence[int], names: Sequence[str] = ()
) -> GaussianCloud:
    """The cloud with the columns "part", int32, and "part_confidence", float32; names become comments."""
    numbers = np.array([*part_ids, NO_PART], np.int32)  # index −1 is the last
    extra = {**cloud.extra, "part": numbers[labels.indices], "part_confidence": labels.confidence}
    return replace(cloud, extra=extra, comments=comments_with_names(cloud.comments, part_ids, names))


def _task(
    cloud: GaussianCloud, cameras: SceneData | None, settings: PartSettings, context: RunContext
) -> _Task:
    given = (bool(settings.words), bool(settings.clicks), bool(settings.masks or settings.scribbles))
    if sum(given) > 1:
        raise SettingsError("Parts are asked for by words, clicks or masks at once.", "Give one of them.")
    if settings.words:
        from recon.romap.word_evidence import word_task

        found = word_task(cloud, cameras, settings, context.device, context.seed)
        weights = ViewWeights(cloud, found.cameras, settings.lifting == "3d-galp")
        names = ("everything else", *found.words)
        ids = tuple(range(len(names)))
        return _Task(cloud, weights, ids, names, (found.provider,), found.view_names, found.notes)
    if not any(given):
        raise SettingsError(
            "Nothing tells where the parts are.",
            "Give a folder of masks or of strokes (scribbles), a file of clicks, or the parts in words.",
        )
    if not isinstance(cameras, PosedImages):
        raise InputError(
            "Masks need the cameras of their images.", "Give the scene of posed images that they belong to."
        )
    if settings.clicks:
        from recon.romap.word_evidence import click_task

        clicked = click_task(cloud, cameras, settings, context.device)
        weights = ViewWeights(cloud, clicked.cameras, settings.lifting == "3d-galp")
        return _Task(cloud, weights, clicked.part_ids, (), (clicked.provider,), clicked.view_names, ())
    return _mask_task(cloud, cameras, settings)


def _mask_task(cloud: GaussianCloud, scene: PosedImages, settings: PartSettings) -> _Task:
    opened = [
        open_masks(Path(folder), scene, settings.image_size)
        for folder in (settings.masks, settings.scribbles)
        if folder
    ]
    ids = tuple(sorted({number for each in opened for number in each.part_ids}))
    if settings.masks and len(ids) == 1:
        raise InputError(
            f"The masks in {Path(settings.masks).name} name one part only, number {ids[0]}: everything would belong "
            "to it.",
            "Give what is not the part a number too, such as 0, or give the folder as one of strokes.",
        )
    providers = [replace(each, part_ids=ids) for each in opened]
    return _Task(
        cloud,
        ViewWeights(cloud, scene.cameras, settings.lifting == "3d-galp"),
        ids,
        (),
        _with_strokes(providers, settings),
        scene.images.names,
        tuple(note for each in opened for note in each.notes),
        is_strokes_only=not settings.masks,
    )


def _with_strokes(providers: list[MaskFolder], settings: PartSettings) -> tuple[EvidenceProvider, ...]:
    """The last of the folders holds strokes where that was said."""
    if not settings.scribbles:
        return tuple(providers)
    return (*providers[:-1], StrokesInMasks(providers[-1]))


def _collect(
    task: _Task, settings: PartSettings
) -> Generator[Progress, None, tuple[list[Evidence], list[ViewVotes]]]:
    """Evidence, kept for 3D-GALP only, and votes of every view."""
    total = max(len(task.view_names) * len(task.providers), 1)
    evidence: list[Evidence] = []
    votes: list[ViewVotes] = []
    for provider in task.providers:
        for each in provider.evidence():
            votes.append(view_votes(task.weights.of(each.view, each.size), each, len(task.part_ids)))
            if settings.lifting == "3d-galp":
                evidence.append(each)
            yield Progress(min(len(votes), total), total, "Looking at views")
    return evidence, votes


def _lift(
    task: _Task, evidence: Sequence[Evidence], votes: Sequence[ViewVotes], settings: PartSettings, seed: int
) -> Generator[Progress, None, PartLabels]:
    yield Progress(1, 1, "From views to splats")
    if task.is_strokes_only:
        return lift_scribbles(task.cloud, [evened(each) for each in votes])
    if settings.lifting != "3d-galp":
        return lift_votes(task.cloud, votes, settings.lifting)
    lift_votes(task.cloud, votes, "votes")  # for its checks
    wishes = GalpSettings(
        settings.galp_steps, settings.galp_degree, settings.galp_neighbours, settings.galp_weight
    )
    values = yield from fit_labels(task.cloud, task.weights, evidence, len(task.part_ids), seed, wishes)
    return PartLabels(_shares(values), ~is_never_meant(votes, len(task.cloud)))


def _shares(values: NDArray[np.float32]) -> NDArray[np.float32]:
    total: Any = np.maximum(values, 0) + np.float32(1e-6)
    return np.asarray(total / total.sum(1, keepdims=True), np.float32)
