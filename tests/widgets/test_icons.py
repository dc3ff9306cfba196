"""Icons: every name used is there, drawn in the theme's colours, sharp, and following a theme change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from widgets import svg
from widgets.icons import IconLabel, app_icon, icon, item_icon
from widgets.layer_tree import BADGE_ICONS, KIND_ICONS
from widgets.theme import DARK, LIGHT, apply_theme

ROOT = Path(__file__).parents[2]
ICONS = ROOT / "resources" / "icons"
OWN = {
    "isokiln",
    *(
        f"layer-{kind}"
        for kind in (
            "slices",
            "mesh",
            "splats",
            "images",
            "cameras",
            "points",
            "field",
            "views",
            "measurement",
        )
    ),
}
CALL = re.compile(r"\b(?:icon|item_icon|IconLabel|set_icon)\(\s*\"([a-z0-9-]+)\"")
BESIDE_WORDS = re.compile(r"\b(?:icon_button\(\s*|text_button\(\s*\"[^\"]*\",\s*)\"([a-z0-9-]+)\"")


def strongest(image: QImage) -> QColor:
    """The colour of the pixel that is least transparent."""
    pixels = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return max(pixels, key=lambda color: color.alpha())


def near(one: QColor, other: str) -> bool:
    wanted = QColor(other)
    parts = zip(one.getRgb()[:3], wanted.getRgb()[:3], strict=True)
    return max(abs(a - b) for a, b in parts) <= 3


def test_every_icon_named_in_the_program_is_there() -> None:
    sources = [path.read_text() for folder in ("widgets", "app") for path in (ROOT / folder).glob("*.py")]
    named = {name for text in sources for pattern in (CALL, BESIDE_WORDS) for name in pattern.findall(text)}
    named |= set(KIND_ICONS.values()) | {name for name, _, _ in BADGE_ICONS.values()}
    assert len(named) > 20
    assert {name for name in named if not (ICONS / f"{name}.svg").is_file()} == set()


def test_every_file_is_an_icon_on_a_grid_of_24_that_can_be_tinted() -> None:
    for path in ICONS.glob("*.svg"):
        renderer = QSvgRenderer(QByteArray(path.read_bytes()))
        assert renderer.isValid(), path.name
        if path.stem != "isokiln":
            assert renderer.defaultSize() == QSize(24, 24), path.name
            assert "currentColor" in svg.source(path.stem), path.name
            assert 'stroke-width="2"' in svg.source(path.stem), path.name


def test_icons_of_others_carry_their_licence() -> None:
    assert "ISC License" in (ICONS / "LUCIDE-LICENSE.txt").read_text()
    lucide = {path.stem for path in ICONS.glob("*.svg") if "lucide-static" in path.read_text()}
    assert {path.stem for path in ICONS.glob("*.svg")} - lucide == OWN


def test_an_unknown_name_is_refused(qapp: QApplication) -> None:
    with pytest.raises(KeyError, match="no-such-thing"):
        icon("no-such-thing")


def test_an_icon_already_handed_out_follows_the_theme(qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    square = icon("square")
    assert near(strongest(square.pixmap(64, 64).toImage()), DARK.text)
    apply_theme(qapp, "light")
    assert near(strongest(square.pixmap(64, 64).toImage()), LIGHT.text)
    apply_theme(qapp, "dark")


def test_disabled_is_quiet_and_checked_is_accented_except_in_lists(qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    size = QSize(64, 64)
    disabled = icon("square").pixmap(size, QIcon.Mode.Disabled)
    checked = icon("square").pixmap(size, QIcon.Mode.Normal, QIcon.State.On)
    unfolded = item_icon("square").pixmap(size, QIcon.Mode.Normal, QIcon.State.On)
    assert near(strongest(disabled.toImage()), DARK.text_disabled)
    assert near(strongest(checked.toImage()), DARK.accent)
    assert near(strongest(unfolded.toImage()), DARK.text)


def test_twice_the_pixels_are_drawn_on_a_fine_screen(qapp: QApplication) -> None:
    pixmap = icon("layers").pixmap(QSize(16, 16), 2.0)
    assert pixmap.size() == QSize(32, 32) and pixmap.devicePixelRatio() == 2.0


def test_the_app_icon_shows_arch_and_kiln_at_sixteen_pixels(qapp: QApplication) -> None:
    image = app_icon().pixmap(16, 16).toImage()
    colors = [image.pixelColor(x, y) for x in range(16) for y in range(16)]
    orange = sum(1 for c in colors if c.alpha() > 200 and c.red() > 190 and c.blue() < 110)
    pale = sum(1 for c in colors if c.alpha() > 200 and min(c.getRgb()[:3]) > 150)
    assert orange >= 12 and pale >= 12


def test_a_label_with_an_icon_repaints_when_the_theme_changes(qapp: QApplication, qtbot: QtBot) -> None:
    apply_theme(qapp, "dark")
    label = IconLabel("square", 32)
    qtbot.addWidget(label)
    label.show()
    apply_theme(qapp, "light")
    qapp.processEvents()
    assert near(strongest(label.pixmap().toImage()), LIGHT.text)
    apply_theme(qapp, "dark")
