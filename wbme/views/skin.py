"""The study of skin: faces measured and grouped, their pixels, and tables of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError, WbmeError
from wbme.base.statistics import bootstrap
from wbme.color import skin
from wbme.color.skin import NEUTRAL_CHROMA, SkinStatistics
from wbme.color.tones import wrap
from wbme.views.skin_faces import SkinFace, region

GROUPINGS = ("auto", "source", "group", "picture")
_FEW = 6  # so many pictures may be a group each


@dataclass(frozen=True)
class Settings:
    """How skin is measured. ``feather`` (a Gaussian's sigma) and ``erode`` change the mask, in pixels of the
    cut-out face; ``sigma``, ``clusters`` and ``brightest`` are those of ``skin.statistics``.

    Raises ParameterError for values out of range.
    """

    sigma: float = 1.0
    clusters: int = 5
    brightest: int = 3
    feather: float = 0.0
    erode: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.brightest <= self.clusters:
            raise ParameterError(
                f"{self.brightest} brightest of {self.clusters} clusters cannot be: "
                "give 1 <= brightest <= clusters"
            )
        if min(self.sigma, self.feather, self.erode) < 0:
            raise ParameterError(
                f"sigma = {self.sigma}, feather = {self.feather}, erode = {self.erode}: give none below 0"
            )


def measure(face: SkinFace, settings: Settings) -> tuple[NDArray[np.float32], SkinStatistics]:
    """The face's skin mask and its ``skin.statistics``. Raises ParameterError where too little is left."""
    mask = region(face, feather=settings.feather, erode=settings.erode)
    chosen = {name: getattr(settings, name) for name in ("sigma", "clusters", "brightest")}
    return mask, skin.statistics(face.rgb, mask, **chosen)


@dataclass(frozen=True, eq=False)
class Study:
    """Faces with their measures, group by group. ``pixels``: a table of ``skin.sample`` in which the weights
    of a face sum to one, so that every face counts the same; ``owner``: the index of each pixel's face.

    Hue angles, of pixels and of ``column``, lie within half a turn of ``hue``, that of the mean colour of
    all, so that none is torn at the cut.
    """

    faces: tuple[SkinFace, ...]
    measures: tuple[SkinStatistics, ...]
    groups: tuple[str, ...]
    pixels: NDArray[np.void]
    owner: NDArray[np.intp]
    settings: Settings
    hue: float

    @property
    def names(self) -> list[str]:
        """The groups, each once, in the order of their first face."""
        return list(dict.fromkeys(self.groups))

    def members(self, group: str) -> list[int]:
        """Indices of the faces of a group."""
        return [index for index, name in enumerate(self.groups) if name == group]

    def pixels_of(self, group: str) -> NDArray[np.void]:
        """The rows of ``pixels`` of a group."""
        return self.pixels[np.isin(self.owner, self.members(group))]

    def column(self, measure: str) -> NDArray[np.float64]:
        """One measure (L, a, b, hue, ita, or one of them + ``_std``) of every face."""
        values = np.array([getattr(found, measure) for found in self.measures], np.float64)
        return _around(self.hue, values) if measure == "hue" else values

    @property
    def lab(self) -> NDArray[np.float64]:
        """Skin colour of every face, F x 3."""
        return np.stack([self.column(c) for c in "Lab"], axis=1)


def study(
    faces: Iterable[SkinFace], settings: Settings, *, per_face: int = 4000, by: str = "auto", seed: int = 0
) -> Study:
    """Measure every face, draw ``per_face`` of its skin pixels, and group the faces.

    ``by``: ``source``, ``group`` (the folder inside the source) or ``picture``; ``auto`` takes the first of
    them that gives several groups (pictures only where they are few). Faces with too little skin to be
    measured are left out. Raises ParameterError for another ``by``, WbmeError when no face is left.
    """
    kept, measures, tables, why = [], [], [], "there is none"
    for face in faces:
        try:
            mask, found = measure(face, settings)
        except ParameterError as error:
            why = f"{face.name}: {error}"
            continue
        table = skin.sample(face.rgb, mask, sigma=settings.sigma, max_pixels=per_face, seed=seed)
        table["weight"] /= table["weight"].sum()
        kept.append(face)
        measures.append(found)
        tables.append(table)
    if not kept:
        raise WbmeError(f"no face can be measured ({why}): choose other sources or a milder mask")
    owner = np.repeat(np.arange(len(kept)), [len(table) for table in tables])
    pixels = np.concatenate(tables)
    mean = float(skin.hue(*(np.average(pixels[c], weights=pixels["weight"]) for c in "ab")))
    pixels["hue"] = _around(mean, pixels["hue"])
    return Study(tuple(kept), tuple(measures), _grouped(kept, by), pixels, owner, settings, mean)


def _around(middle: float, hues: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(middle + wrap(hues - middle), np.float64)


def coloured(pixels: NDArray[np.void]) -> NDArray[np.bool_]:
    """Which rows of a table of ``skin.sample`` have a hue: that of the others is noise."""
    return np.asarray(np.hypot(pixels["a"], pixels["b"]) >= NEUTRAL_CHROMA)


def _grouped(faces: Sequence[SkinFace], by: str) -> tuple[str, ...]:
    if by not in GROUPINGS:
        raise ParameterError(f"faces are grouped by {', '.join(GROUPINGS)}, not {by!r}")
    several_sources = len({face.source for face in faces}) > 1

    def named(face: SkinFace, name: str) -> str:
        return f"{face.source}/{name}" if several_sources else name  # two sources may use the same names

    columns = {
        "source": [face.source for face in faces],
        "group": [named(face, face.folder) for face in faces],
        "picture": [named(face, face.picture) for face in faces],
    }
    if by == "auto":
        counts = {name: len(set(column)) for name, column in columns.items()}
        several = [
            name for name in columns if counts[name] > 1 and (name != "picture" or counts[name] <= _FEW)
        ]
        by = several[0] if several else "source"
    return tuple(columns[by])


def pixel_table(found: Study) -> dict[str, NDArray[Any]]:
    """Columns, one row a drawn pixel: group, face, L*, hue (nan for a grey pixel) and ITA, and the weight
    inside its face."""
    table = {
        "group": np.array(found.groups)[found.owner],
        "face": np.array([face.name for face in found.faces])[found.owner],
    }
    table |= {name: found.pixels[name] for name in ("L", "hue", "ita", "weight")}
    return table | {"hue": np.where(coloured(found.pixels), table["hue"], np.nan)}


def face_table(found: Study) -> dict[str, list[Any]]:
    """Columns, one row a face: Monk tone, ITA class, quadrant, L*, hue, ITA and their deviations."""
    L, hue, ita = (found.column(name) for name in ("L", "hue", "ita"))
    table: dict[str, list[Any]] = {
        "source": [face.source for face in found.faces],
        "face": [face.name for face in found.faces],
        "group": list(found.groups),
        "Monk": skin.monk_class(found.lab).tolist(),
        "ITA class": skin.ita_class(ita).tolist(),
        "quadrant": skin.quadrant(L, wrap(hue)).tolist(),
    }
    for name, title in (("L", "L*"), ("hue", "hue (deg)"), ("ita", "ITA (deg)")):
        table[title] = found.column(name).tolist()
        table[f"{title} deviation"] = found.column(f"{name}_std").tolist()
    return {**table, "pixels": [measured.pixels for measured in found.measures]}


def group_table(found: Study, *, resamples: int, seed: int) -> list[dict[str, Any]]:
    """One row a group and one for all: faces, and the mean of L*, hue and ITA over faces with the 95 %
    bootstrap interval (none for a single face), and the most frequent Monk tone."""
    monk = skin.monk_class(found.lab)
    rows = []
    sets = {name: found.members(name) for name in found.names}
    for name, members in {**sets, "all": list(range(len(found.faces)))}.items():
        row: dict[str, Any] = {"group": name, "faces": len(members)}
        for measure_name, title in (("L", "L*"), ("hue", "hue (deg)"), ("ita", "ITA (deg)")):
            values = found.column(measure_name)[members]
            values = values[np.isfinite(values)]  # a grey face has no hue
            interval = bootstrap(values, resamples=resamples, seed=seed) if len(values) else None
            for part, suffix in (("mean", ""), ("low", " low"), ("high", " high")):
                row[title + suffix] = getattr(interval, part) if interval else float("nan")
        rows.append({**row, "usual Monk": int(np.bincount(monk[members]).argmax())})
    return rows
