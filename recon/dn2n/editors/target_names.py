"""Which masks a word of a prompt means: "the red sofas" those called sofa, "the background" what no mask shows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

_REST = frozenset(["background", "backdrop", "surroundings", "rest"])


def masks_called(target: str, masks: Mapping[str, Float]) -> Float | None:
    """The masks, of equal shape, that one of the target's names means, the highest at each place; None where none is.

    target: as prompts have it, several names joined by "and"."""
    found = [mask for name in target.split(" and ") for mask in _called(name, masks)]
    return np.asarray(np.max(found, axis=0), np.float32) if found else None


def unnamed(target: str, masks: Mapping[str, Float]) -> list[str]:
    """The names of a target that no mask has."""
    return [name for name in target.split(" and ") if name and not _called(name, masks)]


def _called(name: str, masks: Mapping[str, Float]) -> list[Float]:
    words = _words(name)
    exact = [mask for key, mask in masks.items() if _words(key) == words]
    head = [mask for key, mask in masks.items() if words and _words(key)[-1:] == words[-1:]]
    if exact or head:
        return exact or head
    if words[-1:] and words[-1] in _REST and masks:
        return [np.asarray(1 - np.max(list(masks.values()), axis=0), np.float32)]
    return []


def _words(name: str) -> list[str]:
    """In lower case, one thing as several."""
    return [_singular(word) for word in name.lower().replace("_", " ").replace("-", " ").split()]


def _singular(word: str) -> str:
    bare = word.removesuffix("'s")
    irregular = {"shelves": "shelf", "leaves": "leaf", "people": "person", "couch": "sofa", "couches": "sofa"}
    if bare in irregular:
        return irregular[bare]
    if bare.endswith(("ches", "shes", "xes", "sses")):
        return bare[:-2]
    return bare[:-1] if bare.endswith("s") and not bare.endswith("ss") else bare
