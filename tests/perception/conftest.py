"""Pictures of people: the astronaut, a crowd made of her, and a drawn hand."""

import itertools

import cv2
import numpy as np
import pytest
import skimage.data

from wbme.geometry.transforms import Square, compose, invert, warp


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """512 x 512 x 3 float32 in [0, 1]."""
    return (skimage.data.astronaut() / 255).astype(np.float32)


@pytest.fixture(scope="session")
def crowd(astronaut) -> tuple[np.ndarray, list[tuple[np.ndarray, float]]]:
    """Twenty heads of four sizes, each turned by 37 degrees more than the last; and for each the nose's
    place and its turn in degrees."""
    head = astronaut[20:240, 115:335]
    y, x = np.mgrid[:220, :220]
    disc = np.clip(105 - np.hypot(x - 109.5, y - 109.5), 0, 1).astype(np.float32)
    picture = np.full((960, 1200, 3), 0.55, np.float32)
    truth = []
    for index in range(20):
        row, column = divmod(index, 5)
        size, degrees = (90, 130, 170, 210)[(row + column) % 4], index * 37 % 360
        square = Square(120 + 240 * column, 120 + 240 * row, size, np.radians(degrees))
        to_unit = np.array([[1 / 220, 0, 0.5 / 220], [0, 1 / 220, 0.5 / 220]])
        to_picture = compose(square.matrix(), to_unit)
        alpha = warp(disc, invert(to_picture), (960, 1200), outside="zero")[..., None]
        picture += alpha * (warp(head, invert(to_picture), (960, 1200)) - picture)
        nose = to_picture @ [222 - 115, 126 - 20, 1]
        truth.append((nose, degrees))
    return picture, truth


@pytest.fixture(scope="session")
def drawn_hand() -> np.ndarray:
    """2000 x 2000: a right palm, fingers up, thumb to the right of the picture."""
    skin = np.array([0.86, 0.66, 0.54])
    fingers = [
        (66, [(500, 620), (580, 560), (640, 490), (680, 430)]),
        (58, [(500, 430), (530, 300), (542, 215), (550, 150)]),
        (58, [(440, 420), (445, 270), (447, 175), (448, 100)]),
        (58, [(380, 430), (362, 290), (352, 205), (345, 140)]),
        (48, [(325, 460), (285, 350), (265, 285), (250, 230)]),
    ]
    palm = np.array([(310, 440), (520, 420), (545, 560), (510, 700), (470, 800), (350, 800), (330, 700)])
    creases = [
        [(330, 520), (420, 500), (520, 480)],
        [(340, 580), (430, 560), (530, 520)],
        [(460, 760), (440, 680), (480, 600), (530, 540)],
    ]
    picture = np.full((2000, 2000, 3), 0.35, np.float32)
    hand = picture[600:1400, 600:1400]
    hand[:] = 0.75, 0.80, 0.85
    for grow, colour in ((20, (skin * 0.8).tolist()), (0, skin.tolist())):
        cv2.fillPoly(hand, [palm], colour)
        cv2.polylines(hand, [palm], True, colour, 40 + grow)
        for width, joints in fingers:
            for step, (start, end) in enumerate(itertools.pairwise(joints)):
                cv2.line(hand, start, end, colour, width - 4 * step + grow)
    for crease in creases:
        cv2.polylines(hand, [np.array(crease)], False, (skin * 0.65).tolist(), 4)
    return cv2.GaussianBlur(picture, (0, 0), 2)
