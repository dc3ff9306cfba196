"""How a layer of splats is shown is chosen in the properties panel, and seen in the viewport."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtWidgets import QComboBox, QLabel, QSlider
from pytestqt.qtbot import QtBot

from app.layer_facts import facts_of, style_change
from app.layers import new_layer
from tests.app.windows import open_window
from tests.widgets.test_viewport_splats import ball


def choose(window, name: str, text: str) -> None:
    """Pick an entry of a list in the panel, as a click does."""
    combo = window.properties.findChild(QComboBox, name)
    index = combo.findText(text)
    assert index >= 0, [combo.itemText(i) for i in range(combo.count())]
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


def test_the_panel_offers_what_a_cloud_can_be_shown_as() -> None:
    display = facts_of(new_layer("cloud", ball(40))).display
    assert display is not None
    assert dict(display.views) == {"splats": "Splats", "centers": "Centres", "rings": "Rings"}
    titles = [text for _, text in display.color_bys]
    assert titles == ["Own colours", "Depth", "Labels: part", "Opacity", "Scale", "Part"]
    assert (display.degree, len(display.degrees)) == ("3", 4)
    plain = facts_of(new_layer("cloud", ball(40, degree=0))).display
    assert plain is not None and not plain.degrees


def test_every_choice_is_what_the_panel_then_shows() -> None:
    layer = new_layer("cloud", ball(40))
    display = facts_of(layer).display
    assert display is not None
    for field, choices in (
        ("color_by", display.color_bys),
        ("view", display.views),
        ("degree", display.degrees),
    ):
        for value, _ in choices:
            shown = facts_of(replace(layer, style={**layer.style, **style_change(field, value)})).display
            assert getattr(shown, field) == value


def test_what_is_chosen_is_seen(qtbot: QtBot) -> None:
    with open_window(qtbot) as window:
        window.project.edit("Add", [new_layer("cloud", ball(500))])
        window.scene.select([window.project.layers[0].id])
        view = window.viewport
        own = view.screenshot().astype(int)
        assert "500 splats" in view._furniture.counts.lines
        choose(window, "props_view", "Centres")
        centers = view.screenshot().astype(int)
        assert np.abs(centers - own).max() > 60
        choose(window, "props_view", "Splats")
        choose(window, "props_color_by", "Opacity")
        assert np.abs(view.screenshot() - own).max() > 60
        legend = view._furniture.legend
        assert legend.isVisible() and legend.heading() == "Opacity"
        choose(window, "props_color_by", "Depth")
        view.screenshot()
        near, _, far = (float(tick) for tick in reversed(legend.ticks))
        assert legend.heading().startswith("Depth") and 0 < near < view.camera.distance < far
        choose(window, "props_color_by", "Own colours")
        assert not legend.isVisible()
        window.properties.findChild(QSlider, "props_splat_scale").setValue(20)
        assert window.project.layers[0].style["splat_scale"] == 0.2
        small = view.screenshot().astype(int)
        assert np.abs(small - own).max() > 60
        assert np.abs(small - small[0, 0]).sum() < np.abs(own - own[0, 0]).sum()


def test_a_card_that_cannot_draw_splats_is_told_of_once(qtbot: QtBot) -> None:
    with open_window(qtbot) as window:
        window.viewport.splats.failed.emit("OpenGL 3.2 only")
        texts = [label.text() for label in window.findChildren(QLabel)]
        assert any("The graphics driver cannot draw splats" in text for text in texts)
