"""Recipes of light on drawings of people whose light is known: how even, for whom, at what price."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.base.statistics import bootstrap
from wbme.color.metering import Seen
from wbme.color.reflection import mean_lab
from wbme.color.relight import RECIPES, relight
from wbme.color.tones import ita
from wbme.data.relit import LAMPS, Lamp, relit
from wbme.data.rendered import Layers
from wbme.geometry.parsing import EYES, SKIN
from wbme.metrics.light import score
from wbme.metrics.skin import whitewash
from wbme.synth import background, composite
from wbme.synth.composite import Drawing
from wbme.synth.texture import flatten
from wbme.views.overlay import contact_sheet
from wbme.views.style import FAINT, FONT, INK, colour, dash, marker, plain

F32 = NDArray[np.float32]
BEFORE = "adaptive, on the input"
ALL = (*RECIPES, BEFORE)
SHOWN = ("none", "absolute", "adaptive", "adaptive, local", BEFORE)
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


def scene(row: dict[str, Any], layers: Layers, seed: int = 0) -> Scene:
    """The view of that row before a made-up place. ParameterError where no skin is seen."""
    skin = np.isin(layers.labels, list(SKIN)) & (layers.ink < 0.02) & (layers.drawn[..., 3] < 0.02)
    if np.count_nonzero(skin) < _LEAST:
        raise ParameterError(f"view {row['id']} shows no skin: leave it out")
    place = background.scene(skin.shape[0], generator(seed, "lighting place", row["id"]))
    return Scene(row["id"], row["identity"], int(row["facts"]["monk"]), layers, place, skin, seed)


def lamps(stops: Sequence[float]) -> dict[str, Lamp]:
    """Exposures of white light, then warm, cold, coloured and half-lit. ParameterError for stops that are not
    whole pictures' (beyond +/- 6) or do not hold 0, what all is compared with."""
    if 0 not in stops or not all(abs(stop) <= 6 for stop in stops):
        raise ParameterError(f"exposures {list(stops)}: give stops in [-6, 6], 0 among them")
    names = {f"{stop:+g} EV" if stop else "0 EV": Lamp(ev=float(stop)) for stop in sorted(stops)}
    return names | {name: LAMPS[name] for name in ("warm", "cold", "coloured", "half-lit")}


def drawn(layers: Layers, photo: F32) -> F32:
    """The drawing of a photograph before its lines: flat head and clothes over the texture filter, H x W x 3
    sRGB in [0, 1]."""
    return composite.base(photo, flatten(photo), layers, Drawing())


def seen(one: Scene, photo: F32) -> Seen:
    """What a recipe may look at: the photograph, its skin and eyes by exact labels."""
    return Seen(photo, np.isin(one.layers.labels, list(SKIN)), np.isin(one.layers.labels, list(EYES)))


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
        entry |= {"ΔE00 to neutral light": _told(error), "worst tone": f"{tones.max():.1f} (Monk {tones.idxmax()})"}
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
    """Means over views by lamp and recipe: delta_e00, L, form, lost (%), noise."""
    columns = ["delta_e00", "L", "form", "lost", "noise"]
    means = rows[~rows["blind"]].groupby(["light", "stops", "recipe"], sort=False)[columns].mean().reset_index()
    return means.assign(lost=100 * means["lost"])


def worst(rows: pd.DataFrame) -> pd.DataFrame:
    """For each recipe the lamp under which it is farthest from neutral light, and the tone that it fails
    most."""
    entries = []
    for recipe, part in rows[~rows["blind"]].groupby("recipe", sort=False):
        lights, tones = (part.groupby(k)["delta_e00"].mean() for k in ("light", "Monk"))
        entry = {"recipe": recipe, "light": lights.idxmax(), "ΔE00": round(float(lights.max()), 1)}
        entries.append(entry | {"tone": int(tones.idxmax()), "ΔE00 of that tone": round(float(tones.max()), 1)})
    return pd.DataFrame(entries)


def sweep(rows: pd.DataFrame) -> Figure:
    """Skin L* of each recipe over the exposure, and its delta E00 under each lamp."""
    figure = Figure(figsize=(10.4, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    means = by_light(rows)
    white = means[means["light"].str.endswith("EV")]
    at0 = white[(white["stops"] == 0) & (white["recipe"] == "none")]["L"]
    left.axhline(float(at0.iloc[0]), color=FAINT, linewidth=1, linestyle="--")
    lights = list(dict.fromkeys(means["light"]))
    for k, recipe in enumerate(ALL):
        part = white[white["recipe"] == recipe].sort_values("stops")
        look = {"color": colour(k), "marker": marker(k), "markersize": 4.5, "linewidth": 1.2}
        left.plot(part["stops"], part["L"], linestyle=dash(k), label=recipe, **look)
        part = means[means["recipe"] == recipe]
        at = [lights.index(name) + 0.09 * (k - len(ALL) / 2) for name in part["light"]]
        right.plot(at, part["delta_e00"], linestyle="none", **look)
    plain(left).set_xlabel("exposure of the photograph (stops)", fontsize=FONT)
    left.set_ylabel("median L* of the drawn skin, mean over people", fontsize=FONT)
    plain(right).set_xticks(range(len(lights)), lights, rotation=40, ha="right")
    right.set_ylabel("ΔE00 of skin to the drawing in neutral light", fontsize=FONT)
    right.set_ylim(0, None)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=FONT - 1, frameon=False)
    return figure


def by_tone(rows: pd.DataFrame, shown: Sequence[str] = SHOWN) -> Figure:
    """L* of the drawn skin on that of the person, under all lamps of white light: a recipe a panel."""
    figure = Figure(figsize=(2.5 * len(shown), 3.0), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(shown), sharey=True))
    white = rows[~rows["blind"] & rows["light"].str.endswith("EV")]
    ends = [5, 97]
    for axes, recipe in zip(panels, shown, strict=True):
        part = white[white["recipe"] == recipe]
        axes.plot(ends, ends, color=FAINT, linewidth=1, linestyle="--", zorder=1)
        dots = axes.scatter(part["L in"], part["L"], c=part["stops"], cmap="cividis", s=18, linewidths=0)
        plain(axes).set_title(recipe, fontsize=FONT, color=INK)
        axes.set_xlabel("L* of the person", fontsize=FONT)
    panels[0].set_ylabel("L* of the drawn skin", fontsize=FONT)
    figure.colorbar(dots, ax=panels[-1], label="stops")
    return figure


def sheet(one: Scene, chosen: dict[str, Lamp], names: Sequence[str] = SHOWN) -> F32:
    """A column a lamp: photograph, then the drawing by each recipe."""
    columns = []
    for lamp in chosen.values():
        made = _shown(one, lamp, names)
        columns.append([one.photo(lamp)[1], *made.values()])
    labels = [f"{what}, {lamp}" for what in ("photo", *names) for lamp in chosen]
    pictures = [column[k] for k in range(len(names) + 1) for column in columns]
    return contact_sheet(pictures, len(chosen), labels, cell=200)


def _shown(one: Scene, lamp: Lamp, names: Iterable[str]) -> dict[str, F32]:
    """``results``; where the light cannot be measured the photograph stands for all."""
    try:
        return results(one, lamp, tuple(names))
    except ParameterError:
        return dict.fromkeys(names, one.photo(lamp)[1])


def closer(one: Scene, recipe: str, ev: float, light: str, strength: float) -> F32:
    """Photograph, drawing as it comes and drawing by ``recipe``, under a lamp of LAMPS with ``ev`` more."""
    lamp = replace(LAMPS[light], ev=LAMPS[light].ev + ev)
    made = _shown(one, lamp, ("none",)), _shown_strong(one, lamp, recipe, strength)
    return np.hstack([one.photo(lamp)[1], made[0]["none"], made[1]])


def _shown_strong(one: Scene, lamp: Lamp, recipe: str, strength: float) -> F32:
    try:
        return results(one, lamp, (recipe,), strength)[recipe]
    except ParameterError:
        return one.photo(lamp)[1]
