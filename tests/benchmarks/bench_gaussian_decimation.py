"""How much pictures change when a cloud is thinned out: `python -m tests.benchmarks.bench_gaussian_decimation CLOUD…`.

Prints the PSNR of pictures from a ring of cameras against those of the whole cloud, for Gaussians left out at random,
for those kept that cover most, and for `decimated`, which merges; and the CPU-seconds of merging.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon import formats
from recon.gaussian_decimation import decimated
from recon.gaussian_mixture import mixture_of
from render.gaussians import GaussianCloud
from render.splat_pictures import splat_picture

UPS = {
    "+X": (1, 0, 0),
    "-X": (-1, 0, 0),
    "+Y": (0, 1, 0),
    "-Y": (0, -1, 0),
    "+Z": (0, 0, 1),
    "-Z": (0, 0, -1),
}
Array = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clouds", type=Path, nargs="+")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.5, 0.2])
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    print(f"{'cloud':24} {'share':>5} {'random':>7} {'largest':>7} {'merged':>7} {'CPU-s':>6}")
    for path in options.clouds:
        cloud = formats.read(path, wanted="gaussians").data
        assert isinstance(cloud, GaussianCloud)
        compare(path.name, cloud, options)


def compare(name: str, cloud: GaussianCloud, options: argparse.Namespace) -> None:
    poses = list(ring(cloud, options.views))
    truth = pictures(cloud, poses, options.size)
    for share in options.shares:
        count = round(share * len(cloud))
        at_random = np.sort(np.random.default_rng(0).permutation(len(cloud))[:count])
        largest = np.sort(np.argsort(-mixture_of(cloud).weights)[:count])
        started = time.process_time()
        merged = decimated(cloud, count)
        seconds = time.process_time() - started
        fewer = (cloud.subset(at_random), cloud.subset(largest), merged)
        figures = " ".join(f"{psnr(pictures(each, poses, options.size), truth):7.2f}" for each in fewer)
        print(f"{name:24} {share:5.2f} {figures} {seconds:6.1f}", flush=True)


def ring(cloud: GaussianCloud, count: int) -> Iterator[Array]:
    """cam_from_world (4, 4) of cameras about the middle of a cloud, above and below by turns, that see all of it."""
    low, high = np.quantile(cloud.means, [0.02, 0.98], axis=0)
    middle, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    up = np.array(UPS[cloud.frame.up], np.float64)
    first = np.cross(up, np.roll(up, 1))
    for k in range(count):
        turn = 2 * np.pi * k / count
        away = np.cos(turn) * first + np.sin(turn) * np.cross(up, first) + (0.5 if k % 2 else 0.15) * up
        yield looking_at(middle + 2.2 * radius * away, middle, up)


def looking_at(eye: Array, target: Array, up: Array) -> Array:
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = [right, np.cross(forward, right), forward]
    pose[:3, 3] = -pose[:3, :3] @ eye
    return pose


def pictures(cloud: GaussianCloud, poses: list[Array], size: int) -> Array:
    focal, center = np.full(2, 1.37 * size), np.full(2, size / 2)
    return np.stack(
        [splat_picture(cloud, pose, focal, center, (size, size), (0.5, 0.5, 0.5)) for pose in poses]
    )


def psnr(pictures: Array, truth: Array) -> float:
    """Mean over the pictures, in dB."""
    errors = ((pictures - truth) ** 2).mean((1, 2, 3))
    return float(-10 * np.log10(errors).mean())


if __name__ == "__main__":
    main()
