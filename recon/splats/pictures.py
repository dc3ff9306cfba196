"""Drawing Gaussians for training: one camera, with what the losses and the growth need to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from render.cameras import CameraSet
from render.splatting import rasterization

BLUR = 0.3  # square pixels that 3DGS adds to each Gaussian in the picture
LEAST_BLUR = 0.1  # in a picture that is scaled down
NEAR = 0.01  # box units


@dataclass(frozen=True)
class Camera:
    """A pinhole camera as tensors. cam_from_world: (1, 4, 4); intrinsics: (1, 3, 3); size: width, height."""

    cam_from_world: Tensor
    intrinsics: Tensor
    size: tuple[int, int]

    @classmethod
    def of(cls, cameras: CameraSet, index: int, size: tuple[int, int]) -> Camera:
        """Camera `index` with a picture of `size`."""
        factor = np.array(size) / cameras.size[index]
        (fx, fy), (cx, cy) = cameras.focal[index] * factor, cameras.center[index] * factor
        intrinsics = torch.tensor([[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]], dtype=torch.float32)
        return cls(torch.tensor(cameras.cam_from_world[index][None], dtype=torch.float32), intrinsics, size)


@dataclass(frozen=True)
class Rendered:
    """rgb: (H, W, 3) over the background. alpha: (H, W). depth: (H, W), 0 where it was not asked for or there
    is nothing. opacities (N,), scales (N, 3): those that were drawn.
    meta: what the rasteriser tells."""

    rgb: Tensor
    alpha: Tensor
    depth: Tensor
    opacities: Tensor
    scales: Tensor
    meta: dict[str, Any]

    def slopes_in_picture(self, is_absolute: bool) -> tuple[Tensor, Tensor]:
        """Slope (N, 2) of the loss in each Gaussian's place in the picture, in pixels, and whether it is seen (N,).

        After the backward pass. is_absolute: the sum of each pixel's absolute slope.
        """
        slope: Tensor = getattr(self.meta["means2d"], "absgrad" if is_absolute else "grad")
        radii: Tensor = self.meta["radii"]
        seen = (radii > 0).reshape(slope.shape[1], -1).all(1) if radii.dim() > 1 else radii > 0
        return slope.reshape(-1, 2), seen.float()


def draw(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    sh: Tensor,
    camera: Camera,
    background: Tensor,
    is_antialiased: bool = False,
    shrink: float = 1.0,
    absgrad: bool = False,
    has_depth: bool = False,
) -> Rendered:
    """Draw N Gaussians. sh: (N, K, 3). background: (3,). shrink: of the picture against the one that is meant: the
    blur that every Gaussian gets in the meant picture shrinks with it."""
    device = means.device
    is_learned = background.requires_grad
    rgb, alpha, meta = rasterization(
        means, quats, scales, opacities, sh,
        camera.cam_from_world.to(device), camera.intrinsics.to(device), *camera.size,
        near_plane=NEAR,
        eps2d=max(LEAST_BLUR, BLUR * shrink**2),
        sh_degree=round(sh.shape[1] ** 0.5) - 1,
        packed=False,
        backgrounds=None if is_learned else background[None],
        rasterize_mode="antialiased" if is_antialiased else "classic",
        absgrad=absgrad,
        render_mode="RGB+ED" if has_depth else "RGB",
    )  # fmt: skip
    places = meta.get("means2d")
    if isinstance(places, Tensor) and places.requires_grad and not places.is_leaf:
        places.retain_grad()
    picture = rgb[0, ..., :3] if has_depth else rgb[0]
    depth = rgb[0, ..., 3] if has_depth else torch.zeros_like(alpha[0, ..., 0])
    if is_learned:
        picture = picture + (1 - alpha[0]) * background
    return Rendered(picture, alpha[0, ..., 0], depth, opacities, scales, meta)
