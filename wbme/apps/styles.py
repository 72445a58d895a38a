"""Styles: a setting of the live controls as a small YAML file that ``wbme stylize --style`` reads back.

    style: 1
    name: night
    about: bold lines, four tones
    ink: "#14131a"
    controls: {line_threshold: -0.9, levels: 4.0, softness: 0.2}

``controls`` are those of ``wbme.nets.layered`` (``phase`` from where a tone lies on the skin, in steps of
tone), ``ink`` is the colour of the lines; what a file leaves out is as the model has it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wbme.apps.stylizer import RANGES, check_controls
from wbme.base import yamlfile
from wbme.base.errors import ParameterError, WbmeError
from wbme.base.paths import workspace, write_atomic
from wbme.people import sheet as sheets

SCHEMA = 1
NUMBERS = tuple(name for name in RANGES if name != "ink_colour")
_KEYS = ("style", "name", "about", "ink", "controls")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Style:
    """A setting: numbers by the names of the live controls, and the ``ink`` (#rrggbb) where it has one.
    Raises ParameterError for a name, a colour or a control that cannot be."""

    name: str
    numbers: dict[str, float] = field(default_factory=dict)
    ink: str | None = None
    about: str = ""

    def __post_init__(self) -> None:
        where = f"the style {self.name!r}: "
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ParameterError(
                f"{self.name!r} cannot be the name of a style: use small letters, digits, '_' and '-', "
                "at most 40"
            )
        if not isinstance(self.about, str) or not isinstance(self.numbers, dict):
            raise ParameterError(f"{where}about is a line of text and controls 'name: number' lines")
        for name in self.numbers:
            if name not in NUMBERS:
                raise ParameterError(f"{where}there is no control {name!r}: choose {', '.join(NUMBERS)}")
        check_controls(self.numbers, where, ParameterError)
        if self.ink is not None:
            colour(self.ink, f"{where}ink")

    @property
    def controls(self) -> dict[str, Any]:
        """What ``Stylizer`` takes."""
        ink = {} if self.ink is None else {"ink_colour": colour(self.ink, "ink")}
        return {**self.numbers, **ink}


def colour(text: Any, where: str) -> list[float]:
    """``#RRGGBB`` as three numbers in [0, 1]; ParameterError that begins with ``where`` for anything else."""
    if not isinstance(text, str) or not re.fullmatch(r"#?[0-9a-fA-F]{6}", text):
        raise ParameterError(f'{where} {text} is no colour: write it as "#1a1420"')
    return [byte / 255 for byte in bytes.fromhex(text[-6:])]


def of_card(card: dict[str, Any]) -> Style:
    """The setting that a model was trained for, its ink rounded to bytes. ParameterError for a model without
    live controls."""
    if not card["controls"]:
        raise ParameterError(
            f"the model {card['name']!r} has no live controls: choose one with a layered head"
        )
    numbers = {name: float(card["controls"][name]) for name in NUMBERS if name in card["controls"]}
    ink = "#" + bytes(round(255 * share) for share in card["controls"]["ink_colour"]).hex()
    return Style("trained", numbers, ink, f"as {card['name']} was trained")


def of_character(name: str) -> Style:
    """The setting in a character's sheet. ParameterError for an unknown character."""
    sheet = sheets.load(name)
    numbers = {key: float(value) for key, value in sheet.controls.model_dump().items()}
    return Style(sheet.name, numbers, sheet.ink, sheet.about)


def characters() -> list[str]:
    """The characters that come with wbme."""
    return sorted(file.stem for file in sheets.FOLDER.glob("*.yaml"))


def setting(card: dict[str, Any], start: str = "trained", changes: Sequence[str] = ()) -> Style:
    """All live controls of a model as "trained" or as the style ``start`` has them (``find``), then
    ``changes`` such as "levels=5" or "ink=#101010". ParameterError for anything that cannot be."""
    usual = of_card(card)
    begun = usual if start == "trained" else find(start)
    numbers, ink = {**usual.numbers, **begun.numbers}, begun.ink or usual.ink
    for change in changes:
        name, _, value = (part.strip() for part in change.partition("="))
        try:
            if name == "ink":
                ink = value
            else:
                numbers[name] = float(value)
        except ValueError:
            raise ParameterError(
                f"the change {change!r} must read like 'levels=5' or 'ink=#101010'"
            ) from None
    return replace(begun, numbers=numbers, ink=f"#{ink.removeprefix('#')}" if ink else ink)


def place(text: str) -> Path:
    """The file of a style: ``text`` itself where it ends in .yaml, else recipes/TEXT.yaml of the workspace.

    ParameterError where it is neither a path to a .yaml file nor a name.
    """
    if text.endswith(".yaml"):
        return Path(text).expanduser()
    if not _NAME.fullmatch(text):
        raise ParameterError(
            f"{text!r} is no style: give a path that ends in .yaml, or a name of small letters, digits, '_' "
            "and '-', at most 40"
        )
    return workspace() / "recipes" / f"{text}.yaml"


def find(text: str) -> Style:
    """The style in a .yaml file, of that name in the workspace, or of the character of that name.

    ParameterError names the file and what is wrong in it, or says which names there are.
    """
    file: Path | None
    try:
        file = place(text)
    except ParameterError:
        raise
    except WbmeError:  # no project here, hence no workspace
        file = None
    if file and (file.is_file() or text.endswith(".yaml")):
        return _read(file)
    if text in characters():
        return of_character(text)
    saved = sorted(one.stem for one in file.parent.glob("*.yaml")) if file else []
    known = ", ".join([*saved, *characters()])
    raise ParameterError(f"there is no style {text!r}: choose one of {known}, or name a .yaml file")


def _read(file: Path) -> Style:
    content = yamlfile.load(file, ParameterError)
    if content.get("style") != SCHEMA:
        raise ParameterError(f"{file} is no style of wbme: it must say 'style: {SCHEMA}'")
    unknown = [key for key in content if key not in _KEYS]
    if unknown:
        raise ParameterError(f"{file}: there is no {unknown[0]!r} in a style: it has {', '.join(_KEYS)}")
    if not content.get("controls") and content.get("ink") is None:
        raise ParameterError(f"{file} sets nothing: give ink, or controls such as 'levels: 5'")
    try:
        name = content.get("name", file.stem.lower())
        return Style(name, content.get("controls") or {}, content.get("ink"), content.get("about", ""))
    except ParameterError as error:
        raise ParameterError(f"{file}: {error}") from None


def save(style: Style, text: str, replace_old: bool = False) -> Path:
    """Write ``style`` under the path or name ``text`` (``place``) and return where it is.

    ParameterError where something is there already, unless ``replace_old``; StoreError when the disk refuses.
    """
    file = place(text)
    named = replace(style, name=file.stem)
    if file.is_dir() or (file.exists() and not replace_old):
        raise ParameterError(f"{file} is there already: choose another name, or say that it may be replaced")
    lines = [f"style: {SCHEMA}", f"name: {_quoted(named.name)}", f"about: {_quoted(named.about)}"]
    lines += [f"ink: {_quoted(named.ink)}"] if named.ink else []
    lines += ["controls:", *(f"  {name}: {_number(value)}" for name, value in named.numbers.items())]
    return write_atomic(file, "\n".join(lines) + "\n")


def _quoted(text: str) -> str:
    """As a double-quoted scalar: a string of JSON, where YAML also wants escaped what cannot be printed."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in plain)


def _number(value: float) -> str:
    """The shortest digits that give the same number back; YAML 1.1 reads an exponent only after a point."""
    text = repr(float(value))
    return text if "e" not in text or "." in text else text.replace("e", ".0e")
