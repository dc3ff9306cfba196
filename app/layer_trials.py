"""What is drawn in place of layers for a while: previews of edits, which end by themselves when a layer changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.layers import Layer, Missing
from render.gaussians import GaussianCloud, GaussianMarks
from render.scene_data import SceneData


@dataclass(frozen=True, eq=False)
class Trial:
    """Data and marks to draw as long as the layer has the data and marks that they were made from."""

    of_data: SceneData | Missing
    of_marks: GaussianMarks | None
    data: SceneData
    marks: GaussianMarks | None

    def fits(self, layer: Layer) -> bool:
        return layer.data is self.of_data and layer.marks is self.of_marks


def of_data(layer: Layer, data: SceneData, *, is_tinted: bool = True) -> Trial:
    """Other data in place of a layer's; its marks stay where they are of as many Gaussians, the selection as tinted."""
    marks = layer.marks
    if marks is None or not isinstance(data, GaussianCloud) or len(data) != len(marks):
        return Trial(layer.data, marks, data, None)
    shown = marks if is_tinted else replace(marks, selected=GaussianMarks.none(len(marks)).selected)
    return Trial(layer.data, marks, data, shown)


def of_marks(layer: Layer, marks: GaussianMarks) -> Trial:
    """Other marks in place of a layer's."""
    assert isinstance(layer.data, GaussianCloud)
    return Trial(layer.data, layer.marks, layer.data, marks)


def drawn_of(layer: Layer, trials: Mapping[str, Trial]) -> tuple[SceneData | Missing, GaussianMarks | None]:
    """What is drawn of a layer now."""
    trial = trials.get(layer.id)
    return (trial.data, trial.marks) if trial is not None and trial.fits(layer) else (layer.data, layer.marks)
