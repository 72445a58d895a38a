"""Who a drawing shows: alignment, the rank of the right person, and a network that the user brings."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from wbme.base.errors import ModelError
from wbme.geometry.landmarks import LEFT_EYE, NOSE_TIP, RIGHT_EYE
from wbme.metrics import identity, perceptual
from wbme.metrics.identity import Gallery, Recogniser
from wbme.nets.mobilenet import MobileNetV2


def mesh(places, scale=1.0, turn=0.0, shift=(0.0, 0.0)):
    """A mesh of which only the five points count, moved by a similarity."""
    points = np.zeros((468, 2))
    points[list(RIGHT_EYE)], points[list(LEFT_EYE)] = places[0], places[1]
    points[NOSE_TIP], points[61], points[291] = places[2:]
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    return points @ np.array([[c, s], [-s, c]]) + shift


def test_a_turned_face_is_brought_upright_to_the_places_of_arcface():
    places = np.array(identity._PLACES)
    rgb = np.zeros((300, 300, 3), np.float32)
    points = mesh(places, scale=2.0, turn=0.3, shift=(60, 20))
    for place in points[[33, 61, 291]]:
        x, y = np.rint(place).astype(int)
        rgb[y - 2 : y + 3, x - 2 : x + 3] = 1
    crop = identity.aligned(rgb, points)
    assert crop.shape == (112, 112, 3)
    for x, y in places[[0, 3, 4]]:
        assert crop[round(y), round(x)].min() > 0.7
    assert crop.mean() < 0.01


def unit(*values):
    return np.array(values, np.float32) / np.linalg.norm(values)


def test_the_nearest_photograph_of_another_view_decides():
    known = Gallery()
    for owner, view, descriptor in (
        ("a", "1", (1, 0)),
        ("a", "2", (2, 1)),
        ("b", "3", (0, 1)),
        ("b", "4", (1, 2)),
    ):
        known.add(unit(*descriptor), owner, view)
    assert known.rank_one(unit(1, 0.1), "a", "1") == (1, 1 / 3)  # of the photographs 2, 3 and 4 one is a's
    assert known.rank_one(unit(0, 1), "a", "1") == (0, 1 / 3)
    assert known.rank_one(unit(0, 1), "b", "5") == (1, 2 / 4)


def test_without_another_view_or_anybody_else_nothing_is_told():
    known = Gallery()
    known.add(unit(1, 0), "a", "1")
    assert np.isnan(known.rank_one(unit(1, 0), "a", "1")).all()
    assert np.isnan(known.rank_one(unit(1, 0), "a", "2")).all()
    known.add(unit(0, 1), "b", "3")
    assert (
        np.isnan(known.rank_one(unit(1, 0), "a", "1")).all() and known.rank_one(unit(1, 0), "a", "2")[0] == 1
    )


def test_blind_descriptors_hit_as_often_as_chance_says():
    rng = np.random.default_rng(0)
    hits, chances = [], []
    for _ in range(300):
        known = Gallery()
        for k in range(12):
            known.add(unit(*rng.normal(size=5)), "abc"[k % 5 % 3], str(k))
        hit, chance = known.rank_one(unit(*rng.normal(size=5)), "a", "0")
        hits.append(hit)
        chances.append(chance)
    assert np.mean(hits) == pytest.approx(np.mean(chances), abs=0.08)


def test_the_cosine_of_features_is_the_feature_distance_of_the_same_stages():
    torch.manual_seed(0)
    network = MobileNetV2().eval()
    one, two = np.random.default_rng(2).random((2, 112, 112, 3), np.float32)
    found = [identity.by_features(network, crop) for crop in (one, two)]
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    with torch.inference_mode():
        stages = [network.stages(torch.from_numpy(x).permute(2, 0, 1)[None])[2:] for x in (one, two)]
        apart = perceptual._apart(*stages).item()
    assert 2 - 2 * found[0] @ found[1] == pytest.approx(apart, abs=1e-5)


def network(path, size=112, outputs=2):
    """An "ArcFace": the mean of red and of blue, as it takes its pictures."""
    picks = np.zeros((outputs, 3, 1, 1), np.float32)
    picks[0, 0], picks[-1, 2] = 1, 1
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Conv", ["mean", "picks"], ["found"]),
        helper.make_node("Flatten", ["found"], ["embedding"]),
    ]
    given = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, size, size])
    made = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", outputs])
    graph = helper.make_graph(nodes, "small", [given], [made], [numpy_helper.from_array(picks, "picks")])
    onnx.save(helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def test_a_network_of_the_user_gets_rgb_from_minus_one_to_one(tmp_path):
    own = Recogniser(network(tmp_path / "arc.onnx"))
    crop = np.zeros((112, 112, 3), np.float32)
    crop[..., 0], crop[..., 2] = 1.0, 0.75  # 1 and 0.5
    np.testing.assert_allclose(own(crop), unit(1, 0.5), atol=1e-6)


def test_another_network_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ModelError, match="of an ArcFace"):
        Recogniser(network(tmp_path / "large.onnx", size=224))
    (tmp_path / "torn.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError):
        Recogniser(tmp_path / "torn.onnx")
