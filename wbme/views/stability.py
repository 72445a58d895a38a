"""Whether drawings hold still: clips whose motion is known exactly, what flickers in them, and where."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.base.seeds import generator
from wbme.base.statistics import bootstrap
from wbme.data.pairs import Pairs
from wbme.metrics import temporal
from wbme.people import clip as rendered
from wbme.synth import background
from wbme.synth.composite import over
from wbme.views.overlay import contact_sheet
from wbme.views.sources import spread
from wbme.views.style import FONT, INK, plain, spanned

F32 = NDArray[np.float32]
KINDS = ("panning", "turning")
UNIT = "E_warp (1e-4)"


@dataclass(frozen=True, eq=False)
class Clip:
    """A clip of one person: ``rgb`` T x H x W x 3 in [0, 1]; ``motion`` and ``seen`` as
    ``metrics.temporal.errors`` takes them; ``kind``, one of ``KINDS``."""

    kind: str
    identity: str
    rgb: F32
    motion: Any
    seen: NDArray[np.bool_] | None = None


def panning(still: F32, identity: str, frames: int, noise: float, seed: int) -> Clip:
    """A window of three quarters that crosses a ``still`` (H x W x 3), with a camera's ``noise``."""
    high, wide = (round(0.75 * side) for side in still.shape[:2])
    rgb, motion = temporal.pan(still, high, wide, frames, noise, generator(seed, "pan", identity))
    return Clip("panning", identity, rgb, motion)


def turning(seed: int, number: int, frames: int, noise: float, side: int = 256) -> Clip:
    """A synthetic person who turns the head (``people.clip``) before a made-up place that stands still, with
    a camera's ``noise`` (deviation, sRGB)."""
    rng = generator(seed, "turning", number)
    place = background.scene(side, rng)
    shown = list(rendered.turning(seed, number, frames=frames, side=side))
    rgb = np.stack([over(one.rgba.astype(np.float32) / 255, place) for one in shown])
    noisy = np.clip(rgb + noise * rng.standard_normal(rgb.shape, np.float32), 0, 1)
    flows, seen = (np.stack([getattr(one, name) for one in shown]) for name in ("flow", "seen"))
    return Clip("turning", f"clip {number}", noisy, flows, seen)


def clips(
    made: Pairs, rows: Sequence[dict[str, Any]], count: int, frames: int, noise: float, seed: int
) -> Iterator[Clip]:
    """``count`` clips of each of ``KINDS``, or as many as there are people: pans over photographs of
    different people among the pairs' ``rows``, and turning people whom no set has."""
    people = list({row["identity"]: row for row in rows}.values())
    for row in spread(people, count) if count else ():
        yield panning(made.load(row, ("src",))["src"], row["identity"], frames, noise, seed)
    own = int(generator(seed, "clips").integers(2**62))
    for number in range(count):
        yield turning(own, number, frames, noise)


def measure(one: Clip, drawn: Mapping[str, Sequence[F32]]) -> list[dict[str, Any]]:
    """A row a method of the drawings of a clip (T of H x W x 3): kind, identity, method, and the mean of
    ``UNIT`` over its pictures."""
    about = {"kind": one.kind, "identity": one.identity}
    found = {name: temporal.errors(np.stack(clip), one.motion, one.seen) for name, clip in drawn.items()}
    return [{**about, "method": name, UNIT: 1e4 * float(np.mean(list(e)))} for name, e in found.items()]


def summary(rows: Sequence[Mapping[str, Any]], seed: int = 0) -> pd.DataFrame:
    """A row a kind and method: mean of ``UNIT`` and its 95 % bootstrap interval over clips, each of a person
    of its own; ``to input``: the mean ratio to the clip itself."""
    frame, found = pd.DataFrame(rows, columns=["kind", "identity", "method", UNIT]), []
    floor = frame[frame["method"] == "input"].set_index(["kind", "identity"])[UNIT]
    for (kind, name), own in frame.groupby(["kind", "method"], sort=False):
        told = bootstrap(own[UNIT].to_numpy(), seed=seed)
        ratio = own.set_index(["kind", "identity"])[UNIT] / floor
        row = {"clip": kind, "method": name, UNIT: told.mean, "low": told.low, "high": told.high}
        found.append(row | {"to input": float(ratio.mean()), "clips": told.n})
    return pd.DataFrame(found, columns=["clip", "method", UNIT, "low", "high", "to input", "clips"])


def intervals(found: pd.DataFrame) -> Figure:
    """The rows of ``summary``: a panel a kind of clip, a line a method; the clip itself crosses the panel."""
    methods, kinds = (list(dict.fromkeys(found[name])) for name in ("method", "clip"))
    figure = Figure(figsize=(1.5 + 4.2 * len(kinds), 1 + 0.32 * len(methods)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(kinds), sharey=True))
    for axes, kind in zip(panels, kinds, strict=True):
        plain(axes).set_title(f"{kind} clip (less is steadier)", fontsize=FONT, color=INK)
        for row in found[found["clip"] == kind].itertuples(index=False):
            place, (mean, low, high) = methods.index(row.method), row[2:5]
            if row.method == "input":
                axes.axvline(mean, color=INK, lw=1, ls=":")
            spanned(axes, place, mean, low, high)
        axes.set_yticks(range(len(methods)), methods)
        axes.set_ylim(len(methods) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.set_xlabel(UNIT.replace("1e-4", "10⁻⁴"), fontsize=FONT, color=INK)
        axes.grid(axis="x", color="#E4E4E4", lw=0.7)
        axes.set_axisbelow(True)
    return figure


def flicker(one: Clip, drawn: Mapping[str, Sequence[F32]], cell: int = 230) -> F32:
    """Each method's drawing of the last picture, and beneath it where it is not what the one before, moved
    along, would have given: the mean over the clip, eight times as strong; what is never seen in two pictures
    is grey."""
    top, below = [], []
    high, wide = one.rgb.shape[1:3]
    grid = np.dstack(np.meshgrid(np.arange(wide), np.arange(high))).astype(np.float32)
    flows = one.motion if np.ndim(one.motion) > 1 else [np.float32(one.motion)] * len(one.rgb)
    for clip in drawn.values():
        total, count = np.zeros((high, wide)), np.zeros((high, wide))
        for k in range(1, len(clip)):
            moved = cv2.remap(clip[k - 1], (grid + flows[k]).astype(np.float32), None, cv2.INTER_LINEAR)
            seen = np.ones((high, wide)) if one.seen is None else one.seen[k]
            total, count = total + seen * np.abs(clip[k] - moved).mean(2), count + seen
        change = 1 - np.clip(8 * total / np.maximum(count, 1), 0, 1)
        top.append(clip[-1])
        below.append(np.where(count > 0, change, 0.8))
    labels = [*drawn, *["its change"] * len(drawn)]
    return contact_sheet([*top, *below], len(top), labels, cell=cell)


def findings(found: pd.DataFrame, methods: Sequence[str]) -> list[str]:
    """What the rows of ``summary`` say of ``methods``, as lines of Markdown."""
    rows = {(row["clip"], row["method"]): row["to input"] for row in found.to_dict("records")}
    told = [
        (name, [f"{rows[k, name]:.2f} on a {k} clip" for k in KINDS if (k, name) in rows]) for name in methods
    ]
    return [
        f"- {name}: E_warp {', '.join(parts)}, in shares of the clip's own." for name, parts in told if parts
    ]
