"""Truncated signed distances of all views averaged in voxel blocks, with Open3D."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon.errors import NoSurface
from recon.fusion import FusionSettings
from recon.fusion.views import DepthViews, depth_views
from recon.method import Output, Progress, Result, Run, RunContext
from render.frame import Frame
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.scene_data import SceneData

AUTO_VOXELS = 220  # along the region's longest side
BLOCK = 8  # voxels along a block's side
FIRST_BLOCKS = 10_000
PREVIEW_EVERY = 16  # views


def run(inputs: Mapping[str, SceneData], settings: FusionSettings, context: RunContext) -> Run:
    """The fused surface in the scene's frame, coloured, faces towards free space.

    Raises InputError where no depth can be aligned, NoSurface where nothing is left.
    """
    scene = inputs["scene"]
    assert isinstance(scene, PosedImages)
    views = yield from depth_views(scene, settings)
    mesh = yield from fused_mesh(views, settings, context)
    figures = {
        "views": len(views.posed),
        "views_fused": len(views.views),
        "voxel": voxel_size(views, settings),
        "verdicts": list(views.verdicts),
        "vertices": len(mesh.vertices),
        "triangles": len(mesh.faces),
    }
    return Result((Output("TSDF surface", mesh),), figures)


def voxel_size(views: DepthViews, settings: FusionSettings) -> float:
    """In the scene's unit."""
    return settings.voxel or 2 * views.region.world_from_box.scale / AUTO_VOXELS


def fused_mesh(
    views: DepthViews, settings: FusionSettings, context: RunContext
) -> Generator[Progress, None, TriangleMesh]:
    """Fuse view by view; photos and depth are held one at a time."""
    volume = TsdfVolume(voxel_size(views, settings), settings.truncation, _farthest(views, settings))
    for done, view in enumerate(views.views, 1):
        intrinsics = intrinsics_matrix(views.cameras.focal[view], views.cameras.center[view])
        pose = views.cameras.cam_from_world[view]
        volume.add(views.read_depth(view), views.read_color(view), intrinsics, pose)
        preview = None
        if done % PREVIEW_EVERY == 0 and context.is_preview_due():
            preview = volume.mesh(settings.min_weight, views.posed.frame)
        yield Progress(done, len(views.views), "Fusing depth", preview=preview)
    mesh = volume.mesh(settings.min_weight, views.posed.frame)
    if not len(mesh.faces):
        raise NoSurface(
            "The depth of the views leaves no surface.",
            "Lower the fewest views, enlarge the truncation, or check that the region holds the scene.",
        )
    return mesh


def _farthest(views: DepthViews, settings: FusionSettings) -> float:
    extent = views.region.bounds_in_box[1] - views.region.bounds_in_box[0]
    return settings.max_depth or float(np.linalg.norm(extent)) * views.region.world_from_box.scale


def intrinsics_matrix(focal: NDArray[np.float64], center: NDArray[np.float64]) -> NDArray[np.float64]:
    """As here, the centre of Open3D's first pixel is (0.5, 0.5): its fusion cuts off where a point falls."""
    (fx, fy), (cx, cy) = focal, center
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


class TsdfVolume:
    """Open3D's sparse voxel grid; grows with the surface.

    voxel: its side in the world's unit; truncation: in voxels; farthest: depth beyond which nothing counts."""

    def __init__(self, voxel: float, truncation: float, farthest: float) -> None:
        import open3d

        geometry: Any = open3d.t.geometry  # its type stubs know no tuples

        self._core, self._image = open3d.core, open3d.t.geometry.Image
        self._truncation, self._farthest = truncation, farthest
        kind = self._core.float32
        self._grid = geometry.VoxelBlockGrid(
            ("tsdf", "weight", "color"), (kind, kind, kind), ((1), (1), (3)), voxel, BLOCK, FIRST_BLOCKS,
            self._core.Device("CPU:0"),
        )  # fmt: skip

    def add(
        self,
        depth: NDArray[np.float32],
        color: NDArray[np.uint8],
        intrinsics: NDArray[np.float64],
        pose: NDArray[np.float64],
    ) -> None:
        """One view: (H, W) z-depth in the world's unit, 0 unknown; (H, W, 3) colour; (3, 3); (4, 4) from world."""
        if not ((depth > 0) & (depth < self._farthest)).any():
            return
        tensor: Any = self._core.Tensor
        picture = self._image(tensor(np.ascontiguousarray(depth)))
        colors = self._image(tensor(np.ascontiguousarray(color, np.float32) / np.float32(255)))
        lens, place = tensor(intrinsics), tensor(np.ascontiguousarray(pose))
        limits = (1.0, self._farthest, self._truncation)
        blocks = self._grid.compute_unique_block_coordinates(picture, lens, place, *limits)
        self._grid.integrate(blocks, picture, colors, lens, place, *limits)

    def mesh(self, min_weight: float, frame: Frame) -> TriangleMesh:
        """The surface that at least `min_weight` views have seen."""
        found = self._grid.extract_triangle_mesh(min_weight)
        if not len(found.triangle) or "indices" not in found.triangle:
            return TriangleMesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), frame=frame)
        colors = np.clip(np.round(found.vertex["colors"].numpy() * 255), 0, 255).astype(np.uint8)
        vertices, faces = found.vertex["positions"].numpy(), found.triangle["indices"].numpy()
        return TriangleMesh(vertices, faces, colors, frame=frame)
