"""A character's proportions on a body's pose, and the picture that follows it."""

import numpy as np
import pytest
from full_figure import scene
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.geometry import fields
from wbme.people.sheet import Deformation
from wbme.perception import pose
from wbme.synth import deformation, limbs
from wbme.synth.figure import Figure, Placement, trunk_length
from wbme.synth.limbs import Person

SLENDER, CHIBI = deformation.of("slender"), deformation.of("chibi")
DOWN = np.pi / 2  # angles run clockwise on the screen from its x axis
RIGHT, BELOW = np.array([2.0, 0.0]), np.array([0.0, 3.0])
REST = {"arms": (DOWN, DOWN, DOWN, DOWN), "legs": (DOWN, DOWN, DOWN, DOWN)}


def body(x=200.0, ground=380.0, trunk=60.0, arms=REST["arms"], legs=REST["legs"], lean=0.0, tilt=0.0):
    """The 33 points of a figure that stands at x with its soles at ``ground``; angles of the upper and lower
    left, then right limbs."""
    points = np.ones((33, 4))

    def along(start, angle, length):
        return start + length * trunk * np.array([np.cos(angle), np.sin(angle)])

    hip = np.array([x, 0.0])
    chest = along(hip, lean - DOWN, 1.0)
    across = np.array([np.cos(lean), np.sin(lean)])
    for k, sign in ((0, 1), (1, -1)):  # the person's left is on the right
        shoulder, side = chest + sign * 0.36 * trunk * across, hip + sign * 0.2 * trunk * across
        elbow = along(shoulder, arms[2 * k], 0.58)
        wrist = along(elbow, arms[2 * k + 1], 0.5)
        hand = along(wrist, arms[2 * k + 1], 0.18)
        knee = along(side, legs[2 * k], 0.88)
        ankle = along(knee, legs[2 * k + 1], 0.85)
        sole = along(ankle, DOWN, 0.12)
        for index, place in (
            (11, shoulder), (13, elbow), (15, wrist), (17, hand - RIGHT), (19, hand + BELOW),
            (21, hand + RIGHT), (23, side), (25, knee), (27, ankle),
            (29, sole), (31, sole + 2 * sign * RIGHT),
        ):  # fmt: skip
            points[index + k, :2] = place
    head = along(chest, lean + tilt - DOWN, 0.52)
    cos, sin = np.cos(lean + tilt), np.sin(lean + tilt)
    face = [
        (0, 4),
        (3, -5),
        (6, -5),
        (9, -5),
        (-3, -5),
        (-6, -5),
        (-9, -5),
        (15, 0),
        (-15, 0),
        (5, 10),
        (-5, 10),
    ]
    points[:11, :2] = head + trunk / 100 * np.array(face) @ np.array([[cos, sin], [-sin, cos]])
    points[:, 1] += ground - points[29:33, 1].max()
    return points


def person(points, shape=(400, 400)):
    return Person(points, limbs.presence(points, shape))


@pytest.fixture(scope="module")
def standing():
    picture = scene(0)
    (found,) = pose.detect(picture)
    assert (limbs.presence(found.points, picture.shape) > 0.9).all()
    return picture, found.points


def measures(points):
    """Height of the hips over the soles, and the trunk."""
    return points[29:33, 1].max() - points[[23, 24], 1].mean(), trunk_length(points)


@pytest.mark.slow
@pytest.mark.parametrize("form", [SLENDER, CHIBI])
def test_legs_take_the_characters_share_of_the_height(standing, form):
    picture, points = standing
    after, flows = limbs.reshaped(picture, [person(points, picture.shape)], form, 1.0)
    assert len(flows) == 1 and not fields.folds(flows[0].field[None]).any()
    told = np.column_stack([flows[0].points(points[:, :2]), points[:, 2:]])
    (leg, trunk), (new_leg, new_trunk) = measures(points), measures(told)
    n = Placement(Figure(points), form, standing=True).n
    assert new_leg / leg == pytest.approx(n * form.legs, rel=0.07)
    assert new_trunk / trunk == pytest.approx(n * form.torso, rel=0.05)
    # The network that finds poses has people's proportions in mind, and sees the character's all the same.
    (seen,) = pose.detect(after)
    seen_leg, seen_trunk = measures(seen.points)
    change = np.log((seen_leg / seen_trunk) / (leg / trunk)) / np.log(form.legs / form.torso)
    assert 0.25 < change < 2
    main = [11, 12, 13, 14, 25, 26, 29, 30]
    assert np.median(np.linalg.norm((told - seen.points)[main, :2], axis=1)) < 8
    # On the ground where they stood.
    for place in (told, seen.points):
        assert place[29:33, 1].max() == pytest.approx(points[29:33, 1].max(), abs=6)
        np.testing.assert_allclose(place[29:33, 0], points[29:33, 0], atol=7.5)


@pytest.mark.slow
def test_strength_is_a_control(standing):
    picture, points = standing
    someone = [person(points, picture.shape)]
    same, flows = limbs.reshaped(picture, someone, SLENDER, 0.0)
    assert same is picture and flows == []
    hips = [
        limbs.reshaped(picture, someone, SLENDER, s)[1][0].points(points[[23, 24], :2])[:, 1].mean()
        for s in (0.25, 0.5, 1.0)
    ]
    rise = points[[23, 24], 1].mean() - np.array(hips)
    np.testing.assert_allclose(rise / rise[-1], [0.25, 0.5, 1], atol=0.04)


@pytest.mark.slow
def test_what_is_far_stays_to_the_bit(standing):
    picture, points = standing
    wide = np.concatenate([picture[:, :1].repeat(300, 1), picture, picture[:, -1:].repeat(300, 1)], 1)
    there = points + np.array([300, 0, 0, 0])
    after, _ = limbs.reshaped(wide, [person(there, wide.shape)], CHIBI, 1.0)
    low, high = there[:, 0].min(), there[:, 0].max()
    reach = 2.2 * trunk_length(points)
    columns = np.arange(wide.shape[1])
    far = (columns < low - reach) | (columns > high + reach)
    assert far.sum() > 200 and (after[:, far] == wide[:, far]).all()
    assert (after != wide).any()


def test_a_portrait_is_left_alone(astronaut):
    (found,) = pose.detect(astronaut)
    someone = person(found.points, astronaut.shape)
    assert someone.weight < 1e-3
    assert limbs.reshaped(astronaut, [someone], CHIBI, 1.0)[0] is astronaut


@pytest.fixture(scope="module")
def astronaut():
    import skimage.data

    return (skimage.data.astronaut() / 255).astype(np.float32)


def test_a_standing_figure_keeps_its_height_and_its_ground():
    points = body()
    before = Figure(points)
    for form in (SLENDER, CHIBI, Deformation(legs=0.7, head=1.3)):
        there = Placement(before, form, standing=True)
        crown = there.chin + there.n * form.head * (before.crown - before.chin)
        assert crown[1] == pytest.approx(before.crown[1], abs=1e-6)
        hips = before.ground[1] - there.hip[1]
        assert hips == pytest.approx(there.n * form.legs * before.leg)
        wide = np.ptp(there.on_trunk(points[[11, 12], :2])[:, 0])
        assert wide == pytest.approx(there.n * form.shoulders * np.ptp(points[[11, 12], 0]))
    np.testing.assert_allclose(*limbs.moved(person(points), Deformation(), (400, 400)), atol=1e-6)


def test_a_head_at_the_border_grows_into_the_picture():
    rgb = np.zeros((400, 400, 3), np.float32)
    for x, sign in ((22.0, 1), (377.0, -1)):
        points = body(x=x, arms=(DOWN + 0.1, DOWN, DOWN - 0.1, DOWN))
        points[:, 3] = 1
        someone = Person(points, np.ones(6))
        flow = limbs.reshaped(rgb, [someone], CHIBI, 1.0)[1][0]
        ears, soles = flow.points(points[[7, 8], :2])[:, 0], flow.points(points[29:33, :2])
        assert ears.min() > -1 and ears.max() < 400
        assert sign * (ears.mean() - x) > 5
        np.testing.assert_allclose(soles[:, 0], points[29:33, 0], atol=4)


def test_half_a_figure_keeps_its_hips():
    points = body(ground=470)  # from the knees on outside
    someone = person(points)
    assert someone.seen[0] < 0.01 and someone.weight > 0.9
    flow = limbs.reshaped(np.zeros((400, 400, 3), np.float32), [someone], CHIBI, 1.0)[1][0]
    after = flow.points(points[:, :2])
    assert np.abs(after[[23, 24]] - points[[23, 24], :2]).max() < 0.12 * trunk_length(points)
    assert after[[11, 12], 1].mean() > points[[11, 12], 1].mean() + 10  # a shorter trunk
    assert np.ptp(after[[7, 8], 0]) > 1.6 * np.ptp(points[[7, 8], 0])  # a larger head


def test_who_sits_stays_on_the_chair():
    points = body(legs=(0.3, DOWN, np.pi - 0.3, DOWN))
    assert person(points).seen[0] < 0.05 < person(points).seen[1]


def test_a_hand_at_the_chin_goes_with_the_chin():
    points = body(arms=(DOWN - 0.3, -DOWN - 0.75, DOWN, DOWN))
    mouth = points[[9, 10], :2].mean(0)
    points[[15, 17, 19, 21], :2] += mouth + 4 * RIGHT + 3 * BELOW - points[19, :2]
    flow = limbs.reshaped(np.zeros((400, 400, 3), np.float32), [person(points)], CHIBI, 0.8)[1][0]
    chin, hand = flow.points(np.array([mouth + 3 * BELOW, points[19, :2]]))
    assert np.linalg.norm(hand - chin) < 35


angle = st.floats(-1.0, 1.0)


@settings(max_examples=25)
@given(
    arms=st.tuples(*[st.floats(-np.pi, np.pi)] * 4), legs=st.tuples(*[angle] * 4), lean=st.floats(-0.3, 0.3),
    tilt=st.floats(-0.4, 0.4), slender=st.booleans(), strength=st.floats(0.1, 1.0), x=st.floats(60, 340),
)  # fmt: skip
def test_nothing_folds_and_what_is_seen_stays_finite(arms, legs, lean, tilt, slender, strength, x):
    points = body(x=x, arms=arms, legs=tuple(DOWN + 0.6 * turn for turn in legs), lean=lean, tilt=tilt)
    rgb = np.random.default_rng(0).random((400, 400, 3)).astype(np.float32)
    form = SLENDER if slender else CHIBI
    out, flows = limbs.reshaped(rgb, [person(points)], form, strength)
    assert np.isfinite(out).all() and out.min() >= 0 and out.max() <= 1
    for flow in flows:
        assert not fields.folds(flow.field[None]).any()


def test_two_side_by_side_are_both_reshaped_and_neither_tears():
    one, two = body(x=150), body(x=250)
    rgb = np.random.default_rng(0).random((400, 400, 3)).astype(np.float32)
    people = [person(one), person(two)]
    for form in (SLENDER, CHIBI):
        _, flows = limbs.reshaped(rgb, people, form, 1.0)
        assert len(flows) == 2 and not any(fields.folds(flow.field[None]).any() for flow in flows)
        after = [flows[1].points(flows[0].points(points[:, :2])) for points in (one, two)]
        for points, there in zip((one, two), after, strict=True):
            leg, new_leg = (p[29:33, 1].max() - p[[23, 24], 1].mean() for p in (points, there))
            assert new_leg / leg == pytest.approx(1.13 if form is SLENDER else 0.6, rel=0.06)
        heads = [there[:11].mean(0)[0] for there in after]
        assert heads[1] - heads[0] == pytest.approx(100, abs=12)


def test_what_is_no_body_changes_nothing():
    rgb = np.random.default_rng(0).random((200, 300, 3)).astype(np.float32)
    lost = np.full((33, 4), np.nan)
    away = body(x=2200)
    tiny = body(x=50, ground=100, trunk=4)
    point = np.ones((33, 4))
    for points in (lost, away, tiny, point):
        out, flows = limbs.reshaped(rgb, [person(points, rgb.shape)], CHIBI, 1.0)
        assert out is rgb and flows == []
    assert limbs.reshaped(rgb, [], CHIBI, 1.0)[0] is rgb


def test_large_pictures_are_carried_as_small_ones_are():
    points = body()
    small = limbs.reshaped(np.zeros((400, 400, 3), np.float32), [person(points)], SLENDER, 1.0)[1][0]
    large_points = points * [4, 4, 4, 1]
    large = limbs.reshaped(
        np.zeros((1600, 1600, 3), np.float32), [person(large_points, (1600, 1600))], SLENDER, 1.0
    )[1][0]
    main = [0, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    np.testing.assert_allclose(
        large.points(large_points[main, :2]) / 4, small.points(points[main, :2]), atol=1.0
    )
