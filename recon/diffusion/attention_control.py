"""Attention maps of a UNet, seen and changed while it runs; prompt-to-prompt (arXiv:2208.01626)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recon.errors import SettingsError


class Control(Protocol):
    def __call__(self, maps: Tensor, is_cross: bool) -> Tensor:
        """Maps (B, heads, pixels, pixels or tokens) of one layer, as they are to be."""
        ...


@contextmanager
def controlled(unet: Any, control: Control) -> Iterator[None]:
    """All attention of the UNet's transformers passes by the control within."""
    before = dict(unet.attn_processors)
    unet.set_attn_processor({name: _Processor(control) for name in before})
    try:
        yield
    finally:
        unet.set_attn_processor(before)


@dataclass(frozen=True)
class _Processor:
    """Attention with its maps written out."""

    control: Control

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, temb: Tensor | None = None, **more: Any,
    ) -> Tensor:  # fmt: skip
        is_cross = encoder_hidden_states is not None
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            attn.head_to_batch_dim(made)
            for made in (attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context))
        )
        maps = attn.get_attention_scores(query, key, attention_mask)
        maps = self.control(maps.unflatten(0, (len(hidden_states), -1)), is_cross).flatten(0, 1)
        made: Tensor = attn.to_out[0](attn.batch_to_head_dim(torch.bmm(maps, value)))
        return made


@dataclass
class SeenMaps:
    """Keeps the maps of self-attention of one run, as they are."""

    maps: list[Tensor] = field(default_factory=list)

    def __call__(self, maps: Tensor, is_cross: bool) -> Tensor:
        if not is_cross:
            self.maps.append(maps)
        return maps


@dataclass
class PromptToPrompt:
    """The maps of the source in place of the target's, in a batch of [without source, without target, source, target].

    tokens: (77, 77) which of the source's tokens (rows) stands for each of the target's (columns); a column of zeros
    keeps the target's own. weights: (77,) of the target's tokens. cross_steps, self_steps: so many first steps.
    most_pixels: of layers whose layout is taken over.
    """

    tokens: Tensor
    weights: Tensor
    cross_steps: int
    self_steps: int
    most_pixels: int
    step: int = 0

    def __call__(self, maps: Tensor, is_cross: bool) -> Tensor:
        source, target = maps[2], maps[3]
        if is_cross:
            target = self._crossed(source, target) * self.weights.to(target)
        elif self.step < self.self_steps and maps.shape[2] <= self.most_pixels:
            target = source
        return torch.cat([maps[:3], target[None]])

    def _crossed(self, source: Tensor, target: Tensor) -> Tensor:
        if self.step >= self.cross_steps:
            return target
        tokens = self.tokens.to(source)
        is_taken = tokens.sum(0) > 0
        return torch.where(is_taken, source @ tokens, target)


def matched_tokens(source: Sequence[int], target: Sequence[int]) -> NDArray[np.float32]:
    """(S, T) shares of the source's tokens in the target's: the same ones as they are, replaced runs in proportion, and
    nothing for added ones."""
    shares = np.zeros((len(source), len(target)), np.float32)
    matcher = SequenceMatcher(a=list(source), b=list(target), autojunk=False)
    for kind, first, last, start, stop in matcher.get_opcodes():
        if kind == "equal":
            shares[range(first, last), range(start, stop)] = 1
        elif kind == "replace":
            pace = (last - first) / (stop - start)
            for column in range(start, stop):
                begin = first + (column - start) * pace
                rows = range(int(begin), max(int(begin) + 1, int(np.ceil(begin + pace))))
                shares[rows, column] = 1 / len(rows)
    return shares


def word_weights(text: str, prompt: str, tokenizer: Any) -> NDArray[np.float32]:
    """(77,) how strongly each token of a prompt counts, from “snow:2, red:0.5”. Raises SettingsError."""
    tokens: list[int] = tokenizer(prompt, truncation=True, max_length=tokenizer.model_max_length).input_ids
    weights = np.ones(tokenizer.model_max_length, np.float32)
    for each in filter(None, (part.strip() for part in text.split(","))):
        word, sign, value = each.rpartition(":")
        places = token_places(tokens, word.strip(), tokenizer)
        try:
            weight = float(value)
        except ValueError:
            sign, weight = "", 0.0
        if not sign or not places:
            raise SettingsError(
                f"The weight “{each}” is not one of a word of the prompt.",
                "Write WORD:NUMBER, with commas between.",
            )
        weights[places] = weight
    return weights


def token_places(tokens: Sequence[int], words: str, tokenizer: Any) -> list[int]:
    """Where the tokens of some words stand in a prompt's; empty where they do not."""
    sought = tokenizer(words, add_special_tokens=False).input_ids
    count = len(sought)
    starts = [
        i for i in range(len(tokens) - count + 1) if count and list(tokens[i : i + count]) == list(sought)
    ]
    return [place for start in starts for place in range(start, start + count)]
