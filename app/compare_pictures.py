"""Pictures of two layers from one camera, drawn by the processor, and what differs between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.layers import Layer
from render.gaussians import GaussianCloud
from render.scene_data import SceneData
from widgets.colour_maps import map_colors
from widgets.compare_canvas import ComparePicture
from widgets.view_compare import ComparedPictures
from widgets.viewport_camera import Pinhole

Picture = NDArray[np.float32]  # (H, W, 3) sRGB within 0 and 1
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_NOTHING = 1 / 255  # a difference that nobody sees
_LEAST_RANGE = 0.05
_DIMMED = 0.45  # light of what did not change


def can_be_pictured(data: object) -> bool:
    """Whether the processor draws such data."""
    from render.radiance_field import RadianceField
    from render.view_field import ViewField

    return isinstance(data, GaussianCloud | RadianceField | ViewField)


def compared(before: Layer, after: Layer, camera: Pinhole, ground: Picture) -> ComparedPictures:
    """Both layers' pictures and their difference. ground: (H, 1, 3) what is behind them."""
    pictures = [_picture(each, camera, ground) for each in (_before(before, after), after.content)]
    first, second = pictures
    difference = np.abs(first - second).max(-1)
    high = max(_LEAST_RANGE, float(difference.max()))
    note = f"Mean {100 * float(difference.mean()):.2g} %, largest {100 * float(difference.max()):.3g} %"
    if float(difference.max()) < _NOTHING:
        note = "No pixel of this view differs"
    return ComparedPictures(
        ComparePicture("Before", _bytes(first)),
        ComparePicture("After", _bytes(second)),
        ComparePicture("Difference", _heat(second, difference, high), (0.0, 100 * high), "%"),
        note,
    )


def _before(before: Layer, after: Layer) -> SceneData:
    """What was before, as something that can be drawn: of an edited scene of photos the same views as they were."""
    from render.view_field import ViewField

    data = before.content
    if can_be_pictured(data) or not isinstance(after.content, ViewField):
        assert not isinstance(data, str)
        return data  # type: ignore[return-value]
    field = after.content
    return replace(field, pictures=field.originals, color_map=field.color_map[:0, :0, :0])


def _picture(data: object, camera: Pinhole, ground: Picture) -> Picture:
    width, height = camera.size
    focal = (camera.focal, camera.focal)
    if isinstance(data, GaussianCloud):
        from render.splat_pictures import splat_picture_with_alpha

        drawn = splat_picture_with_alpha(data, camera.cam_from_world, focal, camera.center, (width, height))
        rgb, alpha = drawn[..., :3], drawn[..., 3]
    else:
        from render.field_pictures import field_picture

        picture = field_picture(data, camera.cam_from_world, focal, camera.center, (width, height))  # type: ignore[arg-type]
        rgb, alpha = picture.rgb, picture.alpha
    return np.clip(rgb + (1 - alpha[..., None]) * ground, 0, 1).astype(np.float32)


def _heat(picture: Picture, difference: NDArray[np.float32], high: float) -> NDArray[np.uint8]:
    """What changed in the colours of its amount, over the dimmed grey picture where nothing did."""
    grey = np.repeat((picture @ _LUMA)[..., None], 3, -1) * _DIMMED
    colors = (
        map_colors(difference.ravel(), "viridis", (0.0, high)).reshape(picture.shape).astype(np.float32) / 255
    )
    share = np.clip((difference - _NOTHING) / (4 * _NOTHING), 0, 1)[..., None]
    return _bytes((1 - share) * grey + share * colors)


def _bytes(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)
