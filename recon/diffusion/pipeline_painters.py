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
    guided_by = "guidance_scale"  # what the pipeline calls it

    def repaint(
        self, rgb: Float, mask: Float, prompt: str, generator: torch.Generator, strength: float
    ) -> Float:
        if self.options.apg and not self.order:
            raise SettingsError(
                f"{self.kind.label.removesuffix(', local')} has no adaptive projected guidance.",
                "Leave apg out.",
            )
        pipeline = self.pipeline
        arguments = {"num_inference_steps": self.steps, self.guided_by: self.guidance}
        arguments |= self.more(rgb, mask, strength)
        with with_guidance(pipeline, self.order, self.guidance, self.options), torch.no_grad():
            return picture_of(
                pipeline(prompt=prompt, image=_image(rgb), generator=generator, output_type="pt", **arguments)
            )

    def more(self, rgb: Float, mask: Float, strength: float) -> dict[str, Any]:
        """What else the pipeline is given."""
        return {}


class InstructPainter(_PipelinePainter):
    """InstructPix2Pix (arXiv:2211.09800): the picture and an instruction."""

    order = ("cond", "image", "uncond")
    channels = frozenset({8})

    def more(self, rgb: Float, mask: Float, strength: float) -> dict[str, Any]:
        return {
            "negative_prompt": self.options.negative or None,
            "image_guidance_scale": self.options.image_guidance,
        }


class NoisePainter(_PipelinePainter):
    """Image to image (SDEdit, arXiv:2108.01073): part of the way back to noise, and out again by the words."""

    takes_strength = True
    channels = frozenset({4})

    def more(self, rgb: Float, mask: Float, strength: float) -> dict[str, Any]:
        noise = max(self.options.noise * strength, 1.001 / self.steps)  # at least one step
        return {"strength": min(noise, 1.0), **_unwanted(self)}


class KontextPainter(_PipelinePainter):
    """FLUX Kontext (arXiv:2506.15742): the picture as context, and an instruction."""

    order = ()

    def more(self, rgb: Float, mask: Float, strength: float) -> dict[str, Any]:
        size = _size(rgb)
        return {**size, "max_area": size["height"] * size["width"], "_auto_resize": False}


class QwenPainter(_PipelinePainter):
    """Qwen Image Edit (arXiv:2508.02324): a language model sees the picture and the instruction."""

    order = ()
    guided_by = "true_cfg_scale"

    def more(self, rgb: Float, mask: Float, strength: float) -> dict[str, Any]:
        return {**_size(rgb), "negative_prompt": self.options.negative or " "}


class FillPainter(_PipelinePainter):
    """Stable Diffusion inpainting: only what the mask covers is made anew."""

    channels = frozenset({4, 9})

    def more(self, rgb: Float, mask: Float, strength: float) -> dict[str, Any]:
        return {**_size(rgb), "mask_image": _mask_image(mask), "strength": 1.0, **_unwanted(self)}


class FluxFillPainter(_PipelinePainter):
    """FLUX Fill: only what the mask covers is made anew."""

    order = ()

    def more(self, rgb: Float, mask: Float, strength: float) -> dict[str, Any]:
        return {**_size(rgb), "mask_image": _mask_image(mask)}


def _size(rgb: Float) -> dict[str, int]:
    """Of the picture, for pipelines that would choose another."""
    return {"height": rgb.shape[0], "width": rgb.shape[1]}


def _mask_image(mask: Float) -> Image.Image:
    """White wherever any of the part shows, so that none of its old look shines through."""
    return Image.fromarray(np.where(mask > 0.05, np.uint8(255), np.uint8(0)))


def _unwanted(painter: Painter) -> dict[str, str]:
    """What the picture is not to show, for pipelines that ask."""
    return {"negative_prompt": painter.options.negative} if painter.options.negative else {}
