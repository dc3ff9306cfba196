"""Sparse points for scenes whose own file has none: of a COLMAP model beside it, or of a point cloud file.

A model is used only where its cameras agree with the scene's, in the same frame or after one similarity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.errors import FormatError
from recon.formats import colmap, point_cloud
from recon.formats.reading import Note, Reading
from recon.formats.scene_sniffing import find_colmap_models
from render.images import PosedImages
from render.points import PointCloud
from render.transforms import Similarity3

Array = NDArray[np.float64]

_SAME_PLACE = 1e-3  # of the cameras' extent: what rounding in a text file does
_NEAR_PLACE = 0.02  # of the cameras' extent: what two runs of structure from motion differ by
_SAME_TURN, _NEAR_TURN = np.radians(0.1), np.radians(2.0)


@dataclass(frozen=True, eq=False)
class _Common:
    """Images that scene and model share: their indices in each, and the model's poses."""

    in_scene: NDArray[np.int64]
    in_model: NDArray[np.int64]
    world_from_cam: Array


def with_sparse_points(reading: Reading, root: Path, cloud: Path | None = None) -> Reading:
    """The scene with the points and tracks of a COLMAP model under `root`, else with the points of `cloud`."""
    posed = reading.data
    if not isinstance(posed, PosedImages) or posed.points is not None:
        return reading
    found, notes = _of_model(posed, root)
    if found is None and cloud is not None and cloud.is_file():
        found, more = _of_cloud(posed, cloud)
        notes += more
    return replace(reading, data=found or posed, notes=(*reading.notes, *notes))


def _of_model(posed: PosedImages, root: Path) -> tuple[PosedImages | None, list[Note]]:
    if not find_colmap_models(root):
        return None, []
    try:
        model, points, seen = colmap.read_points(root)
    except FormatError as error:
        sentence = f"The COLMAP model beside the file cannot be read, so there are no sparse points: {error.sentence}"
        return None, [Note("warning", sentence)]
    if points is None:
        return None, []
    poses = np.array([colmap.world_from_cam(image) for image in model.images])
    common = _common(posed, [image.name for image in model.images], poses)
    scene_from_model = _agreement(posed.cameras.world_from_cam[common.in_scene], common.world_from_cam)
    if scene_from_model is None:
        sentence = "The COLMAP model beside the file has other cameras; its points were not used."
        return None, [Note("warning", sentence)]
    place = np.full(len(model.images), -1, np.int32)
    place[common.in_model] = common.in_scene
    seen = np.stack([place[seen[:, 0]], seen[:, 1]], 1)
    points = points.transformed(scene_from_model, posed.frame)
    is_moved = scene_from_model.scale != 1 or np.any(scene_from_model.translation)
    how = ", moved into the scene's frame" if is_moved else ""
    sentence = f"{len(points.points)} sparse points were taken from the COLMAP model beside the file{how}."
    return replace(posed, points=points, observations=seen[seen[:, 0] >= 0]), [Note("info", sentence)]


def _common(posed: PosedImages, names: Sequence[str], poses: Array) -> _Common:
    """By the whole name where it ends the path, else by the file's name where that is unambiguous."""
    paths = [f"/{path}" for path in posed.images.paths]
    by_name: dict[str, list[int]] = {}
    for i, path in enumerate(paths):
        by_name.setdefault(Path(path).stem, []).append(i)
    pairs = []
    for k, name in enumerate(names):
        candidates = by_name.get(Path(name).stem, [])
        exact = [i for i in candidates if paths[i].endswith(f"/{name}")]
        if len(exact or candidates) == 1 and np.isfinite(poses[k]).all():
            pairs.append(((exact or candidates)[0], k))
    table = np.array(sorted(dict(pairs).items()), np.int64).reshape(-1, 2)
    return _Common(table[:, 0], table[:, 1], poses[table[:, 1]])


def _agreement(scene: Array, model: Array) -> Similarity3 | None:
    """scene_from_model for (C, 4, 4) poses of the same cameras; None where they are of different scenes."""
    if len(scene) == 0:
        return None
    same = Similarity3.identity()
    if _agree(scene, model, same, _SAME_PLACE, _SAME_TURN):
        return same
    if len(scene) < 3:
        return None
    fitted = fit_similarity(model, scene)
    return fitted if fitted is not None and _agree(scene, model, fitted, _NEAR_PLACE, _NEAR_TURN) else None


def _agree(scene: Array, model: Array, scene_from_model: Similarity3, place: float, turn: float) -> bool:
    """Whether most cameras lie in the same places and look the same way."""
    extent = max(float(np.linalg.norm(np.ptp(scene[:, :3, 3], axis=0))), 1e-9)
    apart = np.linalg.norm(scene_from_model.apply(model[:, :3, 3]) - scene[:, :3, 3], axis=1)
    turns = np.einsum("nji,jk,nki->n", scene[:, :3, :3], scene_from_model.rotation, model[:, :3, :3])
    angles = np.arccos(np.clip((turns - 1) / 2, -1, 1))
    return bool(np.median(apart) < place * extent and np.median(angles) < turn)


def fit_similarity(a: Array, b: Array) -> Similarity3 | None:
    """b_from_a for (C, 4, 4) world_from_cam of the same cameras in both frames.

    The rotation is the mean of the cameras' own turns, so that cameras in one line are enough; scale and place
    by least squares (Umeyama, 1991). None where the cameras stand in one point.
    """
    left, _, right = np.linalg.svd(np.einsum("nij,nkj->ik", b[:, :3, :3], a[:, :3, :3]))
    rotation = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
    from_a, to_b = a[:, :3, 3] @ rotation.T, b[:, :3, 3]
    centered_a, centered_b = from_a - from_a.mean(0), to_b - to_b.mean(0)
    spread = (centered_a**2).sum()
    scale = (centered_a * centered_b).sum() / spread if spread > 0 else 0.0
    if not scale > 0:
        return None
    return Similarity3(rotation, to_b.mean(0) - scale * from_a.mean(0), float(scale))


def _of_cloud(posed: PosedImages, cloud: Path) -> tuple[PosedImages | None, list[Note]]:
    try:
        points = point_cloud.read(cloud)
    except FormatError as error:
        return None, [Note("warning", f"Its point cloud cannot be read: {error.sentence}")]
    sentence = f"{len(points.points)} points were taken from {cloud.name}."
    return replace(posed, points=PointCloud(points.points, points.colors, frame=posed.frame)), [
        Note("info", sentence)
    ]
