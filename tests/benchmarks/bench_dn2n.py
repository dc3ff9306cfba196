"""Edits of whole scenes: how near to the clean edit, how much the same from all sides, how fast.

    python -m tests.benchmarks.bench_dn2n                          # ten procedural scenes of each kind of edit
    python -m tests.benchmarks.bench_dn2n --real ../shared/data    # the captures there instead
    python -m tests.benchmarks.bench_dn2n --speed                  # times only

Scenes have seeds that training never saw. Views are edited and then made to differ as 2D editors do; each method draws
two held-out views, whose clean edit is the truth. "each view alone" edits the held-out photo itself, which a novel view
does not have: it is an oracle for fidelity.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from recon import formats
from recon.dn2n.consistency import short_pairs, warp_error
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.editors import make_editor
from recon.dn2n.measures import psnr, rank_correlation, ssim, worst_found
from recon.dn2n.outputs import draw
from recon.dn2n.repair import EditedViews, Repaired, RepairWishes, repair
from recon.dn2n.router import MISSED, choose_route
from recon.dn2n.scene_depth import find_depth
from recon.dn2n.scene_views import SceneViews, read_views
from recon.dn2n.training import evaluate
from recon.dn2n.training.edits import COLOR_EDITS
from recon.dn2n.training.evaluate import EvaluationCase, make_case
from recon.dn2n.training.perturbation import perturbed
from recon.formats.reading import ReadOptions
from render.view_field import ViewField

Float = NDArray[np.float32]
Row = tuple[float, float, float]
T = TypeVar("T")

FIRST_SEED = 900_000
FILTERED = 10  # views among which bad ones are to be found
TIE = 0.1  # dB between the ways, below which either is right
CAPTURES = {"fox": "multiview/fox", "room-synth": "multiview/room-synth", "stone_horse": "nerf/stone_horse"}


@dataclass
class Trial:
    """What one case gave: figures of each method, whether the way was the better one, and of the filter."""

    rows: dict[str, Row]
    is_right: bool
    gain: float
    missed: float
    rho: float
    found: float
    seconds: float


def outcome(steps: Any) -> Any:
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def networks(given: Sequence[str]) -> dict[str, Float]:
    """NAME=FILE each; the shipped one where there is one and none is given."""
    from render.view_network import read_parameters, shipped_parameters

    if given:
        return {
            name: read_parameters(Path(path)) for name, _, path in (each.partition("=") for each in given)
        }
    try:
        return {"network": shipped_parameters()}
    except FileNotFoundError:
        return {}


def trial(case: EvaluationCase, blending: Mapping[str, Float]) -> Trial:
    """All methods on one procedural case."""
    sources = case.sources
    given = EditedViews(
        tuple(map(str, sources)), case.originals[sources], case.edited[sources],
        DepthViews(case.scene.cameras.select(sources), case.depths[sources]),
    )  # fmt: skip
    start = time.process_time()
    color = repair(given, RepairWishes("color"))
    seconds = time.process_time() - start
    blend = repair(given, RepairWishes("blend"))
    is_color = choose_route(0, color.route.missed, "none", is_partial=False).way == "color"
    rows = {"clean edit": _row(case, lambda view: case.clean[view])}
    rows["each view alone"] = _row(case, lambda view: case.edited[view])
    gain = 0.0
    for name, network in {"blending": None, **blending}.items():
        fields = {name: case.field(network=network)}
        fields[f"harmonised + {name}"] = _field(case, blend, network)
        fields[f"edit field + {name}"] = _field(case, color, network)
        for each, field in fields.items():
            rows[each] = _row(case, lambda view, field=field: evaluate.drawn(field, case, view))
        mapped, told = rows[f"edit field + {name}"], rows[f"harmonised + {name}"]
        rows[f"this method, {name}"] = mapped if is_color else told
        gain = mapped[0] - told[0]
    is_right = (gain > 0) == is_color or abs(gain) < TIE
    errors = np.abs(case.edited - case.clean).mean((1, 2, 3))[sources][:FILTERED]
    scores = [verdict.score for verdict in color.verdicts][:FILTERED]
    return Trial(
        rows,
        is_right,
        gain,
        color.route.missed,
        rank_correlation(errors, scores),
        worst_found(errors, scores),
        seconds,
    )


def _field(case: EvaluationCase, made: Repaired, network: Float | None = None) -> ViewField:
    field = case.field(made.pictures, network)
    return replace(field, weights=made.weights, color_map=made.color_map, world_from_map=made.world_from_map)


def _row(case: EvaluationCase, method: Callable[[int], Float]) -> Row:
    pictures = {view: method(view) for view in case.held_out}
    pairs = [(pictures[view], case.clean[view]) for view in case.held_out]
    return (
        float(np.mean([evaluate.psnr(*pair) for pair in pairs])),
        float(np.mean([evaluate.ssim(*pair) for pair in pairs])),
        evaluate.warp_error(pictures, case.scene),
    )


def procedural(scenes: int, first: int, kinds: Sequence[str], blending: Mapping[str, Float]) -> None:
    """Tables of each kind of edit, and how often the way and the filter were right."""
    everything: list[Trial] = []
    for kind in kinds:
        trials = [trial(make_case(seed, kind), blending) for seed in range(first, first + scenes)]  # type: ignore[arg-type]
        everything += trials
        print(f"\n### {kind}: {scenes} scenes\n\n| | PSNR | SSIM | warp |\n|---|---|---|---|")
        for name in trials[0].rows:
            mean = np.mean([each.rows[name] for each in trials], 0)
            print(f"| {name} | {mean[0]:.2f} | {mean[1]:.3f} | {mean[2]:.4f} |", flush=True)
        _tell(trials)
    print("\n### all")
    _tell(everything)


def _tell(trials: Sequence[Trial]) -> None:
    right = np.mean([each.is_right for each in trials])
    lost = np.mean([abs(each.gain) * (not each.is_right) for each in trials])
    rho, found = np.mean([each.rho for each in trials]), np.mean([each.found for each in trials])
    print(f"\nway right {100 * right:.0f} % (loses {lost:.2f} dB, threshold {MISSED}); filter: rank correlation {rho:.2f}, "
          f"two worst within the top three {100 * found:.0f} %; repair {np.mean([t.seconds for t in trials]):.2f} CPU-s")  # fmt: skip


def un_edited(scenes: int, first: int, blending: Mapping[str, Float]) -> None:
    """Novel views of photos without an edit."""
    print("\n### no edit\n\n| | PSNR | SSIM | warp |\n|---|---|---|---|")
    cases = [make_case(seed, "none") for seed in range(first, first + scenes)]
    for name, parameters in {"blending": None, **blending}.items():
        fields = [case.field(network=parameters) for case in cases]
        rows = [
            _row(case, lambda view, case=case, field=field: evaluate.drawn(field, case, view))
            for case, field in zip(cases, fields, strict=True)
        ]
        mean = np.mean(rows, 0)
        print(f"| {name} | {mean[0]:.2f} | {mean[1]:.3f} | {mean[2]:.4f} |")


def real(folder: Path, longest: int, names: Sequence[str], blending: Mapping[str, Float]) -> None:
    """Captures: an edit of colours with variation, against the same edit of held-out photos."""
    for name in names:
        wishes = ReadOptions(read_as="scene", up="-Y")
        posed = formats.read(folder / CAPTURES[name], wishes).data
        views = outcome(read_views(posed, longest, 1, 8))
        start = time.process_time()
        depth = outcome(find_depth(views, "photos"))
        seconds = time.process_time() - start
        print(f"\n### {name}: {len(views)} views of {views.size}; depth from photos in {seconds:.1f} CPU-s\n")
        print("| | PSNR | SSIM | warp |\n|---|---|---|---|", flush=True)
        _real_rows(views, depth.views, blending)


def _real_rows(views: SceneViews, depth: DepthViews, blending: Mapping[str, Float]) -> None:
    originals = views.rgb.astype(np.float32) / np.float32(255)
    clean = COLOR_EDITS["bronze"](originals, originals, originals)
    edited = perturbed(originals, clean, np.random.default_rng(1), 1.0).views
    held_out, sources = np.flatnonzero(views.is_held_out), np.flatnonzero(~views.is_held_out)
    nearest = depth.neighbours(1)[held_out, 0]
    names = tuple(views.names[i] for i in sources)
    given = EditedViews(names, originals[sources], edited[sources], depth.select(sources))
    scene = SimpleNamespace(
        depth=depth, clean=clean, held_out=held_out, beside=nearest, cameras=views.cameras
    )
    nothing = Repaired(edited[sources], (), np.ones(len(sources), np.float32), None)  # type: ignore[arg-type]
    plain = replace(nothing, pictures=originals[sources])
    color, blend = (repair(given, RepairWishes(way)) for way in ("color", "blend"))
    way = choose_route(0, color.route.missed, "none", is_partial=False).way
    _print_real("each view alone", scene, lambda view: edited[view])
    for label, parameters in {"blending": np.zeros(0, np.float32), **blending}.items():
        for name, each in {
            "": nothing,
            "harmonised + ": blend,
            "edit field + ": color,
        }.items():
            field = ViewField(
                names, given.views.cameras, (each.pictures * 255 + 0.5).astype(np.uint8), views.rgb[sources],
                given.views.depths, each.weights, each.color_map, each.world_from_map, parameters,
            )  # fmt: skip
            _print_real(f"{name}{label}", scene, _without_itself(field, sources, views))
        field = replace(
            field, pictures=(plain.pictures * 255 + 0.5).astype(np.uint8), color_map=plain.color_map
        )
        scene.clean = originals
        _print_real(f"no edit: {label}", scene, _without_itself(field, sources, views))
        scene.clean = clean
    print(f"\nthe way chosen: {way} (missed {color.route.missed:.2f})")


def _without_itself(
    field: ViewField, sources: NDArray[np.int64], views: SceneViews
) -> Callable[[int], Float]:
    def picture(view: int) -> Float:
        kept = np.where(sources == view, np.float32(0), field.weights)
        return draw(replace(field, weights=kept), views.cameras, view).rgb

    return picture


def _print_real(name: str, scene: Any, method: Callable[[int], Float]) -> None:
    """PSNR and SSIM of held-out views; warp error between each and the view beside it, drawn without itself."""
    rows, squares = [], []
    for view, other in zip(scene.held_out, scene.beside, strict=True):
        pictures = np.stack([method(int(view)), method(int(other))])
        rows.append((psnr(pictures[0], scene.clean[view]), ssim(pictures[0], scene.clean[view])))
        pair = scene.depth.select(np.array([view, other]))
        squares.append(warp_error(pictures, pair, short_pairs(pair)) ** 2)
    mean = np.mean(rows, 0)
    print(f"| {name} | {mean[0]:.2f} | {mean[1]:.3f} | {np.mean(squares) ** 0.5:.4f} |", flush=True)


def speed(blending: Mapping[str, Float]) -> None:
    """Processor seconds from the prompt to the first edited view of 50, and of what follows; one frame in ms."""
    case = make_case(FIRST_SEED, "color", (368, 272))
    sources = np.arange(50) % len(case.depths)
    views = DepthViews(case.scene.cameras.select(sources), case.scene.depth[sources])
    from recon.dn2n.edit_views import scene_views_of

    fake = SimpleNamespace(
        names=tuple(map(str, range(50))), rgb=case.scene.rgb[sources], cameras=views.cameras,
        frame=SimpleNamespace(up_vector=np.array([0.0, 0, 1])),
    )  # fmt: skip
    for prompt in ("make it a sunset", "make it snow", "an oil painting"):
        seen = scene_views_of(fake, views, None)  # type: ignore[arg-type]
        for _ in range(2):  # The first time kernels are compiled.
            start = time.process_time()
            editor = make_editor("procedural", prompt)
            editor.prepare(seen, 0)
            editor.edit(seen[0], 0)
            first = time.process_time() - start
            edited = np.stack([editor.edit(view, 0) for view in seen])
            all_views = time.process_time() - start
            originals = np.stack([view.rgb for view in seen])
            repair(EditedViews(fake.names, originals, edited, views, editor.plan.consistency))
            whole = time.process_time() - start
        print(
            f"“{prompt}”, 50 views of 0.1 MP: first view {first:.2f}, all {all_views:.2f}, one edit {whole:.2f} CPU-s"
        )
    for size in ((192, 144), (320, 240)):
        case = make_case(FIRST_SEED, "color", size)
        for name, parameters in {"blending": None, **blending}.items():
            field = case.field(network=parameters)
            evaluate.drawn(field, case, case.held_out[0])
            start = time.process_time()
            for _ in range(3):
                evaluate.drawn(field, case, case.held_out[0])
            print(
                f"{name}, {size[0]}×{size[1]}: {1000 * (time.process_time() - start) / 3:.0f} CPU-ms a frame"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=10)
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="seed of the first scene")
    parser.add_argument("--kinds", nargs="+", default=["color", "texture", "style"])
    parser.add_argument(
        "--network", action="append", default=[], metavar="NAME=FILE", help="networks that blend"
    )
    parser.add_argument("--real", type=Path, metavar="FOLDER", help="folder of captures")
    parser.add_argument("--captures", nargs="+", default=["fox"], choices=CAPTURES)
    parser.add_argument("--longest", type=int, default=256, help="pixels of captures")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args(arguments)
    blending = networks(options.network)
    if options.speed:
        speed(blending)
    elif options.real:
        real(options.real, options.longest, options.captures, blending)
    else:
        procedural(options.scenes, options.first, options.kinds, blending)
        un_edited(options.scenes, options.first, blending)


if __name__ == "__main__":
    main()
