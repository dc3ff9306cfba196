"""Command line options from a pydantic model, and the model's values back from what was given."""

from __future__ import annotations

import argparse
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from recon.errors import SettingsError

Model = TypeVar("Model", bound=BaseModel)


def add_model_options(
    parser: argparse.ArgumentParser, model: type[BaseModel], title: str, prefix: str = ""
) -> None:
    """One option for each field, named as the field with dashes; `prefix` such as "read-" goes before."""
    group = parser.add_argument_group(title)
    for name, info in model.model_fields.items():
        group.add_argument(
            f"--{prefix}{name.replace('_', '-')}",
            dest=f"{prefix}{name}",
            default=argparse.SUPPRESS,
            help=_help(info),
            **_parsing(info),
        )


def given_values(options: argparse.Namespace, model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Field → what was given on the command line; fields that were not given are left out."""
    given = vars(options)
    return {name: given[prefix + name] for name in model.model_fields if prefix + name in given}


def model_from(options: argparse.Namespace, model: type[Model], prefix: str = "") -> Model:
    """The model with the given values. Raises SettingsError that names the option."""
    return make_model(model, given_values(options, model, prefix), prefix)


def make_model(model: type[Model], values: Mapping[str, Any], prefix: str = "") -> Model:
    """The model with these values. Raises SettingsError that names the option."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        option = f"--{prefix}{str(first['loc'][0]).replace('_', '-')}" if first["loc"] else "the options"
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(
            f"{option} cannot be {first['input']!r}: {reason}.", "--help shows its range.", str(error)
        ) from error


def _parsing(info: FieldInfo) -> dict[str, Any]:
    """How argparse takes a value of the field's type; pydantic converts and checks it later."""
    annotation = _without_none(info.annotation)
    if annotation is bool:
        return {"action": argparse.BooleanOptionalAction}
    if get_origin(annotation) is Literal:
        return {"choices": get_args(annotation)}
    if get_origin(annotation) is tuple:
        items = get_args(annotation)
        if items[-1] is Ellipsis:
            return {"type": _comma_separated, "metavar": "A,B,…"}
        return {"nargs": len(items), "metavar": tuple("XYZW"[: len(items)])}
    return {"metavar": _extra(info).get("metavar") or {int: "N", float: "X"}.get(annotation, "TEXT")}


def _without_none(annotation: Any) -> Any:
    """The type that stands beside None, and under Annotated."""
    while True:
        if get_origin(annotation) in (Union, types.UnionType):
            annotation = next(each for each in get_args(annotation) if each is not type(None))
        elif hasattr(annotation, "__metadata__"):
            annotation = get_args(annotation)[0]
        elif hasattr(annotation, "__value__"):  # a `type X = …` alias
            annotation = annotation.__value__
        else:
            return annotation


def _comma_separated(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _help(info: FieldInfo) -> str:
    """Description, range, unit and default, with percent signs made safe for argparse."""
    extra = _extra(info)
    default = _plain(info.default)
    notes = [*_range(info), *([str(extra["unit"])] if "unit" in extra else [])]
    if default is not None:
        notes.append(f"default {default}")
    text = " ".join((info.description or info.title or "").split())
    return f"{text} ({', '.join(notes)})".replace("%", "%%") if notes else text.replace("%", "%%")


def _extra(info: FieldInfo) -> Mapping[str, Any]:
    """What a field says of itself beside its type, such as its unit."""
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def _plain(default: Any) -> str | None:
    """A default as one would type it; None where there is none to tell."""
    if default is None or default is PydanticUndefined or default == ():
        return None
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, tuple):
        return " ".join(map(str, default))
    return str(default)


def _range(info: FieldInfo) -> list[str]:
    """The bounds that pydantic will check."""
    bounds = {
        name: value
        for each in info.metadata
        for name in ("ge", "gt", "le", "lt")
        if (value := getattr(each, name, None)) is not None
    }
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    if low is not None and high is not None:
        return [f"{low:g} to {high:g}"]
    if low is not None:
        return [f"at least {low:g}" if "ge" in bounds else f"above {low:g}"]
    return [f"at most {high:g}"] if high is not None else []
