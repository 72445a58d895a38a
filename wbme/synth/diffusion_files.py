"""The files of a Stable Diffusion model that a user brings, looked through before any of them is loaded."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wbme.base.errors import ModelError
from wbme.base.hashing import digest_json, sha256_file

FORMAT = (
    "a folder saved by diffusers (model_index.json beside unet, vae, text_encoder, tokenizer and scheduler) "
    "or a single .safetensors file"
)
_NETWORKS = {"unet", "vae", "text_encoder", "text_encoder_2"}
_NEEDED = {
    "sd": ("unet", "vae", "text_encoder", "tokenizer", "scheduler"),
    "sdxl": ("unet", "vae", "text_encoder_2", "tokenizer_2", "scheduler"),
}
_LIBRARIES = {"diffusers", "transformers", "stable_diffusion"}
_PICKLES = (".bin", ".ckpt", ".pt", ".pth")
_TRUST = "which can run code when it is read: bring .safetensors, or set trust_pickle if you trust its maker"


@dataclass(frozen=True)
class ModelFiles:
    """Where a model lies and what it is: ``place`` (folder or file), the folder ``config`` of its
    configuration, ``family`` "sd" or "sdxl", ``variant`` of the weights' names ("fp16") or none, and whether
    pickles have to be read."""

    place: Path
    config: Path
    family: str
    variant: str | None
    pickled: bool

    def digest(self) -> str:
        """SHA-256 over the names and bytes of all files that can change a result."""
        folders = {self.place} if self.place == self.config else {self.place, self.config}
        kept = {".json", ".txt", ".model", ".safetensors", *_PICKLES}
        rows = []
        for folder in sorted(folders):
            files = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
            named = [(path.relative_to(folder).as_posix(), path) for path in files if path.suffix in kept]
            rows += [[name, sha256_file(path)] for name, path in named if path.is_file()]
        return digest_json(rows)


def find(model: Path, config: Path | None = None, *, trust_pickle: bool = False) -> ModelFiles:
    """The model at ``model``, a folder as diffusers saves it or a single file with the folder ``config`` of
    its configuration and tokenizer.

    Raises ModelError, one sentence, where something is missing (it names the part), damaged, of a family that
    cannot refine, or a pickle that is not trusted.
    """
    if not model.exists():
        raise ModelError(f"there is no {model}: give {FORMAT}")
    if model.is_file():
        return _single(model, config, trust_pickle)
    family, parts = _index(model)
    pickled, variants = False, set()
    for name in parts:
        folder = model / name
        if not folder.is_dir():
            raise ModelError(f"{model} lacks its part {name}: copy the whole folder, as diffusers saves it")
        if name in _NETWORKS:
            kind = _weights(folder, trust_pickle)
            pickled |= kind == "pickle"
            variants.add(kind)
        else:
            _texts(folder)
    return ModelFiles(model, model, family, "fp16" if "fp16" in variants else None, pickled)


def find_control(folder: Path, *, trust_pickle: bool = False) -> bool:
    """Whether pickles have to be read for the ControlNet in ``folder``. Raises ModelError as ``find``."""
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} holds no ControlNet: give a folder saved by diffusers, config.json beside "
            "diffusion_pytorch_model.safetensors"
        )
    return _weights(folder, trust_pickle) == "pickle"


def _single(model: Path, config: Path | None, trust_pickle: bool) -> ModelFiles:
    pickled = model.suffix in _PICKLES
    if model.suffix != ".safetensors" and not pickled:
        raise ModelError(f"{model} is no model: give {FORMAT}")
    if pickled and not trust_pickle:
        raise ModelError(f"{model} is a pickle, {_TRUST}")
    if config is None or not (config / "model_index.json").is_file():
        raise ModelError(
            f"{model.name} holds weights alone, and diffusers would fetch the rest from a network: set "
            "config to a folder of the same family as diffusers saves it (model_index.json, the files of "
            "configuration and tokenizers; no weights)"
        )
    if not pickled:
        _check(model)
    family, parts = _index(config)
    for name in parts:
        if name in _NETWORKS and not (config / name / "config.json").is_file():
            raise ModelError(f"{config} lacks {name}/config.json: copy it from a folder saved by diffusers")
        if name not in _NETWORKS:
            _texts(config / name)
    return ModelFiles(model, config, family, None, pickled)


def _index(folder: Path) -> tuple[str, list[str]]:
    """The family of the model in ``folder`` and the names of the parts that it has."""
    index = _json(folder / "model_index.json", f"{folder} is no model folder: give {FORMAT}")
    kind = str(index.get("_class_name"))
    if not kind.startswith(("StableDiffusion", "LatentConsistencyModel")) or "StableDiffusion3" in kind:
        raise ModelError(
            f"{folder} is of class {kind}: bring Stable Diffusion 1.5 or 2.1, SDXL, or a turbo or LCM form"
        )
    family = "sdxl" if "XL" in kind else "sd"
    parts = {name: value for name, value in index.items() if isinstance(value, list) and len(value) == 2}
    parts = {name: value for name, value in parts.items() if value[0] is not None}
    strange = [name for name, value in parts.items() if value[0] not in _LIBRARIES]
    if strange:
        raise ModelError(
            f"{folder}/model_index.json asks for {parts[strange[0]]} as {strange[0]}, which is code from "
            "elsewhere: bring a model of diffusers' and transformers' own classes"
        )
    missing = [name for name in _NEEDED[family] if name not in parts]
    if missing:
        raise ModelError(f"{folder}/model_index.json names no {missing[0]}: bring the whole model")
    known = {*_NEEDED["sd"], *_NEEDED["sdxl"]}
    return family, [name for name in parts if name in known]


def _json(path: Path, advice: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(advice) from error
    except ValueError as error:
        raise ModelError(f"{path} is damaged: copy it again") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path} is damaged: copy it again")
    return found


def _texts(folder: Path) -> None:
    """That a scheduler or a tokenizer is whole."""
    named = {path.name for path in folder.glob("*")}
    if folder.name == "scheduler":
        wanted = "scheduler_config.json"
    else:
        wanted = "tokenizer.json" if "vocab.json" not in named else "merges.txt"
    if wanted not in named:
        raise ModelError(f"{folder} lacks {wanted}: copy the whole folder, as diffusers saves it")


def _weights(folder: Path, trust_pickle: bool) -> str:
    """How the weights in ``folder`` are kept: "plain", "fp16" (in names with that variant) or "pickle"."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} lacks config.json: copy the whole folder, as diffusers saves it")
    files = sorted(folder.glob("*.safetensors"))
    for path in files:
        _check(path)
    if any(".fp16" not in path.name for path in files):
        return "plain"
    if files:
        return "fp16"
    pickles = [path for path in sorted(folder.glob("*")) if path.suffix in _PICKLES]
    if not pickles:
        raise ModelError(f"{folder} holds no weights: copy its .safetensors file, too")
    if not trust_pickle:
        raise ModelError(f"{pickles[0]} is a pickle, {_TRUST}")
    return "pickle"


def _check(path: Path) -> None:
    """That a file of safetensors is as long as its header says."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np"):
            return
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is damaged or cut off: copy it again") from error
