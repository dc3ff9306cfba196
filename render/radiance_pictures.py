"""Pictures of a radiance field from any camera, with numba alone: for the window, the command line and measuring."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from render.compiled import Float, in_threads
from render.field_picture import FieldPicture
from render.radiance_field import RadianceField
from render.radiance_kernels import sum_rays
from render.radiance_rays import RAYS, Network, Rays, follow

EXPLORE = 0.03  # share of samples that is spread evenly
LEAST_WEIGHT = 1e-3  # of a sample that is drawn
LEAST_ALPHA = 0.5  # that has a depth
RAYS_AT_ONCE = 4096
_networks: WeakKeyDictionary[RadianceField, Network] = WeakKeyDictionary()


def radiance_picture(
    field: RadianceField,
    cam_from_world: NDArray[np.float64],
    focal: NDArray[np.float64],
    center: NDArray[np.float64],
    size: tuple[int, int],
    rows: slice | None = None,
    num_samples: int | None = None,
) -> FieldPicture:
    """A field from one pinhole. cam_from_world: (4, 4). focal, center: (2,) pixels. size: width, height.

    rows: only these of the picture, which then has no others: whoever draws live does a few at a time, to be
    interrupted. num_samples: along a ray; not given, as the field was trained; fewer are faster. Depth is where half of
    the light is absorbed. Raises ValueError for a field that another program trained.
    """
    first, stop, _ = (rows or slice(None)).indices(int(size[1]))
    width, height = int(size[0]), max(0, stop - first)
    rgb, alpha = np.zeros((height * width, 3), np.float32), np.zeros(height * width, np.float32)
    depth = np.zeros(height * width, np.float32)
    network = network_of(field)
    scale = float(np.cbrt(np.linalg.det(field.world_from_box[:3, :3])))
    at_once = max(1, RAYS_AT_ONCE // max(1, width))
    for row in range(first, stop, at_once):
        last = min(row + at_once, stop)
        rays, forward = _rays(field, cam_from_world, focal, center, width, row, last)
        part = slice((row - first) * width, (last - first) * width)
        found = draw_rays(network, rays, num_samples or network.layout.num_samples)
        rgb[part], alpha[part] = found[0], found[1]
        depth[part] = np.where(found[1] >= LEAST_ALPHA, found[2] * forward * np.float32(scale), 0)
    shape = (height, width)
    return FieldPicture(
        np.clip(rgb, 0, 1).reshape(*shape, 3), np.clip(alpha, 0, 1).reshape(shape), depth.reshape(shape)
    )


def radiance_strips(
    field: RadianceField,
    cam_from_world: NDArray[np.float64],
    focal: NDArray[np.float64],
    center: NDArray[np.float64],
    size: tuple[int, int],
    num_samples: int | None = None,
) -> Iterator[tuple[slice, FieldPicture]]:
    """The same picture strip by strip from above, each some milliseconds' work: rows, and what they show."""
    step = max(1, RAYS_AT_ONCE // max(1, int(size[0])))
    for row in range(0, int(size[1]), step):
        rows = slice(row, min(row + step, int(size[1])))
        yield rows, radiance_picture(field, cam_from_world, focal, center, size, rows, num_samples)


def network_of(field: RadianceField) -> Network:
    """The field ready to be drawn; kept as long as the field is."""
    found = _networks.get(field)
    if found is None:
        network = Network.of(field)
        # Copies, as numba would compile everything again for arrays that cannot be written.
        copies = {name: np.array(value) for name, value in network.parameters.items()}
        found = _networks[field] = Network(
            network.layout, copies, np.array(network.codes), network.openness, network.turning
        )
    return found


def draw_rays(network: Network, rays: Rays, num_samples: int) -> tuple[Float, Float, Float]:
    """Colours (R, 3) before black, alpha (R,), and the distance (R,) in box units where half of that is absorbed."""
    samples = follow(network, rays, num_samples, EXPLORE, LEAST_WEIGHT)
    count = len(rays)
    rgb, alpha, distance = (np.empty(shape, np.float32) for shape in ((count, 3), count, count))
    in_threads(
        sum_rays,
        count,
        RAYS,
        samples.weights,
        samples.places,
        samples.slots,
        samples.colors,
        rgb,
        alpha,
        distance,
    )
    return rgb, alpha, distance


def _rays(
    field: RadianceField, cam_from_world: NDArray[np.float64], focal: NDArray[np.float64],
    center: NDArray[np.float64], width: int, first: int, stop: int,
) -> tuple[Rays, Float]:  # fmt: skip
    """Rays in box units through the centres of some rows, and the part of a step along each that is depth."""
    box_from_cam = np.linalg.inv(field.world_from_box) @ np.linalg.inv(cam_from_world)
    y, x = np.mgrid[first:stop, 0:width].reshape(2, -1)
    in_cam = np.stack(
        [(x + 0.5 - center[0]) / focal[0], (y + 0.5 - center[1]) / focal[1], np.ones(x.shape)], 1
    )
    forward = 1 / np.linalg.norm(in_cam, axis=1)
    turned = in_cam @ box_from_cam[:3, :3].T
    directions = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    origins = np.tile(box_from_cam[:3, 3].astype(np.float32), (len(x), 1))
    rays = Rays(origins, directions.astype(np.float32), np.full((len(x), 2), 0.5, np.float32))
    return rays, forward.astype(np.float32)
