"""The look: a theme is a table of colours, and one style sheet is made from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTemporaryDir
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QStyleFactory, QWidget

from widgets import svg

ThemeName = Literal["dark", "light", "system"]
_PROPERTY = "isokiln_theme"


def mix(front: str, back: str, share: float) -> str:
    """The colour "#rrggbb" that is `share` of front and the rest of back."""
    pairs = ((int(front[i : i + 2], 16), int(back[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


@dataclass(frozen=True)
class Theme:
    """Colours "#rrggbb" by what they are used for, and the factor that every length is multiplied with."""

    name: Literal["dark", "light"]
    window: str  # behind docks
    panel: str  # docks, forms
    raised: str  # fields, buttons, cards, menus
    line: str  # borders
    text: str
    text_second: str  # labels, units, hints
    text_disabled: str
    accent: str  # the one primary action, selection, running
    on_accent: str  # text on the accent
    ok: str
    warn: str
    error: str
    link: str  # links, information and the focus ring
    viewport_top: str
    viewport_bottom: str
    ui_scale: float = 1.0

    @property
    def is_dark(self) -> bool:
        return self.name == "dark"

    @property
    def hover(self) -> str:
        """A control on a panel under the pointer."""
        return mix(self.text, self.panel, 0.10)

    @property
    def pressed(self) -> str:
        """A control held down."""
        return mix(self.text, self.panel, 0.17)

    @property
    def selection(self) -> str:
        """Behind selected rows and text; text keeps its contrast on it."""
        return mix(self.accent, self.panel, 0.26 if self.is_dark else 0.18)

    @property
    def field_line(self) -> str:
        """Border of fields and buttons, which must be found without colour."""
        return mix(self.text, self.raised, 0.22)

    @property
    def accent_hover(self) -> str:
        return mix("#ffffff" if self.is_dark else "#000000", self.accent, 0.14)

    @property
    def accent_pressed(self) -> str:
        return mix("#000000", self.accent, 0.16 if self.is_dark else 0.28)

    @property
    def scroll(self) -> str:
        """Handles of scroll bars."""
        return mix(self.text, self.panel, 0.26)

    def color(self, token: str) -> QColor:
        """The QColor of a field or property by its name, for painting."""
        return QColor(str(getattr(self, token)))

    def px(self, length: float) -> int:
        """A length of the design in this window's pixels; never less than one."""
        return max(1, round(length * self.ui_scale))


DARK = Theme(
    name="dark",
    window="#1d1f22",
    panel="#26292d",
    raised="#30343a",
    line="#3c4047",
    text="#e8e6e3",
    text_second="#aaa7a2",
    text_disabled="#767471",
    accent="#f0883e",
    on_accent="#1d1f22",
    ok="#4fb286",
    warn="#d9a83a",
    error="#ef6b63",
    link="#7ab3ef",
    viewport_top="#34373c",
    viewport_bottom="#1a1b1e",
)
LIGHT = Theme(
    name="light",
    window="#edebe8",
    panel="#f7f6f4",
    raised="#ffffff",
    line="#d8d5d0",
    text="#1f2023",
    text_second="#5c5a57",
    text_disabled="#908d88",
    accent="#b4500f",
    on_accent="#ffffff",
    ok="#1f7a52",
    warn="#8a6100",
    error="#b3261e",
    link="#1a5fb4",
    viewport_top="#f2f1ee",
    viewport_bottom="#d9d6d1",
)


def active_theme() -> Theme:
    """The theme that the running application wears; dark before apply_theme."""
    app = QApplication.instance()
    theme = app.property(_PROPERTY) if app is not None else None
    return theme if isinstance(theme, Theme) else DARK


def apply_theme(app: QApplication, name: ThemeName = "system", ui_scale: float = 1.0) -> Theme:
    """Dress every window of `app`; ui_scale from 0.5 to 2.0 enlarges text and controls together.

    Icons made by `widgets.icons.icon` follow by themselves. Lengths that a widget took by `px` when it was
    made stay, so call this before windows are built. Returns the theme that is now active.
    """
    chosen = LIGHT if name == "light" or (name == "system" and _system_is_light(app)) else DARK
    theme = replace(chosen, ui_scale=min(2.0, max(0.5, ui_scale)))
    last = app.findChild(_Glyphs)
    if last is not None and app.property(_PROPERTY) == theme:
        return theme  # To dress every widget again takes long.
    app.setProperty(_PROPERTY, theme)
    if last is None:
        app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(interface_font(theme))
    app.setPalette(_palette(theme))
    app.setStyleSheet(style_sheet(theme, _Glyphs(app, theme).path))
    if last is not None:
        last.setParent(None)
    return theme


def interface_font(theme: Theme, size: float = 13, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """The system's interface font with figures of equal width. size: design pixels."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(theme.px(size))
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def fixed_font(theme: Theme, size: float = 12) -> QFont:
    """The system's fixed-width font, for logs and details. size: design pixels."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPixelSize(theme.px(size))
    return font


def style_sheet(theme: Theme, glyphs: Path) -> str:
    """resources/theme.qss with the theme's colours and its lengths scaled. glyphs: folder of the arrows."""
    text = (files("resources") / "theme.qss").read_text(encoding="utf-8")
    colors = {field.name: getattr(theme, field.name) for field in fields(theme)}
    derived = ("hover", "pressed", "selection", "field_line", "accent_hover", "accent_pressed", "scroll")
    colors |= {name: getattr(theme, name) for name in derived}
    text = re.sub(r"(\d+)px", lambda found: f"{_scaled(theme, int(found[1]))}px", text)
    return Template(text).substitute(colors, glyphs=glyphs.as_posix())


def title_label(text: str, parent: QWidget | None = None) -> QLabel:
    """A label that heads a panel or a card."""
    return _label(text, "title", parent)


def secondary_label(text: str, parent: QWidget | None = None) -> QLabel:
    """A smaller, quieter label for hints and units."""
    return _label(text, "secondary", parent)


def _label(text: str, role: str, parent: QWidget | None) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("role", role)
    return label


def _scaled(theme: Theme, length: int) -> int:
    return theme.px(length) if length else 0


def _system_is_light(app: QApplication) -> bool:
    return app.styleHints().colorScheme() == Qt.ColorScheme.Light


class _Glyphs(QObject):
    """The folder of arrows and ticks, which style sheets take only from files; it goes with the application."""

    def __init__(self, app: QApplication, theme: Theme) -> None:
        super().__init__(app)
        self._folder = QTemporaryDir()
        self.path = Path(self._folder.path())
        _write_glyphs(theme, self.path)


def _write_glyphs(theme: Theme, folder: Path) -> None:
    for name in ("chevron-down", "chevron-up", "chevron-right", "chevron-left", "x", "maximize-2"):
        (folder / f"{name}.svg").write_text(svg.tinted(name, theme.text_second, 12), encoding="utf-8")
        (folder / f"{name}-off.svg").write_text(svg.tinted(name, theme.text_disabled, 12), encoding="utf-8")
    for name in ("check", "minus"):
        (folder / f"{name}.svg").write_text(svg.tinted(name, theme.on_accent, 14, 2.0), encoding="utf-8")
        (folder / f"{name}-menu.svg").write_text(svg.tinted(name, theme.text, 16), encoding="utf-8")
        (folder / f"{name}-off.svg").write_text(svg.tinted(name, theme.panel, 14, 2.0), encoding="utf-8")


def _palette(theme: Theme) -> QPalette:
    """What natively drawn parts use, in agreement with the style sheet."""
    role = QPalette.ColorRole
    colors = {
        role.Window: theme.panel, role.WindowText: theme.text, role.Base: theme.raised,
        role.AlternateBase: mix(theme.text, theme.raised, 0.03), role.Text: theme.text,
        role.PlaceholderText: theme.text_second, role.Button: theme.raised, role.ButtonText: theme.text,
        role.BrightText: theme.error, role.Highlight: theme.selection, role.HighlightedText: theme.text,
        role.ToolTipBase: theme.raised, role.ToolTipText: theme.text, role.Link: theme.link,
        role.LinkVisited: theme.link, role.Light: theme.raised, role.Midlight: theme.raised,
        role.Mid: theme.line, role.Dark: theme.line, role.Shadow: theme.window, role.Accent: theme.accent,
    }  # fmt: skip
    palette = QPalette()
    for which, color in colors.items():
        palette.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.text_disabled))
    return palette
