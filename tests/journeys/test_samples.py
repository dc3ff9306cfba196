"""Each bundled sample: opened from the start page, made into a solid, exported, saved, and opened again."""

from dataclasses import replace

import pytest
import trimesh

from recon.metrics import slice_agreement
from render.mesh import TriangleMesh
from tests.app.windows import layer_names, press, run_to_end
from tests.make_samples import bean_mesh


@pytest.mark.slow
def test_the_slices_sample_becomes_its_solid_and_reopens(qtbot, window, tmp_path):
    window.start_page.sample_wished.emit("slices")
    qtbot.waitUntil(lambda: len(window.project.layers) == 1, timeout=10_000)
    assert not window.is_on_start_page and window.document.title.startswith("Sample")
    window.method_panel.form.set_preset("Quick check")
    press(window, "F5")
    run_to_end(qtbot, window)
    sections, solid = (layer.data for layer in window.project.layers)
    assert isinstance(solid, TriangleMesh) and solid.volume == pytest.approx(bean_mesh().volume, rel=0.05)
    assert next(iter(window.project.layers[1].origin.figures["solids"].values()))["genus"] == 1
    assert min(row.accuracy for row in slice_agreement(solid, sections)) >= 99.9

    window.scene.select([window.project.layers[1].id])
    press(window, "Ctrl+E")
    wish = replace(window.exports.dialog.wish(), path=tmp_path / "bean.glb", sidecar=False)
    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        window.exports.write(wish)
    mesh = trimesh.load(tmp_path / "bean.glb", force="mesh", process=False)
    assert len(mesh.faces) == len(solid.faces) and mesh.is_watertight

    names = layer_names(window)
    window.document.save_now(tmp_path / "Bean" / "Bean.isokiln")
    window.document.new()
    assert window.runs.queue.jobs == ()
    with qtbot.waitSignal(window.document.opened, timeout=20_000):
        window.open_paths([tmp_path / "Bean"])
    assert layer_names(window) == names and [job.state.value for job in window.runs.queue.jobs] == ["done"]
