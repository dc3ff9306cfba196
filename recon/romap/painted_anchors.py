"""Anchor images that a network paints, from views whose part has lost its old look."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from recon.diffusion import options_of
from recon.diffusion.distillation import Distillation, DistillationWishes
from recon.diffusion.flow import Flow
from recon.diffusion.painter import Painter, make_painter
from recon.romap import EditSettings
from recon.romap.edit_provider import Anchor, EditView

Float = NDArray[np.float32]
_GREY = 0.5
_SHOWN = 0.05  # share of a pixel from which it shows the part


class PaintedAnchors:
    """A network in place of a folder: repaints the part and its surroundings in each view, and may pull besides.

    Raises MissingModel, SettingsError, OutOfMemory.
    """

    def __init__(self, settings: EditSettings, seed: int, device: str) -> None:
        self._settings, self._seed = settings, seed
        self._painter: Painter | None = make_painter(
            settings.editor, settings.model, _options(settings), device
        )
        local = self._painter.local
        self.notes = self._painter.notes()
        self.figures = {"model": local.name, "model_hash": local.sha256}
        self._distillation = _distillation(self._painter, settings, seed) if settings.sds > 0 else None

    def anchors(self, views: Iterator[EditView]) -> Iterator[Anchor]:
        """Each view with its part repainted; every other pixel as it is."""
        for view in views:
            yield Anchor(view.view, self._painted(view))
        if self._distillation is None:
            self.close()

    def _painted(self, view: EditView) -> Float:
        assert self._painter is not None
        window = surroundings(view.mask, self._settings.surroundings)
        before, mask = view.picture[window], view.mask[window]
        seen = before if self._settings.prior == "keep" else before + (_GREY - before) * mask[..., None]
        wish, strength = self._settings.instruction.strip(), self._settings.strength
        made = self._painter.paint(
            seen.astype(np.float32), (mask > _SHOWN).astype(np.float32), wish, self._seed, strength
        )
        picture = view.picture.copy()
        picture[window] = np.where(mask[..., None] > 0, before + (made - before) * mask[..., None], before)
        return picture

    def pull(self, picture: Float, mask: Float, share: float) -> Float | None:
        """The slope of score distillation within the part, as strong as the settings say: at 1 all its pixels together
        pull as hard as those of an anchor. Neither weight is given by the paper."""
        if self._distillation is None:
            return None
        slope = self._distillation.slope(np.clip(picture, 0, 1), mask)
        total = float(np.abs(slope).sum())
        return np.asarray(slope * (self._settings.sds / total), np.float32) if total > 0 else None

    def close(self) -> None:
        """Let go of the network and its memory."""
        painter, self._painter, self._distillation = self._painter, None, None
        if painter is not None:
            painter.close()


def surroundings(mask: Float, margin: float) -> tuple[slice, slice]:
    """Rows and columns of a mask's box, with a margin on each side as a share of its longer side."""
    rows, columns = np.nonzero(mask > _SHOWN)
    extent = max(int(np.ptp(rows)), int(np.ptp(columns))) + 1
    by = round(margin * extent)
    height, width = mask.shape
    return (
        slice(max(0, int(rows.min()) - by), min(height, int(rows.max()) + 1 + by)),
        slice(max(0, int(columns.min()) - by), min(width, int(columns.max()) + 1 + by)),
    )


def _options(settings: EditSettings) -> dict[str, object]:
    """The settings as options of the network, and the others by name."""
    given: dict[str, object] = {"guidance": settings.guidance, "steps": settings.denoising_steps}
    if settings.editor == "slamp":
        given |= {
            name: getattr(settings, name)
            for name in ("gamma", "eta", "alpha_base", "alpha_last", "mix_steps")
        }
    return given | options_of(settings.options)


def _distillation(painter: Painter, settings: EditSettings, seed: int) -> Distillation:
    wishes = DistillationWishes(
        settings.instruction.strip(), painter.options.negative, settings.sds_guidance, settings.sds_first,
        settings.sds_last, painter.options.size or painter.kind.size, painter.kind.multiple,
    )  # fmt: skip
    return Distillation(Flow(painter.pipeline), wishes, seed)
