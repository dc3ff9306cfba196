"""What a field shows from its cameras: pictures with depth, and the surface that they agree on."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError, NoSurface
from recon.fields import FieldLooks
from recon.fusion.depth_pictures import is_within, points_of, without_jumps
from recon.fusion.tsdf import TsdfVolume, intrinsics_matrix
from recon.method import Progress, RunContext
from render.cameras import CameraSet
from render.field_picture import FieldPicture
from render.field_pictures import Field, field_picture
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.radiance_field import RadianceField

OUTERMOST = 0.01  # share of the depth's points on each side that may lie outside of what is fused
MARGIN = 0.05  # of the longest side, around what is within
PREVIEW_EVERY = 16  # views
FEWEST_POINTS = 8


@dataclass(frozen=True)
class Look:
    """What one camera sees: rgb (H, W, 3) uint8, z-depth (H, W), 0 where nothing is or at jumps."""

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]


@dataclass(frozen=True)
class Looks:
    """cameras: of the N pictures. looks: what they see. box: (2, 3) world bounds of what is fused."""

    cameras: CameraSet
    looks: tuple[Look, ...]
    box: NDArray[np.float64]

    @property
    def longest(self) -> float:
        """Longest side of the box."""
        return float((self.box[1] - self.box[0]).max())


def look_around(
    field: Field, scene: PosedImages | None, settings: FieldLooks
) -> Generator[Progress, None, Looks]:
    """Draw the field from a scene's cameras, or its own. Raises InputError without cameras, NoSurface where nothing
    is seen."""
    cameras = _cameras(field, scene, settings)
    looks, points = [], []
    for view in range(len(cameras)):
        yield Progress(view + 1, len(cameras), "Looking through the cameras")
        found = _look(_picture(field, cameras, view), cameras, view)
        looks.append(found)
        points.append(points_of(cameras, view, found.depth))
    every = np.concatenate(points)
    if len(every) < FEWEST_POINTS:
        raise NoSurface(
            "The field shows no opaque surface from these cameras.",
            "Train it for longer, or look from others.",
        )
    return Looks(cameras, tuple(looks), _box(field, every))


def fuse(
    looks: Looks, field: Field, settings: FieldLooks, context: RunContext
) -> Generator[Progress, None, TriangleMesh]:
    """The surface that the pictures agree on. Raises NoSurface."""
    cameras, box = looks.cameras, looks.box
    corners = np.linalg.norm(cameras.positions[:, None] - box[None], axis=-1)
    farthest = float(corners.max()) + float(np.linalg.norm(box[1] - box[0]))
    volume = TsdfVolume(voxel_of(looks, settings), settings.truncation, farthest)
    for view, look in enumerate(looks.looks):
        depth = np.where(is_within(cameras, view, look.depth, box), look.depth, 0).astype(np.float32)
        lens = intrinsics_matrix(cameras.focal[view], cameras.center[view])
        volume.add(depth, look.rgb, lens, cameras.cam_from_world[view])
        preview = None
        if (view + 1) % PREVIEW_EVERY == 0 and context.is_preview_due():
            preview = volume.mesh(settings.min_weight, field.frame)
        yield Progress(view + 1, len(cameras), "Fusing depth", preview=preview)
    mesh = volume.mesh(settings.min_weight, field.frame)
    if not len(mesh.faces):
        raise NoSurface(
            "The depth of the field leaves no surface.", "Lower the fewest views, or enlarge the voxels."
        )
    return mesh


def voxel_of(looks: Looks, settings: FieldLooks) -> float:
    """Side of a voxel in the scene's unit."""
    return settings.voxel or looks.longest / (1 + 2 * MARGIN) / settings.resolution


def _cameras(field: Field, scene: PosedImages | None, settings: FieldLooks) -> CameraSet:
    cameras = field.cameras
    if scene is not None:
        cameras = scene.cameras.select(scene.used)
    if not len(cameras):
        raise InputError("There are no cameras to look from.", "Choose a scene that has some.")
    cameras = cameras.select(np.arange(0, len(cameras), max(1, -(-len(cameras) // settings.views))))
    factor = np.minimum(1.0, settings.image_size / cameras.size.max(1, keepdims=True))
    return cameras.resized(np.maximum(8, np.round(cameras.size * factor)).astype(np.int64))


def _picture(field: Field, cameras: CameraSet, view: int) -> FieldPicture:
    width, height = cameras.size[view].tolist()
    camera = cameras.cam_from_world[view], cameras.focal[view], cameras.center[view]
    try:
        return field_picture(field, *camera, (width, height))
    except ValueError as error:
        raise InputError(
            f"The field cannot be drawn: {error}.",
            "It may come from another version of this program; make it anew.",
        ) from error


def _look(picture: FieldPicture, cameras: CameraSet, view: int) -> Look:
    rgb = picture.rgb / np.maximum(picture.alpha, 1e-3)[..., None]
    depth = without_jumps(picture.depth, cameras.focal[view])
    return Look(np.round(255 * np.clip(rgb, 0, 1)).astype(np.uint8), depth)


def _box(field: Field, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3) of nearly all that is seen, within the bounds of a radiance field, which may have been set by hand."""
    low, high = np.quantile(points, [OUTERMOST, 1 - OUTERMOST], axis=0)
    if isinstance(field, RadianceField):
        bounds = field.bounds
        inner_low, inner_high = np.maximum(low, bounds[0]), np.minimum(high, bounds[1])
        if (inner_low < inner_high).all():
            low, high = inner_low, inner_high
    margin = MARGIN * max(float((high - low).max()), 1e-9)
    return np.stack([low - margin, high + margin])
