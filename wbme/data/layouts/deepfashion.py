"""DeepFashion-MultiModal (Jiang et al., "Text2Human", SIGGRAPH 2022): clothed people, 750 x 1101.

    images/WOMEN-Dresses-id_00000002-02_1_front.jpg     captions.json   an object: file name -> sentence
    segm/NAME_segm.png                      24 classes (``labels``), of the 12,701 whole-body pictures
    densepose/NAME_densepose.png            not used here
    keypoints/keypoints_{loc,vis}.txt       21 points: x y, (-1, -1) absent; 0 visible, 1 hidden, 2 absent
    labels/shape/shape_anno_all.txt         12 numbers   labels/texture/{fabric,pattern}_ann.txt   3 numbers

For non-commercial research only. It has no split: identities are the items that are sold (id_00000002), a
lower bound for what the same person may wear, and every eighth is held out.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from wbme.base.errors import MediaError
from wbme.data.layouts.entry import Entry, beside, inside, points, refused, split_of, walk
from wbme.data.layouts.texts import Joined, items, rows

LICENCE = "DeepFashion-MultiModal licence: non-commercial research only"
POINTS = "deepfashion-21"
_COUNT = 21
_IMAGES, _SEGM = ("images", "image"), ("segm", "parsing")
_CAPTIONS = "captions.json"
_TABLES = {
    "keypoints": (("keypoints/keypoints_loc.txt", "keypoints/keypoints_loc.csv"), 2 * _COUNT),
    "visibility": (("keypoints/keypoints_vis.txt", "keypoints/keypoints_vis.csv"), _COUNT),
    "shape": (("labels/shape/shape_anno_all.txt", "labels/shape_anno_all.txt"), 12),
    "fabric": (("labels/texture/fabric_ann.txt", "labels/fabric_ann.txt"), 3),
    "pattern": (("labels/texture/pattern_ann.txt", "labels/pattern_ann.txt"), 3),
}
_ITEM = re.compile(r"^(.*?id_\d+)")


def look(root: Path) -> str:
    """What of DeepFashion-MultiModal lies in ``root``, '' where nothing does."""
    pictures = [name for name in _IMAGES if (root / name).is_dir()]
    more = [name for name in _SEGM if (root / name).is_dir()]
    more += [_CAPTIONS] if (root / _CAPTIONS).is_file() else []
    more += [kind for kind, (names, _) in _TABLES.items() if beside(root, ("",), names)]
    return f"DeepFashion-MultiModal, {pictures[0]} with {', '.join(more)}" if pictures and more else ""


def entries(root: Path) -> Iterator[Entry]:
    """The entries of ``root``, which is resolved."""
    joined, folder = Joined(), next(name for name in _IMAGES if (root / name).is_dir())
    for kind, (names, count) in _TABLES.items():
        name = beside(root, ("",), names)
        if name:
            try:
                said = rows(inside(root, name), count)
                joined.add(kind, ((about, why or numbers) for about, numbers, why in said))
            except MediaError as error:
                yield refused(name, error)
    if (root / _CAPTIONS).exists():
        told: list[str] = []
        joined.add("captions", _captions(root, told))
        yield from (refused(_CAPTIONS, why) for why in told)
    for path, size, why in walk(root, folder):
        if why:
            yield refused(path, why)
        else:
            yield _entry(root, path, size, joined.of(PurePosixPath(path).name))
    for kind, number, first in joined.missing():
        yield refused(first, f"{kind} name {number} pictures that are not there, {first} the first")


def _captions(root: Path, told: list[str]) -> Iterator[tuple[str, str]]:
    try:
        yield from ((name, str(text)) for name, text in items(inside(root, _CAPTIONS)))
    except MediaError as error:
        told.append(str(error))


def _entry(root: Path, path: str, size: int, said: dict[str, Any]) -> Entry:
    name = PurePosixPath(path)
    wrong = [f"{said.pop(kind)}: {kind} left out" for kind in _TABLES if isinstance(said.get(kind), str)]
    item = _ITEM.match(name.stem)
    identity = item[1] if item else name.stem
    landmarks = {POINTS: points(said["keypoints"], _COUNT)} if "keypoints" in said else {}
    kinds = ("visibility", "shape", "fabric", "pattern")
    return Entry(
        path,
        name.stem.split("-", 1)[0],
        LICENCE,
        identity,
        split_of(identity),
        size,
        landmarks=landmarks,
        parsing=beside(root, _SEGM, (f"{name.stem}_segm.png",)),
        caption=said.get("captions", ""),
        attributes={kind: [int(v) for v in said[kind]] for kind in kinds if kind in said},
        notes=wrong,
    )
