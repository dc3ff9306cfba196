"""Pictures of a cloud of Gaussians, without torch: for the command line, the window where GL is too old, and parts.

Every function takes the camera as `cam_from_world` (4, 4), `focal` (2,), `center` (2,) in pixels and `size` (2,)
width, height: a row of a CameraSet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.compiled import Float, Index
from render.gaussians import GaussianCloud
from render.splatting_forward import composite
from render.splatting_harmonics import seen_colors
from render.splatting_projection import project
from render.splatting_tiles import Tiles, make_tiles

NEAREST, FARTHEST = 0.01, 1e10  # depths that are drawn, in the world's unit
BLUR = 0.3  # pixels² added to each variance, as in 3DGS


@dataclass(frozen=True, eq=False)
class SplatView:
    """A cloud projected and sorted for one camera; several pictures can be drawn from it.

    tiles: who is seen where. depths: (N,) z-depth in the world's unit; radii: (N, 2) pixels, 0 where not seen.
    """

    tiles: Tiles
    depths: Float
    radii: Index


def splat_view(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    *, nearest: float = NEAREST, farthest: float = FARTHEST, is_antialiased: bool | None = None,
) -> SplatView:  # fmt: skip
    """Project and sort a cloud. is_antialiased: not given, as the cloud was trained. Depths outside nearest …
    farthest are not drawn."""
    width, height = int(size[0]), int(size[1])
    camera = np.array([*np.asarray(focal, float), *np.asarray(center, float), width, height], np.float64)
    fades = cloud.is_antialiased if is_antialiased is None else is_antialiased
    opacities = cloud.opacities
    means2d, depths, roots, compensations, radii = project(
        cloud.means, cloud.quats, cloud.scales, opacities, np.asarray(cam_from_world), camera,
        np.array([nearest, farthest, 0.0]), BLUR, fades,
    )  # fmt: skip
    if fades:
        opacities = opacities * compensations
    return SplatView(make_tiles(means2d, depths, roots, opacities, radii, (width, height)), depths, radii)


def splat_picture(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    background: ArrayLike = (0, 0, 0), **wishes: Any,
) -> NDArray[np.float32]:  # fmt: skip
    """A picture (H, W, 3) float32 within 0 and 1. background: (3,) within 0 and 1. wishes: as of `splat_view`."""
    view = splat_view(cloud, cam_from_world, focal, center, size, **wishes)
    picture, _ = composite(view.tiles, colors_from(cloud, cam_from_world, view.radii), _float(background))
    return np.clip(picture, 0, 1, out=picture)


def splat_picture_with_alpha(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    **wishes: Any,
) -> NDArray[np.float32]:  # fmt: skip
    """A picture (H, W, 4) float32: colours before black, thus premultiplied, within 0 and 1, and alpha."""
    view = splat_view(cloud, cam_from_world, focal, center, size, **wishes)
    picture, left = composite(
        view.tiles, colors_from(cloud, cam_from_world, view.radii), np.zeros(3, np.float32)
    )
    return np.concatenate([np.clip(picture, 0, 1), 1 - left[..., None]], -1)


def splat_depth(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    **wishes: Any,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """Expected z-depth (H, W) in the world's unit, the weights' mean of Gaussians' depths, 0 where nothing is; and
    alpha (H, W)."""
    view = splat_view(cloud, cam_from_world, focal, center, size, **wishes)
    picture, left = composite(view.tiles, view.depths[:, None], np.zeros(1, np.float32))
    alpha = 1 - left
    np.divide(picture[..., 0], alpha, out=picture[..., 0], where=alpha > 0)
    return picture[..., 0], alpha


def splat_channels(
    cloud: GaussianCloud, values: ArrayLike, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike,
    size: Sequence[int], background: ArrayLike | None = None, **wishes: Any,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """Any values (N, D) of Gaussians, laid over each other as colours are: (H, W, D), and alpha (H, W).

    background: (D,), zeros where not given."""
    channels = _float(values)
    view = splat_view(cloud, cam_from_world, focal, center, size, **wishes)
    behind = np.zeros(channels.shape[1], np.float32) if background is None else _float(background)
    picture, left = composite(view.tiles, channels, behind)
    return picture, 1 - left


def colors_from(
    cloud: GaussianCloud, cam_from_world: ArrayLike, radii: Index | None = None
) -> NDArray[np.float32]:
    """Colours (N, 3), not negative, as the camera sees them; radii: (N, 2), 0 for those that do not matter."""
    pose = np.asarray(cam_from_world, np.float64)
    position = -pose[:3, :3].T @ pose[:3, 3]
    matters = np.ones((len(cloud), 2), np.int32) if radii is None else radii
    return seen_colors(cloud.sh_degree, cloud.means, position, cloud.sh, matters)


def _float(values: ArrayLike) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)
