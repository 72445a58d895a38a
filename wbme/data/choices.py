"""Blind choices between two drawings of one picture, a line of JSON each (schema 1).

    {"schema": 1, "picture": "portraits/astronaut.png", "left": "SHA-256", "right": "SHA-256",
     "chosen": "left", "seconds": 4.2, "rater": "anna", "question": "Which ...?", "time": 1790000000.0}

``left`` and ``right`` are the digests (``digest``) of the drawings that stood there; ``chosen`` is left,
right or none, for no difference; ``time`` is in seconds since 1970. No line says what drew a drawing: who
has the drawings knows. The same columns as CSV are read too.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from wbme.base.errors import StoreError
from wbme.base.hashing import sha256_bytes
from wbme.base.paths import write_atomic
from wbme.metrics.preference import Vote

SCHEMA = 1
FILE = "choices.jsonl"
NEITHER = "none"
_MOST = 64 << 20  # bytes: far more choices than anybody makes
_SCORES = {"left": 1.0, "right": 0.0, NEITHER: 0.5}  # of the drawing on the left

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Choice(BaseModel):
    """One choice; see the head of this file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    picture: Text
    left: Digest
    right: Digest
    chosen: Literal["left", "right", "none"]
    seconds: Annotated[float, Field(ge=0)]
    rater: Text
    question: Text
    time: float

    @model_validator(mode="after")
    def _two(self) -> "Choice":
        if self.left == self.right:
            raise ValueError("left and right are the same drawing")
        return self

    @property
    def about(self) -> tuple[Any, ...]:
        """What was asked of whom: the same again is a second opinion of the same person."""
        return self.rater, self.question, self.picture, frozenset((self.left, self.right))


def digest(rgb: NDArray[np.float32]) -> str:
    """Hexadecimal SHA-256 of a picture's size and its 8-bit pixels; ``rgb`` H x W x 3 in [0, 1]."""
    pixels = np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    return sha256_bytes(f"{pixels.shape}".encode() + pixels.tobytes())


def write(path: Path, choices: Iterable[Choice]) -> None:
    """All of ``choices`` to the file at ``path``, whole or not at all. StoreError where the disk refuses."""
    rows = [{"schema": SCHEMA, **one.model_dump()} for one in choices]
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows))


def read(path: Path) -> tuple[list[Choice], list[str]]:
    """The whole choices in a file of JSON lines or CSV, and a sentence for each line that is none.

    Raises StoreError for a file that cannot be read, is no text, too large, of another schema, or holds no
    choice.
    """
    try:
        if path.stat().st_size > _MOST:
            raise StoreError(f"{path} has {path.stat().st_size >> 20} MB: no file of choices is so large")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StoreError(f"cannot read the choices in {path}: {error.strerror}; check the path") from error
    except ValueError as error:
        raise StoreError(f"{path} is no UTF-8 text: export the choices again") from error
    rows = _of_csv(text) if path.suffix.lower() == ".csv" else _of_json(text)
    found, said = [], []
    for number, row in rows:
        if isinstance(row, dict) and (schema := row.pop("schema", None)) not in (SCHEMA, str(SCHEMA)):
            raise StoreError(f"{path} has schema {schema}, this wbme reads {SCHEMA}; export it again")
        try:
            found.append(Choice.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            where = " ".join(map(str, first["loc"])) or "it"
            why = (
                "cut off or damaged"
                if row is None
                else f"{where}: {first['msg'].removeprefix('Value error, ')}"
            )
            said.append(f"line {number} of {path} is no whole choice ({why}): left out")
    if not found:
        raise StoreError(f"{path} holds no choice{': ' + said[0] if said else ''}; give another file")
    return found, said


def _of_json(text: str) -> list[tuple[int, Any]]:
    """Number and content of each line, None where it is no JSON."""
    found: list[tuple[int, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append((number, json.loads(line)))
            except (ValueError, RecursionError):
                found.append((number, None))
    return found


def _of_csv(text: str) -> list[tuple[int, Any]]:
    """As ``_of_json``. A last line without an end is cut off: part of a number is a number too."""
    rows: list[tuple[int, Any]] = []
    reader = csv.DictReader(io.StringIO(text))
    try:
        for row in reader:
            rows.append((reader.line_num, {key: value for key, value in row.items() if value is not None}))
    except csv.Error:
        rows.append((reader.line_num + 1, None))
    if rows and not text.endswith("\n"):
        rows[-1] = rows[-1][0], None
    return [(number, None if row is not None and None in row else row) for number, row in rows]


def gather(places: Iterable[Path]) -> tuple[list[Choice], list[str]]:
    """The choices of all ``places``, in time: files, or folders with ``choices.jsonl`` in them or in
    their folders; and what was left out. What a rater said twice of the same drawings counts once, the last
    time.

    Raises StoreError for a file that is named and cannot be used; one in a folder is left out.
    """
    found, said = [], []
    for place in places:
        inside = [path for way in (FILE, f"*/{FILE}") for path in sorted(place.glob(way))]
        for path in inside if place.is_dir() else [place]:
            if path != place and not path.stat().st_size:
                continue  # a sitting whose choices were all taken back
            try:
                rows, remarks = read(path)
            except StoreError as error:
                if path == place:
                    raise
                rows, remarks = [], [str(error)]
            found += rows
            said += remarks
    once = dict.fromkeys(sorted(found, key=lambda one: one.time))
    last = {one.about: one for one in once}
    if len(last) < len(once):
        said.append(
            f"{len(once) - len(last)} choices were made again by the same rater: the later ones count"
        )
    return list(last.values()), said


def votes(
    choices: Sequence[Choice], drawn: Mapping[str, Mapping[str, str]], question: str
) -> tuple[list[Vote], list[str]]:
    """The ``choices`` that answer ``question`` about these drawings, with the names of what drew them, and a
    sentence for the others. ``drawn``: of each picture the digest of each model's drawing."""
    found, others = [], {"answer another question": 0, "are about drawings that are not these": 0}
    for one in choices:
        own, named = drawn.get(one.picture, {}), dict[str, str]()
        for name, key in own.items():
            named.setdefault(key, name)  # of drawings that are the same the first stands for all
        pair = [name for key, name in named.items() if key in (one.left, one.right)]
        if one.question != question:
            others["answer another question"] += 1
        elif len(pair) < 2:
            others["are about drawings that are not these"] += 1
        else:
            left = own[pair[0]] == one.left
            score = _SCORES[one.chosen] if left else 1 - _SCORES[one.chosen]
            found.append(Vote(one.picture, pair[0], pair[1], score, left, one.rater, one.seconds))
    why = "made by another model or version, at another size, or on another machine"
    said = [f"{n} of {len(choices)} choices {what}: left out" for what, n in others.items() if n]
    return found, [text.replace("not these:", f"not these ({why}):") for text in said]
