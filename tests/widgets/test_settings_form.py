"""The settings form, typed into and clicked as a person would."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QSlider, QToolButton
from pytestqt.qtbot import QtBot

from recon import METHODS
from recon.method import Method
from widgets.number_field import NumberField, number_text
from widgets.parts import FoldButton, StateLabel
from widgets.setting_editors import FolderEditor, at_fraction, fraction_of
from widgets.setting_fields import Limits, fields_of, problems
from widgets.settings_form import SettingsForm

BASIC: dict[str, Any] = {"basic": True}


class Example(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["smooth", "sharp-edged"] = Field("smooth", title="Kind of surface", json_schema_extra=BASIC)
    """What the surface is like."""
    steps: int = Field(100, ge=10, le=50_000, title="Steps", json_schema_extra=BASIC | {"unit": "steps"})
    """How long to train."""
    rate: float = Field(1e-3, gt=0, le=1.0, title="Rate")
    share: float = Field(0.5, ge=0, le=1, title="Share")
    is_closed: bool = Field(True, title="Closed", json_schema_extra=BASIC)
    spacing: tuple[float, float, float] = Field(
        (1.0, 1.0, 2.5), title="Spacing", json_schema_extra={"unit": "mm"}
    )
    labels: tuple[int, ...] = Field((), title="Labels")
    limit: float | None = Field(None, ge=0, title="Limit", json_schema_extra={"none": "No limit"})
    axis: Literal["x", "y"] | None = Field(None, title="Axis")
    name: str = Field("solid", title="OReX: name of the net")

    @model_validator(mode="after")
    def _check(self) -> Example:
        if self.share == 1 and self.is_closed:
            raise ValueError("a closed surface cannot have the whole share")
        return self


PRESETS = {"Quick check": {"steps": 20}, "Balanced": {}, "Best": {"steps": 5000, "rate": 1e-4}}


@pytest.fixture
def form(qtbot: QtBot) -> SettingsForm:
    form = SettingsForm(Example, presets=PRESETS, default_preset="Balanced")
    qtbot.addWidget(form)
    form.resize(360, 900)
    form.show()
    qtbot.waitExposed(form)
    return form


def field(form: SettingsForm, name: str) -> NumberField:
    editor = form.findChild(NumberField) if not name else form.findChild(object, f"setting_{name}")
    return editor.findChild(NumberField)  # type: ignore[union-attr,no-any-return]


def retype(qtbot: QtBot, number: NumberField, text: str) -> None:
    number.setFocus()
    number.selectAll()
    qtbot.keyClicks(number, text)


def test_a_form_holds_every_default_as_the_model_made_it(form: SettingsForm) -> None:
    assert form.values() == Example().model_dump()
    assert form.model() == Example()
    assert form.preset() == "Balanced"


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "sharp-edged", "steps": 33, "rate": 0.25, "share": 0.75, "is_closed": False},
        {"spacing": (0.5, 0.5, 3.0), "labels": (1, 4), "limit": 2.5, "axis": "y", "name": "bone"},
        {"rate": 1e-7, "limit": 0.0, "labels": (), "axis": None},
    ],
)
def test_values_of_every_type_come_back_as_they_were_set(form: SettingsForm, values: dict[str, Any]) -> None:
    form.set_values(values)
    assert form.values() == {**Example().model_dump(), **values}
    assert form.model() == Example(**values)


def test_a_typed_number_is_announced_with_all_values(form: SettingsForm, qtbot: QtBot) -> None:
    heard: list[dict[str, Any]] = []
    form.values_changed.connect(heard.append)
    retype(qtbot, field(form, "steps"), "250")
    assert heard[-1] == {**Example().model_dump(), "steps": 250}
    assert form.preset() == "Custom"
    assert form.findChild(QComboBox, "preset_combo").currentText() == "Custom"


def test_a_number_out_of_range_is_named_beside_its_field_and_not_clamped(
    form: SettingsForm, qtbot: QtBot
) -> None:
    heard: list[str] = []
    form.validity_changed.connect(heard.append)
    retype(qtbot, field(form, "steps"), "5")
    problem = form.findChild(StateLabel, "problem_steps")
    assert form.values()["steps"] == 5
    assert problem.isVisible() and problem.text() == "Error: Must be at least 10."
    assert heard[-1] == "Steps: must be at least 10." and form.model() is None
    retype(qtbot, field(form, "steps"), "50")
    assert not problem.isVisible() and heard[-1] == "" and form.problem() == ""


def test_words_in_a_number_field_are_an_error_with_a_word(form: SettingsForm, qtbot: QtBot) -> None:
    retype(qtbot, field(form, "steps"), "many")
    assert form.findChild(StateLabel, "problem_steps").text() == "Error: Type a whole number."


def test_settings_that_contradict_each_other_are_told_below(form: SettingsForm) -> None:
    form.set_values({"share": 1.0})
    assert form.problem() == "a closed surface cannot have the whole share."
    assert form.findChild(StateLabel, "problem_general").isVisible()


def test_the_arrow_appears_on_a_changed_row_and_takes_it_back(form: SettingsForm, qtbot: QtBot) -> None:
    reset = next(b for b in form.findChildren(object) if getattr(b, "accessibleName", str)() == "Reset Steps")
    assert not reset.isVisible()  # type: ignore[attr-defined]
    retype(qtbot, field(form, "steps"), "77")
    assert reset.isVisible() and "100 steps (Balanced)" in reset.toolTip()  # type: ignore[attr-defined]
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert form.values()["steps"] == 100 and not reset.isVisible()  # type: ignore[attr-defined]
    assert form.preset() == "Balanced"


def test_a_preset_sets_its_values_and_forgets_the_changes(form: SettingsForm, qtbot: QtBot) -> None:
    retype(qtbot, field(form, "steps"), "77")
    combo = form.findChild(QComboBox, "preset_combo")
    combo.setFocus()
    qtbot.keyClicks(combo, "Be")
    combo.activated.emit(combo.currentIndex())
    assert form.model() == Example(steps=5000, rate=1e-4)
    assert [combo.itemText(i) for i in range(combo.count())] == ["Quick check", "Balanced", "Best"]


def test_only_basic_rows_show_until_all_parameters_is_opened(form: SettingsForm, qtbot: QtBot) -> None:
    def visible() -> set[str]:
        return {f.name for f in fields_of(Example) if form.findChild(object, f"setting_{f.name}").isVisible()}  # type: ignore[attr-defined]

    basic = {"kind", "steps", "is_closed"}
    assert visible() == basic
    qtbot.mouseClick(form.findChild(FoldButton, "all_parameters"), Qt.MouseButton.LeftButton)
    general = {f.name for f in fields_of(Example)} - {"name"}
    assert visible() == general
    qtbot.keyClicks(form.findChild(QLineEdit, "settings_search"), "net")
    assert visible() == {"name"}, "a search opens closed groups"
    form.findChild(QLineEdit, "settings_search").clear()
    assert visible() == general, "and closing it puts them back"
    qtbot.mouseClick(form.findChild(FoldButton, "group_general"), Qt.MouseButton.LeftButton)
    assert visible() == basic


def test_a_check_box_and_a_choice_answer_to_the_mouse_and_the_keys(form: SettingsForm, qtbot: QtBot) -> None:
    box = form.findChild(object, "setting_is_closed").findChild(QCheckBox)  # type: ignore[attr-defined]
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton)
    combo = form.findChild(object, "setting_kind").findChild(QComboBox)  # type: ignore[attr-defined]
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert (form.values()["is_closed"], form.values()["kind"]) == (False, "sharp-edged")
    assert combo.currentText() == "Sharp-edged"


def test_the_arrow_keys_step_a_number_and_stop_at_its_limits(form: SettingsForm, qtbot: QtBot) -> None:
    number = field(form, "steps")
    number.setFocus()
    qtbot.keyClick(number, Qt.Key.Key_Up)
    assert form.values()["steps"] == 110
    form.set_values({"steps": 50_000})
    qtbot.keyClick(number, Qt.Key.Key_Up)
    assert form.values()["steps"] == 50_000


def test_the_slider_moves_the_number_over_decades(form: SettingsForm) -> None:
    slider = form.findChild(object, "setting_steps").findChild(QSlider)  # type: ignore[attr-defined]
    slider.setValue(slider.maximum())
    assert form.values()["steps"] == 50_000
    slider.setValue(slider.maximum() // 2)
    assert 600 <= form.values()["steps"] <= 800, "the middle is the geometric mean of 10 and 50 000"


def test_tooltips_say_what_a_field_is_its_range_and_its_default(form: SettingsForm) -> None:
    tip = form.findChild(object, "setting_steps").toolTip()  # type: ignore[attr-defined]
    assert "How long to train." in tip and "Range: 10 to 50000 steps" in tip and "Default: 100 steps" in tip


def test_a_field_of_an_unknown_type_is_refused_by_name() -> None:
    class Odd(BaseModel):
        table: dict[str, int] = {}

    with pytest.raises(TypeError, match="dict"):
        fields_of(Odd)


@pytest.mark.parametrize(
    ("value", "text"), [(1e7, "1e7"), (0.1, "0.1"), (1e-4, "0.0001"), (1e-7, "1e-7"), (3, "3"), (None, "")]
)
def test_numbers_are_shown_short_and_exact(value: float | None, text: str) -> None:
    assert number_text(value) == text
    assert value is None or float(text) == value


def test_a_slider_position_and_its_value_are_inverse() -> None:
    for limits in (Limits(0.001, 10.0), Limits(-1.0, 1.0)):
        for step in range(11):
            value = at_fraction(limits, step / 10, is_whole=False)
            assert abs(fraction_of(limits, value) - step / 10) < 0.01


def test_problems_are_named_by_field() -> None:
    assert problems(Example, {"rate": 0, "steps": 1}) == {
        "steps": "Must be at least 10.",
        "rate": "Must be more than 0.",
    }


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.id)
def test_the_settings_of_every_method_have_a_form_and_each_preset_is_valid(
    qtbot: QtBot, method: Method
) -> None:
    form = SettingsForm(method.settings, presets=method.presets, default_preset=method.default_preset)
    qtbot.addWidget(form)
    for name, changes in (method.presets or {"Defaults": {}}).items():
        form.set_preset(name)
        assert form.problem() == "" and form.model() == method.settings(**changes)
    assert all(field.description for field in fields_of(method.settings)), (
        "each has a tooltip that explains it"
    )


def test_each_box_of_a_tuple_says_what_it_is_for(qtbot: QtBot) -> None:
    class Sizes(BaseModel):
        spacing: tuple[float, float, float] | None = Field(
            None, title="Spacing", json_schema_extra={"items": ["columns", "rows", "slices"], "basic": True}
        )
        origin: tuple[float, float, float] | None = Field(None, title="Origin", json_schema_extra=BASIC)

    form = SettingsForm(Sizes)
    qtbot.addWidget(form)
    boxes = form.findChildren(NumberField)
    assert [box.lineEdit().placeholderText() for box in boxes] == ["columns", "rows", "slices", *"XYZ"]
    assert [box.accessibleName() for box in boxes][1] == "Spacing, rows"


def test_a_whole_number_gets_a_slider_where_its_field_asks_for_one(qtbot):
    class Sizes(BaseModel):
        fine: int = Field(100, ge=64, le=1024, json_schema_extra={"slider": True})
        plain: int = Field(100, ge=64, le=1024)

    form = SettingsForm(Sizes)
    qtbot.addWidget(form)
    titles = [slider.accessibleName() for slider in form.findChildren(QSlider)]
    assert titles == ["Fine, slider"]


def test_a_text_with_suggestions_takes_one_of_them_or_any_other(qtbot):
    class Networks(BaseModel):
        depth: str = Field("small", json_schema_extra={"suggestions": ["small", "large"], "basic": True})

    form = SettingsForm(Networks)
    qtbot.addWidget(form)
    form.show()
    combo = next(box for box in form.findChildren(QComboBox) if box.isEditable())
    assert combo.currentText() == "small" and [combo.itemText(i) for i in range(combo.count())] == [
        "small",
        "large",
    ]
    combo.setCurrentIndex(1)
    assert form.values()["depth"] == "large"
    line = combo.lineEdit()
    line.clear()
    qtbot.keyClicks(line, "/my/network")
    assert form.values()["depth"] == "/my/network"


def test_a_folder_is_typed_or_chosen(qtbot):
    class Masks(BaseModel):
        masks: str = Field("", json_schema_extra={"metavar": "FOLDER", "basic": True})

    form = SettingsForm(Masks)
    qtbot.addWidget(form)
    editor = form.findChild(FolderEditor)
    asked = []
    editor.pick = lambda parent, title, start: asked.append((title, start)) or "/my/masks"
    button = editor.findChild(QToolButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert form.values()["masks"] == "/my/masks" and asked == [("Masks", "")]
    editor.pick = lambda *_: ""
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert form.values()["masks"] == "/my/masks", "nothing was chosen"
