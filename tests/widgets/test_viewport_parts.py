"""The viewport's parts that need no window: normals, polygons, proxies, grid spacing, texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from tests.widgets.viewports import cube, opened, square_sections
from widgets import viewport_polydata as polydata
from widgets.theme import DARK
from widgets.viewport_camera import CameraPose
from widgets.viewport_grid import nice_length
from widgets.viewport_normals import shade
from widgets.viewport_overlays import grouped, plain_number, unit_label
from widgets.viewport_planes import plane_in_box, plane_polygons
from widgets.viewport_proxy import LARGE, Proxies, coarsen
from widgets.viewport_scene import ViewportScene
from widgets.viewport_style import LayerStyle


def sphere(num_rings: int, num_sides: int) -> TriangleMesh:
    """A unit sphere of 2 num_sides (num_rings - 1) triangles with single poles."""
    angle = np.linspace(0, np.pi, num_rings + 1)[1:-1]
    around = np.linspace(0, 2 * np.pi, num_sides, endpoint=False)
    a, b = np.meshgrid(angle, around, indexing="ij")
    rings = np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)], axis=-1).reshape(-1, 3)
    vertices = np.concatenate([rings, [[0, 0, 1], [0, 0, -1]]])
    row, side = np.meshgrid(np.arange(num_rings - 2), np.arange(num_sides), indexing="ij")
    here, after = row * num_sides + side, row * num_sides + (side + 1) % num_sides
    quads = np.stack([here, here + num_sides, after + num_sides, after], axis=-1).reshape(-1, 4)
    top, bottom, last = len(rings), len(rings) + 1, (num_rings - 2) * num_sides
    side = np.arange(num_sides)
    caps = [
        np.stack([np.full(num_sides, top), side, (side + 1) % num_sides], axis=1),
        np.stack([np.full(num_sides, bottom), last + (side + 1) % num_sides, last + side], axis=1),
    ]
    return TriangleMesh(vertices, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], *caps]))


def test_a_sphere_keeps_its_vertices_and_its_normals_point_from_the_centre() -> None:
    mesh = sphere(40, 60)
    shaded = shade(mesh)
    assert (shaded.source == np.arange(len(mesh.vertices))).all()
    assert np.einsum("ij,ij->i", shaded.normals, mesh.vertices).min() > 0.999


def test_a_cube_gets_three_normals_at_each_corner_and_flat_sides() -> None:
    mesh = cube()
    shaded = shade(mesh)
    corners = shaded.normals[shaded.faces]
    expected = mesh.face_cross_products / np.linalg.norm(mesh.face_cross_products, axis=1, keepdims=True)
    assert corners == pytest.approx(np.repeat(expected[:, None], 3, axis=1), abs=1e-6)
    assert (mesh.vertices[shaded.source[shaded.faces]] == mesh.vertices[mesh.faces]).all()
    assert len(np.unique(shaded.faces)) == 24


def test_triangles_without_area_and_lone_vertices_do_no_harm() -> None:
    mesh = TriangleMesh(
        np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [9, 9, 9]]), np.array([[0, 1, 2], [0, 0, 1], [1, 1, 1]])
    )
    shaded = shade(mesh)
    assert np.isfinite(shaded.normals).all()
    assert shaded.normals[shaded.faces[0]] == pytest.approx(np.tile([0, 0, 1], (3, 1)))


def test_outlines_close_and_empty_polygons_are_left_empty() -> None:
    points = np.arange(21.0).reshape(7, 3)
    data = polydata.polygons(points, [0, 3, 3, 7], filled=False)
    ids = [
        [data.GetCell(i).GetPointId(k) for k in range(data.GetCell(i).GetNumberOfPoints())] for i in range(3)
    ]
    assert ids == [[0, 1, 2, 0], [], [3, 4, 5, 6, 3]]
    assert polydata.polygons(points, [0, 3, 7], filled=True).GetNumberOfPolys() == 2
    assert polydata.polygons(np.zeros((0, 3)), [0], filled=False).GetNumberOfCells() == 0


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1), st.floats(-1.9, 1.9))
def test_a_plane_in_a_box_is_a_convex_polygon_on_the_plane_and_in_the_box(
    direction: tuple[float, float, float], offset: float
) -> None:
    normal = np.array(direction) / np.linalg.norm(direction)
    polygon = plane_in_box(normal, offset, np.full(3, -1.0), np.full(3, 1.0))
    if not len(polygon):
        assert abs(offset) > 1 - 1e-9  # the nearest side is one away from the middle
        return
    assert polygon @ normal == pytest.approx(offset, abs=1e-9)
    assert np.abs(polygon).max() <= 1 + 1e-9
    sides = np.roll(polygon, -1, axis=0) - polygon
    turns = np.cross(sides, np.roll(sides, -1, axis=0)) @ normal
    assert (turns > -1e-9).all()
    assert 3 <= len(polygon) <= 6 + 3  # corners that touch an edge may be there twice


def test_a_coarse_mesh_is_much_smaller_and_lies_on_the_fine_one() -> None:
    mesh = sphere(300, 600)
    coarse = coarsen(mesh, 40)
    assert len(coarse.faces) < len(mesh.faces) / 20
    assert np.abs(np.linalg.norm(coarse.vertices, axis=1) - 1).max() < 0.02
    volume = TriangleMesh(coarse.vertices, coarse.faces).volume
    assert volume == pytest.approx(4 / 3 * np.pi, rel=0.02)
    apart = np.linalg.norm(mesh.vertices[coarse.source] - coarse.vertices, axis=1)
    assert apart.max() < 3**0.5 * 2 / 40


def test_only_large_meshes_get_a_proxy_and_only_for_themselves() -> None:
    large, small = sphere(300, 600), cube()
    assert len(large.faces) > LARGE
    proxies = Proxies()
    proxies.want("small", small)
    assert proxies.ready("small", small) is None
    proxies.want("large", large)
    proxies._made["large"][1].result(timeout=30)
    coarse = proxies.ready("large", large)
    assert coarse is not None and 1000 < len(coarse.faces) < LARGE / 2
    proxies.want("large", large)
    assert proxies.ready("large", large) is coarse
    assert proxies.ready("large", small) is None
    proxies.release()


def test_a_slow_picture_of_a_large_mesh_is_made_coarse_while_the_camera_moves(qtbot: QtBot) -> None:
    viewport = opened(qtbot, 160, 120)
    mesh = sphere(300, 600)
    viewport.show_layer("large", mesh)
    viewport.frame_all()
    layer = viewport._scene.layers["large"]
    full = layer.actors[0].GetMapper().GetInput()
    detail, motion = viewport._detail, viewport._motion
    detail._proxies._made["large"][1].result(timeout=30)
    viewport.screenshot()
    detail.note(0.5)  # as if it had taken half a second
    motion.navigation.orbit(10, 0)
    with qtbot.waitSignal(viewport._canvas.rendered):
        viewport._changed()
    assert detail.is_cheap
    coarse = layer.actors[0].GetMapper().GetInput()
    assert coarse.GetNumberOfPolys() < full.GetNumberOfPolys() / 4
    qtbot.waitUntil(lambda: layer.actors[0].GetMapper().GetInput() is full)
    assert not detail.is_cheap


@given(st.floats(1e-6, 1e6))
def test_a_nice_length_is_one_two_or_five_and_the_next_one_up(length: float) -> None:
    nice = nice_length(length)
    mantissa = nice / 10 ** np.floor(np.log10(nice) + 1e-9)
    assert any(mantissa == pytest.approx(m) for m in (1, 2, 5))
    assert length * (1 - 1e-6) <= nice <= length * 2.5 * (1 + 1e-6)


def test_numbers_and_units_are_written_as_people_do() -> None:
    assert grouped(1234567) == "1\u202f234\u202f567"
    assert [plain_number(x) for x in (0.5, 12.5, 1000.0, -0.02, 0.0, 1 / 3)] == [
        "0.5", "12.5", "1000", "−0.02", "0", "0.3333",
    ]  # fmt: skip
    assert plain_number(1.23456e-7) == "1.23e−07"
    assert [unit_label("mm"), unit_label("um"), unit_label("unit", 1), unit_label("unit", 2)] == [
        "mm", "µm", "unit", "units",
    ]  # fmt: skip


def test_counts_say_what_is_shown_and_forget_what_is_hidden(qtbot: QtBot) -> None:
    viewport = opened(qtbot)
    counts = viewport._furniture.counts
    assert counts.lines == ()
    viewport.show_layer("slices", square_sections(3))
    viewport.show_layer("mesh", cube())
    assert counts.lines == ("3 planes, 36 contour points", "12 triangles, 8 vertices")
    viewport.set_layer_visible("slices", False)
    assert counts.lines == ("12 triangles, 8 vertices",)


def test_the_banner_is_there_only_while_it_says_something(qtbot: QtBot) -> None:
    viewport = opened(qtbot)
    banner = viewport._furniture.banner
    viewport.set_banner("Preview, step 3\u202f000")
    assert banner.isVisible() and banner.accessibleName() == "Preview, step 3\u202f000"
    assert abs(banner.geometry().center().x() - viewport.rect().center().x()) <= 1
    viewport.set_banner("")
    assert not banner.isVisible()


def test_planes_that_never_meet_a_contour_still_have_a_place() -> None:
    class Nothing:
        """Takes what a scene asks of a renderer."""

        def __getattr__(self, name: str) -> object:
            return lambda *args: None

    scene = ViewportScene(Nothing(), DARK, 1.0)
    empty = CrossSections.from_planes([([0, 0, 1], 3.0, []), ([0, 0, 1], 5.0, [])])
    scene.show("empty", empty, LayerStyle())
    box = scene.bounds()
    assert box is not None and box[0][2] <= 3 and box[1][2] >= 5


def test_a_pose_is_a_plain_value() -> None:
    assert CameraPose((1, 2, 3)) == CameraPose((1.0, 2.0, 3.0))
    assert hash(CameraPose()) == hash(CameraPose())


@pytest.mark.parametrize(("width", "height"), [(480, 400), (1200, 700)])
def test_overlays_keep_out_of_each_others_way(qtbot: QtBot, width: int, height: int) -> None:
    viewport = opened(qtbot, width, height)
    mesh = cube()
    values = {"height": mesh.vertices[:, 2]}
    viewport.show_layer(
        "mesh", TriangleMesh(mesh.vertices, mesh.faces, None, values), LayerStyle(shading="values")
    )
    viewport.set_banner("Preview, step 3\u202f000")
    viewport.begin_clipping()
    parts = viewport._furniture
    shown = [parts.cube, parts.legend, parts.counts, parts.banner, viewport.tools.panel]
    for index, one in enumerate(shown):
        assert one.isVisible() and viewport.rect().contains(one.geometry())
        for other in shown[:index]:
            assert not one.geometry().intersects(other.geometry()), (one.objectName(), other.objectName())


def test_the_legend_writes_what_is_next_to_nothing_as_zero(qtbot: QtBot) -> None:
    viewport = opened(qtbot)
    legend = viewport._furniture.legend
    legend.set("uncertainty", "mm", "viridis", (2.3e-06, 0.031))
    assert legend.ticks == ("0.031", "0.0155", "0")
    legend.set("distance", "", "diverging", (-1200.0, 1200.0))
    assert legend.ticks == ("1200", "0", "−1200")


def test_parallel_planes_have_one_frame_and_others_have_their_own() -> None:
    stack = plane_polygons(square_sections(3))
    assert all(len(polygon) == 4 for polygon in stack)
    assert stack[2] - stack[0] == pytest.approx(np.tile([0, 0, 2.0], (4, 1)))
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0.0]])
    small = square[:, [2, 0, 1]] * 0.2
    mixed = CrossSections.from_planes([([0, 0, 1], 0.0, [(square, 1)]), ([1, 0, 0], 0.0, [(small, 1)])])
    large_polygon, small_polygon = plane_polygons(mixed)
    assert np.ptp(large_polygon, axis=0).max() > 2 > np.ptp(small_polygon, axis=0).max()
    for polygon, normal in ((large_polygon, [0, 0, 1]), (small_polygon, [1, 0, 0])):
        assert polygon @ normal == pytest.approx(0)
        assert np.cross(polygon[1] - polygon[0], polygon[2] - polygon[1]) @ normal > 0


def test_opposite_normals_still_make_one_stack() -> None:
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0.0]])
    flipped = CrossSections.from_planes(
        [([0, 0, 1], 0.0, [(square, 1)]), ([0, 0, -1], -1.0, [(square * 0.5 + [0, 0, 1], 1)])]
    )
    first, second = plane_polygons(flipped)
    assert second - first == pytest.approx(np.tile([0, 0, 1.0], (4, 1)))
