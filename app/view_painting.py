"""Views of splats to paint on: as the window shows them, or from the project's cameras, else from around."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.layers import Layer
from render.cameras import CameraSet, limited_size
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from widgets.paint_canvas import Picture
from widgets.viewport_camera import Pinhole

_NUM_AROUND = 6
_LONGEST = 720  # pixels
_FOLDER = "painted"
_FILLED = 0.6  # of a view's sides that a part takes


@dataclass(frozen=True, eq=False)
class PaintedPictures:
    """Pictures that a person painted, by the names of their views, and the cameras of these views."""

    pictures: dict[str, Picture]
    cameras: PosedImages


@dataclass(frozen=True, eq=False)
class ViewToPaint:
    """name: of its file. picture: (H, W, 3). mask: (H, W), how much of each pixel shows the part."""

    name: str
    picture: Picture
    mask: NDArray[np.float32]


def views_to_paint(
    cloud: GaussianCloud, part: int, seen: Pinhole, scene: Layer | None
) -> tuple[list[ViewToPaint], PosedImages]:
    """The view as it is now and some others, drawn by the processor, with where the part is; and their cameras."""
    whose = cloud.extra["part"] == part
    cameras = _closer(_joined(_of_view(seen), _others(cloud, scene)), cloud.means[whose])
    names = tuple(f"view-{i + 1:02d}.png" for i in range(len(cameras)))
    posed = PosedImages(ImageSet(_FOLDER, names, frame=cloud.frame), cameras, frame=cloud.frame)
    return [_drawn(cloud, whose, cameras, i, names[i]) for i in range(len(cameras))], posed


def _of_view(seen: Pinhole) -> CameraSet:
    return CameraSet(
        seen.cam_from_world[None], np.full((1, 2), seen.focal), np.array([seen.center]), np.array([seen.size])
    )


def _others(cloud: GaussianCloud, scene: Layer | None) -> CameraSet:
    """Views of the project's cameras, some of many; a ring where there are none."""
    if scene is not None and isinstance(scene.data, PosedImages) and len(scene.data.used):
        used = scene.data.used
        chosen = used[np.unique(np.linspace(0, len(used) - 1, _NUM_AROUND).round().astype(int))]
        cameras = scene.data.cameras.select(chosen)
        sizes = np.array([limited_size(size, _LONGEST) for size in cameras.size])
        return cameras.resized(sizes)
    from recon.romap.ring import ring_of_cameras

    return ring_of_cameras(cloud, _NUM_AROUND, _LONGEST)


def _closer(cameras: CameraSet, points: NDArray[np.float32]) -> CameraSet:
    """The same views, so close that these points fill the middle of each; from where they lie behind, as it is."""
    focal, center = cameras.focal.copy(), cameras.center.copy()
    for i, pose in enumerate(cameras.cam_from_world):
        in_camera = points @ pose[:3, :3].T + pose[:3, 3]
        if (in_camera[:, 2] <= 0).any():
            continue
        seen = in_camera[:, :2] / in_camera[:, 2:]
        low, high = np.quantile(seen, [0.02, 0.98], axis=0)
        room = (high - low) * focal[i] / (_FILLED * cameras.size[i])
        factor = max(1.0, 1 / max(float(room.max()), 1e-6))
        focal[i] *= factor
        center[i] = cameras.size[i] / 2 - focal[i] * (low + high) / 2 if factor > 1 else center[i]
    return replace(cameras, focal=focal, center=center)


def _joined(a: CameraSet, b: CameraSet) -> CameraSet:
    names = ("cam_from_world", "focal", "center", "size")
    return CameraSet(*(np.concatenate([getattr(a, name), getattr(b, name)]) for name in names))


def _drawn(
    cloud: GaussianCloud,
    whose: NDArray[np.bool_],
    cameras: CameraSet,
    i: int,
    name: str,
) -> ViewToPaint:
    from render.splat_pictures import colors_from, splat_channels

    pose, size = cameras.cam_from_world[i], (int(cameras.size[i, 0]), int(cameras.size[i, 1]))
    channels = np.concatenate([colors_from(cloud, pose), whose.astype(np.float32)[:, None]], 1)
    drawn, _ = splat_channels(cloud, channels, pose, cameras.focal[i], cameras.center[i], size)
    picture = np.asarray(np.clip(drawn[..., :3], 0, 1) * 255 + 0.5, np.uint8)
    return ViewToPaint(name, picture, np.clip(drawn[..., 3], 0, 1).astype(np.float32))
