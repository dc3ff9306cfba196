"""Real captures: an edit of colours with variation, against the same edit of held-out photos."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recon import formats
from recon.dn2n.consistency import short_pairs, warp_error
from recon.dn2n.depth_views import DepthViews
from recon.dn2n.measures import psnr, ssim
from recon.dn2n.outputs import draw
from recon.dn2n.perturbation import perturbed
from recon.dn2n.repair import EditedViews, Repaired, RepairWishes, repair
from recon.dn2n.router import choose_route
from recon.dn2n.scene_depth import find_depth
from recon.dn2n.scene_views import SceneViews, read_views
from recon.dn2n.training.edits import COLOR_EDITS
from recon.formats.reading import ReadOptions
from render.images import PosedImages
from render.view_field import ViewField
from tests.benchmarks.dn2n_bars import tell_rows
from tests.benchmarks.dn2n_refit import refit
from tests.stepping import finish

Float = NDArray[np.float32]

CAPTURES = {"fox": "multiview/fox", "room-synth": "multiview/room-synth", "stone_horse": "nerf/stone_horse"}


def captures(
    folder: Path, longest: int, names: Sequence[str], blending: Mapping[str, Float], refits: bool
) -> None:
    """Tables of some captures. refits: with a field of one scene trained on the edited views as another baseline."""
    for name in names:
        wishes = ReadOptions(read_as="scene", up="-Y")
        posed = formats.read(folder / CAPTURES[name], wishes).data
        assert isinstance(posed, PosedImages)
        views = finish(read_views(posed, longest, 1, 8))
        start = time.process_time()
        depth = finish(find_depth(views, "photos"))
        seconds = time.process_time() - start
        print(f"\n### {name}: {len(views)} views of {views.size}; depth from photos in {seconds:.1f} CPU-s\n")
        print("| | PSNR | SSIM | warp |\n|---|---|---|---|", flush=True)
        _rows(name, views, depth.views, blending, refits)


def _rows(
    capture: str, views: SceneViews, depth: DepthViews, blending: Mapping[str, Float], refits: bool
) -> None:
    """Each method's figures; those of the way chosen beside the bars."""
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
    own = _told("clean edit", scene, lambda view: clean[view])[2]
    _told("each view alone", scene, lambda view: edited[view])
    if refits:
        made = refit(edited[sources], given.views)
        name = f"field refitted to the edited views ({made.steps} steps, {made.seconds:.0f} CPU-s)"
        _told(name, scene, lambda view: made.drawn(views.cameras, view))
    found = {}
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
            found[each, label] = _told(f"{name}{label}", scene, _without_itself(field, sources, views))
        field = replace(
            field, pictures=(plain.pictures * 255 + 0.5).astype(np.uint8), color_map=plain.color_map
        )
        scene.clean = originals
        _told(f"no edit: {label}", scene, _without_itself(field, sources, views))
        scene.clean = clean
    taken = found[(color, "blending") if way == "color" else (blend, list(found)[-1][1])]
    tell_rows(capture, "this method", taken, own)
    print(f"\nthe way chosen: {way} (missed {color.route.missed:.2f})")


def _without_itself(
    field: ViewField, sources: NDArray[np.int64], views: SceneViews
) -> Callable[[int], Float]:
    def picture(view: int) -> Float:
        kept = np.where(sources == view, np.float32(0), field.weights)
        return draw(replace(field, weights=kept), views.cameras, view).filled

    return picture


def _told(name: str, scene: Any, method: Callable[[int], Float]) -> tuple[float, float, float]:
    """Prints and returns PSNR and SSIM of held-out views; warp error between each and the view beside it, drawn without itself."""
    rows, squares = [], []
    for view, other in zip(scene.held_out, scene.beside, strict=True):
        pictures = np.stack([method(int(view)), method(int(other))])
        rows.append((psnr(pictures[0], scene.clean[view]), ssim(pictures[0], scene.clean[view])))
        pair = scene.depth.select(np.array([view, other]))
        squares.append(warp_error(pictures, pair, short_pairs(pair)) ** 2)
    fidelity, similarity = np.mean(rows, 0).tolist()
    warp = float(np.mean(squares) ** 0.5)
    print(f"| {name} | {fidelity:.2f} | {similarity:.3f} | {warp:.4f} |", flush=True)
    return fidelity, similarity, warp
