"""Postures and expressions by chance: within what a body can do, varied, and read from the posed joints."""

import numpy as np
import pytest

from wbme.people import body, expression, poses, rig


def test_the_tables_are_whole():
    assert sum(share for share, _ in poses.tables()["expressions"].values()) == pytest.approx(1)
    for column in (0, 1):
        assert sum(row["often"][column] for row in poses.STANCES.values()) == pytest.approx(1)
    for row in poses.STANCES.values():
        assert set(row.get("arms", ())) <= set(poses.ARMS)
    assert {arm.fingers for arm in poses.ARMS.values()} <= set(rig.FINGERS)


def test_figures_vary_and_portraits_mostly_hold_still():
    figures = [poses.sample(np.random.default_rng(k), full=True) for k in range(300)]
    assert len({pose.stance for pose in figures}) >= 12 and len({pose.name for pose in figures}) >= 10
    portraits = [poses.sample(np.random.default_rng(k)) for k in range(300)]
    assert 0.5 < np.mean([pose.stance == "relaxed" for pose in portraits]) < 0.8
    assert not any(pose.stance in ("walking", "sitting") for pose in portraits)
    tilt = [sum(pose.rotations[bone][2] for bone in poses.NECK) for pose in portraits]
    assert 3 < np.std(tilt) < 12
    assert all(abs(pose.gaze[0]) <= 20 and abs(pose.gaze[1]) <= 7 for pose in figures)


def test_most_faces_are_lively_and_lopsided_ones_go_both_ways():
    names = [expression.choose(np.random.default_rng(k)) for k in range(400)]
    assert np.mean([name in ("soft smile", "grin", "joy", "laugh") for name in names]) > 0.4
    shut = {
        side
        for k in range(20)
        for side in ("Left", "Right")
        if expression.sample(np.random.default_rng(k), "wink").get(f"eyeBlink{side}") == 1
    }
    assert shut == {"Left", "Right"}


@pytest.mark.slow
def test_stances_put_hands_and_feet_where_they_belong():
    mean = body.build(body.BodySpec())

    def joints(stance: str) -> dict[str, np.ndarray]:
        return mean.pose(poses.sample(np.random.default_rng(4), full=True, stance=stance)).model.joints

    def lengths(found: dict[str, np.ndarray]) -> list[float]:
        return [float(np.linalg.norm(found[f"finger3-3.{s}"] - found[f"wrist.{s}"])) for s in "LR"]

    waving = joints("waving")
    assert max(waving[f"wrist.{s}"][1] for s in "LR") > waving["neck01"][1]
    thinking = joints("thinking")
    hand = min(np.linalg.norm(thinking[f"finger3-2.{s}"] - thinking["head"]) for s in "LR")
    assert hand < 0.2
    folded = joints("folded")
    assert folded["wrist.L"][0] < 0.05 and folded["wrist.R"][0] > -0.05  # each beyond the middle
    assert min(folded[f"wrist.{s}"][2] for s in "LR") > 0.1
    walking = joints("walking")
    assert abs(walking["foot.L"][2] - walking["foot.R"][2]) > 0.25
    sitting = joints("sitting")
    assert all(abs(sitting[f"lowerleg01.{s}"][1] - sitting[f"upperleg01.{s}"][1]) < 0.15 for s in "LR")
    assert all(sitting[f"lowerleg01.{s}"][2] > 0.25 for s in "LR")
    assert min(lengths(joints("relaxed"))) < 0.95 * max(lengths(waving))  # fingers at ease are curled
