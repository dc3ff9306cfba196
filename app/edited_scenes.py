"""Which layers of a project are scenes edited by words, and the photos that they were made from."""

from __future__ import annotations

from collections.abc import Sequence

from app.layers import Layer
from app.project import Project
from render.images import PosedImages
from render.view_field import ViewField

METHOD = "dn2n"


def photos_of(project: Project, layer: Layer) -> Layer | None:
    """The photos themselves, or those that an edit was made from."""
    if isinstance(layer.data, PosedImages):
        return layer
    given = () if layer.origin is None else layer.origin.inputs
    found = (project.layer(each) for each in given)
    return next((x for x in found if x is not None and isinstance(x.data, PosedImages)), None)


def edited_field(project: Project, selected: Sequence[Layer]) -> ViewField | None:
    """The edited scene that is selected, else the newest that was accepted."""
    edits = [x.data for x in project.layers if isinstance(x.data, ViewField) and not x.is_pending]
    chosen = [x.data for x in selected if isinstance(x.data, ViewField)]
    return next(iter([*chosen, *reversed(edits)]), None)
