"""METHOD dn2n: edit views of a scene by words, make one edit of them, and show it from anywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.dn2n import EditSceneSettings
from recon.dn2n.calibration import Calibration, calibrate
from recon.dn2n.content_filter import are_strangers
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.earlier_work import EarlierWork, earlier_work, keep
from recon.dn2n.edit_masks import masks_from_folder, masks_of_box, masks_of_part, within_coverage
from recon.dn2n.edit_views import check_visible, edit_views, editor_of
from recon.dn2n.editors.editor import EditPlan
from recon.dn2n.new_shapes import find_new_shapes
from recon.dn2n.outputs import EditRecord, write_all
from recon.dn2n.repair import EditedViews, Repaired, RepairWishes, names_unknown, repair
from recon.dn2n.router import Way
from recon.dn2n.scene_depth import SceneDepth, checked, find_depth
from recon.dn2n.scene_views import (
    SceneViews,
    chosen_photos,
    held_out_every,
    held_out_ones,
    read_coverage,
    read_views,
)
from recon.errors import InputError, MissingModel, SettingsError
from recon.method import Output, Progress, Result, Run, RunContext
from render.images import PosedImages
from render.scene_data import SceneData
from render.view_field import NOTHING, ViewField

Float = NDArray[np.float32]


def run(inputs: Mapping[str, SceneData], settings: EditSceneSettings, context: RunContext) -> Run:
    """The edited scene as a field of views; its files are in the context's folder. Raises InputError, SettingsError,
    MissingModel, FormatError."""
    began = time.process_time()
    earlier = earlier_work(settings, context.seed)
    editor = earlier or editor_of(settings, context.device)
    try:
        views, depth = yield from _scene(inputs, settings, context.device, earlier)
        masks = within_coverage((yield from _masks(inputs, views, depth.views, settings)), views)
        ready = time.process_time()
        found = yield from edit_views(editor, views, depth.views, masks, settings, context.seed)
        plan, edited = editor.plan, found.pictures
    finally:
        editor.close()
    views = replace(views, is_held_out=views.is_held_out | ~found.is_edited)
    check_visible(views.rgb, edited, plan)
    depth = yield from _shapes(views, depth, edited, plan, settings)
    yield Progress(0, 1, "Making one edit of all views")
    made = make_field(views, depth, edited, masks, plan, settings, inputs.get("before"))
    done = time.process_time()
    keep(context.folder, views.names, depth, found, plan, settings, context.seed)
    record = EditRecord(
        views, depth, found, made.repaired, made.sources, made.calibration, plan, settings, context.seed
    )
    figures = yield from write_all(context.folder, made.field, record, _cameras(inputs))
    seconds = {"preparation": ready - began, "edit": done - ready, "files": time.process_time() - done}
    figures["cpu_seconds"] = {name: round(value, 2) for name, value in seconds.items()}
    return Result((Output("Edited scene", made.field),), figures)


@dataclass(frozen=True, eq=False)
class MadeField:
    """sources: (S,) which of the views the field is made of. calibration: of their photos."""

    field: ViewField
    repaired: Repaired
    sources: NDArray[np.int64]
    calibration: Calibration


def make_field(
    views: SceneViews, depth: SceneDepth, edited: Float, masks: Float | None, plan: EditPlan,
    settings: EditSceneSettings, before: SceneData | None = None,
) -> MadeField:  # fmt: skip
    """One edit of all views that are not held out. Raises InputError where none is left."""
    sources = np.flatnonzero(~views.is_held_out)
    names = tuple(views.names[i] for i in sources)
    seen = depth.views.select(sources)
    given = EditedViews(
        names, _colors(views.rgb[sources]), edited[sources], seen,
        "none" if settings.variation else plan.consistency, None if masks is None else masks[sources],
    )  # fmt: skip
    repaired = repair(given, RepairWishes(settings.route, settings.keep, settings.drop, settings.filters))
    _check_left(repaired, given, settings)
    pictures = np.clip(repaired.pictures * 255 + 0.5, 0, 255).astype(np.uint8)
    layout = {
        "prompt": plan.prompt, "editor": settings.editor, "label": plan.label, "operations": list(plan.operations),
        "way": repaired.route.way, "reason": repaired.route.reason, "depth": depth.source,
    }  # fmt: skip
    network = _network(settings, repaired.route.way)
    layout["network"] = "shipped" if network.size else ""
    if views.coverage.opacity is not None:
        layout["behind"] = NOTHING
    originals = views.rgb[sources]
    if isinstance(before, ViewField) and repaired.route.way != "color":
        originals = before.originals[sources]
    field = ViewField(
        names, given.views.cameras, pictures, originals, given.views.depths, repaired.weights, repaired.color_map,
        repaired.world_from_map, network, json.dumps(layout), views.frame,
    )  # fmt: skip
    calibration = calibrate(field)
    if repaired.route.way != "blend":  # Where views disagree, the mean of more of them is better.
        field = replace(field, sharpness=calibration.sharpness)
    return MadeField(field, repaired, sources, calibration)


def _check_left(repaired: Repaired, given: EditedViews, settings: EditSceneSettings) -> None:
    """Raises InputError where no edited view is left, or where none is of this scene."""
    if not repaired.weights.any():
        raise InputError(
            "Every view was left out: no edited view is left.",
            "Keep some by name, leave out fewer, or keep all of them: “Leave out bad views” off.",
        )
    is_judged = settings.filters and given.consistency != "world" and not settings.keep
    if is_judged and are_strangers(repaired.verdicts, given.originals, given.edited, given.views):
        raise InputError(
            "Every view was left out: the edited pictures show neither what the photos show nor the same as each other.",
            "Check that they are of these photos and have their names, ask for less, or keep them all the same: “Leave "
            "out bad views” off.",
        )


def _shapes(
    views: SceneViews, depth: SceneDepth, edited: Float, plan: EditPlan, settings: EditSceneSettings
) -> Generator[Progress, None, SceneDepth]:
    """Depth of what the edited pictures show, where their shapes are free to be others than the photos'."""
    if settings.geometry == "kept" or plan.consistency == "world":
        return depth
    sources = np.flatnonzero(~views.is_held_out)
    photos, posed = _colors(views.rgb[sources]), views.posed.select(sources)
    found = yield from find_new_shapes(depth.views.select(sources), photos, edited[sources], posed)
    depths = depth.views.depths.copy()
    depths[sources] = found.depths
    return checked(DepthViews(views.cameras, depths), depth.source, depth.psnr)


def _network(settings: EditSceneSettings, way: Way) -> Float:
    """Parameters of the network that blends; none where blending by rule was asked for, or none came along.

    It is for views that disagree: where they agree (as they are, or photos under a map of colours) it does what the rule
    does, and takes longer.
    """
    from render.view_network import shipped_parameters

    if settings.route == "blend" or (settings.route != "network" and way != "blend"):
        return np.zeros(0, np.float32)
    try:
        return shipped_parameters()
    except FileNotFoundError:  # built without its weights
        if settings.route == "network":
            raise MissingModel(
                "The network that blends views is not part of this installation.",
                "Install the program again, or choose “blend” as the way to novel views: by rule.",
            ) from None
        return np.zeros(0, np.float32)


def _scene(
    inputs: Mapping[str, SceneData], settings: EditSceneSettings, device: str, earlier: EarlierWork | None = None
) -> Generator[Progress, None, tuple[SceneViews, SceneDepth]]:  # fmt: skip
    """The views that are edited, and their depth."""
    posed, before = inputs["scene"], inputs.get("before")
    assert isinstance(posed, PosedImages)
    if isinstance(before, ViewField):
        views, depth = _going_on(posed, before, settings)
    else:
        count = len(chosen_photos(posed, settings.views, settings.only))
        every = held_out_every(settings.held_out, count, _cameras(inputs) is not None)
        views = yield from read_views(posed, settings.image_size, settings.views, every, settings.only)
        field, cloud = inputs.get("field"), inputs.get("cloud")
        if earlier is not None:
            depth = earlier.depth(views)
        else:
            depth = yield from find_depth(views, settings.depth, field, cloud, device)  # type: ignore[arg-type]
    unknown = names_unknown(views.names, (*settings.keep, *settings.drop))
    if unknown:
        raise SettingsError(
            f"No view is called {unknown[0]!r}.",
            f"Views are named as their photos, such as {views.names[0]!r}.",
        )
    return views, depth


def _going_on(
    posed: PosedImages, before: ViewField, settings: EditSceneSettings
) -> tuple[SceneViews, SceneDepth]:
    """The views of an edit as it was accepted, as photos of the next one. Raises InputError: of another scene."""
    place = {name: i for i, name in enumerate(posed.images.names)}
    missing = [name for name in before.names if name not in place]
    if missing:
        raise InputError(
            f"The edit to go on from has views that the scene lacks, such as {missing[0]!r}.",
            "Go on from an edit of this scene.",
        )
    posed = posed.select(np.array([place[name] for name in before.names], np.int64))
    if not np.allclose(posed.cameras.cam_from_world, before.cameras.cam_from_world, atol=1e-4):
        raise InputError(
            "The edit to go on from has photos of the same names taken from elsewhere.",
            "Go on from an edit of this scene.",
        )
    held_out = held_out_ones(len(posed), held_out_every(settings.held_out, 0, True))
    size = before.pictures.shape[2], before.pictures.shape[1]
    views = SceneViews(posed, before.cameras, before.pictures, held_out, read_coverage(posed, size))
    return views, checked(DepthViews(before.cameras, before.depths), "before")


def _masks(
    inputs: Mapping[str, SceneData], views: SceneViews, depth: DepthViews, settings: EditSceneSettings
) -> Generator[Progress, None, Float | None]:
    """(N, H, W) where the edit is wanted, None for everywhere."""
    if (bool(settings.masks), settings.part >= 0, settings.in_box).count(True) > 1:
        raise SettingsError("Masks, a part or the box are given at once.", "Limit the edit by one of them.")
    if settings.in_box:
        posed = inputs["scene"]
        assert isinstance(posed, PosedImages)
        return masks_of_box(posed.world_from_region, depth)
    if settings.masks:
        return (yield from masks_from_folder(Path(settings.masks), views, settings.prompt))
    if settings.part >= 0:
        return (yield from masks_of_part(inputs.get("cloud"), settings.part, views))  # type: ignore[arg-type]
    return None


def _cameras(inputs: Mapping[str, SceneData]) -> PosedImages | None:
    cameras = inputs.get("cameras")
    return cameras if isinstance(cameras, PosedImages) else None


def _colors(rgb: NDArray[np.uint8]) -> Float:
    return rgb.astype(np.float32) / np.float32(255)
