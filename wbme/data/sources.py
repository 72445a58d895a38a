"""Sources: pictures as they came, with the faces and the light found in them (schema 1).

pictures/0001.jpg ...   the original bytes under the original suffix
pictures.jsonl          a row a picture: schema, id, file, name, group, sha256, width and height (upright),
                        format, grey, licence, origin, dhash, notes, light, faces (their number); of the
                        user's folder also layout, identity, split, boxes, landmarks, and where the set has
                        them parsing, mask (files below), caption, credit, attributes (``annotations``)
parsing/0001.png ...    labels of ``geometry.parsing`` where the set has a parsing; mask/0001.png ... likewise
manifest.jsonl          all that the user's set holds (``data.manifest``), whether it was drawn or not
faces.jsonl             a row a face: picture, index, box, score, roll, width (pixels), irises
landmarks.npz           landmarks F x 468 x 3, irises F x 2 x 5 x 2 (nan where missing), float32, in the
                        order of faces.jsonl
rejected.jsonl          a row a file that could not be used: name, why
"""

import functools
import io
import json
import math
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError, ParameterError, StoreError
from wbme.base.hashing import sha256_bytes
from wbme.base.paths import write_atomic
from wbme.color import lighting
from wbme.data import annotations, planes, tables
from wbme.data.candidates import Candidate, printable
from wbme.geometry import landmarks as points
from wbme.media import duplicates, images
from wbme.perception.faces import Face, detect

SCHEMA = 1
_AGAIN = "run 10_sources again"
_GREY = 2 / 255  # channels of a grey picture differ by no more than this, JPEG's rounding included
_DETAIL = 8  # of 64 bits: a difference hash with fewer ones, or zeros, is that of a flat picture or a ramp


@dataclass(frozen=True, eq=False)
class Source:
    """A source as it was read: the rows of its tables, and ``landmarks`` float32 F x 468 x 3 and ``irises``
    float32 F x 2 x 5 x 2 of ``faces``, in pixels of the upright picture."""

    folder: Path
    pictures: list[dict[str, Any]]
    faces: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    landmarks: NDArray[np.float32]
    irises: NDArray[np.float32]

    def rgb(self, picture: dict[str, Any]) -> NDArray[np.float32]:
        """The upright picture of that row, H x W x 3, sRGB in [0, 1]; transparent parts lie over white."""
        return opaque(images.read(self.folder / picture["file"]))

    def known(self, picture: dict[str, Any]) -> annotations.Known:
        """The picture of that row, its faces, and what the set that it comes from says of it."""
        return annotations.read(self.folder, picture, self.rgb(picture), self.found(picture))

    def found(self, picture: dict[str, Any]) -> list[Face]:
        """The faces of the picture of that row, the largest first; key points are taken from the mesh."""
        return [self._face(k) for k in self._numbers.get(picture["id"], [])]

    @functools.cached_property
    def _numbers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for k, row in enumerate(self.faces):
            found.setdefault(row["picture"], []).append(k)
        return found

    def _face(self, k: int) -> Face:
        row, mesh = self.faces[k], self.landmarks[k].astype(float)
        eyes = [mesh[list(loop)].mean(0) for loop in (points.RIGHT_EYE, points.LEFT_EYE)]
        mouth = mesh[list(points.LIPS_INNER)].mean(0)
        six = np.stack([*eyes, mesh[points.NOSE_TIP], mouth, mesh[234], mesh[454]])[:, :2]
        irises = self.irises[k].astype(float) if row["irises"] else None
        return Face(np.array(row["box"]), row["score"], six, mesh, irises)


def write(folder: Path, candidates: Iterable[Candidate], *, min_face: float = 24.0) -> Source:
    """Look at ``candidates`` one after the other and write what was found to ``folder``; returns it read.

    Faces at least ``min_face`` pixels wide are kept; in pictures longer than 40 of them, a fortieth of the
    longer side counts. A file that is no sound picture goes to ``rejected.jsonl`` with its sentence, and
    nothing else suffers. Raises ParameterError where ``min_face`` is not positive, StoreError when the disk
    refuses.
    """
    if not 0 < min_face < math.inf:
        raise ParameterError(
            f"faces of at least {min_face} pixels cannot be asked for: give a number above 0"
        )
    for kept in ("pictures", "parsing", "mask"):
        shutil.rmtree(folder / kept, ignore_errors=True)
    rows: dict[str, list[dict[str, Any]]] = {"pictures": [], "faces": [], "rejected": []}
    meshes: list[NDArray[np.float64]] = []
    irises: list[NDArray[np.float64]] = []
    for one in candidates:
        try:
            picture, data, suffix = _read(one)
        except MediaError as error:
            why = printable(str(error).replace(str(one.path), one.name))
            rows["rejected"].append({"schema": SCHEMA, "name": one.name, "why": why})
            continue
        identity = f"{len(rows['pictures']) + 1:04d}"
        file = f"pictures/{identity}{suffix}"
        write_atomic(folder / file, data)
        rgb = opaque(picture)
        smallest = max(min_face, max(rgb.shape[:2]) / 40)
        found = [f for f in detect(rgb, min_size=smallest) if _width(f) >= min_face]
        row = _picture_row(one, picture, rgb, identity, file, len(found))
        said = annotations.keep(one, folder, identity, (rgb.shape[0], rgb.shape[1]))
        rows["pictures"].append(row | said | {"notes": row["notes"] + said["notes"]})
        for index, face in enumerate(found):
            rows["faces"].append(_face_row(face, identity, index))
            meshes.append(np.asarray(face.landmarks))
            irises.append(np.full((2, 5, 2), np.nan) if face.irises is None else face.irises)
    buffer = io.BytesIO()
    landmarks = np.reshape(meshes, (-1, 468, 3)).astype(np.float32)
    np.savez(buffer, landmarks=landmarks, irises=np.reshape(irises, (-1, 2, 5, 2)).astype(np.float32))
    write_atomic(folder / "landmarks.npz", buffer.getvalue())
    for kind, content in rows.items():
        lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in content]
        write_atomic(folder / f"{kind}.jsonl", "".join(lines))
    return read(folder)


def _read(one: Candidate) -> tuple[images.Picture, bytes, str]:
    """The picture, its file's bytes and suffix; MediaError where it is not sound or not the promised one."""
    if one.rejected:
        raise MediaError(one.rejected)
    if stored := one.stored():
        return images.read(one.path, data=stored[0]), *stored
    picture = images.read(one.path)
    if one.sha256 not in (None, picture.sha256):
        if one.entry is not None:
            raise MediaError(
                f"{one.path} holds other bytes than before under the same size and date; copy it again"
            )
        raise MediaError(f"{one.path} is not the file that its licence is known for; reinstall {one.origin}")
    try:
        data = one.path.read_bytes()
    except OSError as error:
        raise MediaError(f"cannot open {one.path}: {error.strerror}; check its permissions") from error
    if sha256_bytes(data) != picture.sha256:
        raise MediaError(f"{one.path} changed while it was read; wait until it is complete")
    return picture, data, one.path.suffix


def opaque(picture: images.Picture) -> NDArray[np.float32]:
    """The colours of ``picture``, H x W x 3 in [0, 1], transparent parts over white."""
    if picture.alpha is None:
        return picture.rgb
    return 1 + picture.alpha[..., None] * (picture.rgb - 1)


def _width(face: Face) -> float:
    return float(face.box[2] - face.box[0])


def _picture_row(
    one: Candidate, picture: images.Picture, rgb: NDArray[np.float32], identity: str, file: str, count: int
) -> dict[str, Any]:
    seen = picture.alpha is not None and picture.alpha.any()
    light = asdict(lighting.measure(picture.rgb, picture.alpha if seen else None))
    light["histogram"] = np.round(light["histogram"], 6).tolist()
    light["percentiles"] = {str(rank): round(value, 6) for rank, value in light["percentiles"].items()}
    row = {"schema": SCHEMA, "id": identity, "file": file, "name": one.name, "group": one.group}
    row |= {"sha256": picture.sha256, "width": rgb.shape[1], "height": rgb.shape[0]}
    row |= {"format": picture.info["format"], "grey": bool((rgb.max(2) - rgb.min(2)).max() <= _GREY)}
    row |= {"licence": one.licence, "origin": one.origin, "dhash": f"{duplicates.dhash(rgb):016x}"}
    light = {key: round(value, 6) if isinstance(value, float) else value for key, value in light.items()}
    return row | {"notes": picture.info["notes"], "light": light, "faces": count}


def _face_row(face: Face, identity: str, index: int) -> dict[str, Any]:
    row = {"schema": SCHEMA, "picture": identity, "index": index}
    row |= {"box": [round(float(value), 3) for value in face.box], "score": round(face.score, 4)}
    row |= {"roll": round(face.roll, 3), "width": round(_width(face), 3)}
    return row | {"irises": face.irises is not None}


def read(folder: Path) -> Source:
    """The source in ``folder``. StoreError where it is of another schema, incomplete or damaged."""
    pictures, rows, rejected = (
        tables.read(folder / f"{kind}.jsonl", SCHEMA, _AGAIN, least=0)
        for kind in ("pictures", "faces", "rejected")
    )
    shapes = {"landmarks": (-1, 468, 3), "irises": (-1, 2, 5, 2)}
    found = planes.read_arrays(folder / "landmarks.npz", shapes, _AGAIN)
    counts = {len(rows), sum(row["faces"] for row in pictures), *map(len, found.values())}
    if len(counts) > 1:
        raise StoreError(f"the files of {folder} do not belong together; {_AGAIN}")
    return Source(folder, pictures, rows, rejected, **found)


def repeated(pictures: list[dict[str, Any]], distance: int = 4) -> list[tuple[str, list[int]]]:
    """Groups of ``pictures`` (rows, of one source or several) that show the same: what, and their indices.

    ``"same file"`` for equal bytes, ``"alike"`` for difference hashes that differ in at most ``distance`` of
    64 bits (another size or compression of a picture). Pictures with next to no detail are never called so.
    """
    same = duplicates.groups([row["sha256"] for row in pictures])
    hashes = [int(row["dhash"], 16) for row in pictures]
    further = {k for group in same for k in group[1:]}
    detailed = [
        k for k, h in enumerate(hashes) if _DETAIL <= h.bit_count() <= 64 - _DETAIL and k not in further
    ]
    alike = duplicates.groups([hashes[k] for k in detailed], distance) if detailed else []
    return [("same file", g) for g in same] + [("alike", [detailed[k] for k in g]) for g in alike]
