"""From a field to Gaussian splats: flat ones on the surface that it shows, which training may then fit to its pictures."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from recon.fields import FieldSplatsSettings
from recon.fields.looks import Looks, fuse, look_around
from recon.method import Output, Progress, Result, Run, RunContext, StopRequested
from recon.splats import SplatSettings
from render.gaussians import GaussianCloud
from render.images import ImageSet, PosedImages
from render.mesh import TriangleMesh
from render.spherical_harmonics import SH_C0

NEIGHBOURS = 4
SPREAD = 0.6  # standard deviation along the surface, in distances to the neighbours
FLATNESS = 0.15  # standard deviation across the surface, in those along it
OPACITY = 0.95
FOLDER = "field-views"


def run(inputs: Mapping[str, Any], settings: FieldSplatsSettings, context: RunContext) -> Run:
    """Gaussians that look like `inputs["field"]`, in its frame, seen from its cameras or those of `inputs["scene"]`.

    Raises InputError for a field that cannot be drawn, NoSurface where it shows none."""
    field = inputs["field"]
    looks = yield from look_around(field, inputs.get("scene"), settings)
    mesh = yield from fuse(looks, field, settings, context)
    cloud = cloud_on(mesh, settings.max_gaussians, np.random.default_rng(context.seed))
    figures: dict[str, Any] = {"views": len(looks.cameras), "gaussians_on_surface": len(cloud)}
    if settings.steps:
        cloud, of_training = yield from _trained(cloud, looks, settings, context)
        figures |= of_training
    return Result((Output("Splats of the field", cloud),), figures | {"gaussians": len(cloud)})


def cloud_on(mesh: TriangleMesh, most: int, rng: np.random.Generator) -> GaussianCloud:
    """Flat Gaussians on the vertices of a coloured mesh, or on so many of them, as wide as their neighbours are far."""
    chosen = np.arange(len(mesh.vertices))
    if len(chosen) > most:
        chosen = np.sort(rng.choice(len(chosen), most, replace=False))
    places = mesh.vertices[chosen].astype(np.float64)
    wide = np.log(SPREAD * _spacing(places)).astype(np.float32)
    scales = np.stack([wide, wide, wide + np.float32(np.log(FLATNESS))], 1)
    logits = np.full(len(places), np.log(OPACITY / (1 - OPACITY)), np.float32)
    colors = np.full((len(places), 3), 0.5) if mesh.colors is None else mesh.colors[chosen] / 255
    return GaussianCloud(
        places.astype(np.float32), _turns(_normals(mesh)[chosen]), scales, logits,
        ((colors - 0.5) / SH_C0)[:, None].astype(np.float32), frame=mesh.frame,
    )  # fmt: skip


def _spacing(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) mean distance to the nearest neighbours, of places that do not lie in one."""
    count = min(NEIGHBOURS, len(places) - 1)
    if count < 1:
        return np.ones(len(places))
    distances = np.asarray(cKDTree(places).query(places, count + 1)[0])[:, 1:].mean(1)
    return np.asarray(np.maximum(distances, 1e-6 * max(float(np.ptp(places, axis=0).max()), 1e-12)))


def _normals(mesh: TriangleMesh) -> NDArray[np.float64]:
    """(V, 3) of length 1, the mean of the faces around by area."""
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    of_faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((len(mesh.vertices), 3))
    for corner in range(3):
        np.add.at(normals, mesh.faces[:, corner], of_faces)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 0, normals / np.maximum(length, 1e-30), np.array([0.0, 0, 1]))


def _turns(normals: NDArray[np.float64]) -> NDArray[np.float32]:
    """(N, 4) quaternions wxyz that turn the z axis to normals (N, 3)."""
    x, y, z = normals.T
    is_opposite = z < -1 + 1e-9
    quats = np.stack([1 + z, -y, x, np.zeros_like(z)], 1)
    quats[is_opposite] = [0.0, 1.0, 0.0, 0.0]
    return np.asarray(quats / np.linalg.norm(quats, axis=1, keepdims=True), np.float32)


def _trained(
    cloud: GaussianCloud, looks: Looks, settings: FieldSplatsSettings, context: RunContext
) -> Generator[Progress, None, tuple[GaussianCloud, dict[str, Any]]]:
    """The Gaussians after training on what the field shows; where that is stopped, as they then are."""
    from recon.splats.reconstruct import run as train

    most = max(settings.max_gaussians, len(cloud))
    wishes = SplatSettings(steps=settings.steps, max_gaussians=most, held_out=0, sh_degree=2)
    scene = _saved(looks, context.folder / FOLDER, cloud)
    training = train({"scene": scene, "cloud": cloud}, wishes, context)
    try:
        result = yield from training
    except StopRequested:
        return cloud, {}
    trained = result.outputs[0].data
    assert isinstance(trained, GaussianCloud)
    return replace(trained, frame=cloud.frame), {"training": dict(result.figures)}


def _saved(looks: Looks, folder: Path, cloud: GaussianCloud) -> PosedImages:
    """What the field shows, as photos in a folder."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    names = tuple(f"{view:05d}.png" for view in range(len(looks.looks)))
    for name, look in zip(names, looks.looks, strict=True):
        Image.fromarray(look.rgb).save(folder / name)
    return PosedImages(ImageSet(str(folder), names), looks.cameras, frame=cloud.frame)
