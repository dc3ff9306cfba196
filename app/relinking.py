"""Giving layers of a project the files again that were not found, without the window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app import image_places, project_folder
from app.layers import Layer, Missing
from recon.errors import ReconError


@dataclass(frozen=True)
class Found:
    """A lost layer with the place that was found for it.

    layer: as it will be, or as it was where `problem` tells why it cannot be. difference: how the file differs
    from the one that was lost, empty where it is the same.
    """

    layer: Layer
    place: Path
    difference: str = ""
    problem: str = ""


def is_lost(layer: Layer) -> bool:
    """Whether a layer's file was not found, or the pictures that it refers to."""
    return isinstance(layer.data, Missing) or image_places.are_lost(layer.data)


def wanted(layer: Layer) -> Path:
    """What a lost layer looks for: its file, or the folder of its pictures."""
    images = image_places.images_of(layer.data)
    if images is not None:
        return Path(images.folder)
    return layer.source.path if layer.source is not None else Path(layer.name)


def find(layer: Layer, places: Sequence[Path]) -> Found | None:
    """Look for what a lost layer needs in files and folders; the same content goes before the same name."""
    best: Found | None = None
    for place in _candidates(layer, places):
        found = _linked(layer, place)
        if found.problem == "" and found.difference == "":
            return found
        if best is None or (best.problem and not found.problem):
            best = found
    return best


def _candidates(layer: Layer, places: Sequence[Path]) -> Iterator[Path]:
    """Files of the right name, or the places themselves for pictures; a single file counts by any name."""
    name = wanted(layer).name
    for place in places:
        if not isinstance(layer.data, Missing):
            yield place
            continue
        if place.is_file():
            if place.name == name or len(places) == 1:
                yield place
            continue
        if place.name == name:
            yield place
        yield from sorted(place.rglob(name))


def _linked(layer: Layer, place: Path) -> Found:
    try:
        if isinstance(layer.data, Missing):
            difference = project_folder.difference(layer, place)
            return Found(project_folder.relinked(layer, place), place, difference)
        data = image_places.relocated(layer.data, place)
        images = image_places.images_of(data)
        assert images is not None
        number = image_places.num_found(Path(images.folder), images)
        difference = "" if number == len(images) else f"{number} of {len(images)} images are here."
        return Found(replace(layer, data=data), Path(images.folder), difference)
    except (ReconError, OSError) as error:
        sentence = error.sentence if isinstance(error, ReconError) else str(error)
        return Found(layer, place, problem=sentence)
