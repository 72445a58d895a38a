"""Character sheets: how one character is drawn, as a strict YAML file of ``characters/``."""

import functools
import re
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

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

    lightness: Step
    least: Step
    a: Step = 0.0
    b: Step = 0.0


class Skin(_Part):
    """``colour``: the character's own skin, in which it is drawn beside the person's. ``lips``: how far lips
    are painted, ``lip`` their tone over the person's own."""

    colour: Colour
    shadow: Tone
    light: Tone
    blush: Tone
    lips: Share
    lip: Tone


class Hair(_Part):
    """``bands``: how many broken highlight bands; ``reach``: how broad they are. ``darkest``: L* of the
    base of the blackest hair, so that it keeps its drawing."""

    shadow: Tone
    deep: Tone
    light: Tone
    darkest: Annotated[float, Field(ge=0, le=60)]
    bands: Annotated[int, Field(ge=0, le=2)]
    reach: Share


class Shadow(_Part):
    """Cel shadows: where ``normal . light`` falls below ``threshold``; ``rounding`` smooths the shape (share
    of a face's width), ``softness`` its edge (final pixels at 512). No more than ``most`` of a face lies in
    shadow."""

    threshold: Annotated[float, Field(ge=-1, le=1)]
    rounding: Annotated[float, Field(ge=0, le=0.3)]
    softness: Annotated[float, Field(ge=0, le=20)]
    most: Share


class Eyes(_Part):
    """``lash``, ``flick`` (how far the lash line runs out): shares of the eye's width. ``opening`` and
    ``iris`` scale the true eye. ``pupil``, ``catchlight``: shares of the iris; ``catchlights``: how many."""

    white: Colour
    shade: Colour
    lash: Annotated[float, Field(ge=0.02, le=0.4)]
    flick: Annotated[float, Field(ge=0, le=0.6)]
    opening: Annotated[float, Field(ge=0.8, le=1.4)]
    iris: Annotated[float, Field(ge=0.6, le=1.6)]
    pupil: Annotated[float, Field(ge=0.1, le=0.8)]
    catchlights: Annotated[int, Field(ge=0, le=2)]
    catchlight: Annotated[float, Field(ge=0.1, le=0.6)]


class Mouth(_Part):
    """``line`` and ``corner``: width of the mouth's line in its middle and at its corners (line weights)."""

    line: Weight
    corner: Weight
    inside: Colour
    tongue: Colour
    teeth: Colour
    gloss: Share


class Lines(_Part):
    """``weights``: width of each kind of line in pixels of a 512 picture. ``taper``: share of a line over
    which it thins out. ``shortest``: shorter lines are not drawn (pixels at 512)."""

    taper: Annotated[float, Field(ge=0, le=0.5)]
    shortest: Annotated[float, Field(ge=0, le=100)]
    silhouette: Weight
    occlusion: Weight
    border: Weight
    crease: Weight
    hair: Weight
    lid: Weight
    nose: Weight
    jaw: Weight
    ear: Weight


class Controls(_Part):
    """Defaults of the live inputs of a student that draws this character: ``wbme.nets.layered.CONTROLS``."""

    line_threshold: Annotated[float, Field(ge=-4, le=4)]
    line_gain: Annotated[float, Field(ge=0.1, le=50)]
    levels: Annotated[float, Field(ge=2, le=64)]
    softness: Share
    saturation: Annotated[float, Field(ge=0, le=4)]
    lift: Annotated[float, Field(ge=0.3, le=2)]


class Sheet(_Part):
    """A character. ``ink`` is the colour of its lines; ``brows`` how much darker than the hair brows are."""

    sheet: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    about: str
    geometry: Literal["aligned"]
    ink: Colour
    brows: Share
    skin: Skin
    hair: Hair
    cloth: Tone
    shadow: Shadow
    eyes: Eyes
    mouth: Mouth
    lines: Lines
    controls: Controls


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
