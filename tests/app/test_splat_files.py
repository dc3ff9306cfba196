"""Splat files in the window: opened by their content, exported without what was deleted, never over their source."""

from __future__ import annotations

import shlex
from dataclasses import replace

import numpy as np
from PySide6.QtWidgets import QComboBox

from app import cli
from app.layers import changed, new_layer
from recon import formats
from recon.formats import native
from render.frame import Frame
from render.gaussians import GaussianCloud, GaussianMarks
from render.points import PointCloud
from tests.app.windows import open_files
from tests.recon.formats.splat_examples import usual_cloud
from tests.synthetic import TORUS, mesh_of

SPLATS = ["splats", "spz", "compressed_splats", "splat", "splats_glb", "points"]


def offered(dialog) -> list[str]:
    box = dialog.findChild(QComboBox, "export_format")
    return [box.itemData(i) for i in range(box.count())]


def add_cloud(window, cloud: GaussianCloud | None = None) -> str:
    cloud = cloud or replace(usual_cloud(60, 2, extra=True), frame=Frame("-Y"))
    window.project.edit("Add", [*window.project.layers, new_layer("Cloud", cloud)], frame=cloud.frame)
    return str(window.project.layers[-1].id)


def test_dropped_files_of_splats_are_layers_of_splats_in_the_same_axes(qtbot, window, tmp_path):
    cloud = replace(usual_cloud(50, 0), frame=Frame("-Y"))
    for name in ("a.ply", "b.compressed.ply", "c.spz", "d.splat", "e.glb"):
        formats.write(tmp_path / name, cloud)
        open_files(qtbot, window, tmp_path / name)
        layer = window.project.layers[-1]
        assert isinstance(layer.data, GaussianCloud) and len(layer.data) == 50 and layer.name == name[0]
        assert np.allclose(layer.data.bounds, cloud.bounds, atol=1e-3)
    assert window.project.frame == Frame("-Y") and len(window.project.layers) == 5


def test_silent_splats_join_the_axes_of_a_project_and_stay_with_its_numbers(qtbot, window, tmp_path):
    cloud = usual_cloud(50, 1)
    formats.write(tmp_path / "silent.ply", replace(cloud, frame=Frame("-Y")))
    window.project.edit("Add", [new_layer("Torus", mesh_of(TORUS, 16))], frame=Frame("+Z", "m"))
    told = []
    window.files.noted.connect(lambda title, notes: told.extend(notes))
    open_files(qtbot, window, tmp_path / "silent.ply")
    data = window.project.layers[-1].data
    assert np.array_equal(data.means, cloud.means) and data.frame == Frame("+Z", "m")
    assert told == ["The file does not say which way is up; +Z is taken, as in the project."]
    # Those that state their axes are turned into the project's, with their colours.
    formats.write(tmp_path / "stated.ply", replace(cloud, frame=Frame("+Y", "m")))
    open_files(qtbot, window, tmp_path / "stated.ply")
    data = window.project.layers[-1].data
    x, y, z = cloud.means.T
    assert np.allclose(data.means, np.stack([x, -z, y], 1), atol=1e-6)
    assert not np.allclose(data.sh[:, 1:], cloud.sh[:, 1:])
    assert np.allclose(
        np.linalg.norm(data.sh[:, 1:], axis=1), np.linalg.norm(cloud.sh[:, 1:], axis=1), atol=1e-5
    )


def test_splats_may_be_taken_for_points_in_the_import_inspector(qtbot, window, tmp_path):
    formats.write(tmp_path / "a.spz", usual_cloud(50, 0))
    dialog = window.imports.show([tmp_path / "a.spz"])
    qtbot.waitUntil(lambda: not dialog.rows()[0].is_reading, timeout=20_000)
    (row,) = dialog.rows()
    assert row.kind == "spz" and [kind for kind, _ in row.kinds] == ["spz", "points"]
    assert row.count == "50 Gaussians"
    dialog.kind_changed.emit(row.id, "points")
    qtbot.waitUntil(lambda: dialog.rows()[0].count == "50 points", timeout=20_000)
    assert dialog.rows()[0].kind == "points"
    dialog.import_wished.emit(dialog.wish())
    assert isinstance(window.project.layers[0].data, PointCloud)


def test_the_dialog_offers_the_formats_that_fit_what_is_ticked(qtbot, window, tmp_path):
    window.project.edit("Add", [new_layer("Torus", mesh_of(TORUS, 16))])
    cloud = add_cloud(window, replace(usual_cloud(), frame=window.project.frame))
    dialog = window.exports.show([cloud])
    assert offered(dialog) == SPLATS and dialog.wish().format == "splats"
    assert dialog.wish().frame_preset == "project"
    dialog._layers._list.item(0).setCheckState(dialog._layers._list.item(1).checkState())
    ticked = dialog.wish().layers
    assert len(ticked) == 2
    qtbot.waitUntil(lambda: offered(dialog)[0] == "glb" and set(SPLATS) < set(offered(dialog)))
    assert "holds splats only" in dialog._reason.text()
    assert dialog.wish().format == "splats"
    # Endings of two parts follow the format.
    dialog._path.setText(str(tmp_path / "my.scan.ply"))
    for key, name in (
        ("compressed_splats", "my.scan.compressed.ply"),
        ("spz", "my.scan.spz"),
        ("splats", "my.scan.ply"),
    ):
        index = dialog._format.findData(key)
        dialog._format.setCurrentIndex(index)
        dialog._format.activated.emit(index)
        assert dialog.wish().path == tmp_path / name


def test_deleted_gaussians_are_not_exported(qtbot, window, tmp_path):
    key = add_cloud(window)
    cloud = window.project.layers[0].data
    deleted = np.arange(len(cloud)) % 3 == 0
    none = np.zeros(len(cloud), bool)
    marks = GaussianMarks(none, none, none, deleted)
    window.project.edit("Delete", changed(window.project.layers, key, marks=marks))
    window.document.save_now(tmp_path / "P" / "P.isokiln")
    dialog = window.exports.show([key])
    wish = replace(dialog.wish(), path=tmp_path / "out.ply", sidecar=True)
    assert window.exports._command(wish)[0] == ""  # the stored layer still holds them
    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        window.exports.write(wish)
    back = formats.read(tmp_path / "out.ply").data
    assert np.array_equal(back.means, cloud.means[~deleted])
    assert np.array_equal(back.extra["part"], cloud.extra["part"][~deleted])
    assert (tmp_path / "out.export.json").is_file()


def test_what_is_left_of_a_layer_is_made_once_for_all_that_a_dialog_shows(qtbot, window, monkeypatch):
    key = add_cloud(window)
    cloud = window.project.layers[0].data
    marks = GaussianMarks.none(len(cloud))
    deleted = replace(marks, deleted=np.arange(len(cloud)) < 2)
    window.project.edit("Delete", changed(window.project.layers, key, marks=deleted))
    made, subset = [], GaussianCloud.subset
    monkeypatch.setattr(GaussianCloud, "subset", lambda of, rows: made.append(1) or subset(of, rows))
    dialog = window.exports.show([key])
    for _ in range(3):
        window.exports._take_change(dialog.wish())
    assert len(made) == 1
    window.project.edit("Restore", changed(window.project.layers, key, marks=marks))
    ((_, restored),) = window.exports._chosen(dialog.wish())
    assert restored is cloud, "another state of the layer is looked at anew"


def test_the_copied_command_writes_the_very_same_splats(qtbot, window, tmp_path):
    layer = add_cloud(window)
    window.document.save_now(tmp_path / "P" / "P.isokiln")
    for key in ("splats", "spz", "compressed_splats", "splats_glb", "points"):
        _assert_command_agrees(qtbot, window, window.exports.show([layer]), key, tmp_path)


def _assert_command_agrees(qtbot, window, dialog, key, tmp_path):
    suffix = {"spz": ".spz", "compressed_splats": ".compressed.ply", "splats_glb": ".glb"}.get(key, ".ply")
    options = {} if key == "points" else {"sh_degree": 1, "up": "+Z", "on_floor": True}
    options |= {"spz_version": "3"} if key == "spz" else {}
    wish = replace(
        dialog.wish(), format=key, path=tmp_path / f"a{suffix}", options=options, sidecar=key != "points"
    )
    words = shlex.split(window.exports._command(wish)[0])
    with qtbot.waitSignal(window.exports.exported, timeout=20_000):
        window.exports.write(wish)
    first = wish.path.read_bytes()
    wish.path.unlink()
    assert words[0] == "isokiln" and cli.main(words[1:], lambda options: 1) == 0
    assert wish.path.read_bytes() == first


def test_an_export_never_overwrites_the_file_that_the_splats_came_from(qtbot, window, tmp_path):
    formats.write(tmp_path / "a.spz", usual_cloud(50, 0))
    before = (tmp_path / "a.spz").read_bytes()
    open_files(qtbot, window, tmp_path / "a.spz")
    dialog = window.exports.show([window.project.layers[0].id])
    refused = []
    window.exports.failed.connect(refused.append)
    window.exports.write(replace(dialog.wish(), format="spz", path=tmp_path / "a.spz"))
    assert "used by the project" in refused[0].sentence and (tmp_path / "a.spz").read_bytes() == before


def test_a_turned_export_is_upright_and_seen_alike_from_the_turned_direction(tmp_path):
    from recon.formats import gaussian_export
    from recon.formats.export import ExportOptions
    from render.spherical_harmonics import sh_basis

    cloud = replace(usual_cloud(30, 3), frame=Frame("+Z"))
    written = gaussian_export.write(tmp_path / "a.ply", [("a", cloud)], ExportOptions(up="-Y"))
    back = formats.read(tmp_path / "a.ply").data
    turn = written.plan.file_from_project[:3, :3]
    assert np.allclose(turn @ [0, 0, 1], [0, -1, 0]) and back.frame == Frame("-Y")
    assert np.allclose(back.means, cloud.means @ turn.T, atol=1e-5)
    direction = np.array([0.48, -0.6, 0.64])
    seen = np.einsum("nkc,k->nc", cloud.sh, sh_basis(direction, 3))
    assert np.allclose(seen, np.einsum("nkc,k->nc", back.sh, sh_basis(turn @ direction, 3)), atol=1e-4)
    upright = gaussian_export.write(tmp_path / "a.glb", [("a", cloud)], ExportOptions(up="+Y"))
    assert upright.plan.up == "+Y" and not upright.warnings
    assert np.allclose(upright.plan.file_from_project[:3, :3] @ [0, 0, 1], [0, 1, 0])
    assert gaussian_export.plan_splats(tmp_path / "a.glb", [("a", cloud)]).warnings == (
        "Other programs take +Y for up; in this file -Z is. Choose +Y as the up axis to turn it.",
    )


def test_estimates_are_near_what_is_written(tmp_path):
    from recon.formats import gaussian_export

    cloud = usual_cloud(20_000, 2)
    for suffix in gaussian_export.SUFFIXES:
        written = gaussian_export.write(tmp_path / f"a{suffix}", [("a", cloud)])
        size = written.files[0].stat().st_size
        assert abs(size - written.plan.estimated_bytes) < (0.35 if suffix == ".spz" else 0.05) * size, suffix


def test_a_layer_of_splats_is_stored_and_opened_again_bit_for_bit_without_packing(tmp_path):
    cloud = usual_cloud(100_000, 1, extra=True)
    native.write(tmp_path / "a.npz", cloud)
    back = native.read(tmp_path / "a.npz")
    assert isinstance(back, GaussianCloud) and np.array_equal(back.sh, cloud.sh)
    assert back.extra["part"].dtype == np.int32
    assert (tmp_path / "a.npz").stat().st_size < 1.01 * cloud.num_bytes + 4096
