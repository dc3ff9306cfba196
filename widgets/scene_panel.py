"""What a reconstruction starts from, in sections: poses, region, orientation and scale, images, cues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from widgets.parts import StateLabel, column_in, text_button
from widgets.theme import active_theme, secondary_label, title_label


@dataclass(frozen=True)
class _Wish:
    id: str
    text: str
    icon: str
    tip: str = ""
    is_checkable: bool = False
    is_primary: bool = False


@dataclass(frozen=True)
class _Section:
    id: str
    title: str
    line: str
    wishes: tuple[_Wish, ...]


SECTIONS: tuple[_Section, ...] = (
    _Section(
        "poses", "Camera poses", "Where each photo was taken from, found from what the photos have in common.",
        (_Wish("compute_poses", "Compute poses", "map-pin", is_primary=True),),
    ),
    _Section(
        "region", "Region", "The box that is reconstructed. What lies outside is left out.",
        (
            _Wish("edit_region", "Edit box", "box", "Drag the faces of the box in the picture", True),
            _Wish("fit_region", "Fit to points", "scan", "A box around most of the sparse points"),
            _Wish("no_region", "Whole scene", "circle-slash", "Reconstruct without a box"),
        ),
    ),
    _Section(
        "orientation", "Orientation and scale", "Which way is up, and how long a unit is.",
        (
            _Wish("orient_points", "3 points", "triangle", "Click three points on the floor; it becomes level", True),
            _Wish("orient_floor", "Find the floor", "layers", "Make the lowest large plane of the points level"),
            _Wish("set_scale", "Set scale", "ruler", "Click two points and type how far apart they are", True),
        ),
    ),
    _Section(
        "images", "Images", "Leave out photos that are blurred or show something that moved.",
        (_Wish("show_images", "Show images", "images"), _Wish("look_through", "Look through", "video"),),
    ),
    _Section(
        "cues", "Depth and normals", "Estimates for each photo that fill walls without texture.",
        (
            _Wish("compute_cues", "Compute", "sparkles", "Estimate depth and normals of each photo"),
            _Wish("use_files", "Use files…", "folder-open", "Read a scene whose file names depth and normals"),
            _Wish("no_cues", "None", "ban", "Reconstruct from the photos alone"),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class SectionState:
    """What a section says. state: "ok", "warn", "error" or "" for plain words."""

    words: str = ""
    state: str = ""
    is_shown: bool = True


_LOOKS = {"ok": ("ok", "circle-check"), "warn": ("warn", "triangle-alert"), "error": ("error", "circle-alert"),
          "": ("text_second", "info")}  # fmt: skip


class ScenePanel(QScrollArea):
    """The panel [scene_panel]. wished: the id of a button, and whether it was switched on."""

    wished = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scene_panel")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.buttons: dict[str, QPushButton] = {}
        self._sections: dict[str, QWidget] = {}
        self._states: dict[str, StateLabel] = {}
        inner = QWidget()
        column = column_in(inner, 16, 16)
        for section in SECTIONS:
            column.addWidget(self._build(section))
        column.addStretch(1)
        self.setWidget(inner)

    def set_states(self, states: Mapping[str, SectionState], enabled: Mapping[str, str]) -> None:
        """Say how far each section is. enabled: wish → "" or why it cannot be had now."""
        for name, state in states.items():
            self._sections[name].setVisible(state.is_shown)
            label = self._states[name]
            label.setVisible(bool(state.words))
            color, icon_name = _LOOKS[state.state]
            label.say(state.words, color, icon_name)
        for name, reason in enabled.items():
            self.buttons[name].setEnabled(not reason)
            self.buttons[name].setToolTip(reason or self.buttons[name].property("tip"))

    def set_checked(self, wish: str) -> None:
        """Show which tool is active; "" for none."""
        for name, button in self.buttons.items():
            if button.isCheckable():
                button.setChecked(name == wish)

    def show_section(self, name: str) -> None:
        """Bring a section into sight and its first button to the keys."""
        self.ensureWidgetVisible(self._sections[name], 0, 0)
        first = next(wish.id for section in SECTIONS if section.id == name for wish in section.wishes)
        self.buttons[first].setFocus()

    def _build(self, section: _Section) -> QWidget:
        widget = QWidget()
        widget.setObjectName(f"section_{section.id}")
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(active_theme().px(6))
        line = secondary_label(section.line)
        line.setWordWrap(True)
        state = StateLabel()
        column.addWidget(title_label(section.title))
        column.addWidget(line)
        column.addWidget(state)
        column.addLayout(self._buttons(section.wishes))
        self._sections[section.id], self._states[section.id] = widget, state
        return widget

    def _buttons(self, wishes: tuple[_Wish, ...]) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(active_theme().px(6))
        for place, wish in enumerate(wishes):
            button = text_button(wish.text, wish.icon, is_primary=wish.is_primary)
            button.setObjectName(f"wish_{wish.id}")
            button.setProperty("tip", wish.tip or wish.text)
            button.setToolTip(wish.tip or wish.text)
            button.setCheckable(wish.is_checkable)
            button.clicked.connect(lambda on=False, wish_id=wish.id: self.wished.emit(wish_id, on))
            grid.addWidget(button, place // 2, place % 2)
            self.buttons[wish.id] = button
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return grid
