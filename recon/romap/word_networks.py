"""Which network looks for parts by words: CLIPSeg, Grounding DINO with SAM 2, or the attention of Stable Diffusion 3."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from recon.cues.models import find_model
from recon.diffusion import PAINTERS, PaintOptions
from recon.errors import MissingModel, SettingsError
from recon.romap import PartSettings
from recon.romap.mask_networks import (
    ClickNetwork,
    FindsWords,
    Scores,
    WordNetwork,
    guarded,
    not_installed,
    unusable,
)

_ATTENTION = "sd3-medium"
_USUAL_TEMPERATURE = 0.2  # of the paper, where the person gives none


def word_network(settings: PartSettings, device: str, seed: int) -> FindsWords:
    """The network that the settings name, by what its folder holds. Raises MissingModel, SettingsError."""
    name = settings.words_model
    if name == _ATTENTION or (Path(name) / "model_index.json").is_file():
        return AttentionNetwork(settings, device, seed)
    folder = find_model(name, "words")[0]
    if _kind(folder) == "grounding-dino":
        return BoxNetwork(folder, _for_boxes(settings, device), device)
    return WordNetwork(folder, device)


def _kind(folder: Path) -> str:
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type", ""))
    except (OSError, ValueError) as error:
        raise unusable(folder, error) from error


def _for_boxes(settings: PartSettings, device: str) -> ClickNetwork | None:
    """What finds outlines in boxes, if it is on this machine; boxes themselves serve else."""
    if not settings.clicks_model:
        return None
    try:
        folder = find_model(settings.clicks_model, "clicks")[0]
    except MissingModel:
        return None
    return ClickNetwork(folder, device)


class BoxNetwork:
    """Grounding DINO (arXiv:2303.05499): boxes by words; SAM 2 finds the outline in each."""

    def __init__(self, folder: Path, outlines: ClickNetwork | None, device: str) -> None:
        try:
            from transformers import AutoProcessor, GroundingDinoForObjectDetection
        except ImportError as error:
            raise not_installed() from error
        try:
            self._processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True)
            self._model: Any = GroundingDinoForObjectDetection.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise unusable(folder, error) from error
        self._model = self._model.to(device).eval()
        self._outlines, self._device = outlines, device

    def __call__(self, rgb: Scores, words: Sequence[str]) -> Scores:
        """(K, H, W) probabilities 0 … 1 of each of K words in a picture (H, W, 3) within 0 and 1."""
        return np.stack([self._found(rgb, word) for word in words])

    def _found(self, rgb: Scores, word: str) -> Scores:
        """(H, W) the surest box of a word, or its outline."""
        picture = Image.fromarray((np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8))
        inputs = self._processor(images=picture, text=f"{word.lower()}.", return_tensors="pt").to(
            self._device
        )
        found = guarded(self._model, **inputs)
        sureness = np.nan_to_num(found.logits[0].sigmoid().max(-1).values.float().cpu().numpy())
        best = int(sureness.argmax())
        middle_x, middle_y, width, height = found.pred_boxes[0, best].float().cpu().numpy().tolist()
        sides = np.array([rgb.shape[1], rgb.shape[0]] * 2)
        box = (
            np.array(
                [middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2]
            )
            * sides
        )
        if self._outlines is not None:
            return np.asarray(self._outlines.in_box(rgb, box) * (sureness[best] > _LEAST_SURE), np.float32)
        return _filled(box, rgb.shape[:2]) * np.float32(sureness[best] > _LEAST_SURE)


_LEAST_SURE = 0.25  # of a box, as its authors advise


def _filled(box: Any, shape: tuple[int, ...]) -> Scores:
    """(H, W) 1 within a box of left, top, right, bottom."""
    x, y = np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5
    is_in_x, is_in_y = (x >= box[0]) & (x <= box[2]), (y >= box[1]) & (y <= box[3])
    return np.asarray(is_in_y[:, None] & is_in_x, np.float32)


class AttentionNetwork:
    """The attention of Stable Diffusion 3, as the paper finds parts."""

    def __init__(self, settings: PartSettings, device: str, seed: int) -> None:
        from recon.diffusion.attention_maps import WordMaps
        from recon.diffusion.loading import LocalPipeline

        kind = PAINTERS["slamp"]
        self._temperatures = settings.temperatures
        model = "" if settings.words_model == _ATTENTION else settings.words_model
        self._local = LocalPipeline(kind, model, PaintOptions(), device)
        self._maps = WordMaps(self._local.pipeline, settings.words_size, kind.multiple, seed)

    def __call__(self, rgb: Scores, words: Sequence[str]) -> Scores:
        """(K, H, W) within 0 and 1; words named first win."""
        from recon.diffusion.attention_maps import parts_of_maps

        given = self._temperatures or (_USUAL_TEMPERATURE,)
        if len(given) not in (1, len(words)):
            raise SettingsError(
                f"There are {len(given)} temperatures for {len(words)} parts.",
                "Give one for each part, or one for all.",
            )
        temperatures = given * len(words) if len(given) == 1 else given
        height, width = rgb.shape[:2]
        return parts_of_maps(self._maps.maps(rgb, words), temperatures, (height, width))
