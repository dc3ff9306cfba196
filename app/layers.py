"""What a project is made of, as values: layers, where they came from, and what stands for missing ones."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from render.frame import Frame
from render.gaussians import GaussianCloud, GaussianMarks, without_deleted
from render.scene_data import SceneData


@dataclass(frozen=True)
class Origin:
    """Where a layer came from: a run of a method, or an edit."""

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    inputs: tuple[str, ...] = ()
    run: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A file outside the project that a layer was read from.

    is_embedded: the project holds the data itself, so that the file may go. fingerprint: see
    `project_folder.fingerprint`. options: how it was read.
    """

    path: Path
    num_bytes: int
    fingerprint: str
    options: Mapping[str, Any] = field(default_factory=dict)
    is_embedded: bool = True


@dataclass(frozen=True)
class Missing:
    """Stands for data whose file was not found; its record survives open and save unchanged."""

    kind: str
    record: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Layer:
    """One thing in the project.

    style: display values of the viewport. marks: of Gaussians, what is selected, hidden, locked and deleted among
    them. version_of: id of the layer that it is another edition of, "" for none; is_pending: it waits to be accepted as
    such. extra: unknown keys of its record.
    """

    id: str
    name: str
    data: SceneData | Missing
    style: Mapping[str, Any] = field(default_factory=dict)
    is_locked: bool = False
    origin: Origin | None = None
    source: Source | None = None
    marks: GaussianMarks | None = None
    version_of: str = ""
    is_pending: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> SceneData | Missing:
        """The data as methods and files get them: without deleted Gaussians."""
        return without_deleted(self.data, self.marks) if isinstance(self.data, GaussianCloud) else self.data


def new_layer(name: str, data: SceneData, **fields: Any) -> Layer:
    """A layer with an id of its own."""
    return Layer(uuid.uuid4().hex, name, data, **fields)


def changed(layers: tuple[Layer, ...], layer_id: str, **fields: Any) -> tuple[Layer, ...]:
    """The same layers, with fields of one of them replaced."""
    return tuple(replace(layer, **fields) if layer.id == layer_id else layer for layer in layers)


@dataclass(frozen=True)
class ProjectState:
    """Everything that undo goes back to."""

    layers: tuple[Layer, ...] = ()
    frame: Frame = Frame()
