"""The panel of splats in a real window: histograms (T61), previews, and each tool as one undo step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QTabWidget

from app.workflows import SPLATS
from recon.gaussian_values import base_colors
from tests.app.splat_grid import SIDE, block, chosen, digest, grid, open_splats, select_block, settle
from tests.app.windows import begin_anew, press
from tests.widgets.viewports import move


@pytest.fixture
def window(one_window):
    begin_anew(one_window)
    return one_window


def ramp():
    """The grid with opacities that rise from row to row."""
    cloud = grid()
    share = 0.05 + 0.09 * cloud.means[:, 2]
    return replace(cloud, opacity_logits=np.log(share / (1 - share)).astype(np.float32))


def trial(window):
    """Data and marks that are drawn of the first layer of splats now."""
    from app.layer_trials import drawn_of

    return drawn_of(window.splats.layers[0], window.scene._trials)


def click(window, name: str) -> None:
    button = window.splat_panel.findChild(QPushButton, name)
    assert button.isVisible() and button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def previewed(qtbot, window, tool: str) -> None:
    """Wait until the preview of a tool is in the picture."""
    qtbot.waitUntil(lambda: bool(window.scene._trials), timeout=10_000)
    settle(qtbot, window)
    assert window.splat_panel.tool == tool


def test_a_range_dragged_over_the_histogram_lights_up_and_is_selected(qtbot, window):  # T61
    open_splats(qtbot, window, ramp())
    window.actions_by_id["select_values"].trigger()
    settle(qtbot, window)
    panel = window.splat_panel.histogram
    assert panel.value == "opacity" and panel.plot.limits == pytest.approx((0.05, 0.95), abs=0.01)
    plot = panel.plot
    y = plot.height() // 2

    def at(value: float) -> QPoint:
        return QPoint(round(plot.pixel_of(value)), y)

    QTest.mousePress(plot, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(0.30))
    move(plot, at(0.65), Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    rows = [k for k in range(SIDE) if 0.30 < 0.05 + 0.09 * k < 0.65]
    assert np.count_nonzero(trial(window)[1].selected) == SIDE * len(rows)
    assert chosen(window) == set(), "nothing is changed yet"
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(0.65))
    settle(qtbot, window)
    click(window, "histogram_set")
    settle(qtbot, window)
    assert chosen(window) == block(range(SIDE), rows)
    assert window.project.undo_stack.undoText() == f"Select {SIDE * len(rows)} Gaussians"
    panel.low.setFocus()
    panel.low.selectAll()
    QTest.keyClicks(panel.low, "0.9")
    panel.high.selectAll()
    QTest.keyClicks(panel.high, "1")
    settle(qtbot, window)
    click(window, "histogram_add")
    settle(qtbot, window)
    assert chosen(window) == block(range(SIDE), [*rows, 10])
    assert int(plot._selected.sum()) == SIDE * (len(rows) + 1), "the histogram tells what is selected"
    panel.show_value("x")
    settle(qtbot, window)
    assert plot.range is None and plot.limits == pytest.approx((0, 10))
    press(window, "Ctrl+Z")
    assert chosen(window) == block(range(SIDE), rows)


def test_floaters_are_counted_and_shown_before_they_go(qtbot, window):
    cloud = grid()
    means = cloud.means.copy()
    means[0] = [-40, 0, -40]
    sizes = cloud.log_scales.copy()
    sizes[7] = 3.0
    opacities = cloud.opacity_logits.copy()
    opacities[60] = -6
    open_splats(qtbot, window, replace(cloud, means=means, log_scales=sizes, opacity_logits=opacities))
    before = digest(window)
    window.actions_by_id["splat_floaters"].trigger()
    previewed(qtbot, window, "floaters")
    lit = np.flatnonzero(trial(window)[1].selected).tolist()
    assert lit == [0, 7, 60] and digest(window) == before
    note = window.splat_panel._tools["floaters"]._note.text()
    assert note == f"Delete 3 Gaussians of {SIDE**2}."
    click(window, "cancel_floaters")
    assert not window.scene._trials and digest(window) == before
    window.splat_panel.open_tool("floaters")
    previewed(qtbot, window, "floaters")
    click(window, "apply_floaters")
    settle(qtbot, window)
    assert np.flatnonzero(window.splats.layers[0].marks.deleted).tolist() == [0, 7, 60]
    assert window.project.undo_stack.undoText() == "Delete 3 Gaussians"
    press(window, "Ctrl+Z")
    assert digest(window) == before


def test_cropping_follows_the_box_in_the_picture_and_the_numbers(qtbot, window):
    open_splats(qtbot, window, grid())
    window.actions_by_id["splat_crop"].trigger()
    previewed(qtbot, window, "crop")
    tools = window.splat_tools
    assert tools.tool == "box" and not tools.options.findChild(QPushButton, "volume_set").isVisible()
    assert window.splat_panel.parameters()["center"] == pytest.approx((5, 0, 5), abs=0.01)
    tools.box.box = np.array([[2.6, 0, 0, 5], [0, 1, 0, 0], [0, 0, 1.6, 5], [0, 0, 0, 1]], float)
    tools.box.changed.emit()
    assert window.splat_panel.parameters()["size"] == pytest.approx((5.2, 2, 3.2))
    qtbot.waitUntil(
        lambda: bool(window.scene._trials) and np.count_nonzero(trial(window)[1].selected) == SIDE**2 - 15,
        timeout=10_000,
    )
    window.splat_panel.set_values("crop", {"size": (5.2, 2.0, 5.2)})
    qtbot.waitUntil(lambda: tools.box.box[2, 2] == pytest.approx(2.6), timeout=10_000)
    click(window, "apply_crop")
    settle(qtbot, window)
    assert window.splats.num_left == 25 and tools.tool == "", "the box leaves with the tool"
    assert window.project.undo_stack.undoText() == f"Crop away {SIDE**2 - 25} Gaussians"


def test_colours_are_tried_and_changed_in_the_selection_only(qtbot, window):
    open_splats(qtbot, window, grid())
    select_block(qtbot, window)
    before = digest(window)
    window.actions_by_id["splat_recolor"].trigger()
    window.splat_panel.set_values(
        "recolor", {"tint": "#0000ff", "strength": 1.0, "opacity": 0.5, "size": 2.0}
    )
    previewed(qtbot, window, "recolor")
    data, marks = trial(window)
    selected = window.splats.layers[0].marks.selected
    assert base_colors(data)[selected] == pytest.approx(np.tile([0, 0, 1], (9, 1)), abs=1e-5)
    assert not marks.selected.any(), "the tint of the selection would hide the new colour"
    assert digest(window) == before
    click(window, "apply_recolor")
    settle(qtbot, window)
    cloud, plain = window.splats.layers[0].data, grid()
    assert np.array_equal(cloud.sh[~selected], plain.sh[~selected]) and cloud.means is not None
    assert base_colors(cloud)[selected] == pytest.approx(np.tile([0, 0, 1], (9, 1)), abs=1e-5)
    assert cloud.opacities[selected] == pytest.approx(0.5 * plain.opacities[selected], rel=1e-4)
    assert cloud.scales[selected] == pytest.approx(2 * plain.scales[selected], rel=1e-4)
    assert window.splat_panel.tool == "" and not window.scene._trials
    press(window, "Ctrl+Z")
    assert digest(window) == before


def test_numbers_move_the_selection_about_its_middle(qtbot, window):
    open_splats(qtbot, window, grid())
    select_block(qtbot, window)
    window.actions_by_id["splat_transform"].trigger()
    values = {"move": (0.0, 3.0, 0.0), "rotate": (0.0, 0.0, 90.0), "scale": 2.0}
    window.splat_panel.set_values("transform", values)
    previewed(qtbot, window, "transform")
    click(window, "apply_transform")
    settle(qtbot, window)
    selected = window.splats.layers[0].marks.selected
    away = grid().means[selected] - [5, 0, 5]
    expected = 2 * np.stack([-away[:, 1], away[:, 0], away[:, 2]], 1) + [5, 3, 5]
    assert np.allclose(window.splats.layers[0].data.means[selected], expected, atol=1e-4)


def test_fewer_splats_and_less_colour_detail(qtbot, window):
    cloud = replace(grid(), sh=np.tile(grid().sh, (1, 4, 1)))
    open_splats(qtbot, window, cloud)
    window.actions_by_id["splat_degree"].trigger()
    previewed(qtbot, window, "degree")
    click(window, "apply_degree")
    settle(qtbot, window)
    assert window.splats.layers[0].data.sh_degree == 0
    select_block(qtbot, window)
    press(window, "Delete")
    settle(qtbot, window)
    window.actions_by_id["splat_decimate"].trigger()
    window.splat_panel.set_values("decimate", {"target": 40})
    previewed(qtbot, window, "decimate")
    click(window, "apply_decimate")
    settle(qtbot, window)
    layer = window.splats.layers[0]
    assert len(layer.data) == 40 and layer.marks is None
    press(window, "Ctrl+Z")
    assert len(window.splats.layers[0].data) == SIDE**2 and window.splats.num_left == SIDE**2 - 9


def test_another_layer_or_an_edit_ends_a_preview(qtbot, window):
    first, second = open_splats(qtbot, window, grid(), grid(2.0))
    window.scene.select([first.id])
    window.actions_by_id["splat_floaters"].trigger()
    window.splat_panel.set_values("floaters", {"min_opacity": 1.0})
    previewed(qtbot, window, "floaters")
    window.scene.select([second.id])
    assert window.splat_panel.tool == "" and not window.scene._trials
    tabs: QTabWidget = window.task_tabs
    assert tabs.tabText(tabs.currentIndex()) == "Splats"


def test_the_workflow_of_splats_has_steps_that_lead_on(qtbot, window):
    window.workflows.choose(SPLATS)
    window.show_project()
    assert [step.title for step in window.stepper.steps] == ["Open", "Clean", "Edit", "Export"]
    assert [step.state for step in window.stepper.steps] == ["todo"] * 4
    assert not window.docks["dock_bottom"].isVisible() and not window.slice_view.isVisible()
    open_splats(qtbot, window, grid())
    assert window.stepper.steps[0].state == "ok" and window.stepper.steps[1].is_current
    window.steps.go_to("clean")
    assert window.splat_panel.tool == "floaters"
    window.steps.go_to("edit")
    assert window.splat_tools.tool == "rectangle"
