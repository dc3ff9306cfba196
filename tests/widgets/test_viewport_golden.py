"""The viewport draws what a person looked at and found right."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.widgets.golden_pictures import GOLDEN, SCENES, SIZE, difference, picture
from tests.widgets.viewports import opened
from widgets.theme import apply_theme


def golden(name: str) -> np.ndarray:
    with Image.open(GOLDEN / f"{name}.png") as stored:
        return np.asarray(stored.convert("RGB"))


@pytest.mark.parametrize("name", SCENES)
def test_each_way_to_draw_looks_as_it_did(qtbot: QtBot, qapp: QApplication, name: str) -> None:  # T50
    apply_theme(qapp, "dark")
    drawn = picture(opened(qtbot, *SIZE), name)
    mean, worst = difference(drawn, golden(name))
    assert mean < 2 and worst < 16, f"{name} differs by {mean:.1f} of 255, in places by {worst:.1f}"


def test_the_comparison_tells_every_scene_from_every_other() -> None:
    pictures = {name: golden(name) for name in SCENES}
    for name, one in pictures.items():
        for other, two in pictures.items():
            mean, worst = difference(one, two)
            assert (mean >= 2 or worst >= 16) == (name != other), (name, other)
