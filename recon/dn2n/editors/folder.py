"""Views that a person edited in another program, found by their file names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from recon.dn2n.editors import EditorWishes
from recon.dn2n.editors.appearance import mixed
from recon.dn2n.editors.editor import EditPlan, SceneView
from recon.dn2n.editors.pictures import SUFFIXES, read_picture
from recon.errors import InputError

Float = NDArray[np.float32]

LABEL = "Pictures edited elsewhere"
_SHAPE = 0.02  # how much the ratio of width to height may differ


class MissingView(InputError):
    """The folder has no picture of a view: whoever edits a scene leaves that view out and goes on."""


class FolderEditor:
    """Gives the pictures of a folder in place of the views.

    A view's picture has its name, with or without folders, with any ending of a picture. `edit` raises MissingView for
    a view without one, which is to be skipped, and InputError where a picture has another shape. Transparent pixels,
    and numbers that are none, show the view as it was.
    """

    plan: EditPlan

    def __init__(self, wishes: EditorWishes) -> None:
        if wishes.folder is None:
            raise InputError("No folder of edited pictures was given.", "Choose the folder that holds them.")
        if not wishes.folder.is_dir():
            raise InputError(
                f"The folder of edited pictures “{wishes.folder.name}” is not there.",
                "Choose another folder.",
            )
        self._paths = _pictures(wishes.folder)
        if not self._paths:
            raise InputError(
                f"There is no picture in “{wishes.folder.name}”.",
                "Put PNG or JPEG files named as the photos there.",
            )
        self._strength = wishes.strength
        self.plan = EditPlan(wishes.prompt, LABEL, (f"pictures of {wishes.folder.name}",), consistency="none")

    def path_of(self, name: str) -> Path | None:
        """The file that shows the view of that name, if there is one."""
        return next((self._paths[key] for key in _keys(name) if key in self._paths), None)

    def prepare(self, views: Sequence[SceneView], seed: int) -> None:
        """Look which views have a picture. Raises InputError where none has."""
        missing = [view.name for view in views if self.path_of(view.name) is None]
        if views and len(missing) == len(views):
            raise InputError(
                "None of the pictures in the folder is named as a view.",
                f"Name them as the photos are, such as “{PurePosixPath(views[0].name).stem}.png”.",
            )
        notes = []
        if missing:
            some = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
            notes.append(
                f"{len(missing)} of {len(views)} views have no edited picture and are left out: {some}."
            )
        self.plan = replace(self.plan, notes=tuple(notes))

    def edit(self, view: SceneView, seed: int) -> NDArray[np.float32]:
        """(H, W, 3) the picture that was edited elsewhere, in the view's size."""
        path = self.path_of(view.name)
        if path is None:
            raise MissingView(
                f"There is no edited picture of {view.name}.", "It is left out; add a file of that name."
            )
        rgb, alpha = read_picture(path)
        rgb, alpha = self._in_size(path, rgb, alpha, view)
        share = view.mask * alpha * np.float32(self._strength)
        edited = np.clip(mixed(view.rgb, rgb, share), 0, 1)
        return np.asarray(np.where(share[..., None] > 0, edited, view.rgb), np.float32)

    def _in_size(self, path: Path, rgb: Float, alpha: Float, view: SceneView) -> tuple[Float, Float]:
        height, width = view.depth.shape
        if rgb.shape[:2] == (height, width):
            return rgb, alpha
        ratio = (rgb.shape[1] / rgb.shape[0]) / (width / height)
        # a pixel more or less on each side is rounding
        if abs(ratio - 1) > max(_SHAPE, 1.5 / min(height, width, *rgb.shape[:2])):
            raise InputError(
                f"{path.name} is {rgb.shape[1]} × {rgb.shape[0]} pixels, another shape than the view's "
                f"{width} × {height}.",
                "Export it in the shape of the photo, neither cropped nor turned.",
            )
        note = "Pictures of another size were scaled to the views'."
        if note not in self.plan.notes:
            self.plan = replace(self.plan, notes=(*self.plan.notes, note))
        way = cv2.INTER_AREA if rgb.shape[0] > height else cv2.INTER_CUBIC
        scaled = [
            cv2.resize(part, (width, height), interpolation=way) for part in (rgb * alpha[..., None], alpha)
        ]
        alpha = np.clip(scaled[1], 0, 1)
        return np.clip(scaled[0] / np.maximum(alpha, 1e-3)[..., None], 0, 1), alpha

    def close(self) -> None:
        """Nothing is held."""


def _pictures(folder: Path) -> dict[str, Path]:
    """Every picture by its path in the folder without the ending, and by its bare name where that is not twice there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES)
    found = {path.relative_to(folder).with_suffix("").as_posix().lower(): path for path in paths}
    stems = [path.stem.lower() for path in paths]
    alone = {stem: path for stem, path in zip(stems, paths, strict=True) if stems.count(stem) == 1}
    return alone | found


def _keys(name: str) -> tuple[str, ...]:
    """What a view's picture may be called, best first."""
    whole = PurePosixPath(name.replace("\\", "/").lower())
    bare = whole.with_suffix("") if whole.suffix in SUFFIXES else whole
    return tuple(dict.fromkeys((bare.as_posix(), whole.as_posix(), bare.name, whole.name)))
