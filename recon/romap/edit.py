"""METHOD romap.edit: change one part by words or by edited images, and nothing else."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recon.errors import InputError, SettingsError
from recon.method import Output, Progress, Result, Run, RunContext
from recon.romap import BUILT_IN, EDITED_IMAGES, EditSettings
from recon.romap.anchor_folder import AnchorFolder
from recon.romap.edit_figures import changed_rows, visible_change
from recon.romap.edit_provider import Anchor, EditView
from recon.romap.instruction import parse_instruction
from recon.romap.part_names import name_of_part
from recon.romap.strength import apply_in_part
from recon.romap.view_weights import ViewWeights
from render.cameras import limited_size
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.scene_data import SceneData
from render.splat_pictures import splat_picture_with_alpha

Mask = NDArray[np.bool_]
_NOTHING_TO_SEE = 1 / 255
_SUGGESTIONS = (
    "No visible change. Is it the right part? Is the change stronger than what was there, such as another colour? "
    "Does the part show from outside?"
)


def run(inputs: Mapping[str, SceneData], settings: EditSettings, context: RunContext) -> Run:
    """The cloud with its part changed. Raises InputError, SettingsError."""
    cloud = inputs["cloud"]
    assert isinstance(cloud, GaussianCloud)
    if bool(settings.instruction.strip()) == bool(settings.anchors):
        raise SettingsError(
            "An edit needs an instruction or edited images, one of them.",
            "Give --instruction “…” or --anchors FOLDER.",
        )
    part = part_mask(cloud, settings.part)
    if settings.anchors:
        edited = yield from _by_anchors(cloud, part, inputs.get("cameras"), settings, context)
    else:
        edited = yield from _by_words(cloud, part, settings, context.seed)
    edited = replace(edited, cloud=_with_origin(cloud, edited.cloud, settings, context.seed))
    return Result((Output("Edited splats", edited.cloud),), _figures(cloud, part, edited, settings))


@dataclass(frozen=True, eq=False)
class _Edited:
    """rows: (M,) each Gaussian's row before, −1 for added ones."""

    cloud: GaussianCloud
    rows: NDArray[np.int64]
    notes: tuple[str, ...]
    figures: Mapping[str, Any]


def _with_origin(
    before: GaussianCloud, after: GaussianCloud, settings: EditSettings, seed: int
) -> GaussianCloud:
    """The cloud with a line about this edit among its comments, which files keep."""
    name = name_of_part(before, settings.part)
    of_part = f"part {settings.part}" + (f" ({name})" if name else "")
    wish = f'"{settings.instruction.strip()}"' if settings.instruction.strip() else "edited images"
    strength = f", strength {settings.strength:g}" if settings.strength < 1 else ""
    line = f"edit of {of_part}: {wish}{strength}, seed {seed}; {_editor(settings)}"
    return replace(after, comments=(*before.comments, line))


def _editor(settings: EditSettings) -> str:
    """Who made the edit, told honestly."""
    return EDITED_IMAGES if settings.anchors else BUILT_IN


def part_mask(cloud: GaussianCloud, number: int) -> Mask:
    """(N,) Gaussians of a part by its number. Raises InputError: no such column or part."""
    column = cloud.extra.get("part")
    if column is None or column.ndim != 1:
        raise InputError("The splats have no parts yet.", "Find parts first (romap.part).")
    mask: Mask = column == number
    if not mask.any():
        there = sorted(int(each) for each in np.unique(column) if each >= 0)
        known = ", ".join(map(str, there)) or "none"
        which = "Say which part to edit" if number < 0 else f"Part {number} has no splats"
        raise InputError(f"{which}.", f"There are these parts: {known} (--part).")
    return mask


def _by_words(
    cloud: GaussianCloud, part: Mask, settings: EditSettings, seed: int
) -> Generator[Progress, None, _Edited]:
    wish = parse_instruction(settings.instruction, name_of_part(cloud, settings.part))
    yield Progress(1, 1, "Changing the part")
    changed = apply_in_part(cloud, part, wish.changes, seed, settings.strength)
    notes = changed.notes
    if wish.unknown:
        words = ", ".join(f"“{word}”" for word in wish.unknown)
        notes = (*notes, f"Not understood and left out: {words}.")
    told = [type(change).__name__.lower() for change in wish.changes]
    return _Edited(changed.cloud, changed.rows, notes, {"changes": ", ".join(told), "target": wish.target})


def _by_anchors(
    cloud: GaussianCloud, part: Mask, scene: SceneData | None, settings: EditSettings, context: RunContext
) -> Generator[Progress, None, _Edited]:
    from recon.romap.anchor_fit import FitSettings, fit_part, without_prior

    if not isinstance(scene, PosedImages):
        raise InputError(
            "Edited images need the cameras of their views.",
            "Give the scene of posed images (--cameras SCENE).",
        )
    folder = AnchorFolder(Path(settings.anchors), scene)
    weights = ViewWeights(cloud, scene.cameras, are_kept=True)
    sizes = {view: limited_size(scene.cameras.size[view], settings.image_size) for view in folder.views}
    views = yield from _views(cloud, part, weights, folder.views, sizes)
    anchors = list(folder.anchors(iter(views)))
    seen = [(view, anchor) for view, anchor in zip(views, anchors, strict=True) if view.mask.max() > 0.5]
    if not seen:
        raise InputError("No edited image shows the part.", "Edit views on which the part can be seen.")
    views, anchors = [view for view, _ in seen], [anchor for _, anchor in seen]
    of_views = [weights.of(view.view, sizes[view.view]) for view in views]
    background = _background(views, anchors, of_views)
    views = [_before(view, of_view, background) for view, of_view in zip(views, of_views, strict=True)]
    start = without_prior(
        cloud, part & _is_sure(cloud, settings.sure), of_views, views, anchors, settings.prior
    )
    wishes = FitSettings(settings.steps, settings.grows, settings.masked)
    fitted = yield from fit_part(
        start, part, scene.cameras, views, anchors, background, context.seed, wishes, context.device, folder
    )
    folder.close()
    notes = (f"{folder.num_strange} pictures belong to no view.",) if folder.num_strange else ()
    figures = {"edited_images": len(anchors), "first_l1": fitted.first_loss, "last_l1": fitted.last_loss}
    return _Edited(fitted.cloud, fitted.rows, notes, figures)


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


def _figures(before: GaussianCloud, part: Mask, edited: _Edited, settings: EditSettings) -> dict[str, Any]:
    """What changed, and the proof that nothing else did."""
    inside, outside = changed_rows(before, edited.cloud, edited.rows, part)
    figures: dict[str, Any] = {
        "part": settings.part,
        "editor": _editor(settings),
        "gaussians": len(edited.cloud),
        "changed": inside,
        "changed_outside": outside,
        "added": int((edited.rows < 0).sum()),
        "removed": len(before) - int((edited.rows >= 0).sum()),
        **edited.figures,
    }
    if outside:
        raise AssertionError(f"{outside} Gaussians outside the part changed")
    figures["visible_change"] = visible_change(before, edited.cloud)
    notes = list(edited.notes)
    if figures["visible_change"] < _NOTHING_TO_SEE:
        notes.append(_SUGGESTIONS)
    return {**figures, "notes": notes}
