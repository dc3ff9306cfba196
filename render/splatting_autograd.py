"""The steps of drawing Gaussians on the CPU as functions that torch can differentiate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from render.splatting_backward import composite_gradient
from render.splatting_forward import composite
from render.splatting_harmonics import seen_colors, seen_colors_gradient
from render.splatting_projection import project
from render.splatting_projection_gradient import project_gradient
from render.splatting_tiles import Tiles


def together(arrays: Sequence[Any]) -> Tensor:
    """What the cameras gave, in one tensor; not copied where there is one camera."""
    return torch.from_numpy(arrays[0][None] if len(arrays) == 1 else np.stack(arrays))


def to_numpy(tensor: Tensor) -> Any:
    """A contiguous float32 array of the tensor's values."""
    return tensor.detach().float().contiguous().numpy()


class Projection(torch.autograd.Function):
    """means, quats, scales, viewmats → means2d, depths, roots, compensations (C, N, …), and radii."""

    @staticmethod
    def forward(
        ctx: Any, means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, viewmats: Tensor,
        cameras: list[Any], limits: Any, blur: float, is_antialiased: bool,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        of_scene = to_numpy(means), to_numpy(quats), to_numpy(scales), to_numpy(opacities)
        poses = viewmats.detach().double().numpy()
        projected = [
            project(*of_scene, pose, camera, limits, blur, is_antialiased)
            for pose, camera in zip(poses, cameras, strict=True)
        ]
        outputs = [together(column) for column in zip(*projected, strict=True)]
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
            given: Any = tuple(to_numpy(each[c]) for each in of_outputs[:4])
            radii = ctx.radii[c].numpy()
            *of_scene, of_pose = project_gradient(means, quats, scales, pose, camera, ctx.blur, radii, given)
            sums = of_scene if c == 0 else [a + b for a, b in zip(sums, of_scene, strict=True)]
            of_poses.append(np.concatenate([of_pose, np.zeros((1, 4))]))
        of_means, of_quats, of_scales = (
            torch.from_numpy(each).to(kind) for each, kind in zip(sums, ctx.kinds[:3], strict=True)
        )
        of_viewmats = together(of_poses).to(ctx.kinds[3])
        return of_means, of_quats, of_scales, None, of_viewmats, None, None, None, None


class SeenColors(torch.autograd.Function):
    """means, camera's position, spherical harmonics → colours (N, 3)."""

    @staticmethod
    def forward(ctx: Any, means: Tensor, position: Tensor, sh: Tensor, radii: Tensor, degree: int) -> Tensor:
        inputs = to_numpy(means), position.detach().double().numpy(), to_numpy(sh), radii.numpy()
        ctx.inputs = inputs
        ctx.degree, ctx.kinds = degree, (means.dtype, position.dtype, sh.dtype)
        ctx.colors = seen_colors(degree, *inputs)
        return torch.from_numpy(ctx.colors)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *of_outputs: Tensor) -> tuple[Tensor | None, ...]:
        means, position, sh, radii = ctx.inputs
        of_colors = to_numpy(of_outputs[0])
        of_means, of_sh = seen_colors_gradient(ctx.degree, means, position, sh, radii, ctx.colors, of_colors)
        of_position = torch.from_numpy(-of_means.sum(0, dtype=np.float64)).to(ctx.kinds[1])
        return (
            torch.from_numpy(of_means).to(ctx.kinds[0]),
            of_position,
            torch.from_numpy(of_sh).to(ctx.kinds[2]),
            None,
            None,
        )


class Composite(torch.autograd.Function):
    """means2d, roots, opacities (C, N), channels (C, N, D), background (C, D) → pictures, alphas."""

    @staticmethod
    def forward(
        ctx: Any, means2d: Tensor, roots: Tensor, opacities: Tensor, channels: Tensor, background: Tensor,
        tiles: list[Tiles], wants_sizes: bool,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        drawn = [
            composite(each, to_numpy(channels[c]), to_numpy(background[c])) for c, each in enumerate(tiles)
        ]
        ctx.tiles, ctx.drawn, ctx.channels = tiles, drawn, channels.detach()
        ctx.kinds = opacities.dtype, channels.dtype, background.dtype
        ctx.means2d = means2d if wants_sizes else None
        pictures = together([picture for picture, _ in drawn])
        alphas = together([1 - left for _, left in drawn])
        return pictures, alphas[..., None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *of_outputs: Tensor) -> tuple[Tensor | None, ...]:
        sums, of_background = [], []
        for c, (picture, left) in enumerate(ctx.drawn):
            of_picture, of_alpha = to_numpy(of_outputs[0][c]), to_numpy(of_outputs[1][c, ..., 0])
            colors = to_numpy(ctx.channels[c])
            wants_sizes = ctx.means2d is not None
            sums.append(
                composite_gradient(ctx.tiles[c], colors, picture, left, of_picture, of_alpha, wants_sizes)
            )
            of_background.append(left.reshape(-1) @ of_picture.reshape(left.size, -1))
        of_all = together(sums)
        if ctx.means2d is not None:
            ctx.means2d.absgrad = of_all[..., 6:8]
        opacity_kind, channel_kind, background_kind = ctx.kinds
        return (
            of_all[..., 0:2], of_all[..., 2:5], of_all[..., 5].to(opacity_kind), of_all[..., 8:].to(channel_kind),
            together(of_background).to(background_kind), None, None,
        )  # fmt: skip
