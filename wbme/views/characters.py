"""A character's model sheet, as studios keep one: one person from all sides, with moods and other hair."""

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wbme.base.seeds import generator
from wbme.people import camera, context, deform, gbuffer, lights, person, toon
from wbme.people import sheet as sheets
from wbme.people.camera import Camera
from wbme.people.mesh import Model
from wbme.people.person import Person
from wbme.views.overlay import contact_sheet

_GROUND = np.array([0.90, 0.92, 0.95], np.float32)
_TURNS = {"front": 0, "three quarters": 38, "profile": 82}
_FIGURES: tuple[Literal["half", "full"], ...] = ("half", "full")
_MOODS = ("soft smile", "grin", "anger", "surprise", "sorrow", "wink", "talk")
_STYLES = ("bob fringe", "long wavy", "afro", "short curls")
_TRIED = 24  # shots of a person, among which the one nearest to what is wanted is taken


def model_sheet(
    name: str, *, seed: int = 0, number: int = 0, size: int = 512, columns: int = 6
) -> NDArray[np.float32]:
    """The character ``name`` (or a sheet's .yaml file) drawn on the ``number``-th person of ``seed``: front,
    three quarters and profile, a half and a full figure, seven expressions, four other heads of hair; H x W x
    3 sRGB in [0, 1], in the person's own skin and last once in the character's. ``size`` of a drawing in
    pixels. Raises ParameterError for an unknown character."""
    style = sheets.load(name)
    subjects = _subjects(person.sample(seed, number), size)
    tiles = [drawing(model, view, style) for _, model, view in subjects]
    _, model, view = subjects[0]
    tiles.append(drawing(model, view, style, "palette"))
    labels = [*[label for label, *_ in subjects], "own skin"]
    return contact_sheet(tiles, columns=columns, labels=labels, cell=size)


def _subjects(someone: Person, size: int) -> list[tuple[str, Model, Camera]]:
    """What a model sheet shows of a person: name, model, camera. Nobody wears a hat, which would hide the
    hair."""
    someone = Person(someone.seed, someone.number, replace(someone.choice, hat=""))
    shots = {mood: _shot(someone, mood) for mood in _MOODS}
    calm, soft = shots[_MOODS[0]], {"expression": _MOODS[0]}
    plain = someone.shoot(calm, **soft)
    found = [(label, plain, _before(plain, turn, size)) for label, turn in _TURNS.items()]
    for framing in _FIGURES:
        model = someone.shoot(calm, framing, **soft)
        rng = generator(someone.seed, "model sheet", framing)
        found.append((framing, model, camera.sample(rng, model, framing, (size, size))))
    others = {mood: someone.shoot(shots[mood], expression=mood) for mood in _MOODS[1:]}
    for hair in _STYLES:
        other = Person(someone.seed, someone.number, replace(someone.choice, style=hair))
        others[hair] = other.shoot(calm, **soft)
    return found + [(label, model, _before(model, 12, size)) for label, model in others.items()]


def drawing(model: Model, view: Camera, style: sheets.Sheet, which: str = "oracle") -> NDArray[np.float32]:
    """``model`` as the character draws it on a plain ground, H x W x 3 sRGB in [0, 1]; ``which``: in the
    person's own skin ("oracle") or the character's ("palette"). ``view`` is re-framed for a deformed one."""
    light = lights.neutral()
    if style.deformation:
        after = deform.deformed(model, style.deformation)
        model, view = after, deform.framed(view, model, after)
    drawn = toon.draw(model, view, light, gbuffer.draw(context.get(), model, view, light), style)
    picture = np.ones((*drawn.ink.shape, 3), np.float32) * _GROUND
    for layer in (getattr(drawn, which), drawn.drawn):
        picture += layer[..., 3:] / np.float32(255) * (layer[..., :3] / np.float32(255) - picture)
    return picture + drawn.ink[..., None] / np.float32(255) * (sheets.srgb(style.ink) - picture)


def _shot(someone: Person, mood: str) -> int:
    """The shot of a person in which the head is turned least."""

    def turned(shot: int) -> float:
        rotations = someone.pose(shot, "portrait", expression=mood).rotations
        return float(np.abs(rotations["head"]).sum())

    return min(range(_TRIED), key=turned)


def _before(model: Model, turn: float, size: int) -> Camera:
    """A portrait's camera ``turn`` degrees beside where the head looks."""
    way = model.head[:3, 2].astype(float)
    azimuth = np.degrees(np.arctan2(way[0], way[2])) + turn
    top = max(float(mesh.positions[:, 1].max()) for mesh in model.meshes)
    face = model.landmarks
    width = 2.5 * camera.face_width(face)
    target = np.array([model.head[0, 3], 0.0, model.head[2, 3] - 0.06])
    target[1] = max(top - 0.44 * width, float(face[:, 1].min()) - 0.02 * width)
    return Camera((size, size), target + width * 80 / 36 * camera.towards(azimuth, 2), target, 80.0)
