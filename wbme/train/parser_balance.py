"""Even odds for the labels of a trained parser.

Weights that let small parts count for more make a network call too much a brow or an ear-ring. A constant
added to a label's logit moves its precision against its recall; where both are equal, as many pixels are
given a label as have it, and its IoU is about as high as such a constant can make it.
"""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from wbme.geometry.parsing import LABELS
from wbme.nets.parser import ParserNet

_ROUNDS = 25
_STEP = 0.6  # of the logarithm of given over true, a round
_MOST = 3.0  # farthest that a logit is moved
_LEAST = 200  # cells: a label with fewer in the examples stays as it is


def balance(net: ParserNet, examples: Iterable[tuple[NDArray[np.float32], NDArray[np.uint8]]]) -> None:
    """Move the biases of ``net``'s last layer so that over ``examples`` (rgb H x W x 3 in [0, 1], labels
    H x W, which it may have learned from) each label is given as often as it is true."""
    seen, true = [], []
    device = next(net.parameters()).device
    for rgb, labels in examples:
        with torch.inference_mode():
            image = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))[None].to(device)
            logits = net(image)[0].permute(1, 2, 0).cpu()
        own = torch.from_numpy(labels[::2, ::2].astype(np.int64))
        known = own < len(LABELS)
        seen.append(logits[known].half())
        true.append(own[known])
    cells, wanted = torch.cat(seen), torch.bincount(torch.cat(true), minlength=len(LABELS)).double()
    moved = torch.zeros(len(LABELS))
    for _ in range(_ROUNDS):
        given = sum(
            torch.bincount((part.float() + moved).argmax(1), minlength=len(LABELS)).double()
            for part in cells.split(1 << 18)
        )
        over = torch.log((given + 1) / (wanted + 1)).float()
        moved = torch.where(wanted >= _LEAST, moved - _STEP * over, moved).clamp(-_MOST, _MOST)
    with torch.no_grad():
        net.out.bias += (moved - moved[0]).to(device)
