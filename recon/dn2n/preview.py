"""One view edited as a run would edit it, before anything is made of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from recon.dn2n import EditSceneSettings
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.edit_masks import masks_from_folder, masks_of_box, masks_of_part, within_coverage
from recon.dn2n.edit_views import checked_edit, editor_of, named_masks_of, scene_views_of, within_mask
from recon.dn2n.editors.editor import EditPlan
from recon.dn2n.scene_depth import cloud_depths, field_depths, of_what_counts, scene_depths
from recon.dn2n.scene_views import SceneViews, common_size, on_one_color, read_coverage, read_photo
from recon.errors import InputError
from recon.method import Progress
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.radiance_field import RadianceField
from render.view_field import ViewField

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class ViewPreview:
    """A view before and after: (H, W, 3) uint8. notes: what a person should know of it. label: what kind of editor made
    it; model, model_hash: of a network, else ""."""

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    notes: tuple[str, ...] = ()
    label: str = ""
    model: str = ""
    model_hash: str = ""


def preview_view(
    posed: PosedImages, index: int, settings: EditSceneSettings, *, seed: int = 0, before: ViewField | None = None,
    field: RadianceField | None = None, cloud: GaussianCloud | None = None, device: str = "cpu",
) -> ViewPreview:  # fmt: skip
    """Edit photo `index` alone. before: an edit to go on from. field, cloud: what may tell of depth.

    Depth is only taken from where it lies ready: what depends on it (fog, snow) is nearer to the truth in the edit of
    the whole scene. Raises what the run raises.
    """
    given: dict[str, Any] = {"before": before, "field": field, "cloud": cloud}
    return _result(preview_steps(posed, index, settings, given, seed, device))


def preview_steps(
    posed: PosedImages, index: int, settings: EditSceneSettings, given: Mapping[str, Any], seed: int, device: str
) -> Generator[Progress, Any, ViewPreview]:  # fmt: skip
    """The same, which tells of each step. given: before, field and cloud, or None each."""
    yield Progress(1, 3, "Reading the photo")
    cloud = given.get("cloud")
    views, depths = _view(posed, index, settings, given.get("before"), given.get("field"), cloud)
    has_depth = bool((depths > 0).any())
    masks = within_coverage(_masks(views, DepthViews(views.cameras, depths), posed, settings, cloud), views)
    yield Progress(2, 3, "Loading the editor")
    editor = editor_of(settings, device)
    try:
        named = _result(named_masks_of(settings, views))
        (view,) = scene_views_of(views, DepthViews(views.cameras, depths), masks, named)
        editor.prepare([view], seed)
        yield Progress(3, 3, "Editing the photo")
        picture = within_mask(view, checked_edit(view, editor.edit(view, seed)))
        plan = editor.plan
    finally:
        editor.close()
    after = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    notes = _notes(plan, has_depth)
    return ViewPreview(views.rgb[0], after, notes, plan.label, plan.model, plan.model_hash)


def _notes(plan: EditPlan, has_depth: bool) -> tuple[str, ...]:
    notes = list(plan.notes)
    if plan.unknown and not any(note.startswith("Not understood") for note in notes):
        notes.append("Not understood: " + ", ".join(f"“{word}”" for word in plan.unknown) + ".")
    if not has_depth and not plan.model and not any("epth" in note for note in notes):
        notes.append("Without depth so far: what depends on distance will look different in the scene.")
    return tuple(notes)


def _view(
    posed: PosedImages, index: int, settings: EditSceneSettings, before: ViewField | None,
    field: RadianceField | None, cloud: GaussianCloud | None,
) -> tuple[SceneViews, NDArray[np.float32]]:  # fmt: skip
    """The view, and its depth (1, H, W) where one lies ready."""
    one, name = posed.select(np.array([index])), posed.images.names[index]
    if before is not None and name in before.names:
        place = before.names.index(name)
        here = np.array([place])
        size = before.pictures.shape[2], before.pictures.shape[1]
        cameras, coverage = before.cameras.select(here), read_coverage(one, size)
        return SceneViews(one, cameras, before.pictures[here], np.zeros(1, bool), coverage), before.depths[
            here
        ]
    size = common_size(one.cameras, settings.image_size)
    rgb = read_photo(one, 0, size)[None]
    coverage = read_coverage(one, size)
    if coverage.opacity is not None:
        rgb = on_one_color(rgb, coverage.opacity)
    views = SceneViews(one, one.cameras.resized(np.array([size])), rgb, np.zeros(1, bool), coverage)
    for found in (scene_depths(views), field_depths(views, field), cloud_depths(views, cloud)):
        depths = of_what_counts(_result(found), views)
        if depths is not None and (depths > 0).any():
            return views, depths
    return views, np.zeros(rgb.shape[:3], np.float32)


def _masks(
    views: SceneViews, depth: DepthViews, posed: PosedImages, settings: EditSceneSettings, cloud: GaussianCloud | None
) -> NDArray[np.float32] | None:  # fmt: skip
    """(1, H, W) where the edit is wanted, None for everywhere. Raises InputError where the view shows nothing of it."""
    if settings.masks:
        return _result(masks_from_folder(Path(settings.masks), views, settings.prompt))
    if settings.part >= 0:
        return _result(masks_of_part(cloud, settings.part, views))
    if not settings.in_box:
        return None
    if not (depth.depths > 0).any():
        raise InputError(
            "What lies in the box is known only when there is depth.",
            "Preview the whole scene, or compute depth first.",
        )
    return masks_of_box(posed.world_from_region, depth)


def _result(steps: Generator[Progress, Any, T]) -> T:
    """What steps come to when nobody is told of them."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found
