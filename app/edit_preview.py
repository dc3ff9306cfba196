"""An edit tried on one view: quick, and nothing changes in 3D."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.images import PosedImages

_NO_CHANGE = "No visible change: more strength, another seed or simpler words may help."
_NOTHING = 1 / 255  # mean change that nobody sees


@dataclass(frozen=True, eq=False)
class Preview:
    """A view before and after: (H, W, 3) uint8. seconds: it took. note: what a person should know, "" for nothing.
    is_visible: whether anything changed that can be seen. made_by: the kind of editor, and which network."""

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    seconds: float
    note: str = ""
    is_visible: bool = True
    made_by: str = ""


def preview_of(
    posed: PosedImages, view: int, values: Mapping[str, Any], seed: int, others: Mapping[str, Any]
) -> Preview:
    """Edit photo `view` as a run with these settings would. others: what else the run would be given, by the names of
    its inputs. Raises ReconError."""
    from recon.dn2n import EditSceneSettings
    from recon.dn2n.preview import preview_view  # numba is not loaded at start

    start = time.perf_counter()
    settings = EditSceneSettings.model_validate(dict(values))
    known: dict[str, Any] = {name: others.get(name) for name in ("before", "field", "cloud")}
    found = preview_view(posed, view, settings, seed=seed, **known)
    seconds = time.perf_counter() - start
    told = {"seconds": seconds, "notes": found.notes, "label": found.label, "model": found.model}
    return preview_with(found.before, found.after, told)


def preview_with(before: NDArray[np.uint8], after: NDArray[np.uint8], figures: Mapping[str, Any]) -> Preview:
    """A preview and what is to be said of it. figures: seconds, notes, label and model."""
    notes = " ".join(figures.get("notes", ()))
    change = float(np.abs(after.astype(np.float32) - before).mean()) / 255
    is_visible = change > _NOTHING
    note = notes if is_visible else f"{_NO_CHANGE} {notes}".strip()
    made_by = ", ".join(filter(None, (str(figures.get("label", "")), str(figures.get("model", "")))))
    return Preview(before, after, float(figures.get("seconds", 0.0)), note, is_visible, made_by)
