"""What a settings model says about its fields, read for a form: kind, limits, words, and what is wrong."""

from __future__ import annotations

import html
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

Kind = Literal["bool", "int", "float", "choice", "text", "tuple"]


@dataclass(frozen=True)
class Limits:
    """The range of a number; an exclusive bound is one that the value may not reach."""

    low: float | None = None
    high: float | None = None
    is_low_exclusive: bool = False
    is_high_exclusive: bool = False

    @property
    def is_bounded(self) -> bool:
        return self.low is not None and self.high is not None

    @property
    def is_wide(self) -> bool:
        """Whether the range spans decades, so that a slider over it must be logarithmic."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 and self.high / self.low >= 100

    def words(self) -> str:
        """The range as a person says it: "1 to 10", "more than 0"; empty without limits."""
        low = (
            None
            if self.low is None
            else f"{'more than' if self.is_low_exclusive else 'at least'} {self.low:g}"
        )
        high = (
            None
            if self.high is None
            else f"{'less than' if self.is_high_exclusive else 'at most'} {self.high:g}"
        )
        if self.is_bounded and not self.is_low_exclusive and not self.is_high_exclusive:
            return f"{self.low:g} to {self.high:g}"
        return " and ".join(part for part in (low, high) if part)


@dataclass(frozen=True)
class SettingField:
    """One row of a form.

    choices: the values of a "choice" field in order, with their words. item: the kind of a tuple's items;
    length: their number, None where it is free; item_words: what each of them is. none_text: what an optional field says when it is
    empty. has_slider: None where the range decides. suggestions: of a text that may be something else too. is_folder: a
    text that is the path of a folder.
    """

    name: str
    title: str
    description: str
    kind: Kind
    default: Any
    limits: Limits = Limits()
    unit: str = ""
    is_basic: bool = False
    is_optional: bool = False
    group: str = "General"
    choices: tuple[tuple[Any, str], ...] = ()
    item: Kind | None = None
    length: int | None = None
    item_words: tuple[str, ...] = ()
    none_text: str = "Automatic"
    has_slider: bool | None = None
    suggestions: tuple[str, ...] = ()
    is_folder: bool = False

    def shown(self, value: Any) -> str:
        """A value in words, for tooltips."""
        if value is None:
            return self.none_text
        if self.kind == "bool":
            return "on" if value else "off"
        if self.kind == "choice":
            return next((words for choice, words in self.choices if choice == value), str(value))
        if self.kind == "tuple":
            return ", ".join(_number_text(item) for item in value) or self.none_text
        return f"{_number_text(value)} {self.unit}".rstrip()

    def tooltip(self) -> str:
        """What the field does, its range and its default, as rich text so that it wraps."""
        lines = [self.description or self.title]
        if self.limits.words():
            lines.append(f"Range: {self.limits.words()} {self.unit}".rstrip())
        lines.append(f"Default: {self.shown(self.default)}")
        return "<p>" + "<br>".join(html.escape(line) for line in lines) + "</p>"


def fields_of(model_type: type[BaseModel]) -> tuple[SettingField, ...]:
    """The fields of a settings model in their order. Raises TypeError for a kind that a form cannot show."""
    return tuple(_field(name, info) for name, info in model_type.model_fields.items())


def problems(model_type: type[BaseModel], values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with values: field name → sentence; "" holds what concerns several fields."""
    try:
        model_type(**values)
    except ValidationError as error:
        found: dict[str, str] = {}
        for detail in error.errors():
            name = str(detail["loc"][0]) if detail["loc"] else ""
            found.setdefault(name, _sentence(detail["type"], detail["msg"], detail.get("ctx", {})))
        return found
    return {}


def _field(name: str, info: FieldInfo) -> SettingField:
    annotation, constraints, is_optional = _unwrap(info.annotation)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, Mapping) else {}
    kind, choices = _kind_of(annotation)
    group, title = _group_and_title(info.title or name.replace("_", " ").capitalize())
    item, length, item_constraints = _items_of(annotation) if kind == "tuple" else (None, None, [])
    return SettingField(
        name=name,
        title=title,
        description=" ".join((info.description or "").split()),
        kind=kind,
        default=info.get_default(call_default_factory=True),
        limits=_limits([*info.metadata, *constraints, *item_constraints]),
        unit=str(extra.get("unit", "")),
        is_basic=bool(extra.get("basic", False)),
        is_optional=is_optional,
        group=str(extra.get("group", group)),
        choices=_worded(choices, extra.get("choices")),
        item=item,
        length=length,
        item_words=_item_words(extra.get("items"), length),
        none_text=str(extra.get("none", "Automatic")),
        has_slider=extra.get("slider"),  # type: ignore[arg-type]
        suggestions=_texts(extra.get("suggestions")),
        is_folder=extra.get("metavar") == "FOLDER",
    )


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(map(str, values)) if isinstance(values, Sequence) and not isinstance(values, str) else ()


def _item_words(words: Any, length: int | None) -> tuple[str, ...]:
    """What each item of a tuple of known length is: as the model says, or X, Y, Z, or its number."""
    if isinstance(words, Sequence) and len(words) == length:
        return tuple(str(word) for word in words)
    return tuple("XYZ") if length == 3 else tuple(str(i + 1) for i in range(length or 0))


def _group_and_title(title: str) -> tuple[str, str]:
    """A title such as "OReX: iterations" names its group itself."""
    group, separator, rest = title.partition(": ")
    return (group, rest[:1].upper() + rest[1:]) if separator else ("General", title)


def _unwrap(annotation: Any) -> tuple[Any, list[Any], bool]:
    """The bare type inside Annotated and Optional, the constraints found on the way, and whether optional."""
    constraints: list[Any] = []
    is_optional = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *found = get_args(annotation)
            constraints += found
        elif origin in (Union, types.UnionType) and type(None) in get_args(annotation):
            rest = [arg for arg in get_args(annotation) if arg is not type(None)]
            annotation = rest[0] if len(rest) == 1 else Union[tuple(rest)]  # noqa: UP007
            is_optional = True
        else:
            return annotation, constraints, is_optional


def _kind_of(annotation: Any) -> tuple[Kind, tuple[Any, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if get_origin(annotation) is tuple:
        return "tuple", ()
    if get_origin(annotation) in (Union, types.UnionType) and set(get_args(annotation)) == {int, float}:
        return "float", ()
    if isinstance(annotation, type):
        if issubclass(annotation, Enum):
            return "choice", tuple(annotation)
        for kind, bare in (("bool", bool), ("int", int), ("float", float), ("text", str)):
            if issubclass(annotation, bare):
                return kind, ()  # type: ignore[return-value]
    raise TypeError(f"a settings form cannot show a field of type {annotation}")


def _items_of(annotation: Any) -> tuple[Kind, int | None, list[Any]]:
    """Kind of a tuple's items, their number or None, and the constraints on each."""
    args = get_args(annotation)
    bare, constraints, _ = _unwrap(args[0])
    kind, _ = _kind_of(bare)
    if kind not in ("int", "float", "text"):
        raise TypeError(f"a settings form cannot show a tuple of {bare}")
    return kind, None if args[-1] is Ellipsis else len(args), constraints


def _limits(constraints: list[Any]) -> Limits:
    found: dict[str, float] = {}
    for constraint in constraints:
        sources = constraint.metadata if isinstance(constraint, FieldInfo) else [constraint]
        for source in sources:
            for key in ("ge", "gt", "le", "lt"):
                if getattr(source, key, None) is not None:
                    found[key] = float(getattr(source, key))
    return Limits(
        low=found.get("ge", found.get("gt")),
        high=found.get("le", found.get("lt")),
        is_low_exclusive="gt" in found and "ge" not in found,
        is_high_exclusive="lt" in found and "le" not in found,
    )


def _worded(choices: tuple[Any, ...], words: Any) -> tuple[tuple[Any, str], ...]:
    """Each choice with its words: those given, else the value itself made readable."""
    given = words if isinstance(words, Mapping) else {}
    return tuple((choice, str(given.get(str(choice), _readable(choice)))) for choice in choices)


def _readable(choice: Any) -> str:
    text = str(choice.value if isinstance(choice, Enum) else choice).replace("_", " ")
    return text[:1].upper() + text[1:] if text.islower() else text


def _number_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sentence(kind: str, message: str, context: Mapping[str, Any]) -> str:
    """Pydantic's complaint in the words of the form."""
    bounds = {
        "greater_than_equal": ("at least", "ge"),
        "greater_than": ("more than", "gt"),
        "less_than_equal": ("at most", "le"),
        "less_than": ("less than", "lt"),
    }
    if kind in bounds:
        word, key = bounds[kind]
        return f"Must be {word} {context[key]:g}."
    if kind.endswith("_parsing") or kind.endswith("_type"):
        return "Type a whole number." if kind.startswith("int") else "Type a number."
    if kind == "int_from_float":
        return "Must be a whole number."
    if kind in ("too_short", "too_long", "missing") and "actual_length" in context:
        return f"Needs {context.get('min_length', context.get('max_length'))} values."
    if kind == "missing":
        return "Needs a value here."
    text = message.removeprefix("Value error, ").strip()
    return text if text.endswith(".") else f"{text}."
