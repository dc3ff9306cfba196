"""Which cells of the density grid the photos show at all: elsewhere nothing is to be learned, so nothing is put there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.cameras import CameraSet
from render.compiled import compiled, in_threads
from render.radiance_layout import RadianceLayout
from render.radiance_march import NEVER, cell_of

START_CODE = 86  # of every cell that is seen: 0.4 per box unit
BLOCKS = 64  # of cells along an edge that are asked about together
KNOWN_CODE = 118  # of cells around surfaces that are known before training: 7 per box unit
KNOWN_REACH = 0.03  # of a known depth: how far around it samples are to look
MOST_STEPS = 32  # over that, as far cells are larger
NEAR = 0.3  # box units: what only one camera sees so close cannot be told from what is behind it


def first_codes(in_box: CameraSet, layout: RadianceLayout) -> NDArray[np.uint8]:
    """(cells^3,) codes of the density grid to begin with: never looked at where no camera sees."""
    coarse = math.gcd(layout.cells, BLOCKS)
    is_seen = np.zeros(coarse**3, np.bool_)
    lens = np.concatenate([in_box.focal, in_box.center, in_box.size], 1)
    poses = np.ascontiguousarray(in_box.cam_from_world[:, :3])
    in_threads(_see, coarse, 4, poses, lens, coarse, layout.shell, NEAR, is_seen)
    codes = np.where(is_seen, START_CODE, NEVER).astype(np.uint8).reshape(coarse, coarse, coarse)
    for axis in range(3):
        codes = codes.repeat(layout.cells // coarse, axis)
    return np.ascontiguousarray(codes).reshape(-1)


def expect_surfaces(
    codes: NDArray[np.uint8], depth: NDArray[np.float32], in_box: CameraSet, layout: RadianceLayout
) -> None:
    """Make samples look where surfaces are known to be: a few on a ray else miss most, and what no sample meets learns
    nothing of its depth. Where depth is wrong, samples soon thin the cells out again.

    codes: of `first_codes`, changed where a camera sees. depth: (N, H, W) z-depth in box units, NaN where unknown, from
    as many cameras."""
    height, width = depth.shape[1:]
    cameras = in_box.resized(np.tile(np.array([[width, height]]), (len(in_box), 1)))
    lens = np.concatenate([cameras.focal, cameras.center], 1).astype(np.float32)
    poses = np.ascontiguousarray(cameras.world_from_cam[:, :3], np.float32)
    shell, cell = np.float32(layout.shell), np.float32(layout.cell)
    in_threads(_expect, len(depth), 1, depth, poses, lens, shell, cell, layout.cells, codes)


@compiled
def _expect(
    start: Any, stop: Any, depth: Any, poses: Any, lens: Any, shell: Any, cell: Any, cells: Any, codes: Any
) -> None:
    """Views start … stop: cells along each ray, within reach of the depth there."""
    reach = np.float32(KNOWN_REACH)
    for v in range(start, stop):
        p = poses[v]
        for row in range(depth.shape[1]):
            for column in range(depth.shape[2]):
                known = depth[v, row, column]
                if not np.float32(0) < known < np.float32(np.inf):
                    continue
                x = (np.float32(column + 0.5) - lens[v, 2]) / lens[v, 0]
                y = (np.float32(row + 0.5) - lens[v, 3]) / lens[v, 1]
                steps = np.int64(min(np.float32(2) * reach * known / cell, np.float32(MOST_STEPS))) + 1
                for k in range(steps + 1):
                    z = known * (
                        np.float32(1) - reach + np.float32(2) * reach * np.float32(k) / np.float32(steps)
                    )
                    at, _ = cell_of(
                        z * (p[0, 0] * x + p[0, 1] * y + p[0, 2]) + p[0, 3],
                        z * (p[1, 0] * x + p[1, 1] * y + p[1, 2]) + p[1, 3],
                        z * (p[2, 0] * x + p[2, 1] * y + p[2, 2]) + p[2, 3],
                        shell, cells,
                    )  # fmt: skip
                    if codes[at] != NEVER:
                        codes[at] = KNOWN_CODE


@compiled
def _see(
    start: Any,
    stop: Any,
    poses: Any,
    lens: Any,
    cells: Any,
    shell: Any,
    near: Any,
    is_seen: NDArray[np.bool_],
) -> None:
    """Slabs start … stop of the grid: cells that two cameras see, or one from not too near."""
    for i in range(start, stop):
        for j in range(cells):
            for k in range(cells):
                x, y, z = _unpacked(i, cells, shell), _unpacked(j, cells, shell), _unpacked(k, cells, shell)
                largest = max(abs(x), abs(y), abs(z))
                factor = 1.0
                if largest > 1:
                    factor = 1 / max(1e-3, 1 - (largest - 1) / shell) / largest
                x, y, z = x * factor, y * factor, z * factor
                radius = 1.8 * (1 + shell) / cells * max(factor * largest, 1.0) ** 2
                seen = 0
                for v in range(len(poses)):
                    p = poses[v]
                    depth = p[2, 0] * x + p[2, 1] * y + p[2, 2] * z + p[2, 3]
                    if depth < 0:
                        continue
                    reach = radius * lens[v, 0]
                    u = lens[v, 0] * (p[0, 0] * x + p[0, 1] * y + p[0, 2] * z + p[0, 3])
                    w = lens[v, 1] * (p[1, 0] * x + p[1, 1] * y + p[1, 2] * z + p[1, 3])
                    if u + lens[v, 2] * depth < -reach or u + (lens[v, 2] - lens[v, 4]) * depth > reach:
                        continue
                    if w + lens[v, 3] * depth < -reach or w + (lens[v, 3] - lens[v, 5]) * depth > reach:
                        continue
                    seen += 2 if depth > near else 1
                    if seen > 1:
                        break
                is_seen[(i * cells + j) * cells + k] = seen > 1


@compiled
def _unpacked(index: Any, cells: Any, shell: Any) -> Any:
    """Contracted coordinate of the middle of a cell."""
    return ((index + 0.5) / cells * 2 - 1) * (1 + shell)
