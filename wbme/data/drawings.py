"""A user's drawings of one character, as they were read (schema 1).

pictures/0001.png ...   the original bytes under the original suffix
pictures.jsonl          a row a drawing: schema, id, file, name, sha256, width and height (upright), format,
                        mode, alpha, ground (the colour it lies over), grey, flat (share of fills), photo,
                        faces (their number), source (hand, mesh, detector, box or none), skin, palette,
                        notes (what was done) and warnings (what to look at)
faces.jsonl             a row a face: schema, picture, index, source, score, box, points (the five of
                        ``landmark_file``), contour, aligned (a file, or empty)
aligned/0001_0.png      the face, aligned by eyes and mouth as FFHQ is
rejected.jsonl          a row a file that could not be used: schema, name, why
character.json          schema, name, palette, skin (ink, colour, shadow, light), remarks
sheet.yaml              a character sheet to begin with
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError, ParameterError, StoreError
from wbme.base.paths import write_atomic
from wbme.color.palette import Swatch, palette
from wbme.data import drawn_faces, drawn_skin, paper, tables
from wbme.data.candidates import Candidate, printable
from wbme.geometry.alignment import ffhq_crop
from wbme.media import images

SCHEMA = 1
_AGAIN = "run 11_drawings again"
_FEW, _SMALL = 5, 60  # drawings to rest a palette on; a face narrower than this in pixels is too small


@dataclass(frozen=True, eq=False)
class Drawings:
    """Drawings as they were read: the rows of the tables and the content of ``character.json``."""

    folder: Path
    pictures: list[dict[str, Any]]
    faces: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    character: dict[str, Any]

    def rgb(self, picture: dict[str, Any]) -> NDArray[np.float32]:
        """The upright drawing of that row over its ground, H x W x 3 sRGB in [0, 1]."""
        return paper.flattened(images.read(self.folder / picture["file"])).rgb

    def found(self, picture: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows of the faces of that drawing."""
        return [row for row in self.faces if row["picture"] == picture["id"]]

    def aligned(self, face: dict[str, Any]) -> NDArray[np.float32]:
        """The aligned face of that row, N x N x 3 sRGB in [0, 1]."""
        return images.read(self.folder / face["aligned"]).rgb


def write(
    folder: Path, candidates: Iterable[Candidate], name: str, *, marks: Path | None = None, size: int = 512,
    seed: int = 0,
) -> Drawings:  # fmt: skip
    """Look at the ``candidates``, drawings of one character called ``name``, and write to ``folder`` what was
    found; returns it read.

    A face comes from the landmarks that a user gave (``landmark_file``: in the folder ``marks``, under the
    drawing's own name, or beside the drawing), else from the detectors. It is aligned to ``size`` x ``size``
    pixels by FFHQ's recipe from the two eyes and the mouth, padded by reflection. With huge eyes, which sit
    low and wide, the square follows the eyes' distance rather than the face's height: it shows more around
    the chin and less of the hair than of a person. A file that is no sound picture is rejected alone.
    Raises MediaError where no drawing is left, ParameterError where ``size`` is not 16 to 4096.
    """
    if not 16 <= size <= 4096:
        raise ParameterError(f"faces of {size} x {size} pixels cannot be made: give a size from 16 to 4096")
    for part in ("pictures", "aligned"):
        shutil.rmtree(folder / part, ignore_errors=True)
    pictures, faces, rejected, samples, tones = [], [], [], [], []
    for one in candidates:
        try:
            picture, data = _read(one)
            flat = paper.flattened(picture)
        except MediaError as error:
            why = printable(str(error).replace(str(one.path), one.name))
            rejected.append({"schema": SCHEMA, "name": one.name, "why": why})
            continue
        identity = f"{len(pictures) + 1:04d}"
        row = _row(one, picture, flat, identity)
        write_atomic(folder / row["file"], data)
        found = drawn_faces.find(flat.rgb, one.path, one.name, marks)
        row |= {"faces": len(found.faces), "source": found.source}
        row["warnings"] += [printable(text) for text in found.warnings]
        row["photo"] = paper.photographic(flat, found.faces[0].points[[0, 1, 3, 4]] if found.faces else None)
        if row["photo"]:
            row["warnings"].append("looks like a photograph, or is softly painted: take photographs out")
        for index, face in enumerate(found.faces):
            faces.append(_face(folder, flat, face, row, index, size))
        twin = next((other for other in pictures if other["sha256"] == row["sha256"]), None)
        if twin:
            row["warnings"].append(f"the same file as {twin['name']}: counted once")
        elif not row["grey"]:
            sample = paper.sample(flat, seed)
            samples.append(sample)
            row["palette"] = _listed(palette(*sample, seed=seed))
            skin = drawn_skin.measure(flat.rgb, found.faces[0].points, seed=seed) if found.faces else None
            if skin is not None:
                tones.append(skin)
                row["skin"] = drawn_skin.named(skin)
        pictures.append(row)
    if not pictures:
        if not rejected:
            raise MediaError("there is no drawing to read: put pictures (PNG, JPEG, WebP) into the folder")
        raise MediaError(f"none of {len(rejected)} files is a drawing that can be read: {rejected[0]['why']}")
    character = _character(name, pictures, samples, tones, seed)
    _store(folder, {"pictures": pictures, "faces": faces, "rejected": rejected}, character)
    write_atomic(
        folder / "sheet.yaml", drawn_skin.starting_sheet(name, drawn_skin.together(tones), len(tones))
    )
    return read(folder)


def _read(one: Candidate) -> tuple[images.Picture, bytes]:
    picture = images.read(one.path)
    try:
        return picture, one.path.read_bytes()
    except OSError as error:
        raise MediaError(f"cannot open {one.path}: {error.strerror}; check its permissions") from error


def _row(one: Candidate, picture: images.Picture, flat: paper.Flat, identity: str) -> dict[str, Any]:
    row: dict[str, Any] = {"schema": SCHEMA, "id": identity, "file": f"pictures/{identity}{one.path.suffix}"}
    row |= {"name": one.name, "sha256": picture.sha256}
    row |= {"width": flat.rgb.shape[1], "height": flat.rgb.shape[0]}
    row |= {"format": picture.info["format"], "mode": picture.info["mode"], "alpha": flat.alpha}
    row |= {"ground": flat.ground, "grey": flat.grey, "flat": round(flat.fills, 4), "photo": False}
    row |= {"faces": 0, "source": "none", "skin": {}, "palette": []}
    return row | {"notes": [*picture.info["notes"], *flat.notes], "warnings": []}


def _face(
    folder: Path, flat: paper.Flat, face: drawn_faces.DrawnFace, row: dict[str, Any], index: int, size: int
) -> dict[str, Any]:
    file = f"aligned/{row['id']}_{index}.png"
    try:
        images.write(folder / file, ffhq_crop(flat.rgb, face.points[[0, 1, 3, 4]], size).rgb)
    except ParameterError as error:
        row["warnings"].append(f"face {index + 1} is not aligned: {error}")
        file = ""
    width = float(face.box[2] - face.box[0])
    if width < _SMALL:
        row["warnings"].append(f"face {index + 1} is {width:.0f} pixels wide: bring a larger scan of it")
    stored = face.marks.model_dump(exclude_none=True, exclude={"box", "contour"})
    entry = {"schema": SCHEMA, "picture": row["id"], "index": index, "source": face.source}
    entry |= {"score": None if face.score is None else round(face.score, 4)}
    entry |= {"box": [round(float(v), 3) for v in face.box], "points": stored}
    return entry | {"contour": list(face.marks.contour or ()), "aligned": file}


def _character(
    name: str, pictures: list[dict[str, Any]], samples: list[Any], tones: list[drawn_skin.Tones], seed: int
) -> dict[str, Any]:
    distinct = len({row["sha256"] for row in pictures})
    remarks = []
    if distinct == 1:
        remarks.append("one drawing only: palette and skin rest on it alone; bring five or more")
    elif distinct < _FEW:
        remarks.append(f"only {distinct} different drawings: five or more make palette and skin surer")
    without = sum(row["faces"] == 0 for row in pictures)
    if without:
        remarks.append(f"{without} of {len(pictures)} drawings have no face yet: place it in the editor")
    if not tones:
        remarks.append("no skin could be measured: it needs one face in a drawing in colour")
    every = [np.concatenate(parts) for parts in zip(*samples, strict=True)] if samples else None
    together = drawn_skin.together(tones)
    return {
        "schema": SCHEMA,
        "name": name,
        "palette": _listed(palette(*every, count=16, seed=seed)) if every else [],
        "skin": drawn_skin.named(together) if together else {},
        "remarks": remarks,
    }


def _listed(found: list[Swatch]) -> list[dict[str, Any]]:
    return [
        {"hex": one.hex, "lab": [round(v, 2) for v in one.lab], "share": round(one.share, 4)} for one in found
    ]


def _store(folder: Path, kinds: dict[str, list[dict[str, Any]]], character: dict[str, Any]) -> None:
    for kind, rows in kinds.items():
        lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows]
        write_atomic(folder / f"{kind}.jsonl", "".join(lines))
    text = json.dumps(character, ensure_ascii=False, indent=1, allow_nan=False)
    write_atomic(folder / "character.json", text + "\n")


def read(folder: Path) -> Drawings:
    """The drawings in ``folder``. StoreError where they are of another schema, incomplete or damaged."""
    pictures = tables.read(folder / "pictures.jsonl", SCHEMA, _AGAIN)
    faces, rejected = (
        tables.read(folder / f"{kind}.jsonl", SCHEMA, _AGAIN, least=0) for kind in ("faces", "rejected")
    )
    try:
        character = json.loads((folder / "character.json").read_text(encoding="utf-8"))
        name, schema = character["name"], character["schema"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{folder}/character.json is missing or damaged; {_AGAIN}") from error
    if schema != SCHEMA or sum(row["faces"] for row in pictures) != len(faces):
        raise StoreError(f"the files of {folder} ({name}) do not belong together; {_AGAIN}")
    return Drawings(folder, pictures, faces, rejected, character)
