"""A field whose pictures are a formula: a ball of radius 1 at the origin, coloured by place, opaque."""

from __future__ import annotations

import time

import numpy as np

from render.cameras import CameraSet
from render.field_picture import FieldPicture
from render.field_pictures import Field
from render.radiance_field import RadianceField
from render.view_field import ViewField
from widgets.viewport_camera import Pinhole

COLOR = (40, 160, 230)
OTHER = (230, 90, 40)  # of a field of views that differs from its originals


def ball() -> RadianceField:
    """What stands for the ball; its parameters are never looked at."""
    pose = np.eye(4)
    pose[2, 3] = 4.0
    cameras = CameraSet(pose[None], np.full((1, 2), 40.0), np.array([[32.0, 24.0]]), np.array([[64, 48]]))
    return RadianceField(
        "{}", {"table": np.zeros(2, np.float32)}, np.eye(4), np.array([[-1.0] * 3, [1.0] * 3]), cameras
    )


def ball_picture(
    camera: Pinhole, top: int, bottom: int, alpha: float = 1.0, color: tuple[int, int, int] = COLOR
) -> FieldPicture:
    """Some rows of the ball's picture, of one colour."""
    width = camera.size[0]
    x = (np.arange(width) + 0.5 - camera.center[0]) / camera.focal
    y = (np.arange(top, bottom) + 0.5 - camera.center[1]) / camera.focal
    rays = np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), -1)
    length = np.linalg.norm(rays, axis=-1)
    middle = camera.cam_from_world[:3, 3]
    along = (rays / length[..., None]) @ middle
    reach = along**2 - middle @ middle + 1.0
    is_hit = (reach > 0) & (along > 0)
    depth = np.where(is_hit, (along - np.sqrt(np.maximum(reach, 0))) / length, 0)
    share = is_hit * np.float32(alpha)
    return FieldPicture(share[..., None] * np.array(color, np.float32) / 255, share, depth)


class OpenBall:
    """Draws balls for a FrameRenderer and counts what it was asked for. seconds: that a row takes."""

    def __init__(self, seconds: float = 0.0, alpha: float = 1.0) -> None:
        self.seconds, self.alpha = seconds, alpha
        self.sizes: list[tuple[int, int]] = []
        self.num_rows = 0

    def __call__(self, field: Field, camera: Pinhole, is_hasty: bool) -> object:
        self.sizes.append(camera.size)

        def rows(top: int, bottom: int) -> FieldPicture:
            time.sleep(self.seconds * (bottom - top))
            self.num_rows += bottom - top
            is_edited = isinstance(field, ViewField) and not np.array_equal(field.pictures, field.originals)
            return ball_picture(camera, top, bottom, self.alpha, OTHER if is_edited else COLOR)

        return rows
