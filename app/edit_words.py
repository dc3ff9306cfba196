"""Edits by words, in words: what a sentence asks for, what an edit changed, and what made it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from app.data_words import counted, number
from app.layers import Layer, Origin
from app.scene_edit_words import consistency_words
from recon.errors import InputError
from recon.method import Method
from recon.romap.changes import Adjust, Change, Cover, Delete, Move, Recolor, Rotate, Scale
from recon.romap.color_names import color_of, named_colors
from recon.romap.instruction import parse_instruction
from widgets.prompt_words import PromptWord

_LONGEST_TITLE = 48
_WRITTEN_TOGETHER = re.compile(
    "^(dark|light|medium|pale|deep|hot|midnight|royal|sky|sea|forest|lime)(?=[a-z])"
)
NOTHING_TO_SEE = 1 / 255  # largest change of a pixel that nobody sees
PART_IDEAS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Colour", ("dark red", "pastel blue", "darker", "more colourful", "greyscale")),
    ("Material", ("denim", "gold", "wood", "marble", "dark green leather", "camouflage")),
    ("Size and place", ("twice as big", "10 % smaller", "move up by 10 %", "rotate 30 degrees")),
    ("Other", ("delete", "translucent")),
)  # fmt: skip
SCENE_IDEAS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Season and weather", ("winter", "autumn", "foggy", "rainy")),
    ("Light", ("night", "golden hour", "warmer and brighter")),
    ("Style", ("oil painting", "pencil drawing", "black and white")),
)  # fmt: skip


def prompt_field(method: Method) -> str:
    """The setting that a method takes words in; "" for one that takes none."""
    return next((name for name in ("instruction", "prompt") if name in method.settings.model_fields), "")


def prompt_of(origin: Origin | None) -> str:
    """The words that a layer was made by; "" for none."""
    if origin is None:
        return ""
    return str(origin.settings.get("instruction") or origin.settings.get("prompt") or "").strip()


def has_seed(origin: Origin | None) -> bool:
    """Whether another seed makes another edit: not of pictures that were edited elsewhere, which are as they are."""
    settings = {} if origin is None else origin.settings
    is_of_pictures = settings.get("editor") == "folder" or settings.get("anchors") or settings.get("style")
    return bool(prompt_of(origin)) and not is_of_pictures


def editor_of(origin: Origin | None) -> str:
    """What kind of editor made a layer, as its method says: "Built-in effects (rule-based, not AI)"."""
    return "" if origin is None else str(origin.figures.get("label") or origin.figures.get("editor") or "")


def short(text: str) -> str:
    """A sentence as a title."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1].rstrip()}…"


def what_made(layer: Layer) -> str:
    """What a version was made by, as a title: its words, or that it was pictures."""
    prompt = prompt_of(layer.origin)
    if prompt or layer.origin is None:
        return f"“{short(prompt)}”"
    folder = Path(str(layer.origin.settings.get("anchors", "")))
    return "painted views" if folder.parent.name == layer.origin.run else "edited pictures"


def part_words(text: str, part_name: str) -> tuple[list[PromptWord], str, str]:
    """What a sentence about a part asks for, word by word; and why it asks for nothing, and what to say instead."""
    if not text.strip():
        return [], "", ""
    try:
        wish = parse_instruction(text, part_name)
    except InputError as error:
        return [], error.sentence, error.advice
    known = [PromptWord(change_words(change)) for change in wish.changes]
    return [*known, *(PromptWord(word, is_known=False) for word in wish.unknown)], "", ""


def scene_words(text: str) -> tuple[list[PromptWord], str, str]:
    """The same of a sentence about a whole scene."""
    from recon.dn2n.editors import parse_prompt

    if not text.strip():
        return [], "", ""
    try:
        prompt = parse_prompt(text)
    except InputError as error:
        return [], error.sentence, error.advice
    known = [PromptWord(each.phrase) for each in prompt.operations]
    meant = dict(prompt.hints)
    tips = {word: f"Not understood and left out. Did you mean “{meant[word]}”?" for word in meant}
    unknown = [PromptWord(word, is_known=False, tip=tips.get(word, "")) for word in prompt.unknown]
    return [*known, *unknown], "", ""


def change_words(change: Change) -> str:
    """One change of a part: "colour dark red", "material denim", "size × 2"."""
    match change:
        case Recolor():
            return f"colour {change.name}"
        case Cover():
            tinted = "" if change.color is None else f" in {_color_name(change.color)}"
            return f"material {change.material}{tinted}"
        case Delete():
            return "delete"
        case Scale():
            return f"size × {change.factor:.3g}"
        case Move():
            unit = {"size": " % of its size", "unit": " units"}.get(change.unit, f" {change.unit}")
            amount = change.amount * (100 if change.unit == "size" else 1)
            return f"move {change.direction} {amount:.3g}{unit}"
        case Rotate():
            return f"turn {change.degrees:.3g}° about {change.axis}"
        case Adjust():
            return _adjust_words(change)


def changed_words(figures: Mapping[str, Any]) -> str:
    """How much an edit changed: "Changed 1 240 splats, outside the part 0"; of a whole scene the mean change of its
    views, and how far these agree; "" where nobody counted."""
    if "changed" not in figures:
        agreement = consistency_words(figures)
        change = f"Mean change {100 * float(figures['change']):.2g} %" if "change" in figures else ""
        return ". ".join(filter(None, (change, agreement)))
    changed = counted(int(figures["changed"]), "splat")
    more = [f"{verb} {number(int(figures[key]))}" for key, verb in (("added", "added"), ("removed", "removed"))
            if figures.get(key)]  # fmt: skip
    outside = f"outside the part {number(int(figures.get('changed_outside', 0)))}"
    return ", ".join([f"Changed {changed}", *more, outside])


def is_invisible(figures: Mapping[str, Any]) -> bool:
    """Whether nobody sees what an edit changed."""
    return float(figures.get("visible_change", figures.get("change", 1.0))) < NOTHING_TO_SEE


def notes_of(origin: Origin | None) -> list[str]:
    """What was taken for granted, or left out."""
    notes = [] if origin is None else origin.figures.get("notes", ())
    return [str(note) for note in notes if not str(note).startswith("No visible change")]


def provenance_rows(origin: Origin) -> list[tuple[str, str]]:
    """Rows about how an edit was made, for the panel of properties; none for other layers."""
    figures, settings = origin.figures, origin.settings
    rows = [("Prompt", prompt_of(origin)), ("Editor", editor_of(origin))]
    rows += [
        (label, str(figures.get(key) or ""))
        for label, key in (("Model", "model"), ("Model’s hash", "model_hash"))
    ]
    if settings.get("anchors"):
        rows.append(("Edited pictures", str(settings["anchors"])))
    if prompt_of(origin) and "strength" in settings:
        rows.append(("Strength", f"{100 * float(settings['strength']):.0f} %"))
    return [(label, value) for label, value in rows if value]


def provenance(layer: Layer) -> dict[str, Any]:
    """How a layer was made, as JSON values for files written from it; empty where nobody knows."""
    origin = layer.origin
    if origin is None:
        return {}
    keys = ("model", "model_hash", "changed", "changed_outside")
    told = {key: origin.figures[key] for key in keys if origin.figures.get(key) not in (None, "")}
    told |= {"editor": editor_of(origin)} if editor_of(origin) else {}
    prompt = {"prompt": prompt_of(origin)} if prompt_of(origin) else {}
    settings = {key: value for key, value in origin.settings.items() if value not in ("", None)}
    return {
        "method": origin.method,
        **prompt,
        "seed": origin.seed,
        **told,
        "settings": settings,
        "run": origin.run,
    }


def time_words(asked: str) -> str:
    """A moment (ISO 8601) as one remembers it: the time of today, or the day."""
    try:
        when = datetime.fromisoformat(asked)
    except ValueError:
        return ""
    return f"{when:%H:%M}" if when.date() == datetime.now().date() else f"{when:%-d %B %Y, %H:%M}"


def _color_name(color: tuple[float, float, float]) -> str:
    name = next((name for name, value in named_colors().items() if value == color and color_of(name)), "")
    name = _WRITTEN_TOGETHER.sub(r"\1 ", name)
    return name or "#" + "".join(f"{round(255 * channel):02x}" for channel in color)


def _adjust_words(change: Adjust) -> str:
    words = [
        f"{title} × {value:.3g}"
        for title, value in (
            ("brightness", change.brightness), ("saturation", change.saturation),
            ("contrast", change.contrast), ("opacity", change.opacity),
        )
        if value != 1
    ]  # fmt: skip
    return ", ".join(words) or "no change"
