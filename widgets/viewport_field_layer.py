"""A radiance field or a field of views in the viewport: the newest picture of it, hung where the field is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.field_picture import FieldPicture
from render.field_pictures import Field
from render.view_field import ViewField
from widgets import viewport_camera as cameras
from widgets.colour_maps import map_colors
from widgets.depth_picture import DepthPicture, DepthPixels
from widgets.theme import Theme
from widgets.viewport_camera import CameraPose, Pinhole, Size, box_corners
from widgets.viewport_style import FieldVersion, LayerStyle, Shading

Array = NDArray[np.float64]
Part = tuple[float, float, float]
WHOLE_PART: Part = (-2.0, 2.0, 0.0)
_SOLID = 0.5  # alpha from which on a pixel shows a thing that can be picked
_MOST_POINTS = 20_000  # of a picture that are looked through for the one under the pointer
_REACH = 6.0  # pixels around the pointer in which they are looked for


@dataclass(frozen=True, eq=False)
class FieldFrame:
    """A picture of a field that was drawn for a camera. pose: None for none of the viewport's own."""

    picture: FieldPicture
    camera: Pinhole
    pose: CameraPose | None = None


class FieldLayer:
    """One field and how it is drawn; pictures of it are made elsewhere and given to `show_frame`."""

    def __init__(self, theme: Theme, pixel_ratio: float) -> None:
        self._field: Field | None = None
        self._original: Field | None = None
        self._style = LayerStyle()
        self._bounds: Array | None = None
        self._hung, self._before = DepthPicture(), DepthPicture()
        self._frame: FieldFrame | None = None
        self._frame_before: FieldFrame | None = None
        self._depth_range = (0.0, 1.0)

    @property
    def data(self) -> Field | None:
        return self._field

    @property
    def style(self) -> LayerStyle:
        return self._style

    @property
    def actors(self) -> tuple[Any, ...]:
        return *self._hung.actors, *self._before.actors

    @property
    def bounds(self) -> Array | None:
        """(2, 3) around the field, or None before there is one."""
        return self._bounds

    @property
    def outer_points(self) -> Array:
        """What to fit the camera to: the corners (8, 3) of the bounds."""
        return box_corners(self._bounds)

    def drawn(self, view: FieldVersion | None = None) -> Field | None:
        """The field that pictures are to be made of: as it is, or as it was before its edit; as its style says unless
        `view` does."""
        field = self._field
        if not isinstance(field, ViewField) or (view or self._style.field_view) == "edited":
            return field
        if self._original is None:
            self._original = before_edit(field)
        return self._original

    @property
    def frame(self) -> FieldFrame | None:
        """The picture that is shown."""
        return self._frame

    def set(self, field: Field, style: LayerStyle, shading: Shading) -> None:
        """Show this field in this way; the last picture stays until there is one of it."""
        if field is not self._field:
            self._field, self._original = field, None
            self._bounds = np.asarray(field.bounds, np.float64)
        is_other = style.field_coloring != self._style.field_coloring
        self._style = style
        if is_other:
            self._hang(self._hung, self._frame)
            self._hang(self._before, self._frame_before)

    def show_frame(self, frame: FieldFrame | None, depth_range: tuple[float, float] = (0.0, 1.0)) -> None:
        """Show a picture of the field, or none. depth_range: what the ends of the colours of "depth" stand for."""
        self._frame, self._depth_range = frame, depth_range
        self._hang(self._hung, frame)

    def show_before(self, frame: FieldFrame | None) -> None:
        """Show a picture of the field as it was before its edit beside the other, or none."""
        if frame is not self._frame_before:
            self._frame_before = frame
            self._hang(self._before, frame)

    def follow(
        self,
        renderer: Any,
        clip: tuple[Array, float] | None,
        side: Part = WHOLE_PART,
        side_before: Part = WHOLE_PART,
    ) -> None:
        """Get ready for the next picture of VTK's. side: see DepthPicture."""
        self._hung.follow(renderer, self._style.opacity, clip, side)
        self._before.follow(renderer, self._style.opacity, clip, side_before)

    def set_theme(self, theme: Theme, pixel_ratio: float) -> None:
        """A field has its own colours."""

    def set_clipping(self, plane: Any | None) -> None:
        """The plane is the scene's; `follow` is told of it."""

    def release(self) -> None:
        """Hold the pixels no longer."""
        self._frame = self._frame_before = None
        for hung in (self._hung, self._before):
            hung.set(None, is_smooth=False)

    def under(self, pose: CameraPose, at: tuple[float, float], size: Size) -> tuple[Array, float] | None:
        """The point of the field that is seen at a pixel, as far as the newest picture tells, and its distance."""
        frame = self._frame
        if frame is None or self._hung.solid.GetVisibility() == 0:
            return None
        point = (
            _point_at(frame, at, size)
            if frame.pose == pose
            else _point_near(_some_points(frame), pose, at, size)
        )
        if point is None:
            return None
        origin, direction = cameras.ray(pose, *at, size)
        return point, float((point - origin) @ direction)

    def _hang(self, hung: DepthPicture, frame: FieldFrame | None) -> None:
        if frame is None:
            hung.set(None, is_smooth=False)
            return
        picture = frame.picture
        rgb = picture.rgb
        if self._style.field_coloring == "depth":
            away = picture.depth + np.float32(_before(frame))
            colors = map_colors(away.reshape(-1), "viridis", self._depth_range).reshape(*away.shape, 3)
            rgb = (colors.astype(np.float32) * picture.alpha[..., None] / 255).astype(np.float32)
        rgba = np.concatenate([rgb, picture.alpha[..., None]], -1)
        pixels = DepthPixels((np.clip(rgba, 0, 1) * 255 + 0.5).astype(np.uint8), picture.depth, frame.camera)
        hung.set(pixels, is_smooth=True)


def before_edit(field: ViewField) -> ViewField:
    """The same scene with its pictures as they were."""
    none = np.zeros((0, 0, 0, 12), np.float32)
    return replace(field, pictures=field.originals, color_map=none, weights=np.ones_like(field.weights))


def _before(frame: FieldFrame) -> float:
    """What to add to a depth for the distance from the pose: the camera of a parallel one stands far behind it."""
    return 0.0 if frame.pose is None else frame.pose.distance - frame.camera.distance


def _point_at(frame: FieldFrame, at: tuple[float, float], size: Size) -> Array | None:
    height, width = frame.picture.depth.shape
    x, y = at[0] * width / size[0], at[1] * height / size[1]
    column, row = min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)
    depth = float(frame.picture.depth[row, column])
    if depth <= 0 or frame.picture.alpha[row, column] < _SOLID:
        return None
    return np.asarray(_placed(frame.camera, np.array([[x, y]]), np.array([depth]))[0])


def _some_points(frame: FieldFrame) -> Array:
    """World points (N, 3) of some of the picture's solid pixels."""
    picture = frame.picture
    step = max(1, round((picture.depth.size / _MOST_POINTS) ** 0.5))
    depth, alpha = picture.depth[::step, ::step], picture.alpha[::step, ::step]
    rows, columns = np.nonzero((depth > 0) & (alpha >= _SOLID))
    pixels = np.stack([columns, rows], 1) * step + 0.5
    return _placed(frame.camera, pixels, depth[rows, columns].astype(np.float64))


def _point_near(points: Array, pose: CameraPose, at: tuple[float, float], size: Size) -> Array | None:
    """The point in front of those that are seen near a pixel."""
    if not len(points):
        return None
    seen = cameras.project(pose, points, size)
    is_near = np.linalg.norm(seen[:, :2] - at, axis=1) <= _REACH
    is_near &= (seen[:, 2] > 0) | pose.parallel
    if not is_near.any():
        return None
    found = np.nonzero(is_near)[0]
    return np.asarray(points[found[int(seen[found, 2].argmin())]])


def _placed(camera: Pinhole, pixels: Array, depths: Array) -> Array:
    """Pixels (N, 2) with depths (N,) in the world (N, 3)."""
    in_cam = np.ones((len(pixels), 3))
    in_cam[:, :2] = (pixels - camera.center) / camera.focal
    in_cam *= depths[:, None]
    world_from_cam = np.linalg.inv(camera.cam_from_world)
    return np.asarray(in_cam @ world_from_cam[:3, :3].T + world_from_cam[:3, 3])
