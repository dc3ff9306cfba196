"""An edit of a part by pictures of it: a person's, or a network's; then the part is fitted to them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recon.errors import InputError
from recon.method import Progress, RunContext
from recon.romap import EditSettings
from recon.romap.anchor_fit import FitSettings, fit_part, without_prior
from recon.romap.anchor_folder import AnchorFolder
from recon.romap.edit_figures import Edited
from recon.romap.edit_provider import Anchor, EditProvider, EditView
from recon.romap.painted_anchors import PaintedAnchors
from recon.romap.ring import ring_of_cameras
from recon.romap.view_weights import ViewWeights
from render.cameras import CameraSet, limited_size
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.scene_data import SceneData
from render.splat_pictures import splat_picture_with_alpha

Mask = NDArray[np.bool_]
_LEAST_PART = 0.25  # of the most that any view shows of the part, for a view to be painted
_CANDIDATES = 3  # times as many views are looked at as are painted


@dataclass(frozen=True, eq=False)
class _Edit:
    """views: as they look now, over black; anchors: as they are to look."""

    weights: ViewWeights
    views: list[EditView]
    anchors: list[Anchor]
    provider: EditProvider
    notes: tuple[str, ...]
    figures: Mapping[str, Any]


def edit_by_pictures(
    cloud: GaussianCloud, part: Mask, scene: SceneData | None, settings: EditSettings, context: RunContext
) -> Generator[Progress, None, Edited]:
    """The cloud with its part fitted to pictures. Raises InputError, MissingModel, OutOfMemory, FormatError."""
    if settings.anchors:
        edit = yield from _from_folder(cloud, part, scene, settings)
    else:
        edit = yield from _from_network(cloud, part, scene, settings, context)
    try:
        return (yield from _fitted(cloud, part, edit, settings, context))
    finally:
        edit.provider.close()


def _from_folder(
    cloud: GaussianCloud, part: Mask, scene: SceneData | None, settings: EditSettings
) -> Generator[Progress, None, _Edit]:
    if not isinstance(scene, PosedImages):
        raise InputError(
            "Edited images need the cameras of their views.",
            "Give the scene of posed images that they show.",
        )
    folder = AnchorFolder(Path(settings.anchors), scene)
    weights = ViewWeights(cloud, scene.cameras, are_kept=True)
    views = yield from _views(
        cloud, part, weights, folder.views, _sizes(scene.cameras, folder.views, settings)
    )
    anchors = list(folder.anchors(iter(views)))
    notes = (f"{folder.num_strange} pictures belong to no view.",) if folder.num_strange else ()
    return _Edit(weights, views, anchors, folder, notes, {})


def _from_network(
    cloud: GaussianCloud, part: Mask, scene: SceneData | None, settings: EditSettings, context: RunContext
) -> Generator[Progress, None, _Edit]:
    """Views of the part that a network repaints: of the scene's cameras, or of a ring where there are none."""
    yield Progress(0, 1, "Loading the network")
    provider = PaintedAnchors(settings, context.seed, context.device)
    try:
        cameras, notes = _cameras(cloud, scene, settings)
        weights = ViewWeights(cloud, cameras, are_kept=True)
        count = min(len(cameras), _CANDIDATES * settings.anchor_views)
        candidates = np.unique(np.linspace(0, len(cameras) - 1, count).round().astype(int)).tolist()
        seen = yield from _views(cloud, part, weights, candidates, _sizes(cameras, candidates, settings))
        views = chosen_views(seen, cameras, settings.anchor_views)
        anchors = []
        for anchor in provider.anchors(iter(views)):
            anchors.append(anchor)
            yield Progress(len(anchors), len(views), "Painting views")
    except BaseException:
        provider.close()
        raise
    return _Edit(weights, views, anchors, provider, (*notes, *provider.notes), provider.figures)


def _cameras(
    cloud: GaussianCloud, scene: SceneData | None, settings: EditSettings
) -> tuple[CameraSet, tuple[str, ...]]:
    if isinstance(scene, PosedImages):
        return scene.cameras.select(scene.used), ()
    ring = ring_of_cameras(cloud, 2 * settings.anchor_views, settings.image_size)
    return ring, (f"No cameras were given: {len(ring)} views around the splats are looked at.",)


def chosen_views(views: Sequence[EditView], cameras: CameraSet, count: int) -> list[EditView]:
    """The view that shows most of the part, then those farthest from the ones that are taken. Raises InputError where
    none shows it."""
    areas = np.array([view.mask.sum() for view in views])
    if not len(areas) or max(view.mask.max() for view in views) <= 0.5:
        raise InputError("No view shows the part.", "Give cameras from which the part can be seen.")
    shown = [
        views[i]
        for i in np.flatnonzero(areas >= _LEAST_PART * areas.max()).tolist()
        if views[i].mask.max() > 0.5
    ]
    places = cameras.positions[[view.view for view in shown]]
    taken = [int(np.argmax([view.mask.sum() for view in shown]))]
    while len(taken) < min(count, len(shown)):
        away = np.linalg.norm(places[:, None] - places[taken], axis=-1).min(1)
        away[taken] = -1
        taken.append(int(np.argmax(away)))
    return [shown[i] for i in sorted(taken)]


def _sizes(cameras: CameraSet, views: Sequence[int], settings: EditSettings) -> dict[int, tuple[int, int]]:
    return {view: limited_size(cameras.size[view], settings.image_size) for view in views}


def _fitted(
    cloud: GaussianCloud, part: Mask, edit: _Edit, settings: EditSettings, context: RunContext
) -> Generator[Progress, None, Edited]:
    seen = [
        (view, anchor) for view, anchor in zip(edit.views, edit.anchors, strict=True) if view.mask.max() > 0.5
    ]
    if not seen:
        raise InputError("No edited image shows the part.", "Edit views on which the part can be seen.")
    views, anchors = [view for view, _ in seen], [anchor for _, anchor in seen]
    of_views = [edit.weights.of(view.view, (view.mask.shape[1], view.mask.shape[0])) for view in views]
    background = _background(views, anchors, of_views)
    views = [_before(view, of_view, background) for view, of_view in zip(views, of_views, strict=True)]
    start = without_prior(
        cloud, part & _is_sure(cloud, settings.sure), of_views, views, anchors, settings.prior
    )
    wishes = FitSettings(settings.steps, settings.grows, settings.masked)
    fitted = yield from fit_part(
        start, part, edit.weights.cameras, views, anchors, background, context.seed, wishes, context.device,
        edit.provider,
    )  # fmt: skip
    figures = {"edited_images": len(anchors), "first_l1": fitted.first_loss, "last_l1": fitted.last_loss}
    return Edited(fitted.cloud, fitted.rows, edit.notes, {**edit.figures, **figures})


def _views(
    cloud: GaussianCloud,
    part: Mask,
    weights: ViewWeights,
    views: Sequence[int],
    sizes: Mapping[int, tuple[int, int]],
) -> Generator[Progress, None, list[EditView]]:
    """Each view as it looks now, over black, and how much of the part its pixels show."""
    made = []
    for done, view in enumerate(views, 1):
        width, height = sizes[view]
        camera = weights.cameras.select(np.array([view])).resized(np.array([sizes[view]]))
        picture = splat_picture_with_alpha(
            cloud, camera.cam_from_world[0], camera.focal[0], camera.center[0], (width, height)
        )
        mask = weights.of(view, sizes[view]) @ part.astype(np.float32)
        made.append(EditView(view, picture[..., :3], mask.reshape(height, width)))
        yield Progress(done, len(views), "Drawing views")
    return made


def _is_sure(cloud: GaussianCloud, least: float) -> Mask:
    """(N,) whose part is known well; everyone where nobody said how well."""
    confidence = cloud.extra.get("part_confidence")
    return np.ones(len(cloud), bool) if confidence is None else np.asarray(confidence >= least)


def _background(
    views: Sequence[EditView], anchors: Sequence[Anchor], weights: Sequence[sparse.csr_matrix]
) -> NDArray[np.float32]:
    """(3,) what stands behind the splats in the edited images: the mean of what shows there, black where nothing
    does."""
    total, count = np.zeros(3), 0.0
    for view, anchor, of_view in zip(views, anchors, weights, strict=True):
        left = 1 - np.asarray(of_view.sum(1)).reshape(view.mask.shape)
        is_clear = left > 0.5
        light = (anchor.picture - view.picture)[is_clear] / left[is_clear][:, None]
        total += light.sum(0)
        count += float(is_clear.sum())
    return np.clip(total / max(count, 1.0), 0, 1).astype(np.float32)


def _before(view: EditView, weights: sparse.csr_matrix, background: NDArray[np.float32]) -> EditView:
    """The view over a background in place of black."""
    left = 1 - np.asarray(weights.sum(1), np.float32).reshape(view.mask.shape)
    return replace(view, picture=view.picture + left[..., None] * background)
