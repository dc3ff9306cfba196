"""The networks themselves: a picture in, depth or normals out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.errors import InputError, MissingModel, OutOfMemory
from render.images import DepthKind

# Of model types of transformers, where neither the table nor the settings tell.
_KIND_OF_TYPE: dict[str, DepthKind] = {
    "depth_anything": "disparity", "depth_pro": "metric", "zoedepth": "metric", "dpt": "disparity", "glpn": "metric",
    "prompt_depth_anything": "metric",
}  # fmt: skip


def kind_of_network(folder: Path) -> DepthKind:
    """What the depth of a network means, by its config.json. Raises InputError where this does not tell."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(folder, error) from error
    if config.get("depth_estimation_type") == "metric":
        return "metric"
    if config.get("model_type") not in _KIND_OF_TYPE:
        raise InputError(
            f"What the depth of the network in {folder.name} means is not known.",
            "Set the kind of depth: metric, depth or disparity.",
        )
    return _KIND_OF_TYPE[config["model_type"]]


class DepthNetwork:
    """A depth-estimation pipeline of transformers. Raises MissingModel where its folder cannot be loaded."""

    def __init__(self, folder: Path, device: str) -> None:
        try:
            from transformers import pipeline
        except ImportError as error:
            raise _not_installed("transformers") from error
        try:
            self._pipeline: Any = pipeline("depth-estimation", model=str(folder), device=device)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise _unusable(folder, error) from error

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) the network's numbers for a picture (H, W, 3)."""
        found = _guarded(self._pipeline, Image.fromarray(rgb))["predicted_depth"]
        depth = np.asarray(found.float().cpu().numpy(), np.float32).squeeze()
        if depth.shape != rgb.shape[:2]:
            depth = np.asarray(Image.fromarray(depth).resize(rgb.shape[1::-1], Image.Resampling.BILINEAR))
        return depth


class NormalNetwork:
    """A Marigold normals pipeline of diffusers. Raises MissingModel where its folder cannot be loaded."""

    def __init__(self, folder: Path, device: str, steps: int, seed: int) -> None:
        try:
            import torch
            from diffusers import MarigoldNormalsPipeline
        except ImportError as error:
            raise _not_installed("diffusers") from error
        try:
            self._pipeline: Any = MarigoldNormalsPipeline.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise _unusable(folder, error) from error
        self._pipeline.to(device)
        self._pipeline.set_progress_bar_config(disable=True)
        self._steps, self._seed, self._torch = steps, seed, torch

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W, 3) unit normals in the network's own axes for a picture (H, W, 3)."""
        generator = self._torch.Generator().manual_seed(self._seed)
        found = _guarded(
            self._pipeline, Image.fromarray(rgb), num_inference_steps=self._steps, generator=generator,
            output_type="np",
        )  # fmt: skip
        normals = np.asarray(found.prediction[0], np.float32)
        length = np.linalg.norm(normals, axis=-1, keepdims=True)
        return np.asarray(normals / np.maximum(length, 1e-6), np.float32)


def _guarded(pipeline: Any, *arguments: Any, **options: Any) -> Any:
    import torch

    try:
        with torch.inference_mode():
            return pipeline(*arguments, **options)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(
            "There is not enough memory for this network.",
            "Choose a smaller image size or a smaller network.",
        ) from error


def _not_installed(package: str) -> MissingModel:
    return MissingModel(
        f"The package {package} is not installed, which runs the network.",
        'Install it with `pip install "isokiln[diffusion]"`.',
    )


def _unusable(folder: Path, error: Exception) -> MissingModel:
    return MissingModel(
        f"The network in {folder} cannot be loaded.",
        "Check that the folder holds all of its files (config.json, the processor's and the weights), or fetch it anew.",
        str(error),
    )
