"""MobileNetV2 as a source of perceptual features, with torchvision's names of the weights.

Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2, Inverted Residuals and Linear Bottlenecks (CVPR 2018),
table 2. Trained on ImageNet; the weights are the asset ``mobilenet_v2``.
"""

import copy
import itertools

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from wbme.base import assets
from wbme.base.errors import ModelError

BACKBONE = "MobileNetV2 (ImageNet)"  # how tables name it
# Table 2: expansion, channels, repeats, stride of the first.
_TABLE = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# The last block before each halving of the picture, and the last of all: 1/2, 1/4, 1/8, 1/16, 1/32.
STAGES = (1, 3, 6, 13, 17)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU6())


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter each channel by 3x3, project linearly; added to the input where shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int):
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = [_conv(inputs, hidden, 1)] if expansion > 1 else []
        layers += [_conv(hidden, hidden, 3, stride, groups=hidden)]
        layers += [nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    """Images N x 3 x H x W, sRGB in [0, 1], to logits N x 1000 of ImageNet's classes, or to ``stages``."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_conv(3, 32, 3, 2)]
        width = 32
        for expansion, channels, repeats, stride in _TABLE:
            for index in range(repeats):
                blocks.append(InvertedResidual(width, channels, expansion, 1 if index else stride))
                width = channels
        self.features = nn.Sequential(*blocks, _conv(width, 1280, 1))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))
        # Not persistent: the file of the weights does not hold them.
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features((x - self.mean) / self.std).mean(dim=(2, 3)))

    def stages(self, x: Tensor, count: int = len(STAGES)) -> list[Tensor]:
        """The first ``count`` of the feature maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's sides,
        with 16, 24, 32, 96 and 320 channels: outputs of linear bottlenecks, so of either sign."""
        x = (x - self.mean) / self.std
        found = []
        for index, block in enumerate(self.features[: STAGES[count - 1] + 1]):
            x = block(x)
            if index in STAGES:
                found.append(x)
        return found

    def folded(self) -> "MobileNetV2":
        """A copy for evaluation with each BatchNorm in the convolution before it and channels last: with the
        gradient of the picture it takes three fifths of the time."""
        network = copy.deepcopy(self).eval()
        for module in list(network.modules()):
            for (first, conv), (second, norm) in itertools.pairwise(list(module.named_children())):
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    setattr(module, first, fuse_conv_bn_eval(conv, norm))
                    setattr(module, second, nn.Identity())
        return network.requires_grad_(False).to(memory_format=torch.channels_last)


def pretrained() -> MobileNetV2:
    """The network with its ImageNet weights, in evaluation mode and frozen: gradients reach the picture only.

    Fetches the asset ``mobilenet_v2`` on first use (13 MB). Raises AssetError when it cannot be had and
    ModelError when the weights do not fit.
    """
    path = assets.get("mobilenet_v2")
    network = MobileNetV2()
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch and its unpickler have no common base for what they raise
        raise ModelError(
            f"{path} does not hold the weights of MobileNetV2: delete it and try again"
        ) from error
    return network.eval().requires_grad_(False)
