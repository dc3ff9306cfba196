"""The hash grid and the SDF network: our kernels beside plain torch, in one run on one thread; and how much memory and
time an extraction takes.

    python -m tests.benchmarks.bench_hash_grid                      a step of training, by the way its gradient is got
    python -m tests.benchmarks.bench_hash_grid --extract 256 1024   extraction at these resolutions

Times are CPU-seconds of this process, the lowest of several turns taken alternately, after the kernels are compiled.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable

for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from recon.debsdf.blocks import Grid, distance_of, estimate, extract  # noqa: E402
from recon.debsdf.network_layout import NetworkLayout  # noqa: E402
from recon.debsdf.sdf_network import SdfNetwork  # noqa: E402
from recon.hash_grid import HashGrid, torch_jets  # noqa: E402

Jets = tuple[Tensor, Tensor, Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=12_288)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--extract", type=int, nargs="*", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if options.extract:
        _bench_extraction(options.extract)
        return
    _bench_steps(options.points, options.turns)
    _bench_kernels(options.points, options.turns)


def _network(base_resolution: int = 0) -> SdfNetwork:
    base = _room_values(base_resolution) if base_resolution else None
    network = SdfNetwork(NetworkLayout(base_resolution=base_resolution), base)
    assert network.grid is not None
    network.grid.table.data.uniform_(-0.1, 0.1)
    return network


def _room_values(size: int) -> np.ndarray:
    """A room of 1.6 by 1.4 by 1 box units with 24 balls in it."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    values = (np.float32([0.8, 0.7, 0.5]) - np.abs(points)).min(-1)
    rng = np.random.default_rng(0)
    for center, radius in zip(rng.uniform(-0.5, 0.5, (24, 3)), rng.uniform(0.02, 0.12, 24), strict=True):
        values = np.minimum(values, np.linalg.norm(points - center.astype(np.float32), axis=-1) - radius)
    return values


def _bench_steps(count: int, turns: int) -> None:
    """Forward, distance property and backward, 16 levels' worth of features → 64 → 16."""
    network, points = _network(), torch.rand(count, 3) * 2 - 1
    ways: dict[str, Callable[[], Jets]] = {
        "kernels, gradient written out": lambda: network.field(points),
        "torch, gradient written out": lambda: _torch_jets(network, points),
        "torch, autograd's double backward": lambda: _double_backward(network, points),
        "kernels, differences at 4 points": lambda: _differences(network, points),
    }
    gradients = {name: _step(network, way) for name, way in ways.items()}
    lowest = _lowest({name: lambda way=way: _step(network, way) for name, way in ways.items()}, turns)
    reference = lowest["torch, autograd's double backward"]
    print(f"A step at {count} points: 8 levels of 2 features, 2^17 entries, one hidden layer of 64")
    for name, seconds in lowest.items():
        error = _difference(gradients[name], gradients["torch, autograd's double backward"])
        print(
            f"  {name:36s} {1e3 * seconds:8.1f} ms   {reference / seconds:5.2f} x   gradients differ {error:.1e}"
        )


def _step(network: SdfNetwork, way: Callable[[], Jets]) -> list[Tensor]:
    sdf, gradient, features = way()
    loss = sdf.pow(2).mean() + (gradient.norm(dim=1) - 1).pow(2).mean() + features.pow(2).mean()
    return list(torch.autograd.grad(loss, list(network.parameters())))


def _in_grid(network: SdfNetwork, points: Tensor) -> Tensor:
    return (points + 1) * (network.layout.grid.safe_extent / 2)


def _mlp(network: SdfNetwork, features: Tensor, points: Tensor) -> Tensor:
    first, last = network.layers
    hidden = torch.nn.functional.softplus(first(torch.cat([features, points], 1)), network.layout.sharpness)
    return last(hidden)


def _torch_jets(network: SdfNetwork, points: Tensor) -> Jets:
    first, last = network.layers
    features, slopes = torch_jets(network.grid.table, _in_grid(network, points), network.layout.grid)
    sums = first(torch.cat([features, points], 1))
    outputs = last(torch.nn.functional.softplus(sums, network.layout.sharpness))
    back = (torch.sigmoid(network.layout.sharpness * sums) * last.weight[0]) @ first.weight
    by_grid = torch.einsum("nf,nfk->nk", back[:, :-3], slopes) * (network.layout.grid.safe_extent / 2)
    value, of_base = network.base.jets(points)
    return outputs[:, 0] + value, by_grid + back[:, -3:] + of_base, outputs[:, 1:]


def _double_backward(network: SdfNetwork, points: Tensor) -> Jets:
    points = points.clone().requires_grad_()
    features = torch_jets(network.grid.table, _in_grid(network, points), network.layout.grid)[0]
    outputs = _mlp(network, features, points)
    sdf = outputs[:, 0] + network.layout.radius - points.norm(dim=1)
    (gradient,) = torch.autograd.grad(sdf.sum(), points, create_graph=True)
    return sdf, gradient, outputs[:, 1:]


def _differences(network: SdfNetwork, points: Tensor, reach: float = 1 / 256) -> Jets:
    corners = torch.tensor([[1.0, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
    every = torch.cat([points[:, None], points[:, None] + reach * corners], 1).reshape(-1, 3)
    outputs = _mlp(network, network.grid(_in_grid(network, every)), every)
    sdf = (outputs[:, 0] + network.base.jets(every)[0]).view(-1, 5)
    gradient = (sdf[:, 1:] @ corners) / (4 * reach)
    return sdf[:, 0], gradient, outputs.view(len(points), 5, -1)[:, 0, 1:]


def _bench_kernels(count: int, turns: int) -> None:
    grid, points = HashGrid(NetworkLayout().grid), torch.rand(count, 3)
    grid.table.data.uniform_(-0.1, 0.1)
    features, slopes = grid.jets(points)
    by = torch.randn_like(features), torch.randn_like(slopes)
    twin, twin_slopes = torch_jets(grid.table, points, grid.layout)
    base = _network(160).base
    ways: dict[str, Callable[[], object]] = {
        "features and slopes": lambda: grid.jets(points),
        "  in torch": lambda: torch_jets(grid.table, points, grid.layout),
        "back into the table": lambda: torch.autograd.grad(
            (features, slopes), grid.table, by, retain_graph=True
        ),
        "  in torch ": lambda: torch.autograd.grad((twin, twin_slopes), grid.table, by, retain_graph=True),
        "features alone": lambda: grid(points),
        "base field of 160^3, with gradient": lambda: base.jets(points * 2 - 1),
    }
    print(f"Kernels at {count} points")
    for name, seconds in _lowest(ways, turns).items():
        print(f"  {name:36s} {1e3 * seconds:8.1f} ms   {count / seconds / 1e6:6.2f} M points/s")


def _lowest(ways: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """Least CPU-seconds of each, in turns, so that what else the machine does meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, way in ways.items():
            start = time.process_time()
            way()
            if turn:
                seconds[name].append(time.process_time() - start)
    return {name: min(times) for name, times in seconds.items()}


def _difference(ours: list[Tensor], theirs: list[Tensor]) -> float:
    return max(
        float((a - b).abs().max() / b.abs().max().clamp_min(1e-12)) for a, b in zip(ours, theirs, strict=True)
    )


def _bench_extraction(resolutions: list[int]) -> None:
    network = SdfNetwork(NetworkLayout(base_resolution=160), _room_values(160))
    network.grid.table.data.uniform_(-1e-3, 1e-3)
    bounds = np.array([[-0.9, -0.8, -0.6], [0.9, 0.8, 0.6]])
    distance = distance_of(network)
    extract(distance, Grid.over(bounds, 32))
    print(f"Extraction from a network; {_peak_mib():.0f} MiB before")
    for resolution in resolutions:
        start = time.process_time()
        guess = estimate(distance, bounds, resolution)
        guessed, start = time.process_time() - start, time.process_time()
        surface = extract(distance, Grid.over(bounds, resolution))
        seconds = time.process_time() - start
        print(
            f"  {resolution:5d} cells: {len(surface.faces):9d} triangles ({guess.num_triangles} estimated in "
            f"{guessed:.1f} s), {seconds:.1f} CPU-s, peak {_peak_mib():.0f} MiB of the process"
        )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
