"""Speed of the rasteriser of splats beside a tile-batched one in plain torch, in one run; see README.md here.

python -m tests.benchmarks.bench_splatting [--sizes 10000:256 200000:512] [--threads 1 2] [--no-torch] [--peer FILE.py]
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from render import compiled, splatting_tiles  # noqa: E402
from render.gaussians import GaussianCloud  # noqa: E402
from render.splat_pictures import splat_picture  # noqa: E402
from render.splat_weights import contribution_weights, top_gaussian, visible_gaussians  # noqa: E402
from render.splatting import rasterization  # noqa: E402
from tests.render.splatting_twin import projected, seen_colors  # noqa: E402

DEGREE = 3
TILE, PIXELS_AT_ONCE = 16, 2**21  # pixels times Gaussians of a batch of tiles


def make_scene(count: int, size: int, seed: int = 0) -> tuple[list[Tensor], Tensor, Tensor]:
    """A sphere of Gaussians as wide as their distance, two fifths of them off its surface. Returns means, quats,
    scales, opacities, colours; viewmats (1, 4, 4); Ks (1, 3, 3)."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radii = np.where(rng.random((count, 1)) < 0.6, 1.0, rng.uniform(0.5, 1.3, (count, 1)))
    width = np.sqrt(4 * np.pi / count)
    parameters = [
        directions * radii,
        rng.standard_normal((count, 4)),
        width * np.exp(rng.normal(-0.3, 0.5, (count, 3))),
        1 / (1 + np.exp(-rng.normal(1, 2, count))),
        0.2 * rng.standard_normal((count, (DEGREE + 1) ** 2, 3)),
    ]
    viewmat = torch.eye(4)[None]
    viewmat[0, 2, 3] = 3
    K = torch.tensor([[[1.15 * size, 0, size / 2], [0, 1.15 * size, size / 2], [0, 0, 1.0]]])
    return [torch.tensor(each, dtype=torch.float32, requires_grad=True) for each in parameters], viewmat, K


def torch_rasterization(
    parameters: list[Tensor], viewmats: Tensor, Ks: Tensor, size: int, is_sorted: bool
) -> Tensor:
    """The same picture (H, W, 3) in torch: many tiles at once, (B, K, 256), padded to the longest list among them.

    is_sorted: tiles with lists of like lengths together, which pads least; else row by row, as they come."""
    means, quats, scales, opacities, sh = parameters
    means2d, depths, covariances, _ = projected(means, quats, scales, viewmats[0], Ks[0], size, size, 0.3)
    determinant = covariances[:, 0, 0] * covariances[:, 1, 1] - covariances[:, 0, 1] ** 2
    conics = (
        torch.stack([covariances[:, 1, 1], -covariances[:, 0, 1], covariances[:, 0, 0]], -1)
        / determinant[:, None]
    )
    gaussians, starts = tile_lists(means2d, depths, covariances, opacities, size)
    colors = seen_colors(means, viewmats[0], sh, DEGREE)
    columns = -(-size // TILE)
    lengths = starts[1:] - starts[:-1]
    picture = torch.zeros(columns * columns, TILE * TILE, 3)
    by_length = torch.argsort(lengths) if is_sorted else torch.arange(len(lengths))
    by_length = by_length[lengths[by_length] > 0]
    drawn, tiles_drawn = [], []
    while len(by_length):
        longest = int(lengths[by_length[-1]] if is_sorted else lengths[by_length].max())
        batch = by_length[-max(1, PIXELS_AT_ONCE // (longest * TILE * TILE)) :]
        longest = int(lengths[batch].max())
        by_length = by_length[: -len(batch)]
        place = starts[batch][:, None] + torch.arange(longest)
        is_there = torch.arange(longest) < lengths[batch][:, None]
        chosen = gaussians[place.clamp(max=len(gaussians) - 1)]
        drawn.append(
            draw_tiles(
                batch, columns, is_there, means2d[chosen], conics[chosen], opacities[chosen], colors[chosen]
            )
        )
        tiles_drawn.append(batch)
    picture = picture.index_copy(0, torch.cat(tiles_drawn), torch.cat(drawn))
    picture = picture.view(columns, columns, TILE, TILE, 3).permute(0, 2, 1, 3, 4)
    return picture.reshape(columns * TILE, columns * TILE, 3)[:size, :size]


@torch.no_grad()
def tile_lists(
    means2d: Tensor, depths: Tensor, covariances: Tensor, opacities: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Gaussians of all tiles one after the other, nearest first, and where each tile's begin."""
    columns = -(-size // TILE)
    reach = torch.sqrt(2 * torch.log((opacities * 255).clamp(min=1)))
    half = reach[:, None] * torch.sqrt(torch.stack([covariances[:, 0, 0], covariances[:, 1, 1]], -1))
    first = ((means2d - half) / TILE).floor().clamp(0, columns).long()
    last = ((means2d + half) / TILE).floor().add(1).clamp(0, columns).long()
    counts = (last - first).prod(-1) * (depths > 0.01) * (opacities >= 1 / 255)
    order = torch.argsort(depths)
    gaussians = torch.repeat_interleave(order, counts[order])
    within = torch.arange(len(gaussians)) - torch.repeat_interleave(
        counts[order].cumsum(0) - counts[order], counts[order]
    )
    wide = (last - first)[gaussians, 0]
    tiles = (first[gaussians, 1] + within // wide) * columns + first[gaussians, 0] + within % wide
    sorted_tiles, by_tile = torch.sort(tiles, stable=True)
    starts = torch.searchsorted(sorted_tiles, torch.arange(columns * columns + 1))
    return gaussians[by_tile], starts


def draw_tiles(
    tiles: Tensor,
    columns: int,
    is_there: Tensor,
    means2d: Tensor,
    conics: Tensor,
    opacities: Tensor,
    colors: Tensor,
) -> Tensor:
    """(B, 256, 3) of B tiles with K Gaussians each."""
    i = torch.arange(TILE * TILE)
    x = (tiles[:, None] % columns) * TILE + i % TILE + 0.5
    y = (tiles[:, None] // columns) * TILE + i // TILE + 0.5
    dx, dy = x[:, None] - means2d[..., 0:1], y[:, None] - means2d[..., 1:2]
    exponents = 0.5 * (conics[..., 0:1] * dx * dx + conics[..., 2:3] * dy * dy) + conics[..., 1:2] * dx * dy
    alphas = (opacities[..., None] * torch.exp(-exponents)).clamp(max=0.999)
    alphas = torch.where((alphas >= 1 / 255) & is_there[..., None], alphas, 0)
    after = torch.cumprod(1 - alphas, 1)
    before = torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], 1)
    weights = torch.where(after > 1e-4, alphas * before, 0)
    return torch.einsum("bkp,bkc->bpc", weights, colors)


def cpu_times(contestants: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """CPU-milliseconds of each, taking turns so that a busy machine disturbs them alike."""
    for work in contestants.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            start = time.process_time()
            work()
            times[name].append(1e3 * (time.process_time() - start))
    return times


def compare(count: int, size: int, has_torch: bool, peer: Any) -> None:
    """Print the times of forward, and of forward and backward, and how much slower others are."""
    parameters, viewmats, Ks = make_scene(count, size)
    of_picture = torch.randn(size, size, 3, generator=torch.Generator().manual_seed(1))

    def ours() -> Tensor:
        return rasterization(*parameters, viewmats, Ks, size, size, sh_degree=DEGREE)[0][0]

    def in_torch(is_sorted: bool) -> Callable[[], Tensor]:
        return lambda: torch_rasterization(parameters, viewmats, Ks, size, is_sorted)

    difference = float((in_torch(True)() - ours()).detach().abs().max()) if has_torch else 0.0
    draws: dict[str, Callable[[], Any]] = {"ours": ours}
    if has_torch:
        draws |= {"torch": in_torch(False), "torch by length": in_torch(True)}
    forward = {name: without_gradient(draw) for name, draw in draws.items()}
    both = {name: with_gradient(draw, parameters, of_picture) for name, draw in draws.items()}
    if peer is not None:
        arrays = [each.detach().numpy() for each in parameters]
        scene = (*arrays, DEGREE, viewmats[0].numpy(), Ks[0].numpy(), size, size)
        forward["peer"] = lambda: peer.forward(*scene)
        both["peer"] = lambda: peer.backward(peer.forward(*scene)[2], of_picture.numpy())
    for title, contestants in (("forward", forward), ("forward + backward", both)):
        times = cpu_times(contestants, 5 if has_torch else 15)
        best = {name: min(each) for name, each in times.items()}
        ratios = {
            name: statistics.median(b / a for a, b in zip(times["ours"], each, strict=True))
            for name, each in times.items()
        }
        print(f"{count} Gaussians, {size}², {title}:", end=" ")
        print(", ".join(f"{name} {best[name]:.1f} ms ({ratios[name]:.2f})" for name in times), flush=True)
    if has_torch:
        print(f"  largest difference from torch in single precision: {difference:.1e}")


def without_gradient(draw: Callable[[], Tensor]) -> Callable[[], None]:
    def work() -> None:
        with torch.no_grad():
            draw()

    return work


def with_gradient(
    draw: Callable[[], Tensor], parameters: list[Tensor], of_picture: Tensor
) -> Callable[[], None]:
    def work() -> None:
        for each in parameters:
            each.grad = None
        draw().backward(of_picture)

    return work


def scale_threads(count: int, size: int, threads: list[int]) -> None:
    """Wall time by number of threads; meaningful on a quiet machine only."""
    parameters, viewmats, Ks = make_scene(count, size)
    of_picture = torch.randn(size, size, 3, generator=torch.Generator().manual_seed(1))
    draw = lambda: rasterization(*parameters, viewmats, Ks, size, size, sh_degree=DEGREE)[0][0]  # noqa: E731
    walls: dict[str, list[str]] = {"forward": [], "forward + backward": []}
    for number in threads:
        for module in (compiled, splatting_tiles):
            module.num_threads = lambda number=number: number  # type: ignore[attr-defined]
        for title, work in (
            ("forward", without_gradient(draw)), ("forward + backward", with_gradient(draw, parameters, of_picture))
        ):  # fmt: skip
            work()
            walls[title].append(f"{number}: {min(wall(work) for _ in range(7)):.1f} ms")
    for title, each in walls.items():
        print(f"{count} Gaussians, {size}², {title}, wall by threads: {', '.join(each)}")


def wall(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def without_torch(count: int, size: int) -> None:
    """What the window and part editing call."""
    (means, quats, scales, opacities, sh), viewmats, Ks = make_scene(count, size)
    with torch.no_grad():
        arrays = (
            means.numpy(),
            quats.numpy(),
            scales.log().numpy(),
            torch.logit(opacities, 1e-6).numpy(),
            sh.numpy(),
        )
    cloud = GaussianCloud(*arrays)
    camera = (viewmats[0].numpy(), (Ks[0, 0, 0], Ks[0, 1, 1]), (Ks[0, 0, 2], Ks[0, 1, 2]), (size, size))
    works = {
        work.__name__: (lambda work=work: work(cloud, *camera))
        for work in (splat_picture, contribution_weights, top_gaussian, visible_gaussians)
    }
    best = {name: min(each) for name, each in cpu_times(works, 7).items()}
    entries = contribution_weights(cloud, *camera).nnz
    print(
        f"{count} Gaussians, {size}²: " + ", ".join(f"{name} {each:.1f} ms" for name, each in best.items()),
        end="",
    )
    print(f"; {entries} weights")


def load_peer(path: Path | None) -> Any:
    """Another rasteriser to compare with: a module with forward(…) and backward(…)."""
    if path is None:
        return None
    sys.path.insert(0, str(path.parent))
    return importlib.import_module(path.stem)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", nargs="+", default=["10000:256", "50000:512", "200000:512"], metavar="N:PIXELS"
    )
    parser.add_argument(
        "--torch-up-to", type=int, default=10000, metavar="N", help="Gaussians that torch is asked to draw"
    )
    parser.add_argument(
        "--threads", nargs="+", type=int, default=[], metavar="N", help="scale over threads instead"
    )
    parser.add_argument("--peer", type=Path, metavar="FILE.py", help="a prototype to compare with")
    options = parser.parse_args()
    torch.set_num_threads(1)
    peer = load_peer(options.peer)
    for text in options.sizes:
        count, size = map(int, text.split(":"))
        if options.threads:
            scale_threads(count, size, options.threads)
            continue
        compare(count, size, count <= options.torch_up_to, peer)
        without_torch(count, size)


if __name__ == "__main__":
    main()
