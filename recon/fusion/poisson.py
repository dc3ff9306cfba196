"""A closed surface whose gradient follows oriented points (Kazhdan and Hoppe 2013), with Open3D."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recon.errors import InputError, NoSurface
from recon.fusion import PoissonSettings
from recon.fusion.tsdf import fused_mesh
from recon.fusion.views import depth_views
from recon.method import Output, Progress, Result, Run, RunContext
from render.images import PosedImages
from render.mesh import TriangleMesh
from render.scene_data import SceneData

MIN_POINTS = 50
NEIGHBOURS = 16  # that a sparse point's normal is estimated from


def run(inputs: Mapping[str, SceneData], settings: PoissonSettings, context: RunContext) -> Run:
    """The surface in the scene's frame. Raises InputError where there are neither depth nor points."""
    scene = inputs["scene"]
    assert isinstance(scene, PosedImages)
    has_depth = scene.depth is not None and any(scene.depth.paths)
    if settings.source == "depth" or (settings.source == "auto" and has_depth):
        views = yield from depth_views(scene, settings)
        fused = yield from fused_mesh(views, settings, context)
        points, normals = fused.vertices.astype(np.float64), _vertex_normals(fused)
        colors = fused.colors
    else:
        points, normals, colors = _sparse_points(scene)
    yield Progress(1, 1, "Solving for the surface")
    mesh = _solve(points, normals, colors, settings, scene)
    figures = {"points": len(points), "vertices": len(mesh.vertices), "triangles": len(mesh.faces)}
    return Result((Output("Poisson surface", mesh),), figures)


def _vertex_normals(mesh: TriangleMesh) -> NDArray[np.float64]:
    normals = np.zeros((len(mesh.vertices), 3))
    cross = mesh.face_cross_products
    for corner in range(3):
        np.add.at(normals, mesh.faces[:, corner], cross)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: NDArray[np.float64] = normals / np.maximum(length, 1e-20)
    return unit


def _sparse_points(
    scene: PosedImages,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8] | None]:
    """Sparse points, normals that look at a camera that sees them, colours."""
    if scene.points is None or len(scene.points.points) < MIN_POINTS:
        raise InputError(
            "The scene has neither depth nor enough sparse points for a surface.",
            "Find poses with COLMAP, which gives points, or compute depth with `isokiln run cues`.",
        )
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(np.array(scene.points.points)))
    cloud.estimate_normals(open3d.geometry.KDTreeSearchParamKNN(NEIGHBOURS))
    normals = np.asarray(cloud.normals)
    backwards = (normals * (_seen_from(scene) - scene.points.points)).sum(1) < 0
    return scene.points.points, np.where(backwards[:, None], -normals, normals), scene.points.colors


def _seen_from(scene: PosedImages) -> NDArray[np.float64]:
    """(M, 3) for each sparse point the mean place of the cameras that observe it, of all cameras where none does."""
    assert scene.points is not None and scene.observations is not None
    places = scene.cameras.positions
    views, points = scene.observations.T
    count = np.bincount(points, minlength=len(scene.points.points))
    sums = np.stack([np.bincount(points, places[views, k], len(count)) for k in range(3)], 1)
    return np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], places.mean(0))


def _solve(
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    colors: NDArray[np.uint8] | None,
    settings: PoissonSettings,
    scene: PosedImages,
) -> TriangleMesh:
    import open3d

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(np.array(points)))
    cloud.normals = open3d.utility.Vector3dVector(np.array(normals))
    if colors is not None:
        cloud.colors = open3d.utility.Vector3dVector(colors / 255)
    found, density = open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(
        cloud, depth=settings.depth, n_threads=1
    )
    if settings.trim > 0 and len(density):
        found.remove_vertices_by_mask(np.asarray(density) < np.quantile(np.asarray(density), settings.trim))
    vertices, faces = np.asarray(found.vertices), np.asarray(found.triangles)
    if not len(faces):
        raise NoSurface("Poisson reconstruction found no surface.", "Trim less, or give it more points.")
    shades = np.asarray(found.vertex_colors)
    painted = np.round(np.clip(shades, 0, 1) * 255).astype(np.uint8) if len(shades) == len(vertices) else None
    return TriangleMesh(vertices, faces, painted, frame=scene.frame)
