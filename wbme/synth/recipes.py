"""Recipes of pairs: the settings that the studies chose, as strict YAML files of ``experiments/recipes/``."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from wbme.base import yamlfile
from wbme.base.errors import ParameterError
from wbme.base.hashing import digest_json
from wbme.base.paths import project_root
from wbme.color.relight import RECIPES
from wbme.color.transfer import BY_TONE, METHODS, OF_REGION
from wbme.geometry import warps

Share = Annotated[float, Field(ge=0, le=1)]


def _of(*names: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in names:
            raise ValueError(f"{value!r} is none of {', '.join(names)}")
        return value

    return AfterValidator(check)


Moved = Annotated[str, _of(*(name for name in METHODS if name not in OF_REGION), "none")]
Warped = Annotated[str, _of("none", "exact", *warps.METHODS)]
Lit = Annotated[str, _of(*RECIPES)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Warp(_Part):
    """How the head of a deformed character is brought to the person's geometry: ``method`` of
    ``geometry.warps``, on ``landmarks`` of the mesh, as far as ``strength`` says; ``smoothing`` and ``reach``
    as in ``warps.Settings``. ``none``: placed by the similarity that most landmarks agree on; ``exact``: by
    the renderer's own correspondence, which nothing but a rendered set has. Aligned characters stay as they
    are."""

    method: Warped = "hybrid"
    landmarks: Literal["468", "68"] = "468"
    strength: Share = 1.0
    smoothing: Share = 1e-3
    reach: Annotated[float, Field(ge=0.5, le=5)] = 1.5

    @property
    def aligns(self) -> bool:
        """Whether the two sides of a pair agree in geometry."""
        return self.method not in ("none", "similarity") and self.strength > 0


class Light(_Part):
    """``method`` of ``color.relight`` for the drawing below its lines, measured in its photograph."""

    method: Lit = "none"
    strength: Share = 1.0


class Skin(_Part):
    """``whose`` skin face and body show: the person's, or the ``amount`` of the way to the character's."""

    whose: Literal["person", "character"] = "person"
    amount: Share = 1.0


class Recipe(_Part):
    """``reflection``: method of ``color.transfer`` that gives the drawn skin the photographed one's colour.
    What a file leaves out is as in the recipe ``default``."""

    recipe: Literal[1] = 1
    name: str = "default"
    about: str = ""
    warp: Warp = Warp()
    reflection: Moved = BY_TONE
    light: Light = Light()
    skin: Skin = Skin()

    @property
    def digest(self) -> str:
        """Of all that it sets, 16 hexadecimal digits; not of what it is called."""
        return digest_json(self.model_dump(exclude={"name", "about"}))[:16]

    @property
    def worn(self) -> float:
        """How far skin goes to the character's, 0 to 1."""
        return self.skin.amount if self.skin.whose == "character" else 0.0


def folder() -> Path:
    return project_root() / "experiments" / "recipes"


def names() -> list[str]:
    """The recipes that come with the project, the default first."""
    found = sorted(file.stem for file in folder().glob("*.yaml"))
    return sorted(found, key=lambda name: name != "default")


def path(name: str) -> Path:
    """The file of a recipe of ``experiments/recipes/``, or ``name`` itself where it ends in .yaml."""
    if name.endswith(".yaml"):
        return Path(name).expanduser()
    if name not in (known := names()):
        raise ParameterError(
            f"there is no recipe {name!r} in {folder()}: choose one of {', '.join(known)}, "
            "or name a .yaml file"
        )
    return folder() / f"{name}.yaml"


def load(name: str) -> Recipe:
    """The recipe of that name, or of a .yaml file by its path.

    Raises ParameterError naming the file and the field that is unknown, of the wrong type or out of range.
    """
    file = path(name)
    content = yamlfile.load(file, ParameterError)
    try:
        if "name" in content or "recipe" not in content:
            raise ParameterError(
                f"the recipe {file} must begin with 'recipe: 1' and is called as its file is: "
                "add that line, and leave a name out"
            )
        return Recipe.model_validate({"name": file.stem, **content})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise ParameterError(f"the recipe {file}: {field}: {reason}{more}") from error
