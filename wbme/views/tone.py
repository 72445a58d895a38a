"""Live controls of the layered student in numbers: tone curves, known ink, flat tones, settings compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from wbme.base.errors import ParameterError
from wbme.data import rendered
from wbme.metrics import structure
from wbme.nets import layered
from wbme.people import sheet as sheets
from wbme.perception.faces import Face, detect
from wbme.synth import composite
from wbme.views.sources import Tile, tile, zoom

F32 = NDArray[np.float32]
# Least, greatest, step of a slider, and the values that are shown side by side.
KNOBS = {
    "line_threshold": (-4.0, 4.0, 0.1, (-3.0, -1.5, -0.3, 1.2, 3.0)),
    "line_gain": (0.5, 12.0, 0.5, (0.5, 1.0, 2.0, 4.0, 12.0)),
    "levels": (2.0, 16.0, 1.0, (3.0, 4.0, 6.0, 8.0, 14.0)),
    "phase": (-0.5, 0.5, 0.05, (-0.5, -0.25, 0.0, 0.25, 0.5)),
    "softness": (0.0, 1.0, 0.05, (0.0, 0.25, 0.5, 0.7, 1.0)),
    "saturation": (0.0, 2.0, 0.05, (0.0, 0.5, 1.0, 1.5, 2.0)),
    "lift": (0.5, 1.6, 0.05, (0.6, 0.8, 1.0, 1.2, 1.5)),
}
THRESHOLDS = (-4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
GAINS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
LEVELS, SOFTNESSES = (3.0, 4.0, 6.0, 8.0, 11.0, 14.0), (0.1, 0.7, 1.0)
CURVES = {
    "levels": [{"levels": value, "softness": 0.5} for value in (4.0, 8.0)],
    "softness": [{"levels": 5.0, "softness": value} for value in (0.1, 0.5, 1.0)],
    "phase": [{"levels": 5.0, "softness": 0.3, "phase": value} for value in (0.0, 0.5)],
    "lift": [{"levels": 16.0, "softness": 1.0, "lift": value} for value in (0.7, 1.0, 1.4)],
}
_GROUND = np.array([0.93, 0.94, 0.96], np.float32)
_MIDDLE = 0.58  # of the shorter side
_WIDE, _RIM = 1024, 64  # pixels of a ramp, and how far its borders reach into it
_KINDS = ("precision", "recall", "F1", "width", "density")


class Subject(Protocol):
    """A picture that a student draws again and again (``wbme.apps.restyling``)."""

    @property
    def rgb(self) -> F32: ...

    def draw(self, controls: Mapping[str, Any]) -> F32: ...

    def ink(self, threshold: float, gain: float) -> F32: ...


@dataclass(frozen=True, eq=False)
class Case:
    """A synthetic person as photographed, and by each character the exact ``ink`` (H x W coverage) and the
    drawing in the person's colours (``toon``, H x W x 3)."""

    view: str
    subject: Subject
    inks: dict[str, F32]
    toons: dict[str, F32]


def cut(rgb: F32, faces: Sequence[Face], side: int) -> Tile:
    """The head of the largest of ``faces`` at ``side`` pixels, its face nearly as wide as those that students
    are trained on where that is 512; the whole picture, no larger than ``side``, where there is no face."""
    largest = sorted(faces, key=lambda face: -face.size)[:1]
    return zoom(rgb, largest, "", side) if largest else tile(rgb, [], "", side)


def case(
    people: Path,
    drawn: Mapping[str, Path],
    view: str,
    subject: Callable[[F32, list[Face]], Subject],
    side: int,
) -> Case | None:
    """The view of a rendered set as the characters in ``drawn`` (name: folder) have it, on plain ground, cut
    to the head; None where no face is found. ``subject`` makes one of a picture and its faces. Raises
    ParameterError for a character whose geometry is not the person's, MediaError or StoreError for files."""
    for name, folder in drawn.items():
        if sheets.load(str(folder / "sheet.yaml")).geometry != "aligned":
            raise ParameterError(f"the lines of {name} lie elsewhere than the person's: leave it out here")
    if not drawn:
        raise ParameterError("no character is named whose ink is known: name one or more")
    layers = {name: rendered.layers(people, folder, view) for name, folder in drawn.items()}
    photo = next(iter(layers.values())).photo
    ground = np.ones_like(photo[..., :3]) * _GROUND
    rgb = composite.over(photo, ground)
    found = detect(rgb, max_faces=1, irises=False)
    if not found:
        return None
    seen = cut(rgb, found, side)
    one = subject(seen.rgb, seen.faces)
    high, wide = one.rgb.shape[:2]
    inks: dict[str, F32] = {}
    toons: dict[str, F32] = {}
    for name, plane in layers.items():
        bare = composite.over(plane.drawn, composite.over(plane.oracle, ground))
        toons[name] = cut(composite.inked(bare, plane.ink), found, side).rgb[:high, :wide]
        inks[name] = cut(plane.ink, found, side).rgb[:high, :wide]
    return Case(view, one, inks, toons)


def response(
    y: ArrayLike, levels: float = 8.0, phase: float = 0.0, softness: float = 0.7, lift: float = 1.0
) -> NDArray[np.float64]:
    """Luma of the drawing without ink on luma ``y`` of the base where it changes slowly, in [0, 1].

    With t = levels y - phase, k = floor(t), r = clip((t - k - 1/2) / (softness + 0.001) + 1/2, 0, 1) and
    q = (k + r^2 (3 - 2 r) + phase) / levels, clipped to [0, 1], it is p + 1.4 (1 - lift) (p^2 (3 - 2 p) - p)
    with p = q / (lift + (1 - lift) q), clipped to [0, 1]. ``phase`` is that of the graph: a tone lies on each
    (k + phase) / levels.
    """
    t = np.asarray(y, np.float64) * levels - phase
    k = np.floor(t)
    r = np.clip((t - k - 0.5) / (softness + 1e-3) + 0.5, 0, 1)
    q = np.clip((k + r**2 * (3 - 2 * r) + phase) / levels, 0, 1)
    p = q / (lift + (1 - lift) * q)
    return np.clip(p + 1.4 * (1 - lift) * (p**2 * (3 - 2 * p) - p), 0, 1)


def on_ramp(controls: Mapping[str, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Luma in and out, measured: the student's own head on a grey ramp, clear of its borders."""
    ramp = torch.linspace(0, 1, _WIDE).expand(1, 3, 64, _WIDE)
    values = {"levels": 8.0, "phase": 0.0, "softness": 0.7, "saturation": 1.0, "lift": 1.0, **controls}
    made = layered.luma(layered.tone(ramp, **values))[0, 0, 32].double().numpy()
    inside = slice(_RIM, _WIDE - _RIM)
    return ramp[0, 0, 0].double().numpy()[inside], made[inside]


def curves() -> pd.DataFrame:
    """A row a point of each of CURVES: exact and measured luma."""
    parts = []
    for knob, settings in CURVES.items():
        for setting in settings:
            y, made = on_ramp(setting)
            told = ", ".join(f"{name} {value:g}" for name, value in setting.items())
            exact = response(y, **setting)
            parts.append(
                pd.DataFrame({"knob": knob, "setting": told, "in": y, "exact": exact, "measured": made})
            )
    return pd.concat(parts, ignore_index=True)


def line_rows(one: Case, gain: float, threshold: float) -> list[dict[str, Any]]:
    """The student's ink against the known ink of each character: a row a threshold (at ``gain``) and a gain
    (at ``threshold``), with precision, recall and F1 of the centre lines (``metrics.structure``), ``width``
    (area over length, pixels) and ``density`` (% of the picture). The known ink itself is ``swept`` "known".
    """
    wanted = {name: structure.lines(_on_white(ink)) for name, ink in one.inks.items()}
    rows = []
    for name, ink in one.inks.items():
        known = dict(zip(_KINDS, (1.0, 1.0, 1.0, *_weight(ink, wanted[name])), strict=True))
        rows.append({"view": one.view, "character": name, "swept": "known", "value": 0.0, **known})
    swept = [("threshold", value, (value, gain)) for value in THRESHOLDS]
    swept += [("gain", value, (threshold, value)) for value in GAINS]
    for what, value, setting in swept:
        drawn = one.subject.ink(*setting)
        found = structure.lines(_on_white(drawn))
        for name, true in wanted.items():
            score = structure.line_f1(found, true)
            told = (score.precision, score.recall, score.f1, *_weight(drawn, found))
            kinds = dict(zip(_KINDS, told, strict=True))
            rows.append({"view": one.view, "character": name, "swept": what, "value": value, **kinds})
    return rows


def _on_white(ink: F32) -> F32:
    return np.repeat(1 - ink[..., None], 3, axis=2)


def _weight(ink: F32, centre: NDArray[np.bool_]) -> tuple[float, float]:
    """Width in pixels (NaN without a line) and density in % of the picture."""
    length = np.count_nonzero(centre)
    return float(ink.sum() / length) if length else float("nan"), 100 * float(ink.mean())


def middle(picture: F32) -> F32:
    """The middle of a picture of a head, where the face is: no ground is seen there."""
    high, wide = picture.shape[:2]
    side = round(_MIDDLE * min(high, wide))
    top, left = (high - side) // 2, (wide - side) // 2
    return picture[top : top + side, left : left + side]


def flat_rows(one: Case) -> list[dict[str, Any]]:
    """Share of flat pixels (%) in the middle of the student's drawing by levels and softness, and of each
    character's own (``levels`` and ``softness`` NaN)."""
    made: list[tuple[str, float, float, F32]] = [
        (name, np.nan, np.nan, toon) for name, toon in one.toons.items()
    ]
    made += [
        ("student", levels, softness, one.subject.draw({"levels": levels, "softness": softness}))
        for softness in SOFTNESSES
        for levels in LEVELS
    ]
    return [
        {
            "view": one.view,
            "what": what,
            "levels": levels,
            "softness": softness,
            "flat": 100 * structure.flat_share(middle(picture)),
        }
        for what, levels, softness, picture in made
    ]


def fitted(lines: pd.DataFrame, flats: pd.DataFrame, sheets: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row a character: what its sheet says, and what the measurements would choose: the threshold with the
    best F1, the one at which the ink is as dense as the character's, the levels at the sheet's nearest
    softness whose flat share is nearest to the character's. ``sheets``: {character: controls}."""
    entries = []
    swept, known = lines[lines["swept"] == "threshold"], lines[lines["swept"] == "known"]
    for name in dict.fromkeys(lines["character"]):
        means = swept[swept["character"] == name].groupby("value")[["F1", "density", "width"]].mean()
        true = known[known["character"] == name][["width", "density"]].mean()
        dense = _where(means["density"], float(true["density"]))
        own = sheets[name]
        entry: dict[str, Any] = {
            "character": name,
            "threshold": own["line_threshold"],
            "best F1": means["F1"].max(),
        }
        entry |= {"at threshold": means["F1"].idxmax(), "as dense at": dense}
        at = means.index[np.abs(means.index - own["line_threshold"]).argmin()]
        entry |= {"ink (%)": true["density"], "of the student": means["density"][at]}
        entry |= {"width (px)": true["width"], "student's": means["width"][at]}
        soft = min(SOFTNESSES, key=lambda value: abs(value - own["softness"]))
        drawn = flats[(flats["what"] == "student") & (flats["softness"] == soft)]
        by_levels, wanted = (
            drawn.groupby("levels")["flat"].mean(),
            flats[flats["what"] == name]["flat"].mean(),
        )
        entry |= {"levels": own["levels"], "flat (%)": wanted}
        entry |= {"as flat at": (by_levels - wanted).abs().idxmin(), "flat there": by_levels.iloc[0]}
        entry["flat there"] = by_levels[entry["as flat at"]]
        entries.append(entry)
    return pd.DataFrame(entries).round(2)


def _where(curve: pd.Series, wanted: float) -> float:
    """Where a falling curve, linear between its points, takes the value ``wanted``; NaN where it does not."""
    x, y = curve.index.to_numpy(float)[::-1], curve.to_numpy(float)[::-1]
    return float(np.interp(wanted, y, x)) if y.min() <= wanted <= y.max() else float("nan")


def findings(curve: pd.DataFrame, lines: pd.DataFrame, flats: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """What was measured, as lines of Markdown."""
    error = (curve["measured"] - curve["exact"]).abs().max()
    swept = lines[lines["swept"] == "threshold"].groupby("value")[list(_KINDS)].mean()
    low, high, best = swept.iloc[0], swept.iloc[-1], swept["F1"].idxmax()
    gains = lines[lines["swept"] == "gain"].groupby("value")[["F1", "width"]].mean()
    drawn = flats[flats["what"] == "student"].groupby(["softness", "levels"])["flat"].mean()
    own = flats[flats["what"] != "student"].groupby("what")["flat"].mean()
    told = [
        f"- The head does what its formula says: on a ramp the two differ by at most {error:.0e} of luma.",
        f"- From threshold {low.name:g} to {high.name:g} the ink goes from {low['density']:.1f} to "
        f"{high['density']:.1f} % of the picture, precision from {low['precision']:.2f} to "
        f"{high['precision']:.2f}, recall from {low['recall']:.2f} to {high['recall']:.2f}; F1 over all "
        f"characters is best at {best:g}, {swept['F1'][best]:.2f}.",
        f"- Gain from {gains.index[0]:g} to {gains.index[-1]:g}: F1 from {gains['F1'].iloc[0]:.2f} to "
        f"{gains['F1'].iloc[-1]:.2f}, area over length from {gains['width'].iloc[0]:.1f} to "
        f"{gains['width'].iloc[-1]:.1f} px.",
        f"- Flat pixels: {drawn.min():.0f} to {drawn.max():.0f} % by levels and softness; the characters' "
        f"own drawings have {own.min():.0f} to {own.max():.0f} %.",
    ]
    for row in table.to_dict("records"):
        dense = row["as dense at"]
        dense = "no threshold reaches" if np.isnan(dense) else f"threshold {dense:.1f} gives"
        told.append(
            f"- **{row['character']}**: sheet {row['threshold']:g}, best F1 {row['best F1']:.2f} at "
            f"{row['at threshold']:g}; {dense} its density of ink, {row['ink (%)']:.1f} %. Sheet "
            f"{row['levels']:g} levels; of those tried {row['as flat at']:g} come nearest to its flat tones."
        )
    return told
