"""Depth of a radiance field that is trained for it, for a short while, where photos cannot be compared directly."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from recon.dn2n.scene_views import SceneViews
from recon.method import Progress
from render.radiance_field import RadianceField

SETTINGS = {"steps": 250, "image_size": 192, "held_out": 0, "table_size": 16}  # of the method `nerf`
TOLD_EVERY = 10  # steps


def trained_field(views: SceneViews, device: str = "cpu") -> Generator[Progress, None, RadianceField]:
    """A field of the photos, coarse, the same for whatever seed the edit has. Raises InputError for scenes that cannot
    be trained on."""
    from recon.nerf import METHOD
    from recon.nerf.preparation import prepare_trainer

    told = "Training a radiance field for depth"
    yield Progress(0, SETTINGS["steps"], told)
    posed = replace(views.posed, depth=None, normals=None)
    trainer = prepare_trainer(posed, METHOD.make_settings(SETTINGS), device, seed=0)  # type: ignore[arg-type]
    for step in range(1, SETTINGS["steps"] + 1):
        trainer.step()
        if step % TOLD_EVERY == 0:
            yield Progress(step, SETTINGS["steps"], told)
    return trainer.field(views.frame, trainer.photos.cameras)
