"""Surfaces from slices: ours beside classic interpolation, on the same slices in one run.

    python -m tests.benchmarks.bench_orex                         every shape, every method; some 40 minutes
    python -m tests.benchmarks.bench_orex --shapes eight_15 hand_ok --methods auto cubic rbf
    python -m tests.benchmarks.bench_orex --planes arbitrary --seeds 3 4 --set steps=4000 --out runs.jsonl

Shapes with real contours come from the folder of real inputs beside the project and are left out where it is
absent; the others are made here. Times are CPU-seconds of this process, after the kernels are compiled.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# One thread, so that CPU-seconds compare. Before anything that starts threads is imported.
for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

from recon import formats, method_by_id  # noqa: E402
from recon.errors import ReconError  # noqa: E402
from recon.method import Result, RunContext  # noqa: E402
from recon.metrics import compare, slice_agreement  # noqa: E402
from recon.slicing import arbitrary_planes, parallel_planes, slice_mesh  # noqa: E402
from recon.surface import describe  # noqa: E402
from render.cross_sections import CrossSections  # noqa: E402
from render.mesh import TriangleMesh  # noqa: E402
from tests import synthetic  # noqa: E402

SLICES = Path(__file__).parents[2].parent / "shared" / "data" / "slices"
NUM_PLANES = 20
RESOLUTION = 220  # of the procedural shapes' meshes

Solve = Callable[[CrossSections, int], TriangleMesh]


@dataclass(frozen=True)
class Case:
    """Slices and the solid that they were cut from."""

    shape: str
    planes: str  # "own", "parallel" or "arbitrary"
    seed: int
    sections: CrossSections
    truth: TriangleMesh


def main() -> None:
    options = _arguments()
    methods = _methods(options.methods, dict(text.split("=", 1) for text in options.set))
    _warm_up(methods.values())
    rows = []
    for case in _cases(options.shapes, options.planes, options.seeds):
        for name, solve in methods.items():
            row = _measure(case, name, solve)
            rows.append(row)
            print(json.dumps(row) if options.json else _line(row), flush=True)
            if options.out:
                with options.out.open("a") as file:
                    file.write(json.dumps(row) + "\n")
    _print_means(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shapes", nargs="*", help="eight_15, hand_ok (own planes); eight, hand, knot, …")
    parser.add_argument("--planes", nargs="*", default=["own", "parallel", "arbitrary"])
    parser.add_argument("--seeds", nargs="*", type=int, default=[3], help="of planes and training")
    parser.add_argument("--methods", nargs="*", default=list(_METHODS), help=", ".join(_METHODS))
    parser.add_argument("--set", nargs="*", default=[], metavar="SETTING=VALUE", help="for our methods")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    parser.add_argument("--out", type=Path, help="append JSON lines to this file")
    return parser.parse_args()


# Ours are named by their prior, the peers by their kind.
_METHODS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "linear": ("interpolate", {"kind": "linear"}),
    "cubic": ("interpolate", {"kind": "cubic"}),
    "morphological": ("interpolate", {"kind": "morphological"}),
    "rbf": ("interpolate", {"kind": "rbf"}),
    "poisson": ("poisson", {}),
    "none": ("orex", {"prior": "none"}),
    "neural": ("orex", {"prior": "neural"}),
    "auto": ("orex", {"prior": "auto"}),
}


def _methods(names: Sequence[str], changed: Mapping[str, str]) -> dict[str, Solve]:
    solves: dict[str, Solve] = {}
    for name in names:
        method_id, settings = _METHODS[name]
        if method_id == "poisson":
            solves[name] = _poisson
        else:
            solves[name] = _solve_with(method_id, {**settings, **(changed if method_id == "orex" else {})})
    return solves


def _solve_with(method_id: str, settings: Mapping[str, Any]) -> Solve:
    chosen = method_by_id(method_id)
    checked = chosen.settings.model_validate(dict(settings))

    def solve(sections: CrossSections, seed: int) -> TriangleMesh:
        run = chosen.load()({"sections": sections}, checked, RunContext(seed=seed))
        while True:
            try:
                next(run)
            except StopIteration as stop:
                result: Result = stop.value
                mesh = result.outputs[0].data
                assert isinstance(mesh, TriangleMesh)
                return mesh

    return solve


def _poisson(sections: CrossSections, seed: int) -> TriangleMesh:
    """Screened Poisson (open3d) from contour points with their in-plane normals."""
    import open3d

    from recon.orex.contours2d import PlaneContours

    spacing = float(np.linalg.norm(np.ptp(sections.bounds, axis=0))) / 600
    points, normals = [], []
    for plane in map(PlaneContours.of_plane, sections.planes()):
        curve = plane.sample_curves(spacing)
        outward = np.where(plane.is_inside(curve.points + 0.01 * spacing * curve.normals), -1, 1)[:, None]
        points.append(plane.to_space(curve.points))
        normals.append((outward * curve.normals) @ np.stack([plane.u, plane.v]))
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(np.concatenate(points)))
    cloud.normals = open3d.utility.Vector3dVector(np.concatenate(normals))
    mesh, _ = open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, depth=7, n_threads=1)
    return TriangleMesh(
        np.asarray(mesh.vertices, np.float32), np.asarray(mesh.triangles, np.int32), frame=sections.frame
    )


def _warm_up(solves: Iterable[Solve]) -> None:
    """Compile kernels and import libraries, which is not what is measured."""
    sections = synthetic.slices_of(synthetic.SPHERE, 6)
    for solve in solves:
        try:
            solve(sections, 0)
        except ReconError as error:
            print(f"warm-up: {error}")


def _cases(shapes: Sequence[str] | None, kinds: Sequence[str], seeds: Sequence[int]) -> Iterator[Case]:
    for shape in shapes or (*_OWN_PLANES, *_TRUTHS):
        if shape in _OWN_PLANES and SLICES.is_dir() and "own" in kinds:
            for seed in seeds:
                yield Case(shape, "own", seed, _read(f"{shape}.csl"), _read(f"{shape}_scaled.stl"))
        truth = _TRUTHS[shape]() if shape in _TRUTHS else None
        for kind in kinds if truth is not None else ():
            for seed in seeds if kind != "own" else ():
                yield _cut(shape, kind, seed, truth)


def _cut(shape: str, kind: str, seed: int, truth: TriangleMesh) -> Case:
    if kind == "parallel":
        planes = parallel_planes(truth, NUM_PLANES)
    else:
        planes = arbitrary_planes(truth, NUM_PLANES, seed)
    return Case(shape, kind, seed, slice_mesh(truth, planes), truth)


def _read(name: str) -> Any:
    return formats.read(SLICES / name).data


def _real(name: str) -> Callable[[], TriangleMesh | None]:
    return lambda: _read(name) if (SLICES / name).exists() else None


_OWN_PLANES = ("eight_15", "eight_20", "hand_ok")
_TRUTHS: Mapping[str, Callable[[], TriangleMesh | None]] = {
    "eight": _real("eight_15_scaled.stl"),
    "hand": _real("hand_ok_scaled.stl"),
    "knot": lambda: synthetic.mesh_of(synthetic.TORUS_KNOT, RESOLUTION),
    "fingers": lambda: synthetic.mesh_of(synthetic.FINGERS, RESOLUTION),
    "gear": lambda: synthetic.mesh_of(synthetic.GEAR, RESOLUTION),
}


def _measure(case: Case, name: str, solve: Solve) -> dict[str, Any]:
    row: dict[str, Any] = {"shape": case.shape, "planes": case.planes, "seed": case.seed, "method": name}
    started = time.process_time()
    try:
        mesh = solve(case.sections, case.seed)
    except ReconError as error:  # such as classic interpolation of planes that are not parallel
        return row | {"error": error.sentence}
    row["cpu_seconds"] = round(time.process_time() - started, 2)
    figures = compare(mesh, case.truth)
    row |= {key: _rounded(figures[key]) for key in ("iou", *_DISTANCES)}
    report = describe(mesh)
    if report.is_watertight:
        row |= _agreement(mesh, case)
    return row | {
        "watertight": report.is_watertight,
        "genus": report.genus,
        "true_genus": describe(case.truth).genus,
        "components": report.num_components,
        "faces": report.num_faces,
    }


_DISTANCES = ("chamfer_per_mille", "hausdorff95_per_mille", "hausdorff_per_mille")


def _agreement(mesh: TriangleMesh, case: Case) -> dict[str, float]:
    planes = slice_agreement(mesh, case.sections, case.truth.bounds)
    accuracies, overlaps = [p.accuracy for p in planes], [p.iou for p in planes]
    return {
        "slice_accuracy": _rounded(np.mean(accuracies)),
        "worst_accuracy": _rounded(min(accuracies)),
        "slice_iou": _rounded(np.mean(overlaps)),
        "worst_iou": _rounded(min(overlaps)),
    }


def _rounded(value: float | None) -> Any:
    return None if value is None else round(float(value), 4)


_COLUMNS = (
    ("shape", 9), ("planes", 9), ("seed", 4), ("method", 13), ("iou", 6), ("chamfer_per_mille", 6),
    ("hausdorff95_per_mille", 7), ("hausdorff_per_mille", 7), ("slice_accuracy", 8), ("worst_accuracy", 8),
    ("slice_iou", 6), ("worst_iou", 6), ("watertight", 6), ("genus", 5), ("true_genus", 4), ("components", 4),
    ("cpu_seconds", 7),
)  # fmt: skip


def _line(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return f"{row['shape']:9} {row['planes']:9} {row['seed']:4} {row['method']:13} {row['error']}"
    return " ".join(f"{row.get(key, '-')!s:>{width}}" for key, width in _COLUMNS)


def _print_means(rows: Sequence[Mapping[str, Any]]) -> None:
    """Mean IoU of each method on each kind of planes, where it solved them all."""
    print("\nmean IoU" + "".join(f"{name:>14}" for name in dict.fromkeys(row["method"] for row in rows)))
    for kind in dict.fromkeys(row["planes"] for row in rows):
        cells = []
        for name in dict.fromkeys(row["method"] for row in rows):
            ious = [row.get("iou") for row in rows if row["planes"] == kind and row["method"] == name]
            cells.append("-" if None in ious else f"{np.mean([float(iou or 0) for iou in ious]):.4f}")
        print(f"{kind:8}" + "".join(f"{cell:>14}" for cell in cells))


if __name__ == "__main__":
    main()
