"""The theme: contrast, one style sheet for both themes, every size, and windows that follow a change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from tests.widgets.gallery import gallery
from tests.widgets.looks import clipped, contrast
from widgets.theme import DARK, LIGHT, Theme, active_theme, apply_theme, interface_font, mix, style_sheet

THEMES = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)


@pytest.fixture(autouse=True)
def plain_theme_afterwards(qapp: QApplication) -> Iterator[None]:
    yield
    apply_theme(qapp, "dark")


@THEMES
@pytest.mark.parametrize("ground", ["window", "panel", "raised"])
def test_text_and_its_quieter_form_can_be_read_on_every_ground(theme: Theme, ground: str) -> None:
    assert contrast(theme.text, getattr(theme, ground)) >= 10
    assert contrast(theme.text_second, getattr(theme, ground)) >= 4.5


@THEMES
@pytest.mark.parametrize("state", ["ok", "warn", "error", "link", "accent"])
def test_state_colours_can_be_read_on_panels_and_fields(theme: Theme, state: str) -> None:
    assert contrast(getattr(theme, state), theme.panel) >= 4.5
    # The look allows one exception: errors on dark fields are bold or stand on the panel.
    least = 4.0 if (theme.name, state) == ("dark", "error") else 4.5
    assert contrast(getattr(theme, state), theme.raised) >= least


@THEMES
@pytest.mark.parametrize("ground", ["accent", "accent_hover", "accent_pressed"])
def test_words_on_the_primary_button_can_be_read_in_every_state(theme: Theme, ground: str) -> None:
    assert contrast(theme.on_accent, getattr(theme, ground)) >= 4.5


@THEMES
@pytest.mark.parametrize("ground", ["selection", "hover", "pressed"])
def test_text_can_be_read_on_selected_and_hovered_rows(theme: Theme, ground: str) -> None:
    assert contrast(theme.text, getattr(theme, ground)) >= 7
    assert contrast(theme.text_second, getattr(theme, ground)) >= (4.5 if ground == "hover" else 3.5)


@THEMES
def test_the_focus_ring_stands_out_from_panel_and_field_line(theme: Theme) -> None:
    assert contrast(theme.link, theme.panel) >= 3
    assert contrast(theme.link, theme.field_line) >= 1.9


@THEMES
def test_the_style_sheet_is_complete_and_names_only_glyphs_that_exist(
    theme: Theme, qapp: QApplication
) -> None:
    apply_theme(qapp, theme.name)
    sheet = qapp.styleSheet()
    assert "$" not in sheet and theme.accent in sheet
    named = re.findall(r"url\(([^)]+)\)", sheet)
    assert len(named) > 20 and all(Path(name).is_file() for name in named)


def test_lengths_scale_but_hairlines_stay_and_nothing_stays_nothing() -> None:
    def sheet(scale: float) -> str:
        return style_sheet(Theme(**{**vars(DARK), "ui_scale": scale}), Path("/glyphs"))

    assert "min-height: 26px" in sheet(1.0)
    assert "min-height: 52px" in sheet(2.0)
    assert "border: 1px solid" in sheet(0.8)
    assert "width: 0px" in sheet(2.0)


def test_a_theme_change_reaches_open_windows_and_what_qt_draws_itself(
    qapp: QApplication, qtbot: QtBot
) -> None:
    apply_theme(qapp, "dark")
    button = QPushButton("Start")
    button.setProperty("primary", True)
    qtbot.addWidget(button)
    button.resize(120, 28)
    button.show()
    qtbot.waitExposed(button)
    assert button.grab().toImage().pixelColor(8, 14).name() == DARK.accent
    apply_theme(qapp, "light", 1.5)
    qapp.processEvents()
    assert active_theme() == Theme(**{**vars(LIGHT), "ui_scale": 1.5})
    assert button.grab().toImage().pixelColor(8, 14).name() == LIGHT.accent
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == LIGHT.panel
    assert qapp.font().pixelSize() == 20


def test_the_scale_stays_between_half_and_twice_the_design(qapp: QApplication) -> None:
    assert apply_theme(qapp, "dark", 0.1).ui_scale == 0.5
    assert apply_theme(qapp, "dark", 9).ui_scale == 2.0


def test_changing_the_theme_often_leaves_no_folders_behind(qapp: QApplication) -> None:
    def glyph_folder() -> Path:
        found = re.search(r"url\(([^)]+)/x\.svg\)", qapp.styleSheet())
        assert found is not None
        return Path(found[1])

    apply_theme(qapp, "light")
    first = glyph_folder()
    apply_theme(qapp, "dark")
    assert glyph_folder().is_dir() and not first.exists()


@pytest.mark.parametrize("scale", [0.8, 1.0, 2.0])
def test_no_control_clips_its_words_at_any_scale(qapp: QApplication, qtbot: QtBot, scale: float) -> None:
    apply_theme(qapp, "light", scale)
    window = gallery()
    qtbot.addWidget(window)
    window.resize(round(1400 * max(1, scale)), round(900 * max(1, scale)))
    window.show()
    qtbot.waitExposed(window)
    assert clipped(window) == []


def test_mixing_goes_from_one_colour_to_the_other() -> None:
    assert mix("#000000", "#ffffff", 0) == "#ffffff"
    assert mix("#000000", "#ffffff", 1) == "#000000"
    assert mix("#ff0000", "#0000ff", 0.5) == "#800080"


def test_figures_have_equal_width(qapp: QApplication) -> None:
    from PySide6.QtGui import QFontMetricsF

    metrics = QFontMetricsF(interface_font(DARK))
    assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1
