"""The preview of one view as a run of its own, for editors that are networks: cancelled at any time, and no network is
ever loaded by the window."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from PIL import Image

from recon.dn2n import METHOD, EditSceneSettings
from recon.dn2n.preview import preview_steps
from recon.method import Method, Result, Run, RunContext
from render.images import PosedImages

PICTURES = ("before.png", "after.png")  # in the run's files

PREVIEW = Method(
    id="recon.dn2n.preview_run:PREVIEW",
    title="Preview of one view",
    summary="Edit one photo as an edit of the whole scene would.",
    inputs=METHOD.inputs,
    settings=EditSceneSettings,
    run_at="recon.dn2n.preview_run:run",
    makes="view_field",
)


def run(inputs: Mapping[str, Any], settings: EditSceneSettings, context: RunContext) -> Run:
    """Edits the only photo of the scene; its pictures lie in the run's files. Raises what the edit raises."""
    began = time.perf_counter()
    scene = inputs["scene"]
    assert isinstance(scene, PosedImages)
    made = yield from preview_steps(scene, 0, settings, inputs, context.seed, context.device)
    for name, picture in zip(PICTURES, (made.before, made.after), strict=True):
        Image.fromarray(picture).save(context.folder / name)
    figures = {
        "notes": list(made.notes), "label": made.label, "model": made.model, "model_hash": made.model_hash,
        "seconds": time.perf_counter() - began,
    }  # fmt: skip
    return Result((), figures)
