"""What a model does to everybody's skin, measured on people whose skin and light are known exactly."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.data import rendered
from wbme.geometry.parsing import FACE_SKIN
from wbme.metrics import scores
from wbme.metrics.skin import LEAST
from wbme.perception.parsing import Parser
from wbme.synth.composite import inked
from wbme.views import lighting
from wbme.views.skin_reflection import METERED, OURS, TALK, Case, cases, evened, reflected
from wbme.views.sources import spread

F32 = NDArray[np.float32]
Draw = Callable[[F32], F32]  # a photograph to its drawing, both H x W x 3 sRGB in [0, 1]
TARGET = "target"
COLOURED, COLOURED_EXACTLY = ", by tone", ", by tone, exact mask"
COLOURED_METERED, EVENED = ", by tone, metered", ", on evened light"
BY_MEAN = ", " + TALK
RIVALS = (COLOURED, COLOURED_EXACTLY, COLOURED_METERED, EVENED)


def panel(
    held_out: Path, most: int, parser: Parser, draws: Mapping[str, Draw], lights: Sequence[str],
    rivals: Sequence[str] = (), seed: int = 0,
) -> Iterator[tuple[Case | None, list[dict[str, Any]]]]:  # fmt: skip
    """For each of at most ``most`` people (0 for all) of the source in ``held_out``, spread over the Monk
    tones: as the first character draws them, None where too little skin is seen, and the rows of ``measure``.
    """
    rows = sorted(rendered.read(held_out / "people"), key=lambda row: row["facts"]["monk"])
    folders = {name: held_out / "characters" / name for name in rows[0]["characters"]}
    for row in spread(rows, most or len(rows)):
        seen = cases(held_out / "people", folders, row, parser, lights, side=256, seed=seed)
        yield seen[0] if seen else None, measure(seen, draws, rivals)


def measure(
    seen: Sequence[Case], draws: Mapping[str, Draw], rivals: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """A row a method, character and light of one view, as ``metrics.fairness`` reads them.

    ``seen``: the view as each character draws it (``skin_reflection.cases``), with the labels of a parser;
    ``draws``: the methods by name. Beside them stand ``targets``, what a student would have learnt from in
    that light. For each method named in ``rivals`` four ways are measured that could mend its skin: its
    drawing coloured "by tone" after the photograph, under the predicted and under the exact mask
    (``COLOURED``, ``COLOURED_EXACTLY``); the same after the photograph with its light made even
    (``COLOURED_METERED``); and its drawing of that photograph (``EVENED``). Where nothing can be told, the
    light of a black photograph or a mask that the parser does not find, the drawing stays as it is: so does
    it for a user. Views that show too little of a face give no row.
    """
    rows = []
    for light in seen[0].photos if seen else ():
        photo = seen[0].photos[light]
        made = {name: draw(photo) for name, draw in draws.items()}
        for name in rivals:
            made |= mended(seen[0], light, name, made[name], draws[name])
        for one in seen:
            if np.count_nonzero(np.isin(one.layers.labels, list(FACE_SKIN))) < LEAST:
                continue
            for name, picture in {**made, **targets(one, light)}.items():
                found = scores.skin_score(picture, photo, one.oracle, one.layers.labels)
                row = {"view": one.view, "identity": one.identity, "character": one.character}
                rows.append(row | {"light": light, "method": name} | found | {"monk": one.monk})
    return rows


def target(one: Case, light: str, reflection: str = OURS) -> F32:
    """The drawing that 15_compose_pairs would make of the photograph under ``light``, whose skin is that of
    the photograph: H x W x 3 sRGB in [0, 1]; ``reflection`` as its recipe says."""
    return inked(lighting.drawn(one.lit[light], one.photos[light], reflection), one.layers.ink)


def mended(one: Case, light: str, name: str, drawing: F32, draw: Draw) -> dict[str, F32]:
    """The four ``RIVALS`` of the method ``name``, by name + rival: see ``measure``."""
    ways: dict[str, tuple[str, Callable[[str], F32]]] = {
        COLOURED: ("predicted", lambda mask: reflected(one, OURS, light, mask, drawing=drawing)),
        COLOURED_EXACTLY: ("exact", lambda mask: reflected(one, OURS, light, mask, drawing=drawing)),
        COLOURED_METERED: ("predicted", lambda mask: reflected(one, METERED, light, mask, drawing=drawing)),
        EVENED: ("predicted", lambda mask: draw(evened(one, light, mask))),
    }
    made = {}
    for way, (mask, make) in ways.items():
        there = mask in one.masks(light)
        made[name + way] = _or(drawing, lambda make=make, mask=mask: make(mask)) if there else drawing
    return made


def targets(one: Case, light: str) -> dict[str, F32]:
    """The target and, by ``TARGET`` + way, what it would be if its skin were coloured by its mean
    (``BY_MEAN``, the talk's formula), or by tone after the photograph in even light (``COLOURED_METERED``);
    under exact masks, which its maker has."""
    made = target(one, light)
    return {
        TARGET: made,
        TARGET + BY_MEAN: target(one, light, TALK),
        TARGET + COLOURED_METERED: _or(made, lambda: reflected(one, METERED, light, drawing=made)),
    }


def _or(drawing: F32, make: Callable[[], F32]) -> F32:
    """What ``make`` makes, or ``drawing`` where it is too dark or too bright to tell a light or a colour."""
    try:
        return make()
    except ParameterError:
        return drawing
