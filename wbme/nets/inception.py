"""The Inception v3 of the FID: TensorFlow's weights of 2015 in torchvision's network, its pools amended."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from wbme.base.errors import ModelError

NAME = "pt_inception-2015-12-05-6726825d.pth"  # as it is published with pytorch-fid
SIZE, WIDTH = 299, 2048
_CLASSES = 1008
# TensorFlow's pools leave the border out of their mean; its last block takes the maximum instead.
_MEAN = ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7b")


class FidInception(nn.Module):
    """Pictures N x 3 x H x W, sRGB in [0, 1], resized to 299 x 299 (bilinear, no antialiasing), to the last
    pooled features N x 2048.

    ``path``: a state dict with torchvision's names, 1008 classes and no auxiliary head, saved by torch and
    read without running code in it. Raises ModelError for another file, or without torchvision.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        try:
            from torchvision.models import inception_v3
        except ImportError as error:
            raise ModelError(f"Inception needs torchvision ({error}): install wbme[train]") from error
        net = inception_v3(weights=None, num_classes=_CLASSES, aux_logits=False, init_weights=False)
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
            missing, other = net.load_state_dict(found, strict=False)
        except Exception as error:  # torch and its unpickler have no common base for what they raise
            raise ModelError(f"{path} does not hold the weights of Inception: give {NAME}") from error
        # Files of before torch 1.0 do not count batches.
        lacking = [name for name in missing if not name.endswith("num_batches_tracked")]
        if lacking or other:
            name = [*lacking, *other][0]
            raise ModelError(f"{path} does not fit Inception at {name}: give {NAME}")
        for name in (*_MEAN, "Mixed_7c"):
            _amend(net.get_submodule(name), name in _MEAN)
        net.fc = nn.Identity()
        self.net = net.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        with torch.inference_mode():
            x = interpolate(x, (SIZE, SIZE), mode="bilinear", align_corners=False)
            return self.net(2 * x - 1)


def _amend(block: nn.Module, mean: bool) -> None:
    """Give the pooled branch of a ``block`` another pool: torchvision's has no module that could be put in
    its place, so that the branch is handed the pooled input of the block."""
    seen: list[Tensor] = []

    def remember(_: nn.Module, given: tuple[Any, ...]) -> None:
        seen[:] = given

    def pooled(_: nn.Module, given: tuple[Any, ...]) -> tuple[Tensor]:
        [x] = seen
        other = avg_pool2d(x, 3, 1, 1, count_include_pad=False) if mean else max_pool2d(x, 3, 1, 1)
        return (other,)

    block.register_forward_pre_hook(remember)
    block.branch_pool.register_forward_pre_hook(pooled)
