"""What networks find in a drawing, on a photograph whose face they know."""

from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data

from wbme.nets.mobilenet import MobileNetV2
from wbme.perception.faces import detect
from wbme.perception.parsing import Parser
from wbme.views.looks import Looks, alone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seen():
    """The astronaut as a pair: a row, and what is "known" of it by the networks themselves."""
    astronaut = (skimage.data.astronaut() / 255).astype(np.float32)
    rgb = np.ascontiguousarray(astronaut[:300, 100:400])
    [face] = detect(rgb, irises=False)
    labels = Parser.open()(rgb, [face])
    row = {"identity": "a", "lineage": {"views": ["1"], "cutface": []}}
    return row, {"src": rgb, "labels": labels, "points": face.landmarks[None, :, :2].astype(np.float32)}


@pytest.fixture(scope="module")
def looks():
    return Looks(MobileNetV2().eval(), Parser.open())


def test_the_photograph_itself_has_its_face_its_head_and_no_ghost(looks, seen):
    row, found = seen
    told = looks(row, found, found["src"])
    assert told["readable"] == 1 and told["landmarks"] < 2 and told["head_iou"] > 0.95 and told["ghosts"] == 0
    assert np.isnan(told["who"]), "no gallery yet"


def test_a_face_in_the_background_is_a_ghost_and_a_blank_drawing_has_no_face(looks, seen):
    row, found = seen
    ghostly = np.concatenate([found["src"], found["src"][:, ::-1]], axis=1)
    wide = {**found, "labels": np.pad(found["labels"], ((0, 0), (0, 300)))}
    told = looks(row, wide, np.ascontiguousarray(ghostly))
    assert told["ghosts"] == 1 and told["readable"] == 1
    blank = looks(row, found, np.full_like(found["src"], 0.6))
    assert blank["readable"] == 0 and np.isnan(blank["landmarks"]) and blank["ghosts"] == 0


def test_the_right_person_is_the_nearest_photograph_of_another_view(seen):
    row, found = seen
    rng = np.random.default_rng(0)
    noisy = np.clip(found["src"] + rng.normal(0, 0.02, found["src"].shape), 0, 1).astype(np.float32)
    other = np.clip(1 - found["src"], 0, 1)
    kept = {"2": noisy, "3": other, "4": np.roll(other, 40, 2)}
    rows = [
        {"identity": who, "lineage": {"views": [view], "cutface": cut}, "src": kept[view]}
        for who, view, cut in (("a", "2", []), ("b", "3", []), ("a", "4", [1]))
    ]
    made = SimpleNamespace(load=lambda row, _: {"src": row["src"], "points": found["points"]})
    looks = Looks(MobileNetV2().eval(), Parser.open())
    looks.remember(made, rows)  # the pasted one is not learnt
    told = looks(row, found, found["src"])
    assert (told["who"], told["chance"]) == (1, 0.5) and "cosine" not in told
    assert not alone({"lineage": {}}) and not alone(rows[2]) and alone(rows[0])
