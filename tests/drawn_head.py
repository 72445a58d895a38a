"""A head as a child of comics draws it, with its five points known: for the tests of users' drawings."""

import json

import numpy as np
from PIL import Image, ImageDraw

SKIN, SHADE, INK, HAIR, IRIS = "#fbe0cf", "#eeb9a6", "#20121a", "#7a4a8c", "#2f6f9f"
NAMES = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
POINTS = np.array([[113, 182], [207, 182], [160, 222], [137, 252], [183, 252]], float)
_FINE = 4  # drawn so much larger, for smooth edges


def head(skin: str = SKIN, shade: str = SHADE, ground: str | None = None) -> Image.Image:
    """320 x 400, RGBA: transparent around the head, or on ``ground``. Its five points are ``POINTS``."""
    image = Image.new("RGBA", (320 * _FINE, 400 * _FINE), ground or (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)

    def scaled(*values):
        return [(value + 0.5) * _FINE for value in values]

    def line(points, width, ink=INK):
        pen.line(scaled(*points), ink, round(width * _FINE), "curve")

    def oval(x, y, wide, high, fill, width=0.0, ink=INK):
        box = scaled(x - wide, y - high, x + wide, y + high)
        pen.ellipse(box, fill, ink if width else None, round(width * _FINE))

    oval(160, 160, 122, 128, HAIR, 3)
    pen.rectangle(scaled(38, 150, 282, 330), HAIR, INK, 3 * _FINE)
    pen.rectangle(scaled(128, 268, 192, 345), shade)
    oval(160, 400, 120, 70, "#4c8a58", 3)
    pen.polygon(scaled(66, 130, 254, 130, 252, 205, 226, 258, 176, 300, 144, 300, 94, 258, 68, 205), skin)
    line((66, 130, 68, 205, 94, 258, 144, 300, 176, 300, 226, 258, 252, 205, 254, 130), 3)
    pen.polygon(scaled(254, 130, 252, 205, 226, 258, 214, 250, 234, 200, 236, 130), shade)
    for x, y in POINTS[:2]:
        oval(x, y, 23, 24, "white", 1.5)
        oval(x, y + 1, 16, 20, IRIS, 1.5)
        oval(x, y + 3, 8, 10, INK)
        oval(x - 5, y - 7, 5, 6, "white")
        line((x - 27, y - 10, x - 12, y - 25, x + 12, y - 25, x + 27, y - 10), 5)
        line((x - 24, y - 42, x, y - 48, x + 24, y - 42), 4, "#4a2a55")
    line((160, 205, 157, 222, 163, 224), 2.5)
    line((137, 252, 150, 257, 170, 257, 183, 252), 3)
    pen.polygon(
        scaled(58, 150, 60, 80, 160, 40, 262, 80, 264, 150, 230, 128, 200, 140, 160, 122, 118, 140, 88, 128),
        HAIR,
    )
    return image.resize((320, 400), Image.Resampling.BOX)


def save(path, image: Image.Image | None = None, **marks):
    """Write the head to ``path``, and beside it a landmark file where ``marks`` (of one face) are given."""
    (head() if image is None else image).save(path)
    if marks:
        content = {"schema": 1, "faces": [marks]}
        path.with_suffix(".landmarks.json").write_text(json.dumps(content))
    return path


def named(points=POINTS):
    """The five points as a landmark file has them."""
    return dict(zip(NAMES, np.asarray(points, float).tolist(), strict=True))
