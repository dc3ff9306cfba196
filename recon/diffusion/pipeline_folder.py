"""What a folder of a pipeline of diffusers says about itself, without loading it. Light to import."""

from __future__ import annotations

import json
from pathlib import Path

from recon.diffusion import PainterKind
from recon.errors import MissingModel

DAMAGED = "Check that the folder holds all of its files (model_index.json and a folder for each network), or fetch it anew."


def check_folder(folder: Path, kind: PainterKind) -> None:
    """Raises MissingModel where a folder holds no pipeline."""
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        name = str(index["_class_name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingModel(f"The network in {folder} cannot be loaded.", DAMAGED, str(error)) from error
    if _family(kind.pipeline) not in ("", _family(name)):
        raise MissingModel(
            f"The folder {folder.name} holds {name}, which {kind.label.removesuffix(', local')} cannot run.",
            f"Choose a folder with {kind.pipeline}, or leave the model out for {kind.model}.",
        )


def _family(pipeline: str) -> str:
    """How names of pipelines with the same networks begin; "" for those that take many."""
    if pipeline.startswith("AutoPipeline"):
        return ""
    starts = (
        "StableDiffusionXL",
        "StableDiffusion3",
        "StableDiffusion",
        "FluxKontext",
        "FluxFill",
        "QwenImageEdit",
    )
    return next((start for start in starts if pipeline.startswith(start)), pipeline)
