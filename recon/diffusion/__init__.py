"""Networks that repaint pictures by words, run by diffusers on this machine: which there are, and their options.

Light to import. Both whole scenes (dn2n) and parts of splats (romap) are edited by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, ValidationError

from recon.errors import SettingsError
from recon.method import Settings

Precision = Literal["auto", "float32", "bfloat16", "float16"]
Offload = Literal["auto", "none", "model", "layers"]


@dataclass(frozen=True)
class PainterKind:
    """One kind of network that repaints pictures.

    label: as results name it. model: an id of the table of networks, taken where none is named. pipeline: diffusers'
    class. size: longer side of pictures that it was trained for, in pixels; multiple: of which both sides must be.
    guidance: how strongly words count, as its authors advise. made_at: "module:class".
    """

    id: str
    label: str
    model: str
    pipeline: str
    size: int
    multiple: int
    steps: int
    guidance: float
    made_at: str


_PIPELINES = "recon.diffusion.pipeline_painters"
PAINTERS: Mapping[str, PainterKind] = {
    kind.id: kind
    for kind in (
        PainterKind("ip2p", "InstructPix2Pix, local", "instruct-pix2pix", "StableDiffusionInstructPix2PixPipeline",
                    512, 8, 20, 7.5, f"{_PIPELINES}:InstructPainter"),
        PainterKind("img2img", "Image to image, local", "stable-diffusion-1.5", "AutoPipelineForImage2Image",
                    512, 16, 30, 7.5, f"{_PIPELINES}:NoisePainter"),
        PainterKind("sdxl", "SDXL, local", "sdxl", "StableDiffusionXLImg2ImgPipeline",
                    1024, 8, 30, 5.0, f"{_PIPELINES}:NoisePainter"),
        PainterKind("sd3", "Stable Diffusion 3, local", "sd3-medium", "StableDiffusion3Img2ImgPipeline",
                    1024, 16, 28, 7.0, f"{_PIPELINES}:NoisePainter"),
        PainterKind("flux-kontext", "FLUX Kontext, local", "flux-kontext", "FluxKontextPipeline",
                    1024, 16, 28, 2.5, f"{_PIPELINES}:KontextPainter"),
        PainterKind("qwen-image-edit", "Qwen Image Edit, local", "qwen-image-edit", "QwenImageEditPipeline",
                    1024, 32, 50, 4.0, f"{_PIPELINES}:QwenPainter"),
        PainterKind("inpaint", "Stable Diffusion inpainting, local", "sd-inpainting", "AutoPipelineForInpainting",
                    512, 16, 30, 7.5, f"{_PIPELINES}:FillPainter"),
        PainterKind("flux-fill", "FLUX Fill, local", "flux-fill", "FluxFillPipeline",
                    1024, 16, 30, 30.0, f"{_PIPELINES}:FluxFillPainter"),
        PainterKind("null-text", "Null-text inversion with prompt-to-prompt, local", "stable-diffusion-1.5",
                    "StableDiffusionPipeline", 512, 8, 50, 7.5, "recon.diffusion.null_text:NullTextPainter"),
        PainterKind("slamp", "Stable Diffusion 3 with SLaMP, local", "sd3-medium", "StableDiffusion3Pipeline",
                    512, 16, 28, 5.0, "recon.diffusion.slamp:SlampPainter"),
    )
}  # fmt: skip


class PaintOptions(Settings):
    """What a person may change about a network. None: as its authors advise, or as fits the machine."""

    size: int | None = Field(None, ge=16, le=4096, title="Size")
    """Longer side of the picture that the network sees, in pixels; results come back in the view's size."""
    steps: int | None = Field(None, ge=1, le=1000, title="Steps")
    """Of denoising."""
    guidance: float | None = Field(None, ge=0, le=200, title="Guidance")
    """How strongly the words count."""
    image_guidance: float = Field(1.5, ge=1, le=100, title="Guidance by the picture")
    """InstructPix2Pix: how strongly the picture counts."""
    noise: float = Field(0.75, gt=0, le=1, title="Noise")
    """Image to image: how far back to noise the picture is taken at full strength."""
    negative: str = Field("", title="Not wanted")
    """What the picture is not to show."""
    source: str = Field("", title="What the pictures show")
    """Null-text inversion and SLaMP: the pictures as they are, in words."""
    precision: Precision = Field("auto", title="Precision")
    """auto: bfloat16 on a GPU, float32 elsewhere."""
    offload: Offload = Field("auto", title="Offload")
    """Keep what does not run out of the GPU's memory: model: whole networks; layers: single layers, much slower."""
    apg: bool = Field(False, title="Adaptive projected guidance")
    """Keeps high guidance from burning colours (arXiv:2410.02416)."""
    apg_parallel: float = Field(0.0, ge=0, le=1, title="APG: parallel share")
    """η of the paper: how much of the guidance along the prediction stays."""
    apg_norm: float = Field(15.0, gt=0, title="APG: longest step")
    """r of the paper."""
    apg_momentum: float = Field(-0.5, gt=-1, lt=1, title="APG: momentum")
    """β of the paper."""
    inner_steps: int = Field(10, ge=0, le=500, title="Null-text: steps of optimisation")
    """For each step of denoising; 0 is plain DDIM inversion."""
    keeps: Literal["prompt-to-prompt", "guide-and-rescale"] = Field(
        "prompt-to-prompt", title="Null-text: keeps by"
    )
    """What holds the picture's layout: attention maps taken over, or a pull towards them (arXiv:2409.01322)."""
    cross_share: float = Field(0.8, ge=0, le=1, title="Prompt-to-prompt: words")
    """Share of the steps in which words stand where they stood."""
    self_share: float = Field(0.4, ge=0, le=1, title="Prompt-to-prompt: layout")
    """Share of the steps in which the layout is taken over."""
    reweight: str = Field("", title="Prompt-to-prompt: weights")
    """Words of the prompt and how strongly they count: “snow:2, red:0.5”."""
    guide_share: float = Field(0.33, ge=0, le=3, title="Guide-and-Rescale: least pull")
    """Of the pull towards the picture's layout, to the pull of the words."""
    gamma: float = Field(0.5, ge=0, le=1, title="SLaMP: γ of inversion")
    """0 follows the network, 1 goes straight to noise. The paper gives none; 0.5 is that of its part finder."""
    eta: float = Field(0.5, ge=0, le=1, title="SLaMP: η of generation")
    """Pull towards the original in the first steps. The paper gives no value; this one is ours."""
    eta_share: float = Field(0.25, ge=0, le=1, title="SLaMP: share of steps with η")
    """After it η is 0. Ours."""
    alpha_base: float = Field(0.1, ge=0, le=1, title="SLaMP: mixing before the change")
    """How much of the original's latents stands outside the part in the early steps. Ours; the paper says low."""
    alpha_last: float = Field(0.9, ge=0, le=1, title="SLaMP: mixing after the change")
    """The same in the last steps. Ours; the paper says high."""
    mix_steps: float = Field(0.4, ge=0, le=1, title="SLaMP: when mixing changes")
    """t_s of the paper as a share of all steps: so many of the last steps keep what surrounds the part. Low is bold: the part
    changes freely and its border may not fit. High is faithful: it fits, and changes less."""
    prompt_share: float = Field(0.8, ge=0, le=1, title="SLaMP: share of the prompt")
    """In the mixture of embeddings of the prompt and of what the pictures show. Ours."""

    @classmethod
    def of(cls, given: Mapping[str, object]) -> PaintOptions:
        """Options by name. Raises SettingsError: an unknown one, or out of its range."""
        try:
            return cls.model_validate({name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            if name not in cls.model_fields:
                raise SettingsError(
                    f"Networks have no option “{name}”.", f"There are {', '.join(cls.model_fields)}."
                ) from error
            message = first["msg"].removeprefix("Value error, ")
            raise SettingsError(
                f"The option {name} cannot be {first['input']!r}: {message}.", "Change it, or leave it out."
            ) from error


def options_of(given: tuple[str, ...]) -> dict[str, object]:
    """NAME=VALUE each, numbers as numbers. Raises SettingsError."""
    options: dict[str, object] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise SettingsError(
                f"The option {text!r} has no value.", "Write NAME=VALUE, with commas between."
            )
        options[name.strip()] = _number(value.strip())
    return options


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)
