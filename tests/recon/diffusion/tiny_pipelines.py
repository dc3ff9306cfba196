"""Pipelines with random weights, made on the spot, saved and loaded as real ones are.

Diffusers is imported where it runs: it takes seconds, which collecting the tests should not.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from tests.recon.cues.tiny_networks import byte_tokenizer

SIDE = 32  # pixels of pictures: 8 × 8 latents of a quarter of that


def save_pipeline(name: str, folder: Path) -> Path:
    """One of MAKERS, saved."""
    torch.manual_seed(0)
    made = MAKERS[name]()
    made.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return byte_tokenizer(Path(folder))


def _unet(channels: int, **more: Any) -> Any:
    import diffusers

    settings: dict[str, Any] = {"cross_attention_dim": 32, "attention_head_dim": 2} | more
    return diffusers.UNet2DConditionModel(
        block_out_channels=(16, 32), layers_per_block=1, sample_size=8, in_channels=channels, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), norm_num_groups=8, **settings,
    ).eval()  # fmt: skip


def _vae(channels: int = 4, **more: Any) -> Any:
    import diffusers

    return diffusers.AutoencoderKL(
        block_out_channels=[8, 16, 16], in_channels=3, out_channels=3, latent_channels=channels, norm_num_groups=8,
        down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3, **more,
    ).eval()  # fmt: skip


def _text(words: int, has_projection: bool = False) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    settings = CLIPTextConfig(
        vocab_size=words, hidden_size=32, intermediate_size=37, num_attention_heads=4, num_hidden_layers=2,
        max_position_embeddings=77, bos_token_id=words - 2, eos_token_id=words - 1, pad_token_id=words - 1,
        projection_dim=32,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if has_projection else CLIPTextModel)(settings).eval()


def _of_sd(kind: str, channels: int) -> Any:
    import diffusers

    tokenizer = _tokenizer()
    return getattr(diffusers, kind)(
        unet=_unet(channels), vae=_vae(), scheduler=diffusers.DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1, beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012),
        text_encoder=_text(len(tokenizer)), tokenizer=tokenizer, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip


def _sdxl() -> Any:
    import diffusers

    tokenizer = _tokenizer()
    unet = _unet(
        4, cross_attention_dim=64, attention_head_dim=(2, 4), use_linear_projection=True,
        addition_embed_type="text_time", addition_time_embed_dim=8, transformer_layers_per_block=(1, 1),
        projection_class_embeddings_input_dim=6 * 8 + 32,
    )  # fmt: skip
    return diffusers.StableDiffusionXLImg2ImgPipeline(
        unet=unet, vae=_vae(), scheduler=diffusers.DDIMScheduler(), text_encoder=_text(len(tokenizer)), tokenizer=tokenizer,
        text_encoder_2=_text(len(tokenizer), True), tokenizer_2=tokenizer, requires_aesthetics_score=False,
    )  # fmt: skip


def _sd3() -> Any:
    import diffusers

    tokenizer = _tokenizer()
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=8, num_layers=3, attention_head_dim=8, num_attention_heads=4,
        caption_projection_dim=32, joint_attention_dim=64, pooled_projection_dim=64, out_channels=8, pos_embed_max_size=16,
    ).eval()  # fmt: skip
    return diffusers.StableDiffusion3Pipeline(
        transformer=transformer, scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_vae(8, use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.06, scaling_factor=1.5),
        text_encoder=_text(len(tokenizer), True), tokenizer=tokenizer,
        text_encoder_2=_text(len(tokenizer), True), tokenizer_2=tokenizer, text_encoder_3=None, tokenizer_3=None,
    )  # fmt: skip


def _flux(kind: str, channels: int) -> Any:
    import diffusers
    from transformers import T5Config, T5EncoderModel

    tokenizer = _tokenizer()
    transformer = diffusers.FluxTransformer2DModel(
        patch_size=1, in_channels=channels, out_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=32, pooled_projection_dim=32, axes_dims_rope=(4, 4, 8),
        guidance_embeds=True,
    ).eval()  # fmt: skip
    text = T5Config(vocab_size=len(tokenizer), d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    return getattr(diffusers, kind)(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=_vae(4, use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.06, scaling_factor=1.5),
        text_encoder=_text(len(tokenizer)), tokenizer=tokenizer, text_encoder_2=T5EncoderModel(text).eval(),
        tokenizer_2=tokenizer, transformer=transformer,
    )  # fmt: skip


MAKERS = {
    "ip2p": lambda: _of_sd("StableDiffusionInstructPix2PixPipeline", 8),
    "sd": lambda: _of_sd("StableDiffusionPipeline", 4),
    "inpaint": lambda: _of_sd("StableDiffusionInpaintPipeline", 9),
    "sdxl": _sdxl,
    "sd3": _sd3,
    "flux-kontext": lambda: _flux("FluxKontextPipeline", 16),
    "flux-fill": lambda: _flux("FluxFillPipeline", 16 + 16 + 64),
}
