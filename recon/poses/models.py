"""COLMAP's model → posed images that stand upright."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.poses.pictures import Photo
from render.cameras import CameraSet
from render.frame import Frame
from render.images import NUM_LENS_PARAMETERS, ImageSet, PosedImages
from render.lenses import lens_model
from render.points import PointCloud
from render.transforms import Similarity3

Array = NDArray[np.float64]

_LEVEL = 0.02  # mean squared sine between horizons and the level plane, below which photos were held level
_SPREAD = 0.05  # second smallest variance of the horizons' directions that fixes the level plane


def posed_from_model(model: Any, images: ImageSet, photos: Mapping[int, Photo]) -> PosedImages:
    """The placed images of a pycolmap.Reconstruction, turned upright, with its points in grey.

    photos: by image index. Image i of the set has the id i + 1.
    """
    indices = np.array(sorted(id - 1 for id in model.reg_image_ids()))
    views = [model.image(int(i) + 1) for i in indices]
    lenses = [model.camera(view.camera_id) for view in views]
    splits = [_split_params(lens) for lens in lenses]
    poses = np.tile(np.eye(4), (len(views), 1, 1))
    poses[:, :3] = [view.cam_from_world().matrix() for view in views]
    cameras = CameraSet(
        _orthonormal(poses),
        np.array([[lens.focal_length_x, lens.focal_length_y] for lens in lenses]),
        np.array([[lens.principal_point_x, lens.principal_point_y] for lens in lenses]),
        np.array([[lens.width, lens.height] for lens in lenses]),
    )
    points, observations = _points(model, {int(i) + 1: row for row, i in enumerate(indices)})
    posed = PosedImages(
        images.select(indices),
        cameras,
        tuple(lens.model_name for lens in lenses),
        np.stack(splits),
        points=PointCloud(points),
        observations=observations,
    )
    ups = np.array([photos[int(i)].up for i in indices], np.float64)
    return posed.transformed(upright(cameras, ups, points), Frame("+Z"))


def upright(cameras: CameraSet, ups: Array, points: Array) -> Similarity3:
    """The turn that makes +Z up and the middle of the points the origin.

    ups: (N, 2) which way is up in each picture, y down. People hold cameras level, so up is at right angles to the
    horizons; where these do not tell (all parallel, or a camera held at odd angles), it is the mean up.
    """
    rotations = cameras.world_from_cam[:, :3, :3]
    up_of_each = np.einsum("nij,nj->ni", rotations[:, :, :2], ups)
    horizons = np.einsum("nij,nj->ni", rotations[:, :, :2], np.stack([-ups[:, 1], ups[:, 0]], 1))
    mean = up_of_each.mean(0)
    up = mean / max(float(np.linalg.norm(mean)), 1e-9)
    spreads, axes = np.linalg.eigh(horizons.T @ horizons / len(horizons))
    level = axes[:, 0] * np.sign(axes[:, 0] @ up)
    if spreads[0] < _LEVEL and spreads[1] > _SPREAD and level @ up > 0.7:
        up = level
    rotation = _turn_to_z(up)
    middle = np.median(points, axis=0) if len(points) else cameras.positions.mean(0)
    return Similarity3(rotation, -rotation @ middle)


def _turn_to_z(up: Array) -> Array:
    """The rotation whose third row is `up`, and that turns least about it."""
    if np.linalg.norm(up) < 0.5:
        return np.eye(3)  # The cameras' ups cancel each other: none is better than another.
    across = np.eye(3)[np.argmin(np.abs(up))]
    x = across - up * (across @ up)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(up, x), up])


def _orthonormal(poses: Array) -> Array:
    """Rotations without the rounding of quaternions."""
    u, _, vt = np.linalg.svd(poses[:, :3, :3])
    poses[:, :3, :3] = u @ vt
    return poses


def _split_params(lens: Any) -> Array:
    """(12,) distortion parameters of a pycolmap.Camera."""
    params = np.zeros(NUM_LENS_PARAMETERS)
    own = np.asarray(lens.params)[lens_model(lens.model_name).num_focals + 2 :]
    params[: len(own)] = own
    return params


def _points(model: Any, rows: Mapping[int, int]) -> tuple[Array, NDArray[np.int32]]:
    """(M, 3) points and (T, 2) observations. rows: image id → row."""
    points = [model.point3D(id) for id in sorted(model.points3D)]
    positions = np.array([point.xyz for point in points], np.float64).reshape(-1, 3)
    seen = {(rows[element.image_id], k) for k, point in enumerate(points) for element in point.track.elements}
    return positions, np.array(sorted(seen), np.int32).reshape(-1, 2)
