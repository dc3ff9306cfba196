"""Pictures of radiance fields from any camera, whatever kind of field it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from render.field_picture import FieldPicture
from render.radiance_field import RadianceField
from render.view_field import ViewField

Field = RadianceField | ViewField


def field_picture(
    field: Field, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: tuple[int, int]
) -> FieldPicture:
    """A field from one pinhole. cam_from_world: (4, 4). focal, center: (2,) pixels. size: width, height."""
    pose, focal, center = (np.asarray(each, np.float64) for each in (cam_from_world, focal, center))
    if isinstance(field, RadianceField):
        from render.radiance_pictures import radiance_picture

        return radiance_picture(field, pose, focal, center, size)
    from render.view_pictures import view_picture

    return view_picture(field, pose, focal, center, size)
