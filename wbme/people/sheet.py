"""Character sheets: how one character is drawn, as a strict YAML file of ``characters/``."""

import functools
import re
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from wbme.base import yamlfile
from wbme.base.errors import ParameterError

FOLDER = Path(__file__).parent / "characters"


def _colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError("must be a colour such as '#2b1c22'")
    return value


Colour = Annotated[str, AfterValidator(_colour)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=8)]
Step = Annotated[float, Field(ge=-60, le=60)]  # of L*, a* or b*


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Tone(_Part):
    """A tone beside its base colour. ``lightness`` is the step of L* at L* = 100, ``least`` that at 0: dark
    colours take smaller steps. ``a`` and ``b`` shift the hue, scaled alike."""

    lightness: Step = 0.0
    least: Step = 0.0
    a: Step = 0.0
    b: Step = 0.0


def _tone(lightness: float, least: float, a: float, b: float) -> Tone:
    return Tone(lightness=lightness, least=least, a=a, b=b)


class Skin(_Part):
    """``colour``: the character's own skin, in which it is drawn beside the person's; ``keep``: how much of
    the person's own lightness it keeps. ``edge``: a band along the shadow's border. ``lips``: how far lips
    are painted, ``lip`` their tone over the person's own."""

    colour: Colour
    keep: Share = 0.0
    shadow: Tone = _tone(-13, -5, 8, 3)
    edge: Tone = Tone()
    light: Tone = _tone(0.6, 9, 0, -0.5)
    blush: Tone = _tone(-4, 0, 7, 2.5)
    lips: Share = 0.7
    lip: Tone = _tone(0, 2, 9, 3)


class Hair(_Part):
    """``colour``: of everybody's hair, instead of their own. ``bands``: how many broken highlight bands;
    ``reach``: how broad they are. ``darkest``: L* of the base of the blackest hair, so that it keeps its
    drawing."""

    colour: Colour | None = None
    shadow: Tone = _tone(-16, -5, 3, -2)
    deep: Tone = _tone(-30, -8, 4, -4)
    light: Tone = _tone(12, 15, -1, 2)
    darkest: Annotated[float, Field(ge=0, le=60)] = 13.0
    bands: Annotated[int, Field(ge=0, le=2)] = 2
    reach: Share = 0.75


class Shadow(_Part):
    """Cel shadows: where ``normal . light`` falls below ``threshold``; ``rounding`` smooths the shape (share
    of a face's width), ``softness`` its edge (final pixels at 512). No more than ``most`` of a face lies in
    shadow. ``angles`` cuts the shapes with straight edges, this share of a face's width off the round ones.
    ``steps``: how many tones it takes, ``brush``: how ragged their borders are. ``black``: share of the
    shadow that is spotted black, with ``hatch`` (how heavy) running out of it. ``side``: how far the light is
    moved from above to the side it comes from."""

    threshold: Annotated[float, Field(ge=-1, le=1)] = 0.12
    rounding: Annotated[float, Field(ge=0, le=0.3)] = 0.045
    softness: Annotated[float, Field(ge=0, le=20)] = 1.2
    most: Share = 0.34
    angles: Annotated[float, Field(ge=0, le=0.2)] = 0.0
    steps: Annotated[int, Field(ge=1, le=4)] = 1
    brush: Share = 0.0
    black: Share = 0.0
    hatch: Share = 0.0
    side: Share = 0.0


class Eyes(_Part):
    """``shape``: of the lids, over what the person has. ``lash``, ``flick`` (how far the lash line runs out):
    shares of the eye's width; ``lashes``: how many single ones. ``opening`` and ``iris`` scale the true eye.
    ``colour``: of everybody's iris, instead of their own; ``glow``: how bright its lower half is. ``pupil``,
    ``catchlight``: shares of the iris; ``catchlights``: how many; ``slit``: how narrow the pupil is.
    ``lower``: strength of the lower lid's line."""

    shape: Literal["own", "round", "almond", "upturned", "droopy", "hooded"] = "own"
    white: Colour = "#fdfaf8"
    shade: Colour = "#c9bccb"
    colour: Colour | None = None
    lash: Annotated[float, Field(ge=0.02, le=0.4)] = 0.14
    lashes: Annotated[int, Field(ge=0, le=4)] = 0
    flick: Annotated[float, Field(ge=0, le=0.6)] = 0.16
    opening: Annotated[float, Field(ge=0.8, le=1.6)] = 1.16
    iris: Annotated[float, Field(ge=0.6, le=1.6)] = 1.16
    glow: Share = 0.55
    pupil: Annotated[float, Field(ge=0.1, le=0.8)] = 0.42
    slit: Share = 0.0
    catchlights: Annotated[int, Field(ge=0, le=3)] = 2
    catchlight: Annotated[float, Field(ge=0.1, le=0.6)] = 0.3
    lower: Share = 0.7


class Mouth(_Part):
    """``line`` and ``corner``: width of the mouth's line in its middle and at its corners (line weights);
    ``below``: strength of the line under the lower lip."""

    line: Weight = 1.6
    corner: Weight = 2.6
    below: Share = 0.55
    inside: Colour = "#7a2f35"
    tongue: Colour = "#d9767a"
    teeth: Colour = "#fdfaf6"
    gloss: Share = 0.5


class Face(_Part):
    """``nose``: its underside, one wing, an L of bridge and underside, or a dot. ``gesture``: how far brows
    exaggerate the expression. ``blush_lines``: short strokes on each cheek. ``marks`` on brow and cheeks, in
    ``mark``."""

    nose: Literal["base", "wing", "ell", "dot"] = "base"
    gesture: Annotated[float, Field(ge=0, le=2)] = 0.6
    brow: Annotated[float, Field(ge=0.2, le=2)] = 1.0
    blush_lines: Annotated[int, Field(ge=0, le=4)] = 0
    marks: Literal["none", "crescent", "stripes"] = "none"
    mark: Colour = "#ffffff"


class Lines(_Part):
    """``weights``: width of each kind of line in pixels of a 512 picture. ``taper``: share of a line over
    which it thins out. ``shortest``: shorter lines are not drawn (pixels at 512). ``painted``: how much of
    the contours is a darker tone of what they bound (``tone``) instead of ink."""

    taper: Annotated[float, Field(ge=0, le=0.5)] = 0.22
    shortest: Annotated[float, Field(ge=0, le=100)] = 14.0
    painted: Share = 0.0
    tone: Tone = _tone(-34, -10, 8, 4)
    silhouette: Weight = 3.2
    occlusion: Weight = 2.5
    border: Weight = 2.1
    crease: Weight = 1.6
    fold: Weight = 1.5
    hair: Weight = 1.7
    lid: Weight = 1.4
    nose: Weight = 1.7
    jaw: Weight = 2.2
    ear: Weight = 1.5


class Deformation(_Part):
    """How the character's body differs from the person's. Sizes are factors: ``head``; ``eyes`` (about their
    own middles) and over that ``eye_height``; ``nose``, ``mouth``; ``jaw``, the width of the lower face, and
    ``chin``, its width at the chin; ``neck``, ``torso``, ``arms``, ``legs``: lengths; ``shoulders``,
    ``neck_width``, ``limb_width``: widths; ``hands``, ``feet``. ``eye_drop``: how far the eyes sink, a share
    of the height from chin to crown."""

    head: Annotated[float, Field(ge=0.6, le=2.2)] = 1.0
    eyes: Annotated[float, Field(ge=0.7, le=1.8)] = 1.0
    eye_height: Annotated[float, Field(ge=0.8, le=1.5)] = 1.0
    eye_drop: Annotated[float, Field(ge=-0.05, le=0.08)] = 0.0
    nose: Annotated[float, Field(ge=0.3, le=1.5)] = 1.0
    mouth: Annotated[float, Field(ge=0.5, le=1.5)] = 1.0
    jaw: Annotated[float, Field(ge=0.7, le=1.2)] = 1.0
    chin: Annotated[float, Field(ge=0.4, le=1.3)] = 1.0
    neck: Annotated[float, Field(ge=0.4, le=1.6)] = 1.0
    neck_width: Annotated[float, Field(ge=0.5, le=1.3)] = 1.0
    shoulders: Annotated[float, Field(ge=0.6, le=1.3)] = 1.0
    torso: Annotated[float, Field(ge=0.5, le=1.3)] = 1.0
    arms: Annotated[float, Field(ge=0.5, le=1.5)] = 1.0
    legs: Annotated[float, Field(ge=0.4, le=1.6)] = 1.0
    limb_width: Annotated[float, Field(ge=0.6, le=1.4)] = 1.0
    hands: Annotated[float, Field(ge=0.6, le=1.5)] = 1.0
    feet: Annotated[float, Field(ge=0.6, le=1.5)] = 1.0


class Controls(_Part):
    """Defaults of the live inputs of a student that draws this character: ``wbme.nets.layered.CONTROLS``."""

    line_threshold: Annotated[float, Field(ge=-4, le=4)] = -0.3
    line_gain: Annotated[float, Field(ge=0.1, le=50)] = 4.0
    levels: Annotated[float, Field(ge=2, le=64)] = 8.0
    softness: Share = 0.7
    saturation: Annotated[float, Field(ge=0, le=4)] = 1.0
    lift: Annotated[float, Field(ge=0.3, le=2)] = 1.0


class Sheet(_Part):
    """A character. ``ink`` is the colour of its lines; ``brows`` how much darker than the hair brows are.
    ``fill``: colours, or paper with spots of black and dots between. ``geometry``: the person's own, or
    deformed by ``deformation``. What a sheet leaves out is drawn as in the romance's."""

    sheet: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    about: str
    geometry: Literal["aligned", "deformed"] = "aligned"
    deformation: Deformation | None = None
    ink: Colour
    fill: Literal["colour", "paper"] = "colour"
    brows: Share = 0.2
    skin: Skin
    hair: Hair = Hair()
    cloth: Tone = _tone(-18, -6, 3, -5)
    shadow: Shadow = Shadow()
    face: Face = Face()
    eyes: Eyes = Eyes()
    mouth: Mouth = Mouth()
    lines: Lines = Lines()
    controls: Controls = Controls()

    @model_validator(mode="after")
    def _one_geometry(self) -> Self:
        if (self.geometry == "deformed") != (self.deformation is not None):
            raise ValueError(
                "geometry 'deformed' needs its numbers under deformation, and 'aligned' must have none"
            )
        return self


def path(name: str) -> Path:
    """The file of a character that comes with the package, or ``name`` itself where it ends in .yaml."""
    if name.endswith(".yaml"):
        return Path(name)
    known = sorted(file.stem for file in FOLDER.glob("*.yaml"))
    if name not in known:
        raise ParameterError(
            f"there is no character {name!r}: choose one of {', '.join(known)}, or name a .yaml file"
        )
    return FOLDER / f"{name}.yaml"


def load(name: str) -> Sheet:
    """The sheet of a character by its name, or of a .yaml file by its path.

    Raises ParameterError naming the file and the field that is missing, unknown, of the wrong type or out of
    its range.
    """
    file = path(name)
    content = yamlfile.load(file, ParameterError)
    try:
        return Sheet.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        reason = first["msg"].removeprefix("Value error, ")
        raise ParameterError(f"the character sheet {file}: {field}: {reason}{more}") from error


@functools.cache
def srgb(colour: str) -> NDArray[np.float32]:
    """sRGB in [0, 1] (3) of a colour such as '#2b1c22'."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)
