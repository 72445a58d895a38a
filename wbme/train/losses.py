"""What a student is trained on: colour, edges, flats and lines, eyes and mouths above all."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from wbme.geometry.parsing import EYES, HEAD, MOUTH, SKIN
from wbme.nets import layered
from wbme.train.loader import LEVELS, Batch

Parts = dict[str, Tensor]

_POSITIVE = 2.0  # weight of ink against paper
_RING = 0.7  # weight of paper that touches ink: a line drawn a pixel too thick is no grave error
_FLAT = 0.012  # change between neighbours below which the target is flat
_STEP = 1 / 255  # least change of luma that is seen
_YUV = ((0.299, 0.587, 0.114), (-0.147, -0.289, 0.436), (0.615, -0.515, -0.100))
_SOFTNESS = 0.9  # of the tones while training, so that gradients flow


def weights(labels: Tensor) -> Tensor:
    """Weight of each pixel (N x 1 x H x W): 5 in and around eyes and mouths, 2 on heads, else 1.

    Around, because lashes and the outline of lips lie just outside.
    """
    table = torch.ones(256, device=labels.device)
    table[list(HEAD)] = 2.0
    table[list(EYES | MOUTH)] = 5.0
    rows = F.max_pool2d(table[labels.long()], (1, 7), 1, (0, 3))
    return F.max_pool2d(rows, (7, 1), 1, (3, 0))


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


def ramp_loss(x: Tensor, target: Tensor) -> Tensor:
    """How many neighbours differ where those of the target do not: the mean of |d| / (|d| + s), s the least
    change that is seen (N x 1 x H x W in [0, 1], both).

    L1 of differences is total variation, which a wide ramp costs as much as a step of its height. Under this
    concave cost (Geman and Reynolds 1992), nearly the count of L0 smoothing (Xu et al. 2011), steps win.
    """
    pairs = zip(differences(x), differences(target), strict=True)
    counts = [(a.abs() / (a.abs() + _STEP) * (b.abs() < _STEP)).mean() for a, b in pairs]
    return torch.stack(counts).sum()


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


def _even(base: Tensor) -> Tensor:
    """The luma N x 1 x H x W of a base that is quantised into tones."""
    return layered.crisp(layered.smoothed(layered.luma(base.clamp(0, 1))))


def layered_loss(
    out: Tensor, batch: Batch, flat: float = 0.5, ramp: float = 0.0
) -> tuple[Parts, Tensor, Tensor]:
    """Losses of a layered student's output, and the drawing it makes beside the one wanted.

    2 L1(base) + gradient L1(base) + ``flat`` times the change where the target is flat + ``ramp`` times the
    places where the luma behind the tones changes and the target's does not +
    0.35 cross entropy(ink) + 0.25 (1 - soft F1) + 0.3 L1(drawing).
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
        "flat": flat * flat_loss(base, batch.base),
        "ramp": ramp * ramp_loss(_even(base), _even(batch.base)) if ramp else out.new_zeros(()),
        "ink": 0.35 * entropy,
        "lines": 0.25 * missed,
        "drawing": 0.3 * _mean((drawn - wanted).abs(), weight),
    }
    return parts, drawn, wanted


def plain_loss(
    out: Tensor, batch: Batch, flat: float = 0.5, ramp: float = 0.0
) -> tuple[Parts, Tensor, Tensor]:
    """Losses of a plain student: 2 L1 + gradient L1 + ``flat`` times the change in flats + ``ramp`` times the
    places where luma changes and the target's does not + L1 under ink."""
    weight = weights(batch.labels)
    colour = torch.tensor(layered.INK_COLOUR, device=out.device)[:, None, None]
    wanted = layered.compose(batch.base, batch.ink, colour)
    error = (out - wanted).abs()
    parts = {
        "base": 2 * _mean(error, weight),
        "gradient": gradient_loss(out, wanted, weight),
        "flat": flat * flat_loss(out, wanted),
        "ramp": ramp * ramp_loss(layered.luma(out), layered.luma(wanted)),
        "lines": _mean(error, weight * batch.ink),
    }
    return parts, out.clamp(0, 1), wanted


def colour_loss(drawn: Tensor, wanted: Tensor, labels: Tensor) -> Tensor:
    """Colour of a drawing N x 3 x H x W in [0, 1], against the one wanted: L1 of luma plus Huber of chroma
    (BT.601 YUV, after AnimeGAN, Chen et al. 2019), and L1 between the mean colours of each crop's skin."""
    matrix = torch.tensor(_YUV, device=drawn.device)
    luma, chroma = torch.einsum("kc,nchw->knhw", matrix, drawn - wanted).split([1, 2])
    skin = torch.isin(labels, torch.tensor(sorted(SKIN), device=labels.device, dtype=labels.dtype))
    area = skin.sum((2, 3)).clamp(min=1)
    apart = ((drawn - wanted) * skin).sum((2, 3)) / area
    return (
        luma.abs().mean()
        + 10 * F.huber_loss(chroma, torch.zeros_like(chroma), delta=0.1)
        + apart.abs().mean()
    )


def consistency_loss(first: Tensor, second: Tensor) -> Tensor:
    """L1 between what one place looks like in two crops that show it: the network's output N x 3 or N x 4 x H
    x W of each, the ink as its coverage."""
    both = [
        torch.cat([out[:, :3], torch.sigmoid(layered.smoothed_logit(out[:, 3:]))], 1)
        if out.shape[1] > 3
        else out
        for out in (first, second)
    ]
    return F.l1_loss(*both)


LOSSES: dict[str, Callable[[Tensor, Batch, float, float], tuple[Parts, Tensor, Tensor]]] = {
    "layered": layered_loss,
    "plain": plain_loss,
}
