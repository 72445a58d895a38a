"""A trained U-Net of fast.ai as files: a model folder like a student's (``wbme.runtime.export``).

The graph's input is ``image`` (N x 3 x H x W float32 sRGB in [0, 1], sides free multiples of 32), its output
``drawing``, as ``image``. Weight normalisation is folded in; nothing of fastai is needed to run the graph.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wbme.base.paths import write_atomic
from wbme.nets.unet import ENCODERS, MULTIPLE, Generator
from wbme.runtime.card import SCHEMA, WEIGHTS, read
from wbme.runtime.export import fill, graph_bytes, read_weights

ARCHITECTURES = {f"unet-{name}": name for name in ENCODERS}


class Painted(nn.Module):
    """What is exported: the folded generator, its drawing in [0, 1]."""

    def __init__(self, generator: Generator):
        super().__init__()
        self.net = generator.folded()

    def forward(self, image: Tensor) -> Tensor:
        return self.net(image).clamp(0.0, 1.0)


def make_card(name: str, generator: Generator, character: str, **more: Any) -> dict[str, Any]:
    """The card of a generator that draws ``character``, and ``more`` (training, metrics, licence ...)."""
    card = {"schema": SCHEMA, "name": name, "architecture": f"unet-{generator.encoder_name}"}
    card |= {"head": "plain", "attention": generator.attention, "branches": False}
    card |= {"characters": [character], "multiple": MULTIPLE, "controls": {}, "base_alone": {}}
    return card | {"face_width": 224, **more}


def save(folder: Path, generator: Generator, card: dict[str, Any]) -> None:
    """Write a model folder. Raises StoreError where it cannot be written."""
    from safetensors.torch import save as packed

    state = {name: value.detach().cpu().contiguous() for name, value in generator.state_dict().items()}
    write_atomic(folder / "model.safetensors", packed(state))
    graph = graph_bytes(Painted(generator).eval(), (torch.rand(2, 3, 64, 96),), ["image"], "drawing", 3)
    write_atomic(folder / "model.onnx", graph)
    write_atomic(folder / "model.json", json.dumps(card, indent=1) + "\n")


def load(folder: Path) -> tuple[Generator, dict[str, Any]]:
    """The generator of a model folder, in evaluation mode and frozen, and its card.

    Raises ModelError where a file is missing or damaged, or the weights are of another network.
    """
    card = read(folder / "model.json", {**WEIGHTS, "attention": bool})
    generator = Generator(ARCHITECTURES.get(card["architecture"], card["architecture"]), card["attention"])
    path = folder / "model.safetensors"
    fill(generator, read_weights(path), str(path))
    return generator.eval().requires_grad_(False), card
