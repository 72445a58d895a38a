"""Skin colour from one picture to another by rival methods, all behind ``transfer``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.color.inputs import check_mask, check_picture
from wbme.color.spaces import lab_to_srgb, srgb_to_lab

F64 = NDArray[np.float64]
LEAST = 16  # pixels of skin from which a colour may be told
_MOST = 20_000  # pixels of the source that count
_KNOTS = 4_000  # pixels of the target that a transport is told by
_TURNS = 10  # random turns of the axes of the sliced transport
_CONTRAST = 0.55  # exponent of the law that steps of tone follow from light skin to dark
_LINE, _TONE = 0.45, 0.68  # of the main tone's L*: lines lie below, tones of the skin above
_SOFT, _HARD = 0.3, 0.5  # spread of L* over a face, of its middle, in neutral and in hard side light


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a transfer: ``rgb`` H x W x 3, sRGB in [0, 1], and H x W masks in [0, 1]: its ``skin``; the
    whole ``region`` (a head, a person), which only the method by region looks at; and of a target what goes
    ``along`` with the skin without being counted, because it is painted over it (lips, lids). ``drawn``: a
    source that is a drawing, whose main tone is its lit one, and no photograph."""

    rgb: NDArray[Any]
    skin: NDArray[Any]
    region: NDArray[Any] | None = None
    along: NDArray[Any] | None = None
    drawn: bool = False


class How(NamedTuple):
    """What a method may know besides colours: a generator of its own, and whether the source is drawn."""

    rng: np.random.Generator
    drawn: bool


# Lab of the target's pixels (N x 3) and of the source's (M x 3), their weights (N, M): new Lab (N x 3).
Method = Callable[[F64, F64, F64, F64, How], F64]


def _mean(lab: F64, weight: F64) -> F64:
    return np.asarray(np.average(lab, axis=0, weights=weight), np.float64)


def _lab_mean(target: F64, w: F64, source: F64, v: F64, _: How) -> F64:
    """X + mean s - mean t in L*a*b*: Back, Kim, Ahn, WebtoonMe (SIGGRAPH Asia 2022 TC)."""
    return target + (_mean(source, v) - _mean(target, w))


def _rgb_mean(target: F64, w: F64, source: F64, v: F64, _: How) -> F64:
    """The same in sRGB values."""
    one, other = (np.asarray(lab_to_srgb(lab, clip=False), np.float64) for lab in (target, source))
    return np.asarray(srgb_to_lab(one + (_mean(other, v) - _mean(one, w))), np.float64)


def _reinhard(target: F64, w: F64, source: F64, v: F64, _: How) -> F64:
    """(s_s / s_t) (X - mean t) + mean s in each channel: Reinhard et al., Color Transfer between Images
    (2001), in CIE L*a*b*. A channel without spread is only moved."""
    t, s = _mean(target, w), _mean(source, v)
    spread_t, spread_s = (np.sqrt(_mean((x - m) ** 2, u)) for x, m, u in ((target, t, w), (source, s, v)))
    ratio = np.where(spread_t > 0.1, spread_s / np.maximum(spread_t, 0.1), 1.0)
    return ratio * (target - t) + s


def _matched(x: F64, w: F64, y: F64, v: F64) -> F64:
    """The monotone map that takes the distribution of ``x`` (weights ``w``) to that of ``y``: optimal
    transport on a line for any convex cost. Equal values stay equal."""
    step = max(len(x) // _KNOTS, 1)
    values, index = np.unique(x[::step], return_inverse=True)
    mass = np.bincount(index, w[::step])
    rank = (np.cumsum(mass) - mass / 2) / mass.sum()
    order = np.argsort(y, kind="stable")
    level = (np.cumsum(v[order]) - v[order] / 2) / v.sum()
    return np.asarray(np.interp(x, values, np.interp(rank, level, y[order])), np.float64)


def _transport_1d(target: F64, w: F64, source: F64, v: F64, _: How) -> F64:
    """Each of L*, a*, b* by itself takes the source's distribution."""
    return np.stack([_matched(target[:, k], w, source[:, k], v) for k in range(3)], axis=1)


def _transport_sliced(target: F64, w: F64, source: F64, v: F64, how: How) -> F64:
    """All three together take the source's distribution, along random orthogonal axes in turn: Pitie,
    Kokaram, Dahyot, Automated Colour Grading Using Colour Distribution Transfer (2007)."""
    out = target
    for _ in range(_TURNS):
        axes, _r = np.linalg.qr(how.rng.standard_normal((3, 3)))
        one, other = out @ axes, source @ axes
        out = np.stack([_matched(one[:, k], w, other[:, k], v) for k in range(3)], axis=1) @ axes.T
    return out


def _same_ita(target: F64, w: F64, source: F64, v: F64, _: How) -> F64:
    """The shift of L* and b* alone, which decide ITA; a*, the blush, stays the drawing's."""
    shift = _mean(source, v) - _mean(target, w)
    return target + shift * np.array([1.0, 0.0, 1.0])


def _by_tone(target: F64, w: F64, source: F64, v: F64, how: How) -> F64:
    """Ours: the main tone moves, and the steps to the other tones shrink or grow as light does.

    X' = s + k (X - t) in L*a*b*, with t the main tone of the drawing (its lit part), s that of the source and
    k = ((L_s + 16) / (L_t + 16))^0.55: shading is a factor of linear light, so that a step of L* goes with
    L* + 16 (exponent 1), which draughtsmen soften in the dark. Means would mix the drawing's shadows into
    its colour, and what of a mask is hair, glint or line into both. In soft light the middle of the source is
    its tone; the harder the light, the more it is its brightest part, as it is the drawing's.
    """
    hard = 0.0 if how.drawn else _hardness(source, v)
    t = _main(target, w, *_between((0.5, 0.75), (0.65, 0.9), hard))
    s = _main(source, v, *((0.5, 0.75) if how.drawn else _between((0.3, 0.7), (0.75, 0.95), hard)))
    return s + ((s[0] + 16) / (t[0] + 16)) ** _CONTRAST * (target - t)


def _hardness(lab: F64, weight: F64) -> float:
    """0 where a photographed face lies in soft light, as form alone shades it, to 1 where in hard light, by
    the distance of the 15th and 85th percentile of L* over the middle, L* + 16."""
    order, rank = _ranked(lab, weight)
    dark, middle, bright = np.interp((0.15, 0.5, 0.85), rank, lab[order, 0])
    return float(np.clip(((bright - dark) / (middle + 16) - _SOFT) / (_HARD - _SOFT), 0, 1))


def _between(one: tuple[float, float], other: tuple[float, float], share: float) -> tuple[float, float]:
    return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])


def _ranked(lab: F64, weight: F64) -> tuple[NDArray[np.intp], F64]:
    """The order of L*, and by weight the rank in [0, 1] of each in it."""
    order = np.argsort(lab[:, 0], kind="stable")
    return order, (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()


def _main(lab: F64, weight: F64, low: float, high: float) -> F64:
    """Mean of what lies between two ranks of L*, by weight."""
    order, rank = _ranked(lab, weight)
    inner = order[(rank >= low) & (rank <= high) & (weight[order] > 0)]
    return _mean(lab[inner], weight[inner]) if len(inner) else _mean(lab, weight)


LAB_MEAN = "Lab mean"  # the talk's formula
BY_TONE = "by tone"  # nearest to the oracle in 31_skin_reflection and 33_character_skin
METHODS: dict[str, Method] = {
    LAB_MEAN: _lab_mean,
    "Lab mean, region": _lab_mean,
    "RGB mean": _rgb_mean,
    "Reinhard": _reinhard,
    "1-D transport": _transport_1d,
    "sliced transport": _transport_sliced,
    "same ITA": _same_ita,
    BY_TONE: _by_tone,
}
OF_REGION = frozenset({"Lab mean, region"})
UNMIXED = frozenset({BY_TONE})  # takes lines off the skin before it moves, and puts them on again


def transfer(
    method: str, target: Side, source: Side, *, strength: float = 1.0, clip: bool = True, seed: int = 0
) -> NDArray[np.float32]:
    """The target's picture with its skin coloured as the source's by one of ``METHODS``, H x W x 3 sRGB.

    The two pictures may differ in size. Pixels where the mask is 0 keep their bits; where it is soft they get
    its share, and ``strength`` in [0, 1] of all that. "Lab mean" equals ``reflection.reflect``. ``clip`` as
    there. ``seed`` draws the axes of the sliced transport.

    Raises ParameterError for an unknown method, a strength out of range, a malformed picture or mask, or
    fewer than 16 pixels of skin on a side or a source whose skin is all black or all white, which tell no
    colour.
    """
    if method not in METHODS or not 0 <= strength <= 1:
        raise ParameterError(
            f"method {method!r}, strength {strength}: "
            f"give one of {', '.join(METHODS)} and a strength in [0, 1]"
        )
    rgb, mask = _checked(target, method in OF_REGION, "target")
    given, its_mask = _checked(source, method in OF_REGION, "source")
    if given[its_mask > 0].max() <= 0 or given[its_mask > 0].min() >= 1:
        raise ParameterError(
            "the source's skin is all black or all white, which tells no colour: choose another exposure"
        )
    theirs = given[its_mask > 0], its_mask[its_mask > 0].astype(np.float64)
    step = max(len(theirs[0]) // _MOST, 1)
    other, v = np.asarray(srgb_to_lab(theirs[0][::step].astype(np.float64)), np.float64), theirs[1][::step]
    how = How(generator(seed, "transfer", method), source.drawn)

    share = mask if target.along is None else np.maximum(mask, check_mask(target.along, rgb.shape, "along"))
    inside = share > 0
    pixels, weight, reach = rgb[inside], mask[inside].astype(np.float64), share[inside].astype(np.float64)

    def moved(srgb: NDArray[Any], counted: F64, reach: F64) -> NDArray[Any]:
        """Pixels N x 3 moved by their share ``reach``, with what of them is ``counted`` as skin."""
        lab = np.asarray(srgb_to_lab(srgb.astype(np.float64)), np.float64)
        new = METHODS[method](lab, counted, other, v, how)
        return np.asarray(lab_to_srgb(lab + reach[:, None] * strength * (new - lab), clip=clip))

    out = rgb.copy()
    unmix = method in UNMIXED
    out[inside] = _below_lines(pixels, weight, reach, moved) if unmix else moved(pixels, weight, reach)
    if clip:  # a mix of two colours in the gamut may leave it by a rounding
        out[inside] = np.clip(out[inside], 0, 1)
    return out


def _below_lines(
    pixels: NDArray[np.float32], weight: F64, reach: F64, moved: Callable[..., NDArray[Any]]
) -> NDArray[Any]:
    """``moved`` applied to the skin below the lines: a pixel x = k + m (s - k) of ink k over skin s becomes
    x + m (s' - s). The share m is its L* between ink and the darkest tone that skin is drawn in, or ``reach``
    where that is less. What is no darker than that is all skin, and what is ink stays as it is."""
    L = srgb_to_lab(pixels)[:, 0].astype(np.float64)
    order = np.argsort(L[weight > 0], kind="stable")
    main = float(L[weight > 0][order[len(order) // 2]])
    ink = pixels[weight > 0][order[: max(len(order) // 200, 1)]].mean(0)
    at = float(srgb_to_lab(ink)[0])
    drawn_over = at < _LINE * main
    share = np.clip((L - at) / (_TONE * main - at), 0.0, 1.0) if drawn_over else np.ones_like(L)
    bare = np.clip(ink + (pixels - ink) / np.maximum(share, 0.2)[:, None], 0, 1) if drawn_over else pixels
    new = moved(bare, weight * share, np.ones_like(L))
    return np.asarray(pixels + (np.minimum(share, reach) * (share > 0.05))[:, None] * (new - bare))


def _checked(side: Side, region: bool, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rgb = check_picture(side.rgb, f"{name} picture")
    skin = check_mask(side.skin, rgb.shape, f"{name} skin mask")
    if np.count_nonzero(skin) < LEAST:
        raise ParameterError(
            f"the {name} skin mask has {np.count_nonzero(skin)} pixels, which tell no colour: "
            f"give {LEAST} or more"
        )
    if not region:
        return rgb, skin
    if side.region is None:
        raise ParameterError(f"the {name} has no region: give its mask beside that of the skin")
    return rgb, check_mask(side.region, rgb.shape, f"{name} region mask")
