from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from recon.hash_grid import HashGrid, HashGridLayout, corner_entries, torch_jets
from recon.hash_grid_cuda import configuration, is_available

LAYOUTS = [
    HashGridLayout.between(8, 64, num_levels=4, log2_table_size=12),
    HashGridLayout.between(4, 16, num_levels=3, log2_table_size=19),
    HashGridLayout(num_levels=1, base_resolution=5, growth=1.0, log2_table_size=5),
]


def grid_of(layout: HashGridLayout, seed: int = 0) -> HashGrid:
    grid = HashGrid(layout)
    grid.table.data.uniform_(-1, 1, generator=torch.Generator().manual_seed(seed))
    return grid


def points_of(layout: HashGridLayout, count: int = 500) -> torch.Tensor:
    """Inside, on the cube's border, beyond it, and at corners; none within rounding of a cell's border."""
    points = torch.rand(count, 3, generator=torch.Generator().manual_seed(1)) * 1.2 - 0.1
    points[:3] = torch.tensor([[0.0, 0, 0], [1, 1, 1], [1, 0, 0.5]])
    # Coordinates of 12 bits keep products with the scales the same in both precisions' cells.
    points = torch.round(points * 4096) / 4096
    position = points.clamp(0, 1)[..., None].double() * torch.tensor(layout.scales) + 0.5
    is_clear = ((position - position.round()).abs() > 1e-4).all(-1).all(-1)
    return points[is_clear]


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(((a - b).norm() / b.norm()).detach())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_kernels_give_what_the_readable_twin_gives(layout):
    grid, points = grid_of(layout), points_of(layout)
    assert len(points) > 250
    wanted, wanted_slopes = torch_jets(grid.table.double(), points.double(), layout)
    features, slopes = grid.jets(points)
    assert relative(features, wanted) < 1e-5 and relative(slopes, wanted_slopes) < 1e-5
    assert relative(grid(points), wanted) < 1e-5
    assert features.shape == (len(points), layout.num_levels * layout.num_features)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_kernels_carry_gradients_into_the_table_as_the_twin_does(layout):
    grid, points = grid_of(layout), points_of(layout)
    twin = grid.table.detach().double().requires_grad_()
    features, slopes = grid.jets(points)
    by = torch.randn_like(features), torch.randn_like(slopes)
    (of_table,) = torch.autograd.grad((features, slopes), grid.table, by)
    (wanted,) = torch.autograd.grad(torch_jets(twin, points.double(), layout), twin, [b.double() for b in by])
    assert relative(of_table, wanted) < 1e-5
    (of_table,) = torch.autograd.grad(grid(points), grid.table, by[0])
    (wanted,) = torch.autograd.grad(torch_jets(twin, points.double(), layout)[0], twin, by[0].double())
    assert relative(of_table, wanted) < 1e-5


def test_the_gradient_of_a_pulled_back_derivative_is_autograds_second_derivative():
    layout = LAYOUTS[0]
    grid, points = grid_of(layout), points_of(layout)
    weights = torch.randn(layout.num_outputs)
    features, pull_back = grid.with_pullback(points)
    gradient = pull_back(torch.cos(features) * weights)
    (of_table,) = torch.autograd.grad((gradient.norm(dim=1) - 1).pow(2).sum(), grid.table)

    twin = grid.table.detach().double().requires_grad_()
    at = points.double().requires_grad_()
    value = (torch.sin(torch_jets(twin, at, layout)[0]) @ weights.double()).sum()
    (wanted_gradient,) = torch.autograd.grad(value, at, create_graph=True)
    (wanted,) = torch.autograd.grad((wanted_gradient.norm(dim=1) - 1).pow(2).sum(), twin)
    assert relative(gradient, wanted_gradient) < 1e-5
    assert relative(of_table, wanted) < 1e-4  # A chain of float32 sums and a square root.


def test_the_twin_has_the_derivatives_that_differences_show():
    layout = HashGridLayout.between(4, 8, num_levels=2, log2_table_size=6)
    table = torch.randn(layout.num_entries, 2, dtype=torch.float64, requires_grad=True)
    points = torch.rand(6, 3, dtype=torch.float64) * 0.8 + 0.1
    assert torch.autograd.gradcheck(lambda t: torch_jets(t, points, layout), (table,))
    points.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: torch_jets(table.detach(), p, layout)[0], (points,), eps=1e-7)
    features, slopes = torch_jets(table, points, layout)
    rows = [torch.autograd.grad(features[:, k].sum(), points, retain_graph=True)[0] for k in range(4)]
    torch.testing.assert_close(torch.stack(rows, 1), slopes)


def test_points_that_want_a_gradient_get_one():
    grid = grid_of(LAYOUTS[0])
    points = torch.full((1, 3), 0.4, requires_grad=True)
    (by_points,) = torch.autograd.grad(grid(points)[0, 0], points)
    torch.testing.assert_close(by_points, grid.jets(points.detach())[1][:, 0])


def test_outside_the_cube_features_stay_and_slopes_vanish():
    grid = grid_of(LAYOUTS[0])
    features, slopes = grid.jets(
        torch.tensor([[1.3, 0.4, 0.2], [1.0, 0.4, 0.2], [-5.0, 0.4, 2.0], [0, 0.4, 1.0]])
    )
    torch.testing.assert_close(features[0], features[1])
    torch.testing.assert_close(features[2], features[3])
    assert (slopes[0, :, 0] == 0).all() and (slopes[0, :, 1] != 0).any()
    assert (slopes[2, :, [0, 2]] == 0).all()


def test_no_point_takes_entries_of_another_level_or_none_at_all():
    for layout in LAYOUTS:
        grid = grid_of(layout)
        border = torch.cartesian_prod(*[torch.tensor([0.0, 0.5, 1.0])] * 3)
        with torch.no_grad():
            for level in range(layout.num_levels):
                grid.table[layout.offsets[level] : layout.offsets[level + 1]] = level + 1
        features = grid(border).view(len(border), layout.num_levels, -1)
        wanted = torch.arange(1.0, layout.num_levels + 1)[:, None].expand_as(features)
        torch.testing.assert_close(features, wanted)


def test_two_runs_on_any_number_of_threads_give_the_same_bits():
    import numba

    layout = LAYOUTS[0]
    grid, points = grid_of(layout), points_of(layout).repeat(8, 1)
    results = []
    before = numba.get_num_threads()
    for threads in (1, 1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        features, slopes = grid.jets(points)
        (of_table,) = torch.autograd.grad(features.sum() + slopes.pow(2).sum(), grid.table)
        results.append((features, slopes, of_table))
    numba.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_kernels_of_other_widths_do_not_take_each_others_place_in_the_cache():
    for width in (1, 2, 1, 2):
        layout = HashGridLayout(2, width, 4, 2.0, 10)
        grid = grid_of(layout)
        points = torch.rand(20, 3)
        torch.testing.assert_close(grid(points), torch_jets(grid.table, points, layout)[0])


def tiny_cuda_nn_entry(layout: HashGridLayout, level: int, corner: tuple[int, int, int]) -> int:
    """grid_index of tiny-cuda-nn's grid.h, restated: strides while they fit, the hash where they do not."""
    size = int(layout.offsets[level + 1] - layout.offsets[level])
    resolution = int(np.ceil(layout.scales[level])) + 1
    stride, index = 1, 0
    for coordinate in corner:
        if stride > size:
            break
        index += coordinate * stride
        stride *= resolution
    if size < stride:
        x, y, z = corner
        index = (x ^ (y * 2654435761 & 0xFFFFFFFF) ^ (z * 805459861 & 0xFFFFFFFF)) & 0xFFFFFFFF
    return index % size + int(layout.offsets[level])


@pytest.mark.parametrize("layout", [*LAYOUTS, HashGridLayout(), HashGridLayout(16, 2, 16, 1.3819, 19)])
def test_entries_lie_where_tiny_cuda_nn_puts_them(layout):
    rng = np.random.default_rng(0)
    for level in range(layout.num_levels):
        assert (layout.offsets[level + 1] - layout.offsets[level]) % 8 == 0
        # Points up to safe_extent reach the last grid point and no further.
        reach = layout.safe_extent * layout.scales[level] + 0.5
        assert np.floor(reach - 1e-4) + 1 <= layout.resolutions[level] - 1 or not layout.is_dense[level]
        corners = rng.integers(0, layout.resolutions[level], (200, 3))
        rows = corner_entries(torch.tensor(corners), layout, level)
        assert rows.tolist() == [tiny_cuda_nn_entry(layout, level, tuple(map(int, c))) for c in corners]


def test_the_default_layout_is_the_one_of_tables_on_disk():
    layout = HashGridLayout()
    assert layout.resolutions.tolist() == [16, 24, 36, 53, 79, 116, 173, 256]
    assert layout.offsets[:4].tolist() == [0, 4096, 17920, 64576] and layout.num_entries == 719936
    assert layout == HashGridLayout.between()
    assert configuration(layout)["per_level_scale"] == layout.growth


@pytest.mark.parametrize(
    "values",
    [
        {"num_levels": 0}, {"num_features": 3}, {"base_resolution": 1}, {"log2_table_size": 40},
        {"growth": 0.5}, {"growth": float("nan")}, {"growth": 100.0},
    ],
)  # fmt: skip
def test_a_layout_that_no_table_has_is_refused(values):
    with pytest.raises(ValueError, match="hash grid"):
        HashGridLayout(**values)


@pytest.mark.gpu
def test_tiny_cuda_nn_gives_the_same_from_the_same_table():
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    if importlib.util.find_spec("tinycudann") is None or not is_available():
        pytest.skip("tiny-cuda-nn is not installed")
    layout = HashGridLayout()
    grid = grid_of(layout)
    points = torch.rand(1000, 3) * layout.safe_extent
    features, pull_back = grid.with_pullback(points)
    by = torch.randn_like(features)
    gradient = pull_back(by)
    (of_table,) = torch.autograd.grad(features.sum() + gradient.pow(2).sum(), grid.table)
    on_gpu = HashGrid(layout).cuda()
    on_gpu.load_state_dict(grid.state_dict())
    gpu_features, gpu_pull_back = on_gpu.with_pullback(points.cuda())
    gpu_gradient = gpu_pull_back(by.cuda())
    (gpu_table,) = torch.autograd.grad(gpu_features.sum() + gpu_gradient.pow(2).sum(), on_gpu.table)
    for ours, theirs in ((features, gpu_features), (gradient, gpu_gradient), (of_table, gpu_table)):
        assert relative(theirs.cpu(), ours) < 1e-3
