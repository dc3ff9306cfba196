"""Gaussians → picture, differentiable: one function with gsplat's `rasterization` signature and semantics.

On the CPU the numba kernels of the files beside this run, on CUDA gsplat (Apache-2.0). Terms: 3D Gaussian splatting
(arXiv:2308.04079), gsplat (arXiv:2409.06765). In every pixel α = o · exp(-½ dᵀ Σ⁻¹ d), nothing below 1/255, at most
0.999, and nothing more where less than 1e-4 of the light would be left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from render.splatting_backward import composite_gradient
from render.splatting_compiled import TILE
from render.splatting_forward import composite
from render.splatting_harmonics import seen_colors, seen_colors_gradient
from render.splatting_projection import project, project_gradient
from render.splatting_tiles import Tiles, make_tiles

RenderMode = Literal["RGB", "D", "ED", "RGB+D", "RGB+ED"]
RasterizeMode = Literal["classic", "antialiased"]


def rasterization(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    Ks: Tensor,
    width: int,
    height: int,
    near_plane: float = 0.01,
    far_plane: float = 1e10,
    radius_clip: float = 0.0,
    eps2d: float = 0.3,
    sh_degree: int | None = None,
    packed: bool = False,
    tile_size: int = TILE,
    backgrounds: Tensor | None = None,
    render_mode: RenderMode = "RGB",
    sparse_grad: bool = False,
    absgrad: bool = False,
    rasterize_mode: RasterizeMode = "classic",
) -> tuple[Tensor, Tensor, dict[str, Any]]:
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
    _check(
        means,
        quats,
        scales,
        opacities,
        colors,
        viewmats,
        Ks,
        sh_degree,
        backgrounds,
        render_mode,
        rasterize_mode,
    )
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
    cameras = _intrinsics(Ks, width, height)
    limits = np.array([near_plane, far_plane, radius_clip], np.float64)
    is_antialiased = rasterize_mode == "antialiased"
    means2d, depths, roots, fades, radii = _Projection.apply(  # type: ignore[no-untyped-call]
        means, quats, scales, opacities, viewmats, cameras, limits, eps2d, is_antialiased
    )
    seen = opacities.expand(len(viewmats), -1)
    seen = seen * fades if is_antialiased else seen
    channels = _channels(means, colors, viewmats, radii, depths, sh_degree, render_mode)
    background = _background(backgrounds, channels, render_mode)
    lists = [
        _tiles(means2d[c], depths[c], roots[c], seen[c], radii[c], width, height)
        for c in range(len(viewmats))
    ]
    pictures, alphas = _Composite.apply(means2d, roots, seen, channels, background, lists, absgrad)  # type: ignore[no-untyped-call]
    if render_mode.endswith("ED"):
        depth = pictures[..., -1:] / alphas.clamp(min=1e-10)
        pictures = torch.cat([pictures[..., :-1], depth], -1)
    meta = {"means2d": means2d, "depths": depths, "radii": radii, "opacities": seen, "conics": _conics(roots)}
    return pictures, alphas, {**meta, **_facts(lists, radii, width, height)}


def _check(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    Ks: Tensor,
    sh_degree: int | None,
    backgrounds: Tensor | None,
    render_mode: str,
    rasterize_mode: str,
) -> None:
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
    if render_mode not in ("RGB", "D", "ED", "RGB+D", "RGB+ED") or rasterize_mode not in (
        "classic",
        "antialiased",
    ):
        raise ValueError(f"unknown mode {render_mode!r} or {rasterize_mode!r}")


def _on_cuda(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, settings: dict[str, Any],
) -> tuple[Tensor, Tensor, dict[str, Any]]:  # fmt: skip
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
    return cast(tuple[Tensor, Tensor, dict[str, Any]], answer)


def _intrinsics(Ks: Tensor, width: int, height: int) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Of each camera focal x, y, centre x, y, width, height."""
    rows = Ks.detach().double().numpy()
    return [np.array([K[0, 0], K[1, 1], K[0, 2], K[1, 2], width, height]) for K in rows]


def _together(arrays: Sequence[Any]) -> Tensor:
    """What the cameras gave, in one tensor; not copied where there is one camera."""
    return torch.from_numpy(arrays[0][None] if len(arrays) == 1 else np.stack(arrays))


def _numpy(tensor: Tensor) -> Any:
    """A contiguous float32 array of the tensor's values."""
    return tensor.detach().float().contiguous().numpy()


def _tiles(
    means2d: Tensor, depths: Tensor, roots: Tensor, opacities: Tensor, radii: Tensor, width: int, height: int
) -> Tiles:
    seen = _numpy(means2d), _numpy(depths), _numpy(roots), _numpy(opacities)
    return make_tiles(*seen, radii.numpy(), (width, height))


def _channels(
    means: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    radii: Tensor,
    depths: Tensor,
    sh_degree: int | None,
    render_mode: RenderMode,
) -> Tensor:
    """(C, N, D) what to lay over each other: colours, depths or both."""
    if render_mode in ("D", "ED"):
        return depths[..., None]
    cameras = len(viewmats)
    if sh_degree is not None:
        sh = colors if colors.dim() == 4 else colors[None]
        positions = -(viewmats[:, :3, :3].transpose(1, 2) @ viewmats[:, :3, 3:])[..., 0]
        seen = [
            _SeenColors.apply(means, positions[c], sh[c if len(sh) > 1 else 0], radii[c], sh_degree)  # type: ignore[no-untyped-call]
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
    first, second, third = roots.detach().unbind(-1)
    return torch.stack([first * first, first * second, second * second + third * third], -1)


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


class _Projection(torch.autograd.Function):
    """means, quats, scales, viewmats → means2d, depths, roots, compensations (C, N, …), and radii."""

    @staticmethod
    def forward(
        ctx: Any, means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, viewmats: Tensor,
        cameras: list[Any], limits: Any, blur: float, is_antialiased: bool,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        of_scene = _numpy(means), _numpy(quats), _numpy(scales), _numpy(opacities)
        poses = viewmats.detach().double().numpy()
        projected = [
            project(*of_scene, pose, camera, limits, blur, is_antialiased)
            for pose, camera in zip(poses, cameras, strict=True)
        ]
        outputs = [_together(column) for column in zip(*projected, strict=True)]
        ctx.of_scene, ctx.poses, ctx.cameras = of_scene[:3], poses, cameras
        ctx.blur, ctx.radii = blur, outputs[4]
        ctx.kinds = [each.dtype for each in (means, quats, scales, viewmats)]
        ctx.mark_non_differentiable(outputs[4])
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *of_outputs: Tensor) -> tuple[Tensor | None, ...]:
        sums: list[Any] = [0, 0, 0]
        of_poses = []
        means, quats, scales = ctx.of_scene
        for c, (pose, camera) in enumerate(zip(ctx.poses, ctx.cameras, strict=True)):
            given: Any = tuple(_numpy(each[c]) for each in of_outputs[:4])
            radii = ctx.radii[c].numpy()
            *of_scene, of_pose = project_gradient(means, quats, scales, pose, camera, ctx.blur, radii, given)
            sums = of_scene if c == 0 else [a + b for a, b in zip(sums, of_scene, strict=True)]
            of_poses.append(np.concatenate([of_pose, np.zeros((1, 4))]))
        of_means, of_quats, of_scales = (
            torch.from_numpy(each).to(kind) for each, kind in zip(sums, ctx.kinds[:3], strict=True)
        )
        of_viewmats = _together(of_poses).to(ctx.kinds[3])
        return of_means, of_quats, of_scales, None, of_viewmats, None, None, None, None


class _SeenColors(torch.autograd.Function):
    """means, camera's position, spherical harmonics → colours (N, 3)."""

    @staticmethod
    def forward(ctx: Any, means: Tensor, position: Tensor, sh: Tensor, radii: Tensor, degree: int) -> Tensor:
        inputs = _numpy(means), position.detach().double().numpy(), _numpy(sh), radii.numpy()
        ctx.inputs = inputs
        ctx.degree, ctx.kinds = degree, (means.dtype, position.dtype, sh.dtype)
        ctx.colors = seen_colors(degree, *inputs)
        return torch.from_numpy(ctx.colors)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *of_outputs: Tensor) -> tuple[Tensor | None, ...]:
        means, position, sh, radii = ctx.inputs
        of_colors = _numpy(of_outputs[0])
        of_means, of_sh = seen_colors_gradient(ctx.degree, means, position, sh, radii, ctx.colors, of_colors)
        of_position = torch.from_numpy(-of_means.sum(0, dtype=np.float64)).to(ctx.kinds[1])
        return (
            torch.from_numpy(of_means).to(ctx.kinds[0]),
            of_position,
            torch.from_numpy(of_sh).to(ctx.kinds[2]),
            None,
            None,
        )


class _Composite(torch.autograd.Function):
    """means2d, roots, opacities (C, N), channels (C, N, D), background (C, D) → pictures, alphas."""

    @staticmethod
    def forward(
        ctx: Any, means2d: Tensor, roots: Tensor, opacities: Tensor, channels: Tensor, background: Tensor,
        tiles: list[Tiles], wants_sizes: bool,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        drawn = [composite(each, _numpy(channels[c]), _numpy(background[c])) for c, each in enumerate(tiles)]
        ctx.tiles, ctx.drawn, ctx.channels = tiles, drawn, channels.detach()
        ctx.kinds = opacities.dtype, channels.dtype, background.dtype
        ctx.means2d = means2d if wants_sizes else None
        pictures = _together([picture for picture, _ in drawn])
        alphas = _together([1 - left for _, left in drawn])
        return pictures, alphas[..., None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *of_outputs: Tensor) -> tuple[Tensor | None, ...]:
        sums, of_background = [], []
        for c, (picture, left) in enumerate(ctx.drawn):
            of_picture, of_alpha = _numpy(of_outputs[0][c]), _numpy(of_outputs[1][c, ..., 0])
            colors = _numpy(ctx.channels[c])
            wants_sizes = ctx.means2d is not None
            sums.append(
                composite_gradient(ctx.tiles[c], colors, picture, left, of_picture, of_alpha, wants_sizes)
            )
            of_background.append(left.reshape(-1) @ of_picture.reshape(left.size, -1))
        of_all = _together(sums)
        if ctx.means2d is not None:
            ctx.means2d.absgrad = of_all[..., 6:8]
        opacity_kind, channel_kind, background_kind = ctx.kinds
        return (
            of_all[..., 0:2], of_all[..., 2:5], of_all[..., 5].to(opacity_kind), of_all[..., 8:].to(channel_kind),
            _together(of_background).to(background_kind), None, None,
        )  # fmt: skip
