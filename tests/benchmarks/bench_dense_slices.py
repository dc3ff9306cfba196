"""Time and memory of a large input: 200 slices, 100,000 contour vertices, 4 labels.

python -m tests.benchmarks.bench_dense_slices --preset "Quick check"
python -m tests.benchmarks.bench_dense_slices --preset Balanced
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from typing import Any

# One thread, so that CPU-seconds compare. Before anything that starts threads is imported.
for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

from recon import method_by_id  # noqa: E402
from recon.method import Result, RunContext  # noqa: E402
from render.cross_sections import CrossSections  # noqa: E402

CENTERS = ((-0.4, -0.4), (0.4, -0.4), (-0.4, 0.4), (0.4, 0.4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--preset", default="Balanced")
    parser.add_argument("--planes", type=int, default=200)
    parser.add_argument("--vertices", type=int, default=125, help="of each contour")
    options = parser.parse_args()
    sections = ribbed_columns(options.planes, options.vertices)
    print(f"{sections.num_planes} planes, {len(sections.vertices)} vertices, labels {sections.labels}")
    started = time.process_time()
    figures = _solve(sections, options.preset, started).figures
    planes = figures["agreement"]
    print(f"{time.process_time() - started:.1f} CPU-s, {_peak_mib()} MiB; by stage {figures['cpu_seconds']}")
    print(f"prior {figures['prior']}. {figures['note']}")
    print(f"worst plane {min(p['accuracy'] for p in planes):.3f} %, IoU {min(p['iou'] for p in planes):.4f}")
    print(f"planes missed: {sum(not p['reached'] for p in planes)}; grid {figures['grid']}")


def ribbed_columns(planes: int, vertices: int) -> CrossSections:
    """Four columns of as many labels, each swelling and turning on its own."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    drawn = []
    for z in np.linspace(-1, 1, planes):
        loops = []
        for label, (x, y) in enumerate(CENTERS, 1):
            radius = (0.26 + 0.08 * np.sin(3 * z + label)) * (1 + 0.12 * np.sin(5 * angle + 4 * z))
            ring = [x + radius * np.cos(angle), y + radius * np.sin(angle), np.full(vertices, z)]
            loops.append((np.stack(ring, 1), label))
        drawn.append(((0, 0, 1), float(z), loops))
    return CrossSections.from_planes(drawn)


def _solve(sections: CrossSections, preset: str, started: float) -> Result:
    method = method_by_id("orex")
    settings = method.settings.model_validate(dict(method.presets[preset]))
    run: Any = method.load()({"sections": sections}, settings, RunContext(seed=0))
    stage = ""
    while True:
        try:
            progress = next(run)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        if progress.stage != stage:
            stage = progress.stage
            print(f"{time.process_time() - started:8.1f} CPU-s {_peak_mib():6} MiB  {stage}", flush=True)


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
