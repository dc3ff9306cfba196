"""A pipeline of diffusers from a folder of this machine: loaded, guarded, and let go. Never downloads."""

from __future__ import annotations

import gc
import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from recon.cues.checksums import check_weights, weights_sha256
from recon.cues.models import find_model
from recon.diffusion import PainterKind, PaintOptions
from recon.diffusion.pipeline_folder import DAMAGED, check_folder
from recon.errors import InputError, MissingModel, OutOfMemory

_FULL = 0.8  # share of the GPU's free memory that weights may take before they are offloaded


class LocalPipeline:
    """A pipeline with what results say about it. name: of the model; sha256: of all its weights together.

    Raises MissingModel where it is not on this machine or cannot be loaded, InputError where its files are not those
    that were published, OutOfMemory.
    """

    def __init__(self, kind: PainterKind, model: str, options: PaintOptions, device: str) -> None:
        self.folder, row = find_model(model or kind.model, "edit")
        self.name = row.name if row else self.folder.name
        self.device = device
        check_folder(self.folder, kind)
        weights = _weights(self.folder, _stamp(self.folder))
        check_weights(self.name, dict(weights), row.sha256 if row else {})
        self.sha256 = hashlib.sha256(
            "\n".join(f"{digest}  {file}" for file, digest in weights).encode()
        ).hexdigest()
        with guarded():
            self._pipeline: Any = _loaded(self.folder, kind, _dtype(options, device))
            _place(self._pipeline, device, options, self.folder)

    @property
    def pipeline(self) -> Any:
        """diffusers' object. Raises RuntimeError after close()."""
        if self._pipeline is None:
            raise RuntimeError("the pipeline was closed")
        return self._pipeline

    def close(self) -> None:
        """Let go of the networks and of the GPU's memory."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.remove_all_hooks()
        del pipeline
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


@contextmanager
def guarded() -> Iterator[None]:
    """Turns running out of memory into OutOfMemory, which says what to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(error) from error
    except RuntimeError as error:
        if "not enough memory" in str(error) or "out of memory" in str(error):
            raise _out_of_memory(error) from error
        raise


def check_finite(values: torch.Tensor) -> torch.Tensor:
    """The same values. Raises InputError where one is no number."""
    if not bool(torch.isfinite(values).all()):
        raise InputError(
            "The network returned numbers that are no colours (NaN).",
            "Try full precision (precision=float32), lower guidance or another seed, or fetch its files anew.",
        )
    return values


def _out_of_memory(error: BaseException) -> OutOfMemory:
    return OutOfMemory(
        "There is not enough memory for this network.",
        "Lower the size of pictures (size=512 or less), offload what does not run (offload=model, or offload=layers), "
        "fit fewer views or steps at a time, or choose a smaller network.",
        str(error),
    )


def _loaded(folder: Path, kind: PainterKind, dtype: torch.dtype) -> Any:
    try:
        import diffusers
        import transformers
    except ImportError as error:
        raise MissingModel(
            "The packages diffusers and transformers are not installed, which run the network.",
            'Install them with `pip install "isokiln[diffusion]"`.',
        ) from error
    if kind.pipeline.startswith("Qwen") and importlib.util.find_spec("torchvision") is None:
        raise MissingModel(
            f"The package torchvision is not installed, which {kind.label.removesuffix(', local')} needs.",
            "Install it with `pip install torchvision`.",
        )
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    try:
        made = getattr(diffusers, kind.pipeline).from_pretrained(
            folder, dtype=dtype, local_files_only=True, **_left_out(folder, kind)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        raise MissingModel(f"The network in {folder} cannot be loaded.", DAMAGED, str(error)) from error
    made.set_progress_bar_config(disable=True)
    return made


def _left_out(folder: Path, kind: PainterKind) -> dict[str, None]:
    """Stable Diffusion 3 also runs without its largest reader of words, where a person has not fetched that."""
    if not kind.pipeline.startswith("StableDiffusion3"):
        return {}
    return {name: None for name in ("text_encoder_3", "tokenizer_3") if not (folder / name).is_dir()}


def _dtype(options: PaintOptions, device: str) -> torch.dtype:
    if options.precision != "auto":
        found: torch.dtype = getattr(torch, options.precision)
        return found
    return torch.bfloat16 if device.startswith("cuda") else torch.float32


def _place(pipeline: Any, device: str, options: PaintOptions, folder: Path) -> None:
    """Put the networks on the device, whole or as they are needed."""
    offload = options.offload
    if offload == "auto":
        offload = "model" if _is_too_large(folder, device) else "none"
    if offload == "none" or not device.startswith("cuda"):
        pipeline.to(device)
        return
    if hasattr(pipeline, "vae") and hasattr(pipeline.vae, "enable_tiling"):
        pipeline.vae.enable_tiling()
    if offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.enable_sequential_cpu_offload(device=device)


def _is_too_large(folder: Path, device: str) -> bool:
    if not device.startswith("cuda") or not torch.cuda.is_available():
        return False
    size = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
    return size > _FULL * torch.cuda.mem_get_info()[0]


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when files do."""
    stats = ((str(path), path.stat()) for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in stats)


@lru_cache(maxsize=8)
def _weights(folder: Path, stamp: tuple[tuple[str, int, int], ...]) -> tuple[tuple[str, str], ...]:
    """SHA-256 of the files of weights, read anew when any has changed."""
    return tuple(weights_sha256(folder).items())
