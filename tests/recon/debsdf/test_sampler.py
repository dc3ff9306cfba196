"""Samples along rays gather where the surface is, and a cache follows a surface that travels only when it is
read as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthetic_room import room_sdf

torch = pytest.importorskip("torch")

from recon.debsdf.sampler import CachedSdf, SampleCounts, sample_rays, sample_rays_on_device  # noqa: E402

COUNTS = SampleCounts(14, 4)


def ball(radius: float):
    return lambda points: (np.linalg.norm(points, axis=1) - radius).astype(np.float32)


def rays_to_the_middle(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rays_o = rng.normal(size=(count, 3))
    rays_o *= 0.9 / np.linalg.norm(rays_o, axis=1, keepdims=True)
    targets = rng.normal(0, 0.05, (count, 3))
    rays_d = targets - rays_o
    rays_d /= np.linalg.norm(rays_d, axis=1, keepdims=True)
    return rays_o.astype(np.float32), rays_d.astype(np.float32)


def filled(sdf, resolution: int = 96) -> CachedSdf:
    cache = CachedSdf(resolution, np.random.default_rng(0))
    cache.refresh_all(sdf)
    return cache


def hits(rays_o: np.ndarray, rays_d: np.ndarray, radius: float) -> np.ndarray:
    b = (rays_o * rays_d).sum(1)
    return np.asarray(-b - np.sqrt(b**2 - (rays_o**2).sum(1) + radius**2))


def test_a_full_cache_holds_the_distance_at_every_grid_point() -> None:
    cache = filled(ball(0.5), 33)
    axis = np.linspace(-1, 1, 33)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    np.testing.assert_allclose(cache.values, np.sqrt(x**2 + y**2 + z**2) - 0.5, atol=1e-6)


def test_importance_samples_gather_at_the_surface() -> None:
    rays_o, rays_d = rays_to_the_middle(400)
    distances = sample_rays(rays_o, rays_d, filled(ball(0.4)).values, 0.005, COUNTS, np.random.default_rng(1))
    assert (np.diff(distances, axis=1) >= 0).all() and (distances >= 0).all()
    off = np.abs(distances - hits(rays_o, rays_d, 0.4)[:, None])
    near = (off < 0.08).sum(1)
    assert (near >= 11).all()
    # On both sides of it, or there is nothing to learn from.
    assert ((distances < hits(rays_o, rays_d, 0.4)[:, None]).sum(1) >= 4).all()


def test_a_pole_thinner_than_two_cells_is_not_missed() -> None:
    def pole(points: np.ndarray) -> np.ndarray:
        return (np.linalg.norm(points[:, :2], axis=1) - 0.012).astype(np.float32)

    count = 200
    rng = np.random.default_rng(2)
    rays_o = np.stack([np.full(count, -0.95), rng.normal(0, 0.004, count), rng.uniform(-0.9, 0.9, count)], 1)
    rays_d = np.tile([1.0, 0, 0], (count, 1))
    distances = sample_rays(
        rays_o.astype(np.float32), rays_d.astype(np.float32), filled(pole, 128).values, 0.004, COUNTS, rng
    )
    assert ((np.abs(distances - 0.95) < 0.05).sum(1) >= 6).all()


def test_the_torch_twin_puts_its_samples_at_the_same_places() -> None:
    rays_o, rays_d = rays_to_the_middle(300)
    grid = filled(ball(0.4)).values
    mine = sample_rays(rays_o, rays_d, grid, 0.01, COUNTS, np.random.default_rng(0))
    twin = sample_rays_on_device(
        torch.tensor(rays_o), torch.tensor(rays_d), torch.tensor(grid), 0.01, COUNTS, np.random.default_rng(1)
    ).numpy()
    assert twin.shape == mine.shape
    # The same distribution: medians and quartiles of each ray agree, on average to a fraction of a cell.
    for quantile in (0.25, 0.5, 0.75):
        difference = np.quantile(mine, quantile, axis=1) - np.quantile(twin, quantile, axis=1)
        assert abs(difference.mean()) < 0.006


def test_rays_from_outside_start_where_they_enter_the_box() -> None:
    rays_o = np.array([[-3.0, 0.1, 0.05]], np.float32)
    rays_d = np.array([[1.0, 0, 0]], np.float32)
    distances = sample_rays(rays_o, rays_d, filled(ball(0.4)).values, 0.01, COUNTS, np.random.default_rng(0))
    assert distances.min() >= 2.0
    assert np.abs(distances - hits(rays_o, rays_d, 0.4)[:, None]).min() < 0.01


def test_a_cache_read_near_the_old_surface_loses_one_that_travels_and_a_full_read_finds_it() -> None:
    cache = filled(ball(0.3), 64)
    for _ in range(6):
        cache.refresh(ball(0.7), 4000)  # The surface went from 0.3 to 0.7 at once.
    middle = np.abs(np.linalg.norm(cache.points(np.arange(64**3)), axis=1) - 0.5) < 0.1
    assert (cache.values.ravel()[middle] > 0).mean() > 0.5  # Wrong: that is deep inside the new ball.
    cache.refresh_all(ball(0.7))
    assert (cache.values.ravel()[middle] < 0).all()


def test_a_refresh_reads_no_more_than_it_may_and_most_of_it_at_the_surface() -> None:
    cache = filled(ball(0.5), 64)
    seen: list[np.ndarray] = []

    def watch(points: np.ndarray) -> np.ndarray:
        seen.append(points)
        return ball(0.5)(points)

    cache.refresh(watch, 5000)
    points = np.concatenate(seen)
    assert len(points) <= 5000
    assert (np.abs(ball(0.5)(points)) < 2.6 * cache.cell).mean() > 0.75


def test_a_room_seen_from_inside_is_sampled_at_its_walls() -> None:
    scale, center = 2.4, np.array([0, 0, 1.25])

    def sdf(points: np.ndarray) -> np.ndarray:
        return (room_sdf(points * scale + center) / scale).astype(np.float32)

    rng = np.random.default_rng(3)
    rays_d = rng.normal(size=(300, 3))
    rays_d = (rays_d / np.linalg.norm(rays_d, axis=1, keepdims=True)).astype(np.float32)
    rays_o = np.tile(np.array([-0.2, -0.2, 0.1], np.float32), (300, 1))
    distances = sample_rays(rays_o, rays_d, filled(sdf, 128).values, 0.004, COUNTS, rng)
    points = rays_o[:, None] + distances[..., None] * rays_d[:, None]
    off = np.abs(sdf(points.reshape(-1, 3))).reshape(300, -1)
    assert ((off < 0.03).sum(1) >= 8).mean() > 0.98
