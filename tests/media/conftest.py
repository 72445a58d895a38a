"""Small videos made straight with PyAV, so that reader and writer are not tested by each other."""

from fractions import Fraction

import numpy as np
import pytest


def _picture(number, height=48, width=64):
    """Four flat quarters of different colours; the brightness of the last tells the number."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2] = (220, 40, 60)
    rgb[: height // 2, width // 2 :] = (40, 200, 90)
    rgb[height // 2 :, : width // 2] = (50, 60, 210)
    rgb[height // 2 :, width // 2 :] = 20 + 3 * number
    return rgb


def _encode(
    path, pts, base=Fraction(1, 30000), *, rotation=None, mirror=False, sound=None, codec="libx264", **options
):
    """A video straight from PyAV, so that the reader is not tested by the writer."""
    import av

    clock = {"movie_timescale": "30000"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=clock) as out:
        stream = out.add_stream(
            codec, rate=30, options={"crf": "12", "g": "12", **options} if codec == "libx264" else {}
        )
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = base
        if rotation is not None:
            stream.set_display_rotation(rotation, hflip=mirror)
        if sound:
            track = out.add_stream(sound, rate=16000, layout="mono")
            wave = (8000 * np.sin(np.arange(32000) / 9)).astype(np.int16)
            for start in range(0, 32000, 1024):
                part = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "s16", "mono")
                part.sample_rate, part.pts = 16000, start
                out.mux(track.encode(part))
            out.mux(track.encode(None))
        for number, tick in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(_picture(number), "rgb24")
            frame.pts, frame.time_base = tick, base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def _sound_of(path):
    """Times and bytes of the packets of sound."""
    import av

    with av.open(str(path)) as container:
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(audio=0) if p.size]


@pytest.fixture(scope="session")
def picture():
    return _picture


@pytest.fixture(scope="session")
def encode():
    return _encode


@pytest.fixture(scope="session")
def sound_of():
    return _sound_of
