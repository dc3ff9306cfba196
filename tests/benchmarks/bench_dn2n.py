"""Edits of whole scenes: how near to the clean edit, how much the same from all sides, how fast.

    python -m tests.benchmarks.bench_dn2n                          # ten procedural scenes of each kind of edit
    python -m tests.benchmarks.bench_dn2n --first 910000           # others
    python -m tests.benchmarks.bench_dn2n --kinds harsh            # the unseen editor at its full strength
    python -m tests.benchmarks.bench_dn2n --refit 2 --scenes 2     # with fields of one scene refitted to edited views
    python -m tests.benchmarks.bench_dn2n --real ../shared/data    # the captures there instead
    python -m tests.benchmarks.bench_dn2n --speed                  # times only

Scenes have seeds that training never saw. Views are edited and then made to differ as 2D editors do; each method draws
two held-out views, whose clean edit is the truth. "each view alone" edits the held-out photo itself, which a novel view
does not have: it is an oracle for fidelity. Warp bars that lie below the clean edit's own warp error can only be met by
pictures that are smoother than the truth.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.harmonise import harmonise
from recon.dn2n.measures import rank_correlation, worst_found
from recon.dn2n.repair import EditedViews, Repaired, RepairWishes, repair, strengthen
from recon.dn2n.router import choose_route
from recon.dn2n.training import evaluate
from recon.dn2n.training.evaluate import EvaluationCase, make_case
from recon.dn2n.training.style_transport import styled
from render.view_field import ViewField
from tests.benchmarks.dn2n_bars import (
    CORRELATION,
    RIGHT_WAY,
    UN_EDITED_LOSS,
    WORST_FOUND,
    at_least,
    at_most,
    tell_rows,
)  # fmt: skip
from tests.benchmarks.dn2n_captures import CAPTURES, captures
from tests.benchmarks.dn2n_refit import SECONDS, refit
from tests.benchmarks.dn2n_speed import speed

Float = NDArray[np.float32]
Row = tuple[float, float, float]

FIRST_SEED = 900_000
KINDS = ("color", "texture", "style")
FILTERED = 10  # views among which bad ones are to be found
TIE = 0.1  # dB between the ways, below which either is right


@dataclass
class Trial:
    """What one case gave: figures of each method, whether the way was the better one, and of the filter."""

    rows: dict[str, Row]
    is_right: bool
    gain: float
    rho: float
    found: float
    seconds: float


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


def case_of(seed: int, kind: str) -> EvaluationCase:
    """harsh: the style editor with all of its strength."""
    if kind != "harsh":
        return make_case(seed, kind)  # type: ignore[arg-type]
    case = make_case(seed, "style")
    clean, edited = styled(case.originals, seed, 1.0)
    return replace(case, name="harsh style", clean=clean, edited=edited)


def trial(case: EvaluationCase, blending: Mapping[str, Float], refits: bool) -> Trial:
    """All methods on one procedural case."""
    sources = case.sources
    given = EditedViews(
        tuple(map(str, sources)), case.originals[sources], case.edited[sources],
        DepthViews(case.scene.cameras.select(sources), case.depths[sources]),
    )  # fmt: skip
    start = time.process_time()
    color = repair(given, RepairWishes("color"))
    seconds = time.process_time() - start
    blend = _blended(given, color)
    is_color = choose_route(0, color.route.missed, "none", is_partial=False).way == "color"
    rows = {"clean edit": _row(case, lambda view: case.clean[view])}
    rows["each view alone"] = _row(case, lambda view: case.edited[view])
    if refits:
        made = refit(given.edited, given.views)
        rows["field refitted to the edited views"] = _row(
            case, lambda view: made.drawn(case.scene.cameras, view)
        )
    gain = 0.0
    for name, network in {"blending": None, **blending}.items():
        found = _ways(case, color, blend, name, network)
        rows |= found
        gain = found[f"edit field + {name}"][0] - found[f"harmonised + {name}"][0]
        rows[f"this method, {name}"] = found[f"{'edit field' if is_color else 'harmonised'} + {name}"]
    is_right = (gain > 0) == is_color or abs(gain) < TIE
    errors = np.abs(case.edited - case.clean).mean((1, 2, 3))[sources][:FILTERED]
    scores = [verdict.score for verdict in color.verdicts][:FILTERED]
    return Trial(rows, is_right, gain, rank_correlation(errors, scores), worst_found(errors, scores), seconds)


def _blended(given: EditedViews, color: Repaired) -> Repaired:
    """What `repair` makes of the same views for blending: it judges and strengthens them in the same way."""
    weights = np.array([verdict.weight for verdict in color.verdicts], np.float32)
    told = harmonise(given.edited, given.originals, given.views, weights)
    pictures = strengthen(given.originals, told.pictures, color.strengthened)
    return Repaired(pictures, color.verdicts, weights, color.route, color.strengthened)


def _ways(
    case: EvaluationCase, color: Repaired, blend: Repaired, name: str, network: Float | None
) -> dict[str, Row]:
    """Figures of edited views blended as they are, harmonised, and of the field of colour maps."""
    fields = {
        name: case.field(network=network),
        f"harmonised + {name}": _field(case, blend, network),
        f"edit field + {name}": _field(case, color, network),
    }
    return {
        each: _row(case, lambda view, field=field: evaluate.drawn(field, case, view))  # type: ignore[misc]
        for each, field in fields.items()
    }


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


def procedural(
    scenes: int, first: int, kinds: Sequence[str], blending: Mapping[str, Float], refits: int
) -> None:
    """Tables of each kind of edit, and how often the way and the filter were right."""
    everything: list[Trial] = []
    for kind in kinds:
        trials = [
            trial(case_of(seed, kind), blending, seed - first < refits)
            for seed in range(first, first + scenes)
        ]
        everything += [each for each in trials if kind != "harsh"]
        print(
            f"\n### {kind}: {scenes} scenes from seed {first}\n\n| | PSNR | SSIM | warp |\n|---|---|---|---|"
        )
        means = _means(trials)
        for name, mean in means.items():
            print(f"| {name} | {mean[0]:.2f} | {mean[1]:.3f} | {mean[2]:.4f} |", flush=True)
        ours = list(means)[-1]
        tell_rows(kind, ours, means[ours].tolist(), float(means["clean edit"][2]))
        _tell(trials)
    if len(kinds) > 1:
        print("\n### all")
        _tell(everything)
    if refits:
        print(f"\nrefitted: means of the first {min(refits, scenes)} scenes only, {SECONDS:.0f} CPU-s each")


def _means(trials: Sequence[Trial]) -> dict[str, NDArray[np.float64]]:
    """Of each method, over the cases that it was tried on; this method's own comes last."""
    return {
        name: np.mean([each.rows[name] for each in trials if name in each.rows], 0) for name in trials[0].rows
    }


def _tell(trials: Sequence[Trial]) -> None:
    right = float(np.mean([each.is_right for each in trials]))
    lost = float(np.mean([abs(each.gain) * (not each.is_right) for each in trials]))
    rho, found = (float(np.mean([getattr(each, name) for each in trials])) for name in ("rho", "found"))
    print(f"way: {at_least('right', right, RIGHT_WAY)}, loses {lost:.2f} dB on average")
    print(
        f"filter: {at_least('rank correlation', rho, CORRELATION)}; "
        f"{at_least('two worst within the top three', found, WORST_FOUND)}"
    )
    print(f"repair of 12 views: {np.mean([each.seconds for each in trials]):.2f} CPU-s", flush=True)


def un_edited(scenes: int, first: int, blending: Mapping[str, Float]) -> None:
    """Novel views of photos without an edit."""
    print("\n### no edit\n\n| | PSNR | SSIM | warp |\n|---|---|---|---|")
    cases = [make_case(seed, "none") for seed in range(first, first + scenes)]
    plain: NDArray[np.float64] | None = None
    for name, parameters in {"blending": None, **blending}.items():
        fields = [case.field(network=parameters) for case in cases]
        rows = np.array(
            [
                _row(case, lambda view, case=case, field=field: evaluate.drawn(field, case, view))  # type: ignore[misc]
                for case, field in zip(cases, fields, strict=True)
            ]
        )
        mean = rows.mean(0)
        print(f"| {name} | {mean[0]:.2f} | {mean[1]:.3f} | {mean[2]:.4f} |")
        if plain is None:
            plain = rows
        else:
            most = float((plain[:, 0] - rows[:, 0]).max())
            print(f"\nagainst blending: {at_most('dB lost on the worst scene', most, UN_EDITED_LOSS)}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=10)
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="seed of the first scene")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=(*KINDS, "harsh"))
    parser.add_argument(
        "--network", action="append", default=[], metavar="NAME=FILE", help="networks that blend"
    )
    parser.add_argument(
        "--refit", type=int, default=0, metavar="SCENES", help="refit fields to so many of them"
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
        captures(options.real, options.longest, options.captures, blending, options.refit > 0)
    else:
        procedural(options.scenes, options.first, options.kinds, blending, options.refit)
        un_edited(options.scenes, options.first, blending)


if __name__ == "__main__":
    main()
