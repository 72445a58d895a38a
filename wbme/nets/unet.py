"""fast.ai's U-Net on an ImageNet encoder, the generator of the quick prototype.

Howard and Gugger's DynamicUnet (fastai, Apache-2.0): the decoder is built to the maps that the encoder has
before each halving of the picture; upsampling is PixelShuffle with ICNR and a blur, norms are weight
normalisation, and the last layers see the photograph itself once more.
"""

import warnings

import torch
from torch import Tensor, nn

from wbme.base.errors import ModelError
from wbme.nets.mobilenet import MobileNetV2

ENCODERS = ("mobilenet_v2", "resnet34")
MULTIPLE = 32  # height and width of the input must be multiples of it
_BLOCKS = 18  # of MobileNetV2's features, up to those at 1/32 with 320 channels
_RANGE = (-0.1, 1.1)  # of the sigmoid at the end, so that black and white are reached


class Standardised(nn.Module):
    """sRGB in [0, 1] less ImageNet's mean, over its deviation."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


class Generator(nn.Module):
    """Photographs N x 3 x H x W, sRGB in [0, 1], H and W multiples of 32, to drawings in [-0.1, 1.1].

    ``attention`` adds self-attention at 1/8 of the sides, which needs memory by the square of the picture's
    area. ``body`` is the encoder with its weights, fresh ones where it is None. The encoder's statistics stay
    as they are in training too: those of a million photographs are better than those of a few crops. Raises
    ModelError for an unknown encoder and where fastai is not installed.
    """

    def __init__(
        self, encoder: str = "mobilenet_v2", attention: bool = False, body: nn.Sequential | None = None
    ):
        super().__init__()
        try:
            from fastai.layers import NormType
            from fastai.vision.models.unet import DynamicUnet
        except (ImportError, RuntimeError, OSError) as error:
            raise ModelError(f"fast.ai's U-Net needs fastai ({error}): install wbme[train]") from error
        self.encoder_name, self.attention = encoder, attention
        own = bare(encoder) if body is None else body
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # fastai uses torch's older weight normalisation
            weight = NormType.Weight
            args = {"blur": True, "self_attention": attention, "norm_type": weight, "y_range": _RANGE}
            self.unet = DynamicUnet(own, 3, (64, 64), **args)
        # The last layer only changes the type of the tensor, to one that not everything takes.
        self.unet.layers = self.unet.layers[:-1]
        self.standard = Standardised()

    @property
    def encoder(self) -> nn.Module:
        """The part that came with ImageNet's weights."""
        return self.unet.layers[0]

    def forward(self, x: Tensor) -> Tensor:
        return self.unet(self.standard(x))

    def train(self, mode: bool = True) -> "Generator":
        super().train(mode)
        for part in self.encoder.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()
        return self

    def folded(self) -> "Generator":
        """A copy for inference on the CPU whose normalised weights are plain ones."""
        # Built anew: the hooks that carry the encoder's maps would not survive a copy.
        with torch.random.fork_rng(devices=[]):
            copy = Generator(self.encoder_name, self.attention)
        copy.load_state_dict({name: value.cpu() for name, value in self.state_dict().items()})
        copy.eval()
        for part in list(copy.modules()):
            if hasattr(part, "weight_g"):
                nn.utils.remove_weight_norm(part)
            elif hasattr(part, "weight_orig"):
                nn.utils.remove_spectral_norm(part)
        return copy.requires_grad_(False)


def bare(encoder: str) -> nn.Sequential:
    """The layers of an encoder, from the photograph to 1/32 of its sides, with fresh weights.

    Raises ModelError for an unknown one, and where torchvision, which has resnet34, is not installed.
    """
    if encoder == "mobilenet_v2":
        return MobileNetV2().features[:_BLOCKS]
    if encoder != "resnet34":
        raise ModelError(f"no encoder is called {encoder!r}; known are {', '.join(ENCODERS)}")
    try:
        from torchvision.models import resnet34
    except (ImportError, RuntimeError) as error:
        raise ModelError(
            f"resnet34 needs torchvision, which cannot be imported ({error}): install wbme[train]"
        ) from error
    return nn.Sequential(*list(resnet34(weights=None).children())[:-2])
