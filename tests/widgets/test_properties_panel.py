"""The properties panel shows facts and tells what the user would have drawn otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QColorDialog, QComboBox, QLabel, QLineEdit, QSlider
from pytestqt.qtbot import QtBot

from tests.widgets.looks import clipped
from widgets.properties_panel import ColorButton, LayerDisplay, LayerFacts, PropertiesPanel
from widgets.theme import apply_theme

DISPLAY = LayerDisplay(
    "#c9825a", 0.8, "smooth", (("smooth", "Shaded"), ("wire", "Wireframe")),
    "none", (("none", "One colour"), ("uncertainty", "Uncertainty")),
)  # fmt: skip
FACTS = LayerFacts(
    "m", "Surface r1", "layer-mesh", (("Triangles", "24 312"),), (("Size", "81.2 × 140.5 × 33.0 mm"),), DISPLAY,
    (("Method", "Surface from slices, Balanced"),),
)  # fmt: skip


@pytest.fixture
def panel(qtbot: QtBot) -> PropertiesPanel:
    panel = PropertiesPanel()
    qtbot.addWidget(panel)
    panel.resize(300, 640)
    panel.set_facts(FACTS)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def texts(panel: PropertiesPanel) -> set[str]:
    return {label.text() for label in panel.findChildren(QLabel) if label.isVisible()}


def test_without_a_layer_the_panel_says_what_it_is_for(qtbot: QtBot, panel: PropertiesPanel) -> None:
    panel.set_facts(None)
    assert texts(panel) == {"Select a layer to see what it holds and how it is drawn."}


def test_every_fact_is_shown(panel: PropertiesPanel) -> None:
    wanted = {"Triangles", "24 312", "81.2 × 140.5 × 33.0 mm", "Surface from slices, Balanced", "80 %"}
    assert wanted <= texts(panel)


def test_sections_without_facts_are_absent(panel: PropertiesPanel, qtbot: QtBot) -> None:
    panel.set_facts(LayerFacts("g", "Results", "folder"))
    qtbot.waitUntil(lambda: "Contents" not in texts(panel))
    assert texts(panel) & {"Bounds", "Display", "Origin"} == set()


def test_choosing_a_shading_is_told(panel: PropertiesPanel, qtbot: QtBot) -> None:
    combo = panel.findChild(QComboBox, "props_shading")
    assert combo is not None and combo.currentText() == "Shaded"
    with qtbot.waitSignal(panel.display_changed) as told:
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert told.args == ["m", "shading", "wire"]


def test_dragging_the_opacity_tells_each_value_and_survives_the_answer(
    panel: PropertiesPanel, qtbot: QtBot
) -> None:
    slider = panel.findChild(QSlider, "props_opacity")
    assert slider is not None
    panel.display_changed.connect(
        lambda layer_id, field, value: panel.set_facts(
            replace(FACTS, display=replace(DISPLAY, opacity=value))
        )
    )
    with qtbot.waitSignal(panel.display_changed) as told:
        qtbot.keyClick(slider, Qt.Key.Key_Left)
    assert told.args == ["m", "opacity", 0.79]
    assert panel.findChild(QSlider, "props_opacity") is slider and "79 %" in texts(panel)


def test_a_colour_is_asked_for_without_stopping_the_window(panel: PropertiesPanel, qtbot: QtBot) -> None:
    button = panel.findChild(ColorButton, "props_color")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    (dialog,) = button.findChildren(QColorDialog)
    dialog.setCurrentColor("#112233")
    with qtbot.waitSignal(panel.display_changed) as told:
        dialog.accept()
    assert told.args == ["m", "color", "#112233"] and button.text() == "#112233"


def test_a_new_name_is_told_and_the_answer_inside_the_signal_is_safe(
    panel: PropertiesPanel, qtbot: QtBot
) -> None:
    panel.renamed.connect(lambda layer_id, name: panel.set_facts(replace(FACTS, name=name)))
    field = panel.findChild(QLineEdit, "props_name")
    assert field is not None
    field.selectAll()
    qtbot.keyClicks(field, "Palm")
    with qtbot.waitSignal(panel.renamed) as told:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert told.args == ["m", "Palm"]
    facts = panel.facts()
    assert facts is not None and facts.name == "Palm"


def test_an_empty_name_goes_back(panel: PropertiesPanel, qtbot: QtBot) -> None:
    field = panel.findChild(QLineEdit, "props_name")
    assert field is not None
    field.clear()
    with qtbot.assertNotEmitted(panel.renamed):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "Surface r1"


def test_nothing_is_clipped_at_twice_the_size(qapp: QApplication, qtbot: QtBot) -> None:
    apply_theme(qapp, "dark", 2.0)
    panel = PropertiesPanel()
    qtbot.addWidget(panel)
    panel.set_facts(FACTS)
    panel.resize(600, 1280)
    panel.show()
    assert clipped(panel) == []
    apply_theme(qapp, "dark")
