"""What is written keeps its times and its sound, and appears whole or not at all."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from wbme.base.errors import MediaError
from wbme.media import video
from wbme.media.video import Reader, Writer, frames, probe

pytest.importorskip("av")

IRREGULAR = [0, 1001, 1500, 7000, 7003, 9000, 30011, 30100, *range(40000, 60000, 777)]


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_a_variable_frame_rate_and_the_sound_survive(tmp_path, suffix, encode, sound_of):
    source = encode(tmp_path / "a.mp4", [p + 3001 for p in IRREGULAR], sound="aac")
    reader = Reader(source)
    with Writer(tmp_path / f"b.{suffix}", reader.info, audio_from=source) as writer:
        for frame in reader:
            writer.write(frame.rgb_u8, frame.time)
    copy = Reader(tmp_path / f"b.{suffix}")
    assert [f.time for f in copy] == [f.time for f in reader]
    assert sound_of(copy.path) == sound_of(source)
    assert copy.info.time_base == reader.info.time_base and copy.info.has_audio
    for a, b in zip(reader, copy, strict=True):
        assert abs(a.rgb_u8.astype(int) - b.rgb_u8)[4:16, 4:20].max() <= 6


def test_a_constant_rate_without_times(tmp_path, picture):
    for fps in (25, Fraction(30000, 1001), 29.97, 12.5):
        with Writer(tmp_path / "a.mp4", fps=fps) as writer:
            for number in range(30):
                writer.write(picture(number))
        exact = Fraction(fps).limit_denominator(1001)
        assert [f.time for f in frames(tmp_path / "a.mp4")] == [i / exact for i in range(30)]
        info = probe(tmp_path / "a.mp4")
        assert (info.fps, info.duration, info.frames, info.has_audio) == (exact, 30 / exact, 30, False)


def test_colours_are_not_biased(tmp_path):
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.integers(20, 236, (20, 30, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    with Writer(tmp_path / "a.mp4", fps=25, crf=1) as writer:
        writer.write(blocks)
    difference = next(frames(tmp_path / "a.mp4")).rgb_u8.astype(int) - blocks
    inside = difference.reshape(20, 16, 30, 16, 3)[:, 6:10, :, 6:10]
    assert np.abs(inside.mean(axis=(0, 1, 2, 3))).max() < 0.15
    assert np.sqrt((inside**2).mean()) < 1.5


@pytest.mark.parametrize("shape", [(47, 63), (48, 63), (8, 8), (3, 1)])
def test_odd_and_small_sizes(tmp_path, shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    ramp = np.stack([100 + y, 100 + x, 120 - y], axis=-1).astype(np.uint8)
    with Writer(tmp_path / "a.mp4", fps=25) as writer:
        for _ in range(3):
            writer.write(ramp)
    rgb = next(frames(tmp_path / "a.mp4")).rgb_u8.astype(int)
    assert rgb.shape == (shape[0] + shape[0] % 2, shape[1] + shape[1] % 2, 3)
    assert np.abs(rgb[: shape[0], : shape[1]] - ramp).max() <= 5
    assert np.abs(rgb[-1, -1] - ramp[-1, -1]).max() <= 5  # the row and column that were added repeat the last


def test_sound_between_containers(tmp_path, picture, encode, sound_of):
    source = encode(tmp_path / "a.mkv", range(0, 60000, 1000), sound="pcm_u8")
    with (
        pytest.raises(MediaError, match=r"write \.mkv"),
        Writer(tmp_path / "b.mp4", fps=30, audio_from=source),
    ):
        pass
    with Writer(tmp_path / "b.mkv", fps=30, audio_from=source) as writer:
        for number in range(60):
            writer.write(picture(number))
    assert sound_of(tmp_path / "b.mkv") == sound_of(source)
    stream = encode(tmp_path / "c.ts", range(0, 180000, 3000), Fraction(1, 90000), sound="aac")
    reader = Reader(stream)
    with Writer(tmp_path / "d.mp4", reader.info, audio_from=stream) as writer:
        for frame in reader:
            writer.write(frame.rgb_u8, frame.time)
    assert [f.time for f in frames(tmp_path / "d.mp4")] == [f.time for f in reader]
    assert len(sound_of(tmp_path / "d.mp4")) == len(sound_of(stream))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mkv", "b.mkv", "c.ts", "d.mp4"]


def test_a_failure_leaves_what_was_there(tmp_path, picture):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old video")
    with pytest.raises(KeyError), Writer(path, fps=25) as writer:
        writer.write(picture(0))
        raise KeyError
    with pytest.raises(MediaError, match="no frame"), Writer(path, fps=25):
        pass
    with (
        pytest.raises(MediaError, match="no video at"),
        Writer(path, fps=25, audio_from=tmp_path / "none.mp4"),
    ):
        pass
    assert path.read_bytes() == b"the old video" and len(list(tmp_path.iterdir())) == 1


def test_frames_that_do_not_fit(tmp_path, picture):
    for words, options in (("choose one", {"fps": 25}), ("fps", {})):
        with pytest.raises(MediaError, match=words):
            Writer(tmp_path / ("a.mp4" if not options else "a.gif"), **options)
    with pytest.raises(MediaError, match="not positive"):
        Writer(tmp_path / "a.mp4", fps=0)
    for words, second, time in (
        ("float", picture(1) / 255, None),
        (r"those before were \(48, 64, 3\)", picture(1, 50), None),
        ("not later", picture(1), 0),
    ):
        with pytest.raises(MediaError, match=words), Writer(tmp_path / "a.mp4", fps=25) as writer:
            writer.write(picture(0))
            writer.write(second, time)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["full", "kill"])
def test_a_full_disk_and_a_kill_leave_no_half_video(tmp_path, ending):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old video")
    code = (
        "import os, resource, signal, sys, numpy as np\n"
        "from wbme.base.errors import StoreError\n"
        "from wbme.media.video import Writer\n"
        "if sys.argv[2] == 'full':\n    resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))\n"
        "rng = np.random.default_rng(0)\n"
        "try:\n"
        "    with Writer(sys.argv[1], fps=25) as writer:\n"
        "        for i in range(60):\n"
        "            writer.write(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8))\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "except StoreError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), ending], capture_output=True, text=True, check=False
    )
    assert path.read_bytes() == b"the old video"
    if ending == "full":
        assert done.stdout.startswith(f"cannot write {path}: ") and done.stdout.count("\n") == 1
        assert done.returncode == 0 and len(list(tmp_path.iterdir())) == 1


def test_one_input_gives_the_same_bytes(tmp_path, picture):
    for name in ("a.mp4", "b.mp4"):
        with Writer(tmp_path / name, fps=25) as writer:
            for number in range(10):
                writer.write(picture(number))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert video.LIMITS.max_pixels >= 8192 * 8192


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_a_variable_rate_keeps_its_duration(tmp_path, picture, suffix):
    with Writer(tmp_path / f"a.{suffix}", fps=30) as writer:
        for number, time in enumerate((0, Fraction(1, 30), 0.1, 0.7, 0.71)):
            writer.write(picture(number), time)
    assert float(probe(tmp_path / f"a.{suffix}").duration) == pytest.approx(0.71 + 1 / 30, abs=0.001)
