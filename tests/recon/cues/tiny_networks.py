"""Networks with random weights, made on the spot, saved and loaded as real ones are."""

from __future__ import annotations

import json
from pathlib import Path


def save_depth_network(folder: Path, metric: bool = False) -> Path:
    """A Depth Anything of 56 x 56 pixels and some 90 thousand weights."""
    import torch
    from transformers import (
        DepthAnythingConfig,
        DepthAnythingForDepthEstimation,
        Dinov2Config,
        DPTImageProcessor,
    )

    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, image_size=56, patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, patch_size=14, reassemble_hidden_size=32, neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16, head_hidden_size=8,
        **({"depth_estimation_type": "metric", "max_depth": 10.0} if metric else {}),
    )  # fmt: skip
    network = DepthAnythingForDepthEstimation(config).eval()
    torch.nn.init.normal_(network.head.conv3.weight, 0, 100)
    torch.nn.init.ones_(network.head.conv3.bias)  # its last step cuts off what is negative
    network.save_pretrained(folder)
    DPTImageProcessor(
        size={"height": 56, "width": 56}, ensure_multiple_of=14, keep_aspect_ratio=False
    ).save_pretrained(folder)
    return folder


def save_normals_network(folder: Path) -> Path:
    """A Marigold normals pipeline of some hundred thousand weights."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, MarigoldNormalsPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    tokenizer = byte_tokenizer(folder.parent)
    unet = UNet2DConditionModel(
        block_out_channels=(32, 64), layers_per_block=1, sample_size=16, in_channels=8, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=32, attention_head_dim=8,
        norm_num_groups=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=[32, 64], in_channels=3, out_channels=3, down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2, latent_channels=4, norm_num_groups=8,
    )  # fmt: skip
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=37, num_attention_heads=4,
        num_hidden_layers=2, max_position_embeddings=77, bos_token_id=len(tokenizer) - 2,
        eos_token_id=len(tokenizer) - 1, pad_token_id=len(tokenizer) - 1,
    )  # fmt: skip
    pipeline = MarigoldNormalsPipeline(
        unet=unet, vae=vae, scheduler=DDIMScheduler(), text_encoder=CLIPTextModel(text).eval(),
        tokenizer=tokenizer, prediction_type="normals", use_full_z_range=True, default_denoising_steps=1,
        default_processing_resolution=0,
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    return folder


def byte_tokenizer(folder: Path):
    """CLIP's, with bytes for words."""
    from transformers import CLIPTokenizer

    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(code) for code in plain] + [chr(256 + k) for k in range(256 - len(plain))]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    return CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[], model_max_length=77)
