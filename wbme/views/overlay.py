"""Pictures with what was found in them drawn on top, and sheets of many pictures."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from wbme.base.errors import ParameterError
from wbme.geometry import landmarks
from wbme.perception import faces as perceived
from wbme.perception.faces import Face
from wbme.perception.hands import BONES, Hand
from wbme.perception.pose import SKELETON, Body
from wbme.views.style import INK, font

PARTS = ("skin", "mask", "box", "mesh", "contours", "irises", "pose", "hands")

# sRGB in [0, 1]. Person's left warm, right cool, as charts of the body have it.
_WHITE = (1.0, 1.0, 1.0)
_SHADE = (0.05, 0.08, 0.12)
_TINT, _MASK = (0.10, 0.80, 0.70), (0.25, 0.45, 0.95)
_OVAL, _LIPS, _IRIS = (0.55, 0.95, 0.85), (1.0, 0.45, 0.45), (0.35, 0.85, 1.0)
_EYES, _BROWS = (1.0, 0.85, 0.35), (1.0, 0.70, 0.30)
_LEFT, _RIGHT = (1.0, 0.62, 0.22), (0.30, 0.72, 1.0)
_CONTOURS = (
    (_OVAL, (landmarks.FACE_OVAL,)),
    (_EYES, (landmarks.RIGHT_EYE, landmarks.LEFT_EYE)),
    (_BROWS, (landmarks.RIGHT_BROW, landmarks.LEFT_BROW)),
    (_LIPS, (landmarks.LIPS_OUTER, landmarks.LIPS_INNER)),
)


class _Pen:
    """Draws antialiased shapes, given in picture pixels, on an enlarged copy of a picture."""

    def __init__(self, rgb: NDArray[np.float32], scale: float):
        height, width = rgb.shape[:2]
        self.shape = max(round(height * scale), 1), max(round(width * scale), 1)
        if scale != 1:
            way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
            rgb = cv2.resize(rgb, self.shape[::-1], interpolation=way)
        self.image = np.clip(rgb, 0, 1).astype(np.float32, copy=True)
        self.scale = scale
        # Lines are drawn twice as large where that is cheap: their ends and crossings come out cleaner.
        self._fine = 2 if self.shape[0] * self.shape[1] <= 4_000_000 else 1
        self._zoom = np.array([self.shape[1] / width, self.shape[0] / height]) * self._fine
        self.unit = max(max(self.shape) / 700, 0.9)  # a hairline, in pixels of the result

    def blend(self, cover: NDArray[np.float32], colour: Sequence[float], opacity: float) -> None:
        """Paint ``colour`` where ``cover`` (the result's shape, in [0, 1]) lies."""
        alpha = (cover * opacity)[..., None]
        self.image += alpha * (np.array(colour, np.float32) - self.image)

    def draw(
        self,
        colour: Sequence[float],
        opacity: float,
        *,
        lines: Iterable[ArrayLike] = (),
        closed: bool = False,
        width: float | Sequence[float] = 1.0,
        dots: ArrayLike = (),
        radius: float = 1.0,
    ) -> None:
        """Polylines and dots in one colour; overlaps do not add up. ``width`` (one, or one a line) and
        ``radius`` are in hairlines."""
        canvas = np.zeros((self.shape[0] * self._fine, self.shape[1] * self._fine), np.uint8)
        shift, lines = 4, list(lines)
        for line, wide in zip(lines, np.broadcast_to(width, len(lines)), strict=True):
            thick = max(round(wide * self.unit * self._fine), 1)
            cv2.polylines(canvas, [self._fixed(line, shift)], closed, 255, thick, cv2.LINE_AA, shift)
        size = max(round(radius * self.unit * self._fine * (1 << shift)), 1 << (shift - 1))
        for dot in self._fixed(dots, shift):
            cv2.circle(canvas, (int(dot[0]), int(dot[1])), size, 255, cv2.FILLED, cv2.LINE_AA, shift)
        if self._fine > 1:
            canvas = cv2.resize(canvas, self.shape[::-1], interpolation=cv2.INTER_AREA)
        self.blend(canvas.astype(np.float32) / 255, colour, opacity)

    def _fixed(self, points: ArrayLike, shift: int) -> NDArray[np.int32]:
        flat = np.asarray(points, float).reshape(-1, np.shape(points)[-1] if np.size(points) else 2)
        local = (flat[:, :2] + 0.5) * self._zoom - 0.5
        return np.rint(np.clip(local, -1e5, 1e5) * (1 << shift)).astype(np.int32)


def overlay(
    rgb: NDArray[np.float32],
    faces: Sequence[Face] = (),
    bodies: Sequence[Body] = (),
    hands: Sequence[Hand] = (),
    *,
    parts: Sequence[str] = PARTS,
    scale: float = 1.0,
) -> NDArray[np.float32]:
    """``rgb`` (H x W x 3 float32 sRGB in [0, 1]) with faces, bodies and hands drawn on it; a new array.

    ``parts`` of ``PARTS`` to draw: the tint of skin masks and of person masks, face boxes, mesh points,
    contours of the face, irises, skeletons, hands. ``scale`` enlarges the picture first, so that small faces
    carry fine lines. Line widths follow the picture's size. Raises ParameterError for an unknown part.
    """
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise ParameterError(f"overlay draws {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    pen = _Pen(rgb, scale)
    for body in bodies if "mask" in parts else ():
        pen.blend(cv2.resize(body.mask, pen.shape[::-1]), _MASK, 0.28)
    for face in faces if "skin" in parts else ():
        if face.landmarks is not None:
            mask = perceived.skin_mask(face, rgb.shape)
            pen.blend(cv2.resize(mask, pen.shape[::-1]), _TINT, 0.26)
    if "pose" in parts:
        _draw_bodies(pen, bodies)
    _draw_faces(pen, faces, parts)
    for hand in hands if "hands" in parts else ():
        colour = _LEFT if hand.side == "left" else _RIGHT
        pen.draw(colour, 0.9, lines=[hand.points[list(bone)] for bone in BONES], width=1.6)
        pen.draw(_WHITE, 0.95, dots=hand.points, radius=1.8)
    return np.clip(pen.image, 0, 1)


def _draw_faces(pen: _Pen, faces: Sequence[Face], parts: Sequence[str]) -> None:
    faces = sorted(faces, key=lambda face: face.size)
    meshes = [face.landmarks for face in faces if face.landmarks is not None]
    # Small faces get finer lines and dots: the mesh's points are about a fortieth of a face apart.
    fine = {id(face): min(1.0, face.size * pen.scale / pen.unit / 150) for face in faces}
    if "mesh" in parts and meshes:
        radius = 0.7 * float(np.median(list(fine.values())))
        dots = np.concatenate(meshes)
        pen.draw(_SHADE, 0.35, dots=dots, radius=1.9 * radius)  # white alone is lost on bright skin
        pen.draw(_WHITE, 0.9, dots=dots, radius=radius)
    for colour, loops in _CONTOURS if "contours" in parts else ():
        drawn = [face for face in faces if face.landmarks is not None for _ in loops]
        lines = [mesh[list(loop)] for mesh in meshes for loop in loops]
        pen.draw(colour, 0.9, lines=lines, closed=True, width=[fine[id(face)] for face in drawn])
    if "irises" in parts:
        eyes = [(face, iris) for face in faces if face.irises is not None for iris in face.irises]
        widths = [fine[id(face)] for face, _ in eyes]
        pen.draw(_IRIS, 0.95, lines=[_circle(*iris) for _, iris in eyes], closed=True, width=widths)
    if "box" in parts:
        boxes = [face.box[[[0, 1], [2, 1], [2, 3], [0, 3]]] for face in faces]
        pen.draw(_WHITE, 0.9, lines=boxes, closed=True, width=0.9)


def _circle(centre: NDArray[np.float64], *rim: NDArray[np.float64]) -> NDArray[np.float64]:
    radius = np.mean([np.hypot(*(point - centre)) for point in rim])
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def _draw_bodies(pen: _Pen, bodies: Sequence[Body], least: float = 0.5) -> None:
    """Skeletons below the head, of those points that are probably seen."""
    sides = {_LEFT: [], _RIGHT: [], _WHITE: []}
    joints = []
    for body in bodies:
        seen = body.points[:, 3] >= least
        for start, end in SKELETON:
            if seen[start] and seen[end] and min(start, end) > 10:
                colour = _WHITE if (start - end) % 2 else _LEFT if start % 2 else _RIGHT
                sides[colour].append(body.points[[start, end], :2])
                joints += [*body.points[[start, end], :2]]
    for colour, lines in sides.items():
        pen.draw(colour, 0.9, lines=lines, width=2.4)
    pen.draw(_WHITE, 0.95, dots=joints, radius=2.4)


def contact_sheet(
    images: Sequence[NDArray],
    columns: int | None = None,
    labels: Sequence[str] | None = None,
    *,
    cell: int = 256,
    gap: int = 12,
) -> NDArray[np.float32]:
    """Pictures in a grid on white, row by row: one H x W x 3 float32 image in [0, 1].

    ``images`` are H x W or H x W x 3, float in [0, 1] or uint8, of any sizes; each is fitted whole into
    ``cell`` x ``cell`` pixels. ``columns`` defaults to a nearly square grid. ``labels``, one an image, stand
    under the pictures, cut with an ellipsis where too long. Raises ParameterError when their numbers differ.
    """
    if labels is not None and len(labels) != len(images):
        raise ParameterError(f"a contact sheet of {len(images)} images got {len(labels)} labels")
    count = max(len(images), 1)
    columns = min(max(columns or int(np.ceil(np.sqrt(count))), 1), count)
    rows = -(-count // columns)
    size = max(cell // 18, 9)
    below = round(1.7 * size) if labels is not None else 0
    high, wide = cell + below + gap, cell + gap
    sheet = Image.new("RGB", (columns * wide + gap, rows * high + gap), "white")
    pen = ImageDraw.Draw(sheet)
    for index, image in enumerate(images):
        x, y = gap + index % columns * wide, gap + index // columns * high
        tile = _fitted(image, cell)
        sheet.paste(tile, (x + (cell - tile.width) // 2, y + (cell - tile.height) // 2))
        if labels is not None:
            text = _shortened(pen, str(labels[index]), cell, font(size))
            pen.text((x + cell / 2, y + cell + 0.35 * size), text, INK, font(size), "ma")
    return np.asarray(sheet, np.float32) / 255


def _fitted(image: NDArray, cell: int) -> Image.Image:
    u8 = image if image.dtype == np.uint8 else np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    picture = Image.fromarray(u8).convert("RGB")
    ratio = cell / max(picture.size)
    size = max(round(picture.width * ratio), 1), max(round(picture.height * ratio), 1)
    return picture.resize(size, Image.Resampling.LANCZOS if ratio < 1 else Image.Resampling.BICUBIC)


def _shortened(pen: ImageDraw.ImageDraw, text: str, room: float, font: ImageFont.FreeTypeFont) -> str:
    if pen.textlength(text, font) <= room:
        return text
    while text and pen.textlength(text + "…", font) > room:
        text = text[:-1]
    return text + "…"
