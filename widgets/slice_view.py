"""One cross-section at a time in its plane: see it among its neighbours and with the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QLabel, QMenu, QSlider, QToolButton, QWidget

from render.cross_sections import CrossSections
from widgets.contour_editor import ContourEditor
from widgets.contour_geometry import crosses_itself, region_area
from widgets.parts import EmptyPlace, StateLabel, column_in, grouped, icon_button, row_of
from widgets.plane_drawing import FlatLoop, PlaneMap, Points, crossings, flat_loops, frame_of, neighbours
from widgets.slice_canvas import SliceCanvas
from widgets.slice_painting import Drawing
from widgets.theme import active_theme, secondary_label

_NOTICE_MS = 6000
_SLIDER_FROM, _WORDS_FROM = 340, 320  # widths from which there is room for the slider, for a sentence
_SHOWN_WORDS = {
    "fill": "Filled regions",
    "ghosts": "Neighbouring planes",
    "crossings": "Crossing planes",
    "result": "Contour of the result",
}


class SliceView(QWidget):
    """A pane with one plane of cross-sections. It shows what it is given; edits are wishes.

    plane_changed: index of the plane that is shown. edited: (what was done, the new CrossSections); the view
    goes on showing the old ones until it is given the new.
    """

    plane_changed = Signal(int)
    edited = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("slice_view")
        self.setMinimumWidth(active_theme().px(224))
        self.canvas = SliceCanvas()
        self.editor = ContourEditor(self.canvas)
        self.editor.edited.connect(self.edited)
        self.editor.noticed.connect(self.notify)
        self._sections: CrossSections | None = None
        self._result: CrossSections | None = None
        self._plane = 0
        self._build()
        self._add_keys()
        self.set_sections(None)

    @property
    def sections(self) -> CrossSections | None:
        return self._sections

    @property
    def plane(self) -> int:
        """Index of the plane that is shown."""
        return self._plane

    def set_sections(self, sections: CrossSections | None) -> None:
        """Show other cross-sections, or the same ones after an edit; the plane and the view stay if they can."""
        before = self._sections
        is_edit = before is not None and sections is not None and _same_planes(before, sections)
        self._sections = sections if sections is not None and sections.num_planes else None
        if self._sections is not None and not is_edit:
            self._plane = min(self._plane, self._sections.num_planes - 1)
            with QSignalBlocker(self._slider):
                self._slider.setRange(0, self._sections.num_planes - 1)
        self._empty.setVisible(self._sections is None)
        self._content.setVisible(self._sections is not None)
        self._draw(keep_view=is_edit, is_edit=is_edit)

    def set_result(self, contours: CrossSections | None) -> None:
        """Contours of the solid on the same planes, drawn dashed over the input; None takes them away."""
        self._result = contours
        self._draw(is_edit=True)

    def set_plane(self, plane: int) -> None:
        """Show another plane; indices beyond the ends stop at them."""
        if self._sections is None:
            return
        plane = min(max(plane, 0), self._sections.num_planes - 1)
        if plane != self._plane:
            self._plane = plane
            self._draw()
            self.plane_changed.emit(plane)

    def toggle_plane(self) -> None:
        """Wish that methods leave this plane out, or use it again."""
        if self._sections is None:
            return
        disabled = np.array(self._sections.disabled_planes)
        disabled[self._plane] ^= True
        verb = "Leave out" if disabled[self._plane] else "Use"
        self.edited.emit(f"{verb} plane {self._plane + 1}", replace(self._sections, disabled_planes=disabled))

    def notify(self, sentence: str) -> None:
        """Say something in the foot of the pane for a few seconds."""
        self._notice.say(sentence, "warn", "triangle-alert")
        self._notice.setVisible(bool(sentence))
        for words in (self._counts, self._place, self._cursor):
            words.setVisible(not sentence)
        self._notice_timer.start()

    def set_editable(self, is_editable: bool) -> None:
        """Offer the tools that change contours, or only show."""
        self.editor.setVisible(is_editable)
        self._use.setEnabled(is_editable)
        if not is_editable:
            self.editor.choose(None)

    def map(self) -> PlaneMap:
        """Between the shown plane's coordinates and space."""
        assert self._sections is not None
        return PlaneMap.of(self._sections, self._plane)

    def _build(self) -> None:
        self._empty = EmptyPlace(
            "slice", "No slices to show. Import cross-sections, or select a layer of slices."
        )
        self._content = QWidget()
        whole = column_in(self, spacing=0)
        whole.addWidget(self._empty)
        whole.addWidget(self._content)
        column = column_in(self._content, spacing=0)
        column.addWidget(self._build_header())
        column.addWidget(self.editor.preview_bar)
        middle = row_of(self.editor, self.canvas, spacing=0)
        middle.setStretchFactor(self.canvas, 1)
        column.addLayout(middle, 1)
        column.addWidget(self._build_footer())
        self.canvas.hovered.connect(self._on_hover)

    def _build_header(self) -> QWidget:
        header = QWidget()
        back = icon_button("chevron-left", "Previous plane", "Previous plane (Page Up)")
        back.clicked.connect(lambda: self.set_plane(self._plane - 1))
        forth = icon_button("chevron-right", "Next plane", "Next plane (Page Down)")
        forth.clicked.connect(lambda: self.set_plane(self._plane + 1))
        self._number = QLabel()
        self._number.setObjectName("plane_number")
        self._place = secondary_label("")
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName("plane_slider")
        self._slider.setAccessibleName("Plane")
        self._slider.setMinimumWidth(active_theme().px(40))
        self._slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._slider.valueChanged.connect(self.set_plane)
        self._use = QCheckBox("Use")
        self._use.setObjectName("use_plane")
        self._use.setToolTip("Whether methods take this plane into account (Space)")
        self._use.setAccessibleName("Use this plane")
        self._use.clicked.connect(self._on_use)
        fit = icon_button("maximize", "Fit", "Show the whole plane (Home)")
        fit.clicked.connect(self.canvas.fit)
        self._header = row_of(
            back, self._number, forth, self._slider, self._use, self._build_shown(), fit, spacing=6
        )
        self._header.setStretchFactor(self._slider, 1)
        margin = active_theme().px(8)
        self._header.setContentsMargins(margin // 2, 2, margin // 2, 2)
        header.setLayout(self._header)
        return header

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # A narrow pane gives up the slider, which the arrows and keys can do without, and never half a word.
        self._slider.setVisible(self.width() >= active_theme().px(_SLIDER_FROM))
        self._say_words()

    def _say_words(self) -> None:
        """Which plane it is and what is on it, in as many words as there is room for."""
        if self._sections is not None:
            number, count = self._plane + 1, self._sections.num_planes
            is_wide = self.width() >= active_theme().px(_WORDS_FROM)
            self._number.setText(f"Plane {number} of {count}" if is_wide else f"{number}/{count}")
            self._number.setAccessibleName(f"Plane {number} of {count}")
            self._use.setText("Use" if is_wide else "")
            words = count_words(self.canvas.drawing)
            self._counts.setText(words if is_wide else words.partition(",")[0])

    def _build_shown(self) -> QToolButton:
        button = icon_button("eye", "What to show")
        button.setObjectName("slice_shown")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        self._shown_actions: dict[str, QAction] = {}
        for name, words in _SHOWN_WORDS.items():
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(True)
            action.toggled.connect(lambda on, name=name: self._on_shown(name, on))
            self._shown_actions[name] = action
        button.setMenu(menu)
        return button

    def _build_footer(self) -> QWidget:
        footer = QWidget()
        self._counts = secondary_label("")
        self._cursor = secondary_label("")
        self._counts.setMinimumWidth(1)
        self._notice = StateLabel()
        self._notice.setMinimumWidth(1)
        self._notice.setObjectName("slice_notice")
        self._notice.hide()
        self._notice_timer = QTimer(self)
        self._notice_timer.setSingleShot(True)
        self._notice_timer.setInterval(_NOTICE_MS)
        self._notice_timer.timeout.connect(self._end_notice)
        row = row_of(self._counts, self._notice, 1, self._place, self._cursor, spacing=12)
        margin = active_theme().px(12)
        row.setContentsMargins(margin, active_theme().px(4), margin, active_theme().px(4))
        footer.setLayout(row)
        return footer

    def _add_keys(self) -> None:
        self.setFocusProxy(self.canvas)
        keys: tuple[tuple[str, Callable[[], None]], ...] = (
            ("PgUp", lambda: self.set_plane(self._plane - 1)),
            ("PgDown", lambda: self.set_plane(self._plane + 1)),
            ("Ctrl+Home", lambda: self.set_plane(0)),
            ("Ctrl+End", lambda: self.set_plane(self._slider.maximum())),
            ("Space", self.toggle_plane),
            ("Home", self.canvas.fit),
        )
        for key, act in keys:
            self.canvas.add_key(key, act)

    def _end_notice(self) -> None:
        self._notice.hide()
        for words in (self._counts, self._place, self._cursor):
            words.show()

    def _on_use(self) -> None:
        self._use.setChecked(not self._use.isChecked())  # until the edit comes back
        self.toggle_plane()

    def _on_shown(self, name: str, is_on: bool) -> None:
        self.canvas.set_shown(replace(self.canvas.shown, **{name: is_on}))

    def _on_hover(self, point: Points | None) -> None:
        if point is None or self._sections is None:
            self._cursor.setText("")
            return
        digits = _digits(self._sections)
        self._cursor.setText(
            "  ".join(
                f"{axis} {value:.{digits}f}"
                for axis, value in zip("xyz", self.map().raised(point), strict=True)
            )
        )

    def _draw(self, *, keep_view: bool = True, is_edit: bool = False) -> None:
        if self._sections is None:
            self.canvas.set_drawing(Drawing())
            return
        num_loops = len(self._sections.plane(self._plane).loops)
        if not is_edit or (self.canvas.selected or 0) >= num_loops:
            self.canvas.selected = None  # it belonged to another plane, or is gone
        self.canvas.set_drawing(drawing_of(self._sections, self._plane, self._result), keep_view=keep_view)
        self.editor.set_plane(self._sections, self._plane, is_edit=is_edit)
        self._refresh_words()

    def _refresh_words(self) -> None:
        assert self._sections is not None
        sections, drawing = self._sections, self.canvas.drawing
        with QSignalBlocker(self._slider):
            self._slider.setValue(self._plane)
        self._say_words()
        self._use.setChecked(drawing.is_enabled)
        self._place.setText(place_words(sections, self._plane))
        self._counts.setToolTip(area_words(drawing))
        self._shown_actions["ghosts"].setVisible(bool(drawing.ghosts))
        self._shown_actions["crossings"].setVisible(bool(drawing.crossings))
        self._shown_actions["result"].setVisible(self._result is not None)


def drawing_of(sections: CrossSections, plane: int, result: CrossSections | None) -> Drawing:
    """Everything to draw of one plane: its loops, and those around it that help to judge them."""
    here = PlaneMap.of(sections, plane)
    loops = flat_loops(sections, plane)
    ghosts: list[FlatLoop] = []
    for other in neighbours(sections, plane):
        ghosts += flat_loops(sections, other, here) if other is not None else ()
    reach = float(np.linalg.norm(np.ptp(sections.bounds, axis=0))) or 1.0
    assert sections.disabled_planes is not None
    return Drawing(
        loops=loops,
        ghosts=tuple(ghosts),
        crossings=crossings(sections, plane, reach),
        result=flat_loops(result, plane, here) if result is not None and plane < result.num_planes else (),
        invalid=frozenset(index for index, loop in enumerate(loops) if crosses_itself(loop.points)),
        is_enabled=not sections.disabled_planes[plane],
        frame=frame_of(sections, plane),
        unit=sections.frame.unit,
    )


def place_words(sections: CrossSections, plane: int) -> str:
    """Where a plane lies: "z = 12.5 mm" along an axis, else its distance from the origin."""
    normal, offset = sections.normals[plane], float(sections.offsets[plane])
    unit = "" if sections.frame.unit == "unit" else f" {sections.frame.unit}"
    axis = int(np.argmax(np.abs(normal)))
    if abs(normal[axis]) > 1 - 1e-9:
        return f"{'xyz'[axis]} = {offset * np.sign(normal[axis]):.5g}{unit}"
    return f"{offset:.5g}{unit} from the origin, oblique"


def count_words(drawing: Drawing) -> str:
    """ "2 contours, 281 points", or what an empty plane means."""
    if not drawing.loops:
        return "No contour: nothing is solid on this plane."
    points = grouped(sum(len(loop.points) for loop in drawing.loops))
    words = f"{len(drawing.loops)} contour{'s' if len(drawing.loops) > 1 else ''}, {points} points"
    broken = len(drawing.invalid)
    if broken:
        words += f" · {broken} {'crosses itself' if broken == 1 else 'cross themselves'}"
    return words


def area_words(drawing: Drawing) -> str:
    """The area of each label's region."""
    unit = "square units" if drawing.unit == "unit" else f"{drawing.unit}²"
    labels = sorted({loop.label for loop in drawing.loops})
    areas = (region_area([loop.points for loop in drawing.loops if loop.label == label]) for label in labels)
    return "\n".join(f"Label {label}: {area:.5g} {unit}" for label, area in zip(labels, areas, strict=True))


def _same_planes(a: CrossSections, b: CrossSections) -> bool:
    return a.normals.shape == b.normals.shape and bool(
        np.allclose(a.normals, b.normals, atol=1e-12) and np.allclose(a.offsets, b.offsets, rtol=1e-12)
    )


def _digits(sections: CrossSections) -> int:
    """Decimals that tell a thousandth of the size apart."""
    size = float(np.linalg.norm(np.ptp(sections.bounds, axis=0))) or 1.0
    return int(np.clip(3 - np.floor(np.log10(size)), 0, 6))
