"""What changes single pictures by a text: one interface for rules, style pictures, folders and networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from render.frozen import Frozen

Consistency = Literal["world", "screen", "none"]


@dataclass(frozen=True, eq=False)
class SceneView(Frozen):
    """One view to edit, with what is known of its geometry.

    rgb: (H, W, 3) float32 sRGB within 0 and 1. depth: (H, W) float32 z-depth in the world's unit, 0 where unknown.
    mask: (H, W) float32 within 0 and 1, where the edit is wanted. cam_from_world: (4, 4) float64, camera axes of
    OpenCV. focal, center: (2,) float64 pixels. up: (3,) float64 unit, in the world. named: masks of things by name,
    where there are any, each as `mask`.
    """

    name: str
    rgb: NDArray[np.float32]
    depth: NDArray[np.float32]
    mask: NDArray[np.float32]
    cam_from_world: NDArray[np.float64]
    focal: NDArray[np.float64]
    center: NDArray[np.float64]
    up: NDArray[np.float64]
    named: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rgb = self._own("rgb", np.float32, (None, None, 3))
        self._own("depth", np.float32, rgb.shape[:2])
        self._own("mask", np.float32, rgb.shape[:2])
        self._own("cam_from_world", np.float64, (4, 4))
        self._own("focal", np.float64, (2,))
        self._own("center", np.float64, (2,))
        self._own("up", np.float64, (3,))


@dataclass(frozen=True)
class EditPlan:
    """What an editor will do.

    label: which kind of editor, for people ("Built-in effects (rule-based, not AI)", "InstructPix2Pix, local").
    operations: what was understood, one phrase each ("sunset", "bronze on the fox"). unknown: words that were not.
    targets: words that say where ("fox", "wall"), for which a mask or a part is needed. consistency: "world": equal
    from all sides by construction; "screen": depends on the view; "none": each view as it comes. model, model_hash:
    of a network, else "".
    """

    prompt: str
    label: str
    operations: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    consistency: Consistency = "none"
    notes: tuple[str, ...] = ()
    model: str = ""
    model_hash: str = ""


class Editor(Protocol):
    """Edits the views of one scene by one prompt. Making one raises InputError where the prompt is empty or nothing of
    it is understood, MissingModel where a network is not on the machine; never downloads."""

    plan: EditPlan

    def prepare(self, views: Sequence[SceneView], seed: int) -> None:
        """See all views (or some of them) once before the first is edited."""
        ...

    def edit(self, view: SceneView, seed: int) -> NDArray[np.float32]:
        """(H, W, 3) the edited picture, within 0 and 1. The same seed gives the same picture. Raises OutOfMemory."""
        ...

    def close(self) -> None:
        """Let go of memory."""
        ...
