"""From photos to splats to a mesh: the whole way in the window."""

import numpy as np
import pytest

from recon.formats import scene_folder
from render.gaussians import GaussianCloud
from render.mesh import TriangleMesh
from tests.app.windows import layer_names, open_files, press, run_to_end
from tests.synthetic_room import make_room, room_sdf, write_images

# As small as a run can be that still looks like the room.
TINY = {"steps": 250, "max_gaussians": 1500, "sh_degree": 0, "held_out": 5}


@pytest.mark.slow
def test_photos_become_splats_and_splats_a_mesh(qtbot, window, tmp_path):
    posed = write_images(make_room(10, 80, 60), tmp_path / "pictures")
    scene_folder.write(tmp_path / "room", posed)
    open_files(qtbot, window, tmp_path / "room")
    assert layer_names(window) == ["room"]

    panel = window.method_panel
    panel.set_method("splats")
    assert panel.method.id == "splats" and panel.form.problem() == ""
    panel.form.set_values(TINY)
    assert set(panel.inputs()) == {"scene"}, "splats to go on from are chosen only by hand"
    previews = []
    window.runs.previewed.connect(lambda job, data: previews.append(data))
    press(window, "F5")
    run_to_end(qtbot, window, 240)
    (job,) = window.runs.queue.jobs
    assert job.state.value == "done", job.error
    splats = next(layer for layer in window.project.layers if isinstance(layer.data, GaussianCloud))
    assert previews and all(isinstance(each, GaussianCloud) for each in previews)
    assert 500 < len(splats.data) <= 1500
    assert splats.origin.figures["psnr"] > 17
    near = np.abs(room_sdf(splats.data.means[splats.data.opacities > 0.5].astype(float)))
    assert np.median(near) < 0.15, "the splats lie where the room is"
    assert "dB" in window.runs.rows()[0].result
    (plotted,) = window.plots._runs.values()
    assert {"photo", "psnr_held_out", "gaussians"} <= set(plotted.series)

    panel.set_method("splats.mesh")
    photos = next(layer for layer in window.project.layers if layer.name == "room")
    assert panel.inputs() == {"cloud": splats.id, "scene": photos.id}
    panel.form.set_values({"resolution": 64, "image_size": 80})
    press(window, "F5")
    run_to_end(qtbot, window, 240)
    job = window.runs.queue.jobs[-1]
    assert job.state.value == "done", job.error
    mesh = next(layer for layer in window.project.layers if isinstance(layer.data, TriangleMesh))
    assert mesh.data.colors is not None and len(mesh.data.faces) > 500
    assert np.median(np.abs(room_sdf(mesh.data.vertices.astype(float)))) < 0.15
    assert window.scene.current is mesh
