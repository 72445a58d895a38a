"""Video keeps its times, its sound and its uprightness; a broken frame costs only itself; files are whole."""

import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.base.errors import MediaError
from wbme.media.video import Reader, VideoLimits, Writer, frames, probe

av = pytest.importorskip("av")

IRREGULAR = [0, 1001, 1500, 7000, 7003, 9000, 30011, 30100, *range(40000, 60000, 777)]


def corners(rgb):
    """Which of red, green, blue and grey stands in each quarter, from the top left along the rows."""
    names = []
    for y in (1, 3):
        for x in (1, 3):
            r, g, b = rgb[rgb.shape[0] * y // 4, rgb.shape[1] * x // 4].astype(int)
            names.append("." if max(r, g, b) - min(r, g, b) < 20 else "rgb"[int(np.argmax([r, g, b]))])
    return "".join(names)


@pytest.mark.parametrize("pts", [range(0, 40000, 1000), IRREGULAR, [p + 42003 for p in IRREGULAR]])
def test_times_are_those_of_the_file(tmp_path, pts, picture, encode):
    path = encode(tmp_path / "a.mp4", pts)
    found = list(frames(path))
    assert [f.pts for f in found] == list(pts)
    assert [f.time for f in found] == [Fraction(p, 30000) for p in pts]
    assert [f.index for f in found] == list(range(len(pts)))
    for frame in (found[0], found[7], found[-1]):
        assert np.abs(frame.rgb_u8.astype(int) - picture(frame.index))[4:20, 4:28].max() <= 4
        assert abs(int(frame.rgb_u8[40, 50, 1]) - (20 + 3 * frame.index)) <= 2


def test_probe(tmp_path, encode):
    info = probe(encode(tmp_path / "a.mp4", range(0, 40000, 1000), sound="aac"))
    assert (info.width, info.height, info.rotation, info.codec) == (64, 48, 0, "h264")
    assert (info.fps, info.frames, info.time_base) == (30, 40, Fraction(1, 30000))
    assert info.has_audio and info.duration == pytest.approx(4 / 3, abs=0.001)
    assert not probe(encode(tmp_path / "b.mkv", range(0, 4000, 1000))).has_audio


@pytest.mark.parametrize(
    ("rotation", "mirror", "expected"),
    [
        (0, False, "rgb."),
        (90, False, "g.rb"),  # turned against the clock, the right side comes up
        (180, False, ".bgr"),
        (-90, False, "br.g"),
        (0, True, "gr.b"),
        (180, True, "b.rg"),
    ],
)
def test_frames_stand_upright(tmp_path, rotation, mirror, expected, encode):
    path = encode(tmp_path / "a.mp4", range(0, 3000, 1000), rotation=rotation, mirror=mirror)
    info = probe(path)
    frame = next(frames(path))
    assert corners(frame.rgb_u8) == expected
    assert frame.rgb_u8.shape == (info.height, info.width, 3)
    assert (info.width, info.height) == ((48, 64) if rotation % 180 else (64, 48))
    if not mirror:
        assert info.rotation == -rotation % 360


def test_pixels_become_square(tmp_path, picture):
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(3, 2)
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0), "rgb24")))
        out.mux(stream.encode(None))
    assert (probe(tmp_path / "a.mp4").width, next(frames(tmp_path / "a.mp4")).rgb_u8.shape) == (
        96,
        (48, 96, 3),
    )


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_part_is_found_from_every_start(tmp_path, suffix, encode):
    path = encode(tmp_path / f"a.{suffix}", range(0, 60000, 1000), bf="3")
    times = [f.time for f in frames(path)]
    for number in range(0, 60, 5):
        for start in (times[number], times[number] - Fraction(1, 90000)):
            part = list(frames(path, max(start, 0), times[number] + Fraction(1, 9)))
            assert [f.time for f in part] == times[number : number + len(part)]
            assert len(part) == min(60 - number, 4)
            assert abs(int(part[0].rgb_u8[40, 50, 1]) - (20 + 3 * number)) <= 3
    assert list(frames(path, 9)) == []


def test_colours_without_a_name_follow_the_usual_rule(tmp_path, picture):
    for height, space in ((480, "ITU601"), (720, "ITU709")):
        with av.open(str(tmp_path / "a.mp4"), "w") as out:
            stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 64, height, "yuv420p"
            frame = av.VideoFrame.from_ndarray(picture(0, height), "rgb24")
            out.mux(
                stream.encode(frame.reformat(format="yuv420p", dst_colorspace=space, dst_color_range="MPEG"))
            )
            out.mux(stream.encode(None))
        rgb = next(frames(tmp_path / "a.mp4")).rgb_u8
        assert np.abs(rgb[100, 16].astype(int) - (220, 40, 60)).max() <= 4


def break_packets(path, numbers):
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for number in numbers:
        place, size = places[number]
        data[place : place + size] = np.random.default_rng(number).bytes(size)
    path.write_bytes(data)


def test_broken_frames_are_skipped_and_counted(tmp_path, encode):
    path = encode(tmp_path / "a.mp4", range(0, 60000, 1000), bf="0")
    break_packets(path, (20, 21, 40))
    reader = Reader(path)
    for _ in range(2):  # every pass begins anew
        pts = [f.pts for f in reader]
        assert reader.skipped == 3
        assert pts == [1000 * i for i in range(60) if i not in (20, 21, 40)]


def test_a_broken_first_frame_and_a_file_cut_short(tmp_path, encode):
    path = encode(tmp_path / "a.mp4", range(0, 60000, 1000), bf="0")
    break_packets(path, (0,))
    reader = Reader(path)
    assert 40 <= len(list(reader)) < 60 and reader.skipped >= 1
    path = encode(tmp_path / "b.mkv", range(0, 60000, 1000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 10 <= len(list(frames(path))) < 60
    path = encode(tmp_path / "c.mp4", range(0, 60000, 1000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MediaError, match="cut short"):
        probe(path)


def test_metadata_in_another_encoding(tmp_path, encode):
    path = encode(tmp_path / "a.mp4", range(0, 5000, 1000))
    path.write_bytes(path.read_bytes().replace(b"VideoHandler", b"Vid\xe9oHandler"))
    assert len(list(frames(path))) == 5


@settings(max_examples=60, deadline=None)
@given(
    suffix=st.sampled_from(["mp4", "mkv"]),
    edits=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=20),
)
def test_damaged_bytes_give_frames_or_a_sentence(tmp_path_factory, suffix, edits, encode):
    whole = tmp_path_factory.getbasetemp() / f"whole.{suffix}"
    if not whole.exists():
        encode(whole, range(0, 20000, 1000), rotation=90)
    data = bytearray(whole.read_bytes())
    for place, value in edits:
        data[int(place * len(data))] = value
    path = whole.with_stem("damaged")
    path.write_bytes(data)
    try:
        reader = Reader(path, limits=VideoLimits(max_pixels=10**6))
        shape = (reader.info.height, reader.info.width, 3)
        assert all(f.rgb_u8.shape == shape or f.rgb_u8.shape == (shape[1], shape[0], 3) for f in reader)
    except MediaError as error:
        assert "\n" not in str(error)


def test_other_containers(tmp_path, encode):
    for name, codec, rate in (("a.avi", "mpeg4", 25), ("a.webm", "libvpx", 1000)):
        path = encode(tmp_path / name, range(0, 10), Fraction(1, 25), codec=codec)
        found = list(frames(path))
        assert [f.time for f in found] == [Fraction(i, 25) for i in range(10)]
        assert probe(path).time_base == Fraction(1, rate)


def test_not_a_video(tmp_path):
    (tmp_path / "text.mp4").write_text("dear diary " * 1000)
    (tmp_path / "empty.mp4").touch()
    with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as out:
        track = out.add_stream("aac", rate=16000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 16000
        out.mux(track.encode(silence))
        out.mux(track.encode(None))
    for name, words in (
        ("none.mp4", "no video at"),
        (".", "is a folder"),
        ("text.mp4", "is not a video"),
        ("empty.mp4", "is empty"),
        ("sound.m4a", "holds no video"),
    ):
        for function in (probe, frames):
            with pytest.raises(MediaError, match=words) as error:
                function(tmp_path / name)
            assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)


def test_a_playlist_cannot_reach_the_network(tmp_path):
    (tmp_path / "a.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(MediaError):
        probe(tmp_path / "a.m3u8")


def test_limits(tmp_path, encode):
    path = encode(tmp_path / "a.mp4", range(0, 60000, 1000))
    with pytest.raises(MediaError, match="64 x 48 pixels"):
        probe(path, limits=VideoLimits(max_pixels=3071))
    with pytest.raises(MediaError, match="longer than 1 s"):
        probe(path, limits=VideoLimits(max_seconds=1))
    short = VideoLimits(max_seconds=1, max_frames=9)
    assert len(list(frames(path, 0.5, 0.7, limits=short))) == 6
    given = []
    with pytest.raises(MediaError, match="9 frames"):
        given.extend(f.index for f in frames(path, 0.5, limits=short))
    assert given == list(range(9))
    with pytest.raises(MediaError, match="1 s"):
        list(frames(path, 0.5, limits=VideoLimits(max_seconds=1)))


def test_without_pyav(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MediaError, match=r"pip install 'wbme\[video\]'"):
        probe(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match=r"pip install"), Writer(tmp_path / "b.mp4", fps=25):
        pass
