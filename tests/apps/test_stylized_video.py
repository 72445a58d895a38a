"""Video: times, sound, rotation, steady heads and tones, and nothing half-written."""

import itertools
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest

from wbme.apps import video as stylise
from wbme.apps.heads import Head, head_of, skin_luma
from wbme.apps.video import Tracks
from wbme.base.errors import MediaError
from wbme.media import video
from wbme.perception.faces import Face, detect

RATE = Fraction(1, 30)


def face(x, y, width):
    return Face(np.array([x - width / 2, y - width / 2, x + width / 2, y + width / 2]), 0.9, np.zeros((6, 2)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory, astronaut):
    """Thirteen frames at uneven times: the astronaut, moving to the right and growing lighter."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with video.Writer(path, fps=30) as writer:
        for k in range(13):
            rgb = np.roll(astronaut[:240, 60:380], 4 * k, axis=1) * (0.9 + 0.008 * k)
            writer.write(np.uint8(rgb * 255), Fraction(k + (k > 6), 30))
    return path


def times(path):
    return [frame.time for frame in video.frames(path)]


def test_every_frame_keeps_its_time(stylizer, clip, tmp_path):
    told = []
    done = stylise.convert(stylizer, clip, tmp_path / "toon.mp4", progress=lambda *n: told.append(n))
    assert (done.width, done.height, done.frames, done.faces, done.notes) == (320, 240, 13, 1, [])
    assert times(tmp_path / "toon.mp4") == times(clip)
    assert told == [(k, 13) for k in range(1, 14)]
    assert float(video.probe(tmp_path / "toon.mp4").fps) == pytest.approx(
        float(video.probe(clip).fps), rel=0.01
    )


def test_a_frame_is_drawn_as_a_picture(stylizer, tmp_path, astronaut):
    with video.Writer(tmp_path / "still.mp4", fps=10, crf=1) as writer:
        for _ in range(3):
            writer.write(np.uint8(astronaut[:320] * 255))
    stylise.convert(stylizer, tmp_path / "still.mp4", tmp_path / "toon.mp4")
    seen = [np.float32(f.rgb_u8 / 255) for f in video.frames(tmp_path / "still.mp4")][-1]
    drawn = [f.rgb_u8 / 255 for f in video.frames(tmp_path / "toon.mp4")][-1]
    found = detect(seen, irises=False)
    want = stylizer.draw(seen, [head_of(f) for f in found], skin_luma(seen, found), scale=1)
    assert np.abs(drawn - want).mean() < 0.02


def test_without_faces_it_says_so(stylizer, tmp_path):
    with video.Writer(tmp_path / "wall.mp4", fps=10) as writer:
        for k in range(3):
            writer.write(np.full((64, 64, 3), 100 + 20 * k, np.uint8))
    done = stylise.convert(stylizer, tmp_path / "wall.mp4", tmp_path / "toon.mkv")
    assert (done.faces, done.notes) == (0, ["no face found, drawn as a whole"])


@pytest.mark.slow
@pytest.mark.parametrize("rotation", [0, 90, 180])
def test_a_turned_clip_with_sound(stylizer, encode, sound_of, tmp_path, rotation):
    source = encode(tmp_path / "phone.mp4", [1001 * k for k in range(30)], rotation=rotation, sound="aac")
    done = stylise.convert(stylizer, source, tmp_path / "toon.mp4")
    assert (done.width, done.height) == ((48, 64) if rotation == 90 else (64, 48))
    assert video.probe(tmp_path / "toon.mp4").rotation == 0
    assert times(tmp_path / "toon.mp4") == times(source)
    assert sound_of(tmp_path / "toon.mp4") == sound_of(source)
    want = np.mean([f.rgb_u8 for f in video.frames(source)][9], axis=(0, 1))
    got = np.mean([f.rgb_u8 for f in video.frames(tmp_path / "toon.mp4")][9], axis=(0, 1))
    np.testing.assert_allclose(got, want, atol=25)


def test_what_is_no_video_writes_nothing(stylizer, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 4000)
    with pytest.raises(MediaError, match="not a video"):
        stylise.convert(stylizer, tmp_path / "broken.mp4", tmp_path / "toon.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mp4"]


def test_an_interruption_removes_what_was_written(stylizer, clip, tmp_path):
    def stop(done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stylise.convert(stylizer, clip, tmp_path / "toon.mp4", progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_kill_leaves_nothing_under_the_name(model, clip, tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from wbme.apps import video\nfrom wbme.apps.stylizer import Stylizer\n"
        "def slow(done, total):\n    print(done, flush=True)\n    time.sleep(0.5)\n"
        "video.convert(Stylizer(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), progress=slow)\n"
    )
    target = tmp_path / "toon.mp4"
    with subprocess.Popen(
        [sys.executable, "-c", code, model, clip, target], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline().strip() == b"1"
        os.kill(process.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert not target.exists()
    assert [path for path in tmp_path.iterdir() if not path.name.startswith(".")] == []


def test_a_head_is_there_at_once_followed_and_faded_out():
    tracks = Tracks()
    tracks.see([face(100, 100, 50)], 0.6)
    assert tracks.after(1 / 30) == ([Head(100, 92.5, 50, 1)], 0.6)
    for _ in range(60):
        tracks.see([face(110, 100, 50)], 0.6)
        (head,), _ = tracks.after(1 / 30)
    assert head.x == pytest.approx(110, abs=0.1)
    tracks.see([], 0.1)
    weights = [sum(head.weight for head in tracks.after(1 / 30)[0]) for _ in range(90)]
    assert all(a > b or b == 0 for a, b in itertools.pairwise(weights))
    assert weights[-1] == 0


def test_a_head_that_comes_later_fades_in():
    tracks = Tracks()
    tracks.see([], 0.6)
    tracks.after(1 / 30)
    tracks.see([face(100, 100, 50)], 0.6)
    weights = [tracks.after(1 / 30)[0][0].weight for _ in range(60)]
    assert 0 < weights[0] < 0.2 and weights[-1] > 0.98
    assert all(a < b for a, b in itertools.pairwise(weights))


def test_two_heads_do_not_change_places():
    tracks = Tracks()
    for k in range(40):
        pair = [face(100 + k, 100, 50), face(300 - k, 100, 60)]
        tracks.see(pair if k % 2 else pair[::-1], 0.5)
        found, _ = tracks.after(1 / 30)
    assert sorted((round(head.x, -1), round(head.face)) for head in found) == [(140, 50), (260, 60)]


def test_the_tone_follows_the_skin_slowly():
    tracks = Tracks()
    tracks.see([face(100, 100, 50)], 0.6)
    tracks.after(1 / 30)
    tracks.see([face(100, 100, 50)], 0.66)
    _, luma = tracks.after(1 / 30)
    assert 0.6 < luma < 0.605
    tracks.see([], 0.2)  # the face is lost for a moment: its skin still sets the tone
    assert tracks.after(1 / 30)[1] > luma


def test_a_cut_is_followed_at_once(tmp_path, astronaut):
    class Recorder:
        seen: ClassVar = []

        def scale(self, found):
            return 1.0

        def skin_level(self, rgb, faces):
            return skin_luma(rgb, faces)

        def draw(self, rgb, found, luma, *, scale):
            self.seen.append((len(found), luma))
            return rgb

    with video.Writer(tmp_path / "cut.mp4", fps=25) as writer:
        for k in range(9):
            writer.write(np.uint8(astronaut[:256, 90:346] * (255 if k < 7 else 100)))
    stylise.convert(Recorder(), tmp_path / "cut.mp4", tmp_path / "out.mp4")
    counts, lumas = zip(*Recorder.seen, strict=True)
    assert counts == (1,) * 9
    assert min(lumas[:7]) > 0.65 and max(lumas[7:]) < 0.35


def test_a_clip_in_memory_is_drawn_as_the_same_video_is(stylizer, tmp_path, astronaut):
    with video.Writer(tmp_path / "clip.mp4", fps=10, crf=1) as writer:
        for k in range(7):  # one frame more than lie between two looks for faces
            writer.write(np.uint8(np.roll(astronaut[:240, 60:380], 3 * k, axis=1) * 255))
    stylise.convert(stylizer, tmp_path / "clip.mp4", tmp_path / "toon.mp4")
    seen = [np.float32(f.rgb_u8 / 255) for f in video.frames(tmp_path / "clip.mp4")]
    drawn = stylise.frames(stylizer, seen, fps=10)
    want = [f.rgb_u8 / 255 for f in video.frames(tmp_path / "toon.mp4")]
    assert len(drawn) == len(want) == 7
    assert max(np.abs(a - b).mean() for a, b in zip(drawn, want, strict=True)) < 0.03
