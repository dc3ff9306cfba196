"""What every stage of a reconstruction knows."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from recon.errors import NoSurface
from recon.method import Progress, RunContext
from recon.orex import OrexSettings
from recon.orex.box import BoxedSections
from recon.orex.caps import FLAT_SHARE, cut_caps, cut_empty
from recon.orex.cascade import CascadeSettings
from recon.orex.contours2d import PlaneContours
from recon.orex.contradictions import Contradiction
from recon.orex.evidence import drop_unseen
from recon.orex.grid import Field, Grid
from recon.orex.label_regions import BACKGROUND
from recon.orex.labels import separate_labels
from recon.orex.memory import Memory
from recon.surface import extract_surface
from render.frame import Frame
from render.mesh import TriangleMesh

Fields = dict[int, Field]  # by label; the background's is negative inside the union of all labels
Returned = TypeVar("Returned")


@dataclass(frozen=True)
class Job:
    """One run.

    contours: per label, and for the background where there are several labels, those of each plane;
    where the ends are cut, planes that carry the shape on beyond them come last. overlaps: plane → share of what is drawn there that several labels claim.
    coinciding: pairs of planes at one place that contradict each other, for which contours holds a compromise.
    """

    boxed: BoxedSections
    contours: Mapping[int, list[PlaneContours]]
    overlaps: Mapping[int, float]
    settings: OrexSettings
    context: RunContext
    memory: Memory
    frame: Frame
    coinciding: Sequence[Contradiction] = ()

    @property
    def cascade_settings(self) -> CascadeSettings:
        """The settings of the solve without a prior."""
        settings = self.settings
        return CascadeSettings(
            resolution=settings.resolution,
            weight=settings.plane_weight,
            band=settings.band,
            tension=settings.gradient_penalty,
            slope_correction=settings.slope_correction,
            outside_hull=settings.outside_hull,
        )

    def all_drawn(self) -> list[PlaneContours]:
        """Contours of the union of all labels on the given planes."""
        contours = self.contours.get(BACKGROUND) or next(iter(self.contours.values()))
        return contours[: self.boxed.num_planes]

    def solids(self, fields: Mapping[int, Field], grid: Grid) -> Fields:
        """Per label the final field: apart from the other labels, the ends of a stack cut as wanted."""
        competing = {key: -field if key == BACKGROUND else field for key, field in fields.items()}
        solids = separate_labels(competing)
        solids = {key: cut_empty(field, grid, self.contours[key]) for key, field in solids.items()}
        solids = {key: drop_unseen(field, grid, self.contours[key]) for key, field in solids.items()}
        if self.boxed.is_stack and self.settings.caps != "natural":
            share = FLAT_SHARE if self.settings.caps == "flat" else 0.5
            drawn = self.all_drawn()
            solids = {key: cut_caps(field, grid, drawn, share) for key, field in solids.items()}
        return solids

    def mesh(self, field: Field, grid: Grid) -> TriangleMesh:
        """The field's surface in the input's unit and frame."""
        surface = extract_surface(field, grid.lower, grid.spacing)
        vertices = self.boxed.world_from_box.apply(surface.vertices).astype(np.float32)
        return TriangleMesh(vertices, surface.faces, frame=self.frame)

    def preview(self, field: Field, grid: Grid) -> TriangleMesh | None:
        """A mesh to show meanwhile, or None where there is no surface yet."""
        try:
            return self.mesh(field, grid)
        except NoSurface:
            return None


def counted(
    steps: Generator[int, None, Returned], stage: str, total: int, done: int = 0
) -> Generator[Progress, None, Returned]:
    """Report the numbers that a computation yields as progress of a stage."""
    while True:
        try:
            number = next(steps)
        except StopIteration as stop:
            returned: Returned = stop.value
            return returned
        yield Progress(min(done + number, total), total, stage)
