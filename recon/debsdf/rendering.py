"""Volume rendering of a signed distance field: colour, depth, normal and uncertainty of rays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from recon.debsdf.color_network import ColorNetwork
from recon.debsdf.density import curvature_radii, distance_along_ray, gated_cosine, laplace_density
from recon.debsdf.losses import blended_uncertainty
from recon.debsdf.rays import Rays

# What is behind the last sample is opaque: rooms have walls.
LAST_STEP = 1e3
# Samples of less weight are left black: together they change a pixel by less than one of 255 steps.
VISIBLE = 1e-4
# A gradient shorter than this is no measure of distance.
SHORTEST_GRADIENT = 0.1


class DistanceNetwork(Protocol):
    """A field in the box [-1, 1]^3."""

    def field(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Signed distance (P,), its gradient (P, 3) and a feature (P, F) at points (P, 3)."""


@dataclass(frozen=True)
class Rendered:
    """What R rays of S samples show.

    rgb: (R, 3). depth: (R,) z-depth in box units. normals: (R, 3) unit, in camera axes. depth_uncertainty: (R,),
    a share of the depth. normal_uncertainty: (R, 3). weights, distances: (R, S). points, gradients: (R * S, 3).
    is_crossed: (R,), whether the field has both signs along the ray.
    """

    rgb: Tensor
    depth: Tensor
    normals: Tensor
    depth_uncertainty: Tensor
    normal_uncertainty: Tensor
    weights: Tensor
    distances: Tensor
    points: Tensor
    gradients: Tensor
    is_crossed: Tensor

    @property
    def uncertainty(self) -> Tensor:
        """(R,) blended, without gradient."""
        return blended_uncertainty(self.depth_uncertainty, self.normal_uncertainty).detach()


def render(
    field: DistanceNetwork, color: ColorNetwork, rays: Rays, distances: Tensor, beta: float, bias: float = 0.0
) -> Rendered:
    """Render rays from samples at sorted distances (R, S).

    beta: blur of the density in box units. bias: how far the bias-aware mapping is switched on, 0 to 1.
    """
    num_rays, num_samples = distances.shape
    points = (rays.origins[:, None] + distances[..., None] * rays.directions[:, None]).reshape(-1, 3)
    sdf, gradients, features = field.field(points)
    lengths = gradients.norm(dim=1, keepdim=True)
    normals = gradients / lengths.clamp_min(1e-6)
    directions = rays.directions.repeat_interleave(num_samples, 0)
    shared = color.shared(features, directions, rays.images.repeat_interleave(num_samples))
    of_depth, of_normal = color.uncertainties(shared)
    of_ray = normals.view(num_rays, num_samples, 3)
    signed = sdf.view(num_rays, num_samples)
    crossed = (signed.amin(1) < 0) & (signed.amax(1) > 0)
    if bias > 0:
        u = blended_uncertainty(of_depth, of_normal).view(num_rays, num_samples)
        signed = _bias_aware(
            signed / lengths.detach().view_as(signed).clamp_min(SHORTEST_GRADIENT),
            of_ray.detach(),
            rays,
            distances,
            u,
            bias,
        )
    weights = rendering_weights(laplace_density(signed, beta), distances)
    share = weights / (weights.sum(1, keepdim=True) + 1e-8)
    rgb = _visible_colors(color, shared, normals, points, weights)
    along = torch.einsum("rij,rj->ri", rays.rotations, (weights[..., None] * of_ray).sum(1))
    return Rendered(
        rgb,
        (share * distances).sum(1) * rays.depth_factor,
        torch.nn.functional.normalize(along, dim=1),
        (share * of_depth.view_as(share)).sum(1),
        (share[..., None] * of_normal.view(num_rays, num_samples, 3)).sum(1),
        weights,
        distances,
        points,
        gradients,
        crossed,
    )


def _bias_aware(
    distance: Tensor, normals: Tensor, rays: Rays, distances: Tensor, uncertainty: Tensor, progress: float
) -> Tensor:
    cosine = (normals * rays.directions[:, None]).sum(-1).abs()
    gated = gated_cosine(cosine, uncertainty, progress)
    return distance_along_ray(distance, gated, curvature_radii(distances, rays.directions, normals))


def rendering_weights(density: Tensor, distances: Tensor) -> Tensor:
    """alpha_i T_i of samples (R, S) with the density between each and the next."""
    steps = torch.nn.functional.pad(distances.diff(dim=1), (0, 1), value=LAST_STEP)
    depth = density * steps
    before = torch.cumsum(depth, 1) - depth
    return (1 - torch.exp(-depth)) * torch.exp(-before.clamp(0, 80))


def _visible_colors(
    color: ColorNetwork, shared: Tensor, normals: Tensor, points: Tensor, weights: Tensor
) -> Tensor:
    """(R, 3): colours of the samples that show, weighted and summed."""
    flat = weights.reshape(-1)
    shown = (flat.detach() > VISIBLE).nonzero()[:, 0]
    rgb = color.colors(shared[shown], normals[shown], points[shown])
    rays = torch.div(shown, weights.shape[1], rounding_mode="floor")
    return torch.zeros(len(weights), 3, device=weights.device).index_add(0, rays, flat[shown, None] * rgb)
