"""What an edit changed, compared in a real window: before and after, versions, photos of an edited scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from app.layers import Origin, new_layer
from app.versions import pending_layer, with_pending
from recon.romap import BUILT_IN
from render.images import ImageSet, PosedImages
from render.view_field import ViewField
from tests.app.edited_balls import ask, begin, both, click, seen, without_wishes
from tests.app.windows import press
from tests.render.test_fields import make_cameras
from tests.widgets.viewports import canvas_of, drag


@pytest.fixture
def window(one_window):
    return without_wishes(one_window)


def test_before_and_after_are_compared_in_the_view_itself(qtbot, window):
    layer = begin(qtbot, window)
    ask(qtbot, window, "dark red and twice as big")
    before, after = both(window)
    QTest.keyClick(window, Qt.Key.Key_Backslash)
    compare = window.review.compare
    assert compare.mode == "split" and window.findChild(QToolButton, "review_mode_split").isChecked()
    size = before.shape[1]

    def parted(column: int) -> bool:
        picture = seen(window)
        return (
            np.abs(picture[:, : column - 2] - before[:, : column - 2]).max() <= 3
            and np.abs(picture[:, column + 2 :] - after[:, column + 2 :]).max() <= 3
        )

    assert parted(size // 2)
    assert window.viewport._furniture.counts.lines[0].startswith("400"), "each splat is counted once"
    canvas, height = canvas_of(window.viewport), window.viewport.height()
    pose = window.viewport.camera
    drag(canvas, QPoint(size // 2, height // 2), QPoint(size // 4, height // 2))
    assert window.viewport.camera == pose, "the line was dragged, not the view"
    assert parted(size // 4)
    QTest.keyPress(window, Qt.Key.Key_QuoteLeft)
    assert np.abs(seen(window) - before).max() <= 3, "held: what was before"
    QTest.keyRelease(window, Qt.Key.Key_QuoteLeft)
    assert parted(size // 4)
    QTest.keyClick(window, Qt.Key.Key_Backslash)
    assert np.abs(seen(window) - after).max() <= 3 and not window.project.is_visible(layer.id)


def test_the_difference_is_a_map_with_a_legend_and_figures(qtbot, window):
    begin(qtbot, window)
    ask(qtbot, window, "dark red")
    before, after = both(window)
    click(window, "review_mode_difference", QToolButton)
    compare = window.review.compare
    qtbot.waitUntil(lambda: compare.pictures.difference is not None, timeout=30_000)
    picture = compare.pictures.difference
    legend = window.findChild(QWidget, "compare_legend")
    assert legend.isVisible() and picture.unit == "%" and "Mean" in compare.pictures.note
    largest = picture.value_range[1]
    assert abs(largest - 100 * np.abs(before - after).max() / 255) < 6
    colored = np.ptp(picture.pixels.astype(int), axis=-1) > 20
    assert colored[:, : colored.shape[1] // 2].sum() > 100 and not colored[:, colored.shape[1] // 2 :].any()
    window.viewport.camera = replace(window.viewport.camera, position=(0.3, -9.0, 0.4))
    assert compare.pictures.difference is None, "a picture of another camera is not shown"
    qtbot.waitUntil(lambda: compare.pictures.difference is not None, timeout=30_000)


def test_versions_are_shown_branched_compared_and_deleted(qtbot, window):
    layer = begin(qtbot, window)
    first = ask(qtbot, window, "dark red")
    click(window, "review_accept")
    second = ask(qtbot, window, "gold")
    assert second.version_of == first.id, "the next edit begins at the accepted one"
    click(window, "review_accept")
    tree = window.edit_panel.versions
    assert [(row.name, row.made_from) for row in tree.rows] == [
        ("Balls", ""), ("Balls v2", layer.id), ("Balls v3", first.id),
    ]  # fmt: skip
    item = tree.tree.topLevelItem(0).child(0)
    QTest.mouseClick(
        tree.tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.tree.visualItemRect(item).center()
    )
    assert [row.name for row in window.layer_list.rows() if not row.parent] == ["Balls v2"]
    assert window.project.is_visible(first.id) and not window.project.is_visible(second.id)
    click(window, "version_branch")
    branch = ask(qtbot, window, "denim")
    assert branch.version_of == first.id
    click(window, "review_accept")
    assert [row.name for row in tree.rows] == ["Balls", "Balls v2", "Balls v3", "Balls v4"]
    tree.select([layer.id, second.id])
    click(window, "version_compare")
    assert window.review.is_of_versions and window.review.compare.mode == "split"
    assert "“Balls” and “Balls v3”" in window.review_bar._title.text()
    click(window, "review_close")
    assert not window.review_bar.isVisible() and window.review.compare.pair is None
    assert [window.project.is_visible(x.id) for x in (layer, first, second, branch)] == [
        False,
        False,
        False,
        True,
    ]
    tree.select([first.id])
    click(window, "version_delete")
    assert [x.name for x in window.project.layers] == ["Balls"] and window.project.is_visible(layer.id)
    press(window, "Ctrl+Z")
    assert len(window.project.layers) == 4


def test_an_edited_scene_of_photos_is_compared_with_the_photos(qtbot, window):
    cameras = make_cameras(2)
    grey = np.full((2, 24, 32, 3), 60, np.uint8)
    field = ViewField(
        ("0.png", "1.png"), cameras, np.full_like(grey, 200), grey, np.full((2, 24, 32), 4.0), np.ones(2),
        np.zeros((0, 0, 0, 12)), np.eye(4), np.zeros(0),
    )  # fmt: skip
    photos = new_layer("Room", PosedImages(ImageSet("/nowhere", ("0.png", "1.png")), cameras))
    figures = {
        "label": BUILT_IN,
        "change": 0.55,
        "warp_edited_alone": {"short": 0.04},
        "warp_edited_together": {"short": 0.01},
    }
    origin = Origin("dn2n", {"prompt": "brighter", "strength": 1.0}, figures=figures)
    window.project.edit("Import", [photos])
    window.show_project()
    window.project.edit(
        "Edit", with_pending(window.project.layers, pending_layer(photos, "brighter", field, origin, {}))
    )
    bar = window.review_bar
    assert bar.isVisible() and BUILT_IN in bar._figures.text()
    assert "Mean change 55 %" in bar._figures.text() and "4.0 %, now by 1.0 %" in bar._figures.text()
    assert window.project.is_visible(photos.id), "the photos are not what it takes the place of"
    QApplication.processEvents()
    click(window, "review_mode_difference", QToolButton)
    window.viewport.look_through(cameras, 0)
    compare = window.review.compare
    qtbot.waitUntil(lambda: compare.pictures.difference is not None, timeout=120_000)
    middle = [
        int(np.median(each.pixels[each.pixels.shape[0] // 2]))
        for each in (compare.pictures.before, compare.pictures.after)
    ]
    assert middle == [60, 200], "the photos' own colours, and those of the edit, from one camera"
    window.pending.accept()
    assert [layer.name for layer in window.project.layers] == ["Room", "Room v2"]
    assert len(window.layer_list.rows()) == 2, "the photos stay in the list"
