"""Trains the network that blends views which disagree (DN2N, arXiv:2309.04917).

    python -m recon.dn2n.training.train --out resources/dn2n --seed 0

Inputs are views of procedural scenes, edited and then perturbed as 2D editors do, or partly brought together; the
target is the clean edit of a view that is no source. Two terms tie pictures together: the same view from two sets of
perturbed sources must come out the same (self), and a neighbouring view may err only as this one does where both see the
same (neighbour). `--inputs clean` trains the same network on clean views, to compare.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save as serialized
from torch import Tensor
from torch.nn.functional import avg_pool2d

from recon.dn2n.blend_network import BlendNetwork, CandidateTensors
from recon.dn2n.training.cases import (
    SIZES,
    Inputs,
    Patch,
    TrainingCase,
    make_training_case,
    neighbouring_patch,
    random_patch,
)
from render.view_network import read_parameters
from render.view_network_layout import CALM

PATCH = (64, 48)  # pixels, width and height
WARM_UP = 20  # steps until the full rate
DECAY_FROM, LAST_RATE = 0.4, 0.05  # share of the steps, and of the rate at the end
RAMP = 0.25  # share of the steps in which the perturbation grows
LEVELS = (0.3, 1.4)  # of the perturbation, once grown
SQUARE_WEIGHT, SSIM_WEIGHT, SELF_WEIGHT, NEIGHBOUR_WEIGHT = 5.0, 0.15, 0.75, 0.75
CASES_AT_ONCE = 16
STEPS_PER_CASE = 20
REPORT_EVERY = 50


@dataclass(frozen=True)
class TrainingSettings:
    """inputs: "perturbed" or "clean" sources. width: of the hidden layers. calm: as of the network. cpu_seconds: stop after so many (0: only
    after the steps); then the rate decays by time, and another machine stops at another step. at_once: cases among
    which each step chooses. report: steps between two points of the curve. is_grown: begin with all of the perturbation.
    """

    inputs: Inputs = "perturbed"
    width: int = 24
    calm: float = CALM
    steps: int = 3000
    rate: float = 8e-3
    seed: int = 0
    cpu_seconds: float = 0.0
    device: str = "cpu"
    sizes: tuple[tuple[int, int], ...] = SIZES
    patch: tuple[int, int] = PATCH
    at_once: int = CASES_AT_ONCE
    report: int = REPORT_EVERY
    is_grown: bool = False


@dataclass(frozen=True)
class CurvePoint:
    """Means since the point before. psnr: dB of the patches, of all steps; rule: of blending by rule there."""

    step: int
    cpu_seconds: float
    loss: float
    psnr: float
    rule: float
    tie: float


def train(
    settings: TrainingSettings, start_from: NDArray[np.float32] | None = None
) -> Iterator[tuple[CurvePoint, BlendNetwork]]:
    """The network again and again, with how it went since; the last is the trained one. start_from: parameters to go on
    from, of a network as wide."""
    torch.manual_seed(settings.seed)
    network = BlendNetwork(settings.width, settings.calm)
    if start_from is not None:
        network.load_flat(start_from)
    network.to(settings.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.rate)
    generator = np.random.default_rng(settings.seed)
    start, rows, cases = time.process_time(), [], deque[TrainingCase]()
    for step in range(settings.steps):
        share = step / settings.steps
        if settings.cpu_seconds:
            share = max(share, (time.process_time() - start) / settings.cpu_seconds)
        if len(cases) < settings.at_once or step % STEPS_PER_CASE == 0:
            level = float(generator.uniform(*LEVELS)) * (
                1.0 if settings.is_grown else min(1.0, 0.3 + 0.7 * share / RAMP)
            )
            seed = settings.seed * 1_000_000 + int(generator.integers(800_000))
            cases.append(make_training_case(seed % 800_000, level, settings.inputs, settings.sizes))
        if len(cases) > settings.at_once:
            cases.popleft()
        optimizer.param_groups[0]["lr"] = settings.rate * _rate(step, share)
        case = cases[int(generator.integers(len(cases)))]
        rows.append(_step(network, optimizer, case, settings, generator))
        is_last = share >= 1 or step == settings.steps - 1
        if is_last or (step + 1) % settings.report == 0:
            yield _point(step + 1, time.process_time() - start, rows), network
            rows = []
        if is_last:
            return


def _rate(step: int, share: float) -> float:
    """Of the full rate: a short rise, then as it is, then a smooth fall."""
    fall = max(0.0, (share - DECAY_FROM) / (1 - DECAY_FROM))
    return float(min(1.0, (step + 1) / WARM_UP) * LAST_RATE ** min(fall, 1.0))


def _step(
    network: BlendNetwork, optimizer: torch.optim.Optimizer, case: TrainingCase, settings: TrainingSettings,
    generator: np.random.Generator,
) -> tuple[float, ...]:  # fmt: skip
    """One step on one patch; returns loss, dB of the network and of blending by rule, and the term that ties."""
    is_self = case.fields[0] is not case.fields[1] and generator.random() < 0.5
    fields = case.fields if is_self else case.fields[:1]
    patch = random_patch(case, fields, settings.patch, generator)
    truth = torch.from_numpy(patch.truth).to(settings.device)
    pictures = [network(CandidateTensors.of(each, settings.device)) for each in patch.candidates]
    loss = torch.stack([difference(each, truth, patch.shape) for each in pictures]).mean()
    if is_self:
        tie = SELF_WEIGHT * (pictures[0] - pictures[1]).abs().mean()
    else:
        tie = NEIGHBOUR_WEIGHT * _neighbour_term(
            network, case, patch, pictures[0] - truth, settings, generator
        )
    optimizer.zero_grad()
    (loss + tie).backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return (
        float(loss.detach()),
        _psnr(pictures[0], truth),
        _psnr(_by_rule(patch, settings.device), truth),
        float(tie.detach()),
    )


def _neighbour_term(
    network: BlendNetwork, case: TrainingCase, patch: Patch, error: Tensor, settings: TrainingSettings,
    generator: np.random.Generator,
) -> Tensor:  # fmt: skip
    """Mean difference of the errors (P, 3) of a patch from those of a neighbouring view about the same places. Errors
    and not colours, so that places that lie between pixels do not matter."""
    other, seen = neighbouring_patch(case, case.fields[:1], patch, generator)
    if len(seen) < 16:
        return error.new_zeros(())
    truth = torch.from_numpy(other.truth).to(settings.device)
    found = network(CandidateTensors.of(other.candidates[0], settings.device))
    term: Tensor = (error[torch.from_numpy(seen).to(settings.device)] - (found - truth)).abs().mean()
    return term


def difference(picture: Tensor, truth: Tensor, shape: tuple[int, int]) -> Tensor:
    """Mean absolute difference, mean square, and SSIM of windows of 7 × 7 pixels."""
    a, b = (each.T.reshape(1, 3, *shape) for each in (picture, truth))
    mean_a, mean_b = avg_pool2d(a, 7, 1), avg_pool2d(b, 7, 1)
    spread_a, spread_b = avg_pool2d(a * a, 7, 1) - mean_a**2, avg_pool2d(b * b, 7, 1) - mean_b**2
    common = avg_pool2d(a * b, 7, 1) - mean_a * mean_b
    alike = (2 * mean_a * mean_b + 1e-4) * (2 * common + 9e-4)
    ssim = alike / ((mean_a**2 + mean_b**2 + 1e-4) * (spread_a + spread_b + 9e-4))
    off = picture - truth
    return off.abs().mean() + SQUARE_WEIGHT * (off**2).mean() + SSIM_WEIGHT * (1 - ssim.mean())


def _by_rule(patch: Patch, device: str) -> Tensor:
    c = CandidateTensors.of(patch.candidates[0], device)
    return (torch.softmax(c.prior, 1)[..., None] * c.colors).sum(1)


def _psnr(picture: Tensor, truth: Tensor) -> float:
    return float(-10 * torch.log10(((picture.detach() - truth) ** 2).mean().clamp(min=1e-9)))


def _point(step: int, cpu_seconds: float, rows: list[tuple[float, ...]]) -> CurvePoint:
    loss, psnr, rule, tie = np.mean(rows, 0).tolist()
    return CurvePoint(step, round(cpu_seconds, 1), loss, psnr, rule, tie)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for NAME.safetensors and NAME_curve.csv"
    )
    parser.add_argument("--name", default="blend")
    parser.add_argument("--inputs", choices=("perturbed", "clean"), default="perturbed")
    parser.add_argument("--width", type=int, default=TrainingSettings.width)
    parser.add_argument("--calm", type=float, default=TrainingSettings.calm)
    parser.add_argument("--steps", type=int, default=TrainingSettings.steps)
    parser.add_argument("--rate", type=float, default=TrainingSettings.rate)
    parser.add_argument("--seed", type=int, default=TrainingSettings.seed)
    parser.add_argument("--cpu-seconds", type=float, default=0.0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU")
    parser.add_argument(
        "--start-from", type=Path, help="network to go on from, whose perturbation is grown already"
    )
    options = vars(parser.parse_args(arguments))
    out, name, threads = options.pop("out"), options.pop("name"), options.pop("threads")
    start_from = options.pop("start_from")
    torch.set_num_threads(threads)
    settings = TrainingSettings(**options, is_grown=start_from is not None)
    out.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "-m", "recon.dn2n.training.train", *(arguments or sys.argv[1:])])
    points: list[CurvePoint] = []
    for point, network in train(settings, read_parameters(start_from) if start_from else None):
        points.append(point)
        print(json.dumps(asdict(point)), flush=True)
        save(out, name, network, settings, points, command)


def save(
    folder: Path, name: str, network: BlendNetwork, settings: TrainingSettings, points: Sequence[CurvePoint],
    command: str,
) -> None:  # fmt: skip
    """Write the parameters, a card of how they were made, and the curve."""
    flat = network.flat()
    (folder / f"{name}.safetensors").write_bytes(serialized({"parameters": flat}))
    card = {
        "what": "network that blends edited views which disagree, for recon.dn2n",
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "parameters": len(flat),
        "data": "procedural scenes of recon.dn2n.training.scenes, no photographs",
        "licence": "Apache-2.0",
        **asdict(settings),
        "steps": points[-1].step,
        "cpu_seconds": points[-1].cpu_seconds,
    }
    (folder / f"{name}.json").write_text(json.dumps(card, indent=1) + "\n")
    with (folder / f"{name}_curve.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, asdict(points[0]).keys())
        writer.writeheader()
        writer.writerows({k: round(v, 5) for k, v in asdict(point).items()} for point in points)


if __name__ == "__main__":
    main()
