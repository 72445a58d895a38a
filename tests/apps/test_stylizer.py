"""Stylizer: the graph's own drawing, its controls, heads at the trained width, and pictures of any size."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import onnxruntime
import pytest

from wbme.apps import heads, tiles
from wbme.apps.heads import Head
from wbme.apps.stylizer import Stylizer
from wbme.base.errors import ModelError, ParameterError
from wbme.perception.faces import detect


def graph(model, rgb, **changes):
    """What the exported graph draws, asked directly."""
    controls = {**json.loads((model / "model.json").read_text())["controls"], **changes}
    feed = {name: np.atleast_1d(np.asarray(value, np.float32)) for name, value in controls.items()}
    session = onnxruntime.InferenceSession(model / "model.onnx")
    return session.run(None, {"image": rgb.transpose(2, 0, 1)[None], **feed})[0][0].transpose(1, 2, 0)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_a_picture_is_what_the_graph_draws(model, astronaut, backend):
    luma = heads.skin_luma(astronaut, [])
    drawn = Stylizer(model, backend, threads=1).picture(astronaut, [])
    want = graph(model, astronaut, phase=6 * luma % 1)
    np.testing.assert_allclose(drawn, want, atol=2e-3)
    assert drawn.dtype == np.float32 and drawn.shape == astronaut.shape


def test_the_skin_lies_on_a_tone(stylizer, astronaut):
    from wbme.perception.faces import detect

    found = detect(astronaut, irises=False)
    luma = heads.skin_luma(astronaut, found)
    flat = np.full((64, 64, 3), luma, np.float32)
    np.testing.assert_allclose(stylizer.draw(flat, [], luma), flat, atol=1e-3)


def test_controls_reach_the_graph(model, astronaut):
    controls = {"levels": 3, "softness": 0, "saturation": 0, "ink_colour": [0.9, 0, 0.2]}
    drawn = Stylizer(model, threads=1, lines=1, controls=controls).picture(astronaut, [])
    phase = 3 * heads.skin_luma(astronaut, []) % 1
    want = graph(model, astronaut, **controls, phase=phase, line_threshold=-1.5)
    assert np.mean(np.abs(drawn - want) > 2e-3) < 1e-3  # a hard step may fall on the other side of rounding


def test_lines_go_from_thin_to_bold(model, astronaut):
    dark = [
        (Stylizer(model, threads=1, lines=lines).picture(astronaut, []) < 0.15).mean() for lines in (-1, 0, 1)
    ]
    assert dark[0] < dark[1] < dark[2]


@pytest.mark.parametrize(
    ("controls", "sentence"),
    [
        ({"blur": 1}, "has no control 'blur'; it has line_threshold"),
        ({"phase": 1.5}, "phase must be a number from -1 to 1, not 1.5"),
        ({"levels": 1}, "levels must be a number from 2 to 64, not 1"),
        ({"levels": "6"}, "levels must be a number"),
        ({"levels": float("nan")}, "levels must be a number"),
        ({"ink_colour": 0.2}, "ink_colour must be three numbers from 0 to 1"),
        ({"ink_colour": [0, 0, 2]}, "ink_colour must be three numbers from 0 to 1"),
    ],
)
def test_a_wrong_control_is_one_sentence(model, controls, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Stylizer(model, controls=controls)


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        (None, "model.json is not a model card (No such file or directory)"),
        ("{", "not a model card (Expecting property name"),
        ("[]", "not a model card (list indices"),
        ({"schema": 2}, "(schema 2 is not 1)"),
        ({"head": "other"}, "(head 'other' is none of layered, plain)"),
        ({"controls": {}}, "are not those of its card"),
        ({"controls": {"sparkle": 1.0}}, "are not those of its card"),
        ({"multiple": "8"}, "(multiple '8' is no int that fits)"),
        ({"face_width": 0}, "(face_width 0 is no int that fits)"),
    ],
)
def test_what_is_no_model_is_one_sentence(model, tmp_path, card, sentence):
    folder = shutil.copytree(model, tmp_path / "model")
    about = json.loads((folder / "model.json").read_text())
    if card is None:
        (folder / "model.json").unlink()
    else:
        text = card if isinstance(card, str) else json.dumps({**about, **card})
        (folder / "model.json").write_text(text)
    with pytest.raises(ModelError, match=re.escape(sentence)) as caught:
        Stylizer(folder)
    assert "\n" not in str(caught.value)


def test_a_face_beside_the_picture_gives_the_luma_of_the_whole(write_model, tmp_path, astronaut):
    stylizer = Stylizer(write_model(tmp_path / "m", base_alone={"levels": 64.0}), threads=1)
    [face] = detect(astronaut, max_faces=1, irises=False)
    moved = np.array([600, 0, 0])
    aside = replace(face, landmarks=face.landmarks + moved, box=face.box + moved[[0, 1, 0, 1]])
    assert stylizer.skin_level(astronaut, [aside]) == pytest.approx(stylizer.skin_level(astronaut, []))


def test_a_plain_model_has_no_controls(write_model, tmp_path, astronaut):
    folder = write_model(tmp_path / "plain", head="plain")
    drawn = Stylizer(folder, threads=1).picture(astronaut, [])
    want = cv2.blur(astronaut, (3, 3))[1:-1, 1:-1]
    np.testing.assert_allclose(drawn[1:-1, 1:-1], want, atol=2e-3)
    with pytest.raises(ParameterError, match="has no control 'line_threshold'; it has none"):
        Stylizer(folder, lines=1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (31, 33), (8, 8)])
def test_every_size_is_kept(stylizer, shape):
    rgb = np.random.default_rng(0).random((*shape, 3), dtype=np.float32)
    drawn = stylizer.picture(rgb)
    assert drawn.shape == rgb.shape and np.isfinite(drawn).all()
    assert drawn.min() >= 0 and drawn.max() <= 1


def test_no_seam_between_tiles(stylizer, astronaut, monkeypatch):
    rgb = np.tile(astronaut, (2, 2, 1))[:700, :700]
    whole = stylizer.picture(rgb, [])
    monkeypatch.setattr("wbme.apps.stylizer.MARGIN", 64)
    monkeypatch.setattr(tiles.run, "__kwdefaults__", {**tiles.run.__kwdefaults__, "core": 256, "whole": 0})
    told = []
    tiled = stylizer.picture(rgb, [], progress=lambda *n: told.append(n))
    assert told[-1] == (9, 9)
    assert np.abs(tiled - whole).max() < 1 / 255


def test_a_small_face_is_drawn_at_the_trained_width(stylizer, astronaut):
    """Inside the head it is the graph on the enlarged head; far from it the graph on the picture."""
    head = Head(222, 110, 48)
    with_head = stylizer.draw(astronaut, [head], 0.7, scale=1)
    without = stylizer.draw(astronaut, [], 0.7)
    rows, columns = heads.window(head, astronaut.shape)
    part = astronaut[rows, columns]
    large = tiles.sharpened(tiles.resized(part, *(2 * side for side in part.shape[:2])), 2)
    alone = tiles.resized(stylizer.draw(large, [], 0.7), *part.shape[:2])
    inside = (slice(90, 130), slice(205, 240))
    near = alone[90 - rows.start : 130 - rows.start, 205 - columns.start : 240 - columns.start]
    np.testing.assert_allclose(with_head[inside], near, atol=2e-3)
    assert np.abs(with_head[inside] - without[inside]).mean() > 0.01
    np.testing.assert_array_equal(with_head[200:], without[200:])


def test_heads_near_the_trained_width_change_nothing(stylizer, astronaut):
    a, b = (stylizer.draw(astronaut, found, 0.7) for found in ([], [Head(222, 110, 91)]))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("widths", "scale"), [([], 1), ([80, 40], 1), ([120], 1), ([480, 40], 0.25), ([48], 1), ([9], 1)]
)
def test_the_largest_face_sets_the_scale_of_the_whole_which_is_never_enlarged(stylizer, widths, scale):
    assert stylizer.scale([Head(0, 0, width) for width in widths]) == pytest.approx(scale)


def test_an_enlarged_step_is_made_steep_again_and_keeps_its_colours_and_place():
    step = np.full((16, 16, 3), (0.2, 0.1, 0.1), np.float32)
    step[:, 8:] += 0.5
    large = tiles.resized(step, 64, 64)
    sharp = tiles.sharpened(large, 4.0)
    steepest = [np.abs(np.diff(p[32, :, 0])).max() for p in (large, sharp)]
    assert steepest[1] > 1.4 * steepest[0]
    np.testing.assert_allclose(sharp - sharp[..., :1], large - large[..., :1], atol=1e-6)
    np.testing.assert_allclose(tiles.resized(sharp, 16, 16), step, atol=0.03)


def test_an_enlarged_drawing_keeps_its_tones_and_the_edge_of_its_ink(model, astronaut):
    """Drawn at a quarter: lines are four times as wide, and go from paper to ink in as many pixels."""
    bold = Stylizer(model, threads=1, lines=1)
    part = np.ascontiguousarray(astronaut[:256, 96:352])
    small = bold.draw(part, [], 0.7)
    enlarged = bold.draw(tiles.resized(part, 1024, 1024), [], 0.7, scale=0.25)
    back = tiles.resized(enlarged, 256, 256)
    assert np.abs(back - small).mean() < 0.02
    between = [
        np.mean((d @ [0.299, 0.587, 0.114] > 0.15) & (d @ [0.299, 0.587, 0.114] < 0.35))
        for d in (tiles.resized(small, 1024, 1024), enlarged)
    ]
    assert between[1] < between[0]


def test_overlapping_heads_are_laid_by_size(stylizer, astronaut):
    found = [Head(222, 110, 60), Head(240, 130, 40)]
    a, b = stylizer.draw(astronaut, found, 0.7), stylizer.draw(astronaut, found[::-1], 0.7)
    np.testing.assert_array_equal(a, b)


def test_the_same_picture_gives_the_same_bytes(stylizer, astronaut):
    a, b = stylizer.picture(astronaut), stylizer.picture(astronaut)
    np.testing.assert_array_equal(a, b)


def test_a_picture_that_is_none_is_refused(stylizer):
    with pytest.raises(ParameterError):
        stylizer.picture(np.zeros((8, 8, 3), np.uint8))


@pytest.mark.slow
def test_memory_is_bounded_at_8k(model):
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from wbme.apps.stylizer import Stylizer\n"
        "rgb = np.zeros((4320, 7680, 3), np.float32); rgb[::64] = 0.5; rgb[:, ::64] = 1\n"
        "s = Stylizer(Path(sys.argv[1]), threads=1)\n"
        # Not getrusage, which begins at what the parent held: beside a large one everything looks small.
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        "before = peak()\n"
        "out = s.picture(rgb, [])\n"
        "print(out.shape, (peak() - before) / 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, model], capture_output=True, text=True, check=True)
    shape, grown = done.stdout.rsplit(")", 1)
    assert shape == "(4320, 7680, 3"
    assert float(grown) < 1400  # MB: the drawing itself is 398


@pytest.mark.parametrize("scale", [0.95, 0.8, 0.7, 0.6, 0.4])
def test_no_veil_of_ink_lies_on_a_picture_that_is_drawn_smaller(model, scale):
    flat = np.full((160, 160, 3), 0.9, np.float32)
    stylizer = Stylizer(model, threads=1, controls={"levels": 64})
    drawn = [stylizer.draw(flat, [], 0.9, scale=at).mean() for at in (1.0, scale)]
    assert abs(drawn[0] - drawn[1]) < 0.01


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [("controls", "levels", "x"), ("controls", "ink_colour", "#000000"), ("base_alone", "lift", None)],
)
def test_a_card_with_a_wrong_control_is_one_sentence(model, tmp_path, part, name, value):
    folder = shutil.copytree(model, tmp_path / "model")
    card = json.loads((folder / "model.json").read_text())
    card[part] = {**card.get(part, {}), name: value}
    (folder / "model.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=rf"model\.json: {part}\.{name} must be"):
        Stylizer(folder)
