"""Painters that leave the steps to a pipeline of diffusers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from recon.diffusion.guidance import with_guidance
from recon.diffusion.painter import Float, Painter, picture_of
from recon.errors import SettingsError


def _image(rgb: Float) -> Image.Image:
    return Image.fromarray((np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8))


class _PipelinePainter(Painter):
    """Runs the pipeline with guidance as the options say."""

    order: tuple[str, ...] = ("uncond", "cond")  # of predictions in a batch, where guidance can be replaced

    def run(self, generator: torch.Generator, **arguments: Any) -> Float:
        pipeline = self.pipeline
        if self.options.apg and not self.order:
            raise SettingsError(
                f"{self.kind.label.removesuffix(', local')} has no adaptive projected guidance.",
                "Leave apg out.",
            )
        with with_guidance(pipeline, self.order, self.guidance, self.options), torch.no_grad():
            return picture_of(pipeline(generator=generator, output_type="pt", **arguments))


class InstructPainter(_PipelinePainter):
    """InstructPix2Pix (arXiv:2211.09800): the picture and an instruction."""

    order = ("cond", "image", "uncond")

    channels = frozenset({8})

    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        return self.run(
            generator, prompt=prompt, image=_image(rgb), negative_prompt=self.options.negative or None,
            num_inference_steps=self.steps, guidance_scale=self.guidance,
            image_guidance_scale=self.options.image_guidance,
        )  # fmt: skip


class NoisePainter(_PipelinePainter):
    """Image to image (SDEdit, arXiv:2108.01073): part of the way back to noise, and out again by the words."""

    takes_strength = True

    channels = frozenset({4})

    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        noise = max(self.options.noise * strength, 1.001 / self.steps)  # at least one step
        return self.run(
            generator, prompt=prompt, image=_image(rgb), strength=min(noise, 1.0),
            num_inference_steps=self.steps, guidance_scale=self.guidance, **_unwanted(self),
        )  # fmt: skip


class KontextPainter(_PipelinePainter):
    """FLUX Kontext (arXiv:2506.15742): the picture as context, and an instruction."""

    order = ()

    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        height, width = rgb.shape[:2]
        return self.run(
            generator, prompt=prompt, image=_image(rgb), height=height, width=width, max_area=height * width,
            num_inference_steps=self.steps, guidance_scale=self.guidance, _auto_resize=False,
        )  # fmt: skip


class QwenPainter(_PipelinePainter):
    """Qwen Image Edit (arXiv:2508.02324): a language model sees the picture and the instruction."""

    order = ()

    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        height, width = rgb.shape[:2]
        return self.run(
            generator, prompt=prompt, image=_image(rgb), height=height, width=width,
            negative_prompt=self.options.negative or " ", num_inference_steps=self.steps,
            true_cfg_scale=self.guidance,
        )  # fmt: skip


class FillPainter(_PipelinePainter):
    """Stable Diffusion inpainting: only what the mask covers is made anew."""

    channels = frozenset({4, 9})

    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        height, width = rgb.shape[:2]
        return self.run(
            generator, prompt=prompt, image=_image(rgb), mask_image=_mask_image(mask), height=height, width=width,
            num_inference_steps=self.steps, guidance_scale=self.guidance, strength=1.0, **_unwanted(self),
        )  # fmt: skip


class FluxFillPainter(_PipelinePainter):
    """FLUX Fill: only what the mask covers is made anew."""

    order = ()

    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        height, width = rgb.shape[:2]
        return self.run(
            generator, prompt=prompt, image=_image(rgb), mask_image=_mask_image(mask), height=height, width=width,
            num_inference_steps=self.steps, guidance_scale=self.guidance,
        )  # fmt: skip


def _mask_image(mask: Float) -> Image.Image:
    """White wherever any of the part shows, so that none of its old look shines through."""
    return Image.fromarray(np.where(mask > 0.05, np.uint8(255), np.uint8(0)))


def _unwanted(painter: Painter) -> dict[str, str]:
    """What the picture is not to show, for pipelines that ask."""
    return {"negative_prompt": painter.options.negative} if painter.options.negative else {}
