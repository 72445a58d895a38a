"""Flickr-Faces-HQ (Karras et al., arXiv 1812.04948) as NVlabs/ffhq-dataset publishes it.

    ffhq-dataset-v2.json    an object: number -> category (training: the first 60,000, validation), metadata
                            (author, license, license_url, photo_url, photo_title) and image, thumbnail and
                            in_the_wild, each with file_path, file_size, file_md5 and pixel_size; image and
                            in_the_wild with face_landmarks, 68 points of dlib; in_the_wild with face_rect
    images1024x1024/00000/00000.png     thumbnails128x128/00000/00000.png
    in-the-wild-images/00000/00000.png

The set is under CC BY-NC-SA 4.0, each photograph under the licence that the JSON names. Without the JSON the
pictures are listed alone.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from wbme.base.errors import MediaError
from wbme.data.layouts.entry import Entry, inside, points, refused, size_of, walk
from wbme.data.layouts.texts import items

JSON = "ffhq-dataset-v2.json"
POINTS = "dlib-68"
FOLDERS = {
    "image": "images1024x1024",
    "in_the_wild": "in-the-wild-images",
    "thumbnail": "thumbnails128x128",
}
_SET = "CC BY-NC-SA 4.0 (the set)"
_TRAINING = 60_000
_LONG = 300  # signs of a title or a name
_SPLITS = {"training": "train", "validation": "val"}
_CREDIT = {"author": "author", "photo_title": "title", "photo_url": "url", "license_url": "licence_url"}


def look(root: Path, kind: str = "") -> str:
    """What of FFHQ lies in ``root``, '' where nothing does; ``kind`` is one of ``FOLDERS``, by default the
    first that is there."""
    here = [folder for folder in FOLDERS.values() if (root / folder).is_dir()]
    folder = FOLDERS[kind] if kind else next(iter(here), "")
    if folder not in here:
        return ""
    others = ", ".join(name for name in here if name != folder)
    meta = f"with {JSON}" if (root / JSON).is_file() else f"without {JSON}: no landmarks, no authors"
    return f"FFHQ, {folder} {meta}" + (
        f"; beside it {others}: choose by layout ffhq, ffhq-wild or ffhq-thumbnails" if others else ""
    )


def entries(root: Path, kind: str = "") -> Iterator[Entry]:
    """The entries of that ``kind``, as ``look`` has it; ``root`` is resolved."""
    kind = kind or next(k for k, folder in FOLDERS.items() if (root / folder).is_dir())
    folder = FOLDERS[kind]
    seen = bytearray(1 << 17)  # a bit a picture of the JSON: 70,000 names would be a list
    if (root / JSON).exists():
        try:
            for number, item in items(inside(root, JSON)):
                entry = _entry(root, number, item, kind)
                _mark(seen, entry.path)
                yield entry
        except MediaError as error:
            yield refused(JSON, error)
    for path, size, why in walk(root, folder):
        if why:
            yield refused(path, why)
        elif not _marked(seen, path):
            number = PurePosixPath(path).stem
            split = "train" if not number.isdecimal() or int(number) < _TRAINING else "val"
            yield Entry(path, folder, f"{_SET}; the photograph's own not known", number, split, size)


def _number(path: str) -> int:
    stem = os.path.splitext(os.path.basename(path))[0]
    return int(stem) if stem.isdecimal() and len(stem) < 7 else -1


def _mark(seen: bytearray, path: str) -> None:
    number = _number(path)
    if 0 <= number < 8 * len(seen):
        seen[number >> 3] |= 1 << (number & 7)


def _marked(seen: bytearray, path: str) -> bool:
    number = _number(path)
    return 0 <= number < 8 * len(seen) and bool(seen[number >> 3] >> (number & 7) & 1)


def _entry(root: Path, number: str, item: Any, kind: str) -> Entry:
    try:
        about, meta = item[kind], item["metadata"]
        path, folder = str(about["file_path"]), FOLDERS[kind]
        try:
            size = size_of(root, path)
        except MediaError:
            flat = f"{folder}/{PurePosixPath(path).name}"  # as many copies of the set are
            if not os.path.lexists(root / flat):
                raise
            path, size = flat, size_of(root, flat)
        if size != int(about["file_size"]):
            raise MediaError(f"{path} has {size:,} bytes, {JSON} says {about['file_size']:,}; copy it again")
        boxes = [_box(about["face_rect"])] if "face_rect" in about else []
        landmarks = {POINTS: _landmarks(about)} if "face_landmarks" in about else {}
        return Entry(
            path,
            folder,
            f"{str(meta['license'])[:_LONG]} (the photograph), {_SET}",
            number,
            _SPLITS[item["category"]],
            size,
            md5=str(about["file_md5"]),
            boxes=boxes,
            landmarks=landmarks,
            credit={ours: str(meta[theirs])[:_LONG] for theirs, ours in _CREDIT.items() if meta.get(theirs)},
        )
    except (MediaError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = str(item.get(kind, {}).get("file_path", "")) if _nested(item, kind) else ""
        lacks = f"entry {number} of {JSON} lacks or distorts {error}; download it again"
        return refused(what or f"{FOLDERS[kind]}/{number}", error if isinstance(error, MediaError) else lacks)


def _nested(item: Any, kind: str) -> bool:
    return isinstance(item, dict) and isinstance(item.get(kind), dict)


def _box(corners: Any) -> list[float]:
    first, second = points([float(v) for v in corners], 2)
    if first is None or second is None or first[0] >= second[0] or first[1] >= second[1]:
        raise ValueError("face_rect, which is not left, top, right, bottom")
    return [*first, *second]


def _landmarks(about: dict[str, Any]) -> list[list[float] | None]:
    return points([float(v) for v in itertools.chain.from_iterable(about["face_landmarks"])], 68)
