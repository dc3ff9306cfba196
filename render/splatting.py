"""Gaussians → picture, differentiable: one function with gsplat's `rasterization` signature and semantics.

On the CPU the numba kernels of the files beside this run, on CUDA gsplat (Apache-2.0). Terms: 3D Gaussian splatting
(arXiv:2308.04079), gsplat (arXiv:2409.06765). In every pixel α = o · exp(-½ dᵀ Σ⁻¹ d), nothing below 1/255, at most
0.999, and nothing more where less than 1e-4 of the light would be left.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, cast, get_args

import numpy as np
import torch
from torch import Tensor

from render.splatting_autograd import Composite, Projection, SeenColors, to_numpy
from render.splatting_limits import TILE
from render.splatting_tiles import Tiles, make_tiles

RenderMode = Literal["RGB", "D", "ED", "RGB+D", "RGB+ED"]
RasterizeMode = Literal["classic", "antialiased"]
Drawn = tuple[Tensor, Tensor, dict[str, Any]]


class _Projected(NamedTuple):
    """C pictures of N Gaussians: means2d (C, N, 2), depths (C, N), roots (C, N, 3) of the inverse covariances, fades
    (C, N) of opacity by antialiasing, radii (C, N, 2)."""

    means2d: Tensor
    depths: Tensor
    roots: Tensor
    fades: Tensor
    radii: Tensor


def rasterization(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, near_plane: float = 0.01, far_plane: float = 1e10, radius_clip: float = 0.0,
    eps2d: float = 0.3, sh_degree: int | None = None, packed: bool = False, tile_size: int = TILE,
    backgrounds: Tensor | None = None, render_mode: RenderMode = "RGB", sparse_grad: bool = False,
    absgrad: bool = False, rasterize_mode: RasterizeMode = "classic",
) -> Drawn:  # fmt: skip
    """Draw N Gaussians from C cameras.

    means: (N, 3). quats: (N, 4) wxyz of any length but zero. scales: (N, 3) standard deviations. opacities: (N,)
    within 0 and 1. colors: (N, D) or (C, N, D) of any number of channels; with `sh_degree`, (N, K, 3) or (C, N, K, 3)
    spherical harmonics. viewmats: (C, 4, 4), camera from world. Ks: (C, 3, 3) in pixels, no gradient.
    near_plane, far_plane: depths outside are not drawn; radius_clip: neither are Gaussians within so many pixels.
    eps2d: pixels² added to each projected variance. backgrounds: (C, D). render_mode: colours, depths summed by
    weight (D), or divided by the sum of weights (ED), or colours and then depth. rasterize_mode: "antialiased" fades
    Gaussians that eps2d made larger (Mip-Splatting, arXiv:2311.16493). packed, sparse_grad: gsplat's, on CUDA only.

    Returns the pictures (C, H, W, D or D + 1), alphas (C, H, W, 1), and meta: means2d (C, N, 2) in pixels (call its
    retain_grad() for what densification needs; with `absgrad` the attribute absgrad holds, after backward, sums over
    pixels of the sizes), radii (C, N, 2) int32, 0 where not drawn, depths, opacities (C, N), conics (C, N, 3),
    tiles_per_gauss (C, N), and sizes. Raises ValueError for shapes that do not fit, RuntimeError on CUDA without
    gsplat.
    """
    _check(means, quats, scales, opacities, colors, viewmats, Ks, sh_degree, backgrounds)
    _check_modes(render_mode, rasterize_mode)
    if means.device.type == "cuda":
        settings = {
            "near_plane": near_plane, "far_plane": far_plane, "radius_clip": radius_clip, "eps2d": eps2d,
            "sh_degree": sh_degree, "packed": packed, "tile_size": tile_size, "backgrounds": backgrounds,
            "render_mode": render_mode, "sparse_grad": sparse_grad, "absgrad": absgrad,
            "rasterize_mode": rasterize_mode,
        }  # fmt: skip
        return _on_cuda(means, quats, scales, opacities, colors, viewmats, Ks, width, height, settings)
    if packed or sparse_grad or tile_size != TILE:
        raise ValueError("packed, sparse_grad and other sizes of tiles exist on CUDA only")
    limits = np.array([near_plane, far_plane, radius_clip], np.float64)
    is_antialiased = rasterize_mode == "antialiased"
    projected = _Projected(
        *Projection.apply(  # type: ignore[no-untyped-call]
            means,
            quats,
            scales,
            opacities,
            viewmats,
            _intrinsics(Ks, width, height),
            limits,
            eps2d,
            is_antialiased,
        )
    )
    seen = opacities.expand(len(viewmats), -1)
    seen = seen * projected.fades if is_antialiased else seen
    channels = _channels(means, colors, viewmats, projected.radii, projected.depths, sh_degree, render_mode)
    background = _background(backgrounds, channels, render_mode)
    return _laid_over(projected, seen, channels, background, (width, height), render_mode, absgrad)


def _laid_over(
    projected: _Projected, opacities: Tensor, channels: Tensor, background: Tensor, size: tuple[int, int],
    render_mode: RenderMode, absgrad: bool,
) -> Drawn:  # fmt: skip
    """The channels (C, N, D) of all Gaussians laid over each other from the front to the back."""
    means2d, depths, roots, _, radii = projected
    lists = [
        _tiles(means2d[c], depths[c], roots[c], opacities[c], radii[c], *size) for c in range(len(means2d))
    ]
    pictures, alphas = Composite.apply(means2d, roots, opacities, channels, background, lists, absgrad)  # type: ignore[no-untyped-call]
    if render_mode.endswith("ED"):
        depth = pictures[..., -1:] / alphas.clamp(min=1e-10)
        pictures = torch.cat([pictures[..., :-1], depth], -1)
    meta = {
        "means2d": means2d, "depths": depths, "radii": radii, "opacities": opacities, "conics": _conics(roots),
    }  # fmt: skip
    return pictures, alphas, {**meta, **_facts(lists, radii, *size)}


def _check(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    sh_degree: int | None, backgrounds: Tensor | None,
) -> None:  # fmt: skip
    """Raises ValueError for shapes that do not fit."""
    count, cameras = len(means), len(viewmats)
    expected = {"means": (count, 3), "quats": (count, 4), "scales": (count, 3), "opacities": (count,)}
    for (name, shape), each in zip(expected.items(), (means, quats, scales, opacities), strict=True):
        if tuple(each.shape) != shape:
            raise ValueError(f"{name} must be {shape}, not {tuple(each.shape)}")
    if viewmats.shape[1:] != (4, 4) or tuple(Ks.shape) != (cameras, 3, 3):
        raise ValueError("viewmats must be (C, 4, 4) and Ks (C, 3, 3)")
    rank = 2 if sh_degree is None else 3
    leading = (count,) if colors.dim() == rank else (cameras, count)
    if colors.dim() not in (rank, rank + 1) or tuple(colors.shape[: len(leading)]) != leading:
        raise ValueError("colors must be (N, D) or (C, N, D), with sh_degree (N, K, 3) or (C, N, K, 3)")
    if sh_degree is not None and (colors.shape[-1] != 3 or (sh_degree + 1) ** 2 > colors.shape[-2]):
        raise ValueError(f"colors {tuple(colors.shape)} hold no spherical harmonics of degree {sh_degree}")
    if backgrounds is not None and len(backgrounds) != cameras:
        raise ValueError("there must be one background for each camera")


def _check_modes(render_mode: str, rasterize_mode: str) -> None:
    if render_mode not in get_args(RenderMode) or rasterize_mode not in get_args(RasterizeMode):
        raise ValueError(f"unknown mode {render_mode!r} or {rasterize_mode!r}")


def _on_cuda(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, settings: dict[str, Any],
) -> Drawn:  # fmt: skip
    try:
        import gsplat
    except ImportError as error:
        sentence = (
            "Drawing splats on a CUDA device needs the package gsplat: install Isokiln with its extra `cuda`."
        )
        raise RuntimeError(sentence) from error
    answer = gsplat.rasterization(
        means, quats, scales, opacities, colors, viewmats, Ks, width, height, **settings
    )
    return cast(Drawn, answer)


def _intrinsics(Ks: Tensor, width: int, height: int) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Of each camera focal x, y, centre x, y, width, height."""
    rows = Ks.detach().double().numpy()
    return [np.array([K[0, 0], K[1, 1], K[0, 2], K[1, 2], width, height]) for K in rows]


def _tiles(
    means2d: Tensor, depths: Tensor, roots: Tensor, opacities: Tensor, radii: Tensor, width: int, height: int
) -> Tiles:
    seen = to_numpy(means2d), to_numpy(depths), to_numpy(roots), to_numpy(opacities)
    return make_tiles(*seen, radii.numpy(), (width, height))


def _channels(
    means: Tensor, colors: Tensor, viewmats: Tensor, radii: Tensor, depths: Tensor, sh_degree: int | None,
    render_mode: RenderMode,
) -> Tensor:  # fmt: skip
    """(C, N, D) what to lay over each other: colours, depths or both."""
    if render_mode in ("D", "ED"):
        return depths[..., None]
    cameras = len(viewmats)
    if sh_degree is not None:
        sh = colors if colors.dim() == 4 else colors[None]
        positions = -(viewmats[:, :3, :3].transpose(1, 2) @ viewmats[:, :3, 3:])[..., 0]
        seen = [
            SeenColors.apply(means, positions[c], sh[c if len(sh) > 1 else 0], radii[c], sh_degree)  # type: ignore[no-untyped-call]
            for c in range(cameras)
        ]
        channels = torch.stack(seen) if cameras > 1 else seen[0][None]
    else:
        channels = colors if colors.dim() == 3 else colors.expand(cameras, -1, -1)
    if render_mode == "RGB":
        return channels
    return torch.cat([channels, depths[..., None].to(channels.dtype)], -1)


def _background(backgrounds: Tensor | None, channels: Tensor, render_mode: RenderMode) -> Tensor:
    """(C, D) behind all channels; depth has nothing behind it."""
    if backgrounds is None or render_mode in ("D", "ED"):
        return channels.new_zeros(channels.shape[0], channels.shape[2])
    missing = channels.shape[2] - backgrounds.shape[1]
    if missing != (render_mode != "RGB"):
        raise ValueError(f"backgrounds must have the {channels.shape[2]} channels of colors")
    return torch.nn.functional.pad(backgrounds, (0, missing))


def _conics(roots: Tensor) -> Tensor:
    """(C, N, 3) entries 00, 01, 11 of the inverse covariances; no gradient."""
    # A few times as fast as torch, whose every operation costs more than these numbers.
    given = roots.detach().numpy()
    first, second, third = given[..., 0], given[..., 1], given[..., 2]
    conics = np.empty_like(given)
    np.multiply(first, first, out=conics[..., 0])
    np.multiply(first, second, out=conics[..., 1])
    np.add(second * second, third * third, out=conics[..., 2])
    return torch.from_numpy(conics)


def _facts(tiles: list[Tiles], radii: Tensor, width: int, height: int) -> dict[str, Any]:
    columns, rows = -(-width // TILE), -(-height // TILE)
    per_gaussian = np.zeros(radii.shape[:2], np.int32)
    for row, each in zip(per_gaussian, tiles, strict=True):
        row[each.order] = each.num_tiles
    return {
        "width": width, "height": height, "n_cameras": len(tiles), "tile_size": TILE,
        "tile_width": columns, "tile_height": rows, "tiles_per_gauss": torch.from_numpy(per_gaussian),
        "camera_ids": None, "gaussian_ids": None,
    }  # fmt: skip
