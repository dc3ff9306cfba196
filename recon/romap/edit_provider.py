"""Where edited pictures come from: a person's folder, or a network that paints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from render.frozen import Frozen


@dataclass(frozen=True, eq=False)
class EditView(Frozen):
    """One view to edit. view: index of the camera. picture: (H, W, 3) float32 sRGB within 0 and 1, as the scene looks
    now. mask: (H, W) float32, how much of each pixel shows the part."""

    view: int
    picture: NDArray[np.float32]
    mask: NDArray[np.float32]

    def __post_init__(self) -> None:
        picture = self._own("picture", np.float32, (None, None, 3))
        self._own("mask", np.float32, picture.shape[:2])


@dataclass(frozen=True, eq=False)
class Anchor(Frozen):
    """What a view is to look like. picture: (H, W, 3) float32 sRGB within 0 and 1, of the view's shape. weight: how
    much it counts."""

    view: int
    picture: NDArray[np.float32]
    weight: float = 1.0

    def __post_init__(self) -> None:
        self._own("picture", np.float32, (None, None, 3))


class EditProvider(Protocol):
    """Makes anchors, and may pull on renders besides (score distillation).

    A network in place of a folder is given the views with the part greyed (prior removal), its instruction and seed
    when it is made, and forgets them, and its memory, in `close`.
    """

    def anchors(self, views: Iterator[EditView]) -> Iterator[Anchor]:
        """Edited pictures of some or all of the views."""
        ...

    def pull(
        self, picture: NDArray[np.float32], mask: NDArray[np.float32], share: float
    ) -> NDArray[np.float32] | None:
        """(H, W, 3) slope of a further loss by a rendered picture after a share of the steps, or None for none."""
        ...

    def close(self) -> None:
        """Let go of memory."""
        ...
