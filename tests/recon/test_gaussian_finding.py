"""Finding Gaussians in boxes and spheres, by colour, and by what they hang together with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from recon.gaussian_finding import connected, flooded, in_box, in_sphere, lab_of, like_color
from recon.gaussian_neighbours import NeighbourGraph, component_labels, grown, neighbour_graph, shrunk
from render.gaussians import GaussianCloud
from render.spherical_harmonics import SH_C0
from tests.recon.test_gaussian_values import colored_cloud
from tests.render.test_gaussians import make_cloud


def lattice(nx: int, ny: int, nz: int, step: float = 1.0, size: float = 0.1) -> GaussianCloud:
    """Round Gaussians at a lattice's points."""
    axes = [np.arange(n) * step for n in (nx, ny, nz)]
    means = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    count = len(means)
    return GaussianCloud(
        means,
        np.tile([1.0, 0, 0, 0], (count, 1)),  # type: ignore[arg-type]
        np.full((count, 3), np.log(size)),  # type: ignore[arg-type]
        np.zeros(count),  # type: ignore[arg-type]
        np.zeros((count, 1, 3)),  # type: ignore[arg-type]
    )


def test_a_box_takes_exactly_the_lattice_points_in_it() -> None:
    cloud = lattice(10, 10, 10)
    world_from_box = np.diag([1.4, 2.4, 0.4, 1.0])
    world_from_box[:3, 3] = [4.5, 5, 7]
    assert in_box(cloud, world_from_box).sum() == 2 * 5 * 1
    turn = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    world_from_box[:3, :3] = turn @ world_from_box[:3, :3]
    assert in_box(cloud, world_from_box).sum() == 4 * 3 * 1  # x 4.5 ± 2.4, y 5 ± 1.4


def test_a_turned_box_far_from_the_origin_loses_nothing() -> None:
    cloud = lattice(10, 10, 10)
    far = replace(cloud, means=cloud.means + np.float32(4096))
    turn = Rotation.from_rotvec([0.3, -0.5, 0.2]).as_matrix()
    world_from_box = np.eye(4)
    world_from_box[:3, :3] = turn * [3.1, 2.3, 4.2]
    world_from_box[:3, 3] = [4.6, 4.2, 5.1]
    near_found = in_box(cloud, world_from_box)
    world_from_box[:3, 3] += 4096
    assert 100 < near_found.sum() < 900
    assert (in_box(far, world_from_box) == near_found).all()


def test_a_sphere_takes_exactly_the_lattice_points_in_it() -> None:
    cloud = lattice(9, 9, 9)
    found = in_sphere(cloud, (4, 4, 4), 2.01)
    assert found.sum() == 33  # integer points with x² + y² + z² ≤ 4
    assert in_sphere(cloud, (4, 4, 4), 0.5).sum() == 1


def test_lab_has_the_published_values() -> None:
    colors = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], np.float32)
    expected = [
        [100, 0, 0],
        [53.24, 80.09, 67.20],
        [87.73, -86.18, 83.18],
        [32.30, 79.19, -107.86],
        [0, 0, 0],
    ]
    assert np.allclose(lab_of(colors), expected, atol=0.02)


def test_the_eyedropper_takes_colours_within_its_tolerance_anywhere() -> None:
    grey = np.linspace(0, 1, 101)[:, None] * np.ones(3)
    cloud = colored_cloud(grey)
    lightness = lab_of(grey.astype(np.float32))[:, 0]
    found = like_color(cloud, (0.5, 0.5, 0.5), 5.0)
    assert (found == (np.abs(lightness - lightness[50]) <= 5.0)).all() and found.sum() == 10
    assert like_color(cloud, grey[50], 0.01).sum() == 1


def two_colored_line() -> GaussianCloud:
    """Thirty in a row: ten red, ten blue, ten red."""
    cloud = lattice(30, 1, 1, step=0.1)
    colors = np.where((np.arange(30) // 10 == 1)[:, None], [0.1, 0.1, 0.9], [0.9, 0.1, 0.1])
    return replace(cloud, sh=((colors - 0.5) / SH_C0)[:, None, :])


def test_a_flood_stays_on_its_side_of_another_colour() -> None:
    cloud = two_colored_line()
    graph = neighbour_graph(cloud, 2)
    found = flooded(cloud, 3, graph, tolerance=10)
    assert np.flatnonzero(found).tolist() == list(range(10))
    assert like_color(cloud, (0.9, 0.1, 0.1), 10).sum() == 20
    assert flooded(cloud, 3, graph, tolerance=1000).all()


def test_a_flood_enters_nothing_that_is_not_allowed() -> None:
    cloud = two_colored_line()
    graph = neighbour_graph(cloud, 2)
    allowed = np.arange(30) != 5
    assert np.flatnonzero(flooded(cloud, 3, graph, 10, allowed)).tolist() == [0, 1, 2, 3, 4]
    assert not flooded(cloud, 5, graph, 10, allowed).any()


def test_pieces_are_told_apart_by_their_gap_and_numbered_by_size() -> None:
    block, far = lattice(6, 6, 6, 0.1, 0.05), lattice(3, 3, 3, 0.1, 0.05)
    means = np.concatenate([far.means + 5, block.means, far.means[:9] - 4])
    cloud = replace(lattice(len(means), 1, 1, size=0.05), means=means)
    labels = component_labels(cloud, neighbour_graph(cloud))
    assert labels[:27].tolist() == [1] * 27
    assert (labels[27:243] == 0).all() and (labels[243:] == 2).all()
    assert connected(cloud, 0, neighbour_graph(cloud)).sum() == 27
    assert connected(cloud, 100, neighbour_graph(cloud)).sum() == 216


def test_a_wider_gap_is_bridged_when_asked_for() -> None:
    line = lattice(20, 1, 1, 0.1).means
    means = np.concatenate([line, line + np.array([2.9, 0, 0])])
    cloud = replace(lattice(40, 1, 1, size=0.01), means=means)  # a gap of 1.0 in a line of 0.1
    graph = neighbour_graph(cloud, 20)
    assert component_labels(cloud, graph).max() == 1
    assert component_labels(cloud, graph, max_gap=6).max() == 0


def test_neighbours_are_the_nearest_and_never_oneself() -> None:
    cloud = make_cloud(300)
    graph = neighbour_graph(cloud, 5)
    distances = np.linalg.norm(cloud.means[:, None] - cloud.means[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert np.allclose(graph.distances, np.sort(distances, axis=1)[:, :5], atol=1e-5)
    assert (graph.indices == np.argsort(distances, axis=1, kind="stable")[:, :5]).all()


def test_gaussians_in_one_place_are_each_others_neighbours() -> None:
    cloud = replace(make_cloud(40), means=np.zeros((40, 3), np.float32))
    graph = neighbour_graph(cloud, 6)
    assert (graph.indices != np.arange(40)[:, None]).all()
    assert not graph.distances.any()
    assert all(len(set(row)) == 6 for row in graph.indices.tolist())


@pytest.mark.parametrize("scale", [1e-42, 1e-6, 1e6])
def test_neighbours_are_the_same_at_any_scale_and_beside_an_outlier(scale: float) -> None:
    means = np.random.default_rng(1).integers(0, 1000, (200, 3)).astype(np.float64)
    means[0] = 1e5
    graphs = [neighbour_graph(replace(make_cloud(200), means=means * each), 3) for each in (1.0, scale)]
    assert np.allclose(graphs[1].distances, graphs[0].distances * scale, rtol=0.01, atol=1e-44)
    assert not (graphs[0].indices[1:] == 0).any()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_clouds_have_small_graphs(count: int) -> None:
    cloud = make_cloud(count)
    graph = neighbour_graph(cloud)
    assert graph.indices.shape == (count, max(0, count - 1))
    assert component_labels(cloud, graph).shape == (count,)
    everything = np.ones(count, bool)
    assert grown(everything, graph).all() and shrunk(everything, graph).all()


def line_graph(count: int) -> NeighbourGraph:
    indices = np.stack([np.arange(count) - 1, np.arange(count) + 1], 1)
    indices[0, 0], indices[-1, 1] = 1, count - 2
    return NeighbourGraph(indices, np.ones((count, 2)))  # type: ignore[arg-type]


def test_growing_and_shrinking_go_one_neighbour_at_a_time() -> None:
    graph = line_graph(20)
    selected = np.isin(np.arange(20), [5, 6, 7, 8, 9])
    assert np.flatnonzero(grown(selected, graph)).tolist() == [4, 5, 6, 7, 8, 9, 10]
    assert np.flatnonzero(shrunk(selected, graph)).tolist() == [6, 7, 8]
    assert (shrunk(grown(selected, graph), graph) == selected).all()


def test_growing_heeds_what_is_locked_and_shrinking_does_not_count_it_as_outside() -> None:
    graph = line_graph(20)
    selected = np.isin(np.arange(20), [5, 6, 7])
    free = np.arange(20) != 8
    assert np.flatnonzero(grown(selected, graph, free)).tolist() == [4, 5, 6, 7]
    assert np.flatnonzero(shrunk(selected, graph, free)).tolist() == [6, 7]
