"""Where words stand in a picture: cross-attention of Stable Diffusion 3 while the picture is turned into noise.

RoMaP (arXiv:2507.11061), section 3.1 and its code: in each joint block the scores of a word's tokens against the pixels,
before softmax, mean over heads, summed over blocks; the last block, whose words are not used further, gives
softmax(QQᵀ) + softmax(KKᵀ) instead. The maps of the last step count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.diffusion.attention_control import token_places
from recon.diffusion.flow import Flow, invert, noise_like
from recon.diffusion.loading import guarded
from recon.diffusion.painter import Float, network_size, resized, to_tensor
from recon.errors import InputError

_STEPS = 4  # of the inversion, as the authors' code has it
_GAMMA = 0.5
_LAST = 0.98  # time that it goes to
_FIRST = 0.3
_CLAIMED = 0.5  # from which a pixel belongs to a part, and to none that is named after it


class WordMaps:
    """Finds words in pictures with a pipeline of Stable Diffusion 3."""

    def __init__(self, pipeline: Any, size: int, multiple: int, seed: int) -> None:
        self._pipeline, self._flow = pipeline, Flow(pipeline)
        self._size, self._multiple, self._seed = size, multiple, seed

    def maps(self, rgb: Float, words: Sequence[str]) -> Float:
        """(K, h, w) scores of each of K words, of any range, a pixel a patch of the network. Raises InputError where a
        word is none for the network."""
        prompt = "a photo of " + " and ".join(words)
        places = self._places(prompt, words)
        size = network_size(rgb.shape, self._size, self._multiple)
        with guarded(), torch.no_grad():
            latents = self._flow.encode(to_tensor(resized(rgb, size)))
            noise = noise_like(latents, torch.Generator("cpu").manual_seed(self._seed))
            times = [*np.linspace(_LAST, _FIRST, _STEPS).tolist(), 0.0]
            seen = _Seen(places)
            with seen.of(self._pipeline.transformer):
                invert(self._flow, latents, self._flow.words(prompt), noise, times, _GAMMA)
        patch = self._pipeline.transformer.config.patch_size
        shape = (len(words), latents.shape[-2] // patch, latents.shape[-1] // patch)
        return np.asarray(seen.total.float().cpu().numpy().reshape(shape), np.float32)

    def _places(self, prompt: str, words: Sequence[str]) -> list[list[int]]:
        tokenizer = self._pipeline.tokenizer
        tokens = tokenizer(prompt, truncation=True, max_length=tokenizer.model_max_length).input_ids
        places = [token_places(tokens, word, tokenizer) for word in words]
        for word, found in zip(words, places, strict=True):
            if not found:
                raise InputError(
                    f"The network does not see the word “{word}” in its prompt.",
                    "Name fewer parts, or in shorter words.",
                )
        return places


class _Seen:
    """Sums scores over the blocks of one step; each step begins anew."""

    def __init__(self, places: Sequence[Sequence[int]]) -> None:
        self._places = places
        self.total = torch.zeros(len(places), 1)
        self._handles: list[Any] = []

    def of(self, transformer: Any) -> _Seen:
        self._handles.append(transformer.register_forward_pre_hook(self._begin))
        for block in transformer.transformer_blocks:
            self._handles.append(block.attn.register_forward_pre_hook(self._add, with_kwargs=True))
        return self

    def __enter__(self) -> _Seen:
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _begin(self, module: Any, given: Any) -> None:
        self.total = torch.zeros(len(self._places), 1)

    def _add(self, attn: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        pixels = named.get("hidden_states", given[0] if given else None)
        words = named.get("encoder_hidden_states")
        if pixels is None or words is None:
            return  # self-attention of pixels alone
        scores = _last_scores(attn, pixels, words) if attn.context_pre_only else _scores(attn, pixels, words)
        rows = torch.stack([scores[list(places)].mean(0) for places in self._places])
        self.total = rows if self.total.shape[1] == 1 else self.total + rows


def _heads(attn: Any, made: Tensor, norm: Any) -> Tensor:
    """(heads, L, d) of the first of a batch."""
    split = made[:1].reshape(1, made.shape[1], attn.heads, -1).transpose(1, 2)
    heads: Tensor = (split if norm is None else norm(split))[0].float()
    return heads


def _scores(attn: Any, pixels: Tensor, words: Tensor) -> Tensor:
    """(L, pixels) of words' queries and pixels' keys before softmax, mean over heads."""
    query = _heads(attn, attn.add_q_proj(words), attn.norm_added_q)
    key = _heads(attn, attn.to_k(pixels), attn.norm_k)
    scores = query @ key.transpose(1, 2)
    mean: Tensor = scores.mean(0) / query.shape[-1] ** 0.5
    return mean


def _last_scores(attn: Any, pixels: Tensor, words: Tensor) -> Tensor:
    """(L, pixels) of words to pixels by likeness of queries and of keys, mean over heads."""
    total = torch.zeros(())
    for of_pixels, of_words, norm, norm_words in (
        (attn.to_q, attn.add_q_proj, attn.norm_q, attn.norm_added_q),
        (attn.to_k, attn.add_k_proj, attn.norm_k, attn.norm_added_k),
    ):
        here, there = _heads(attn, of_pixels(pixels), norm), _heads(attn, of_words(words), norm_words)
        both = torch.cat([here, there], 1)
        likeness = (there @ both.transpose(1, 2) / here.shape[-1] ** 0.5).softmax(-1)
        total = total.to(likeness) + likeness[..., : here.shape[1]].mean(0)
    return total


def parts_of_maps(maps: Float, temperatures: Sequence[float], shape: tuple[int, int]) -> Float:
    """(K, H, W) within 0 and 1: scores sharpened over the picture by a temperature for each part, larger for a larger
    region; a pixel that a part claims is taken from those after it, so small parts are named first. No refiner."""
    claimed = np.zeros(shape, bool)
    parts = []
    for scores, temperature in zip(maps, temperatures, strict=True):
        flat = _stretched(resized(scores, shape)) / temperature
        part = np.where(claimed, 0, _stretched(np.exp(flat - flat.max())))
        claimed |= part > _CLAIMED
        parts.append(part)
    return np.stack(parts).astype(np.float32)


def _stretched(values: NDArray[np.floating]) -> Float:
    """From 0 to 1; 0 where all are alike."""
    least, most = float(values.min()), float(values.max())
    return np.asarray(
        (values - least) / (most - least) if most > least else np.zeros_like(values), np.float32
    )
