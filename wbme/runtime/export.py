"""A trained student as files: weights, card, and one ONNX graph that needs nothing behind it.

A model folder holds ``model.safetensors`` (weights as trained), ``model.json`` (the card) and ``model.onnx``
(folded). Graph inputs are ``image`` (N x 3 x H x W float32 RGB in [0, 1], H and W free multiples of 8) and,
for the layered head, the controls of ``wbme.nets.layered`` (one value each) and ``ink_colour`` (3); its
output is ``drawing``, as ``image``.
"""

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wbme.base import assets
from wbme.base.errors import ModelError, ParameterError
from wbme.base.hashing import sha256_bytes
from wbme.base.paths import write_atomic
from wbme.nets import layered
from wbme.nets import student as student_module
from wbme.nets.student import MULTIPLE, Student
from wbme.runtime.card import HEADS, SCHEMA, WEIGHTS, read

OPSET = 18
_ASSETS = Path(__file__).parents[1] / "assets"


class Drawing(nn.Module):
    """What is exported: a folded student and, for the layered head, ink over tone with live controls."""

    def __init__(self, student: Student, cond: Tensor):
        super().__init__()
        self.net = student.fold(cond)

    def forward(self, image: Tensor, *controls: Tensor) -> Tensor:
        return self.head(self.net(image, None), *controls)

    def head(self, out: Tensor, *controls: Tensor) -> Tensor:
        """The drawing from what the network gives, N x 3 or N x 4 x H x W."""
        if not controls:
            return out.clamp(0.0, 1.0)
        threshold, gain, *tones, colour = controls
        alpha = layered.ink_alpha(out[:, 3:], threshold, gain)
        return layered.compose(layered.tone(out[:, :3], *tones), alpha, colour.reshape(1, 3, 1, 1))


def control_values(card: dict[str, Any], **changes: Any) -> dict[str, Tensor]:
    """The graph's inputs after ``image``, by name and in order: the card's defaults, then ``changes``."""
    values = {**card["controls"], **changes}
    return {name: torch.tensor(value, dtype=torch.float32).reshape(-1) for name, value in values.items()}


def make_card(
    name: str, student: Student, controls: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The card of a student: what it is, its controls with their defaults (``controls``: those that differ
    from ``layered.CONTROLS``), and ``more`` (training, metrics, licence ...). ``character``, ``strength`` and
    ``skin`` among them say what its graph is folded for (``condition``); ``looks`` has the controls of each
    character."""
    usual = {**layered.CONTROLS, "ink_colour": list(layered.INK_COLOUR), **(controls or {})}
    live = {"controls": usual, "base_alone": dict(layered.BASE_ALONE)}
    card = {"schema": SCHEMA, "name": name, "architecture": student.architecture, "head": student.head}
    card |= {"branches": student.branches, "characters": list(student.characters), "multiple": MULTIPLE}
    card |= live if student.head == "layered" else {what: {} for what in live}
    return card | {"face_width": 224, **more}


def save_model(folder: Path, student: Student, card: dict[str, Any]) -> None:
    """Write a model folder. Raises StoreError where it cannot be written."""
    from safetensors.torch import save

    state = {name: value.detach().cpu().contiguous() for name, value in student.state_dict().items()}
    write_atomic(folder / "model.safetensors", save(state))
    write_atomic(folder / "model.onnx", onnx_bytes(student, card))
    write_atomic(folder / "model.json", json.dumps(card, indent=1) + "\n")


def condition(student: Student, card: Mapping[str, Any]) -> Tensor:
    """What the graph of a card is folded for (1 x K): its ``character`` (else the first), ``strength`` (else
    1) and ``skin`` (else the person's own). Raises ModelError for one that the student does not know."""
    return student.condition(card.get("character"), card.get("strength", 1.0), card.get("skin", "own"))


def onnx_bytes(student: Student, card: dict[str, Any]) -> bytes:
    """The ONNX graph of ``student`` as its ``card`` says, as bytes."""
    controls = control_values(card)
    drawing = Drawing(student, condition(student, card)).eval()
    return graph_bytes(
        drawing, (torch.rand(2, 3, 64, 96), *controls.values()), ["image", *controls], "drawing", 3
    )


def graph_bytes(
    module: nn.Module, inputs: tuple[Tensor, ...], names: list[str], output: str, channels: int
) -> bytes:
    """``module`` as an ONNX graph: number, height and width of the first input and the output are free."""
    import onnx

    free = {0: "n", 2: "height", 3: "width"}
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing sizes, which this graph is made for
        # The exporter by tracing takes a quarter of a second where the newer one takes half a minute.
        torch.onnx.export(
            module,
            inputs,
            file,
            input_names=names,
            output_names=[output],
            dynamic_axes={names[0]: free, output: free},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_from_string(file.getvalue())
    # Tracing does not know the channels of a sum; backends find image tensors by them.
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = channels
    model.producer_name, model.producer_version = "wbme", str(SCHEMA)
    return model.SerializeToString()


def load_model(folder: Path) -> tuple[Student, dict[str, Any]]:
    """The student of a model folder, in evaluation mode, and its card.

    Raises ModelError where a file is missing or damaged, or the weights are not those of the card's student.
    """
    return _load(folder / "model.safetensors", folder / "model.json")


def drawing(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """What the graph of a model folder draws, as a torch module with the graph's inputs, and the card: of a
    student or of the prototype. Raises ModelError as ``load_model``."""
    from wbme.runtime import unet_model

    if read(folder / "model.json", WEIGHTS)["architecture"] in unet_model.ARCHITECTURES:
        generator, card = unet_model.load(folder)
        return unet_model.Painted(generator), card
    student, card = load_model(folder)
    return Drawing(student, condition(student, card)), card


def _load(weights: Path, about: Path) -> tuple[Student, dict[str, Any]]:
    card = read(about, WEIGHTS)
    student = Student(card["architecture"], card["head"], tuple(card["characters"]), card["branches"])
    fill(student, read_weights(weights), str(weights))
    return student.eval().requires_grad_(False), card


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file. ModelError where it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"cannot read weights from {path}: {getattr(error, 'strerror', None) or error}; "
            "train or copy the model again"
        ) from error


def fill(module: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Load ``state`` into ``module``; ModelError names the first keys that are missing, unexpected, or of
    another shape, and ``source``."""
    own = module.state_dict()
    shapes = {key: (tuple(state[key].shape), tuple(own[key].shape)) for key in own if key in state}
    wrong = {
        "missing": [key for key in own if key not in state],
        "unexpected": [key for key in state if key not in own],
        "of another shape": [f"{key} {got} for {want}" for key, (got, want) in shapes.items() if got != want],
    }
    more = {what: f" and {len(keys) - 3} more" if len(keys) > 3 else "" for what, keys in wrong.items()}
    told = [f"{what} {', '.join(keys[:3])}{more[what]}" for what, keys in wrong.items() if keys]
    if told:
        raise ModelError(f"{source} does not hold the weights of this network: {'; '.join(told)}")
    module.load_state_dict(state)


def shipped() -> list[str]:
    """Names of the students that come with wbme."""
    cards = (json.loads(path.read_text("utf-8")) for path in _ASSETS.glob("*.json"))
    return sorted(card["name"] for card in cards if card["head"] in HEADS)


def model_folder(name_or_path: str | Path) -> Path:
    """A folder with ``model.onnx`` and ``model.json``: the one given, or that of a shipped network, which is
    exported into the cache of assets on first use.

    Raises ModelError where there is neither such a folder nor such a network.
    """
    given = Path(name_or_path)
    if (given / "model.onnx").is_file():
        read(given / "model.json", WEIGHTS)
        return given
    if str(name_or_path) not in shipped():
        known = ", ".join(shipped()) or "none"
        raise ModelError(f"there is no model folder {given}, and no shipped network is called so: {known} is")
    return _exported(_ASSETS / f"{given}.safetensors", _ASSETS / f"{given}.json", {})


def shipped_as(name: str) -> Path | None:
    """The model folder that the notebooks call ``shipped``, the student that comes with wbme as its first
    character, or ``shipped-CHARACTER``; None for every other name, which is one of the store."""
    first, _, character = name.partition("-")
    return folded(model_folder("student"), character or None) if first == "shipped" else None


def model_of(run: Any, name: str) -> Path:
    """The model folder that a parameter of a notebook names, as an input of ``run`` (``lab.Session``):
    ``shipped_as``, else ``model/NAME``. Raises the store's RefError where there is none."""
    own = shipped_as(name)
    return Path(run.external(own) if own else run.use(f"model/{name}"))


def knowing(character: str, first: Path) -> Path:
    """The model folder ``first`` if its student draws as ``character``, else that of a shipped student that
    does, else ``first`` all the same."""
    for name in (None, *shipped()):
        about = _ASSETS / f"{name}.json" if name else first / "model.json"
        if character in read(about, WEIGHTS)["characters"]:
            return model_folder(name) if name else first
    return first


def folded(
    folder: Path, character: str | None = None, strength: float | None = None, skin: str | None = None
) -> Path:
    """A model folder with the weights of ``folder`` whose graph draws as ``character``, as strongly as
    ``strength`` says, with whose ``skin``; None leaves what its card says. Made once, in the cache of assets;
    ``folder`` itself where nothing is changed.

    Raises ModelError for what the student does not know, ParameterError for a strength or a skin that was not
    among its pairs: the network would draw it by chance.
    """
    card = read(folder / "model.json", WEIGHTS)
    given = {"character": character, "strength": strength, "skin": skin}
    usual = {"character": next(iter(card["characters"]), None), "strength": 1.0, "skin": "own"}
    usual |= {what: card[what] for what in usual if what in card}
    wanted = {what: value for what, value in given.items() if value not in (None, usual[what])}
    if not wanted:
        return folder
    if "int8" in card or card["architecture"] not in student_module.ARCHITECTURES:
        raise ModelError(f"{card['name']} draws in one way: choose a student for {', '.join(wanted)}")
    if wanted.get("character", card["characters"][0]) not in card["characters"]:
        raise ModelError(
            f"{card['name']} draws as {', '.join(card['characters'])}, not as {character!r}: "
            "train with pairs of that character"
        )
    learned = card.get("training", {})
    strengths, who = learned.get("strengths", [1.0]), character or usual["character"]
    skins = learned.get("skins", {}).get(who, ["own"])
    if not min(strengths) <= wanted.get("strength", strengths[0]) <= max(strengths):
        raise ParameterError(
            f"{card['name']} learned strengths of {min(strengths):g} to {max(strengths):g}, not "
            f"{strength:g}: compose pairs with more in 'strengths' of 15_compose_pairs and train with them"
        )
    if wanted.get("skin", skins[0]) not in skins:
        raise ParameterError(
            f"{card['name']} learned to draw {who} with the skin {', '.join(skins)}, not {skin}: train it "
            "with a pair set whose recipe gives that skin"
        )
    return _exported(folder / "model.safetensors", folder / "model.json", wanted)


def _exported(weights: Path, about: Path, wanted: dict[str, Any]) -> Path:
    sources = (weights, about, Path(layered.__file__), Path(student_module.__file__), Path(__file__))
    parts = [path.read_bytes() for path in sources]
    digest = sha256_bytes(b"".join([*parts, json.dumps(wanted, sort_keys=True).encode()]))
    name = json.loads(parts[1])["name"]
    folder = assets.folder() / "models" / f"{Path(name).name}-{digest[:16]}"
    if not (folder / "model.json").is_file():  # written last
        student, card = _load(weights, about)
        card |= wanted
        if card["controls"]:
            card["controls"] = card["controls"] | card.get("looks", {}).get(wanted.get("character"), {})
        save_model(folder, student, card)
    return folder
