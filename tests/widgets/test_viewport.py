"""What the 3D view draws, by its pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from render.cross_sections import CrossSections
from render.mesh import TriangleMesh
from tests.widgets.viewports import (
    canvas_of,
    color_at,
    counted_renders,
    cube,
    opened,
    pixel_of,
    square_sections,
)
from widgets.colour_maps import label_color, map_colors, rgb
from widgets.theme import apply_theme
from widgets.viewport import Viewport
from widgets.viewport_camera import CameraPose, ViewName
from widgets.viewport_style import SHADINGS, LayerStyle

RED = LayerStyle(color="#ff0000")
FACE_COLORS: dict[ViewName, tuple[int, int, int]] = {
    "front": (128, 0, 128), "back": (128, 255, 128), "right": (255, 128, 128),
    "left": (0, 128, 128), "top": (128, 128, 255), "bottom": (128, 128, 0),
}  # fmt: skip


@pytest.fixture
def viewport(qtbot: QtBot) -> Viewport:
    """A real view of nothing, without the grid."""
    view = opened(qtbot)
    view.set_shown("grid", False)
    return view


def is_ground(color: np.ndarray) -> bool:
    """A grey of the background."""
    return bool(np.ptp(color) < 12)


def test_a_mesh_is_seen_where_it_is_and_nowhere_else(viewport: Viewport) -> None:
    viewport.show_layer("near", cube(0.6, (1, 0, 0)), RED)
    viewport.camera = CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    red = color_at(viewport, (1, -0.3, 0))
    assert red[0] > 120 > 60 > red[1]
    assert is_ground(color_at(viewport, (-1, -0.3, 0)))
    assert is_ground(color_at(viewport, (0.5, -0.3, 0)))


def test_the_nearer_of_two_layers_hides_the_other(viewport: Viewport) -> None:
    viewport.show_layer("far", cube(1, (0, 3, 0)), LayerStyle(color="#0000ff"))
    viewport.show_layer("near", cube(0.5), RED)
    viewport.camera = CameraPose((0, -6, 0), (0, 0, 0), (0, 0, 1))
    assert color_at(viewport, (0, 0, 0))[0] > 120
    viewport.set_layer_visible("near", False)
    assert color_at(viewport, (0, 0, 0))[2] > 120
    viewport.set_layer_visible("near", True)
    viewport.remove_layer("far")
    assert color_at(viewport, (0, 0, 0))[0] > 120
    viewport.clear()
    assert is_ground(color_at(viewport, (0, 0, 0)))
    assert viewport.layer_ids == ()


@pytest.mark.parametrize("name", FACE_COLORS)
@pytest.mark.parametrize("parallel", [False, True], ids=["perspective", "orthographic"])
def test_each_of_the_six_views_sees_its_side_in_the_colour_of_its_normal(
    viewport: Viewport, name: ViewName, parallel: bool
) -> None:
    viewport.show_layer("cube", cube(), LayerStyle(shading="normals"))
    viewport.set_orthographic(parallel)
    viewport.set_view(name)
    viewport.frame_all()
    assert np.abs(color_at(viewport, (0, 0, 0)) - FACE_COLORS[name]).max() <= 2


def test_orthographic_projection_shows_near_and_far_at_one_size(viewport: Viewport) -> None:
    viewport.show_layer(
        "box", TriangleMesh(cube().vertices * [1, 4, 1], cube().faces), LayerStyle(shading="normals")
    )
    viewport.camera = CameraPose((0, -9, 0), (0, 0, 0), (0, 0, 1))
    widths = {}
    for parallel in (False, True):
        viewport.set_orthographic(parallel)
        row = viewport.screenshot()[120].astype(int)
        widths[parallel] = int((np.abs(row - FACE_COLORS["front"]).max(1) < 4).sum())
    width, per_pixel = viewport.width(), viewport.camera.units_per_pixel((320, 240))
    assert width == 320
    assert widths[True] == pytest.approx(1 / per_pixel, abs=1.5)
    assert widths[False] > widths[True] * 1.2  # the near side stands in front of the focal point


def test_the_edges_of_a_cube_stay_sharp_and_a_sphere_is_smooth(viewport: Viewport) -> None:
    viewport.show_layer("cube", cube(), LayerStyle(shading="normals"))
    viewport.set_view("front")
    viewport.frame_all()
    picture = viewport.screenshot().astype(int)
    at = pixel_of(viewport, (0.48, -0.5, 0.48))
    assert np.abs(picture[at.y(), at.x()] - FACE_COLORS["front"]).max() <= 2


def test_every_shading_makes_a_picture_of_its_own(viewport: Viewport) -> None:
    mesh = cube()
    mesh = TriangleMesh(mesh.vertices, mesh.faces, vertex_values={"height": mesh.vertices[:, 2]})
    viewport.show_layer("cube", mesh)
    viewport.frame_all()
    pictures = []
    for shading in SHADINGS:
        viewport.set_shading(shading)
        pictures.append(viewport.screenshot().astype(int))
    for index, one in enumerate(pictures):
        assert all(np.abs(one - other).max() > 30 for other in pictures[:index]), SHADINGS[index]


def test_values_are_drawn_in_the_colours_of_their_map_with_a_legend(viewport: Viewport) -> None:
    mesh = cube()
    values = np.where(mesh.vertices[:, 2] > 0, 0.004, -0.004).astype(np.float32)
    mesh = TriangleMesh(mesh.vertices, mesh.faces, vertex_values={"distance_to_reference": values})
    style = LayerStyle(shading="values", color_map="diverging", value_range=(-0.004, 0.004), value_unit="mm")
    viewport.show_layer("mesh", mesh, style)
    viewport.set_view("front")
    viewport.frame_all()
    picture = viewport.screenshot().astype(float)
    top, bottom = (pixel_of(viewport, (0, -0.5, z)) for z in (0.49, -0.49))
    for at, value in ((top, 0.004), (bottom, -0.004)):
        seen, wanted = (
            picture[at.y(), at.x()],
            map_colors([value], "diverging", (-0.004, 0.004))[0].astype(float),
        )
        assert np.dot(seen, wanted) / np.linalg.norm(seen) / np.linalg.norm(wanted) > 0.99
    legend = viewport._furniture.legend
    assert legend.isVisible()
    assert legend.heading() == "Distance to reference, mm"
    assert legend.ticks == ("0.004", "0", "−0.004")
    viewport.set_shading("shaded")
    assert not legend.isVisible()


def test_a_mesh_of_many_colours_shows_its_own(viewport: Viewport) -> None:
    mesh = cube()
    colors = np.tile(np.array([[0, 0, 255]], np.uint8), (8, 1))
    viewport.show_layer("mesh", TriangleMesh(mesh.vertices, mesh.faces, colors))
    viewport.frame_all()
    blue = color_at(viewport, (0, -0.5, 0))
    assert blue[2] > 2 * blue[0] and blue[2] > 2 * blue[1]


def test_contours_have_their_labels_colours_and_disabled_planes_step_back(viewport: Viewport) -> None:
    sections = square_sections(1)
    plain = LayerStyle(plane_opacity=0, line_width=5)
    viewport.show_layer("slices", sections, plain)
    viewport.set_view("top")
    viewport.frame_all()
    for point, label in (((0.5, 0, 0), 1), ((0, -0.3, 0), 1), ((0.15, 0, 0), 2)):
        wanted = np.array(rgb(label_color(label))) * 255
        assert np.abs(color_at(viewport, point) - wanted).max() < 6
    assert is_ground(color_at(viewport, (0.4, 0, 0)))
    bright = color_at(viewport, (0.5, 0, 0))
    viewport.show_layer("slices", replace(sections, disabled_planes=np.array([True])), plain)
    dimmed = color_at(viewport, (0.5, 0, 0))
    assert dimmed.sum() < 0.7 * bright.sum()
    viewport.show_layer("slices", sections, replace(plain, label_colors=((1, "#ff00ff"),)))
    assert np.abs(color_at(viewport, (0.5, 0, 0)) - [255, 0, 255]).max() < 6


def test_planes_are_veils_and_the_active_one_has_the_accent(viewport: Viewport) -> None:
    sections = square_sections(3)
    viewport.show_layer("slices", sections, LayerStyle(plane_opacity=0))
    viewport.camera = CameraPose((0, -0.2, 9), (0, 0, 1), (0, 0, 1))
    bare = color_at(viewport, (0.4, 0, 2))
    viewport.show_layer("slices", sections, LayerStyle(plane_opacity=0.2))
    veiled = color_at(viewport, (0.4, 0, 2))
    assert (veiled > bare + 20).all() and is_ground(veiled)
    viewport.show_layer("slices", sections, LayerStyle(plane_opacity=0.2, active_plane=2))
    active = color_at(viewport, (0.4, 0, 2))
    assert active[0] > active[2] + 20  # orange


def test_contours_on_a_surface_are_drawn_over_it_and_those_behind_it_are_hidden(viewport: Viewport) -> None:
    viewport.show_layer("cube", cube(2, (0, 0, 1)), LayerStyle(color="#808080"))
    square = square_sections(3, side=2)
    viewport.show_layer("slices", square, LayerStyle(plane_opacity=0, line_width=4))
    viewport.set_view("front")
    viewport.frame_all()
    front = color_at(viewport, (0, -1, 1))
    assert front[2] > front[0] + 40
    hidden = color_at(viewport, (0, 0.6, 1.5))
    assert is_ground(hidden) or np.ptp(hidden) < 30


def test_an_empty_mesh_and_sections_without_contours_are_shown_as_nothing(viewport: Viewport) -> None:
    viewport.show_layer("mesh", TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), int)))
    viewport.show_layer("slices", CrossSections.from_planes([([0, 0, 1], 1.0, []), ([0, 0, 1], 2.0, [])]))
    viewport.show_layer("none", CrossSections.from_planes([]))
    viewport.frame_all()
    assert viewport.screenshot().shape == (240, 320, 3)
    for shading in SHADINGS:
        viewport.set_shading(shading)
        viewport.screenshot()


def test_a_preview_keeps_the_camera_and_does_not_touch_other_layers(viewport: Viewport, qtbot: QtBot) -> None:
    sections = square_sections(3)
    viewport.show_layer("slices", sections)
    viewport.show_layer("preview", cube(0.5))
    viewport.frame_all()
    pose, moved = viewport.camera, []
    viewport.camera_moved.connect(moved.append)
    uploaded = viewport._scene.layers["slices"].actors[0].GetMapper().GetInput()
    stamp = uploaded.GetMTime()
    for step in range(1, 5):
        viewport.show_layer("preview", cube(0.5 + step / 10), RED)
        viewport.show_layer("slices", sections)
    assert viewport.camera == pose and not moved
    assert viewport._scene.layers["slices"].actors[0].GetMapper().GetInput() is uploaded
    assert uploaded.GetMTime() == stamp
    red = color_at(viewport, (0.42, 0, 0.42))
    assert red[0] > red[1] + 60


def test_many_changes_make_one_picture_and_a_covered_window_makes_none(
    viewport: Viewport, qtbot: QtBot
) -> None:
    qtbot.wait(50)
    with counted_renders(viewport) as times:
        for step in range(10):
            viewport.show_layer("cube", cube(1 + step / 10))
        qtbot.waitUntil(lambda: len(times) > 0)
        qtbot.wait(60)
        assert len(times) == 1
        canvas_of(viewport).update()
        viewport._furniture.cube.update()
        qtbot.wait(60)
        assert len(times) == 1


def test_the_picture_follows_the_theme(viewport: Viewport, qapp: QApplication) -> None:
    dark = viewport.screenshot()[-1, 160].astype(int)
    apply_theme(qapp, "light")
    try:
        qapp.processEvents()
        light = viewport.screenshot()
        assert dark.max() < 60
        assert np.abs(light[-1, 160].astype(int) - [0xD9, 0xD6, 0xD1]).max() <= 3
        assert np.abs(light[0, 160].astype(int) - [0xF2, 0xF1, 0xEE]).max() <= 3
    finally:
        apply_theme(qapp, "dark")


def test_the_grid_lies_under_the_scene_and_fades(qtbot: QtBot) -> None:
    viewport = opened(qtbot)
    viewport.show_layer("cube", cube())
    viewport.frame_all()
    with_grid = viewport.screenshot().astype(int)
    viewport.set_shown("grid", False)
    without = viewport.screenshot().astype(int)
    difference = np.abs(with_grid - without).max(2)
    assert 3 < difference.max() < 40
    assert (difference > 2).mean() > 0.01
    assert np.abs(difference[pixel_of(viewport, (0, 0, 0.4)).y(), 160]) <= 1


def test_a_screenshot_can_be_larger_transparent_and_a_file(viewport: Viewport, tmp_path: Path) -> None:
    viewport.show_layer("cube", cube(), RED)
    viewport.frame_all()
    path = tmp_path / "cube.png"
    picture = viewport.screenshot(path, transparent=True, scale=2)
    assert picture.shape == (480, 640, 4)
    assert picture[0, 0, 3] == 0
    assert picture[240, 320, 3] == 255
    with Image.open(path) as saved:
        assert (np.asarray(saved) == picture).all()
    assert viewport.screenshot().shape == (240, 320, 3)


def test_seeing_through_a_mesh_shows_what_it_hides(viewport: Viewport) -> None:
    viewport.show_layer("inside", cube(0.3), RED)
    viewport.show_layer("outside", cube(1), LayerStyle(color="#ffffff"))
    viewport.set_view("front")
    viewport.frame_all()
    assert is_ground(color_at(viewport, (0, 0, 0)))
    viewport.show_layer("outside", cube(1), LayerStyle(color="#ffffff", opacity=0.35))
    through = color_at(viewport, (0, 0, 0))
    assert through[0] > through[1] + 25


def test_framing_one_layer_leaves_the_others_out(viewport: Viewport) -> None:
    viewport.show_layer("a", cube(1, (0, 0, 0)))
    viewport.show_layer("b", cube(1, (50, 0, 0)))
    viewport.frame(["b"])
    assert viewport.camera.focal == pytest.approx((50, 0, 0))
    near = viewport.camera.distance
    viewport.frame_all()
    assert viewport.camera.distance > 5 * near
    with pytest.raises(KeyError):
        viewport.frame(["nothing"])


def test_another_up_axis_turns_the_view_and_its_names(viewport: Viewport) -> None:
    viewport.set_up_axis("+Y")
    viewport.show_layer("cube", cube(), LayerStyle(shading="normals"))
    viewport.set_view("top")
    viewport.frame_all()
    assert np.abs(color_at(viewport, (0, 0, 0)) - FACE_COLORS["back"]).max() <= 2  # +Y


def test_unlit_colours_far_from_the_origin_are_drawn_without_trembling(viewport: Viewport) -> None:
    viewport.show_layer("cube", cube(1, (2000, -1500, 900)), LayerStyle(shading="normals"))
    viewport.set_view("right")
    viewport.frame_all()
    assert np.abs(color_at(viewport, (2000, -1500, 900)) - FACE_COLORS["right"]).max() <= 2
