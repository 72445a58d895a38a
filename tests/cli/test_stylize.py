"""``wbme stylize``: what a user tries first, and what they may do wrong."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from wbme.base.errors import ParameterError, WbmeError
from wbme.cli import application
from wbme.cli.stylize import PICTURES, colour, described, found, planned
from wbme.media import images, video

ROOT = Path(__file__).parents[2]


def _tiny():
    path = ROOT / "tests" / "apps" / "conftest.py"
    spec = importlib.util.spec_from_file_location("apps_models", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module._write


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return _tiny()(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def photos(tmp_path):
    """A folder with two pictures, one of them deeper and transparent, a clip, a text and a damaged file."""
    folder = tmp_path / "photos"
    rng = np.random.default_rng(0)
    images.write(folder / "a.jpg", rng.random((40, 56, 3)))
    images.write(folder / "deep" / "b.png", rng.random((32, 32, 3)), np.ones((32, 32)) / 2)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    (folder / "notes.txt").write_text("not a picture")
    with video.Writer(folder / "clip.mov", fps=10) as writer:
        for k in range(3):
            writer.write(np.full((32, 48, 3), 60 * k, np.uint8))
    return folder


def stylize(*words):
    return CliRunner().invoke(application(), ["stylize", *map(str, words)])


def test_a_picture(model, photos, tmp_path):
    done = stylize(photos / "a.jpg", "-o", tmp_path / "toon.png", "--model", model)
    assert done.exit_code == 0
    head, line = done.stdout.splitlines()
    assert head == "model tiny (by hand, 1,200 steps, 3,400 views), on openvino"
    assert line.startswith("a.jpg: 56 x 40, ") and "no face found" in line
    assert line.endswith(f"-> {tmp_path / 'toon.png'}")
    assert images.read(tmp_path / "toon.png").rgb.shape == (40, 56, 3)


def test_a_folder_keeps_its_names_and_goes_on_past_a_damaged_file(model, photos, tmp_path):
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    done = stylize(photos, "-o", tmp_path / "toon", "--model", model)
    assert done.exit_code == 1
    made = sorted(path.relative_to(tmp_path / "toon").as_posix() for path in (tmp_path / "toon").rglob("*.*"))
    assert made == ["a.jpg", "clip.mov", "deep/b.png"]
    first, last = done.stderr.splitlines()
    assert first.startswith(f"wbme: {photos / 'broken.png'} ")
    assert last == "wbme: 1 of 4 could not be drawn"
    np.testing.assert_allclose(images.read(tmp_path / "toon" / "deep" / "b.png").alpha, 0.5, atol=0.01)
    assert "3 frames" in done.stdout
    assert {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()} == before


def test_skip_existing_draws_what_is_missing(model, photos, tmp_path):
    (photos / "broken.png").unlink()
    (tmp_path / "toon").mkdir()
    (tmp_path / "toon" / "a.jpg").write_bytes(b"mine")
    done = stylize(photos, "-o", tmp_path / "toon", "--model", model, "--skip-existing")
    assert done.exit_code == 0
    assert done.stdout.startswith("1 of 3 are there already\n")
    assert (tmp_path / "toon" / "a.jpg").read_bytes() == b"mine"
    assert (tmp_path / "toon" / "clip.mov").exists()
    assert stylize(photos, "-o", tmp_path / "toon", "--model", "nowhere", "--skip-existing").exit_code == 0


def test_quiet_says_nothing(model, photos, tmp_path):
    done = stylize(photos / "a.jpg", "-o", tmp_path / "toon.png", "--model", model, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_options_change_the_drawing(model, photos, tmp_path):
    results = set()
    for words in (
        [],
        ["--lines", 1],
        ["--tones", 3],
        ["--ink", "#ff0000", "--lines", 1],
        ["--softness", 1],
        ["--saturation", 0],
    ):
        done = stylize(photos / "a.jpg", "-o", tmp_path / "toon.png", "--model", model, "--no-faces", *words)
        assert done.exit_code == 0 and "face" not in done.stdout
        results.add((tmp_path / "toon.png").read_bytes())
    assert len(results) == 6


def test_a_saved_setting_draws_the_same_bytes_as_its_options(model, photos, tmp_path, home):
    from wbme.apps import styles

    numbers = {"levels": 4.0, "softness": 0.1, "saturation": 1.7}
    styles.save(styles.Style("mine", numbers, "#c01040"), "mine")
    by_hand = ["--tones", 4, "--softness", 0.1, "--saturation", 1.7, "--ink", "#c01040"]
    drawn = {}
    for name, words in {
        "plain": [],
        "hand": by_hand,
        "style": ["--style", "mine"],
        "file": ["--style", home / "recipes" / "mine.yaml"],
        "other": ["--style", "mine", "--tones", 12],
        "bold": ["--style", "mine", "--lines", 1],
        "action": ["--style", "action"],
    }.items():
        done = stylize(photos / "a.jpg", "-o", tmp_path / "x.png", "--model", model, "--no-faces", *words)
        assert done.exit_code == 0
        drawn[name] = (tmp_path / "x.png").read_bytes()
    assert drawn["hand"] == drawn["style"] == drawn["file"]
    assert len(set(drawn.values())) == 5


def test_every_number_of_a_style_reaches_the_drawing(model, photos, tmp_path, home):
    from wbme.apps import styles
    from wbme.apps.stylizer import Stylizer

    numbers = {"line_threshold": -2.0, "line_gain": 1.5, "phase": 0.25, "lift": 0.7, "levels": 5.0}
    style = styles.Style("mine", numbers, "#204060")
    styles.save(style, "mine")
    stylize(photos / "a.jpg", "-o", tmp_path / "x.png", "--model", model, "--no-faces", "--style", "mine")
    rgb = images.read(photos / "a.jpg").rgb
    images.write(tmp_path / "y.png", Stylizer(model, controls=style.controls).picture(rgb, []))
    assert (tmp_path / "x.png").read_bytes() == (tmp_path / "y.png").read_bytes()
    without = {name: Stylizer(model, controls={**style.controls, name: old}) for name, old in (
        ("line_threshold", 0.0), ("line_gain", 2.0), ("phase", 0.0), ("lift", 1.0)
    )}  # fmt: skip
    want = images.read(tmp_path / "x.png").rgb
    for name, other in without.items():
        assert np.abs(other.picture(rgb, []) - want).max() > 0.01, name


def test_both_backends_agree(model, photos, tmp_path):
    for backend in ("openvino", "onnxruntime"):
        assert (
            stylize(
                photos / "a.jpg", "-o", tmp_path / f"{backend}.png", "--model", model, "--backend", backend
            ).exit_code
            == 0
        )
    a, b = (images.read(tmp_path / f"{backend}.png").rgb for backend in ("openvino", "onnxruntime"))
    assert np.abs(a - b).max() <= 2 / 255


def sources_and_targets(*words):
    *inputs, out = words
    return [(job.source.name, job.target.name) for job in planned([Path(i) for i in inputs], str(out))]


def test_an_output_is_a_file_where_it_has_a_suffix_and_else_a_folder(photos, tmp_path):
    assert [job.target for job in planned([photos / "a.jpg"], str(tmp_path / "x.webp"))] == [
        tmp_path / "x.webp"
    ]
    assert [job.target for job in planned([photos / "a.jpg"], str(tmp_path / "x"))] == [
        tmp_path / "x" / "a.jpg"
    ]
    assert [job.target for job in planned([photos / "a.jpg"], str(tmp_path / "v1.2") + "/")] == [
        tmp_path / "v1.2" / "a.jpg"
    ]
    (tmp_path / "old.png").mkdir()
    assert [job.target for job in planned([photos / "a.jpg"], str(tmp_path / "old.png"))] == [
        tmp_path / "old.png" / "a.jpg"
    ]


def test_what_cannot_be_written_changes_its_suffix_and_no_two_share_a_name(tmp_path):
    for name in ("a.tif", "a.png", "a.gif", "b/a.png", "film.avi", "film.mkv"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = sources_and_targets(tmp_path / "in", tmp_path / "out")
    assert found == [
        ("a.png", "a.png"),
        ("a.png", "a.png"),
        ("film.mkv", "film.mkv"),
        ("a.gif", "a-2.png"),
        ("a.tif", "a-3.png"),
        ("film.avi", "film-2.mkv"),
    ]
    with pytest.raises(ParameterError, match=r"all\.png is the name of one file, for several drawings"):
        planned([tmp_path / "in"], str(tmp_path / "all.png"))
    both = sources_and_targets(tmp_path / "in" / "a.png", tmp_path / "in" / "b" / "a.png", tmp_path / "out")
    assert both == [("a.png", "a.png"), ("a.png", "a-2.png")]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{photos}/none.jpg", "-o", "{out}"], "there is no file or folder"),
        (
            ["{photos}/a.jpg", "-o", "{out}.bmp"],
            "a picture is written as .png, .jpg, .jpeg, .webp; choose one",
        ),
        (["{photos}/clip.mov", "-o", "{out}.png"], "a video is written as .mp4"),
        (["{photos}/a.jpg", "-o", "{photos}/a.jpg"], "is an input or a folder and is not replaced"),
        (["{photos}/a.jpg", "-o", "{photos}"], "is an input or a folder and is not replaced"),
        (["{photos}/a.jpg", "-o", "{photos}/../photos/a.jpg"], "is an input or a folder and is not replaced"),
        (["{photos}", "-o", "{photos}/toon"], "lies inside"),
        (["{photos}", "-o", "{photos}"], "lies inside"),
        (["{photos}", "-o", "{photos}/notes.txt/x"], "lies inside"),
        (["{photos}/a.jpg", "-o", "{photos}/notes.txt/x"], "cannot make the folder"),
        (["{photos}/a.jpg", "-o", ""], "--out is empty"),
        (["{empty}", "-o", "{out}"], "holds no picture and no video"),
        (["{photos}/a.jpg", "-o", "{out}", "--ink", "red"], 'is no colour: write it as "#1a1420"'),
        pytest.param(
            ["{photos}/a.jpg", "-o", "{out}", "--model", "nowhere"],
            "there is no model folder nowhere",
            marks=pytest.mark.slow,  # looks among the shipped ones, which takes torch
        ),
        (
            ["{photos}/a.jpg", "-o", "{out}", "--style", "nobody"],
            "there is no style 'nobody': choose one of action",
        ),
        (
            ["{photos}/a.jpg", "-o", "{out}", "--style", "../x"],
            "'../x' is no style: give a path that ends in",
        ),
        (["{photos}/a.jpg", "-o", "{out}", "--style", "{photos}/x.yaml"], "cannot read"),
        (["{photos}/a.jpg", "-o", "{out}", "--backend", "abacus"], "no backend is called 'abacus'"),
        (["{photos}/a.jpg", "-o", "{out}", "--deform", "romance"], "keeps the person's own geometry"),
        (["{photos}/a.jpg", "-o", "{out}", "--deform", "nobody"], "nobody"),
        (["{photos}/a.jpg", "-o", "{out}", "--deform", "chibi", "--no-faces"], "leave one of them out"),
    ],
)
def test_a_mistake_is_one_sentence_and_touches_nothing(model, photos, tmp_path, home, words, sentence):
    (tmp_path / "empty").mkdir()
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    places = {"photos": photos, "out": tmp_path / "out", "empty": tmp_path / "empty"}
    words = [word.format(**places) for word in words]
    done = stylize(*words, *([] if "--model" in words else ["--model", model]))
    assert isinstance(done.exception, WbmeError)  # main() makes it one line and exit code 2
    assert sentence in str(done.exception) and "\n" not in str(done.exception)
    assert {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()} == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(model, photos, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    done = stylize(photos / "a.jpg", "-o", tmp_path / "locked", "--model", model)
    assert done.exit_code == 1 and "cannot write" in done.stderr


@pytest.mark.parametrize(
    "words", [["--lines", 2], ["--tones", 2], ["--softness", -1], ["--threads", 0], ["--deform-strength", 2]]
)
def test_a_number_out_of_range_is_refused(photos, tmp_path, words):
    done = stylize(photos / "a.jpg", "-o", tmp_path / "toon.png", *words)
    assert done.exit_code == 2 and words[0] in done.stderr


def test_a_promoted_model_is_found_by_name_and_by_default(model, photos, tmp_path, home):
    from wbme.lab import refs, store

    digest, _ = store.add(model)
    refs.move({"model/student": digest}, "test")
    assert found(None) == found("student") == found("model/student") == store.tree(digest)
    assert found(str(model)) == model
    assert stylize(photos / "a.jpg", "-o", tmp_path / "toon.png").exit_code == 0


def test_an_int8_student_of_an_earlier_training_says_so(model, photos, tmp_path, home):
    from wbme.base.hashing import sha256_file
    from wbme.lab import refs, store

    quick = shutil.copytree(model, tmp_path / "quick")
    card = json.loads((quick / "model.json").read_text())
    card |= {"name": "tiny-int8", "int8": {"of": sha256_file(model / "model.onnx")}}
    (quick / "model.json").write_text(json.dumps(card))
    refs.move({"model/student": store.add(model)[0], "model/student-int8": store.add(quick)[0]}, "test")
    words = (photos / "a.jpg", "-o", tmp_path / "toon.png", "--model", "student-int8")
    assert stylize(*words).stderr == ""
    newer = shutil.copytree(model, tmp_path / "newer")
    (newer / "model.onnx").write_bytes((model / "model.onnx").read_bytes() + b"\0")
    refs.move({"model/student": store.add(newer)[0]}, "test")
    told = stylize(*words)
    assert told.exit_code == 0 and "student-int8 was made of an earlier student" in told.stderr


def test_colours_and_what_a_model_says_of_itself():
    assert colour("#1a1420") == pytest.approx([26 / 255, 20 / 255, 32 / 255])
    assert colour("ff0000") == [1, 0, 0] and colour(None) is None
    assert described({"name": "x", "architecture": "S2-32"}) == "x (S2-32)"


@pytest.mark.slow
def test_it_runs_as_a_command_and_an_error_has_no_traceback(model, photos, tmp_path):
    def run(*words):
        command = [sys.executable, "-m", "wbme", "stylize", *map(str, words), "--model", str(model)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = run("photos/deep/b.png", "-o", "toon.png")
    assert done.returncode == 0 and done.stderr == "" and (tmp_path / "toon.png").exists()
    shutil.copytree(model, tmp_path / "bad")
    (tmp_path / "bad" / "model.json").write_text(json.dumps({"schema": 7}))
    done = run("photos/none.png", "-o", "toon.png")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("wbme: there is no file or folder photos/none.png")


def test_every_suffix_that_is_promised_can_be_written(tmp_path):
    for suffix in PICTURES:
        assert images.write(tmp_path / f"x{suffix}", np.zeros((4, 4, 3))).exists()
