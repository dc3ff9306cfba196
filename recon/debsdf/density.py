"""Signed distance → density: VolSDF's, and DebSDF's that allows for the ray's angle and the surface's curvature."""

from __future__ import annotations

import torch
from torch import Tensor

# A radius of curvature beyond this is a plane; box units.
FLATTEST_RADIUS = 1e3
# Below this the ray misses the circle that stands for the surface.
SMALLEST_SQUARE = 1e-9
# A ray that only grazes the surface counts as one of this |cos|: its distance along the ray is still finite.
SMALLEST_COSINE = 1e-4
FARTHEST = 1e10


def laplace_density(sdf: Tensor, beta: Tensor | float) -> Tensor:
    """Density of a surface whose position is blurred by a Laplace distribution (VolSDF, arXiv:2106.12052, eq. 2–3).

    sdf: (...) signed distance in box units, positive outside. beta: blur in box units, > 0. Returns (...) per box
    unit: 1 / beta deep inside, half of it on the surface.
    """
    tail = 0.5 * torch.exp(-sdf.abs() / beta)
    return torch.where(sdf < 0, 1 - tail, tail) / beta


def gated_cosine(cosine: Tensor, uncertainty: Tensor, progress: float) -> Tensor:
    """|cos| between ray and normal, nearer to 1 where the cues are trusted (DebSDF, eq. 24).

    cosine: (...) in [0, 1]. uncertainty: (...) blended, >= 0; no gradient goes through it. progress: warm-up from
    0 (1 everywhere, that is VolSDF) to 1. The correction is whole where 2 * uncertainty * progress >= 1.
    """
    exponent = (2 * progress * uncertainty.detach()).clamp(0, 1)
    return cosine.clamp(SMALLEST_COSINE, 1) ** exponent


def warm_up(share: float, start: float, end: float) -> float:
    """How far the bias-aware mapping is switched on: 2^x - 1 between the shares start and end of the steps."""
    if share <= start:
        return 0.0
    return 1.0 if share >= end else float(2 ** ((share - start) / (end - start)) - 1)


def curvature_radii(distances: Tensor, directions: Tensor, normals: Tensor) -> Tensor:
    """Signed radius of the level set's curve in the plane of ray and normal, from the next sample's normal.

    distances: (R, S) along the ray. directions: (R, 3) unit. normals: (R, S, 3) unit. Returns (R, S) in the unit
    of distances, negative where the surface is hollow; the last sample counts as flat. Law of sines in the triangle
    of both normals and the ray (DebSDF, section 3.5.3). No gradient.
    """
    with torch.no_grad():
        ray = directions[:, None].expand_as(normals)[:, :-1]
        here, following = normals[:, :-1], _in_plane(normals[:, 1:], normals[:, :-1], ray)
        turn = _sine_of_angle(here, following).clamp_min(1e-9)
        radii = distances.diff(dim=1) * _sine_of_angle(following, ray) / turn
        is_hollow = (here * ray).sum(-1) > (following * ray).sum(-1)
        radii = torch.where(is_hollow, -radii, radii)
        return torch.cat([radii, torch.full_like(radii[:, :1], FARTHEST)], 1)


def _in_plane(vectors: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The vectors projected on the plane that first and second span, of unit length."""
    across = torch.nn.functional.normalize(torch.linalg.cross(first, second, dim=-1), dim=-1)
    flat = vectors - (vectors * across).sum(-1, keepdim=True) * across
    return torch.nn.functional.normalize(flat, dim=-1)


def _sine_of_angle(a: Tensor, b: Tensor) -> Tensor:
    """Sine of the angle between unit vectors (..., 3), exact for small angles too."""
    half = ((a - b).norm(dim=-1) / 2).clamp(0, 1)
    return torch.sin(2 * torch.asin(half))


def distance_along_ray(sdf: Tensor, cosine: Tensor, radius: Tensor) -> Tensor:
    """What to put into the density for the distance: how far along the ray the surface is (DebSDF, eq. 18–21).

    sdf: (...) distance to the surface. cosine: (...) |cos| between ray and normal in (0, 1]. radius: (...) signed
    radius of curvature of the level set at the sample, same unit. Near the sample the surface is a circle of
    radius `radius - sdf`; for a flat one this is sdf / cosine, and for a ray along the normal sdf itself.
    """
    plane = sdf / cosine
    circle = radius - sdf.detach()
    square = circle**2 - (circle + sdf) ** 2 * (1 - cosine**2)
    is_hit = square > SMALLEST_SQUARE
    root = torch.sqrt(torch.where(is_hit, square, torch.ones_like(square)))
    hit = (circle + sdf) * cosine - torch.sign(circle) * root
    tangent = torch.sqrt((1 - cosine**2).clamp_min(1e-12)) / cosine
    curved = torch.where(is_hit, hit, plane + sdf * tangent)
    behind_center = (sdf * circle <= 0) & (sdf.abs() >= circle.abs())
    is_flat = (radius.abs() > FLATTEST_RADIUS) | behind_center | (sdf.abs() > curved.abs())
    return torch.where(is_flat, plane, curved)
