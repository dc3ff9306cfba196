"""A signed distance field of the room in seconds: fused depth that keeps what only some views show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from recon.cues.alignment import AlignedDepth
from recon.debsdf.coarse_kernels import cast_rays, sample_grid, vote
from recon.debsdf.region import Region
from recon.debsdf.threads import in_threads
from render.cameras import CameraSet

TRUNCATION = 0.035  # in box units: how far around a depth a view has an opinion
MIN_HITS = 2.0
MIN_SHARE = 0.5  # of the votes for free space
MIN_SIGHTINGS = 5  # of a thing that cues have lost
MOST_FREE = 0.5  # views that see through a thing, as a share of those that do not
NARROW = 0.985  # mean resultant length of directions: the sightings are too much from one side to tell the distance
BLUR = 0.7  # voxels
UNKNOWN = -1e9
SLAB = 8  # layers of voxels to a task


@dataclass(frozen=True)
class CoarseField:
    """A grid of signed distances in the box, positive in free space.

    sdf: (X, Y, Z) float32 in box units. low: (3,) box coordinates of sdf[0, 0, 0]; spacing: box units between
    neighbours on all axes.
    """

    sdf: NDArray[np.float32]
    low: NDArray[np.float64]
    spacing: float

    @property
    def bounds_in_box(self) -> NDArray[np.float64]:
        """(2, 3) box coordinates of the first and the last grid point."""
        return np.stack([self.low, self.low + self.spacing * (np.array(self.sdf.shape) - 1)])

    def at(self, points_in_box: NDArray[np.floating]) -> NDArray[np.float32]:
        """Trilinear values (P,) at points (P, 3); beyond the grid those of its border."""
        places = (np.asarray(points_in_box, np.float64) - self.low) / self.spacing
        values: NDArray[np.float32] = sample_grid(self.sdf, places.astype(np.float32))
        return values


def coarse_field(
    cameras: CameraSet,
    aligned: AlignedDepth,
    region: Region,
    resolution: int = 160,
    is_unexplained: NDArray[np.bool_] | None = None,
) -> CoarseField:
    """Fuse the aligned depths. cameras: those of the views, of any size. resolution: grid points along the cube.

    Averages only what lies within +-0.035 box units of a view's depth, and keeps a voxel as surface where at least 2
    views hit it and at least half as many as see through it: an average over all votes would erase whatever most
    views' cues have missed. Where no view sees through, one hit is enough: what is behind a single view's surface is
    unknown, and would otherwise fill all the 0.035 before it too. is_unexplained: (N, H, W) from
    `unexplained_pixels`. A view that would see through a voxel, but whose pixel there its depth does not explain, is
    no witness of free space; where enough such views from different directions meet, there is a thing, though no cue
    shows it.
    """
    low, shape, spacing = _grid(region, resolution)
    reach = TRUNCATION / spacing
    votes = _votes(cameras, aligned, region, low, spacing, shape, is_unexplained)
    through = votes.free + votes.maybe
    enough = np.where(through > 0, MIN_HITS, 1)
    near = (votes.hits >= enough) & (votes.hits >= MIN_SHARE * through)
    is_thing = _things(votes) & ~near
    signed = np.where(near, votes.mean, np.where(is_thing, -1, np.where(through > 0, reach, -reach)))
    distance = _distances(signed > 0)
    sdf = np.where(near & (np.abs(distance) < 2), votes.mean, distance)
    sdf = ndimage.gaussian_filter(sdf, BLUR).astype(np.float32) * np.float32(spacing)
    return CoarseField(sdf, low, spacing)


@dataclass(frozen=True)
class _Votes:
    """Of the views on each voxel (X, Y, Z): see `coarse_kernels.vote`."""

    mean: NDArray[np.float32]
    hits: NDArray[np.float32]
    free: NDArray[np.float32]
    maybe: NDArray[np.float32]
    toward: NDArray[np.float32]


def _votes(
    cameras: CameraSet,
    aligned: AlignedDepth,
    region: Region,
    low: NDArray[np.float64],
    spacing: float,
    shape: tuple[int, int, int],
    is_unexplained: NDArray[np.bool_] | None,
) -> _Votes:
    poses, lens, depth = _in_grid(cameras, aligned, region, low, spacing)
    grown = np.zeros(depth.shape, bool)
    if is_unexplained is not None:
        around = ndimage.generate_binary_structure(2, 2)[None]
        grown = ndimage.binary_dilation(is_unexplained[aligned.is_aligned], around)
    mean, hits, free, maybe = (np.zeros(shape, np.float32) for _ in range(4))
    toward = np.zeros((*shape, 3), np.float32)
    reach = np.float32(TRUNCATION / spacing)

    def fuse(slab: slice) -> None:
        found = mean[slab], hits[slab], free[slab], maybe[slab], toward[slab]
        vote(depth, grown, poses, lens, reach, slab.start, *found)

    in_threads(fuse, [slice(first, first + SLAB) for first in range(0, shape[0], SLAB)])
    return _Votes(mean, hits, free, maybe, toward)


def _things(votes: _Votes) -> NDArray[np.bool_]:
    """Voxels that many views have something before, though their own depths do not tell what."""
    sightings = votes.hits + votes.maybe
    seen = (sightings >= MIN_SIGHTINGS) & (votes.maybe >= 2) & (votes.free <= MOST_FREE * sightings)
    narrow = np.linalg.norm(votes.toward, axis=-1) > NARROW * votes.maybe
    found: NDArray[np.bool_] = seen & ~narrow
    return found


def _grid(region: Region, resolution: int) -> tuple[NDArray[np.float64], tuple[int, int, int], float]:
    """First point, shape and spacing of a grid over the region; as fine as `resolution` points along the cube."""
    spacing = 2 / (resolution - 1)
    extent = region.bounds_in_box[1] - region.bounds_in_box[0]
    counts = np.ceil(extent / spacing - 1e-6).astype(int) + 1
    low = region.bounds_in_box.mean(0) - spacing * (counts - 1) / 2
    return low, (int(counts[0]), int(counts[1]), int(counts[2])), spacing


def _in_grid(
    cameras: CameraSet, aligned: AlignedDepth, region: Region, low: NDArray[np.float64], spacing: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Of the aligned views: cameras (V, 3, 4) from grid coordinates, focal lengths and centres (V, 4), and z-depth
    (V, H, W); lengths in voxels."""
    box_from_world = region.world_from_box.inverse
    views = np.nonzero(aligned.is_aligned)[0]
    sized = cameras.resized(np.tile(np.array(aligned.size), (len(cameras), 1))).select(views)
    in_box = sized.transformed(box_from_world)
    poses = in_box.cam_from_world[:, :3].copy()
    poses[:, :, 3] = (poses[:, :, 3] + poses[:, :, :3] @ low) / spacing
    lens = np.concatenate([sized.focal, sized.center], 1).astype(np.float32)
    depth = aligned.depth[views] / np.float32(region.world_from_box.scale * spacing)
    return poses.astype(np.float32), lens, np.nan_to_num(depth, copy=False, nan=UNKNOWN)


def _distances(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Signed distance in voxels from the border between free space (True, positive) and the rest."""
    out = ndimage.distance_transform_edt(inside) if inside.any() else np.zeros(inside.shape)
    back = ndimage.distance_transform_edt(~inside) if not inside.all() else np.zeros(inside.shape)
    return np.where(inside, out - 0.5, 0.5 - back).astype(np.float32)


def rendered_depth(
    field: CoarseField, cameras: CameraSet, region: Region, size: tuple[int, int], step: int = 1
) -> NDArray[np.float32]:
    """z-depth (N, H, W) in the world's unit of the field's surface in every view, NaN where a ray meets none.

    step: only every n-th pixel in both directions is cast; the others are NaN.
    """
    sized = cameras.resized(np.tile(np.array(size), (len(cameras), 1)))
    in_box = sized.transformed(region.world_from_box.inverse)
    world_from_cam = in_box.world_from_cam
    origins = ((world_from_cam[:, :3, 3] - field.low) / field.spacing).astype(np.float32)
    lens = np.concatenate([sized.focal, sized.center], 1).astype(np.float32)
    sdf = field.sdf / np.float32(field.spacing)
    depth = np.full((len(cameras), size[1], size[0]), np.nan, np.float32)

    def cast(view: int) -> None:
        rotation = np.ascontiguousarray(world_from_cam[view, :3, :3], np.float32)
        cast_rays(sdf, origins[view], rotation, lens[view], step, depth[view])

    in_threads(cast, range(len(cameras)))
    return np.asarray(depth * np.float32(field.spacing * region.world_from_box.scale), np.float32)


def consistency_masks(
    aligned: AlignedDepth, rendered: NDArray[np.float32], tolerance: float, dilation: int = 1
) -> NDArray[np.bool_]:
    """(N, H, W): where a view's cues agree with what all views together say, within `tolerance` world units.

    rendered: the coarse field's depth in the views. False in unaligned views, and `dilation` pixels around every
    disagreement. About 0.06 of the region's half side suits a room (12 cm of 2.2 m).
    """
    with np.errstate(invalid="ignore"):
        is_wrong = ~(np.abs(aligned.depth - rendered) < tolerance)
    if dilation:
        is_wrong = ndimage.binary_dilation(is_wrong, ndimage.generate_binary_structure(2, 1)[None], dilation)
    return np.asarray(~is_wrong & aligned.is_aligned[:, None, None])
