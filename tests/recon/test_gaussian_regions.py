"""Selecting on the screen: rectangle, polygon, lasso, brush, depth and footprint, with counts known beforehand (T60)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from recon.gaussian_footprints import touching_region
from recon.gaussian_projection import (
    Projection,
    ScreenCamera,
    projected,
    screen_covariances,
    screen_radii,
    within_depths,
)
from recon.gaussian_regions import Region, brush_region, in_region, polygon_region, rectangle_region
from render.gaussians import GaussianCloud

PIXELS = np.stack(np.meshgrid(np.arange(40) + 0.5, np.arange(30) + 0.5), -1).reshape(-1, 2).astype(np.float32)


def flat_grid(columns: int, rows: int, depth: float = 0.0, size: float = 0.01) -> GaussianCloud:
    """One Gaussian at each whole x, y in the plane z = depth, small and round."""
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    means = np.stack([x.ravel(), y.ravel(), np.full(x.size, depth)], 1)
    count = len(means)
    quats = np.tile([1.0, 0, 0, 0], (count, 1))
    scales = np.full((count, 3), np.log(size))
    return GaussianCloud(means, quats, scales, np.zeros(count), np.zeros((count, 1, 3)))  # type: ignore[arg-type]


def camera_above(distance: float = 10.0, *, is_orthographic: bool = False) -> ScreenCamera:
    """A camera that looks along +z: a Gaussian of `flat_grid` at (x, y) is seen at pixel (10 x + 5, 10 y + 5)."""
    cam_from_world = np.eye(4)
    cam_from_world[2, 3] = distance
    focal = np.full(2, 10.0 if is_orthographic else 10.0 * distance)
    return ScreenCamera(cam_from_world, focal, np.full(2, 5.0), is_orthographic)


@pytest.mark.parametrize("is_orthographic", [False, True])
def test_a_grid_lands_on_the_pixels_it_should(is_orthographic: bool) -> None:
    seen = projected(flat_grid(8, 6), camera_above(is_orthographic=is_orthographic))
    x, y = np.meshgrid(np.arange(8), np.arange(6))
    assert np.allclose(seen.positions, np.stack([10 * x.ravel() + 5, 10 * y.ravel() + 5], 1), atol=1e-4)
    assert np.allclose(seen.depths, 10)


def test_a_rectangle_takes_exactly_the_grid_points_in_it_whichever_way_it_is_dragged() -> None:
    positions = projected(flat_grid(8, 6), camera_above()).positions
    corners = [(14, 14), (46, 36)]
    for first, second in [(0, 1), (1, 0)]:
        found = in_region(positions, rectangle_region(corners[first], corners[second]))
        assert found.reshape(6, 8)[1:4, 1:5].all() and found.sum() == 12
    found = in_region(positions, rectangle_region((14, 36), (46, 14)))
    assert found.sum() == 12


def test_a_click_without_a_drag_takes_nothing() -> None:
    assert not in_region(PIXELS, rectangle_region((5.5, 5.5), (5.5, 5.5))).any()
    assert not in_region(PIXELS, rectangle_region((5.5, 0.5), (5.5, 9.5))).any()


def even_odd(points: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """The readable twin: cross every edge with the ray to the right of every point."""
    inside = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        spans = (y0 > points[:, 1]) != (y1 > points[:, 1])
        inside ^= spans & (points[:, 0] < x0 + (points[:, 1] - y0) * (x1 - x0) / (y1 - y0))
    return inside


@pytest.mark.parametrize("seed", range(4))
def test_any_polygon_agrees_with_a_test_of_every_edge(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.uniform(-20, 120, (9, 2))
    points = rng.uniform(-30, 130, (20_000, 2)).astype(np.float32)
    found, expected = in_region(points, polygon_region(vertices)), even_odd(points, vertices)
    edges = np.linalg.norm(np.roll(vertices, -1, axis=0) - vertices, axis=1).sum()
    # Only points within an eighth of a pixel of an edge may differ.
    assert (found != expected).sum() <= 0.25 * edges / 160**2 * len(points)
    assert 0.05 < expected.mean() < 0.95


def test_a_polygon_on_a_grid_takes_what_is_inside_and_leaves_its_hole() -> None:
    positions = projected(flat_grid(8, 6), camera_above()).positions
    triangle = [(0, 0), (80, 0), (0, 80)]
    x, y = positions.T
    assert (in_region(positions, polygon_region(triangle)) == (x + y < 80)).all()
    star_of_two_squares = [
        (0, 0),
        (80, 0),
        (80, 60),
        (0, 60),
        (0, 0),
        (20, 20),
        (60, 20),
        (60, 40),
        (20, 40),
        (20, 20),
    ]
    found = in_region(positions, polygon_region(star_of_two_squares)).reshape(6, 8)
    assert not found[2:4, 2:6].any() and found.sum() == 48 - 8


def test_a_polygon_beyond_the_screen_and_one_of_two_points_are_no_special_case() -> None:
    huge = polygon_region([(-1e4, -1e4), (2e4, -1e4), (2e4, 2e4), (-1e4, 2e4)])
    assert huge.mask.size < 4.2e6
    assert in_region(PIXELS, huge).all()
    assert not in_region(PIXELS, polygon_region([(0, 0), (20, 20)])).any()
    assert not in_region(PIXELS, polygon_region([(0, 5), (20, 5), (30, 5)])).any()


def test_a_brush_covers_what_is_within_its_radius_of_the_stroke() -> None:
    path = np.array([(5.0, 5), (30, 5), (30, 25)])
    found = in_region(PIXELS, brush_region(path, 4.0))
    away = np.minimum(distance_to(PIXELS, path[0], path[1]), distance_to(PIXELS, path[1], path[2]))
    assert found[away < 3.8].all() and not found[away > 4.2].any()
    dab = in_region(PIXELS, brush_region([(20, 15)], 6.0))
    assert (dab == (np.hypot(*(PIXELS - [20, 15]).T) < 6)).mean() > 0.99
    assert 105 <= dab.sum() <= 120  # π · 36 = 113


def distance_to(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    along = np.clip((points - start) @ (end - start) / ((end - start) ** 2).sum(), 0, 1)
    return np.linalg.norm(points - start - along[:, None] * (end - start), axis=1)


def test_a_drawn_mask_is_looked_up_in_its_own_place() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    region = Region(mask, np.array([10.0, 5.0]), np.array([2.0, 2.0]))
    found = in_region(PIXELS, region).reshape(30, 40)
    assert found.sum() == 4 and found[7:9, 14:16].all()


def test_nothing_behind_the_camera_is_found() -> None:
    behind = flat_grid(4, 4, depth=-20)
    camera = camera_above()
    seen = projected(behind, camera)
    everything = rectangle_region((-1e6, -1e6), (1e6, 1e6))
    assert not in_region(seen.positions, everything).any()
    assert not touching_region(behind, camera, seen, everything).any()


def test_depths_keep_a_tool_from_reaching_through() -> None:
    near, far = flat_grid(4, 4, depth=0), flat_grid(4, 4, depth=30)
    depths = [projected(cloud, camera_above()).depths for cloud in (near, far)]
    both = Projection(np.zeros((32, 2), np.float32), np.concatenate(depths))
    assert within_depths(both, 5, 15).tolist() == [True] * 16 + [False] * 16


def random_cloud(count: int, seed: int) -> GaussianCloud:
    rng = np.random.default_rng(seed)
    means = rng.uniform([-2, -2, 0], [10, 8, 4], (count, 3))
    quats, scales = rng.standard_normal((count, 4)), rng.normal(-1.2, 0.8, (count, 3))
    return GaussianCloud(means, quats, scales, np.zeros(count), np.zeros((count, 1, 3)))  # type: ignore[arg-type]


@pytest.mark.parametrize("is_orthographic", [False, True])
def test_an_ellipse_has_the_spread_of_points_drawn_from_its_gaussian(is_orthographic: bool) -> None:
    cloud, above = random_cloud(30, 1), camera_above(40.0, is_orthographic=is_orthographic)
    camera = replace(above, center=np.array([200.0, 150]))
    rng = np.random.default_rng(0)
    ellipses = screen_covariances(cloud, camera, np.arange(30))
    radii = screen_radii(cloud, camera, projected(cloud, camera))
    for row, (quat, scale) in enumerate(zip(cloud.quats, cloud.scales, strict=True)):
        turn = Rotation.from_quat(quat[[1, 2, 3, 0]]).as_matrix()
        drawn = cloud.means[row] + (0.1 * rng.standard_normal((40_000, 3)) * scale) @ turn.T
        there = drawn @ camera.cam_from_world[:3, :3].T + camera.cam_from_world[:3, 3]
        pixels = camera.focal * there[:, :2] / (1 if is_orthographic else there[:, 2:])
        spread = 100 * np.cov(pixels.T)
        expected = np.array([spread[0, 0] + 0.3, spread[0, 1], spread[1, 1] + 0.3])
        assert np.allclose(ellipses[row], expected, atol=0.04 * (expected[0] + expected[2]))
        assert radii[row] ** 2 >= np.linalg.eigvalsh([ellipses[row, :2], ellipses[row, 1:]])[-1] * 0.999


@pytest.mark.parametrize("seed", range(3))
def test_footprints_touch_a_region_where_their_ellipse_does(seed: int) -> None:
    cloud, camera = random_cloud(300, seed), camera_above()
    seen = projected(cloud, camera)
    rng = np.random.default_rng(seed)
    regions = [
        rectangle_region((30, 20), (50, 45)),
        polygon_region(rng.uniform(0, 80, (5, 2))),
        brush_region(rng.uniform(10, 60, (3, 2)), 3.0),
    ]
    for region in regions:
        found = touching_region(cloud, camera, seen, region, sigmas=1.0)
        centers = _centers_of_cells(region)
        ellipses = screen_covariances(cloud, camera, np.arange(len(cloud)))
        nearest = np.array(
            [_least_distance(*each, centers) for each in zip(seen.positions, ellipses, strict=True)]
        )
        # What clearly touches is found; what clearly does not is not. Cells have a size, so allow a little of it.
        assert found[nearest < 0.9].all()
        assert not found[nearest > 1.15].any()
        assert found.sum() > in_region(seen.positions, region).sum()


def _centers_of_cells(region: Region) -> np.ndarray:
    if region.mask.size == 1:
        low, high = region.bounds
        axes = [np.linspace(low[k], high[k], 60) for k in range(2)]
        return np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)
    rows, columns = np.nonzero(region.mask)
    keep = np.random.default_rng(0).permutation(len(rows))[:20_000]
    return region.corner + region.cell * (np.stack([columns, rows], 1)[keep] + 0.5)


def _least_distance(position: np.ndarray, ellipse: np.ndarray, points: np.ndarray) -> float:
    """In standard deviations."""
    matrix = np.linalg.inv([ellipse[:2], ellipse[1:]])
    offset = points - position
    return float(np.sqrt(np.einsum("ni,ij,nj->n", offset, matrix, offset).min()))


def test_a_small_brush_on_the_rim_of_a_large_splat_finds_it_only_by_its_footprint() -> None:
    cloud = flat_grid(1, 1, size=2.0)  # at pixel (5, 5), 20 pixels wide
    camera = camera_above()
    seen = projected(cloud, camera)
    for x, is_touched in [(30, True), (44, True), (50, False)]:
        region = brush_region([(x, 5)], 2.0)
        assert not in_region(seen.positions, region).any()
        assert touching_region(cloud, camera, seen, region, sigmas=2.0).any() == is_touched
