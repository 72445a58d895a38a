"""Hair in a drawing: the ring of light lies around the crown, across the flow; shadow on the far side."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_sphere import CENTRE, camera, gbuffer, model

from wbme.geometry.parsing import INDEX
from wbme.people import tresses
from wbme.people.camera import face_width
from wbme.people.sheet import load

SHEET = load("romance")
LIGHT = np.array([0.0, 0.3, 0.95], np.float32)


def haired(view):
    """The head with 24 locks of hair that run down from its top."""
    drawn = gbuffer(view)
    hair = drawn.label == INDEX["hair"]
    off = drawn.position - CENTRE
    turn = (np.arctan2(off[..., 0], off[..., 2]) / (2 * np.pi) + 0.5) * 24
    clump = np.where(hair, 8 * (1 + np.floor(turn)), 0).astype(np.int16)
    high = np.clip(1 - (off[..., 1] - 0.05) / 0.05, 0, 1)
    uv = np.stack([turn % 1, high], -1).astype(np.float32)
    out = off / np.maximum(np.linalg.norm(off, axis=2, keepdims=True), 1e-6)
    down = np.array([0, -1.0, 0]) + out * out[..., 1:2]
    down /= np.maximum(np.linalg.norm(down, axis=2, keepdims=True), 1e-6)
    return replace(drawn, clump=clump, uv=uv, tangent=(down * hair[..., None]).astype(np.float32))


def filled(view, drawn, sheet=SHEET, light=LIGHT):
    person = model()
    return tresses.fill(
        person, drawn, sheet, light, face_width(view.project(person.landmarks)[:, :2]), view.size
    )


def test_cover_is_the_hair_and_tones_stay_in_it():
    view = camera(128)
    drawn = haired(view)
    region = filled(view, drawn)
    share = (drawn.label == INDEX["hair"]).reshape(128, 2, 128, 2).mean((1, 3))
    np.testing.assert_allclose(region.cover, share, atol=1e-5)
    for mask, _ in region.layers:
        assert mask.shape == (128, 128) and mask.min() >= 0 and mask.max() <= 1
        assert mask[region.cover == 0].max() < 0.6  # at most a soft edge beyond


def test_the_ring_goes_across_the_locks_and_is_broken_by_them():
    view = camera(192)
    one = SHEET.model_copy(update={"hair": SHEET.hair.model_copy(update={"bands": 1})})
    _, _, (light, _) = filled(view, haired(view), one).layers
    columns = np.flatnonzero((light > 0.5).any(0))
    assert np.ptp(columns) > 30  # over half of the head, 53 pixels in radius
    rows = [np.flatnonzero(light[:, c] > 0.5) for c in columns]
    tall = np.array([len(r) for r in rows])
    assert np.median([r.mean() for r in rows]) < 80  # near the crown
    assert tall.max() < 24 and tall.std() > 1.5  # a band, with points along the locks
    none = SHEET.model_copy(update={"hair": SHEET.hair.model_copy(update={"bands": 0})})
    assert filled(view, haired(view), none).layers[2][0].max() == 0


def test_shadow_lies_away_from_the_light():
    view = camera(128)
    shares = []
    for x in (-0.9, 0.9):
        light = np.array([x, 0.2, 0.4], np.float32)
        shadow = filled(view, haired(view), light=light / np.linalg.norm(light)).layers[0][0]
        shares.append(shadow[:, 64:].sum() / shadow.sum())
    assert shares[0] > 0.6 and shares[1] < 0.4


def test_black_hair_keeps_room_for_its_shadow():
    view = camera(64)
    drawn = replace(haired(view), albedo=np.full((128, 128, 3), 0.02, np.float32))
    light = replace(drawn, albedo=np.full((128, 128, 3), 0.9, np.float32))
    black, white = filled(view, drawn).base, filled(view, light).base
    assert 0.1 < black.max() < 0.2 and white.min() > 0.85


@pytest.mark.parametrize("size", [64, 128])
def test_no_hair_is_no_region_to_paint(size):
    view = camera(size)
    region = filled(view, gbuffer(view, hair=False))
    assert region.cover.max() == 0 and not region.layers
