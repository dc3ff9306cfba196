"""Training a radiance field: held-out PSNR and SSIM by processor time, its depth against the truth, ms a frame.

`python -m tests.benchmarks.bench_nerf SCENE [--minutes 2] [--depth] [--picture out.png] [--set NAME=VALUE …]` prints a
line for each half of the time, then what a frame takes. --depth: train with the scene's own depth; without it, that
is only compared with. --truth: a folder of exact z-depth to compare with, 16-bit PNG of thousandths of the world's unit,
by the photos' names. One thread: set OMP_NUM_THREADS=1 and NUMBA_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from recon import formats
from recon.formats.reading import ReadOptions
from recon.nerf import METHOD
from recon.nerf.preparation import prepare_trainer
from recon.nerf.results import compared, picture_of
from recon.nerf.train import Trainer
from recon.splats.quality import measure
from render.image_files import read_depth
from render.images import PosedImages
from render.radiance_field import RadianceField
from render.radiance_pictures import radiance_picture

MOST_VIEWS = 4  # that a line is measured on, of each kind
FRAMES = ((160, 120), (320, 240), (640, 480))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scene", type=Path)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--depth", action="store_true")
    parser.add_argument("--truth", type=Path, help="folder of exact depth")
    parser.add_argument("--picture", type=Path, help="photos beside what is seen from there")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the method")
    options = parser.parse_args()
    torch.set_num_threads(1)
    posed = formats.read(options.scene, ReadOptions(read_as="scene")).data
    wishes = dict(pair.split("=", 1) for pair in options.set)
    values = {name: json.loads(value) for name, value in wishes.items()}
    settings = METHOD.make_settings(
        {"steps": options.steps, "minutes": options.minutes, "held_out": 8} | values
    )
    trainer = prepare_trainer(
        posed if options.depth else replace(posed, depth=None, normals=None), settings, "cpu", options.seed
    )
    run(trainer, posed)
    field = trainer.field(posed.frame, trainer.photos.cameras)
    for kind, views in (("trained", trainer.photos.trained), ("held-out", held_out_of(trainer))):
        tell_depth(field, posed, few(views), kind, options.truth)
    tell_frames(field)
    if options.picture:
        Image.fromarray(beside(trainer, field)).save(options.picture)


def run(trainer: Trainer, posed: PosedImages) -> None:
    """Train to the end; measuring does not count as training."""
    told = 0
    while not trainer.pace.is_done:
        losses = trainer.step()
        if trainer.pace.share >= (told + 1) / 2:
            told = int(2 * trainer.pace.share)
            seconds, began = trainer.pace.seconds, time.process_time()
            field = trainer.field(posed.frame, trainer.photos.cameras)
            held_out = held_out_of(trainer)
            found = [figures(trainer, field, few(each)) for each in (trainer.photos.trained, held_out)]
            trainer.pace.leave_out(time.process_time() - began)
            print(
                f"{seconds:6.1f} s  step {trainer.pace.step:6d}  loss {losses['photo']:.5f}  "
                f"train {found[0][0]:5.2f} dB {found[0][1]:.3f}  held out {found[1][0]:5.2f} dB {found[1][1]:.3f}",
                flush=True,
            )


def few(views: NDArray[np.int64]) -> list[int]:
    """Some of the views, spread evenly."""
    return [int(view) for view in views[:: max(1, -(-len(views) // MOST_VIEWS))]]


def figures(trainer: Trainer, field: RadianceField, views: list[int]) -> tuple[float, float]:
    """Mean PSNR and SSIM at the size of training."""
    if not views:
        return float("nan"), float("nan")
    found = [
        measure(*compared(trainer, view, picture_of(field, trainer.photos.cameras, view))) for view in views
    ]
    return float(np.mean([each.psnr for each in found])), float(np.mean([each.ssim for each in found]))


def held_out_of(trainer: Trainer) -> NDArray[np.int64]:
    """Photos that training does not see."""
    return np.flatnonzero(trainer.photos.is_held_out)


def tell_depth(
    field: RadianceField, posed: PosedImages, views: list[int], kind: str, truth: Path | None
) -> None:
    """How far off depth is in some views, where exact depth is there or the scene tells metric depth."""
    if truth is None and (posed.depth is None or posed.depth.kind != "metric"):
        return
    errors, known_share = [np.zeros(0)], []
    for view in views:
        cameras = posed.cameras
        if truth is None:
            known = read_depth(posed, view)
        else:
            stored = np.asarray(Image.open(truth / Path(posed.images.paths[view]).name), np.float64)
            known = np.where(stored > 0, stored / 1000, np.nan)
        size = (known.shape[1], known.shape[0])
        factor = np.array(size) / cameras.size[view]
        found = radiance_picture(
            field, cameras.cam_from_world[view], cameras.focal[view] * factor, cameras.center[view] * factor, size
        ).depth  # fmt: skip
        both = np.isfinite(known) & (found > 0)
        errors.append(np.abs(found[both] / known[both] - 1))
        known_share.append(both.mean())
    every = np.concatenate(errors)
    if not len(every):
        return
    off = [f"{100 * np.quantile(every, share):.1f} %" for share in (0.5, 0.8, 0.95)]
    print(
        f"depth of {kind} views: off by {off[0]} in the median, {off[1]} at 80 %, {off[2]} at 95 % of "
        f"{100 * np.mean(known_share):.0f} % of pixels"
    )


def tell_frames(field: RadianceField) -> None:
    """Processor time of pictures from a camera of the field."""
    cameras = field.cameras
    for size in FRAMES:
        factor = np.array(size) / cameras.size[0]
        at = cameras.cam_from_world[0], cameras.focal[0] * factor.max(), np.array(size) / 2, size
        radiance_picture(field, *at)
        for samples in (None, 8):
            began, clock = time.process_time(), time.perf_counter()
            for _ in range(3):
                radiance_picture(field, *at, num_samples=samples)
            spent, wall = (time.process_time() - began) / 3, (time.perf_counter() - clock) / 3
            kind = "all samples" if samples is None else f"{samples} samples"
            print(
                f"{size[0]} x {size[1]}, {kind}: {1000 * spent:.0f} ms of a processor, {1000 * wall:.0f} ms of the clock"
            )


def beside(trainer: Trainer, field: RadianceField) -> NDArray[np.uint8]:
    """Photos above what is seen from there."""
    held_out = held_out_of(trainer)
    views = few(held_out if len(held_out) else trainer.photos.trained)[:4]
    pairs = [compared(trainer, view, picture_of(field, trainer.photos.cameras, view)) for view in views]
    rows = [np.concatenate([pair[k] for pair in pairs], 1) for k in (1, 0)]
    return np.asarray(np.round(255 * np.concatenate(rows)), np.uint8)


if __name__ == "__main__":
    main()
