"""A trained parser as files: ``model.safetensors`` (half precision), ``model.json`` (card), ``model.onnx``.

The graph's input is ``image`` (N x 3 x H x W float32 sRGB in [0, 1], sides multiples of 64), its output
``logits``, N x 20 x H/2 x W/2. A BiSeNet's ``.pth`` is read as well.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wbme.base import assets
from wbme.base.errors import ModelError
from wbme.base.hashing import sha256_bytes
from wbme.base.paths import write_atomic
from wbme.geometry.parsing import LABELS
from wbme.nets import mobilenet, parser
from wbme.nets.bisenet import BiSeNet
from wbme.nets.parser import MULTIPLE, ParserNet
from wbme.runtime.export import fill, graph_bytes, read_weights

SCHEMA = 1
HEAD = "parsing"
_ASSET = Path(__file__).parents[1] / "assets" / "parser"


def make_card(name: str, **more: Any) -> dict[str, Any]:
    """The card of a parser, and ``more`` (training, metrics, licence, note ...)."""
    card = {"schema": SCHEMA, "name": name, "architecture": "MobileNetV2-U", "head": HEAD}
    return card | {"labels": list(LABELS), "size": 256, "face_size": 320, "multiple": MULTIPLE, **more}


def save(folder: Path, net: ParserNet, card: dict[str, Any]) -> None:
    """Write a model folder; the graph has the weights as they are kept. Raises StoreError where it cannot."""
    write_atomic(folder / "model.safetensors", weights(net))
    kept, _ = _load(folder / "model.safetensors", card)
    graph = graph_bytes(kept, (torch.rand(1, 3, 128, 64),), ["image"], "logits", len(LABELS))
    write_atomic(folder / "model.onnx", graph)
    write_atomic(folder / "model.json", json.dumps(card, indent=1) + "\n")


def weights(net: ParserNet) -> bytes:
    """The weights as a safetensors file: filters in float16, what normalises in float32, no counters."""
    from safetensors.torch import save as packed

    state = {}
    for name, value in net.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            kept = value.detach().cpu().contiguous()
            state[name] = kept.half() if kept.ndim > 1 else kept
    return packed(state)


def load(folder: Path) -> tuple[ParserNet, dict[str, Any]]:
    """The parser of a model folder, in evaluation mode, and its card. Raises ModelError where a file is
    missing, damaged, or of another network."""
    return _load(folder / "model.safetensors", read_card(folder / "model.json"))


def read_card(path: Path) -> dict[str, Any]:
    """The card at ``path``; ModelError where it is not that of a parser of these labels."""
    try:
        card = json.loads(path.read_text("utf-8"))
        if card["schema"] != SCHEMA or card["head"] != HEAD or card["labels"] != list(LABELS):
            raise ValueError("another schema, network or labels")
        sizes = [card["size"], card["face_size"]]
        if not all(isinstance(size, int) and size > 0 and size % MULTIPLE == 0 for size in sizes):
            raise ValueError(f"sizes {sizes} that cannot be")
        if not isinstance(card["name"], str):
            raise ValueError(f"name {card['name']!r} that cannot be")
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = getattr(error, "strerror", None) or (f"no {error}" if isinstance(error, KeyError) else error)
        raise ModelError(
            f"{path} is not the card of a parser ({why}): train or copy the model again"
        ) from error
    return card


def _load(path: Path, card: dict[str, Any]) -> tuple[ParserNet, dict[str, Any]]:
    state, net = read_weights(path), ParserNet()
    counters = {k: v for k, v in net.state_dict().items() if k.endswith("num_batches_tracked")}
    fill(net, counters | {name: value.float() for name, value in state.items()}, str(path))
    return net.eval().requires_grad_(False), card


def shipped() -> tuple[ParserNet, dict[str, Any]]:
    """The parser that comes with wbme, and its card."""
    return _load(_ASSET.with_suffix(".safetensors"), read_card(_ASSET.with_suffix(".json")))


def model_folder(given: Path | None) -> Path:
    """A folder with ``model.onnx`` and the card: the one given, or that of the shipped parser, exported into
    the cache of assets on first use. Raises ModelError where it is none."""
    if given is not None:
        read_card(given / "model.json")
        return given
    files = (_ASSET.with_suffix(".safetensors"), _ASSET.with_suffix(".json"))
    sources = (*files, Path(parser.__file__), Path(mobilenet.__file__), Path(__file__))
    digest = sha256_bytes(b"".join(path.read_bytes() for path in sources))
    folder = assets.folder() / "models" / f"parser-{digest[:16]}"
    if not (folder / "model.json").is_file():  # written last
        save(folder, *shipped())
    return folder


def read_bisenet(path: Path) -> BiSeNet:
    """The BiSeNet of a state dict as ``79999_iter.pth`` is one, in evaluation mode.

    Read without running code in it. Raises ModelError for another file or other keys and shapes.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and its unpickler have no common base for what they raise
        why = getattr(error, "strerror", None) or "it holds more than weights, or is damaged"
        raise ModelError(f"{path} is no state dict of a BiSeNet ({why}): give its 79999_iter.pth") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{path} is no state dict of a BiSeNet: give its 79999_iter.pth")
    net = BiSeNet()
    fill(net, {str(key).removeprefix("module."): value for key, value in state.items()}, str(path))
    return net.eval().requires_grad_(False)
