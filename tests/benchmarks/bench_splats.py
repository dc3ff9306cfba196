"""Training splats from photos: PSNR by processor time, and where the time of a step goes.

`python -m tests.benchmarks.bench_splats SCENE [--minutes 1] [--gaussians 8000] [--picture out.png] [--profile]`
prints a line for each tenth of the time: PSNR of trained and held-out photos. One thread: set OMP_NUM_THREADS=1 and
NUMBA_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import recon.splats.pictures as pictures
import recon.splats.train as train
from recon import formats
from recon.formats.reading import ReadOptions
from recon.splats import METHOD
from recon.splats.preparation import prepare_trainer
from recon.splats.results import view_figures
from recon.splats.train import Trainer

MOST_VIEWS = 8  # that a line is measured on, of each kind


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scene", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--gaussians", type=int, default=0)
    parser.add_argument("--growth", default="mcmc")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, help="photos beside what is seen from there")
    parser.add_argument("--profile", action="store_true", help="where the time of steps at full size goes")
    options = parser.parse_args()
    torch.set_num_threads(1)
    posed = formats.read(options.scene, ReadOptions(read_as="scene")).data
    wishes = {"steps": 1_000_000, "minutes": options.minutes, "growth": options.growth, "held_out": 8}
    settings = METHOD.make_settings({**wishes, "max_gaussians": options.gaussians or 30_000})
    trainer = prepare_trainer({"scene": posed}, settings, "cpu", options.seed)
    steps = run(trainer)
    if options.profile:
        profile(trainer)
    if options.picture:
        Image.fromarray(beside(trainer)).save(options.picture)
    print(f"{steps} steps, {len(trainer.gaussians)} Gaussians")


def run(trainer: Trainer) -> int:
    """Train to the end; measuring does not count as training."""
    told = 0
    while not trainer.pace.is_done:
        trainer.step()
        if trainer.pace.share >= (told + 1) / 10:
            told = int(10 * trainer.pace.share)
            seconds, began = trainer.pace.seconds, time.process_time()
            trained, held_out = trainer.photos.trained, np.flatnonzero(trainer.photos.is_held_out)
            means = [
                np.mean(view_figures(trainer, few(each))) if len(each) else 0 for each in (trained, held_out)
            ]
            trainer.pace.leave_out(time.process_time() - began)
            print(f"{seconds:6.1f} s  step {trainer.pace.step:6d}  {len(trainer.gaussians):6d} Gaussians  "
                  f"trained {means[0]:5.2f} dB  held out {means[1]:5.2f} dB", flush=True)  # fmt: skip
    return trainer.pace.step


def few(views: np.ndarray[Any, Any]) -> list[int]:
    return [int(view) for view in views[:: max(1, -(-len(views) // MOST_VIEWS))]]


def profile(trainer: Trainer, steps: int = 40) -> None:
    """Processor milliseconds a step of each part, at full size."""
    spent: dict[str, float] = {}
    parts: list[tuple[Any, str, str]] = [
        (pictures, "rasterization", "draw"), (torch.Tensor, "backward", "backward, mostly drawing"),
        (train, "photometric_loss", "loss with its slope"), (train.Gaussians, "step", "Adam"),
        (train, "explore", "noise"),
    ]  # fmt: skip
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in parts]
    for owner, name, title in parts:
        setattr(owner, name, timed(getattr(owner, name), title, spent))
    began = time.process_time()
    for _ in range(steps):
        trainer.step()
    whole = time.process_time() - began
    for owner, name, function in kept:
        setattr(owner, name, function)
    for title, seconds in sorted(spent.items(), key=lambda each: -each[1]):
        print(f"{title:26s} {1000 * seconds / steps:7.2f} ms  {seconds / whole:5.1%}")
    print(f"{'a step':26s} {1000 * whole / steps:7.2f} ms")


def timed(function: Callable[..., Any], title: str, spent: dict[str, float]) -> Callable[..., Any]:
    def call(*arguments: Any, **wishes: Any) -> Any:
        began = time.process_time()
        found = function(*arguments, **wishes)
        spent[title] = spent.get(title, 0.0) + time.process_time() - began
        return found

    return call


def beside(trainer: Trainer) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Up to three photos, held-out ones first, each with its rendering at its right."""
    views = list(np.flatnonzero(trainer.photos.is_held_out)[:3]) or [0, 1, 2]
    rows = []
    for view in map(int, views):
        seen = np.round(255 * trainer.look(view).rgb.clamp(0, 1).numpy()).astype(np.uint8)
        rows.append(np.concatenate([trainer.photos.photo(view).rgb, seen], 1))
    width = min(row.shape[1] for row in rows)
    return np.concatenate([row[:, :width] for row in rows])


if __name__ == "__main__":
    main()
