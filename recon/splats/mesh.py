"""From Gaussian splats to a coloured mesh: truncated signed distances of the depth that they show, fused."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError, NoSurface
from recon.fusion.depth_pictures import is_within, points_of, without_jumps
from recon.fusion.tsdf import TsdfVolume, intrinsics_matrix
from recon.mesh_edits import remove_small_components
from recon.method import Output, Progress, Result, Run, RunContext
from recon.splats import SplatMeshSettings
from recon.splats.surface_depth import surface_depth
from recon.splats.viewpoints import content_of, find_viewpoints
from render.cameras import CameraSet
from render.gaussians import GaussianCloud
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.splat_pictures import splat_picture

LOOK_SIZE = 120  # pixels along the longer side of the depth that the box is found with
OUTERMOST = 0.002  # share of the depth's points on each side that may lie outside the box
MARGIN = 0.1  # of the longest side, around what is within
PREVIEW_EVERY = 16  # views


@dataclass(frozen=True)
class Looks:
    """cameras: of the pictures to take. nearest: as in Viewpoints. box: (2, 3) world bounds of what is fused."""

    cameras: CameraSet
    nearest: float
    box: NDArray[np.float64]


def run(inputs: Mapping[str, Any], settings: SplatMeshSettings, context: RunContext) -> Run:
    """The surface of `inputs["cloud"]` in its frame, seen from the photos of `inputs["scene"]` or from around.

    Raises InputError for an empty cloud, NoSurface where nothing is left.
    """
    cloud: GaussianCloud = inputs["cloud"]
    if not len(cloud):
        raise InputError("There are no splats.", "Choose a layer or a file that holds some.")
    yield Progress(0, 1, "Looking where the content is")
    if not inputs.get("scene"):
        cloud = content_of(cloud)
    cameras, nearest, is_inside = _cameras(cloud, inputs.get("scene"), settings)
    box = yield from _box(cloud, cameras, nearest, settings)
    looks = Looks(cameras, nearest, box)
    longest = float((box[1] - box[0]).max()) / (1 + 2 * MARGIN)
    voxel = settings.voxel or longest / settings.resolution
    mesh = yield from _fuse(cloud, looks, voxel, settings, context)
    if settings.smallest_part and len(mesh.faces):
        mesh = remove_small_components(mesh, settings.smallest_part)
    figures = {
        "views": len(cameras),
        "looked_from": "inside" if is_inside else ("photos" if inputs.get("scene") else "around"),
        "voxel": voxel,
        "vertices": len(mesh.vertices),
        "triangles": len(mesh.faces),
    }
    return Result((Output("Mesh of splats", mesh),), figures)


def _cameras(
    cloud: GaussianCloud, scene: PosedImages | None, settings: SplatMeshSettings
) -> tuple[CameraSet, float, bool]:
    """Cameras at the wished size, what is too near to be drawn, and whether they stand amid the content unasked."""
    if scene is not None and len(scene.used):
        chosen = scene.used[:: max(1, -(-len(scene.used) // settings.views))]
        cameras = scene.cameras.select(chosen)
        factor = np.minimum(1.0, settings.image_size / cameras.size.max(1, keepdims=True))
        sizes = np.maximum(8, np.round(cameras.size * factor)).astype(np.int64)
        return cameras.resized(sizes), 0.01, False
    found = find_viewpoints(cloud, settings.views, settings.image_size)
    return found.cameras, found.nearest, found.is_inside


def _box(
    cloud: GaussianCloud, cameras: CameraSet, nearest: float, settings: SplatMeshSettings
) -> Generator[Progress, None, NDArray[np.float64]]:
    """(2, 3) bounds of nearly all points that the cameras see as surface. Raises NoSurface."""
    factor = np.minimum(1.0, LOOK_SIZE / cameras.size.max(1, keepdims=True))
    small = cameras.resized(np.maximum(4, np.round(cameras.size * factor)).astype(np.int64))
    points = []
    for view in range(len(small)):
        depth = _clean_depth(cloud, small, view, nearest, settings)
        points.append(points_of(small, view, depth))
        yield Progress(view + 1, len(small), "Looking where the content is")
    every = np.concatenate(points)
    if len(every) < 8:
        raise NoSurface(
            "No view shows an opaque surface.", "Lower the least coverage, or give the photos to look from."
        )
    low, high = np.quantile(every, [OUTERMOST, 1 - OUTERMOST], axis=0)
    margin = MARGIN * max(float((high - low).max()), 1e-9)
    return np.stack([low - margin, high + margin])


def _fuse(
    cloud: GaussianCloud, looks: Looks, voxel: float, settings: SplatMeshSettings, context: RunContext
) -> Generator[Progress, None, TriangleMesh]:
    cameras = looks.cameras
    corners = np.linalg.norm(cameras.positions[:, None] - looks.box[None], axis=-1)
    farthest = float(corners.max()) + float(np.linalg.norm(looks.box[1] - looks.box[0]))
    volume = TsdfVolume(voxel, settings.truncation, farthest)
    for view in range(len(cameras)):
        depth = _clean_depth(cloud, cameras, view, looks.nearest, settings)
        depth[~is_within(cameras, view, depth, looks.box)] = 0
        picture = splat_picture(cloud, *_camera(cameras, view), nearest=looks.nearest)
        lens = intrinsics_matrix(cameras.focal[view], cameras.center[view])
        colors = np.round(255 * picture).astype(np.uint8)
        volume.add(depth, colors, lens, cameras.cam_from_world[view])
        preview = None
        if (view + 1) % PREVIEW_EVERY == 0 and context.is_preview_due():
            preview = volume.mesh(settings.min_weight, cloud.frame)
        yield Progress(view + 1, len(cameras), "Fusing depth", preview=preview)
    mesh = volume.mesh(settings.min_weight, cloud.frame)
    if not len(mesh.faces):
        raise NoSurface(
            "The depth of the splats leaves no surface.", "Lower the fewest views, or enlarge the voxels."
        )
    return mesh


def _camera(cameras: CameraSet, view: int) -> tuple[Any, Any, Any, tuple[int, int]]:
    width, height = cameras.size[view]
    return (
        cameras.cam_from_world[view], cameras.focal[view], cameras.center[view], (int(width), int(height))
    )  # fmt: skip


def _clean_depth(
    cloud: GaussianCloud, cameras: CameraSet, view: int, nearest: float, settings: SplatMeshSettings
) -> NDArray[np.float32]:
    """(H, W) z-depth, 0 where too transparent or at a jump, where neither side's depth is right."""
    found = surface_depth(cloud, *_camera(cameras, view), settings.depth, nearest)
    depth = np.where(found.alpha >= settings.min_alpha, found.depth, 0).astype(np.float32)
    depth[depth <= nearest] = 0
    return without_jumps(depth, cameras.focal[view])
