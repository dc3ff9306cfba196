"""How long edits of whole scenes take: to the first view, of all views, of repairing them, of a frame."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from recon.dn2n.depth_views import DepthViews
from recon.dn2n.edit_views import scene_views_of
from recon.dn2n.editors import make_editor
from recon.dn2n.perturbation import perturbed
from recon.dn2n.repair import EditedViews, repair
from recon.dn2n.training import evaluate
from recon.dn2n.training.evaluate import EvaluationCase, make_case
from render.view_sources import sources_at_rest
from tests.benchmarks.dn2n_bars import FIRST_VIEW_S, FRAME_MS, at_most

Float = NDArray[np.float32]

SEED = 900_000
VIEWS, VIEW_SIZE = 50, (368, 272)
FRAMES = 5  # that a time is the median of
PROMPTS = ("make it a sunset", "make it snow", "an oil painting")


def speed(blending: Mapping[str, Float]) -> None:
    """Processor seconds of edits; of frames also those of the clock, on as many threads as numba may take."""
    case = make_case(SEED, "color", VIEW_SIZE)
    sources = np.arange(VIEWS) % len(case.depths)
    views = DepthViews(case.scene.cameras.select(sources), case.scene.depth[sources])
    for prompt in PROMPTS:
        _tell_edit(prompt, case, sources, views)
    _tell_repair(case, sources, views)
    for size in FRAME_MS:
        small = make_case(SEED, "color", size)
        for name, parameters in {"blending": None, **blending}.items():
            _tell_frame(name, small, size, parameters)


def _tell_edit(prompt: str, case: EvaluationCase, sources: NDArray[np.int64], views: DepthViews) -> None:
    fake = SimpleNamespace(
        names=tuple(map(str, range(VIEWS))), rgb=case.scene.rgb[sources], cameras=views.cameras,
        frame=SimpleNamespace(up_vector=np.array([0.0, 0, 1])),
    )  # fmt: skip
    for _ in range(2):  # The first time kernels are compiled.
        seen = scene_views_of(fake, views, None)  # type: ignore[arg-type]
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
    told = at_most("first view", first, FIRST_VIEW_S)
    print(f"“{prompt}”, {VIEWS} views of 0.1 MP, CPU-s: {told}; all {all_views:.2f}, one edit {whole:.2f}")


def _tell_repair(case: EvaluationCase, sources: NDArray[np.int64], views: DepthViews) -> None:
    """Views that disagree, each with errors of its own."""
    originals = case.originals[sources]
    for way, kind in (("color", case.clean), ("blend", make_case(SEED, "texture", VIEW_SIZE).clean)):
        edited = perturbed(originals, kind[sources], np.random.default_rng(0), 1.0).views
        given = EditedViews(tuple(map(str, range(VIEWS))), originals, edited, views)
        start = time.process_time()
        found = repair(given)
        print(
            f"repair of {VIEWS} such views, {way}: {time.process_time() - start:.2f} CPU-s ({found.route.way})"
        )


def _tell_frame(name: str, case: EvaluationCase, size: tuple[int, int], parameters: Float | None) -> None:
    field, view = case.field(network=parameters), case.held_out[0]
    evaluate.drawn(field, case, view)
    own, clock = [], []
    for _ in range(FRAMES):
        started, began = time.process_time(), time.perf_counter()
        evaluate.drawn(field, case, view)
        own.append(1000 * (time.process_time() - started))
        clock.append(1000 * (time.perf_counter() - began))
    told = at_most("wall ms", float(np.median(clock)), FRAME_MS[size], 0)
    print(
        f"{name}, {size[0]}×{size[1]}, {sources_at_rest(field)} sources: {told} (fastest {min(clock):.0f}); {np.median(own):.0f} CPU-ms"
    )
