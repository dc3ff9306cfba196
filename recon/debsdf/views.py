"""Pictures of a trained field: each pixel's ray is followed to the surface (sphere tracing)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.debsdf.field import TrainedField
from recon.debsdf.losses import blended_uncertainty
from render.cameras import CameraSet, pixel_rays
from render.rendered_views import RenderedViews

CHUNK = 16_384  # rays followed at once
MAX_STEPS = 200
# Of the distance to the surface that a step goes: a network's is not quite a distance.
STEP_SHARE = 0.8
SHORTEST_STEP = 1.5e-3  # box units


@dataclass(frozen=True)
class Pixels:
    """What R rays show. rgb: (R, 3) uint8. distance: (R,) along the ray in box units, 0 where nothing was hit.
    normals: (R, 3) in the box, 0 where nothing was hit. uncertainty: (R,)."""

    rgb: NDArray[np.uint8]
    distance: NDArray[np.float32]
    normals: NDArray[np.float32]
    uncertainty: NDArray[np.float32]


def render_view(
    trained: TrainedField, cameras: CameraSet, index: int, size: tuple[int, int], name: str = ""
) -> RenderedViews:
    """One picture of (width, height) pixels that covers the whole of view `index`; its PSNR is not known: 0."""
    looks = look_through(trained, cameras, index, size, name)
    while True:
        try:
            next(looks)
        except StopIteration as end:
            view: RenderedViews = end.value
            return view


def look_through(
    trained: TrainedField, cameras: CameraSet, index: int, size: tuple[int, int], name: str = ""
) -> Generator[float, None, RenderedViews]:
    """As `render_view`; yields the share that is done."""
    width, height = size
    camera = cameras.select(np.array([index])).resized(np.array([size]))
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    pixels = np.stack([x.ravel(), y.ravel()], 1)
    rays_o, rays_d = pixel_rays(camera, np.zeros(len(pixels), np.int64), pixels)
    box_from_world = np.linalg.inv(trained.world_from_box)
    origins = rays_o @ box_from_world[:3, :3].T + box_from_world[:3, 3]
    directions = rays_d @ box_from_world[:3, :3].T * trained.scale
    parts = []
    for first in range(0, len(pixels), CHUNK):
        yield first / len(pixels)
        rows = slice(first, first + CHUNK)
        parts.append(look_along(trained, origins[rows], directions[rows]))
    rgb, distance, normals, uncertainty = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("rgb", "distance", "normals", "uncertainty")
    )
    rotation = camera.cam_from_world[0, :3, :3]
    depth = distance * trained.scale * (rays_d @ rotation[2])
    in_cam = normals @ (rotation @ trained.world_from_box[:3, :3] / trained.scale).T
    shape = (1, height, width)
    return RenderedViews(
        (name,),
        rgb.reshape(*shape, 3),
        depth.reshape(shape).astype(np.float32),
        in_cam.reshape(*shape, 3).astype(np.float32),
        uncertainty.reshape(shape),
        np.zeros(1, np.float32),
        np.zeros(1, bool),
        trained.frame,
    )


@torch.no_grad()
def look_along(
    trained: TrainedField, origins: NDArray[np.float64], directions: NDArray[np.float64]
) -> Pixels:
    """Follow rays (R, 3) in the box, directions of unit length."""
    device = next(trained.sdf.parameters()).device
    rays_o, rays_d = (torch.tensor(np.asarray(a, np.float32), device=device) for a in (origins, directions))
    distance = trace(trained.sdf.sdf, rays_o, rays_d)
    count = len(origins)
    rgb, normals = torch.zeros(count, 3, device=device), torch.zeros(count, 3, device=device)
    uncertainty = torch.zeros(count, device=device)
    hit = (distance > 0).nonzero()[:, 0]
    at = rays_o[hit] + distance[hit, None] * rays_d[hit]
    _, gradients, features = trained.sdf.field(at)
    normals[hit] = torch.nn.functional.normalize(gradients, dim=1)
    if trained.color is not None:
        nobody = torch.full((len(hit),), -1, device=device)
        shared = trained.color.shared(features, rays_d[hit], nobody)
        rgb[hit] = trained.color.colors(shared, normals[hit], at)
        uncertainty[hit] = blended_uncertainty(*trained.color.uncertainties(shared))
    else:
        # Without colours, how much the surface faces the camera.
        rgb[hit] = -(normals[hit] * rays_d[hit]).sum(1, keepdim=True).expand(-1, 3)
    bytes_ = (rgb.clamp(0, 1) * 255).round().byte()
    found = (array.cpu().numpy() for array in (bytes_, distance, normals, uncertainty))
    return Pixels(*found)


def trace(sdf: Callable[[Tensor], Tensor], rays_o: Tensor, rays_d: Tensor) -> Tensor:
    """(R,) distance to where each ray first comes out of free space into a surface, 0 where it does not.

    sdf: (P, 3) → (P,), positive in free space. rays_o, rays_d: (R, 3) in the box. A ray that starts in a solid
    passes to where it gets out first.
    """
    near, far = _spans(rays_o, rays_d)
    distance, found = near.clone(), torch.zeros_like(near)
    before, value_before = near.clone(), torch.full_like(near, -1.0)
    active = (near < far).nonzero()[:, 0]
    for _ in range(MAX_STEPS):
        if not len(active):
            break
        at = distance[active]
        value = sdf(rays_o[active] + at[:, None] * rays_d[active])
        last, last_value = before[active], value_before[active]
        has_crossed = (last_value > 0) & (value <= 0)
        share = last_value / (last_value - value).clamp_min(1e-12)
        found[active[has_crossed]] = (last + share * (at - last))[has_crossed].clamp_min(1e-6)
        before[active], value_before[active] = at, value
        distance[active] = at + (value.abs() * STEP_SHARE).clamp_min(SHORTEST_STEP)
        active = active[~has_crossed & (distance[active] < far[active])]
    return found


def _spans(rays_o: Tensor, rays_d: Tensor) -> tuple[Tensor, Tensor]:
    """Where rays enter the box, 0 inside it, and where they leave it."""
    safe = torch.where(rays_d.abs() < 1e-9, torch.full_like(rays_d, 1e-9), rays_d)
    first, last = (-1 - rays_o) / safe, (1 - rays_o) / safe
    return torch.minimum(first, last).amax(1).clamp_min(0), torch.maximum(first, last).amin(1)
