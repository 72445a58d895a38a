"""What a student is trained on: colour, edges, flats and lines, eyes and mouths above all."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from wbme.geometry.parsing import EYES, HEAD, MOUTH
from wbme.nets import layered
from wbme.train.loader import LEVELS, Batch

Parts = dict[str, Tensor]

_POSITIVE = 2.0  # weight of ink against paper
_RING = 0.7  # weight of paper that touches ink: a line drawn a pixel too thick is no grave error
_FLAT = 0.012  # change between neighbours below which the target is flat
_SOFTNESS = 0.9  # of the tones while training, so that gradients flow


def weights(labels: Tensor) -> Tensor:
    """Weight of each pixel (N x 1 x H x W): 5 in and around eyes and mouths, 2 on heads, else 1.

    Around, because lashes and the outline of lips lie just outside.
    """
    table = torch.ones(256, device=labels.device)
    table[list(HEAD)] = 2.0
    table[list(EYES | MOUTH)] = 5.0
    return F.max_pool2d(table[labels.long()], 7, 1, 3)


def differences(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences of neighbours: N x C x H x W-1 and N x C x H-1 x W."""
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def _mean(error: Tensor, weight: Tensor) -> Tensor:
    """Mean of an error N x C x H x W under N x 1 x H x W weights of mean about one."""
    return (error * weight[..., : error.shape[2], : error.shape[3]]).mean()


def gradient_loss(x: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """L1 between the differences of neighbours."""
    pairs = zip(differences(x), differences(target), strict=True)
    return torch.stack([_mean((a - b).abs(), weight) for a, b in pairs]).sum()


def flat_loss(x: Tensor, target: Tensor) -> Tensor:
    """Change between neighbours where the target has none."""
    pairs = zip(differences(x), differences(target), strict=True)
    return torch.stack([(a.abs() * (b.abs().amax(1, keepdim=True) < _FLAT)).mean() for a, b in pairs]).sum()


def ink_losses(logit: Tensor, ink: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted cross entropy of the ink and 1 - soft F1 = 1 - 2 sum(a t) / (sum(a^2) + sum(t^2))."""
    near = F.max_pool2d(ink, 3, 1, 1) > 0.5
    fair = torch.where(near & (ink < 0.2), _RING * weight, weight)
    positive = torch.tensor(_POSITIVE, device=logit.device)
    entropy = F.binary_cross_entropy_with_logits(logit, ink, fair, pos_weight=positive)
    alpha = torch.sigmoid(logit)
    both = (weight * alpha * ink).sum()
    return entropy, 1 - 2 * both / ((weight * (alpha.square() + ink.square())).sum() + 1e-3)


def finished(base: Tensor, alpha: Tensor, phase: Tensor, colour: Tensor) -> Tensor:
    """Ink over tone(base) with the settings of training: soft tones, colours as they are."""
    flat = layered.tone(base, LEVELS, phase, _SOFTNESS, 1.0, 1.0)
    return layered.compose(flat, alpha, colour)


def layered_loss(out: Tensor, batch: Batch) -> tuple[Parts, Tensor, Tensor]:
    """Losses of a layered student's output, and the drawing it makes beside the one wanted.

    2 L1(base) + gradient L1(base) + 0.5 change where the target is flat + 0.35 cross entropy(ink) +
    0.25 (1 - soft F1) + 0.3 L1(drawing).
    """
    weight = weights(batch.labels)
    base, logit = out[:, :3], layered.smoothed_logit(out[:, 3:])
    colour = torch.tensor(layered.INK_COLOUR, device=out.device)[:, None, None]
    entropy, missed = ink_losses(logit, batch.ink, weight)
    drawn = finished(base, torch.sigmoid(logit), batch.phase, colour)
    wanted = finished(batch.base, batch.ink, batch.phase, colour)
    parts = {
        "base": 2 * _mean((base - batch.base).abs(), weight),
        "gradient": gradient_loss(base, batch.base, weight),
        "flat": 0.5 * flat_loss(base, batch.base),
        "ink": 0.35 * entropy,
        "lines": 0.25 * missed,
        "drawing": 0.3 * _mean((drawn - wanted).abs(), weight),
    }
    return parts, drawn, wanted


def plain_loss(out: Tensor, batch: Batch) -> tuple[Parts, Tensor, Tensor]:
    """Losses of a plain student: 2 L1 + gradient L1 + 0.5 change in flats + L1 under the ink."""
    weight = weights(batch.labels)
    colour = torch.tensor(layered.INK_COLOUR, device=out.device)[:, None, None]
    wanted = layered.compose(batch.base, batch.ink, colour)
    error = (out - wanted).abs()
    parts = {
        "base": 2 * _mean(error, weight),
        "gradient": gradient_loss(out, wanted, weight),
        "flat": 0.5 * flat_loss(out, wanted),
        "lines": _mean(error, weight * batch.ink),
    }
    return parts, out.clamp(0, 1), wanted


LOSSES: dict[str, Callable[[Tensor, Batch], tuple[Parts, Tensor, Tensor]]] = {
    "layered": layered_loss,
    "plain": plain_loss,
}
