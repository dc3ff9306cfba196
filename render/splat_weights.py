"""How much each Gaussian counts in each pixel, and who counts most.

With geometry as it is, a picture is linear in what the Gaussians carry: its channels are W @ values, where row p of W
holds the weights α T of the Gaussians in pixel p. Labels are lifted, voted on and rendered by products with W.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from render.compiled import aligned_scratch, compiled, in_threads
from render.gaussians import GaussianCloud
from render.splat_pictures import SplatView, splat_view
from render.splatting_forward import CHECKED_EVERY, PIXELS, TILES_AT_ONCE, is_full, lay_over, start_tile
from render.splatting_limits import TILE
from render.splatting_tiles import CHUNK, Tiles

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NOBODY = -1  # in a picture of Gaussians' numbers
_LEFT, _WEIGHT = np.uint64(2 * PIXELS), np.uint64(3 * PIXELS)


def contribution_weights(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    **wishes: Any,
) -> csr_matrix:  # fmt: skip
    """The weights (H · W, N) float32 of each Gaussian in each pixel, pixels row by row; a row's sum is alpha.

    A row's entries stand nearest Gaussian first (its indices are not sorted). wishes: as of `splat_view`."""
    return weights_of_view(splat_view(cloud, cam_from_world, focal, center, size, **wishes))


def weights_of_view(view: SplatView) -> csr_matrix:
    """As `contribution_weights`, of what is projected already."""
    from scipy.sparse import csr_matrix

    tiles = view.tiles
    width, height = tiles.size
    lists = _lists(tiles)
    ends = np.zeros(height * width + 1, np.int64)
    in_threads(_count_weights, len(tiles.shuffled), TILES_AT_ONCE, *lists, width, height, ends[1:])
    np.cumsum(ends, out=ends)
    values, columns = np.empty(ends[-1], np.float32), np.empty(ends[-1], np.int32)
    in_threads(
        _store_weights,
        len(tiles.shuffled),
        TILES_AT_ONCE,
        *lists,
        width,
        height,
        tiles.order,
        ends,
        values,
        columns,
    )
    return csr_matrix((values, columns, ends), shape=(height * width, len(view.depths)))


def top_gaussian(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    min_weight: float = 0.0, **wishes: Any,
) -> NDArray[np.int32]:  # fmt: skip
    """(H, W) int32: which Gaussian counts most in each pixel, -1 where none has more than `min_weight`."""
    view = splat_view(cloud, cam_from_world, focal, center, size, **wishes)
    return _chosen(view, _MOST, min_weight)


def median_gaussian(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    **wishes: Any,
) -> NDArray[np.int32]:  # fmt: skip
    """(H, W) int32: at which Gaussian half of the light is gone, that is, where the surface is; -1 where alpha stays
    below a half."""
    return _chosen(splat_view(cloud, cam_from_world, focal, center, size, **wishes), _MEDIAN, 0.5)


def splat_median_depth(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    **wishes: Any,
) -> NDArray[np.float32]:  # fmt: skip
    """(H, W) z-depth of the Gaussian at which half of the light is gone, 0 where alpha stays below a half."""
    view = splat_view(cloud, cam_from_world, focal, center, size, **wishes)
    chosen = _chosen(view, _MEDIAN, 0.5)
    depths = np.append(view.depths, np.float32(0))  # index -1 is the last
    return depths[chosen]


def visible_gaussians(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    min_weight: float = 0.1, **wishes: Any,
) -> NDArray[np.bool_]:  # fmt: skip
    """(N,) who has a weight of at least `min_weight` in some pixel: who can be seen from there."""
    return largest_weights(cloud, cam_from_world, focal, center, size, **wishes) >= max(min_weight, 1e-9)


def largest_weights(
    cloud: GaussianCloud, cam_from_world: ArrayLike, focal: ArrayLike, center: ArrayLike, size: Sequence[int],
    **wishes: Any,
) -> NDArray[np.float32]:  # fmt: skip
    """(N,) each Gaussian's largest weight in any pixel, 0 for those that are not seen."""
    tiles = splat_view(cloud, cam_from_world, focal, center, size, **wishes).tiles
    width, height = tiles.size
    of_pairs = np.zeros(len(tiles.ranks), np.float32)
    in_threads(_store_largest, len(tiles.shuffled), TILES_AT_ONCE, *_lists(tiles), width, height, of_pairs)
    largest = np.zeros(len(cloud), np.float32)
    of_lists = (tiles.order, tiles.firsts, tiles.num_tiles, tiles.places)
    in_threads(_largest_of_pairs, len(tiles.order), CHUNK, *of_lists, of_pairs, largest)
    return largest


_MOST, _MEDIAN = 0, 1


def _chosen(view: SplatView, rule: int, threshold: float) -> NDArray[np.int32]:
    tiles = view.tiles
    width, height = tiles.size
    chosen = np.empty((height, width), np.int32)
    order = np.append(tiles.order, np.int32(NOBODY))  # rank -1 is the last
    in_threads(
        _choose,
        len(tiles.shuffled),
        TILES_AT_ONCE,
        *_lists(tiles),
        rule,
        np.float32(threshold),
        order,
        chosen,
    )
    return chosen


def _lists(tiles: Tiles) -> tuple[Any, ...]:
    return tiles.shuffled, tiles.starts, tiles.ranks, tiles.rows, tiles.records


@compiled
def _count_weights(start, stop, shuffled, starts, ranks, rows, records, width, height, counts):
    columns = (width + TILE - 1) // TILE
    scratch, seen = aligned_scratch(4 * PIXELS), np.empty(PIXELS, np.int32)
    zero = np.float32(0)
    for number in range(start, stop):
        tile = shuffled[number]
        left, top = tile % columns * TILE, tile // columns * TILE
        start_tile(scratch, left, top, width, height)
        seen[:] = 0
        for pair in range(starts[tile], starts[tile + 1]):
            first, last = np.uint64(rows[pair, 0] * TILE), np.uint64(rows[pair, 1] * TILE)
            lay_over(scratch, first, last, records[pair])
            for i in range(first, last):
                seen[i] += np.int32(scratch[_WEIGHT + i] > zero)
            if pair % CHECKED_EVERY == 0 and is_full(scratch):
                break
        for row in range(min(TILE, height - top)):
            for column in range(min(TILE, width - left)):
                counts[(top + row) * width + left + column] = seen[row * TILE + column]


@compiled
def _store_weights(
    start, stop, shuffled, starts, ranks, rows, records, width, height, order, begins, values, indices
):  # fmt: skip
    """begins: (H · W + 1,) where each pixel's entries begin."""
    columns = (width + TILE - 1) // TILE
    scratch, places = aligned_scratch(4 * PIXELS), np.empty(PIXELS, np.int64)
    zero = np.float32(0)
    for number in range(start, stop):
        tile = shuffled[number]
        left, top = tile % columns * TILE, tile // columns * TILE
        start_tile(scratch, left, top, width, height)
        for row in range(min(TILE, height - top)):
            for column in range(min(TILE, width - left)):
                places[row * TILE + column] = begins[(top + row) * width + left + column]
        for pair in range(starts[tile], starts[tile + 1]):
            k = ranks[pair]
            first, last = np.uint64(rows[pair, 0] * TILE), np.uint64(rows[pair, 1] * TILE)
            lay_over(scratch, first, last, records[pair])
            for i in range(first, last):
                if scratch[_WEIGHT + i] > zero:
                    values[places[i]], indices[places[i]] = scratch[_WEIGHT + i], order[k]
                    places[i] += 1
            if pair % CHECKED_EVERY == 0 and is_full(scratch):
                break


@compiled
def _store_largest(start, stop, shuffled, starts, ranks, rows, records, width, height, of_pairs):
    columns = (width + TILE - 1) // TILE
    scratch = aligned_scratch(4 * PIXELS)
    for number in range(start, stop):
        tile = shuffled[number]
        start_tile(scratch, tile % columns * TILE, tile // columns * TILE, width, height)
        for pair in range(starts[tile], starts[tile + 1]):
            first, last = np.uint64(rows[pair, 0] * TILE), np.uint64(rows[pair, 1] * TILE)
            lay_over(scratch, first, last, records[pair])
            largest = np.float32(0)
            for i in range(first, last):
                largest = max(largest, scratch[_WEIGHT + i])
            of_pairs[pair] = largest
            if pair % CHECKED_EVERY == 0 and is_full(scratch):
                break


@compiled
def _largest_of_pairs(start, stop, order, firsts, num_tiles, places, of_pairs, largest):
    for k in range(start, stop):
        most = np.float32(0)
        for pair in range(firsts[k], firsts[k] + num_tiles[k]):
            most = max(most, of_pairs[places[pair]])
        largest[order[k]] = most


@compiled
def _choose(start, stop, shuffled, starts, ranks, rows, records, rule, threshold, order, chosen):
    """rule 0: the largest weight above the threshold; 1: where the light left falls to the threshold."""
    height, width = chosen.shape
    columns = (width + TILE - 1) // TILE
    scratch = aligned_scratch(4 * PIXELS)
    best, who = np.empty(PIXELS, np.float32), np.empty(PIXELS, np.int32)
    nobody = np.int32(-1)
    for number in range(start, stop):
        tile = shuffled[number]
        left, top = tile % columns * TILE, tile // columns * TILE
        start_tile(scratch, left, top, width, height)
        best[:], who[:] = threshold, nobody
        for pair in range(starts[tile], starts[tile + 1]):
            k = ranks[pair]
            first, last = np.uint64(rows[pair, 0] * TILE), np.uint64(rows[pair, 1] * TILE)
            lay_over(scratch, first, last, records[pair])
            if rule == 0:
                for i in range(first, last):
                    is_more = scratch[_WEIGHT + i] > best[i]
                    best[i] = scratch[_WEIGHT + i] if is_more else best[i]
                    who[i] = k if is_more else who[i]
            else:
                for i in range(first, last):
                    is_there = who[i] == nobody and abs(scratch[_LEFT + i]) <= threshold
                    who[i] = k if is_there else who[i]
            if pair % CHECKED_EVERY == 0 and is_full(scratch):
                break
        for row in range(min(TILE, height - top)):
            for column in range(min(TILE, width - left)):
                chosen[top + row, left + column] = order[who[row * TILE + column]]
