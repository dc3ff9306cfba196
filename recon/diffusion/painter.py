"""What repaints a picture by words: one interface, and what all of them share."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.diffusion import PAINTERS, PainterKind, PaintOptions
from recon.diffusion.loading import LocalPipeline, check_finite, guarded
from recon.errors import InputError, MissingModel, SettingsError

Float = NDArray[np.float32]


class Painter(ABC):
    """Repaints pictures with one network. The same seed begins every picture of a size from the same noise, so that views
    of one scene are edited alike."""

    def __init__(self, kind: PainterKind, model: str, options: PaintOptions, device: str) -> None:
        self.kind, self.options = kind, options
        self.local = LocalPipeline(kind, model, options, device)
        try:
            self._check_channels()
        except Exception:
            self.close()
            raise

    @property
    def steps(self) -> int:
        return self.options.steps or self.kind.steps

    @property
    def guidance(self) -> float:
        return self.kind.guidance if self.options.guidance is None else self.options.guidance

    @property
    def pipeline(self) -> Any:
        return self.local.pipeline

    def paint(self, rgb: Float, mask: Float, prompt: str, seed: int, strength: float = 1.0) -> Float:
        """A picture (H, W, 3) within 0 and 1, repainted where its mask (H, W) is above 0, and bit for bit the same
        elsewhere. strength: 0 leaves it as it is. Raises OutOfMemory, InputError for numbers that are none."""
        if strength <= 0 or not mask.any():
            return rgb
        height, width = network_size(rgb.shape[:2], self.options.size or self.kind.size, self.kind.multiple)
        small = resized(rgb, (height, width))
        small_mask = np.clip(resized(mask, (height, width)), 0, 1)
        generator = torch.Generator("cpu").manual_seed(seed % 2**63)
        with guarded():
            made = self.repaint(small, small_mask, prompt, generator, strength)
        edited = np.clip(resized(made, rgb.shape[:2]), 0, 1)
        share = mask[..., None] if self.takes_strength else mask[..., None] * np.float32(strength)
        return np.where(mask[..., None] > 0, rgb + (edited - rgb) * share, rgb).astype(np.float32)

    channels: frozenset[int] = (
        frozenset()
    )  # that inputs of a fitting UNet may have; empty where there is none
    takes_strength = False  # whether `repaint` heeds it; else old and new are mixed

    @abstractmethod
    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        """The picture (H, W, 3) of a size that fits the network."""

    def notes(self) -> tuple[str, ...]:
        """What a person should know before."""
        return ()

    def _check_channels(self) -> None:
        """Raises MissingModel where the network takes other inputs than this painter gives."""
        network = getattr(self.pipeline, "unet", None)
        if network is None or not self.channels or network.config.in_channels in self.channels:
            return
        raise MissingModel(
            f"The network in {self.local.folder.name} is not made for {self.kind.label.removesuffix(', local')}.",
            f"Choose another folder, or leave the model out for {self.kind.model}.",
            f"its inputs have {network.config.in_channels} channels, expected {sorted(self.channels)}",
        )

    def close(self) -> None:
        """Let go of the network and its memory."""
        self.local.close()


def make_painter(name: str, model: str, options: Mapping[str, object], device: str) -> Painter:
    """The painter called `name` in PAINTERS. model: an id of the table of networks, or a folder; "" for its usual one.

    Raises SettingsError, MissingModel, InputError, OutOfMemory.
    """
    kind = PAINTERS.get(name)
    if kind is None:
        raise SettingsError(f"There is no network editor “{name}”.", f"Choose one of {', '.join(PAINTERS)}.")
    module, made = kind.made_at.split(":")
    painter = cast(type[Painter], getattr(importlib.import_module(module), made))
    return painter(kind, model, PaintOptions.of(options), device)


def network_size(shape: tuple[int, ...], longest: int, multiple: int) -> tuple[int, int]:
    """Height and width for a network: as shaped as the picture, its longer side as wished, multiples of a number."""
    factor = longest / max(shape)
    height, width = (max(multiple, round(side * factor / multiple) * multiple) for side in shape[:2])
    return height, width


def resized(picture: Float, shape: tuple[int, ...]) -> Float:
    """(H, W) or (H, W, 3) in another size; averaged where smaller."""
    if picture.shape[:2] == tuple(shape[:2]):
        return picture
    is_smaller = shape[0] < picture.shape[0] and shape[1] < picture.shape[1]
    way = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (shape[1], shape[0]), interpolation=way), np.float32)


def picture_of(result: Any) -> Float:
    """(H, W, 3) of what a pipeline returned as "pt". Raises InputError: no numbers, or blacked out by a filter."""
    flagged = getattr(result, "nsfw_content_detected", None)
    if flagged and any(flagged):
        raise InputError(
            "The network's own safety filter blacked out the picture.",
            "Say it in other words, or try another seed.",
        )
    return to_picture(result.images)


def to_picture(images: Tensor) -> Float:
    """(H, W, 3) of a tensor (1, 3, H, W) within 0 and 1. Raises InputError where one is no number."""
    return np.ascontiguousarray(check_finite(images.detach())[0].float().permute(1, 2, 0).cpu().numpy())


def to_tensor(rgb: Float) -> Tensor:
    """(1, 3, H, W) within 0 and 1, on the CPU."""
    return torch.tensor(rgb).permute(2, 0, 1)[None]
