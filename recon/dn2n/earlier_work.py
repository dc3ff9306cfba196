"""What a run found out that the next one, with other views kept or left out, need not find out again: depth and the
edited pictures."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.dn2n import EditSceneSettings
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.edit_views import EditedPictures
from recon.dn2n.editors.editor import EditPlan, SceneView
from recon.dn2n.editors.folder import MissingView
from recon.dn2n.outputs import picture_names
from recon.dn2n.scene_depth import SceneDepth
from recon.dn2n.scene_views import SceneViews
from recon.errors import InputError
from render.cameras import CameraSet

_LOG = logging.getLogger(__name__)
_TOLD, _DEPTHS = "work.json", "work.npz"
_OF_VIEWS = {"keep", "drop", "filters", "route", "reuse"}  # which views make the field, and how


class EarlierWork:
    """Depth, and an editor that gives the pictures of an earlier run. folder: of its files. told: how its depth was
    found, and what its editor did."""

    def __init__(self, folder: Path, told: Mapping[str, Any]) -> None:
        self._folder, self._told = folder, told
        plan: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in told["plan"].items()}
        self.plan = EditPlan(**plan)
        self._files: dict[str, str | None] = dict(told["files"])

    def depth(self, views: SceneViews) -> SceneDepth:
        """The depth of the same views. Raises InputError."""
        try:
            with np.load(self._folder / _DEPTHS, allow_pickle=False) as file:
                depths = file["depths"].astype(np.float32) * np.float32(file["unit"])
                distances = file["distances"]
        except (OSError, ValueError, KeyError) as error:
            raise _cannot_be_used(str(error)) from error
        if depths.shape != views.rgb.shape[:3] or not _fit(distances, _distances(views.cameras)):
            raise _cannot_be_used("It is of other photos.")
        found = dict(self._told["depth"])
        return SceneDepth(DepthViews(views.cameras, depths, found.pop("tolerance")), **found)

    def prepare(self, views: Sequence[SceneView], seed: int) -> None:
        """All is there."""

    def edit(self, view: SceneView, seed: int) -> NDArray[np.float32]:
        """The picture of then. Raises MissingView where there was none, InputError."""
        file = self._files.get(view.name)
        if file is None:
            raise MissingView(f"{view.name} was not edited.", "Make the edit anew, without an earlier run.")
        try:
            with Image.open(self._folder / "edited" / file) as picture:
                return np.asarray(picture.convert("RGB"), np.float32) / np.float32(255)
        except OSError as error:
            raise _cannot_be_used(str(error)) from error

    def close(self) -> None:
        """Nothing is open."""


def earlier_work(settings: EditSceneSettings, seed: int) -> EarlierWork | None:
    """That of the run named by the settings. None where none is named, where it asked for something else, and where it
    is gone (a project may have been moved): then everything is made anew, and the log says so."""
    if not settings.reuse or settings.variation:
        return None
    folder = Path(settings.reuse)
    try:
        told = json.loads((folder / _TOLD).read_text(encoding="utf-8"))
        asked = _asked(settings, seed)
        other = [name for name, value in asked.items() if told["asked"].get(name) != value]
        work = EarlierWork(folder, told)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _LOG.warning("The earlier run of this edit cannot be read, everything is made anew: %s", error)
        return None
    if other:
        _LOG.warning("The earlier run had another %s: everything is made anew.", other[0].replace("_", " "))
        return None
    return work


def keep(
    folder: Path, names: Sequence[str], depth: SceneDepth, found: EditedPictures, plan: EditPlan,
    settings: EditSceneSettings, seed: int,
) -> None:  # fmt: skip
    """Leave in a run's folder what `earlier_work` reads beside the edited pictures."""
    views = depth.views
    unit = (
        np.float32(np.median(views.depths[views.depths > 0])) if (views.depths > 0).any() else np.float32(1)
    )
    about = {each.name: getattr(depth, each.name) for each in fields(depth) if each.name != "views"}
    files = zip(names, picture_names(names), found.is_edited, strict=True)
    told = {
        "asked": _asked(settings, seed), "plan": asdict(plan), "depth": about | {"tolerance": views.tolerance},
        "files": {name: file if is_edited else None for name, file, is_edited in files},
    }  # fmt: skip
    # Half precision: a tolerance of two percent is forty times as coarse.
    limit = np.finfo(np.float16).max
    depths = np.minimum(views.depths / unit, limit).astype(np.float16)
    np.savez(folder / _DEPTHS, depths=depths, unit=unit, distances=_distances(views.cameras))
    (folder / _TOLD).write_text(json.dumps(told, indent=1), encoding="utf-8")


def _asked(settings: EditSceneSettings, seed: int) -> dict[str, Any]:
    """What was asked of editor and depth."""
    return settings.model_dump(mode="json", exclude=_OF_VIEWS) | {"seed": seed}


def _distances(cameras: CameraSet) -> NDArray[np.float64]:
    """(N,) of all cameras from the first: the same however a scene is turned, others when it is scaled."""
    return np.asarray(np.linalg.norm(cameras.positions - cameras.positions[0], axis=1))


def _fit(before: NDArray[np.float64], now: NDArray[np.float64]) -> bool:
    return np.allclose(before, now, rtol=0, atol=1e-3 * float(now.max()))


def _cannot_be_used(details: str) -> InputError:
    return InputError(
        "The earlier run of this edit cannot be used again.",
        "Make the edit anew, without an earlier run.",
        details=details,
    )
