"""What each pixel of a picture shows: the labels of ``geometry.parsing``, from a look at the whole picture
and one at every face."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from wbme import runtime
from wbme.base.errors import ModelError, ParameterError
from wbme.color.inputs import check_picture
from wbme.geometry.alignment import ffhq_quad
from wbme.geometry.parsing import INDEX, LABELS, SKIN
from wbme.geometry.transforms import Square, apply, compose, invert, warp
from wbme.nets import bisenet
from wbme.perception import faces
from wbme.perception.faces import Face
from wbme.runtime import parser_model

WIDER = 1.2  # our look at a face: the square of FFHQ's alignment times this, so that hair is whole
_STRIP = 1 << 19  # pixels that are put together at a time
_ALIKE = 0.8  # farthest that a body's skin lies from a face's in (a*, b*) / L*, as a share of the face's own
_LEAST = 0.015  # of a face's square: patches of skin beyond the faces that are smaller are none
_SPECK = 0.3  # of the smallest face's square: what is no part of a person with a face and smaller is none
_NEVER = -1e3  # logit of a label that a network does not know
_FADE = 0.12  # share of a look's side over which it gives way to the look behind it

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


def face_square(landmarks: ArrayLike, wider: float = WIDER) -> Square:
    """The square at which a parser looks at a face of these landmarks (468 x 2 or more, pixels): FFHQ's,
    ``wider`` times as long."""
    quad = ffhq_quad(np.asarray(landmarks)[:, :2])
    across = quad[3] - quad[0]
    angle = float(np.arctan2(across[1], across[0]))
    return Square(*quad.mean(0), wider * float(np.hypot(*across)), angle)


class Parser:
    """A network that names what each pixel shows. ``Parser.open`` makes one.

    ``size``: side of what it looks at, pixels; of a large face, ``face_size``. ``has_body``: whether it knows
    body skin (label 19) and may look at whole figures. A BiSeNet of CelebAMask-HQ knows faces and what is
    near them alone: arms and hands are never skin to it, and beyond the squares around the faces everything
    is background.
    """

    def __init__(self, network: "runtime.Backend", name: str, size: int, face_size: int, has_body: bool):
        self.name, self.size, self.face_size, self.has_body = name, size, face_size, has_body
        self._network = network
        self._wider = WIDER if has_body else 1.0

    @classmethod
    def open(
        cls, path: str | Path | None = None, *, backend: str = "onnxruntime", threads: int = 1
    ) -> "Parser":
        """The parser that comes with wbme, that of a model folder (``model/*``), or a BiSeNet (``.pth``),
        which torch runs whatever ``backend`` says.

        Raises ModelError for a file that is none.
        """
        given = None if path is None else Path(path)
        if given is not None and given.is_file():
            net = parser_model.read_bisenet(given)
            return cls(
                runtime.load(net, "torch", threads=threads), given.stem, bisenet.SIZE, bisenet.SIZE, False
            )
        if given is not None and not given.is_dir():
            raise ModelError(f"there is no parser {given}: give a BiSeNet's .pth or a folder of model/*")
        folder = parser_model.model_folder(given)
        card = parser_model.read_card(folder / "model.json")
        network = runtime.load(folder / "model.onnx", backend, threads=threads)
        return cls(network, card["name"], card["size"], card["face_size"], True)

    def crop(self, rgb: NDArray[np.float32]) -> F32:
        """How likely each label is at each pixel of a square look: S x S x 20 in [0, 1], which add to 1.

        ``rgb`` S x S x 3, sRGB float32 in [0, 1], S best ``size``: it is resampled to that and back. Raises
        ParameterError where it is no such picture.
        """
        logits = self._look(check_picture(rgb, "crop"), self.size)
        if len(logits) != len(rgb):
            logits = np.asarray(cv2.resize(logits, (len(rgb), len(rgb))), np.float32)
        shares = np.exp(logits - logits.max(2, keepdims=True))
        shares /= shares.sum(2, keepdims=True)
        return shares

    def _look(self, picture: F32, size: int) -> F32:
        """Logits of a square picture, 20 to a cell: ``size`` cells across, or half as many."""
        side = len(picture)
        if picture.shape[1] != side:
            raise ParameterError(f"the crop has shape {picture.shape}: give a square one")
        if side != size:
            way = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
            picture = cv2.resize(picture, (size, size), interpolation=way)
        logits = self._network(np.ascontiguousarray(picture.transpose(2, 0, 1))[None])[0][0]
        logits = np.ascontiguousarray(logits.transpose(1, 2, 0))
        lacking = len(LABELS) - logits.shape[2]
        return np.pad(logits, ((0, 0), (0, 0), (0, lacking)), constant_values=_NEVER) if lacking else logits

    def __call__(self, rgb: NDArray[np.float32], found: Sequence[Face] | None = None) -> U8:
        """Labels, H x W, of an sRGB picture (H x W x 3, float32 in [0, 1]) of any size.

        ``found``: the faces in it, looked for here where it is None. The same picture gives the same labels.
        Raises ParameterError where it is no such picture and ModelError where memory does not suffice.
        """
        picture = check_picture(rgb)
        known = faces.detect(picture, irises=False) if found is None else found
        try:
            return self._together(picture, [face for face in known if face.landmarks is not None])
        except (MemoryError, cv2.error) as error:
            high, wide = picture.shape[:2]
            raise ModelError(
                f"memory does not suffice to parse a picture of {wide} x {high} pixels: make it smaller"
            ) from error

    def _together(self, picture: F32, known: Sequence[Face]) -> U8:
        high, wide = picture.shape[:2]
        looks = []
        if self.has_body:
            looks.append((Square((wide - 1) / 2, (high - 1) / 2, max(wide, high)), 0.0))
        # The smallest last: a large look that reaches over a small face sees it at its edge.
        for face in sorted(known, key=lambda face: -face.size):
            looks.append((face_square(face.landmarks, self._wider), _FADE))
        # Thin things of a large face are worth a closer look; the whole is known best at the size learned.
        large = [bool(fade) and square.side > (self.size + self.face_size) / 2 for square, fade in looks]
        sizes = [self.face_size if one else self.size for one in large]
        logits = [
            self._look(square.crop(picture, size), size)
            for (square, _), size in zip(looks, sizes, strict=True)
        ]
        labels = np.zeros((high, wide), np.uint8)
        rows = max(_STRIP // wide, 1)
        for top in range(0, high, rows):
            below = min(top + rows, high)
            total = np.zeros((below - top, wide, len(LABELS)), np.float32)
            total[..., 0] = 1e-3
            for (square, fade), seen in zip(looks, logits, strict=True):
                _blend(total, seen, square, fade, top)
            labels[top:below] = total.argmax(2)
        squares = [square for square, fade in looks if fade]
        _only_of_faces(picture, labels, squares, rows)
        _without_specks(labels, squares)
        return labels


def _tints(picture: F32) -> F32:
    """(a*, b*) / L*, which shadow changes little; N x 3 sRGB to N x 2."""
    lab = cv2.cvtColor(picture[None], cv2.COLOR_RGB2LAB)[0]
    return lab[:, 1:] / np.maximum(lab[:, :1], 10)


def _only_of_faces(picture: F32, labels: U8, squares: Sequence[Square], rows: int) -> None:
    """Make cloth of what is called skin beyond the faces' ``squares`` and has the tint of no face's skin, for
    hands and arms under the same light have about that of the face, or is far smaller than a hand."""
    tints, apart = [], np.ones(labels.shape, bool)
    for square in squares:
        corners = apply(square.matrix(), [[0, 0], [1, 0], [0, 1], [1, 1]])
        x0, y0 = np.maximum(np.floor(corners.min(0)), 0).astype(int)
        x1, y1 = np.maximum(np.ceil(corners.max(0)), 0).astype(int)
        part = np.s_[y0:y1, x0:x1]
        apart[part] = False
        skin = np.isin(labels[part], list(SKIN))
        if np.count_nonzero(skin) >= 50:
            tints.append(np.median(_tints(picture[part][skin]), axis=0))
    for top in range(0, len(labels), rows) if tints else ():
        part = np.s_[top : top + rows]
        doubtful = np.isin(labels[part], list(SKIN)) & apart[part]
        if not doubtful.any():
            continue
        seen = _tints(picture[part][doubtful])
        far = [np.hypot(*(seen - tint).T) / max(_ALIKE * np.hypot(*tint), 0.1) for tint in tints]
        found = labels[part][doubtful]
        found[np.min(far, axis=0) > 1] = INDEX["cloth"]
        labels[part][doubtful] = found
    if squares:
        doubtful = (np.isin(labels, list(SKIN)) & apart).astype(np.uint8)
        _, patches, facts, _ = cv2.connectedComponentsWithStats(doubtful)
        tiny = facts[:, cv2.CC_STAT_AREA] < _LEAST * min(square.side for square in squares) ** 2
        tiny[0] = False
        labels[tiny[patches]] = INDEX["cloth"]


def _without_specks(labels: U8, squares: Sequence[Square]) -> None:
    """Make background of what hangs together, touches no middle of the faces' ``squares`` and is small
    beside them: things behind people that look a little like skin, hair or cloth."""
    if not squares:
        return
    _, parts, facts, _ = cv2.connectedComponentsWithStats((labels > 0).astype(np.uint8))
    specks = facts[:, cv2.CC_STAT_AREA] < _SPECK * min(square.side for square in squares) ** 2
    for square in squares:
        corners = np.rint(apply(square.matrix(), [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]))
        inner = np.zeros(labels.shape, np.uint8)
        cv2.fillPoly(inner, [corners.astype(np.int32)], 1)
        specks[np.unique(parts[inner > 0])] = False
    specks[0] = False
    labels[specks[parts]] = 0


def _blend(total: F32, seen: F32, square: Square, fade: float, top: int) -> None:
    """Put the look ``seen`` (S x S x C) at ``square`` of the picture over ``total``, whose first row is row
    ``top`` of the picture, softly at its edge where ``fade`` is not 0."""
    corners = apply(square.matrix(), [[0, 0], [1, 0], [0, 1], [1, 1]]) - [0, top]
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    end = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, total.shape[1::-1])
    if (end <= low).any():
        return
    size = len(seen)
    to_look = compose(np.array([[size, 0, -0.5], [0, size, -0.5]]), invert(square.matrix()))
    matrix = compose(to_look, np.array([[1.0, 0, low[0]], [0, 1, low[1] + top]]))
    shape = int(end[1] - low[1]), int(end[0] - low[0])
    part = total[low[1] : end[1], low[0] : end[0]]
    # OpenCV resamples at most four channels at once.
    found = [warp(seen[..., k : k + 4], matrix, shape) for k in range(0, seen.shape[2], 4)]
    there = np.concatenate(found, axis=2)
    if not fade:
        part[:] = there
        return
    inside = (np.arange(size, dtype=np.float32) + 0.5) / size
    ramp = np.clip(np.minimum(inside, 1 - inside) / fade, 0, 1)
    window = np.minimum(ramp[:, None], ramp)
    part += warp(window, matrix, shape, outside="zero")[..., None] * (there - part)
