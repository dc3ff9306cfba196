"""From slices to a solid in another tool: the whole way in the window, and the whole way from the command line."""

import json

import numpy as np
import pytest
import trimesh

from app import cli
from recon import formats
from recon.metrics import slice_agreement
from render.mesh import TriangleMesh
from tests.app.windows import answer, layer_names, open_files, picture, press, run_to_end, sheets
from tests.synthetic import TORUS, slices_of


@pytest.fixture
def slices_file(tmp_path):
    path = tmp_path / "part.csl"
    formats.write(path, slices_of(TORUS, 10))
    return path


@pytest.mark.slow
def test_open_run_compare_undo_save_reopen_and_export_in_the_window(qtbot, window, slices_file, tmp_path):
    open_files(qtbot, window, slices_file)
    sections = window.project.layers[0].data
    window.method_panel.form.set_preset("Quick check")
    before = picture(window)
    previews = []
    window.runs.previewed.connect(lambda job, data: previews.append(data))
    press(window, "F5")
    run_to_end(qtbot, window)
    (job,) = window.runs.queue.jobs
    assert job.state.value == "done" and previews
    solid = window.project.layers[1].data
    assert isinstance(solid, TriangleMesh) and solid.volume == pytest.approx(TORUS.volume, rel=0.05)
    figures = window.project.layers[1].origin.figures
    assert next(iter(figures["solids"].values()))["genus"] == 1
    assert np.abs(picture(window).astype(int) - before).mean() > 1

    rows = window.agreement_list._model.rows
    assert len(rows) == 10 and min(row.accuracy for row in rows) >= 0.999
    qtbot.waitUntil(lambda: window.slice_view._result is not None, timeout=20_000)

    window.actions_by_id["classic"].trigger()
    run_to_end(qtbot, window)
    assert len(window.project.layers) == 3
    assert not window.project.is_visible(window.project.layers[1].id), "the earlier result steps aside"

    press(window, "Ctrl+Z")
    press(window, "Ctrl+Z")
    assert layer_names(window) == ["part"] and window.project.layers[0].data is sections
    press(window, "Ctrl+Y")
    assert window.project.layers[1].data is solid

    window.files.pick_to_save = lambda *_: (str(tmp_path / "Part"), "")
    with qtbot.waitSignal(window.document.saved, timeout=20_000):
        press(window, "Ctrl+S")
    window.document.new()
    with qtbot.waitSignal(window.document.opened, timeout=20_000):
        window.open_paths([tmp_path / "Part"])
    assert [job.state.value for job in window.runs.queue.jobs] == ["done", "done"]
    again = window.project.layers[1].data
    assert np.array_equal(again.vertices, solid.vertices) and np.array_equal(again.faces, solid.faces)

    window.scene.select([window.project.layers[1].id])
    press(window, "Ctrl+E")
    dialog = window.exports.dialog
    from dataclasses import replace

    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        window.exports.write(replace(dialog.wish(), path=tmp_path / "out" / "part.glb", sidecar=False))
    mesh = trimesh.load(tmp_path / "out" / "part.glb", force="mesh", process=False)
    assert len(mesh.faces) == len(solid.faces) and mesh.is_watertight
    x, y, z = solid.bounds.T
    assert np.allclose(mesh.bounds, np.stack([x, z, -y[::-1]], axis=1), atol=1e-5), "GLB has +Y up"


@pytest.mark.slow
def test_quitting_during_a_run_asks_and_the_run_resumes_in_the_next_window(
    qtbot, window, slices_file, tmp_path
):
    open_files(qtbot, window, slices_file)
    window.document.save_now(tmp_path / "Part" / "Part.isokiln")
    window.method_panel.form.set_values({"prior": "neural", "steps": 100_000, "resolution": 49})
    press(window, "F5")
    job = window.runs.queue.jobs[0]
    qtbot.waitUntil(lambda: job.progress.stage == "Neural prior" and job.progress.step > 20, timeout=90_000)
    window.close()
    assert "is running" in sheets(window)[0].accessibleName()
    answer(window, "Stop and keep a checkpoint")
    qtbot.waitUntil(lambda: bool(sheets(window)), timeout=10_000)
    answer(window, "Save")
    assert not window.isVisible()
    assert job.folder.has_checkpoint and job.folder.status().state in ("interrupted", "stopped", "cancelled")

    from tests.app.windows import open_window

    with open_window(qtbot) as second:
        with qtbot.waitSignal(second.document.opened, timeout=20_000):
            second.open_paths([tmp_path / "Part"])
        (listed,) = second.runs.queue.jobs
        assert "resume" in listed.offer.buttons
        second.runs.do(second.job_panel._model.rows[0].id, "resume")
        qtbot.waitUntil(lambda: listed.progress.stage == "Neural prior", timeout=90_000)
        assert listed.progress.step >= 20, "it goes on from its checkpoint"
        second.actions_by_id["cancel"].trigger()
        qtbot.waitUntil(lambda: second.runs.current is None, timeout=30_000)


@pytest.mark.slow
def test_slice_run_convert_and_evaluate_on_the_command_line(tmp_path, capsys):
    from recon.formats import mesh as mesh_format
    from recon.formats.export import ExportOptions
    from tests.synthetic import mesh_of

    truth = tmp_path / "truth.ply"
    mesh_format.write(truth, [("truth", mesh_of(TORUS, 96))], ExportOptions())
    slices, solid = tmp_path / "slices.csl", tmp_path / "solid.ply"
    assert cli.main(["slice", str(truth), "-n", "10", "-o", str(slices)], lambda _: 1) == 0
    capsys.readouterr()
    words = ["run", "orex", str(slices), "-o", str(solid), "--preset", "quick", "--resolution", "65"]
    assert cli.main([*words, "--json"], lambda _: 1) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["files"] == [str(solid)]
    assert summary["settings"]["resolution"] == 65 and summary["settings"]["prior"] == "none"
    assert summary["wall_s"] > 0 and summary["cpu_s"] > 0 and summary["peak_bytes"] > 50e6
    assert cli.main(["evaluate", str(solid), str(truth), "--slices", str(slices), "--json"], lambda _: 1) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["iou"] > 0.95 and len(figures["slices"]["planes"]) == 10
    assert figures["slices"]["worst_slice_accuracy"] > 99
    mesh = formats.read(solid).data
    assert isinstance(mesh, TriangleMesh)
    assert min(plane.accuracy for plane in slice_agreement(mesh, formats.read(slices).data)) > 99.8
    glb = tmp_path / "solid.glb"
    assert cli.main(["convert", str(solid), str(glb)], lambda _: 1) == 0
    assert len(trimesh.load(glb, force="mesh", process=False).faces) == len(mesh.faces)
