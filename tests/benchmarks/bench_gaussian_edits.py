"""CPU time of selecting, cleaning and editing Gaussians: `python -m tests.benchmarks.bench_gaussian_edits [COUNT]`.

Prints milliseconds of one thread. What only changes marks must take at most 50 ms at 1 M Gaussians.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from recon import gaussian_cleaning as cleaning
from recon import gaussian_colors as colors
from recon import gaussian_edits as edits
from recon import gaussian_finding as finding
from recon import gaussian_footprints as footprints
from recon import gaussian_neighbours as neighbours
from recon import gaussian_projection as projection
from recon import gaussian_regions as regions
from recon import gaussian_selection as selection
from recon import gaussian_values as values
from recon.gaussian_decimation import decimated
from render.gaussians import GaussianCloud, GaussianMarks
from render.transforms import Similarity3

SIZE = (1600, 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--degree", type=int, default=3)
    parser.add_argument(
        "--slow", action="store_true", help="also what runs off the window's thread for seconds"
    )
    options = parser.parse_args()
    cloud = sheets(options.count, options.degree)
    found = np.random.default_rng(1).random(len(cloud)) < 0.3
    marks = selection.combined(GaussianMarks.none(len(cloud)), found, "set")
    print(f"{len(cloud)} Gaussians, degree {cloud.sh_degree}; least of three runs, one thread")
    time_marks(marks, found)
    time_screen(cloud)
    time_values(cloud, marks)
    time_edits(cloud, found)
    if options.slow:
        time_neighbours(cloud, found)


def time_marks(marks: GaussianMarks, found: np.ndarray) -> None:
    for mode in selection.SELECT_MODES:
        report(f"combined, {mode}", lambda mode=mode: selection.combined(marks, found, mode))
    for change in (selection.invert_selection, selection.hide_selected, selection.isolate_selected):
        report(change.__name__, lambda change=change: change(marks))
    for change in (selection.lock_selected, selection.delete_selected, selection.counts_of):
        report(change.__name__, lambda change=change: change(marks))


def time_screen(cloud: GaussianCloud) -> None:
    camera = front_camera()
    seen = report("projected", lambda: projection.projected(cloud, camera))
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = 300 + 150 * np.sin(5 * turn)
    lasso = np.stack([800 + radius * np.cos(turn), 500 + radius * np.sin(turn)], 1)
    stroke = np.stack([np.linspace(100, 1500, 100), 500 + 300 * np.sin(np.linspace(0, 9, 100))], 1)
    shapes: dict[str, Callable[[], regions.Region]] = {
        "rectangle": lambda: regions.rectangle_region((200, 200), (1400, 800)),
        "lasso of 200 points": lambda: regions.polygon_region(lasso),
        "brush of 100 points": lambda: regions.brush_region(stroke, 30.0),
    }
    for name, shape in shapes.items():
        region = report(f"{name}: region", shape)
        report(f"{name}: in_region", lambda region=region: regions.in_region(seen.positions, region))
        touch = lambda region=region: footprints.touching_region(cloud, camera, seen, region)  # noqa: E731
        report(f"{name}: touching_region", touch)


def time_values(cloud: GaussianCloud, marks: GaussianMarks) -> None:
    for name, kind in values.VALUE_NAMES.items():
        column = report(f"values_of {name}", lambda name=name: values.values_of(cloud, name))
        count = lambda column=column, kind=kind: values.histogram(  # noqa: E731
            column, marks.is_drawn, marks.selected, is_logarithmic=kind.is_logarithmic
        )
        report(f"histogram {name}", count)
    report("in_range", lambda: values.in_range(column, 0.2, 0.6))
    report("in_box", lambda: finding.in_box(cloud, np.eye(4)))
    report("in_sphere", lambda: finding.in_sphere(cloud, (0, 0, 0), 1.0))
    report("like_color", lambda: finding.like_color(cloud, (0.5, 0.4, 0.3), 20.0))


def time_edits(cloud: GaussianCloud, found: np.ndarray) -> None:
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    moved = edits.about_pivot(turn, 1.2, (0.1, 0, 0), (1, 1, 1))
    shifted = Similarity3(np.eye(3), np.array([0.1, 0, 0]))
    report("recolored", lambda: edits.recolored(cloud, found, colors.adjustment(30, 1.2, 1.1)))
    report("with_opacity_scaled", lambda: edits.with_opacity_scaled(cloud, found, 0.5))
    report("with_sizes_scaled", lambda: edits.with_sizes_scaled(cloud, found, 0.5))
    report("transformed, moved", lambda: edits.transformed(cloud, found, shifted))
    report("transformed, turned", lambda: edits.transformed(cloud, found, moved))
    report("split", lambda: edits.split(cloud, found))
    report("duplicated", lambda: edits.duplicated(cloud, found))
    report("with_sh_degree 1", lambda: edits.with_sh_degree(cloud, 1))
    report("fainter_than", lambda: cleaning.fainter_than(cloud, 0.1))
    report("giants", lambda: cleaning.giants(cloud, 0.1))


def time_neighbours(cloud: GaussianCloud, found: np.ndarray) -> None:
    graph = report("neighbour_graph", lambda: neighbours.neighbour_graph(cloud))
    report("grown", lambda: neighbours.grown(found, graph))
    report("shrunk", lambda: neighbours.shrunk(found, graph))
    report("isolated", lambda: cleaning.isolated(cloud, graph))
    report("component_labels", lambda: neighbours.component_labels(cloud, graph))
    report("flooded", lambda: finding.flooded(cloud, 0, graph, 20.0))
    report("decimated to a half", lambda: decimated(cloud, len(cloud) // 2))


def report(name: str, work: Callable[[], Any]) -> Any:
    """Print the least CPU time of three runs; give the result."""
    times = []
    while len(times) < 3 and sum(times) < 5:
        started = time.process_time()
        result = work()
        times.append(time.process_time() - started)
    print(f"{name:32} {1e3 * min(times):9.1f} ms", flush=True)
    return result


def front_camera() -> projection.ScreenCamera:
    """A camera 6 units away that looks along +z at the sheets."""
    cam_from_world = np.eye(4)
    cam_from_world[2, 3] = 6
    width, height = SIZE
    return projection.ScreenCamera(cam_from_world, (1000, 1000), (width / 2, height / 2))  # type: ignore[arg-type]


def sheets(count: int, degree: int, seed: int = 0) -> GaussianCloud:
    """Gaussians on three spheres of radius 1, 1.5 and 2, flat along them, as a trained scene's are on surfaces."""
    rng = np.random.default_rng(seed)
    normals = rng.standard_normal((count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    means = normals * rng.choice([1.0, 1.5, 2.0], count)[:, None] + rng.normal(0, 0.003, (count, 3))
    usual = np.log(6 / np.sqrt(count))
    log_scales = rng.normal(usual, 0.5, (count, 3))
    log_scales[:, 2] -= 2
    sh = rng.normal(0, 0.05, (count, (degree + 1) ** 2, 3))
    sh[:, 0] = np.sin(3 * means) + rng.normal(0, 0.2, (count, 3))
    return GaussianCloud(
        means,
        rng.standard_normal((count, 4)),
        log_scales,
        rng.normal(1, 2, count),
        sh,  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    main()
