"""Meshes survive files: the same counts, bounds and winding in every program that reads them."""

from __future__ import annotations

import json
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import recon.formats
from recon.errors import FormatError
from recon.formats import mesh as mesh_format
from recon.formats.export import ExportOptions
from recon.formats.reading import ReadOptions
from recon.surface import describe
from render.frame import Frame
from render.mesh import TriangleMesh
from tests.synthetic import GEAR, SPHERE, TORUS, mesh_of, unit_cube

SUFFIXES = ("ply", "obj", "stl", "glb", "3mf")
METRES = Frame("+Z", "m")


def colored(mesh: TriangleMesh, frame: Frame = METRES) -> TriangleMesh:
    shares = (mesh.vertices - mesh.vertices.min(0)) / np.ptp(mesh.vertices, axis=0)
    return TriangleMesh(
        mesh.vertices,
        mesh.faces,
        (255 * shares).round().astype(np.uint8),
        {"height": mesh.vertices[:, 2]},
        frame,
    )


def moved_back(mesh: TriangleMesh, written: mesh_format.WrittenMesh) -> np.ndarray:
    """A read mesh's vertices in the frame of the mesh that was written."""
    project_from_file = np.linalg.inv(written.plan.file_from_project)
    return mesh.vertices.astype(np.float64) @ project_from_file[:3, :3].T + project_from_file[:3, 3]


def by_place(points: np.ndarray) -> np.ndarray:
    return points[np.lexsort(np.round(points, 4).T)]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_mesh_comes_back_from_every_format(suffix: str, tmp_path: Path) -> None:
    mesh = colored(mesh_of(GEAR, 48))
    path = tmp_path / f"gear.{suffix}"
    written = mesh_format.write(path, [("gear", mesh)])
    back = recon.formats.read(path).data
    assert isinstance(back, TriangleMesh)
    assert (len(back.vertices), len(back.faces)) == (len(mesh.vertices), len(mesh.faces))
    assert np.allclose(by_place(moved_back(back, written)), by_place(mesh.vertices), atol=1e-6)
    assert back.volume * np.linalg.det(written.plan.file_from_project) ** -1 == pytest.approx(
        mesh.volume, rel=1e-5
    )
    assert describe(back).is_manifold and describe(back).genus == 6
    if suffix != "stl":
        assert np.array_equal(back.faces, mesh.faces)
    if suffix in ("ply", "obj", "glb"):
        assert back.colors is not None and np.array_equal(back.colors, mesh.colors)
    if suffix == "ply":
        assert np.array_equal(back.vertex_values["height"], mesh.vertex_values["height"])


@st.composite
def any_mesh(draw: st.DrawFn) -> TriangleMesh:
    """Any finite coordinates, any faces, also without area, also vertices of no face."""
    num_vertices = draw(st.integers(1, 12))
    number = st.floats(-(2.0**60), 2.0**60, width=32) | st.floats(-1, 1, width=32)
    vertices = draw(arrays(np.float32, (num_vertices, 3), elements=number))
    faces = draw(
        arrays(np.int32, st.tuples(st.integers(1, 8), st.just(3)), elements=st.integers(0, num_vertices - 1))
    )
    colors = draw(st.none() | arrays(np.uint8, (num_vertices, 3)))
    return TriangleMesh(vertices, faces, colors)


AS_WRITTEN = {
    "ply": Frame(),
    "obj": Frame(),
    "stl": Frame("+Z", "mm"),
    "glb": Frame("+Y", "m"),
    "3mf": Frame("+Z", "mm"),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(mesh=any_mesh(), normals=st.booleans())
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_any_mesh_comes_back_to_the_last_bit_where_nothing_is_turned(
    suffix: str, mesh: TriangleMesh, normals: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = AS_WRITTEN[suffix]
    mesh = TriangleMesh(mesh.vertices, mesh.faces, mesh.colors, frame=frame)
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    mesh_format.write(path, [("any", mesh)], ExportOptions(frame="project", normals=normals))
    expected = mesh.vertices[mesh.faces]
    if suffix == "stl":
        same = (expected == np.roll(expected, 1, axis=1)).all(2).any(1)
        if same.all():
            with pytest.raises(FormatError):
                mesh_format.read(path)
            return
        expected = expected[~same]
    back = mesh_format.read(path).data
    assert isinstance(back, TriangleMesh)
    assert np.array_equal(back.vertices[back.faces], expected)
    assert back.frame == frame
    if mesh.colors is not None and suffix in ("ply", "obj", "glb"):
        assert back.colors is not None and np.array_equal(back.colors[back.faces], mesh.colors[mesh.faces])


def in_trimesh(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    mesh = trimesh.load_mesh(path, process=path.suffix == ".stl")
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def in_open3d(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import open3d

    mesh = open3d.io.read_triangle_mesh(str(path))
    if path.suffix == ".stl":
        mesh.remove_duplicated_vertices()
    return np.asarray(mesh.vertices), np.asarray(mesh.triangles)


def in_pyvista(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import pyvista

    mesh: Any = pyvista.read(path)
    if isinstance(mesh, pyvista.MultiBlock):
        mesh = mesh.combine().extract_surface(algorithm="dataset_surface")
    return np.asarray(mesh.points), np.asarray(mesh.faces).reshape(-1, 4)[:, 1:]


READ_BY = [(in_trimesh, suffix) for suffix in SUFFIXES]
READ_BY += [(in_open3d, suffix) for suffix in ("ply", "obj", "stl", "glb")]
READ_BY += [(in_pyvista, suffix) for suffix in ("ply", "obj", "stl", "glb")]


@pytest.mark.parametrize("program, suffix", READ_BY, ids=lambda each: getattr(each, "__name__", each))
def test_other_programs_see_the_same_counts_bounds_and_winding(
    program: Any, suffix: str, tmp_path: Path
) -> None:
    mesh = colored(mesh_of(TORUS, 32))
    path = tmp_path / f"torus.{suffix}"
    written = mesh_format.write(path, [("torus", mesh)])
    vertices, faces = program(path)
    assert (len(vertices), len(faces)) == (len(mesh.vertices), len(mesh.faces))
    seen = TriangleMesh(vertices.astype(np.float32), faces.astype(np.int32))
    matrix = written.plan.file_from_project
    corners = mesh.bounds @ matrix[:3, :3].T + matrix[:3, 3]
    assert np.allclose(seen.bounds, np.stack([corners.min(0), corners.max(0)]), rtol=1e-5, atol=1e-6)
    assert np.ptp(seen.bounds, axis=0) == pytest.approx(written.size, rel=1e-5)
    assert seen.volume == pytest.approx(mesh.volume * np.linalg.det(matrix), rel=1e-4)


def test_other_programs_see_the_colours(tmp_path: Path) -> None:
    import open3d
    import trimesh

    mesh = colored(unit_cube())
    for suffix in ("ply", "obj"):
        path = tmp_path / f"cube.{suffix}"
        mesh_format.write(path, [("cube", mesh)])
        theirs = trimesh.load_mesh(path, process=False).visual.vertex_colors[:, :3]
        assert np.array_equal(theirs, mesh.colors)
    ply = open3d.io.read_triangle_mesh(str(tmp_path / "cube.ply"))
    assert np.allclose(np.asarray(ply.vertex_colors) * 255, mesh.colors, atol=0.51)


def test_a_glb_file_has_all_that_the_standard_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "two.glb"
    mesh_format.write(path, [("a", colored(mesh_of(SPHERE, 24))), ("a", colored(unit_cube()))])
    data = path.read_bytes()
    magic, version, total, length, kind = struct.unpack("<4sIIII", data[:20])
    assert (magic, version, total, kind) == (b"glTF", 2, len(data), 0x4E4F534A)
    assert length % 4 == 0 and len(data) % 4 == 0
    document = json.loads(data[20 : 20 + length])
    binary = data[20 + length + 8 :]
    assert document["buffers"] == [{"byteLength": len(binary)}]
    assert [node["name"] for node in document["nodes"]] == ["a", "a-2"]
    for mesh in document["meshes"]:
        attributes = mesh["primitives"][0]["attributes"]
        assert set(attributes) == {"POSITION", "NORMAL", "COLOR_0"}
        accessor = document["accessors"][attributes["POSITION"]]
        view = document["bufferViews"][accessor["bufferView"]]
        points = np.frombuffer(binary, "<f4", accessor["count"] * 3, view["byteOffset"]).reshape(-1, 3)
        assert accessor["min"] == points.min(0).tolist() and accessor["max"] == points.max(0).tolist()
        view = document["bufferViews"][document["accessors"][attributes["NORMAL"]]["bufferView"]]
        normals = np.frombuffer(binary, "<f4", accessor["count"] * 3, view["byteOffset"]).reshape(-1, 3)
        assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-5)
        assert ((normals * (points - (points.min(0) + points.max(0)) / 2)).sum(1) > 0).all()
    assert all(view["byteOffset"] % 4 == 0 for view in document["bufferViews"])


@pytest.mark.parametrize("suffix", ["glb", "obj", "3mf"])
def test_several_named_meshes_stand_in_one_file(suffix: str, tmp_path: Path) -> None:
    import trimesh

    path = tmp_path / f"both.{suffix}"
    written = mesh_format.write(path, [("ball & co", mesh_of(SPHERE, 24)), ("ring", mesh_of(TORUS, 24))])
    assert written.files[0] == path
    scene = trimesh.load_scene(path, process=False, group_material=False, split_objects=True)
    assert len(scene.geometry) == 2
    reading = recon.formats.read(path)
    assert describe(reading.data).num_components == 2


@pytest.mark.parametrize("suffix", ["stl", "ply"])
def test_several_meshes_become_one_file_each_where_a_format_holds_one(suffix: str, tmp_path: Path) -> None:
    meshes = [("left/right", mesh_of(SPHERE, 24)), ("left right", mesh_of(TORUS, 24))]
    written = mesh_format.write(tmp_path / f"hand.{suffix}", meshes)
    assert [file.name for file in written.files] == [
        f"hand-left-right.{suffix}",
        f"hand-left-right-2.{suffix}",
    ]
    genera = [describe(recon.formats.read(file).data).genus for file in written.files]
    assert genera == [0, 1]
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in written.files}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failing_write_leaves_what_was_there_and_nothing_else(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"cube.{suffix}"
    mesh_format.write(path, [("cube", unit_cube())], ExportOptions(sidecar=True))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mesh_format, "description", full)
    with pytest.raises(OSError):
        mesh_format.write(path, [("gear", mesh_of(GEAR, 32))], ExportOptions(sidecar=True))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_the_sidecar_says_how_the_file_came_about(tmp_path: Path) -> None:
    path = tmp_path / "cube.stl"
    mesh = TriangleMesh(unit_cube().vertices, unit_cube().faces, frame=Frame("+Y", "cm"))
    written = mesh_format.write(path, [("cube", mesh)], ExportOptions(sidecar=True), {"run": "orex-1"})
    said = json.loads((tmp_path / "cube.export.json").read_text())
    assert (said["unit"], said["up"], said["run"], said["files"]) == ("mm", "+Z", "orex-1", ["cube.stl"])
    assert np.array_equal(said["file_from_project"], written.plan.file_from_project)


# Reading what others wrote


def test_a_text_ply_of_triangles_quads_and_extra_lists_is_read(tmp_path: Path) -> None:
    path = tmp_path / "house.ply"
    path.write_text(
        "ply\nformat ascii 1.0\ncomment made by hand\nelement vertex 5\nproperty float x\nproperty float y\n"
        "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nproperty float heat\n"
        "element face 5\nproperty list uchar int vertex_indices\nproperty uchar flags\nend_header\n"
        "0 0 0 255 0 0 1\n1 0 0 0 255 0 2\n1 1 0 0 0 255 3\n0 1 0 9 9 9 4\n.5 .5 1 1 2 3 5\n"
        "4 3 2 1 0 7\n3 0 1 4 7\n3 1 2 4 7\n3 2 3 4 7\n3 3 0 4 7\n"
    )
    mesh = recon.formats.read(path).data
    assert isinstance(mesh, TriangleMesh)
    assert len(mesh.faces) == 6 and describe(mesh).is_manifold
    assert mesh.volume == pytest.approx(1 / 3)
    assert mesh.colors is not None and mesh.colors[3].tolist() == [9, 9, 9]
    assert mesh.vertex_values["heat"].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("order, mark", [("little", "<"), ("big", ">")])
def test_a_binary_ply_of_either_byte_order_and_mixed_polygons_is_read(
    order: str, mark: str, tmp_path: Path
) -> None:
    header = (
        f"ply\r\nformat binary_{order}_endian 1.0\r\nelement vertex 5\r\nproperty double x\r\nproperty double y\r\n"
        "property double z\r\nelement face 5\r\nproperty list int uint vertex_index\r\nend_header\r\n"
    )
    points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0.5, 0.5, 1)]
    faces = [(3, 2, 1, 0), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]
    body = b"".join(struct.pack(f"{mark}3d", *p) for p in points)
    body += b"".join(struct.pack(f"{mark}i{len(f)}I", len(f), *f) for f in faces)
    path = tmp_path / "pyramid.ply"
    path.write_bytes(header.encode() + body)
    mesh = recon.formats.read(path).data
    assert isinstance(mesh, TriangleMesh) and mesh.volume == pytest.approx(1 / 3)


def test_an_obj_with_texture_seams_negative_numbers_and_materials_stays_closed(tmp_path: Path) -> None:
    (tmp_path / "paint.mtl").write_text("newmtl red\nKd 1 0 0\nnewmtl half\nillum 1\nKd 0.5 0.5 0.5\n")
    (tmp_path / "tetra.obj").write_text(
        "# hand made\nmtllib sub/../paint.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvt 0 0\nvt 1 1\nvn 0 0 1\n"
        "usemtl red\nf 1/1/1 3/2/1 2/1/1\nf 1//1 2//1 4//1\nusemtl half\nf -4/1 -1/2 -2/2\nf 2 \\\n 3 4\n"
    )
    mesh = recon.formats.read(tmp_path / "tetra.obj").data
    assert isinstance(mesh, TriangleMesh)
    assert (len(mesh.vertices), len(mesh.faces)) == (4, 4)
    assert mesh.volume == pytest.approx(1 / 6)
    assert mesh.colors is not None and mesh.colors[0].tolist() == [128, 128, 128]
    (tmp_path / "paint.mtl").unlink()
    notes = recon.formats.read(tmp_path / "tetra.obj").notes
    assert any("paint.mtl" in note.sentence for note in notes)


def test_an_obj_where_only_some_vertices_have_colours_is_read_without(tmp_path: Path) -> None:
    path = tmp_path / "mixed.obj"
    path.write_text("v 0 0 0 1 0 0\nv 1 0 0\nv 0 1 0 0 0 1\nf 1 2 3\n")
    mesh = recon.formats.read(path).data
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]] and mesh.colors is None


def test_a_coloured_and_a_plain_mesh_share_an_obj_file(tmp_path: Path) -> None:
    path = tmp_path / "two.obj"
    plain = TriangleMesh(unit_cube().vertices, unit_cube().faces, frame=METRES)
    mesh_format.write(path, [("one", colored(unit_cube())), ("two", plain)])
    mesh = recon.formats.read(path).data
    assert mesh.colors[:8].tolist() == colored(unit_cube()).colors.tolist()
    assert (mesh.colors[8:] == 204).all()


def test_a_text_stl_is_welded_to_a_closed_mesh(tmp_path: Path) -> None:
    lines = ["solid some cube"]
    for face in unit_cube().faces:
        corners = [f"vertex {x:e} {y} {z}" for x, y, z in unit_cube().vertices[face]]
        lines += ["facet normal 0 0 0", " outer loop", *corners, " endloop", "endfacet"]
    path = tmp_path / "cube.stl"
    path.write_text("\r\n".join([*lines, "endsolid some cube", ""]))
    mesh = recon.formats.read(path).data
    assert isinstance(mesh, TriangleMesh)
    assert (len(mesh.vertices), mesh.volume) == (8, pytest.approx(1))


def test_a_binary_stl_that_starts_like_a_text_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cube.stl"
    mesh_format.write(path, [("cube", unit_cube())])
    data = b"solid facet, or so it seems".ljust(80) + path.read_bytes()[80:]
    path.write_bytes(data)
    assert len(recon.formats.read(path).data.faces) == 12


def test_instances_in_a_glb_scene_stand_where_their_nodes_put_them(tmp_path: Path) -> None:
    import trimesh

    box = trimesh.creation.box()
    scene = trimesh.Scene()
    scene.add_geometry(
        box, node_name="one", geom_name="box", transform=trimesh.transformations.scale_matrix(2)
    )
    mirrored = np.diag([-1.0, 1, 1, 1])
    mirrored[:3, 3] = 10, 0, 0
    scene.add_geometry(box, node_name="two", geom_name="box2", transform=mirrored)
    path = tmp_path / "boxes.glb"
    scene.export(path)
    reading = recon.formats.read(path)
    assert reading.data.bounds.tolist() == [[-1, -1, -1], [10.5, 1, 1]]
    assert reading.data.volume == pytest.approx(9)
    assert any("2 objects" in note.sentence for note in reading.notes)
    assert reading.data.frame == Frame("+Y", "m")


def test_a_gltf_file_with_its_buffer_beside_it_is_read(tmp_path: Path) -> None:
    import trimesh

    files = trimesh.exchange.gltf.export_gltf(trimesh.Scene(trimesh.creation.box()))
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    mesh = recon.formats.read(tmp_path / "model.gltf").data
    assert len(mesh.faces) == 12 and mesh.volume == pytest.approx(1)


@pytest.mark.parametrize("unit, ours", [("inch", "in"), ("micron", "um"), ("meter", "m")])
def test_a_3mf_file_says_its_unit(unit: str, ours: str, tmp_path: Path) -> None:
    path, other = tmp_path / "cube.3mf", tmp_path / "other.3mf"
    mesh_format.write(path, [("cube", unit_cube())])
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b'"millimeter"', f'"{unit}"'.encode()))
    assert recon.formats.read(other).data.frame == Frame("+Z", ours)


@pytest.mark.parametrize("suffix", ["ply", "obj", "stl"])
def test_our_files_say_their_frame_and_others_get_it_from_the_person(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cube.{suffix}"
    frame = Frame("-Y", "cm", "RAS")
    mesh = TriangleMesh(unit_cube().vertices, unit_cube().faces, frame=frame)
    mesh_format.write(path, [("cube", mesh)], ExportOptions(frame="project"))
    reading = mesh_format.read(path)
    assert reading.data.frame == frame and not reading.notes
    path.write_bytes(path.read_bytes().replace(b"isokiln", b"someone").replace(b"SPACE", b"SPICE"))
    silent = mesh_format.read(path)
    assert silent.data.frame == Frame()
    assert {note.sentence for note in silent.notes} == {
        "The file does not say its unit.",
        "The file does not say which way is up; +Z is taken.",
    }
    said = mesh_format.read(path, ReadOptions(unit="mm", up="+Y", patient_axes="LPS"))
    assert said.data.frame == Frame("+Y", "mm", "LPS") and not said.notes


def test_a_file_in_other_patient_axes_than_asked_for_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "cube.ply"
    mesh = TriangleMesh(unit_cube().vertices, unit_cube().faces, frame=Frame("+Z", "mm", "RAS"))
    mesh_format.write(path, [("cube", mesh)])
    turned = mesh_format.read(path, ReadOptions(patient_axes="LPS")).data
    assert turned.frame.patient_axes == "LPS"
    assert turned.bounds.tolist() == [[-1, -1, 0], [0, 0, 1]]
    assert turned.volume == pytest.approx(1)


def test_a_mesh_far_from_the_origin_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "far.obj"
    path.write_text("v 500000 4000000 0\nv 500001 4000000 0\nv 500000 4000001 0\nf 1 2 3\n")
    notes = mesh_format.read(path).notes
    assert any(note.severity == "warning" and "far from the origin" in note.sentence for note in notes)


# Hostile files

HOSTILE = {
    "cut.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 9\nproperty float x\n",
    "many.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 999999999999\nproperty float x\n"
    b"property float y\nproperty float z\nelement face 2\nproperty list uchar int vertex_indices\nend_header\n1234",
    "many_text.ply": b"ply\nformat ascii 1.0\nelement vertex 99999999999\nproperty float x\nproperty float y\n"
    b"property float z\nend_header\n0 0 0\n",
    "empty_rows.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 999999999999\nend_header\n",
    "list.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
    b"property float z\nelement face 1\nproperty list int int vertex_indices\nend_header\n"
    + struct.pack("<3fi", 0, 0, 0, -5),
    "long_list.ply": b"ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
    b"property float z\nelement face 1\nproperty list uint int vertex_indices\nend_header\n"
    + struct.pack("<3fI", 0, 0, 0, 2**32 - 1),
    "no_points.ply": b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
    b"property float z\nend_header\nnan 0 0\n",
    "splats.ply": b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n"
    b"property float z\nproperty float f_dc_0\nend_header\n0 0 0 1\n",
    "nan.ply": b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    b"element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n0 nan 0\n1 1 1\n3 0 1 2\n",
    "range.ply": b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    b"element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n0 1 0\n1 1 1\n3 0 1 3\n",
    "words.obj": b"v 0 0 zero\nv 1 0 0\nv 0 1 0\nf 1 2 3\n",
    "range.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n",
    "zero.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n",
    "back.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf -1 -2 -4\n",
    "huge.obj": b"v 0 0 0\nv 1 0 0\nv 0 1e300 0\nf 1 2 3\n",
    "index.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99999999999999999999999\n",
    "no_faces.obj": b"v 0 0 0\n",
    "binary.obj": b"v \0\1\2",
    "cut.stl": b"x" * 80 + struct.pack("<I", 2) + b"\0" * 60,
    "many.stl": b"x" * 80 + struct.pack("<I", 2**32 - 1) + b"\0" * 50,
    "none.stl": b"x" * 80 + struct.pack("<I", 0),
    "short.stl": b"solid",
    "text.stl": b"solid a\nfacet normal 0 0 0\nouter loop\nvertex 0 0 0\nvertex 1 0 0\n",
    "words.stl": b"solid a\nfacet normal 0 0 0\nouter loop\nvertex 0 0 a\nvertex 1 0 0\nvertex 1 1 0\nendsolid",
    "nan.stl": b"x" * 80 + struct.pack("<I12fH", 1, *[0.0] * 3, *[float("nan")] * 9, 0),
    "cut.glb": struct.pack("<4sIIII", b"glTF", 2, 999, 900, 0x4E4F534A) + b"{}",
    "short.glb": b"glTF",
    "garbage.glb": struct.pack("<4sIIII", b"glTF", 2, 24, 4, 0x4E4F534A) + b"\xff\xfe{}",
    "text.gltf": b"not json",
    "garbage.3mf": b"PK\x03\x04 and then nothing",
    "plain.3mf": b"no archive",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(5)
def test_a_hostile_file_gives_one_sentence_and_an_advice_at_once_and_takes_no_memory(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(HOSTILE[name])
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(FormatError) as caught:
        recon.formats.read(path)
    seconds, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 1 and peak < 2**24
    assert caught.value.sentence.startswith(name) and caught.value.advice


def glb(document: dict[str, Any], binary: bytes = b"") -> bytes:
    text = json.dumps({"asset": {"version": "2.0"}, **document}).encode()
    text = text.ljust(-(-len(text) // 4) * 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text
    if binary:
        body += struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


BAD_SCENES: dict[str, dict[str, Any]] = {
    "more numbers than bytes": {
        "accessors": [{"count": 10**12, "componentType": 5126, "type": "VEC3"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
    },
    "a node in itself": {"nodes": [{"children": [1]}, {"children": [0]}], "scenes": [{"nodes": [0]}]},
    "two parents": {"nodes": [{"children": [2]}, {"children": [2]}, {}], "scenes": [{"nodes": [0, 1]}]},
    "nothing": {},
    "wrong types": {"nodes": 3, "meshes": "many", "accessors": [1]},
    "missing mesh": {"nodes": [{"mesh": 7}], "scenes": [{"nodes": [0]}]},
    "a buffer larger than the file": {"buffers": [{"byteLength": 10**15}]},
}


@pytest.mark.parametrize("name", BAD_SCENES)
@pytest.mark.timeout(5)
def test_a_glb_scene_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "scene.glb"
    path.write_bytes(glb(BAD_SCENES[name]))
    with pytest.raises(FormatError):
        recon.formats.read(path)


def test_a_3mf_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.3mf"
    mesh_format.write(path, [("cube", unit_cube())])
    monkeypatch.setattr("recon.formats.threemf._LARGEST_MODEL", 1000)
    with pytest.raises(FormatError, match="unpacked"):
        recon.formats.read(path)


def test_a_3mf_model_with_entities_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "laughs.3mf"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("3D/3dmodel.model", '<!DOCTYPE a [<!ENTITY b "c">]><model unit="meter">&b;</model>')
    with pytest.raises(FormatError, match="entities"):
        recon.formats.read(path)


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    mesh = colored(mesh_of(SPHERE, 12))
    for suffix in SUFFIXES:
        mesh_format.write(folder / f"s.{suffix}", [("s", mesh)])
    return {suffix: (folder / f"s.{suffix}").read_bytes() for suffix in SUFFIXES}


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.data())
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_damaged_files_are_read_or_refused_but_never_crash(
    suffix: str, data: st.DataObject, whole_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = bytearray(whole_files[suffix])
    if data.draw(st.booleans(), label="cut"):
        del whole[data.draw(st.integers(0, len(whole) - 1), label="at") :]
    near_start = st.integers(0, min(400, max(0, len(whole) - 1)))
    anywhere = st.integers(0, max(0, len(whole) - 1))
    for place in data.draw(st.lists(near_start | anywhere, max_size=8), label="places"):
        if whole:
            whole[place] = data.draw(st.integers(0, 255), label="byte")
    path = tmp_path_factory.getbasetemp() / f"damaged.{suffix}"
    path.write_bytes(whole)
    try:
        mesh = mesh_format.read(path).data
    except FormatError as error:
        assert error.sentence and error.advice
    else:
        assert isinstance(mesh, TriangleMesh) and len(mesh.faces)


@given(data=st.binary(max_size=400), suffix=st.sampled_from([*SUFFIXES, "gltf"]))
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_garbage_is_refused(data: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / f"garbage.{suffix}"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        mesh_format.read(path)
