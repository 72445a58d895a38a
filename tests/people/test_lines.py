"""Line drawing: closed even contours, no specks, no second outline, the same weight at any size."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_sphere import CENTRE, RADIUS, camera, gbuffer

from wbme.geometry.parsing import INDEX
from wbme.people import lines
from wbme.people.mesh import MATERIALS, Curve
from wbme.people.sheet import load

STYLE = load("romance").lines
FRONT = np.array([0, 0, 1.0])  # light that favours no side


def bare(view):
    """The head alone: no wall, no hair."""
    drawn = gbuffer(view, hair=False)
    wall = drawn.part == 1
    depth = np.where(wall, np.inf, drawn.depth).astype(np.float32)
    changed = {
        name: np.where(wall, 255, getattr(drawn, name)).astype(np.uint8) for name in ("part", "material")
    }
    return replace(drawn, depth=depth, **changed)


def test_the_silhouette_of_a_sphere_is_a_closed_ring_of_even_width():
    view = camera(256)
    ink = lines.draw(bare(view), [], view, STYLE, 0.5, FRONT)
    y, x = np.mgrid[:256, :256] + 0.5 - 128
    angle = np.floor((np.arctan2(y, x) + np.pi) / (2 * np.pi) * 72).astype(int).clip(0, 71)
    radius = view.pixels_per_radian * RADIUS / np.sqrt(1.2**2 - RADIUS**2)
    arc = 2 * np.pi * radius / 72
    width = np.bincount(angle.ravel(), ink.ravel(), 72) / arc
    assert width.min() > 0
    np.testing.assert_allclose(width, 0.5 * STYLE.silhouette, rtol=0.25)
    assert ink[np.abs(np.hypot(x, y) - radius) > 3].max() == 0


@pytest.mark.parametrize("size", [128, 384])
def test_lines_weigh_the_same_at_any_resolution(size):
    small, large = camera(size // 2), camera(size)
    shares = [
        lines.draw(bare(view), [], view, STYLE, view.size[0] / 256, FRONT).mean() for view in (small, large)
    ]
    assert shares[0] == pytest.approx(shares[1], rel=0.1)


def maned(view):
    """The head alone, covered by twelve masses of hair that run down from its top and end in points."""
    drawn = bare(view)
    hair = drawn.material == 0
    off = drawn.position - CENTRE
    turn = (np.arctan2(off[..., 0], off[..., 2]) / (2 * np.pi) + 0.5) * 12
    low = np.clip((RADIUS - off[..., 1]) / (2 * RADIUS), 0, 1)
    mass = np.where(hair, 1 + np.floor(turn + 0.12 * np.sin(9 * low)), 0)
    material = np.where(hair, MATERIALS.index("hair"), drawn.material).astype(np.uint8)
    uv = np.stack([turn % 1, low], -1).astype(np.float32)
    depth = np.where(hair, drawn.depth - 0.004 * (mass % 2), drawn.depth).astype(np.float32)
    label = np.where(hair, INDEX["hair"], 0).astype(np.uint8)
    clump = (8 * mass).astype(np.int16)
    return replace(drawn, material=material, label=label, uv=uv, depth=depth, clump=clump)


@pytest.mark.slow
def test_the_same_view_has_the_same_lines_at_any_resolution():
    """Every line of a small picture is in one four times as large, and the other way round."""
    inks = []
    for size in (128, 512):
        view = camera(size)
        ink = lines.draw(maned(view), [], view, STYLE, size / 256, FRONT)
        inks.append(cv2.resize(ink, (128, 128), interpolation=cv2.INTER_AREA))
    for one, two in (inks, inks[::-1]):
        near = cv2.dilate(two, np.ones((3, 3), np.uint8))
        drawn = one > 0.35
        assert drawn.sum() > 400
        assert np.mean(near[drawn] > 0.15) > 0.97
    assert inks[0].mean() == pytest.approx(inks[1].mean(), rel=0.15)


def test_masses_of_hair_are_parted_by_lines_and_no_fragment_is_left():
    view = camera(256)
    drawn = maned(view)
    kinds = lines.edges(drawn, lines.metres_per_pixel(drawn, view))
    row = kinds[256, 120:-120]
    part = (row == lines.KINDS.index("hair")).astype(int)
    runs = np.count_nonzero(np.diff(part) > 0)
    assert 3 <= runs <= 5  # a third of twelve borders
    ink = lines.draw(drawn, [], view, STYLE, 0.5, FRONT)
    _, _, stats, _ = cv2.connectedComponentsWithStats((ink > 0.25).astype(np.uint8), connectivity=8)
    longest = np.hypot(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    assert longest.min() >= 0.5 * STYLE.shortest * 0.8


def test_nothing_in_view_is_no_ink():
    view = camera(64)
    drawn = bare(view)
    empty = replace(
        drawn,
        depth=np.full_like(drawn.depth, np.inf),
        part=np.full_like(drawn.part, 255),
        material=np.full_like(drawn.material, 255),
    )
    assert lines.draw(empty, [], view, STYLE, 1.0, FRONT).max() == 0


def test_a_far_surface_gets_its_line_once_on_the_near_side():
    view = camera(128)
    drawn = gbuffer(view, hair=False)
    kinds = lines.edges(drawn, lines.metres_per_pixel(drawn, view))
    chin = kinds[150:, 128]
    assert (chin == lines.KINDS.index("border")).sum() + (chin == lines.KINDS.index("occlusion")).sum() == 1
    assert drawn.part[150:, 128][chin > 0] == 0


def test_specks_are_dropped_and_long_lines_stay():
    mask = np.zeros((60, 120), bool)
    mask[30, 10:110] = True
    mask[5:8, 5:8] = mask[50, 50:56] = True
    mask[31:34, 60] = True  # a spur
    (line,) = lines.trace(mask, 14)
    points, free, end, ring = line
    assert free and end and not ring and len(points) >= 98
    assert set(points[:, 0]) <= {29, 30, 31}


def test_a_ring_is_traced_as_one():
    y, x = np.mgrid[:80, :80] - 40
    (line,) = lines.trace(np.abs(np.hypot(x, y) - 25) < 1.2, 14)
    assert line[3] and len(line[0]) > 120


def curve(z: float, kind: str = "jaw") -> Curve:
    x = np.linspace(-0.05, 0.05, 21)
    points = np.stack([x, np.full(21, 1.48), np.full(21, z)], 1)
    return Curve(kind, points.astype(np.float32), np.ones(21, np.float32))


def test_a_curve_on_the_surface_is_drawn_and_one_behind_it_is_not():
    view = camera(192)
    drawn = bare(view)
    without = lines.draw(drawn, [], view, STYLE, 0.5, FRONT).sum()
    front = np.sqrt(RADIUS**2 - 0.02**2)
    assert lines.draw(drawn, [curve(front - 0.002)], view, STYLE, 0.5, FRONT).sum() > without + 10
    assert lines.draw(drawn, [curve(-front)], view, STYLE, 0.5, FRONT).sum() == without
    assert lines.draw(drawn, [curve(front, "brow")], view, STYLE, 0.5, FRONT).sum() == without


def test_a_curve_along_a_contour_is_not_drawn_twice():
    view = camera(192)
    drawn = bare(view)
    turn = np.linspace(0, 2 * np.pi, 200)
    rim = CENTRE + RADIUS * 0.985 * np.stack([np.cos(turn), np.sin(turn), 0.18 + 0 * turn], 1)
    outline = Curve("jaw", rim.astype(np.float32), np.ones(200, np.float32))
    without = lines.draw(drawn, [], view, STYLE, 0.5, FRONT).sum()
    assert lines.draw(drawn, [outline], view, STYLE, 0.5, FRONT).sum() == pytest.approx(without, rel=0.02)


@pytest.mark.parametrize("length", [1e-5, 0.002, 0.01])
def test_a_curve_of_a_few_pixels_is_no_error(length):
    view = camera(64)
    x = np.linspace(-length, length, 5)
    points = np.stack([x, np.full(5, 1.5), np.full(5, RADIUS)], 1).astype(np.float32)
    ink = lines.draw(bare(view), [Curve("fold", points, np.ones(5, np.float32))], view, STYLE, 0.3, FRONT)
    assert np.isfinite(ink).all()
