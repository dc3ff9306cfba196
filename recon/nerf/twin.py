"""What the kernels of a radiance field do, in plain torch: their readable oracle, and what runs on a GPU.

Rays are in box units with directions of length 1; R of them, with S samples each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from recon.nerf.kernels import DEPTH_REACH
from render.radiance_layout import FARTHEST, RadianceLayout
from render.radiance_march import LEAST_LEFT, MOST_BINS, NEVER, STEP_CAP, WIDEST
from render.radiance_rays import NEAREST

Encode = Callable[[Tensor], Tensor]  # points (N, 3) of the unit cube to features (N, L * F)


@dataclass(frozen=True)
class Placed:
    """(R, S) places along rays, how long a part each stands for, how far along all bins it is within 0 and 1; and
    points (R, S, 3) in the unit cube."""

    places: Tensor
    widths: Tensor
    spots: Tensor
    points: Tensor


@dataclass(frozen=True)
class Drawn:
    """Of rays: rgb (R, 3) before black, alpha (R,), density, weights (R, S) of samples."""

    rgb: Tensor
    alpha: Tensor
    density: Tensor
    weights: Tensor


def contract(points: Tensor, shell: float) -> Tensor:
    """Places (…, 3) beyond the box [-1, 1]^3, brought into a shell around it."""
    largest = points.abs().amax(-1, keepdim=True)
    return torch.where(largest <= 1, points, points * (1 + shell * (1 - 1 / largest)) / largest)


def cells_of(points: Tensor, layout: RadianceLayout) -> Tensor:
    """Numbers of the cells of the density grid that places (…, 3) of the box lie in."""
    place = (contract(points, layout.shell) / (1 + layout.shell) + 1) * (layout.cells / 2)
    x, y, z = place.long().clamp(0, layout.cells - 1).unbind(-1)
    return (x * layout.cells + y) * layout.cells + z


@torch.no_grad()
def place_samples(
    origins: Tensor, directions: Tensor, noise: Tensor, num_samples: int, explore: float,
    layout: RadianceLayout, codes: Tensor, densities: Tensor,
) -> Placed:  # fmt: skip
    """Samples by the inverse CDF of what the density grid absorbs; see `render.radiance_march.place_samples`."""
    edges, steps = _bins(origins, directions, noise, layout)
    middles = edges + steps / 2
    points = origins[:, None] + middles[..., None] * directions[:, None]
    code = codes[cells_of(points, layout)].long()
    depth = densities[code] * steps
    absorbed = (depth / (1 + depth)).clamp(max=STEP_CAP)
    left = torch.cumprod(torch.cat([torch.ones_like(absorbed[:, :1]), 1 - absorbed[:, :-1]], 1), 1)
    is_within = (points.abs().amax(-1) <= FARTHEST) & (left >= LEAST_LEFT)
    is_within = torch.cumprod(is_within, 1).bool()
    weights = torch.where(is_within, left * absorbed, 0)
    chances = weights.clone()
    chances[:, 1:] += 0.25 * weights[:, :-1]
    chances[:, :-1] += 0.25 * weights[:, 1:]
    is_free = is_within & (code != NEVER)
    chances, free = torch.where(is_free, chances, 0), torch.where(is_free, left, 0)
    reach = free.sum(1, keepdim=True)
    chances = chances + explore * chances.sum(1, keepdim=True).clamp(min=0.05) / reach.clamp(min=1e-9) * free
    return _inverted(origins, directions, noise, num_samples, layout, edges, steps, chances)


def _bins(
    origins: Tensor, directions: Tensor, noise: Tensor, layout: RadianceLayout
) -> tuple[Tensor, Tensor]:
    """Beginnings and lengths (R, MOST_BINS) of parts of rays, longer outside the box."""
    at = NEAREST + noise[:, 0] * layout.cell
    edges, steps = [], []
    for _ in range(MOST_BINS):
        largest = (origins + at[:, None] * directions).abs().amax(1).clamp(1, 1e8)
        edges.append(at)
        steps.append(layout.cell * largest * largest.sqrt())
        at = at + steps[-1]
    return torch.stack(edges, 1), torch.stack(steps, 1)


def _inverted(
    origins: Tensor, directions: Tensor, noise: Tensor, num_samples: int, layout: RadianceLayout,
    edges: Tensor, steps: Tensor, chances: Tensor,
) -> Placed:  # fmt: skip
    sums = chances.cumsum(1)
    per_sample = sums[:, -1:] / num_samples
    numbers = torch.arange(num_samples, device=sums.device, dtype=sums.dtype)
    wanted = (numbers + noise[:, 1:]) * per_sample
    last = (sums < sums[:, -1:]).sum(1, keepdim=True)
    bins = torch.searchsorted(sums, wanted, right=True).minimum(last)
    chance = chances.gather(1, bins)
    part = ((wanted - sums.gather(1, bins) + chance) / chance.clamp(min=1e-9)).clamp(0, 0.9999)
    step = steps.gather(1, bins)
    places = edges.gather(1, bins) + part * step
    widths = torch.where(chance > 0, step * (per_sample / chance.clamp(min=1e-9)).clamp(max=WIDEST), 0)
    extent = layout.grid.safe_extent
    in_box = origins[:, None] + places[..., None] * directions[:, None]
    points = (contract(in_box, layout.shell) / (1 + layout.shell) + 1) * (extent / 2)
    return Placed(places, widths, (bins + part) / MOST_BINS, points)


def draw(
    layout: RadianceLayout, parameters: dict[str, Tensor], encode: Encode, placed: Placed, directions: Tensor,
    least: float, turning: float = 1.0,
) -> Drawn:  # fmt: skip
    """Densities and colours at samples, laid over each other; samples of weights below `least` are left out.

    turning: within 0 and 1, how much directions count."""
    shape = placed.places.shape
    shared = _shared(parameters, encode(placed.points.reshape(-1, 3)))
    near = (placed.places**2).clamp(max=1)
    density = _taught(torch.exp(shared[:, 0].clamp(max=10) - 1).view(shape), near)
    passed = torch.exp(-density * placed.widths)
    left = torch.cumprod(torch.cat([torch.ones_like(passed[:, :1]), passed[:, :-1]], 1), 1)
    weights = left * (1 - passed)
    weights = torch.where(weights > least, weights, 0)
    rows = weights.reshape(-1).nonzero()[:, 0]
    harmonics = spherical_harmonics(directions)[rows // shape[1]]
    harmonics = torch.cat([harmonics[:, :1], turning * harmonics[:, 1:]], 1)
    some = _taught(_colors(parameters, torch.cat([shared[rows], harmonics], 1)), near.view(-1, 1)[rows])
    colors = torch.zeros(weights.numel(), 3, device=some.device, dtype=some.dtype).index_copy(0, rows, some)
    rgb = (weights[..., None] * colors.view(*shape, 3)).sum(1)
    return Drawn(rgb, weights.sum(1), density, weights)


def _taught(values: Tensor, share: Tensor) -> Tensor:
    """The same, of which only a share of the slopes goes back."""
    return values * share + (values * (1 - share)).detach()


def _shared(parameters: dict[str, Tensor], features: Tensor) -> Tensor:
    hidden = torch.relu(torch.addmm(parameters["b1"], features, parameters["w1"].t()))
    return torch.addmm(parameters["b2"], hidden, parameters["w2"].t())


def _colors(parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
    for number in (3, 4):
        inputs = torch.relu(torch.addmm(parameters[f"b{number}"], inputs, parameters[f"w{number}"].t()))
    return torch.sigmoid(torch.addmm(parameters["b5"], inputs, parameters["w5"].t())[:, :3])


def distortion(drawn: Drawn, placed: Placed) -> Tensor:
    """(R,) how far apart the weights of a ray are (mip-NeRF 360, arXiv:2111.12077, eq. 15)."""
    weights, spots = drawn.weights, placed.spots
    apart = (spots[:, :, None] - spots[:, None]).abs()
    following = torch.cat([spots[:, 1:], spots[:, -1:]], 1)
    before = torch.cat([spots[:, :1], spots[:, :-1]], 1)
    between = (weights[:, :, None] * weights[:, None] * apart).sum((1, 2))
    within = (weights**2 * (following - before) / 2).sum(1) / 3
    return between + within


def depth_cost(drawn: Drawn, placed: Placed, known: Tensor, trust: Tensor) -> Tensor:
    """(R,) what lies off a known distance (R,), by trust (R,), 0 where unknown."""
    away = ((placed.places - known[:, None]).abs() / (DEPTH_REACH * known[:, None]).clamp(min=1e-9)).clamp(
        max=1
    )
    return torch.where(trust > 0, trust * ((drawn.weights * (away - 1)).sum(1) + 1), 0)


def spherical_harmonics(directions: Tensor) -> Tensor:
    """The 16 real ones of degree 3 (R, 16) of directions (R, 3)."""
    x, y, z = directions.unbind(1)
    xx, yy, zz, xy, yz, xz = x * x, y * y, z * z, x * y, y * z, x * z
    found = [
        torch.full_like(x, 0.28209479), -0.48860251 * y, 0.48860251 * z, -0.48860251 * x,
        1.09254843 * xy, -1.09254843 * yz, 0.94617470 * zz - 0.31539157, -1.09254843 * xz, 0.54627422 * (xx - yy),
        0.59004359 * y * (yy - 3 * xx), 2.89061144 * xy * z, 0.45704580 * y * (1 - 5 * zz),
        0.37317633 * z * (5 * zz - 3), 0.45704580 * x * (1 - 5 * zz), 1.44530572 * z * (xx - yy),
        0.59004359 * x * (3 * yy - xx),
    ]  # fmt: skip
    return torch.stack(found, 1)
