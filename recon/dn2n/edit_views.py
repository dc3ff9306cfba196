"""Each view edited by itself, and what an editor may get wrong."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.diffusion import options_of
from recon.dn2n import EditSceneSettings
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.editors import make_editor
from recon.dn2n.editors.editor import Editor, EditPlan, SceneView
from recon.dn2n.editors.folder import MissingView
from recon.dn2n.scene_views import SceneViews
from recon.dn2n.target_masks import has_names, named_masks
from recon.errors import InputError
from recon.method import Progress

Float = NDArray[np.float32]

LONGEST_PROMPT = 2000  # characters
INVISIBLE = 0.5 / 255  # largest mean change of a view's colours that nobody sees


@dataclass(frozen=True, eq=False)
class EditedPictures:
    """pictures: (N, H, W, 3) float32 within 0 and 1; a view that was not edited is as it was. is_edited: (N,)."""

    pictures: Float
    is_edited: NDArray[np.bool_]


def editor_of(settings: EditSceneSettings, device: str) -> Editor:
    """The editor that the settings name. Raises InputError, SettingsError, MissingModel."""
    prompt = " ".join(settings.prompt.split())
    if len(prompt) > LONGEST_PROMPT:
        raise InputError(
            f"The prompt has {len(prompt):,} characters.", "Say in a sentence or two what is to change."
        )
    return make_editor(
        settings.editor,
        prompt,
        strength=settings.strength,
        style=Path(settings.style) if settings.style else None,
        folder=Path(settings.edits) if settings.edits else None,
        device=device,
        options=_of_network(settings) | options_of(settings.options),
    )


def _of_network(settings: EditSceneSettings) -> dict[str, object]:
    """The settings that are options of networks, where they are given."""
    given = {"model": settings.model, "guidance": settings.guidance, "steps": settings.denoising_steps}
    return {name: value for name, value in given.items() if value not in ("", None)}


def scene_views_of(
    views: SceneViews, depth: DepthViews, masks: Float | None, named: Mapping[str, Float] | None = None
) -> list[SceneView]:
    """The views as editors see them. named: (N, H, W) masks of things by name."""
    everywhere = np.ones(views.rgb.shape[1:3], np.float32)
    up, cameras = views.frame.up_vector, views.cameras
    return [
        SceneView(
            name, views.rgb[i].astype(np.float32) / np.float32(255), depth.depths[i],
            everywhere if masks is None else masks[i], cameras.cam_from_world[i], cameras.focal[i], cameras.center[i], up,
            {key: mask[i] for key, mask in (named or {}).items()},
        )
        for i, name in enumerate(views.names)
    ]  # fmt: skip


def named_masks_of(
    settings: EditSceneSettings, views: SceneViews
) -> Generator[Progress, None, dict[str, Float]]:
    """Masks of things by name, none where the folder of masks does not say what they are of."""
    folder = Path(settings.masks)
    if not settings.masks or not has_names(folder, views):
        return {}
    return (yield from named_masks(folder, views))


def edit_views(
    editor: Editor, views: SceneViews, depth: DepthViews, masks: Float | None, settings: EditSceneSettings, seed: int
) -> Generator[Progress, None, EditedPictures]:  # fmt: skip
    """Each view edited; outside its mask it is as it was. Raises InputError."""
    named = yield from named_masks_of(settings, views)
    seen = scene_views_of(views, depth, masks, named)
    yield Progress(0, len(seen), "Editing views")
    editor.prepare(seen, seed)
    pictures, is_edited = np.stack([view.rgb for view in seen]), np.ones(len(seen), bool)
    for i, view in enumerate(seen):
        try:
            pictures[i] = within_mask(view, checked_edit(view, editor.edit(view, seed)))
        except MissingView:
            is_edited[i] = False  # The editor's plan tells how many.
        yield Progress(i + 1, len(seen), "Editing views")
    if settings.variation:
        originals = np.stack([view.rgb for view in seen])
        pictures = varied(originals, pictures, settings.variation, seed)
        pictures = np.stack(
            [within_mask(view, picture) for view, picture in zip(seen, pictures, strict=True)]
        )
    return EditedPictures(pictures, is_edited)


def checked_edit(view: SceneView, picture: NDArray[np.floating]) -> Float:
    """What an editor gave, within 0 and 1. Raises InputError where it is no picture of this view."""
    if picture.shape != view.rgb.shape:
        height, width = view.rgb.shape[:2]
        told = "×".join(map(str, picture.shape[1::-1])) if picture.ndim >= 2 else str(picture.shape)
        raise InputError(
            f"The editor returned {view.name} with {told} pixels instead of {width}×{height}.",
            "Choose another editor, or edited pictures of the photos' size.",
        )
    if not np.isfinite(picture).all():
        raise InputError(
            f"The editor returned numbers for {view.name} that are no colours.",
            "Try another seed, full precision (float32), or another editor.",
        )
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def within_mask(view: SceneView, picture: Float) -> Float:
    """The picture where the edit is wanted; where not at all, the photo bit for bit."""
    return np.asarray(np.where(view.mask[..., None] > 0, picture, view.rgb), np.float32)


def varied(originals: Float, edited: Float, level: float, seed: int) -> Float:
    """Each view made to differ as if a 2D editor had edited it by itself."""
    from recon.dn2n.perturbation import perturbed

    return perturbed(originals, edited, np.random.default_rng([seed, 2]), level).views


def check_visible(originals: NDArray[np.uint8], edited: Float, plan: EditPlan) -> None:
    """Raises InputError where nobody would see the edit. originals: (N, H, W, 3), edited likewise within 0 and 1."""
    changes = [float(np.abs(e - o / np.float32(255)).mean()) for e, o in zip(edited, originals, strict=True)]
    if max(changes, default=0.0) > INVISIBLE:
        return
    told = ", ".join(plan.operations) or plan.prompt
    raise InputError(
        f"No visible change: the views look as before ({told})." if told else "No visible change.",
        "Raise the strength, ask for something that the scene does not show yet, or widen the mask.",
    )
