"""Stable Diffusion with a few thousand weights, on disk in the very format that the real ones come in."""

import json

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WIDTH = 32  # of the text
LAYERS = {
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "in_channels": 4,
}


def tokenizer(folder):
    """CLIP's in miniature: bytes, their ends of words and the word "ink", in vocab.json and merges.txt."""
    folder.mkdir(parents=True)
    signs = [chr(c) for c in (*range(33, 127), *range(161, 173), *range(174, 256))]
    signs += [chr(256 + n) for n in range(256 - len(signs))]
    words = [*signs, *(sign + "</w>" for sign in signs), "in", "ink</w>", "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\ni n\nin k</w>\n")
    ends = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    known = {**ends, "pad_token": "<|endoftext|>", "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(known))
    return CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)


def _text(kind, tokens):
    torch.manual_seed(len(tokens))
    size = {"hidden_size": WIDTH, "intermediate_size": 37, "num_hidden_layers": 2, "num_attention_heads": 4}
    ends = {"bos_token_id": tokens.bos_token_id, "eos_token_id": tokens.eos_token_id, "pad_token_id": 1}
    return kind(CLIPTextConfig(**size, vocab_size=len(tokens), projection_dim=WIDTH, **ends))


def _vae():
    torch.manual_seed(0)
    kinds = {"down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2}
    return AutoencoderKL(
        block_out_channels=[8, 16], norm_num_groups=4, latent_channels=4, sample_size=64, **kinds
    )


def stable_diffusion(folder):
    """A folder as Stable Diffusion 1.5's: its tokenizer in vocab.json and merges.txt."""
    tokens = tokenizer(folder / "made" / "tokenizer")
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        **LAYERS, sample_size=32, out_channels=4, cross_attention_dim=WIDTH,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )  # fmt: skip
    pipe = StableDiffusionPipeline(
        vae=_vae(), text_encoder=_text(CLIPTextModel, tokens), tokenizer=tokens, unet=unet,
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False, steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    place = folder / "tiny-sd"
    pipe.save_pretrained(str(place), safe_serialization=True)
    for name in ("vocab.json", "merges.txt"):
        (place / "tokenizer" / name).write_bytes((folder / "made" / "tokenizer" / name).read_bytes())
    (place / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    return place


def stable_diffusion_xl(folder):
    """A folder as SDXL's: two text encoders and their tokenizers, sizes as further conditions."""
    tokens = tokenizer(folder / "made" / "tokenizer")
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        **LAYERS | {"attention_head_dim": (2, 4)}, sample_size=32, out_channels=4, use_linear_projection=True,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=2 * WIDTH,
        transformer_layers_per_block=(1, 1), addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
    )  # fmt: skip
    pipe = StableDiffusionXLPipeline(
        vae=_vae(), text_encoder=_text(CLIPTextModel, tokens), tokenizer=tokens, unet=unet,
        text_encoder_2=_text(CLIPTextModelWithProjection, tokens), tokenizer_2=tokens,
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear", timestep_spacing="leading"),
        add_watermarker=False,
    )  # fmt: skip
    pipe.save_pretrained(str(folder / "tiny-xl"), safe_serialization=True)
    return folder / "tiny-xl"


def control(folder, width=WIDTH):
    """A ControlNet for the tiny Stable Diffusion, whose last convolutions are not the zeros of a new one."""
    torch.manual_seed(1)
    net = ControlNetModel(**LAYERS, cross_attention_dim=width, conditioning_embedding_out_channels=(8, 16))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    net.save_pretrained(str(folder), safe_serialization=True)
    return folder


_RESNET = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
# Where the parts of the tiny UNet stand in the original's numbered blocks.
_UNET = {
    "conv_in": "input_blocks.0.0", "down_blocks.0.resnets.0": "input_blocks.1.0",
    "down_blocks.0.downsamplers.0.conv": "input_blocks.2.0.op", "down_blocks.1.resnets.0": "input_blocks.3.0",
    "down_blocks.1.attentions.0": "input_blocks.3.1", "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1", "mid_block.resnets.1": "middle_block.2",
    "up_blocks.0.resnets.0": "output_blocks.0.0", "up_blocks.0.attentions.0": "output_blocks.0.1",
    "up_blocks.0.resnets.1": "output_blocks.1.0", "up_blocks.0.attentions.1": "output_blocks.1.1",
    "up_blocks.0.upsamplers.0.conv": "output_blocks.1.2.conv", "up_blocks.1.resnets.0": "output_blocks.2.0",
    "up_blocks.1.resnets.1": "output_blocks.3.0", "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2", "conv_norm_out": "out.0", "conv_out": "out.2",
}  # fmt: skip
_VAE = {
    "mid_block.resnets.0": "mid.block_1", "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0.group_norm": "mid.attn_1.norm", "mid_block.attentions.0.to_q": "mid.attn_1.q",
    "mid_block.attentions.0.to_k": "mid.attn_1.k", "mid_block.attentions.0.to_v": "mid.attn_1.v",
    "mid_block.attentions.0.to_out.0": "mid.attn_1.proj_out", "conv_norm_out": "norm_out",
    "down_blocks.0.downsamplers.0": "down.0.downsample", "up_blocks.0.upsamplers.0": "up.1.upsample",
    "down_blocks.0.resnets": "down.0.block", "down_blocks.1.resnets": "down.1.block",
    "up_blocks.0.resnets": "up.1.block", "up_blocks.1.resnets": "up.0.block", "conv_shortcut": "nin_shortcut",
}  # fmt: skip


def single_file(model, path):
    """The weights of the folder ``model`` in one file, under the names that Stable Diffusion was published
    with: model.diffusion_model, first_stage_model, cond_stage_model."""
    out = {}
    for name, value in load_file(model / "unet" / "diffusion_pytorch_model.safetensors").items():
        start = max((part for part in _UNET if name.startswith(part + ".")), key=len)
        rest = name[len(start) + 1 :]
        head, _, tail = rest.partition(".")
        rest = f"{_RESNET[head]}.{tail}" if "resnets" in start else rest
        out[f"model.diffusion_model.{_UNET[start]}.{rest}"] = value
    for name, value in load_file(model / "vae" / "diffusion_pytorch_model.safetensors").items():
        attention = "attentions.0.to_" in name and name.endswith("weight")
        theirs = name
        for part, other in _VAE.items():
            theirs = theirs.replace(part, other)
        out[f"first_stage_model.{theirs}"] = value[..., None, None] if attention else value
    for name, value in load_file(model / "text_encoder" / "model.safetensors").items():
        theirs = name if name.startswith("text_model.") else f"text_model.{name}"
        out[f"cond_stage_model.transformer.{theirs}"] = value
    save_file({name: value.contiguous() for name, value in out.items()}, path)
    return path
