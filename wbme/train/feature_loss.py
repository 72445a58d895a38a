"""The prototype's loss on a drawing: its pixels, its features, and how these go together.

Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer" (ECCV 2016), in the form of
fast.ai's course (lesson 7): for feature maps f_l

    L1(x, y) + sum_l w_l L1(f_l(x), f_l(y)) + sum_l v_l L1(G(f_l(x)), G(f_l(y)))

with the Gram matrix G(f) = f f^T / (c h w) of f as c x hw. The course has w = 5, 15, 2 and v_l = 5000 w_l^2
for VGG16-BN. These undo that network's scales and do not carry over: on MobileNetV2 the Gram matrices would
be 99.8 % of the loss between photographs and drawings. There w and v are such that between these every part
is as large as the pixels'.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wbme.train import backbones

VGG_WEIGHTS = (5.0, 15.0, 2.0)


def gram(features: Tensor) -> Tensor:
    """N x C x H x W to N x C x C."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat[0].numel()


class FeatureLoss(nn.Module):
    """The loss above of drawings against targets, N x 3 x H x W sRGB in [0, 1], by the maps of a network of
    ``backbones.perceiver``; ``name`` is how a card calls it. ``parts`` holds what the last call was made of:
    pixels, features, style. Raises as ``perceiver``."""

    def __init__(self, features: str = "mobilenet_v2", weights: str = ""):
        super().__init__()
        self.stages, self.name = backbones.perceiver(features, weights)
        carried = VGG_WEIGHTS if features == "vgg16_bn" else ()
        self.weights, self.styles = list(carried), [5e3 * w**2 for w in carried]
        self.parts: dict[str, float] = {}

    def balance(self, photo: Tensor, target: Tensor) -> None:
        """Set the weights by a batch, unless they are those of the course."""
        if self.weights:
            return
        pixels = F.l1_loss(photo, target)
        with torch.no_grad():
            pairs = list(zip(self.stages(photo), self.stages(target), strict=True))
        self.weights = [float(pixels / F.l1_loss(f, g)) for f, g in pairs]
        self.styles = [float(pixels / F.l1_loss(gram(f), gram(g))) for f, g in pairs]

    def forward(self, drawn: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.stages(target)
        rows = list(zip(self.weights, self.styles, self.stages(drawn), wanted, strict=True))
        parts = {
            "pixels": F.l1_loss(drawn, target),
            "features": torch.stack([w * F.l1_loss(f, g) for w, _, f, g in rows]).sum(),
            "style": torch.stack([v * F.l1_loss(gram(f), gram(g)) for _, v, f, g in rows]).sum(),
        }
        self.parts = {name: float(value.detach()) for name, value in parts.items()}
        return torch.stack(list(parts.values())).sum()
