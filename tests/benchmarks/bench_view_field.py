"""Fields of views: how fast they are drawn, beside plain torch in the same run, and how true unedited new views are.

    python -m tests.benchmarks.bench_view_field                  times, and quality on made-up scenes
    python -m tests.benchmarks.bench_view_field --scene FOLDER --cloud FILE    also on photos, whose depth splats know

Times are CPU-milliseconds of one thread, the lowest of several turns taken alternately; two free cores need half.
Quality: views that were left out, unedited, PSNR and SSIM over the whole picture, borders that no view shows included.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from recon.dn2n.measures import psnr, ssim  # noqa: E402
from recon.dn2n.training.scenes import make_scene  # noqa: E402
from recon.formats import read  # noqa: E402
from render.cameras import CameraSet, limited_size  # noqa: E402
from render.color_map import mapped  # noqa: E402
from render.image_files import read_image  # noqa: E402
from render.splat_pictures import splat_depth  # noqa: E402
from render.view_candidates import blended, gather  # noqa: E402
from render.view_depth import novel_depth  # noqa: E402
from render.view_field import ViewField  # noqa: E402
from render.view_network import blend  # noqa: E402
from render.view_network_layout import CALM, MAGIC, NUM_FEATURES, LayerSizes  # noqa: E402
from render.view_pictures import view_picture  # noqa: E402
from render.view_sources import choose_sources  # noqa: E402

Float = NDArray[np.float32]
SEEDS = range(7008, 7018)  # 7000 to 7007 were looked at when constants were chosen
SIZES = ((128, 96), (192, 144), (320, 240), (640, 480))
NOISES = ("unspoilt", "1 %", "poor")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--sizes", type=int, default=len(SIZES), help="how many of them")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many scenes")
    parser.add_argument("--scene", type=Path)
    parser.add_argument("--cloud", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.turns:
        for size in SIZES[: options.sizes]:
            _bench_times(size, options.turns)
    if options.seeds:
        _bench_quality("made-up scenes", _made_up(SEEDS[: options.seeds]))
    if options.scene and options.cloud:
        _bench_quality(options.scene.name, [_from_photos(options.scene, options.cloud)], NOISES[:1])


def _field(cameras: CameraSet, rgb: NDArray[np.uint8], depths: Float, kept: list[int]) -> ViewField:
    names = tuple(map(str, kept))
    nothing = np.zeros((0, 0, 0, 12))
    return ViewField(
        names, cameras.select(np.array(kept)), rgb[kept], rgb[kept].copy(), depths[kept], np.ones(len(kept)),
        nothing, np.eye(4), np.zeros(0),
    )  # fmt: skip


# --- Times


def _bench_times(size: tuple[int, int], turns: int) -> None:
    scene = make_scene(7003, num_views=14, size=size)
    kept = [i for i in range(14) if i != 3]
    field = _field(scene.cameras, scene.rgb, scene.depth, kept)
    view = scene.cameras.cam_from_world[3], scene.cameras.focal[3], scene.cameras.center[3]
    points = np.random.default_rng(0).uniform(-2, 2, (size[0] * size[1], 3)).astype(np.float32)
    world = np.eye(4)
    colored = ViewField(
        field.names, field.cameras, field.pictures, field.originals, field.depths, field.weights,
        np.zeros((15, 18, 27, 12)), np.diag([0.2, 0.2, 0.2, 1]), field.network,
    )  # fmt: skip
    print(f"\n{size[0]} x {size[1]}, CPU-ms")
    for count in (8, 4):
        chosen = choose_sources(field, *view, size, count=count)
        depth = novel_depth(field, *view, size, chosen)
        found = gather(field, chosen, *view, depth)
        parameters = _some_network(24)
        rgb = blended(found)
        ways: dict[str, Callable[[], object]] = {
            "choosing sources": lambda count=count: choose_sources(field, *view, size, count=count),
            "new depth": lambda chosen=chosen: novel_depth(field, *view, size, chosen),
            "gathering": lambda chosen=chosen, depth=depth: gather(
                field, chosen, *view, depth, with_coarse=False
            ),
            "gathering for the network": lambda chosen=chosen, depth=depth: gather(
                field, chosen, *view, depth
            ),
            "network, 24 wide": lambda found=found, parameters=parameters: blend(found, parameters),
            "blending by rule": lambda found=found: blended(found),
            "colour map": lambda rgb=rgb: mapped(colored, rgb, points, world),
            "whole picture by rule": lambda count=count: view_picture(field, *view, size, num_sources=count),
            "torch: the same by rule, depth given": lambda chosen=chosen, depth=depth: _torch_blend(
                field, chosen, *view, depth
            ),
        }
        lowest = _lowest(ways, turns)
        by_rule = lowest["gathering"] + lowest["blending by rule"]
        ratio = lowest["torch: the same by rule, depth given"] / by_rule
        together = lowest["choosing sources"] + lowest["new depth"] + lowest["gathering for the network"]
        print(f"  {count} sources: torch takes {ratio:.1f} times as long as gathering and blending")
        for name, seconds in lowest.items():
            print(f"    {name:38} {seconds * 1e3:8.1f}")
        print(f"    {'whole picture by the network':38} {(together + lowest['network, 24 wide']) * 1e3:8.1f}")


def _some_network(width: int) -> Float:
    parameters = np.random.default_rng(0).normal(0, 0.1, LayerSizes(width).count).astype(np.float32)
    parameters[:4] = MAGIC, NUM_FEATURES, width, CALM
    return parameters


def _lowest(ways: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    seconds = dict.fromkeys(ways, np.inf)
    for way in ways.values():
        way()
    for _ in range(turns):
        for name, way in ways.items():
            start = time.process_time()
            way()
            seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds


def _torch_blend(
    field: ViewField,
    chosen: NDArray[np.integer],
    pose: NDArray[np.float64],
    focal: NDArray[np.float64],
    center: NDArray[np.float64],
    depth: Float,
) -> torch.Tensor:
    """Blending by rule as one writes it in torch: (H, W, 3). No mip levels, no care at edges, no sky."""
    height, width = depth.shape
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    rays = torch.stack(
        [(columns - center[0]) / focal[0], (rows - center[1]) / focal[1], torch.ones_like(rows)], -1
    ).float()
    source_from_cam = torch.from_numpy(
        (field.cameras.cam_from_world[chosen] @ np.linalg.inv(pose)).astype(np.float32)
    )
    points = (rays * torch.from_numpy(depth)[..., None]).reshape(-1, 3)
    in_source = points @ source_from_cam[:, :3, :3].transpose(1, 2) + source_from_cam[:, None, :3, 3]
    z = in_source[..., 2].clamp(min=1e-6)
    lens = (
        torch.from_numpy(np.float32(field.cameras.focal[chosen])),
        torch.from_numpy(np.float32(field.cameras.center[chosen])),
    )
    at = in_source[..., :2] / z[..., None] * lens[0][:, None] + lens[1][:, None]
    grid = (at / torch.tensor([field.depths.shape[2], field.depths.shape[1]]) * 2 - 1)[:, None]
    maps = torch.cat(
        [
            torch.from_numpy(field.pictures[chosen]).permute(0, 3, 1, 2).float() / 255,
            torch.from_numpy(field.originals[chosen]).permute(0, 3, 1, 2).float() / 255,
            torch.from_numpy(field.depths[chosen])[:, None],
        ],
        1,
    )
    seen = torch.nn.functional.grid_sample(maps, grid, padding_mode="border", align_corners=False)[:, :, 0]
    position = -torch.einsum("sji,sj->si", source_from_cam[:, :3, :3], source_from_cam[:, :3, 3])
    unit = torch.nn.functional.normalize
    angle = torch.acos(
        (unit(points - position[:, None], dim=-1) * unit(points, dim=-1)).sum(-1).clamp(-1 + 1e-6, 1 - 1e-6)
    )
    off = (z / seen[:, 6] - 1) / 0.03
    inside = (in_source[..., 2] > 1e-6) & (grid[:, 0].abs().amax(-1) < 1)
    prior = -2 * torch.log(angle + 0.03) - 0.5 * (off**2).clamp(max=60) - 40 * (~inside).float()
    shares = torch.softmax(prior, 0)
    return torch.einsum("sp,scp->pc", shares, seen[:, :3]).reshape(height, width, 3)


# --- Quality

Case = tuple[CameraSet, NDArray[np.uint8], Float, list[int]]


def _made_up(seeds: range) -> Iterator[Case]:
    for seed in seeds:
        scene = make_scene(seed)
        yield scene.cameras, scene.rgb, scene.depth, [3, 9]


def _from_photos(folder: Path, path: Path) -> Case:
    """Photos, 192 pixels long; those that training left out with --held-out 8 are left out."""
    posed, cloud = read(folder).data, read(path).data
    count = len(posed)
    size = limited_size(posed.cameras.size[0], 192)
    cameras = posed.cameras.resized(np.tile(size, (count, 1)))
    rgb = np.stack([read_image(posed, i, size) for i in range(count)])
    depths = np.zeros(rgb.shape[:3], np.float32)
    for i in range(count):
        found, alpha = splat_depth(
            cloud, cameras.cam_from_world[i], cameras.focal[i], cameras.center[i], size
        )
        depths[i] = np.where(alpha > 0.5, found, 0)
    return cameras, rgb, depths, list(range(4, count, 8))


def _spoilt(depths: Float, noise: str) -> Float:
    """Depths as reconstructions have them: errors of 1 % that change slowly; or of 2 % with 1 % of grain, 2 % of
    pixels anywhere, holes, and one view whose scale is wrong."""
    generator = np.random.default_rng(5)
    made = depths.copy()
    for depth in made if noise != "unspoilt" else ():
        depth *= 1 + (0.01 if noise == "1 %" else 0.02) * _slow(generator, depth.shape, 6)
        if noise == "poor":
            depth *= 1 + 0.01 * generator.standard_normal(depth.shape)
            is_stray = generator.random(depth.shape) < 0.02
            depth[is_stray] *= generator.uniform(0.5, 1.6, int(is_stray.sum()))
            depth[_slow(generator, depth.shape, 9) > 1.8] = 0
    if noise == "poor":
        made[1] *= 0.8
    return made


def _slow(generator: np.random.Generator, shape: tuple[int, ...], cells: int) -> Float:
    grid = generator.standard_normal((cells, cells)).astype(np.float32)
    wide = cv2.resize(grid, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(wide / wide.std(), np.float32)


def _bench_quality(name: str, cases: Iterable[Case], noises: tuple[str, ...] = NOISES) -> None:
    """Our new depth and blending; plain torch with the held-out view's own depth given, equally spoilt."""
    figures: dict[str, list[tuple[float, float, float, float]]] = {noise: [] for noise in noises}
    for cameras, rgb, true_depths, held_out in cases:
        kept = [i for i in range(len(rgb)) if i not in held_out]
        for noise in noises:
            depths = _spoilt(true_depths, noise)
            given = _spoilt(true_depths, "1 %" if noise == "poor" else noise)
            field = _field(cameras, rgb, depths, kept)
            for view in held_out:
                pinhole = cameras.cam_from_world[view], cameras.focal[view], cameras.center[view]
                truth = rgb[view].astype(np.float32) / 255
                ours = view_picture(field, *pinhole, (rgb.shape[2], rgb.shape[1])).filled
                chosen = choose_sources(field, *pinhole, (rgb.shape[2], rgb.shape[1]))
                plain = _torch_blend(field, chosen, *pinhole, np.maximum(given[view], 1e-3)).numpy()
                figures[noise].append(
                    (psnr(ours, truth), ssim(ours, truth), psnr(plain, truth), ssim(plain, truth))
                )
    print(f"\n{name}: left-out views, PSNR and SSIM")
    for noise, rows in figures.items():
        ours_psnr, ours_ssim, plain_psnr, plain_ssim = np.mean(rows, 0)
        print(
            f"  depths {noise:8} ours {ours_psnr:.2f} {ours_ssim:.3f}"
            f"   torch with the left-out view's depth {plain_psnr:.2f} {plain_ssim:.3f}"
        )


if __name__ == "__main__":
    main()
