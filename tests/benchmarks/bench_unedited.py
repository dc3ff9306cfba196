"""Novel views without an edit, against plain blending: left-out views of made-up scenes and of captures.

    python -m tests.benchmarks.bench_unedited --scenes 10 --first 910000
    python -m tests.benchmarks.bench_unedited --scenes 0 --real ../shared/data --captures fox:192 stone_horse:256

Plain: the sources' colours with weights softmax(prior), borders drawn out, as it was. Rule: what hides a place does not
paint it, borders blurred. Fitted: with the sharpness that the scene's own photos are foretold best with, each from the
others. PSNR in dB over all that is seen; "foretold" is the figure that a person is told.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon import formats
from recon.dn2n.calibration import calibrate
from recon.dn2n.measures import psnr
from recon.dn2n.scene_depth import find_depth
from recon.dn2n.scene_views import read_views
from recon.dn2n.training.evaluate import drawn, make_case
from recon.dn2n.training.evaluate import psnr as psnr_seen
from recon.formats.reading import ReadOptions
from render import view_pictures
from render.view_field import ViewField
from tests.benchmarks.dn2n_captures import CAPTURES
from tests.stepping import finish

Measure = Callable[[ViewField], float]


@contextmanager
def plain_blending() -> Iterator[None]:
    """As it was before there was a rule for what no view shows."""
    kept = view_pictures.by_rule, view_pictures.guessed_share
    view_pictures.by_rule = lambda found, sharpness=1.0: found
    view_pictures.guessed_share = np.zeros_like
    try:
        yield
    finally:
        view_pictures.by_rule, view_pictures.guessed_share = kept


def tell(name: str, field: ViewField, measure: Measure) -> NDArray[np.float64]:
    """One row; returns plain, rule, fitted."""
    with plain_blending():
        plain = measure(field)
    start = time.process_time()
    found = calibrate(field)
    seconds = time.process_time() - start
    rule = measure(field)
    fitted = rule if found.sharpness == 1 else measure(replace(field, sharpness=found.sharpness))
    print(
        f"| {name} | {plain:.2f} | {rule - plain:+.2f} | {fitted - plain:+.2f} | {found.sharpness} | {found.psnr:.1f} "
        f"| {seconds:.2f} |", flush=True,
    )  # fmt: skip
    return np.array([plain, rule, fitted])


def made_up(seed: int) -> tuple[ViewField, Measure]:
    case = make_case(seed, "none")
    truths = {view: case.originals[view] for view in case.held_out}
    return case.field(), lambda field: float(
        np.mean([psnr_seen(drawn(field, case, view), truth) for view, truth in truths.items()])
    )


def capture(folder: Path, name: str, longest: int) -> tuple[ViewField, Measure]:
    """Depth from the photos that are not left out."""
    posed = formats.read(folder / CAPTURES[name], ReadOptions(read_as="scene", up="-Y")).data
    views = finish(read_views(posed, longest, 1, 8))
    sources, left_out = np.flatnonzero(~views.is_held_out), np.flatnonzero(views.is_held_out)
    seen = replace(
        views, posed=views.posed.select(sources), cameras=views.cameras.select(sources), rgb=views.rgb[sources],
        is_held_out=views.is_held_out[sources],
    )  # fmt: skip
    depth = finish(find_depth(seen, "photos")).views
    field = ViewField.of_photos(seen.names, seen.cameras, seen.rgb, depth.depths)

    def measure(field: ViewField) -> float:
        found = []
        for view in left_out:
            camera = views.cameras.cam_from_world[view], views.cameras.focal[view], views.cameras.center[view]
            picture = view_pictures.view_picture(field, *camera, views.size)
            found.append(psnr(picture.filled, views.rgb[view] / np.float32(255), picture.alpha > 0))
        return float(np.mean(found))

    return field, measure


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=10)
    parser.add_argument("--first", type=int, default=910_000, help="seed of the first scene")
    parser.add_argument("--real", type=Path, metavar="FOLDER", help="folder of captures")
    parser.add_argument("--captures", nargs="+", default=["fox:192"], metavar="NAME:PIXELS")
    options = parser.parse_args(arguments)
    print("| | plain | rule | fitted | sharpness | foretold | CPU-s |\n|---|---|---|---|---|---|---|")
    rows = [tell(str(seed), *made_up(seed)) for seed in range(options.first, options.first + options.scenes)]
    if rows:
        plain, rule, fitted = np.mean(rows, 0)
        print(f"| mean | {plain:.2f} | {rule - plain:+.2f} | {fitted - plain:+.2f} | | | |")
    for each in options.captures if options.real else ():
        name, _, pixels = each.partition(":")
        tell(each, *capture(options.real, name, int(pixels)))


if __name__ == "__main__":
    main()
