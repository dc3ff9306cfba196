"""What the description of a run asks for: its method, its inputs and the device."""

from __future__ import annotations

import importlib
import shutil
from contextlib import suppress

import recon
from recon import formats
from recon.errors import InputError, SettingsError
from recon.formats import native
from recon.method import Method
from recon.run_folder import RunFolder
from render.scene_data import SceneData


def find_method(name: str) -> Method:
    """A method by its id, or by "package.module:NAME" where it is not in the menu. Raises SettingsError."""
    module, colon, attribute = name.partition(":")
    if not colon:
        return recon.method_by_id(name)
    found = getattr(importlib.import_module(module), attribute, None)
    if not isinstance(found, Method):
        raise SettingsError(f"There is no method at {name}.", "Check the run's description.")
    return found


def read_inputs(folder: RunFolder, method: Method) -> dict[str, SceneData | None]:
    """Slot name → data for every slot of a method. Raises FormatError, InputError."""
    paths = folder.input_paths()
    inputs: dict[str, SceneData | None] = {}
    for slot in method.inputs:
        if slot.name not in paths:
            if not slot.optional:
                raise InputError(
                    f"{method.title} needs {slot.title.lower()}.", "Choose them and start again."
                )
            inputs[slot.name] = None
            continue
        path = paths[slot.name]
        data = native.read(path) if path.suffix == ".npz" else formats.read(path, wanted=slot.kind).data
        if not slot.fits(data):
            raise InputError(
                f"{path.name} does not hold {slot.title.lower()}.", f"Choose {slot.title.lower()} instead."
            )
        inputs[slot.name] = data
    return inputs


def choose_device(wish: str) -> str:
    """ "cpu" or "cuda" for "auto", "cpu" or "cuda". Raises SettingsError for a GPU that is not there."""
    if wish == "cpu":
        return "cpu"
    if wish != "auto" and not wish.startswith("cuda"):
        raise SettingsError(f"There is no device {wish!r}.", "Choose auto, cpu or cuda.")
    # Asking torch costs seconds, so it is asked only where there may be a GPU.
    if shutil.which("nvidia-smi") or wish != "auto":
        with suppress(ImportError):
            torch = importlib.import_module("torch")
            if torch.cuda.is_available():
                return "cuda" if wish == "auto" else wish
    if wish == "auto":
        return "cpu"
    raise SettingsError("No CUDA device was found.", "Choose the device cpu; the result is the same, later.")
