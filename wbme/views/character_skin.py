"""The character's own skin on a person's face and body: as colour reflection, the other way round."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.difference import delta_e00
from wbme.color.spaces import srgb_to_lab
from wbme.color.transfer import LEAST, METHODS, OF_REGION, Side, transfer
from wbme.geometry.parsing import FACE_SKIN, INDEX, LABELS, SKIN
from wbme.views.overlay import contact_sheet
from wbme.views.skin_reflection import F32, OURS, Case, correlation, over_people, told
from wbme.views.skin_reflection_figures import cut

OWN = "the character's"  # as its face is drawn
SKINS = {"blue": "#8fb0e6", "painted": "#c8553d", "porcelain": "#f3ece8"}  # where no sheet tells one
CHOSEN = tuple(name for name in METHODS if name not in OF_REGION)
PARTS = {
    "face": FACE_SKIN | {INDEX["l_ear"], INDEX["r_ear"]},
    "body": frozenset({INDEX["neck"], INDEX["body_skin"]}),
}
_MISSED = 5.0  # delta E00 to the character's skin from which a pixel still shows the person's
_TOUCHED = 1.0


def coloured(
    one: Case,
    skin: str,
    method: str,
    light: str,
    mask: str = "exact",
    *,
    amount: float = 1.0,
    clip: bool = True,
) -> F32:
    """The person's drawing in ``skin``, H x W x 3: ``OWN``, one of ``SKINS``, or a colour such as "#8fb0e6".

    It starts from the drawing in the person's own skin, which ``amount`` 0 leaves as it is (full colour
    reflection); 1 gives the character's on face and body. The colour of ``OWN`` is taken from the drawn face,
    which every teacher gives. Raises ParameterError for an unknown mask or skin, or a face that is not seen.
    """
    found = one.masks(light)
    if mask not in found:
        raise ParameterError(
            f"the parser found no skin in view {one.view} in {light} light: use the exact mask"
        )
    seen, along = found[mask]
    target = Side(one.oracle, seen, None, np.maximum(seen, along))
    return transfer(method, target, _source(one, skin), strength=amount, clip=clip)


def _source(one: Case, skin: str) -> Side:
    if skin == OWN:
        face = np.isin(one.layers.labels, list(FACE_SKIN)) & one.skin
        face = face if np.count_nonzero(face) >= LEAST else one.skin
        return Side(one.palette, face, drawn=True)
    code = SKINS.get(skin, skin).removeprefix("#")
    try:
        colour = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255
    except ValueError:
        colour = np.zeros(0, np.float32)
    if len(code) != 6 or len(colour) != 3:
        known = ", ".join((OWN, *SKINS))
        raise ParameterError(
            f"skin {skin!r} is no colour: give one of {known}, or a colour such as '#8fb0e6'"
        )
    return Side(np.broadcast_to(colour, (8, 8, 3)).copy(), np.ones((8, 8), np.float32))


def measure(one: Case, light: str) -> list[dict[str, Any]]:
    """A row for each mask, method and part (face, body) in the character's own skin, whose truth is rendered.

    ``delta E00`` of the part's exact skin to the truth and ``shading``, the correlation of L* with it;
    ``missed``, the share of that skin still farther than 5 from the truth's colour, %. Of all that should
    stay (``Case.kept``): ``leak``, mean delta E00 to the drawing as it was, and ``touched``, the share that
    changes by more than 1, %.
    """
    labels, rows = one.layers.labels, []
    rest = one.kept()
    truth, start = (srgb_to_lab(p) for p in (one.palette, one.oracle))
    for mask in one.masks(light):
        for method in ("none", *CHOSEN):
            made = one.oracle if method == "none" else coloured(one, OWN, method, light, mask)
            lab = srgb_to_lab(made)
            moved = delta_e00(lab[rest], start[rest]) if rest.any() else np.zeros(1)
            for part, which in PARTS.items():
                here = one.skin & np.isin(labels, list(which))
                if np.count_nonzero(here) < LEAST:
                    continue
                far = delta_e00(lab[here], truth[here])
                row = {"view": one.view, "identity": one.identity, "Monk": one.monk, "mask": mask}
                row |= {"character": one.character, "method": method, "part": part}
                row |= {"delta E00": float(far.mean()), "shading": correlation(lab[here], truth[here])}
                row |= {"missed": 100 * float((far > _MISSED).mean()), "leak": float(moved.mean())}
                rows.append(row | {"touched": 100 * float((moved > _TOUCHED).mean())})
    return rows


def by_label(one: Case, light: str, mask: str, method: str = OURS) -> dict[str, float]:
    """Mean delta E00 by which pixels that should stay (``Case.kept``) change, by exact label."""
    change = delta_e00(srgb_to_lab(coloured(one, OWN, method, light, mask)), srgb_to_lab(one.oracle))
    labels, kept = one.layers.labels, one.kept()
    where = {LABELS[k]: kept & (labels == k) for k in np.unique(labels) if k not in SKIN}
    return {name: float(change[here].mean()) for name, here in where.items() if here.any()}


def table(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """A row a character, mask, method and part: delta E00 to the character's own skin with its interval over
    people, shading, what is missed, and what leaks."""
    entries = []
    for key, part in rows.groupby(["character", "mask", "method", "part"], sort=False):
        entry: dict[str, Any] = dict(zip(("character", "mask", "method", "part"), key, strict=True))
        entry |= {"people": part["identity"].nunique(), "ΔE00 to the truth": told(over_people(part, seed))}
        flat = part["shading"].dropna()
        entry |= {"shading r": f"{flat.mean():.3f}" if len(flat) else "one tone"}
        entry |= {"missed (%)": f"{part['missed'].mean():.1f}", "leak ΔE00": f"{part['leak'].mean():.2f}"}
        entries.append(entry | {"touched (%)": f"{part['touched'].mean():.1f}"})
    return pd.DataFrame(entries)


def slider(one: Case, skins: Sequence[str], light: str, mask: str = "exact", method: str = OURS) -> F32:
    """A row a skin: photograph, then from the person's own skin to the character's in four steps."""
    steps = (0.0, 0.25, 0.5, 0.75, 1.0)
    pictures, labels = [], []
    for skin in skins:
        pictures.append(one.photos[light])
        labels.append("photo")
        for step in steps:
            pictures.append(coloured(one, skin, method, light, mask, amount=step))
            labels.append(f"{skin} skin, {step:.2f}")
    return contact_sheet(pictures, len(steps) + 1, labels, cell=220)


def sheet(cases: Sequence[Case], light: str, mask: str) -> F32:
    """A row a view: photograph, in its own skin, the talk's shift turned round, ours, and the truth."""
    pictures: list[NDArray[Any]] = []
    labels = []
    for one in cases:
        made = [coloured(one, OWN, name, light, mask) for name in ("Lab mean", OURS)]
        pictures += [one.photos[light], one.oracle, *made, one.palette]
        names = ("photo", "own skin", "Lab mean", OURS, "truth")
        labels += [f"{name}, {one.character}" for name in names]
    return contact_sheet(pictures, 5, labels, cell=240)


def closer(one: Case, skin: str, amount: float, method: str, light: str, mask: str) -> F32:
    """Photograph and drawing between one's own skin (``amount`` 0) and ``skin`` (1), around the head."""
    kind = mask if mask in one.masks(light) else "exact"
    made = coloured(one, skin, method, light, kind, amount=amount)
    return np.hstack([cut(one, one.photos[light]), cut(one, made)])


def telling(cases: Sequence[Case], light: str, most: int = 4) -> list[Case]:
    """At most ``most`` views that show the matter: found by the parser where any is, much bare skin below the
    face, different people, the characters in turn."""
    found = [one for one in cases if "predicted" in one.masks(light)] or list(cases)
    body = {id(one): np.isin(one.layers.labels, list(PARTS["body"])).mean() for one in found}
    found.sort(key=lambda one: (-body[id(one)], one.view))
    chosen: list[Case] = []
    names = list(dict.fromkeys(one.character for one in found))
    for k in range(most * len(names)):
        known = {one.identity for one in chosen}
        left = [one for one in found if one.character == names[k % len(names)] and one.identity not in known]
        chosen += left[:1]
    return chosen[:most]


def findings(rows: pd.DataFrame, leaks: pd.Series) -> list[str]:
    """What the rows and the mean change by label say, as lines of Markdown."""
    lines = []
    for (character, mask), one in rows.groupby(["character", "mask"], sort=False):
        far = one.groupby(["method", "part"])["delta E00"].mean().unstack()
        words = [
            f"{part} {far.loc['none', part]:.1f} before, {far.loc['Lab mean', part]:.1f} by the shift "
            f"of means, "
            f"{far.loc[OURS, part]:.1f} by ours"
            for part in far.columns
        ]
        ours = one[one["method"] == OURS]
        line = f"- {character}, {mask} mask: ΔE00 to its own skin, {'; '.join(words)}. "
        lines.append(line + f"Missed {ours['missed'].mean():.1f} %, leak {ours['leak'].mean():.2f} ΔE00.")
    if len(leaks):
        lines.append(
            f"- It leaks most to {leaks.index[0]} ({leaks.iloc[0]:.1f} ΔE00 under the predicted mask)."
        )
    return [*lines, "- These are synthetic people: no claim about photographs follows."]
