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
    shape=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    sizes=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=6),
    seed=st.integers(0, 1000),
)
def test_boxes_never_overlap_nor_leave_the_picture(shape, sizes, seed):
    taken = [(0, 0, 5, 5)]
    found = cutface.place(shape, sizes, taken, np.random.default_rng(seed))
    assert len(found) == len(sizes)
    kept = [*taken, *(box for box in found if box)]
    for k, box in enumerate(kept[1:], start=1):
        assert 0 <= box[0] < box[2] <= shape[1] and 0 <= box[1] < box[3] <= shape[0]
        assert all(apart(box, other) for other in kept[:k])
    for box, (high, wide) in zip(found, sizes, strict=True):
        assert box is None or (box[2] - box[0], box[3] - box[1]) == (wide, high)


def test_what_cannot_be_placed_is_left_out_and_said():
    rng = np.random.default_rng(0)
    assert cutface.place((10, 10), [(8, 8), (8, 8), (20, 2)], [], rng)[1:] == [None, None]


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
    first, [own] = cutface.paste(cutface.empty(160, 200), [cutface.cut(layers)], rng)
    canvas, boxes = cutface.paste(first, [cutface.cut(layers)] * 3, rng, least=0.1, most=0.3)
    assert any(boxes) and all(apart(box, own) for box in boxes if box)
    x0, y0, x1, y1 = own
    for name in ("photo", "labels", "ink", "heads"):
        kept, was = (getattr(one, name)[y0:y1, x0:x1] for one in (canvas, first))
        np.testing.assert_array_equal(kept, was)
    assert canvas.heads.max() == 1 + sum(box is not None for box in boxes)
