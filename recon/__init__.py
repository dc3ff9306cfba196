"""What makes scene data: formats and methods."""

from __future__ import annotations

from recon import (
    cues,
    debsdf,
    distance,
    dn2n,
    extraction,
    fields,
    fusion,
    interpolation,
    nerf,
    orex,
    poses,
    romap,
    splats,
    views,
)
from recon.errors import SettingsError
from recon.method import Method

# In menu order.
METHODS: tuple[Method, ...] = (
    orex.METHOD,
    interpolation.METHOD,
    distance.METHOD,
    debsdf.METHOD,
    fusion.TSDF,
    fusion.POISSON,
    splats.METHOD,
    splats.MESH,
    nerf.METHOD,
    fields.MESH,
    fields.SPLATS,
    romap.RING,
    romap.PART,
    romap.EDIT,
    dn2n.METHOD,
    extraction.METHOD,
    views.METHOD,
    poses.METHOD,
    cues.METHOD,
)


def method_by_id(method_id: str) -> Method:
    """The method with this id. Raises SettingsError that lists the ids there are."""
    for candidate in METHODS:
        if candidate.id == method_id:
            return candidate
    known = ", ".join(candidate.id for candidate in METHODS)
    raise SettingsError(f"There is no method {method_id!r}.", f"Choose one of: {known}.")
