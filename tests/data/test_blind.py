"""A blind test's order and sides, and the sitting that loses nothing."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.base.errors import ParameterError, StoreError
from wbme.data import blind, choices


def drawn(pictures, models):
    return {f"p{p}": {m: f"{p * 100 + k:064x}" for k, m in enumerate(models)} for p in range(pictures)}


@given(st.integers(1, 9), st.integers(2, 5), st.integers(0, 99), st.sampled_from(["anna", "ben"]))
def test_every_two_models_meet_once_on_every_picture_and_as_often_on_either_side(
    pictures, count, seed, rater
):
    models = list("abcde"[:count])
    given_ = drawn(pictures, models)
    asked = blind.arrange(given_, models, seed, rater)
    assert asked == blind.arrange(given_, models, seed, rater)
    assert len({one.drawings for one in asked}) == len(asked) == pictures * count * (count - 1) // 2
    assert all(
        one.digests == (given_[one.picture][one.left], given_[one.picture][one.right]) for one in asked
    )
    sides = Counter((one.left, one.right) for one in asked)
    for (left, right), times in sides.items():
        assert abs(times - sides[right, left]) <= 1
    for start in range(0, len(asked), pictures):  # a round shows every picture
        assert len({one.picture for one in asked[start : start + pictures]}) == pictures
    if pictures > 1:
        assert all(one.picture != after.picture for one, after in pairwise(asked))


def test_seed_and_rater_change_order_and_sides():
    given_ = drawn(8, "abc")
    orders = [blind.arrange(given_, list("abc"), *who) for who in ((0, "x"), (1, "x"), (0, "y"))]
    assert len({tuple(order) for order in orders}) == 3
    assert len({frozenset((one.picture, one.left, one.right) for one in order) for order in orders}) == 3


def test_drawings_that_are_the_same_are_not_compared():
    given_ = drawn(2, "abc")
    given_["p0"]["b"] = given_["p0"]["a"]
    asked = blind.arrange(given_, list("abc"), 0)
    assert Counter(one.picture for one in asked) == {"p0": 2, "p1": 3}
    for nothing in ({}, {"p": {"a": "1" * 64, "b": "1" * 64}}):
        with pytest.raises(ParameterError, match="nothing to compare"):
            blind.arrange(nothing, ["a", "b"], 0)


@pytest.fixture
def asked():
    return blind.arrange(drawn(3, "ab"), ["a", "b"], 0, "anna")


def sit(asked, path, before=(), rater="anna"):
    return blind.Sitting(asked, path, rater, "Which?", before)


def test_every_choice_is_in_the_file_at_once_and_goes_with_undo(asked, tmp_path):
    path = tmp_path / "choices.jsonl"
    sitting = sit(asked, path)
    for number, side in enumerate(("left", "none", "right"), 1):
        now = sitting.now
        sitting.choose(side, 1.234)
        rows, _ = choices.read(path)
        assert len(rows) == sitting.done == number
        assert (rows[-1].chosen, rows[-1].seconds, rows[-1].rater) == (side, 1.23, "anna")
        assert (rows[-1].picture, rows[-1].left, rows[-1].right) == (now.picture, *now.digests)
    assert sitting.now is None
    with pytest.raises(ParameterError, match="nothing to choose"):
        sitting.choose("left", 1)
    sitting.undo()
    assert sitting.now == asked[2] and len(choices.read(path)[0]) == 2
    for _ in range(5):
        sitting.undo()
    assert sitting.done == 0 and path.read_text() == ""


def test_a_later_sitting_goes_on_where_the_rater_was(asked, tmp_path):
    first = sit(asked, tmp_path / "1/choices.jsonl")
    first.choose("left", 1)
    before, _ = choices.gather([tmp_path])
    second = sit(asked, tmp_path / "2/choices.jsonl", before)
    assert second.now == asked[1] and second.done == 1
    second.undo()
    assert second.done == 1 and choices.read(first.path)[0] == before
    other = sit(asked, tmp_path / "3/choices.jsonl", before, rater="ben")
    assert other.done == 0 and sit(asked, tmp_path / "4/choices.jsonl", before).total == 3


def test_the_same_file_again_keeps_what_is_in_it(asked, tmp_path):
    path = tmp_path / "choices.jsonl"
    sit(asked, path).choose("left", 1)
    again = sit(asked, path)
    assert again.done == 1
    again.choose("right", 1)
    again.undo()
    again.choose("none", 1)
    assert [one.chosen for one in choices.read(path)[0]] == ["left", "none"]


def test_a_choice_that_cannot_be_kept_is_asked_still(asked, tmp_path):
    (tmp_path / "file").write_text("")
    sitting = sit(asked, tmp_path / "file/choices.jsonl")
    with pytest.raises(StoreError, match="cannot write"):
        sitting.choose("left", 1)
    assert sitting.now == asked[0] and sitting.rows == []
