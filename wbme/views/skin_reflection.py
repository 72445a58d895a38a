"""Colour reflection and its rivals against the oracle: how near they come, for whom, under which light, and
what they do to lines and eyes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.base.statistics import Interval, bootstrap
from wbme.color import metering
from wbme.color.difference import delta_e00
from wbme.color.reflection import mean_lab
from wbme.color.relight import relight
from wbme.color.spaces import srgb_to_lab
from wbme.color.tones import ita
from wbme.color.transfer import BY_TONE, LAB_MEAN, LEAST, METHODS, Side, transfer
from wbme.data import matched, rendered
from wbme.data.relit import LAMPS, fitted, relit
from wbme.data.rendered import Layers
from wbme.geometry.parsing import EYES, INDEX, MOUTH, SKIN
from wbme.metrics.skin import whitewash
from wbme.perception.parsing import Parser
from wbme.synth import background
from wbme.synth.composite import UNDER, inked, over

F32 = NDArray[np.float32]
GREY = 0.5  # sRGB, behind every drawing
MOST = 8_000  # pixels of a person that are compared one by one
NONE, OURS, METERED = "none", BY_TONE, "by tone, metered"
TALK = LAB_MEAN
ALL = (NONE, *METHODS, METERED)
ALBEDO, RENDERED = "albedo", "as rendered"
LIGHTS = (ALBEDO, RENDERED, *LAMPS)
_TOUCHED = 1.0  # delta E00 from which a pixel counts as changed


@dataclass(frozen=True, eq=False)
class Case:
    """A view drawn as a character. ``palette`` and ``oracle``: whole drawings, H x W x 3 sRGB in [0, 1];
    ``photos`` of the same size by light, and the layers ``lit`` by it; ``skin``: bool H x W, without lines
    and what is drawn on it; ``parsed``: labels H x W that the parser sees in each photo."""

    view: str
    identity: str
    monk: int
    character: str
    layers: Layers
    palette: F32
    oracle: F32
    skin: NDArray[np.bool_]
    photos: dict[str, F32]
    parsed: dict[str, NDArray[np.uint8]]
    lit: dict[str, Layers]

    def masks(self, light: str) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
        """By kind: H x W masks of skin, and of what goes along with it (lips, lids). The exact ones are soft,
        the share of each pixel that no line covers. Predicted ones, by labels of the photo alone, are there
        where the parser finds enough to tell a colour."""
        clear = (1 - self.layers.ink) * (1 - self.layers.drawn[..., 3])
        found = {"exact": tuple(np.isin(self.layers.labels, list(k)) * clear for k in (SKIN, UNDER))}
        if light in self.parsed:
            seen, lips = (np.isin(self.parsed[light], list(k)) for k in (SKIN, MOUTH - {INDEX["mouth"]}))
            if np.count_nonzero(seen) >= LEAST:
                found["predicted"] = seen, lips
        return found

    def kept(self) -> NDArray[np.bool_]:
        """Pixels of the person, bool H x W, that are no bare skin and the same in palette and oracle (delta
        E00 below 0.5): lines, eyes, hair, clothes, which no change of skin should reach."""
        same = delta_e00(srgb_to_lab(self.palette), srgb_to_lab(self.oracle)) < 0.5
        return (self.layers.labels > 0) & same & ~self.skin

    def eyes(self, light: str, mask: str) -> NDArray[np.bool_]:
        """What counts as eyes beside that mask."""
        return np.isin(self.layers.labels if mask == "exact" else self.parsed[light], list(EYES))


def cases(
    people: Path, drawn: dict[str, Path], row: dict[str, Any], parser: Parser | None, lights: Sequence[str],
    *, side: int = 256, seed: int = 0,
) -> list[Case]:  # fmt: skip
    """The view of that row, drawn as each character of ``drawn`` (name: folder), under each of ``lights``
    before a made-up place, at most ``side`` pixels wide; parsed where a parser is given. A view without skin
    gives none, and so does a character in its own proportions, whose pixels are not the photo's.

    Raises ParameterError for an unknown light, MediaError or StoreError for a damaged set.
    """
    unknown = sorted(set(lights) - set(LIGHTS))
    if unknown:
        raise ParameterError(f"unknown light {unknown[0]!r}: choose of {', '.join(LIGHTS)}")
    made: dict[str, tuple[Layers, F32]] = {}
    parsed: dict[str, NDArray[np.uint8]] = {}
    found = []
    for name, folder in drawn.items():
        if matched.deformed(folder, row["id"]):
            continue
        layers = fitted(rendered.layers(people, folder, row["id"]), side)
        skin = np.isin(layers.labels, list(SKIN)) & (layers.ink < 0.02) & (layers.drawn[..., 3] < 0.02)
        if np.count_nonzero(skin) < LEAST:
            continue
        if not made:
            made = _photos(layers, lights, generator(seed, "skin reflection", row["id"]))
            seen = {light: photo for light, (_, photo) in made.items() if parser and light != ALBEDO}
            parsed = {light: parser(photo) for light, photo in seen.items()} if parser else {}
        photos = {light: photo for light, (_, photo) in made.items()}
        lit = {
            light: replace(layers, photo=one.photo, shading=one.shading) for light, (one, _) in made.items()
        }
        grey = np.full((*skin.shape, 3), GREY, np.float32)
        palette, oracle = (
            inked(over(layers.drawn, over(fill, grey)), layers.ink)
            for fill in (layers.palette, layers.oracle)
        )
        named = row["id"], row["identity"], int(row["facts"]["monk"]), name
        found.append(Case(*named, layers, palette, oracle, skin, photos, parsed, lit))
    return found


def _photos(layers: Layers, lights: Sequence[str], rng: np.random.Generator) -> dict[str, tuple[Layers, F32]]:
    place = background.scene(max(layers.labels.shape), rng)[: len(layers.labels), : layers.labels.shape[1]]
    bare = np.dstack([layers.albedo, layers.photo[..., 3:]])
    made = {ALBEDO: (layers, over(bare, place)), RENDERED: (layers, over(layers.photo, place))}
    made |= {name: relit(layers, place, LAMPS[name], rng) for name in lights if name in LAMPS}
    return {name: made[name] for name in lights}


def reflected(
    one: Case, method: str, light: str, mask: str = "exact", *, strength: float = 1.0, clip: bool = True,
    at: NDArray[np.intp] | None = None, drawing: F32 | None = None,
) -> F32:  # fmt: skip
    """The drawing (default: that in the character's palette) coloured by ``method`` (one of ``ALL``) after
    the photo under ``light``: H x W x 3, or N x 3 for the pixels ``at`` of the flat picture, whose statistics
    alone then count."""
    photo, (seen, along) = one.photos[light], one.masks(light)[mask]
    drawn = one.palette if drawing is None else drawing
    if method == NONE:
        return drawn if at is None else drawn.reshape(-1, 3)[at]
    person = one.layers.labels > 0 if mask == "exact" else one.parsed[light] > 0
    if method == METERED:
        photo = evened(one, light, mask)
    planes: list[Any] = [drawn, photo, seen, person | (seen > 0), np.maximum(seen, along)]
    if at is not None:
        planes = [p.reshape(1, -1, *p.shape[2:])[:, at] for p in planes]
    target, source, skin, whole, moving = planes
    name = OURS if method == METERED else method
    sides = Side(target, skin, whole, moving), Side(source, skin, whole)
    out = transfer(name, *sides, strength=strength, clip=clip)
    return out if at is None else out[0]


def evened(one: Case, light: str, mask: str = "exact") -> F32:
    """The photo under ``light`` as the exposure meter would have taken it ("adaptive, local"), H x W x 3.
    ParameterError where its light cannot be measured."""
    photo, (seen, _) = one.photos[light], one.masks(light)[mask]
    person = one.layers.labels > 0 if mask == "exact" else one.parsed[light] > 0
    return relight("adaptive, local", photo, metering.Seen(photo, seen, one.eyes(light, mask), person))


def measure(one: Case) -> list[dict[str, Any]]:
    """A row for each light, mask and method of a case.

    On the exact skin: mean ``delta E00`` to the oracle; ``shading``, the correlation of L* with the oracle's
    (NaN where that has one tone only); ITA of the person's albedo and of the result, degrees; ``clipped``,
    the share of pixels that leave the gamut, and ``found``, that of pixels under the mask, %. On what should
    stay (``Case.kept``): mean delta E00 to the drawing as it was (``elsewhere``), and the share that changes
    by more than 1 (``touched``, %). A method that a black or burnt-out photograph tells nothing has no row.
    """
    flat = np.flatnonzero(one.layers.labels > 0)
    at = flat[:: max(len(flat) // MOST, 1)]
    skin = one.skin.ravel()[at]
    if not skin.any():
        raise ParameterError(f"view {one.view} shows too little skin to be measured: leave it out")
    own = mean_lab(one.layers.albedo, one.skin)
    rest = one.kept().ravel()[at]
    wanted = srgb_to_lab(one.oracle.reshape(-1, 3)[at][skin])
    before = srgb_to_lab(one.palette.reshape(-1, 3)[at][rest])
    rows = []
    for light in one.photos:
        for mask, (seen, _) in one.masks(light).items():
            if np.count_nonzero(seen.ravel()[at]) < LEAST:
                continue
            for method in ALL:
                try:
                    raw = reflected(one, method, light, mask, clip=False, at=at)
                except ParameterError:  # black or burnt out: no colour is told, and the row is missing
                    continue
                lab, other = (srgb_to_lab(np.clip(raw[part], 0, 1)) for part in (skin, rest))
                lost = ((raw[skin] < -1e-3) | (raw[skin] > 1 + 1e-3)).any(1)
                moved = delta_e00(other, before) if rest.any() else np.zeros(1)
                middle = lab.mean(0)
                row = {"view": one.view, "identity": one.identity, "Monk": one.monk}
                row |= {"character": one.character, "light": light, "mask": mask, "method": method}
                row["found"] = 100 * float((seen.ravel()[at][skin] > 0).mean())
                row |= {
                    "delta E00": float(delta_e00(lab, wanted).mean()),
                    "shading": correlation(lab, wanted),
                }
                row |= {"ITA in": float(ita(own[0], own[2])), "ITA out": float(ita(middle[0], middle[2]))}
                row |= {"clipped": 100 * float(lost.mean()), "elsewhere": float(moved.mean())}
                rows.append(row | {"touched": 100 * float((moved > _TOUCHED).mean())})
    return rows


def correlation(lab: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Correlation of L* between two lists of Lab colours (N x 3): whether the tones that tell the form are
    kept. NaN where ``wanted`` has one tone only, 0 where ``lab`` lost all of them."""
    if wanted[:, 0].std() < 0.5:
        return float("nan")
    if lab[:, 0].std() < 1e-3:
        return 0.0
    return float(np.corrcoef(lab[:, 0], wanted[:, 0])[0, 1])


def over_people(part: pd.DataFrame, seed: int, column: str = "delta E00") -> Interval:
    """Mean and 95 % bootstrap interval over people: two views of one person are not two witnesses."""
    return bootstrap(part.groupby("identity")[column].mean(), seed=seed)


def slope(part: pd.DataFrame) -> float:
    """The whitewash slope of ITA out on ITA in; NaN where the people hardly differ."""
    return whitewash(part["ITA in"], part["ITA out"]).slope


def told(interval: Interval) -> str:
    """``mean (low to high)``, the mean alone where there is no interval."""
    if not np.isfinite([interval.low, interval.high]).all():
        return f"{interval.mean:.2f}"
    return f"{interval.mean:.2f} ({interval.low:.2f} to {interval.high:.2f})"


def table(rows: pd.DataFrame, lights: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """A row a method and mask over ``lights``: delta E00 with its interval over people, the worst Monk tone,
    shading, whitewash slope, lines and eyes, clipping."""
    entries = []
    for (mask, method), part in rows[rows["light"].isin(lights)].groupby(["mask", "method"], sort=False):
        tones = part.groupby("Monk")["delta E00"].mean()
        one = slope(part)
        entry: dict[str, Any] = {"mask": mask, "method": method, "people": part["identity"].nunique()}
        entry["skin found (%)"] = f"{part['found'].mean():.0f}"
        entry["ΔE00 to the oracle"] = told(over_people(part, seed))
        entry |= {"worst tone": f"{tones.max():.1f} (Monk {tones.idxmax()})"}
        entry |= {"slope": f"{one:.2f}" if np.isfinite(one) else "one skin"}
        flat = part["shading"].dropna()
        entry |= {"shading r": f"{flat.mean():.3f}" if len(flat) else "one tone"}
        entry |= {"elsewhere ΔE00": f"{part['elsewhere'].mean():.2f}"}
        entry |= {
            "touched (%)": f"{part['touched'].mean():.1f}",
            "clipped (%)": f"{part['clipped'].mean():.1f}",
        }
        entries.append(entry)
    return pd.DataFrame(entries)


def by_group(rows: pd.DataFrame, group: str, seed: int = 0) -> pd.DataFrame:
    """delta E00 with 95 % bootstrap interval over people, by ``group`` ("Monk" or "light"), mask and
    method."""
    entries = []
    for key, part in rows.groupby([group, "mask", "method"], sort=False):
        mean = over_people(part, seed)
        entries.append((*key, mean.n, mean.mean, mean.low, mean.high))
    return pd.DataFrame(entries, columns=[group, "mask", "method", "people", "mean", "low", "high"])


def listed(summary: pd.DataFrame, gap: str) -> pd.DataFrame:
    """A table of numbers as it is shown: two decimals, ``gap`` for what there is not."""
    rounded = summary.round(2).astype(object)
    return rounded.where(summary.notna(), gap)
