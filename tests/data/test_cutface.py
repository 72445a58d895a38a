import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered_set import make_set

from wbme.base.errors import ParameterError
from wbme.data import cutface, rendered


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    people, character, _ = make_set(tmp_path_factory.mktemp("set"), views=1, size=64)
    return rendered.layers(people, character, "0001")


def apart(a, b):
    return a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


@given(
    law=st.sampled_from(cutface.LAWS),
    shape=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    sizes=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=6),
    seed=st.integers(0, 1000),
)
def test_boxes_never_overlap_nor_leave_the_picture(law, shape, sizes, seed):
    people = np.zeros(shape, bool)
    people[:5, :5] = True
    found = cutface.place(shape, sizes, np.random.default_rng(seed), law=law, people=people)
    assert len(found) == len(sizes)
    kept = [box for box in found if box]
    for k, box in enumerate(kept):
        assert not people[box[1] : box[3], box[0] : box[2]].any()
        assert 0 <= box[0] < box[2] <= shape[1] and 0 <= box[1] < box[3] <= shape[0]
        assert all(apart(box, other) for other in kept[:k])
    for box, (high, wide) in zip(found, sizes, strict=True):
        assert box is None or (box[2] - box[0], box[3] - box[1]) == (wide, high)


def test_laws_put_heads_where_they_say():
    def middles(law):
        found = [
            cutface.place((400, 400), [(20, 20)] * 3, np.random.default_rng(seed), law=law)
            for seed in range(60)
        ]
        return np.array([[(b[0] + 10, b[1] + 10) for b in boxes] for boxes in found if all(boxes)])

    uniform, centre, row = (middles(law) for law in cutface.LAWS)
    assert (
        np.hypot(*(centre - 200).reshape(-1, 2).T).mean()
        < 0.7 * np.hypot(*(uniform - 200).reshape(-1, 2).T).mean()
    )
    assert np.ptp(row[..., 1], axis=1).mean() < 50 < np.ptp(uniform[..., 1], axis=1).mean()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"share": 1.5}, "share of 1.5"),
        ({"least": 4, "most": 2}, "4 to 2 heads"),
        ({"sizes": (0.5, 0.2)}, "do not rise"),
        ({"sizes": (0.5,)}, "do not rise"),
        ({"law": "normal"}, "'normal' is no law"),
        ({"onto": ("sea",)}, "sea"),
        ({"onto": ()}, "onto"),
        ({"blend": -1}, "blend of -1"),
    ],
)
def test_impossible_settings_are_named(wrong, said):
    with pytest.raises(ParameterError, match=said):
        cutface.CutFace(**wrong)


def test_what_cannot_be_placed_is_left_out_and_said():
    rng = np.random.default_rng(0)
    assert cutface.place((10, 10), [(8, 8), (8, 8), (20, 2)], rng)[1:] == [None, None]


def test_the_cut_head_is_head_alone(layers):
    head = cutface.cut(layers, margin=0.1)
    assert set(np.unique(head.labels)) == {0, 1, 4, 5, 12, 14, 17}
    assert (head.photo[..., 3][head.labels == 0] == 0).all() and head.photo[..., 3].max() == 1
    assert (head.ink[head.labels == 0] == 0).all()
    x0, y0 = (layers.boxes - head.boxes)[0, :2]
    np.testing.assert_allclose(layers.points - head.points, np.broadcast_to([x0, y0], (1, 468, 2)))


def test_no_head_cannot_be_cut():
    with pytest.raises(ParameterError, match="no head"):
        cutface.cut(cutface.empty(8, 8))


def test_no_heads_leave_the_canvas_as_it_is(layers):
    canvas, boxes = cutface.paste(layers, [], np.random.default_rng(0))
    assert canvas is layers and boxes == []


@settings(max_examples=25)
@given(count=st.integers(1, 4), seed=st.integers(0, 1000))
def test_photograph_drawing_labels_and_landmarks_are_pasted_at_the_same_places(layers, count, seed):
    canvas, boxes = cutface.paste(
        cutface.empty(80, 96), [cutface.cut(layers)] * count, np.random.default_rng(seed), least=0.3, most=0.6
    )
    kept = [box for box in boxes if box]
    assert len(canvas.points) == len(canvas.boxes) == len(kept)
    inside = np.zeros(canvas.labels.shape, bool)
    for number, (x0, y0, x1, y1) in enumerate(kept, start=1):
        inside[y0:y1, x0:x1] = True
        own = canvas.heads == number
        assert own.any() and own[y0:y1, x0:x1].sum() == own.sum()
        bx0, by0, bx1, by1 = canvas.boxes[number - 1]
        assert x0 - 1 <= bx0 < bx1 <= x1 + 1 and y0 - 1 <= by0 < by1 <= y1 + 1
        y, x = np.nonzero(own)
        assert abs(x.min() - bx0) <= 2 and abs(y.max() + 1 - by1) <= 2
    for plane in (
        canvas.photo[..., 3],
        canvas.palette[..., 3],
        canvas.oracle[..., 3],
        canvas.ink,
        canvas.shading,
    ):
        assert (plane[~inside] == 0).all()
    np.testing.assert_array_equal(canvas.labels > 0, canvas.heads > 0)
    np.testing.assert_array_equal(canvas.photo[..., 3], canvas.palette[..., 3])


def test_heads_pasted_beside_a_person_spare_it(layers):
    rng = np.random.default_rng(1)
    first, _ = cutface.paste(cutface.empty(160, 200), [cutface.cut(layers)], rng)
    canvas, boxes = cutface.paste(first, [cutface.cut(layers)] * 3, rng, least=0.1, most=0.3)
    assert any(boxes)
    own = first.heads > 0
    for x0, y0, x1, y1 in filter(None, boxes):
        assert not own[y0:y1, x0:x1].any()
    for name in ("photo", "labels", "ink", "heads"):
        np.testing.assert_array_equal(getattr(canvas, name)[own], getattr(first, name)[own])
    assert canvas.heads.max() == 1 + sum(box is not None for box in boxes)
