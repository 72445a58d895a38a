"""Recipes of light on drawings of people whose light is known: how even, for whom, at what price."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.base.statistics import bootstrap
from wbme.color.metering import Seen
from wbme.color.reflection import mean_lab
from wbme.color.relight import RECIPES, relight
from wbme.color.tones import ita
from wbme.color.transfer import BY_TONE
from wbme.data.relit import LAMPS, Lamp, relit
from wbme.data.rendered import Layers
from wbme.geometry.parsing import EYES, SKIN
from wbme.metrics.light import score
from wbme.metrics.skin import whitewash
from wbme.synth import background, composite
from wbme.synth.composite import Drawing
from wbme.synth.texture import flatten

F32 = NDArray[np.float32]
BEFORE = "adaptive, on the input"
ALL = (*RECIPES, BEFORE)
_LEAST = 16


@dataclass(frozen=True, eq=False)
class Scene:
    """A view before a place, under any lamp. ``skin``: bool H x W, clear of lines and what is drawn on it."""

    view: str
    identity: str
    monk: int
    layers: Layers
    place: F32
    skin: NDArray[np.bool_]
    seed: int

    def photo(self, lamp: Lamp) -> tuple[Layers, F32]:
        """The view's layers and its photograph under ``lamp``, the same for the same seed."""
        return relit(self.layers, self.place, lamp, generator(self.seed, "lighting", self.view, str(lamp)))


def _clear_skin(layers: Layers) -> NDArray[np.bool_]:
    return np.isin(layers.labels, list(SKIN)) & (layers.ink < 0.02) & (layers.drawn[..., 3] < 0.02)


def shows_skin(layers: Layers) -> bool:
    """Whether enough skin is seen to be measured."""
    return np.count_nonzero(_clear_skin(layers)) >= _LEAST


def scene(row: dict[str, Any], layers: Layers, seed: int = 0) -> Scene:
    """The view of that row before a made-up place. ParameterError where no skin is seen."""
    skin = _clear_skin(layers)
    if np.count_nonzero(skin) < _LEAST:
        raise ParameterError(f"view {row['id']} shows no skin: leave it out")
    rng = generator(seed, "lighting place", row["id"])
    place = background.scene(max(skin.shape), rng)[: skin.shape[0], : skin.shape[1]]
    return Scene(row["id"], row["identity"], int(row["facts"]["monk"]), layers, place, skin, seed)


def lamps(stops: Sequence[float]) -> dict[str, Lamp]:
    """Exposures of white light, then warm, cold, coloured and half-lit. ParameterError for stops that are not
    whole pictures' (beyond +/- 6) or do not hold 0, what all is compared with."""
    if 0 not in stops or not all(abs(stop) <= 6 for stop in stops):
        raise ParameterError(f"exposures {list(stops)}: give stops in [-6, 6], 0 among them")
    names = {f"{stop:+g} EV" if stop else "0 EV": Lamp(ev=float(stop)) for stop in sorted(stops)}
    return names | {name: LAMPS[name] for name in ("warm", "cold", "coloured", "half-lit")}


def drawn(layers: Layers, photo: F32, reflection: str = BY_TONE) -> F32:
    """The drawing of a photograph before its lines: flat head and clothes over the texture filter, H x W x 3
    sRGB in [0, 1]; ``reflection`` as in a recipe."""
    return composite.base(photo, flatten(photo), layers, Drawing(), reflection)[0]


def seen(one: Scene, photo: F32) -> Seen:
    """What a recipe may look at: the photograph, its skin, eyes and person by exact labels."""
    labels = one.layers.labels
    return Seen(photo, np.isin(labels, list(SKIN)), np.isin(labels, list(EYES)), labels > 0)


def results(one: Scene, lamp: Lamp, names: Sequence[str], strength: float = 1.0) -> dict[str, F32]:
    """The finished drawing of a view under ``lamp`` by each recipe of ``names``: the light is measured in the
    photograph and made even in the drawing below its lines; with ``BEFORE`` in the photograph, before it is
    drawn. Raises ParameterError where the light cannot be measured."""
    layers, photo = one.photo(lamp)
    sight, base = seen(one, photo), drawn(layers, photo)
    made = {}
    for name in names:
        if name == BEFORE:
            even = drawn(layers, relight("adaptive", photo, sight, strength=strength))
        else:
            even = relight(name, base, sight, strength=strength)
        made[name] = composite.inked(even, layers.ink)
    return made


def measure(one: Scene, chosen: dict[str, Lamp]) -> list[dict[str, Any]]:
    """A row a lamp and recipe: the scores of ``metrics.light`` against the drawing of the view in white light
    rightly exposed, and ITA and L* of the person's own skin. A lamp under which nothing can be measured gives
    one row by "none" alone, with ``blind`` true."""
    reference = results(one, Lamp(), ("none",))["none"]
    own = mean_lab(one.layers.albedo, one.skin)
    rows = []
    for name, lamp in chosen.items():
        row = {"view": one.view, "identity": one.identity, "Monk": one.monk, "light": name}
        row |= {"stops": lamp.ev, "ITA in": float(ita(own[0], own[2])), "L in": float(own[0])}
        try:
            made = results(one, lamp, ALL)
        except ParameterError:
            rows.append(row | {"recipe": "none", "blind": True})
            continue
        for recipe, picture in made.items():
            found = asdict(score(picture, reference, one.skin, one.layers.labels > 0))
            rows.append(row | {"recipe": recipe, "blind": False} | found)
    return rows


def table(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """A row a recipe over all lamps: L* spread of one person's skin, delta E00 with 95 % bootstrap interval
    over people, worst Monk tone, whitewash slope in white light of all exposures, form, lost tones, noise."""
    entries = []
    good = rows[~rows["blind"]]
    for recipe, part in good.groupby("recipe", sort=False):
        spread = bootstrap(part.groupby("identity")["L"].std(ddof=0), seed=seed)
        error = bootstrap(part.groupby("identity")["delta_e00"].mean(), seed=seed)
        tones = part.groupby("Monk")["delta_e00"].mean()
        white = part[part["light"].str.endswith("EV")]
        found = whitewash(white["ITA in"], white["ita"]).slope
        entry: dict[str, Any] = {"recipe": recipe, "people": error.n, "skin-L* spread": _told(spread)}
        entry |= {
            "ΔE00 to neutral light": _told(error),
            "worst tone": f"{tones.max():.1f} (Monk {tones.idxmax()})",
        }
        entry |= {"slope": f"{found:.2f}" if np.isfinite(found) else "one skin"}
        form = part["form"].dropna()
        entry |= {"form r": f"{form.mean():.3f}" if len(form) else "one tone"}
        entry |= {"lost (%)": f"{100 * part['lost'].mean():.1f}", "noise L*": f"{part['noise'].mean():.2f}"}
        entries.append(entry)
    return pd.DataFrame(entries)


def _told(interval: Any) -> str:
    known = np.isfinite([interval.low, interval.high]).all()
    return f"{interval.mean:.2f}" + (f" ({interval.low:.2f} to {interval.high:.2f})" if known else "")


def by_light(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over views by lamp and recipe: delta_e00, change (of the skin's L* from the drawing as it comes
    in white light rightly exposed), form, lost (%), noise."""
    columns = ["delta_e00", "change", "form", "lost", "noise"]
    right = rows[(rows["light"] == "0 EV") & (rows["recipe"] == "none")].set_index("view")["L"]
    rows = rows.assign(change=rows["L"] - rows["view"].map(right))
    means = (
        rows[~rows["blind"]].groupby(["light", "stops", "recipe"], sort=False)[columns].mean().reset_index()
    )
    place = {light: k for k, light in enumerate(dict.fromkeys(rows["light"]))}
    means = means.sort_values("light", key=lambda lights: lights.map(place), kind="stable", ignore_index=True)
    return means.assign(lost=100 * means["lost"])


def by_monk(rows: pd.DataFrame) -> pd.DataFrame:
    """delta E00 to neutral light, mean over lamps and views: a row a recipe, a column a Monk tone."""
    good = rows[~rows["blind"]].assign(Monk="Monk " + rows["Monk"].astype(str).str.zfill(2))
    return good.pivot_table(index="recipe", columns="Monk", values="delta_e00", sort=False).sort_index(axis=1)


def worst(rows: pd.DataFrame) -> pd.DataFrame:
    """For each recipe the lamp under which it is farthest from neutral light, and the tone that it fails most
    there."""
    entries = []
    for recipe, part in rows[~rows["blind"]].groupby("recipe", sort=False):
        lights = part.groupby("light")["delta_e00"].mean()
        tones = part[part["light"] == lights.idxmax()].groupby("Monk")["delta_e00"].mean()
        entry = {"recipe": recipe, "light": lights.idxmax(), "ΔE00": round(float(lights.max()), 1)}
        entries.append(
            entry | {"tone": int(tones.idxmax()), "ΔE00 of that tone": round(float(tones.max()), 1)}
        )
    return pd.DataFrame(entries)


def findings(rows: pd.DataFrame) -> list[str]:
    """What the rows say, as lines of Markdown."""
    good = rows[~rows["blind"]]
    means, lights = good.groupby("recipe")["delta_e00"].mean(), by_light(rows)
    spread = good.groupby(["recipe", "identity"])["L"].std(ddof=0).groupby("recipe").mean()
    white = good[good["light"].str.endswith("EV")]
    slopes = {r: whitewash(p["ITA in"], p["ita"]).slope for r, p in white.groupby("recipe")}
    form, lost = good.groupby("recipe")["form"].mean(), 100 * good.groupby("recipe")["lost"].mean()

    def slope(name: str) -> str:
        return f"slope {slopes[name]:.2f}" if np.isfinite(slopes[name]) else "no slope, one skin"

    best = means.drop("none").idxmin()
    lines = [
        f"- As it comes, the drawn skin of one person spreads over {spread['none']:.1f} L* and lies "
        f"{means['none']:.1f} ΔE00 from neutral light; nearest comes **{best}** with {means[best]:.1f}."
    ]
    lines.append(
        f"- Absolute: spread {spread['absolute']:.1f}, but {slope('absolute')}: it makes light and "
        f"dark skin alike, "
        f"and costs {means['absolute']:.1f} ΔE00. Adaptive: spread {spread['adaptive']:.1f}, "
        f"{slope('adaptive')}, "
        f"{means['adaptive']:.1f} ΔE00."
    )
    half = lights[lights["light"] == "half-lit"].set_index("recipe")["delta_e00"]
    if {"adaptive", "adaptive, local"} <= set(half.index):
        lines.append(
            f"- Half-lit faces: {half['none']:.1f} as they come, {half['adaptive']:.1f} with one gain, "
            f"{half['adaptive, local']:.1f} with the local one; form over all lights "
            f"{form['adaptive, local']:.2f} "
            f"against {form['adaptive']:.2f}."
        )
    classics = means[["gamma", "CLAHE", "AGCWD", "Retinex"]]
    lines.append(
        f"- Of the classics {classics.idxmin()} is the best ({classics.min():.1f}) and "
        f"{classics.idxmax()} the worst "
        f"({classics.max():.1f}): none knows what is skin or light."
    )
    noise = good.groupby("recipe")["noise"].mean()
    lines.append(
        f"- The same gains on the photograph before it is drawn: {means[BEFORE]:.1f} ΔE00, noise "
        f"{noise[BEFORE]:.2f} "
        f"against {noise['adaptive']:.2f}, lost {lost[BEFORE]:.1f} % against {lost['adaptive']:.1f} %."
    )
    blind = rows[rows["blind"]]
    if len(blind):
        lines.append(f"- In {len(blind)} photographs the skin is all black or burnt out: no recipe applies.")
    return [*lines, "- These are synthetic people: no claim about photographs follows."]
