"""Networks that find parts in a picture: CLIPSeg by words, SAM 2 by clicks; through transformers, from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recon.errors import InputError, MissingModel, OutOfMemory

Scores = NDArray[np.float32]
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # what SAM 2 was trained with
_IMAGENET_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)


class FindsWords(Protocol):
    def __call__(self, rgb: Scores, words: Sequence[str]) -> Scores:
        """(K, H, W) probabilities 0 … 1 of each of K words in a picture (H, W, 3) within 0 and 1."""
        ...


class FindsClicked(Protocol):
    def __call__(self, rgb: Scores, points: NDArray[np.floating], are_inside: Sequence[bool]) -> Scores:
        """(H, W) probability 0 … 1 of what clicks (M, 2) on a picture mean."""
        ...

    def in_box(self, rgb: Scores, box: NDArray[np.floating]) -> Scores:
        """(H, W) the same of what a box (4,) of left, top, right, bottom holds."""
        ...


class WordNetwork:
    """CLIPSeg (arXiv:2112.10003). Raises MissingModel where its folder cannot be loaded."""

    def __init__(self, folder: Path, device: str) -> None:
        try:
            from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor
        except ImportError as error:
            raise not_installed() from error
        try:
            self._processor: Any = CLIPSegProcessor.from_pretrained(folder, local_files_only=True)
            self._model: Any = CLIPSegForImageSegmentation.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise unusable(folder, error) from error
        self._model = self._model.to(device).eval()
        self._device = device

    def __call__(self, rgb: Scores, words: Sequence[str]) -> Scores:
        """(K, H, W) probabilities 0 … 1 of each of K words in a picture (H, W, 3) within 0 and 1."""
        picture = Image.fromarray((np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8))
        inputs = self._processor(
            text=list(words), images=[picture] * len(words), padding=True, return_tensors="pt"
        )
        logits = guarded(
            self._model, **{name: value.to(self._device) for name, value in inputs.items()}
        ).logits
        maps = logits.reshape(len(words), *logits.shape[-2:])
        return _checked(_resized(maps, rgb.shape[:2]).sigmoid())


class ClickNetwork:
    """SAM 2 (arXiv:2408.00714). Raises MissingModel where its folder cannot be loaded."""

    def __init__(self, folder: Path, device: str) -> None:
        try:
            from transformers import Sam2Model
        except ImportError as error:
            raise not_installed() from error
        try:
            self._model: Any = Sam2Model.from_pretrained(folder, local_files_only=True).to(device).eval()
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise unusable(folder, error) from error
        self._device = device
        self._seen: tuple[Scores, Any] | None = None  # a picture, and what the network sees in it

    def look(self, rgb: Scores) -> None:
        """Look at a picture (H, W, 3) within 0 and 1 before anybody clicks on it: most of the work."""
        self._features(rgb)

    def __call__(self, rgb: Scores, points: NDArray[np.floating], are_inside: Sequence[bool]) -> Scores:
        """(H, W) probability 0 … 1 of what clicks mean. rgb: (H, W, 3) within 0 and 1. points: (M, 2) x, y in pixels;
        are_inside: whether each was a click on the thing or beside it."""
        labels = np.array([int(inside) for inside in are_inside])
        return self._found(rgb, points[None, None], input_labels=labels[None, None])

    def in_box(self, rgb: Scores, box: NDArray[np.floating]) -> Scores:
        """(H, W) probability 0 … 1 of the thing in a box (4,) of left, top, right, bottom in pixels."""
        return self._found(rgb, np.asarray(box).reshape(1, 1, 2, 2))

    def _found(
        self, rgb: Scores, places: NDArray[np.floating], input_labels: NDArray[np.int_] | None = None
    ) -> Scores:
        """places: (1, 1, M, 2) clicks where they have labels, else corners of a box."""
        import torch

        side = int(self._model.config.prompt_encoder_config.image_size)
        height, width = rgb.shape[:2]
        scaled = torch.tensor(places * np.array([side / width, side / height]), dtype=torch.float32)
        asked = (
            {"input_boxes": scaled.reshape(1, 1, 4).to(self._device)}
            if input_labels is None
            else {
                "input_points": scaled.to(self._device),
                "input_labels": torch.tensor(input_labels, device=self._device),
            }
        )
        found = guarded(self._model, image_embeddings=self._features(rgb), multimask_output=False, **asked)
        logits = found.pred_masks.reshape(1, *found.pred_masks.shape[-2:])
        return np.asarray(_checked(_resized(logits, (height, width)).sigmoid())[0], np.float32)

    def _features(self, rgb: Scores) -> Any:
        """What the network sees in a picture; that of the last one is kept."""
        import torch

        if self._seen is None or self._seen[0] is not rgb:
            side = int(self._model.config.prompt_encoder_config.image_size)
            pixels = torch.tensor((rgb - _IMAGENET_MEAN) / _IMAGENET_SPREAD).permute(2, 0, 1)
            small = _resized(pixels, (side, side))[None].to(self._device)
            self._seen = rgb, guarded(self._model.get_image_embeddings, pixel_values=small)
        return self._seen[1]


def _resized(maps: Any, size: tuple[int, ...]) -> Any:
    """(K, H, W) tensor in another size."""
    import torch

    return torch.nn.functional.interpolate(
        maps[None].float(), size=tuple(size), mode="bilinear", align_corners=False
    )[0]


def _checked(maps: Any) -> Scores:
    """As an array; a pixel that is no number has no opinion. Raises InputError where none is a number."""
    scores = np.asarray(maps.detach().float().cpu().numpy(), np.float32)
    if not np.isfinite(scores).any():
        raise InputError(
            "The network returns no numbers (NaN).", "Run it on the CPU, or fetch its files anew."
        )
    return scores


def guarded(model: Any, **inputs: Any) -> Any:
    import torch

    try:
        with torch.inference_mode():
            return model(**inputs)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(
            "There is not enough memory for this network.",
            "Choose a smaller image size or a smaller network.",
        ) from error


def not_installed() -> MissingModel:
    return MissingModel(
        "The package transformers is not installed, which runs the network.",
        'Install it with `pip install "isokiln[diffusion]"`.',
    )


def unusable(folder: Path, error: Exception) -> MissingModel:
    return MissingModel(
        f"The network in {folder} cannot be loaded.",
        "Check that the folder holds all of its files (config.json, the processor's and the weights), or fetch it anew.",
        str(error),
    )
