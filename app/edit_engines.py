"""Who can make an edit by words: the built-in effects, or a network where a method offers one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from app.edit_words import prompt_field
from recon.diffusion import PAINTERS
from recon.dn2n.editors import EDITORS, EditorKind
from recon.method import Method
from recon.romap import BUILT_IN
from widgets.prompt_settings import Engine

_FIELD = "editor"  # the setting in which a method says who edits
_BUILT_IN_IDS = ("", "procedural", "built-in", "words")
_BY_BUTTON = ("folder", "anchors")  # pictures edited elsewhere have a button of their own
_RULES = "Changes by fixed rules that are told below the sentence. Needs no network and takes a moment."


def edit_methods(methods: Sequence[Method]) -> tuple[Method, ...]:
    """The methods that change what there is, as words ask for."""
    return tuple(method for method in methods if method.edits and prompt_field(method))


def engines_of(method: Method) -> tuple[Engine, ...]:
    """Who can make edits by this method, the built-in effects first."""
    field = method.settings.model_fields.get(_FIELD)
    if field is None:
        return (Engine("", BUILT_IN, _RULES),)
    named = [str(each) for each in get_args(field.annotation)]
    kinds = {kind.id: kind for kind in EDITORS if not named or kind.id in named}
    ids = list(dict.fromkeys([*kinds, *named]))
    built_in = next((each for each in ids if each in _BUILT_IN_IDS), "")
    others = [each for each in ids if each not in (*_BUILT_IN_IDS, *_BY_BUTTON)]
    return (Engine(built_in, BUILT_IN, _RULES), *(_engine(each, kinds.get(each)) for each in others))


def needs_picture(engine: str) -> bool:
    """Whether it takes its colours from a picture that a person chooses, in place of words."""
    return any(kind.id == engine and kind.needs == "picture" for kind in EDITORS)


def with_engine(method: Method, engine: str) -> dict[str, Any]:
    """The settings that choose it."""
    return {_FIELD: engine} if _FIELD in method.settings.model_fields and engine else {}


def engine_in(settings: Mapping[str, Any]) -> str:
    """Who made an edit with these settings."""
    return str(settings.get(_FIELD, ""))


def is_instant(method: Method, settings: Mapping[str, Any]) -> bool:
    """Whether an edit takes a moment and imports nothing heavy, so that it need not wait for a process of its own."""
    return method.id == "romap.edit" and is_by_rules(engine_in(settings)) and not settings.get("anchors")


def is_network(engine: str) -> bool:
    """Whether it is a network, which is slow to load and never loaded by the window itself."""
    return engine in PAINTERS


def is_by_rules(engine: str) -> bool:
    """Whether it is the built-in effects, which do what they understand of a sentence; a network takes it whole."""
    return engine in _BUILT_IN_IDS


def _engine(engine_id: str, kind: EditorKind | None) -> Engine:
    if kind is not None and kind.needs != "network":
        return Engine(engine_id, f"{kind.title} (rule-based, not AI)", kind.sentence)
    painter = PAINTERS.get(engine_id)
    name = painter.label.removesuffix(", local") if painter is not None else engine_id
    title = kind.title if kind is not None else name
    sentence = kind.sentence if kind is not None else ""
    return Engine(engine_id, f"{title} (network)", f"{sentence} {_OF_NETWORKS}".strip(), is_network=True)


_OF_NETWORKS = "A network that must be on this machine. It is never downloaded by itself."
