"""PatchGAN (Isola et al., CVPR 2017): a fully convolutional critic that judges overlapping patches."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchGAN(nn.Module):
    """N x 3 photograph and N x 3 drawing, sRGB in [0, 1], to N x 1 x H/8 x W/8 scores, each of 38 pixels.

    Spectral normalisation (Miyato et al., ICLR 2018) instead of norms, whose statistics would let the
    pictures of a batch help each other.
    """

    def __init__(self, width: int = 32):
        super().__init__()
        widths = (6, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for inward, outward in itertools.pairwise(widths):
            layers += [spectral_norm(nn.Conv2d(inward, outward, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1)))

    def forward(self, photo: Tensor, drawing: Tensor) -> Tensor:
        return self.layers(torch.cat([photo, drawing], 1) * 2 - 1)
