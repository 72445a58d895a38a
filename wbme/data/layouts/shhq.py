"""SHHQ-1.0 (Fu et al., "StyleGAN-Human", arXiv 2204.11823): whole people, 1024 x 512.

    no_segment/NAME     the photographs        segments/NAME    person masks of the same name, 255 is person
    parsing/NAME.png    16 classes by colour   *keypoint*.txt   NAME x_0 y_0 ... x_24 y_24, OpenPose's 25

The last two came later; the names of their folder and file are not documented, only their content is. The set
is for non-commercial research only. It has no split: every eighth picture is held out.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from wbme.base.errors import MediaError
from wbme.data.layouts.entry import Entry, beside, inside, points, refused, split_of, walk
from wbme.data.layouts.texts import Joined, rows

LICENCE = "SHHQ agreement: non-commercial research only"
POINTS = "openpose-25"
_PICTURES, _MASKS, _PARSING = "no_segment", "segments", "parsing"
_COUNT = 25


def look(root: Path) -> str:
    """What of SHHQ lies in ``root``, '' where nothing does."""
    if not (root / _PICTURES).is_dir():
        return ""
    more = [name for name in (_MASKS, _PARSING) if (root / name).is_dir()]
    more += [path.name for path in _keypoints(root)]
    return f"SHHQ, {_PICTURES} with {', '.join(more) or 'nothing beside it'}"


def _keypoints(root: Path) -> list[Path]:
    return sorted(root.glob("*keypoint*.txt"))[:1]


def entries(root: Path) -> Iterator[Entry]:
    """The entries of ``root``, which is resolved."""
    joined = Joined()
    for path in _keypoints(root):
        try:
            said = rows(inside(root, path.name), 2 * _COUNT)
            joined.add("keypoints", ((name, why or numbers) for name, numbers, why in said))
        except MediaError as error:
            yield refused(path.name, error)
    for path, size, why in walk(root, _PICTURES):
        name = PurePosixPath(path)
        if why:
            yield refused(path, why)
            continue
        found = joined.of(name.name).get("keypoints", [])
        wrong = [f"{found}: keypoints left out"] if isinstance(found, str) else []
        yield Entry(
            path,
            _PICTURES,
            LICENCE,
            name.stem,
            split_of(name.stem),
            size,
            landmarks={POINTS: points(found, _COUNT)} if found and not wrong else {},
            mask=beside(root, (_MASKS,), (name.name, f"{name.stem}.png")),
            parsing=beside(root, (_PARSING,), (f"{name.stem}.png",)),
            notes=wrong,
        )
    for kind, count, first in joined.missing():
        yield refused(first, f"{kind} name {count} pictures that are not there, {first} the first")
