"""Networks trained on ImageNet that the prototype starts from and looks with.

MobileNetV2's weights are an asset; those of resnet34 and vgg16_bn are files that the user brings: a state
dict with torchvision's names, saved by torch (``.pth``, read without running code in it) or ``.safetensors``.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from wbme.base.errors import ModelError, ParameterError
from wbme.nets import mobilenet, unet
from wbme.runtime.export import fill, read_weights

Stages = Callable[[Tensor], list[Tensor]]
PERCEIVERS = ("mobilenet_v2", "vgg16_bn")
_MOST_BYTES = 700_000_000  # of a file of weights; vgg16_bn's takes 553 MB
_FILES = {"resnet34": "resnet34-b627a593.pth", "vgg16_bn": "vgg16_bn-6c64b313.pth"}


def encoder(name: str, weights: str) -> nn.Sequential:
    """The body of an encoder of ``nets.unet`` with ImageNet's weights; ``weights`` is the user's file.

    Raises ParameterError where the name is unknown or the file is not named, ModelError where it is no such
    file, AssetError where MobileNetV2's weights cannot be had.
    """
    _known(name, weights, unet.ENCODERS, "encoder")
    if name == "mobilenet_v2":
        body = unet.bare(name)
        body.load_state_dict(mobilenet.pretrained().features[: len(body)].state_dict())
        return body
    body, path = unet.bare(name), Path(weights).expanduser()
    # torchvision's names of the layers that have weights, by their place in the body.
    places = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
    state = {}
    for key, value in _read(path, name).items():
        first, _, rest = key.partition(".")
        if first != "fc":
            state[f"{places[first]}.{rest}" if first in places else key] = value
    _fill(body, state, path)
    return body


def perceiver(name: str, weights: str) -> tuple[Stages, str]:
    """A function from N x 3 x H x W sRGB in [0, 1] to feature maps at 1/4, 1/8 and 1/16 of its sides, and
    how tables name the network. It is frozen: gradients reach the picture only. Raises as ``encoder``.
    """
    _known(name, weights, PERCEIVERS, "features")
    if name == "mobilenet_v2":
        network = mobilenet.pretrained()
        return lambda x: network.to(x.device).stages(x, 4)[1:], mobilenet.BACKBONE
    try:
        from torchvision.models.vgg import cfgs, make_layers
    except (ImportError, RuntimeError) as error:
        raise ModelError(f"{name} needs torchvision ({error}): install wbme[train]") from error
    layers, path = make_layers(cfgs["D"], batch_norm=True), Path(weights).expanduser()
    found = {k.removeprefix("features."): v for k, v in _read(path, name).items() if "features" in k}
    _fill(layers, found, path)
    layers.eval().requires_grad_(False)
    pools = [k for k, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    standard = unet.Standardised()

    def stages(x: Tensor) -> list[Tensor]:
        x, maps = standard.to(x.device)(x), []
        for index, layer in enumerate(layers.to(x.device)[: pools[4]]):
            if index in pools[2:4]:
                maps.append(x)
            # Later layers work in place, which would change the map that was kept.
            x = torch.relu(x) if isinstance(layer, nn.ReLU) else layer(x)
        return [*maps, x]

    return stages, "VGG16-BN (ImageNet)"


def _known(name: str, weights: str, names: tuple[str, ...], what: str) -> None:
    if name not in names:
        raise ParameterError(f"{what}={name!r} is not known: use one of {', '.join(names)}")
    if name in _FILES and not weights:
        raise ParameterError(
            f"{what}={name} needs {what}_weights: a state dict with torchvision's names, such as "
            f"{_FILES[name]}, as .pth or .safetensors"
        )


def _read(path: Path, name: str) -> dict[str, Tensor]:
    """The tensors in a file of the user's. ModelError where none can be read without running code."""
    wanted = f"bring torchvision's {name}, such as {_FILES[name]}, or the same as .safetensors"
    try:
        size = path.stat().st_size
        if path.suffix == ".safetensors" and size <= _MOST_BYTES:
            return read_weights(path)
        found = torch.load(path, map_location="cpu", weights_only=True) if size <= _MOST_BYTES else None
    except OSError as error:
        raise ModelError(f"cannot read the weights {path}: {error.strerror}; check the path") from error
    except ModelError:
        raise
    except Exception as error:  # torch and its unpickler have no common base for what they raise
        raise ModelError(f"{path} is no file of plain weights: {wanted}") from error
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise ModelError(f"{path} is no state dict of at most {_MOST_BYTES // 10**6} MB: {wanted}")
    return {str(key): value for key, value in found.items()}


def _fill(module: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    # Files from before torch 0.4.1 do not count the batches that a norm has seen, which nothing needs here.
    counters = {k: v for k, v in module.state_dict().items() if k.endswith("num_batches_tracked")}
    fill(module, counters | state, str(path))
