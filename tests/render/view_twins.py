"""What `render.view_candidates` works out, said plainly: numpy in double precision, one source after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.view_candidate_kernels import (
    MOST_DISAGREEMENT,
    MOST_PENALTY,
    OUTSIDE,
    TOLERANCE,
    UNSURE,
)
from render.view_candidates import Candidates, blurred_levels
from render.view_field import ViewField
from render.view_sources import NEAREST_ANGLE, NUM_LEVELS, prepared

Double = NDArray[np.float64]


def gather_plainly(
    field: ViewField, chosen: NDArray[Any], pose: Double, focal: Double, center: Double, depth: Double
) -> Candidates:
    """As `render.view_candidates.gather`, of all pixels."""
    found = [_from_source(field, int(s), pose, np.asarray(focal), np.asarray(center), depth) for s in chosen]
    return Candidates(*(np.stack(column, 1) for column in zip(*found, strict=True)))


def blend_plainly(candidates: Candidates) -> Double:
    weights = np.exp(candidates.prior - candidates.prior.max(1, keepdims=True))
    return np.asarray(
        (weights[..., None] * candidates.colors).sum(1) / weights.sum(1, keepdims=True), np.float64
    )


def _from_source(
    field: ViewField, s: int, pose: Double, focal: Double, center: Double, depth: Double
) -> tuple[NDArray[Any], ...]:
    rows, columns = np.mgrid[: depth.shape[0], : depth.shape[1]] + 0.5
    rays = np.stack([(columns - center[0]) / focal[0], (rows - center[1]) / focal[1], np.ones_like(rows)], -1)
    rays, z = rays.reshape(-1, 3), np.asarray(depth, float).reshape(-1)
    is_sky = z <= 0
    points = rays * np.where(is_sky, 1, z)[:, None]
    source_from_cam = field.cameras.cam_from_world[s] @ np.linalg.inv(pose)
    position = np.linalg.inv(source_from_cam)[:3, 3]
    in_source = points @ source_from_cam[:3, :3].T + np.where(is_sky[:, None], 0, source_from_cam[:3, 3])

    away = np.linalg.norm(position) / prepared(field).usual_depth
    chord = np.linalg.norm(_unit(points - position) - _unit(points), axis=1)
    angle = np.where(is_sky, away, chord * (1 + chord**2 / 24 + 3 * chord**4 / 640))
    is_before = in_source[:, 2] > 1e-6
    ahead = np.maximum(in_source[:, 2], 1e-6)
    scale = np.log2(field.cameras.focal[s, 0] / focal[0] * points[:, 2] / ahead)
    at = in_source[:, :2] / ahead[:, None] * field.cameras.focal[s] + field.cameras.center[s]
    height, width = field.depths.shape[1:]
    beyond = np.max([-at[:, 0], at[:, 0] - width, -at[:, 1], at[:, 1] - height], 0)
    at = np.clip(at, 0, [width, height])

    level = np.clip(np.floor(scale + 0.5), 0, NUM_LEVELS - 1).astype(int)
    corners, nearness = _corners(at, (height, width))
    near = field.depths[s][corners[..., 1], corners[..., 0]].astype(float)
    shares, difference, penalty = _believe(near, nearness, ahead, is_sky)
    prior = penalty - 0.5 * np.minimum((difference / TOLERANCE) ** 2, MOST_PENALTY)
    prior += np.minimum(scale, 0) - 2 * np.log(angle + NEAREST_ANGLE)
    is_inside = is_before & (beyond < 0)
    outside = np.where(is_before, OUTSIDE * (1 + np.minimum(beyond / max(height, width), 2)), 3 * OUTSIDE)
    prior = np.where(is_inside, prior, outside) + np.log(field.weights[s])

    levels = [_halved(_both(field, s), k) for k in range(NUM_LEVELS)]
    plain = np.stack([_bilinear(each, at / 2**k) for k, each in enumerate(levels)])
    colors = plain[level, np.arange(len(at))]
    by_share = (levels[0][corners[..., 1], corners[..., 0]] * shares[..., None]).sum(1)
    colors = np.where(((level == 0) & ~is_sky)[:, None], by_share, colors)
    coarse, wide = (plain[k] for k in blurred_levels(field.depths.shape[1:]))
    return (
        colors[:, :3], colors[:, 3:], coarse[:, :3], coarse[:, 3:], wide[:, :3], wide[:, 3:], difference, angle, scale, is_inside, prior,
    )  # fmt: skip


def _believe(
    near: Double, nearness: Double, z: Double, is_sky: NDArray[np.bool_]
) -> tuple[Double, Double, Double]:
    """Of the four pixels (P, 4) about each point: their shares of its colour, and the point's disagreement (P,) with
    their depths and the log prior's change (P,) by what is not known."""
    is_known = near > 0
    is_whole = is_known.all(1) & (near.max(1) < near.min(1) * (1 + 2 * TOLERANCE))
    off = np.where(is_known, z[:, None] / np.where(is_known, near, 1) - 1, np.inf) / (3 * TOLERANCE)
    agreement = np.maximum(np.maximum(1 - np.minimum(off**2, 1), 0) ** 2, 1e-6)
    shares = nearness * np.where(is_whole[:, None], 1, agreement)
    shares /= shares.sum(1, keepdims=True)
    known = (shares * is_known).sum(1)
    mean = (shares * near).sum(1) / np.maximum(known, 1e-30)
    difference = np.where(known > 1e-3, z / np.where(mean > 0, mean, 1) - 1, 0)
    difference = np.where(is_sky, 0, np.clip(difference, -MOST_DISAGREEMENT, MOST_DISAGREEMENT))
    sky_penalty = -MOST_PENALTY / 2 * (nearness * is_known).sum(1)
    return shares, difference, np.where(is_sky, sky_penalty, UNSURE * (1 - known))


def _corners(at: Double, size: tuple[int, int]) -> tuple[NDArray[np.int64], Double]:
    """The four pixels (P, 4, 2), column and row, about each place, and how near they are (P, 4)."""
    place = np.clip(at - 0.5, 0, [size[1] - 1, size[0] - 1])
    first = np.floor(place).astype(int)
    p, q = (place - first).T
    offsets = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    corners = np.minimum(first[:, None] + offsets, [size[1] - 1, size[0] - 1])
    return corners, np.stack([(1 - p) * (1 - q), p * (1 - q), (1 - p) * q, p * q], 1)


def _bilinear(image: Double, at: Double) -> Double:
    corners, nearness = _corners(at, (image.shape[0], image.shape[1]))
    return np.asarray((image[corners[..., 1], corners[..., 0]] * nearness[..., None]).sum(1))


def _both(field: ViewField, s: int) -> Double:
    return np.concatenate([field.pictures[s], field.originals[s]], -1) / 255.0


def _halved(image: Double, times: int) -> Double:
    """Rounded to 8 bits each time, as the program keeps them."""
    for _ in range(times):
        image = np.pad(image, [(0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)], "edge")
        mean = (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4
        image = np.floor(mean * 255 + 0.5 + 1e-9) / 255
    return image


def _unit(vectors: Double) -> Double:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
