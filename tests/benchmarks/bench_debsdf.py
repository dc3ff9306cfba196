"""Surfaces from photos of the synthetic room: ours beside Open3D's from the same depth, in one run.

    python -m tests.benchmarks.bench_debsdf                                   everything, seeds 0 to 2; some 40 minutes
    python -m tests.benchmarks.bench_debsdf --stage coarse tsdf
    python -m tests.benchmarks.bench_debsdf --stage refined --seeds 0 --set steps=800 uncertainty=false
    python -m tests.benchmarks.bench_debsdf --room FOLDER --stage coarse      another room of the same generator

Needs the folder of real inputs beside the project. Distances are exact, from points to triangles, over the surface
that the training views see. Times are CPU-seconds of this process for the whole run, reading included, after the
kernels are compiled. "tsdf" is the method as offered; "tsdf of coarse depth" fuses the very depth pictures that the
coarse field is made of.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# One thread, so that CPU-seconds compare. Before anything that starts threads is imported.
for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
from skimage.measure import marching_cubes  # noqa: E402

from recon import formats, method_by_id  # noqa: E402
from recon.debsdf.base import Base, build_base  # noqa: E402
from recon.errors import ReconError  # noqa: E402
from recon.fusion import FusionSettings  # noqa: E402
from recon.fusion.tsdf import fused_mesh  # noqa: E402
from recon.fusion.views import DepthViews  # noqa: E402
from recon.method import RunContext  # noqa: E402
from recon.visible_surface import VisibleSurface  # noqa: E402
from render.image_files import read_image  # noqa: E402
from render.images import PosedImages  # noqa: E402
from render.mesh import TriangleMesh  # noqa: E402
from tests.benchmarks.room_metrics import GROUPS, ROOM, in_words, room_surface  # noqa: E402

STAGES = ("coarse", "tsdf", "poisson", "refined", "sphere")
SPHERE_STEPS = 600


@dataclass(frozen=True)
class Made:
    """Meshes by name, the CPU-seconds of each, and the figures that the run reported."""

    meshes: Mapping[str, TriangleMesh]
    seconds: Mapping[str, float]
    figures: Mapping[str, Any]


def main() -> None:
    options = _arguments()
    truth = room_surface(options.room)
    changes = dict(text.split("=", 1) for text in options.set)
    _make("coarse", options.room, 0, {})  # compiles the kernels
    rows: list[dict[str, Any]] = []
    for stage in options.stage:
        for seed in options.seeds if stage in ("refined", "sphere") else [0]:
            rows += _measure(stage, options.room, seed, changes, truth)
    _print_ratios(rows)
    if options.out:
        options.out.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--room", type=Path, default=ROOM, help="a folder of tools/make_room.py")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="settings of debsdf")
    parser.add_argument("--out", type=Path, help="file for one JSON object a line")
    return parser.parse_args()


def _measure(
    stage: str, room: Path, seed: int, changes: Mapping[str, str], truth: VisibleSurface
) -> list[dict[str, Any]]:
    try:
        made = _make(stage, room, seed, changes)
    except ReconError as error:
        print(f"{stage}: {error}", flush=True)
        return []
    rows = []
    for label, mesh in made.meshes.items():
        figures = truth.compare(mesh)
        seconds = made.seconds[label]
        print(f"{label:22s} seed {seed} {seconds:6.1f} CPU-s {in_words(figures)}", flush=True)
        rows.append({"stage": label, "seed": seed, "cpu_seconds": seconds, **figures})
    if made.figures:
        told = {key: value for key, value in made.figures.items() if key in ("calibration", "psnr")}
        print(f"{'':22s} {json.dumps(told, default=str)}", flush=True)
    return rows


def _make(stage: str, room: Path, seed: int, changes: Mapping[str, str]) -> Made:
    start = time.process_time()
    read = formats.read(room, wanted="posed_images").data
    assert isinstance(read, PosedImages)
    if stage == "coarse":
        return _make_coarse(read, start)
    name = {"refined": "debsdf", "sphere": "debsdf"}.get(stage, stage)
    values = dict(changes) if name == "debsdf" else {}
    if stage == "sphere":
        values = {"start": "sphere", "steps": str(SPHERE_STEPS), **values}
    method = method_by_id(name)
    with tempfile.TemporaryDirectory() as folder:
        steps = method.load()(
            {method.inputs[0].name: read},
            method.make_settings(values),
            RunContext(seed=seed, folder=Path(folder)),
        )
        result = _finished(steps)
    mesh = next(output.data for output in result.outputs if isinstance(output.data, TriangleMesh))
    return Made({stage: mesh}, {stage: time.process_time() - start}, result.figures)


def _make_coarse(scene: PosedImages, start: float) -> Made:
    """The coarse field's surface, and Open3D's of the same aligned depth."""
    width, height = (int(side) for side in scene.cameras.size[0])
    rgb = np.stack([read_image(scene, i, (width, height)) for i in range(len(scene))])
    base = _finished(build_base(scene, rgb))
    assert isinstance(base, Base)
    ours = _surface_of(base)
    seconds = {"coarse": time.process_time() - start}
    cameras = scene.cameras.resized(np.tile([width, height], (len(scene), 1)))
    before = time.process_time()
    views = DepthViews(scene, cameras, base.aligned, base.region)
    theirs = _finished(fused_mesh(views, FusionSettings(), RunContext()))
    seconds["tsdf of coarse depth"] = time.process_time() - before
    return Made({"coarse": ours, "tsdf of coarse depth": theirs}, seconds, {})


def _surface_of(base: Base) -> TriangleMesh:
    """Faces towards free space."""
    points, faces, _, _ = marching_cubes(base.field.sdf, 0.0)
    in_world = base.region.world_from_box.apply(base.field.low + base.field.spacing * points)
    return TriangleMesh(in_world.astype(np.float32), faces[:, ::-1].astype(np.int32))


def _finished(steps: Any) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def _print_ratios(rows: Sequence[Mapping[str, Any]]) -> None:
    """Mean over seeds of each stage, divided by Open3D's TSDF."""
    peer = next((row for row in rows if row["stage"] == "tsdf"), None)
    if peer is None:
        return
    figure: dict[str, Callable[[Mapping[str, Any]], float]] = {
        "F5": lambda row: row["f_5"],
        "F2": lambda row: row["f_2"],
        "NC": lambda row: row["nc"],
        "thin F5": lambda row: row["f_5_thin"],
        "macro thin recall": lambda row: float(np.mean([row[f"recall_5_{name}"] for name in GROUPS])),
        "CPU-s": lambda row: row["cpu_seconds"],
    }
    print("\nrelative to Open3D's TSDF, mean over seeds")
    for stage in dict.fromkeys(row["stage"] for row in rows):
        mine = [row for row in rows if row["stage"] == stage]
        ratios = {name: np.mean([of(row) for row in mine]) / of(peer) for name, of in figure.items()}
        print(f"{stage:22s}", " ".join(f"{name} ×{ratio:.2f}" for name, ratio in ratios.items()))


if __name__ == "__main__":
    main()
