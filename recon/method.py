"""The one protocol for methods: a value that names an algorithm, which is a generator."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from recon.errors import SettingsError
from render.scene_data import SCENE_DATA_KINDS, SceneData


class Settings(BaseModel):
    """Base of a method's settings: frozen, no unknown keys; each field has a title, description and range.

    The panel, the command line and the saved JSON are made from the fields. A field's unit and whether it
    is shown at once stand in `json_schema_extra={"unit": "mm", "basic": True}`; "metavar" there is what `--help`
    writes for its value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


@dataclass(frozen=True)
class Progress:
    """Where a run stands. step counts from 1 to total within the stage."""

    step: int
    total: int
    stage: str
    losses: Mapping[str, float] = field(default_factory=dict)
    preview: SceneData | None = None


@dataclass(frozen=True)
class Output:
    """One named piece of a result, to become a layer."""

    name: str
    data: SceneData


@dataclass(frozen=True)
class Result:
    """What a run made, in world units, and the figures it reports (JSON values)."""

    outputs: tuple[Output, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)


class StopRequested(Exception):
    """Thrown into a run at a yield when the person stops it.

    A method that can turn what it has into a Result catches this and returns it, yielding progress meanwhile.
    Where it is not caught, the run ends there and its last preview becomes the result.
    """


@dataclass(frozen=True)
class RunContext:
    """What a run may use. The worker fills it; the defaults suit a test that calls a method directly.

    is_preview_due: whether a preview now stays within the preview's share of the time.
    is_checkpoint_due: whether to call save_checkpoint with everything that resuming needs.
    load_checkpoint: the arrays of the last checkpoint, or None for a fresh run.
    folder: an existing folder of this run for files that its result refers to; kept as long as the result.
    """

    device: str = "cpu"
    seed: int = 0
    folder: Path = Path()
    is_preview_due: Callable[[], bool] = lambda: False
    is_checkpoint_due: Callable[[], bool] = lambda: False
    save_checkpoint: Callable[[Mapping[str, NDArray[np.generic]]], None] = lambda arrays: None
    load_checkpoint: Callable[[], dict[str, NDArray[np.generic]] | None] = lambda: None


Run = Generator[Progress, None, Result]


class RunFunction(Protocol):
    def __call__(self, inputs: Any, settings: Any, context: RunContext) -> Run: ...


@dataclass(frozen=True)
class InputSlot:
    """One input of a method: the name of the argument, its kind of scene data and what to call it.

    is_left_empty: nothing is chosen for it unless the person does, as what it changes is seldom meant. needs_photos:
    whether the photos of posed images must be there; else their cameras are enough. also: further kinds that fit.
    """

    name: str
    kind: str  # a key of SCENE_DATA_KINDS
    title: str
    optional: bool = False
    is_left_empty: bool = False
    needs_photos: bool = True
    also: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds of scene data that fit, the usual one first."""
        return self.kind, *self.also

    def fits(self, data: object) -> bool:
        """Whether this is scene data of a kind that fits."""
        return isinstance(data, tuple(SCENE_DATA_KINDS[kind] for kind in self.kinds))


@dataclass(frozen=True)
class Method:
    """A method is a value; its algorithm is imported only in the worker.

    inputs: its slots; `run_at` gets a dict from slot name to scene data. presets: name → changed settings,
    in order from quick to best; the first named by default_preset. run_at: "package.module:function". makes: the
    kind of its first output, a key of SCENE_DATA_KINDS. edits: the slot of which the result is another edition, so
    that it waits beside it to be accepted or rejected; "" for what stands on its own.
    """

    id: str
    title: str
    summary: str
    inputs: tuple[InputSlot, ...]
    settings: type[Settings]
    run_at: str
    paper: str = ""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    default_preset: str = "Balanced"
    makes: str = "mesh"
    edits: str = ""

    def make_settings(self, values: Mapping[str, Any]) -> Settings:
        """The settings with `values` in place of defaults. Raises SettingsError."""
        try:
            return self.settings.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "settings"
            message = first["msg"].removeprefix("Value error, ")
            raise SettingsError(
                f"{self.title}: {name} cannot be {first['input']!r}: {message}.",
                f"The setting's description tells its range; `isokiln run {self.id} --help` shows it too.",
                str(error),
            ) from error

    def load(self) -> RunFunction:
        """Import the algorithm."""
        module, _, function = self.run_at.partition(":")
        run: RunFunction = getattr(importlib.import_module(module), function)
        return run
