"""One entry of the table of everything that menus, tool bar, keys and command palette offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ActionSpec:
    """One entry.

    function: dotted name of a method below the window, for example "files.save"; it is called without
    arguments, or with the new state when is_checkable. words: what else a person may call it. needs: names of
    conditions (see `Conditions`), all of which must hold. group: entries of which one is checked at a time.
    """

    id: str
    text: str
    menu: str
    function: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    words: str = ""
    needs: tuple[str, ...] = ()
    is_checkable: bool = False
    group: str = ""
    starts_section: bool = False


def entry(id: str, text: str, menu: str, function: str, **more: Any) -> ActionSpec:
    """An entry, its first four fields in order."""
    return ActionSpec(id, text, menu, function, **more)
