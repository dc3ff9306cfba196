"""The whole method on a room whose answer is a formula."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest

from tests.synthetic_room import ROOM, make_room, room_sdf, write_images

torch = pytest.importorskip("torch")

from recon.debsdf import METHOD  # noqa: E402
from recon.errors import InputError  # noqa: E402
from recon.method import Progress, Result, RunContext, StopRequested  # noqa: E402
from render.images import PosedImages  # noqa: E402
from render.mesh import TriangleMesh  # noqa: E402
from render.rendered_views import RenderedViews  # noqa: E402
from render.sdf_field import SdfField  # noqa: E402

SMALL = {
    "steps": 30, "rays": 128, "resolution": 96, "levels": 4, "finest": 64, "table_size": 13,
    "base_resolution": 80, "cache_resolution": 48,
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that spin while they wait make steps this small twenty times slower."""
    threads = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    yield
    torch.set_num_threads(threads[0])
    numba.set_num_threads(threads[1])


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> PosedImages:
    return write_images(make_room(12, 96, 72), tmp_path_factory.mktemp("room"), with_cues=True)


def run(scene: PosedImages, context: RunContext | None = None, **settings) -> tuple[Result, list[Progress]]:
    chosen = METHOD.make_settings({**SMALL, **settings})
    steps, told = METHOD.load()({"scene": scene}, chosen, context or RunContext()), []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return end.value, told


def outputs(result: Result) -> tuple[TriangleMesh, SdfField, RenderedViews]:
    mesh, field, views = (output.data for output in result.outputs)
    assert isinstance(mesh, TriangleMesh) and isinstance(field, SdfField) and isinstance(views, RenderedViews)
    return mesh, field, views


def test_exact_cues_give_the_room_where_it_stands(scene: PosedImages) -> None:
    result, told = run(scene, held_out=6, steps=120)
    mesh, field, views = outputs(result)
    off = np.abs(room_sdf(mesh.vertices.astype(np.float64)))
    # A fifth of a cell of the coarse field. A tenth of the surface closes what ten small views do not see behind
    # the ball and the step.
    assert np.median(off) < 0.01 and np.quantile(off, 0.8) < 0.04
    # Inside the room and nowhere beyond its walls: what no camera sees is gone.
    assert (mesh.vertices > ROOM[0] - 0.15).all() and (mesh.vertices < ROOM[1] + 0.15).all()
    assert mesh.colors is not None and mesh.colors.std() > 10
    assert (mesh.vertex_values["uncertainty"] >= 0).all()
    assert mesh.frame == scene.frame and field.frame == scene.frame
    # The cameras look down: the upper walls are seen by none.
    assert (field.bounds[0] < ROOM[0] + 0.1).all() and (field.bounds[1, :2] > ROOM[1, :2] - 0.1).all()
    assert views.is_held_out.sum() == 2 and np.isfinite(views.psnr).all()
    figures = result.figures
    assert figures["psnr_held_out"] > 14 and figures["psnr"] > 14
    assert figures["aligned_images"] >= 10
    assert len(figures["alignment"]) == 12 and figures["start"] == "depth" and figures["beta"] > 0
    stages = list(dict.fromkeys(step.stage for step in told))
    assert stages.index("Training") < stages.index("Rendering views")
    assert all(1 <= step.step <= step.total for step in told)


def test_rendered_depth_is_in_the_worlds_unit(scene: PosedImages) -> None:
    result, _ = run(scene)
    views = outputs(result)[2]
    exact = make_room(12, 96, 72).depth
    shape = views.depth.shape[1:]
    step = round(96 / shape[1])
    cut = exact[:, step // 2 :: step, step // 2 :: step][:, : shape[0], : shape[1]]
    ratio = views.depth[:, : cut.shape[1], : cut.shape[2]] / cut
    assert np.median(np.abs(ratio - 1)) < 0.04


def test_the_first_preview_is_the_coarse_field_before_any_step(scene: PosedImages) -> None:
    asked = iter([True])
    context = RunContext(is_preview_due=lambda: next(asked, False))
    _, told = run(scene, context, steps=2)
    first = next(step for step in told if step.preview is not None)
    assert isinstance(first.preview, TriangleMesh) and first.stage == "Training" and first.step == 1
    off = np.abs(room_sdf(first.preview.vertices.astype(np.float64)))
    assert np.median(off) < 0.04


def test_a_killed_run_goes_on_from_its_checkpoint_and_ends_alike(scene: PosedImages) -> None:
    whole, _ = run(scene, steps=8)
    kept: list[dict[str, np.ndarray]] = []
    due = iter([False, False, True])
    saving = RunContext(
        is_checkpoint_due=lambda: next(due, False), save_checkpoint=lambda arrays: kept.append(dict(arrays))
    )
    run(scene, saving, steps=8)
    assert len(kept) == 1 and int(kept[0]["step"]) == 3
    resumed, _ = run(scene, RunContext(load_checkpoint=lambda: kept[0]), steps=8)
    mine, other = outputs(whole)[0], outputs(resumed)[0]
    np.testing.assert_array_equal(mine.vertices, other.vertices)
    np.testing.assert_array_equal(mine.colors, other.colors)


def test_a_stopped_run_gives_the_surface_it_has(scene: PosedImages) -> None:
    chosen = METHOD.make_settings({**SMALL, "steps": 5000})
    steps = METHOD.load()({"scene": scene}, chosen, RunContext())
    while (told := next(steps)).stage != "Training":
        pass
    assert told.losses
    steps.throw(StopRequested())
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    result = end.value.value
    assert "Stopped after 10" in result.figures["note"]
    assert len(outputs(result)[0].faces) > 1000


def test_no_cues_at_all_finish_and_say_that_the_result_is_poor(scene: PosedImages) -> None:
    result, _ = run(replace(scene, depth=None, normals=None), steps=20)
    assert result.figures["start"] == "sphere"
    assert "without texture" in result.figures["notes"][0]
    assert len(outputs(result)[0].faces) > 100


def test_one_image_is_too_few_and_no_image_left_is_said(scene: PosedImages) -> None:
    for disabled in (np.arange(12) > 0, np.ones(12, bool)):
        with pytest.raises(InputError) as error:
            run(replace(scene, disabled=disabled))
        assert "usable image" in error.value.sentence and error.value.advice


def test_masks_that_leave_nothing_are_said(scene: PosedImages, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (96, 72), 0).save(tmp_path / "nothing.png")
    masked = replace(scene.images, mask_paths=(str(tmp_path / "nothing.png"),) * 12)
    with pytest.raises(InputError, match="masks leave no pixel"):
        run(replace(scene, images=masked))


def test_every_preset_is_valid_and_the_quick_one_takes_fewer_steps() -> None:
    settings = {name: METHOD.make_settings(changes) for name, changes in METHOD.presets.items()}
    steps = [settings[name].steps for name in ("Quick check", "Balanced", "Best")]
    assert steps == sorted(steps) and steps[0] < steps[1] < steps[2]
