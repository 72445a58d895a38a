"""The one door to PyAV: its import, opening a file, and the conventions of its frames.

PyAV's wheel carries x264 (GPL), so it is the extra ``wbme[video]`` and not a dependency.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError
from wbme.media import files

Seconds = Fraction | float | None


@dataclass(frozen=True)
class VideoInfo:
    """What a video is. ``width`` and ``height`` are those of an upright frame with square pixels.

    ``rotation`` is how far (0, 90, 180, 270 degrees clockwise) stored frames are turned to stand upright;
    ``fps`` the average rate; ``duration`` in seconds and ``frames`` None where the container does not say;
    ``time_base`` the second's fraction that times are counted in; ``codec`` FFmpeg's name.
    """

    path: Path
    width: int
    height: int
    rotation: int
    fps: Fraction
    duration: Fraction | None
    frames: int | None
    time_base: Fraction
    has_audio: bool
    codec: str


def library() -> Any:
    try:
        import av
    except ImportError:
        raise MediaError("video needs PyAV, which is not installed; pip install 'wbme[video]'") from None
    return av


def open_file(path: Path) -> Any:
    av = library()
    files.size_of(path, "video")
    try:  # a playlist that passes for a video may name local files only
        return av.open(str(path.resolve()), options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except av.FFmpegError as error:
        raise MediaError(
            f"{path} is not a video, or it is damaged or cut short ({error.strerror}); copy it again"
        ) from error


def video_stream(container: Any, path: Path) -> Any:
    cover = library().stream.Disposition.attached_pic
    for stream in container.streams.video:
        if stream.codec_context is None:
            raise MediaError(f"{path} has a codec that PyAV cannot decode; convert it to H.264")
        if not stream.disposition & cover:
            stream.thread_type = "AUTO"
            return stream
    raise MediaError(f"{path} holds no video, only sound or a cover picture; name another file")


def describe(path: Path, container: Any, stream: Any, frame: Any) -> VideoInfo:
    size = square_size(frame.width, frame.height, stream.sample_aspect_ratio)
    matrix = display_matrix(frame)
    width, height = size if matrix[0, 0] else size[::-1]
    duration = stream.duration * stream.time_base if stream.duration else None
    if duration is None and container.duration:
        duration = Fraction(container.duration, 1_000_000)
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        rotation=round(math.degrees(math.atan2(matrix[0, 1], matrix[0, 0]))) % 360,
        fps=stream.average_rate or stream.guessed_rate or Fraction(25),
        duration=duration,
        frames=stream.frames or None,
        time_base=stream.time_base,
        has_audio=bool(container.streams.audio),
        codec=stream.codec_context.name,
    )


def exact() -> Any:
    """swscale's flags for conversions without bias; its quick default darkens by 1.3 of 255."""
    way = library().video.reformatter.Interpolation
    return way.BICUBIC | way.ACCURATE_RND | way.FULL_CHR_H_INT


def square_size(width: int, height: int, ratio: Fraction | None) -> tuple[int, int]:
    """Size with square pixels: the shorter of the two sides of a pixel grows."""
    if not ratio or not Fraction(1, 4) <= ratio <= 4:
        return width, height
    return (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))


def display_matrix(frame: Any) -> NDArray[np.int64]:
    """2 x 2 matrix of 0, 1, -1 by which stored (x, y), y down, is upright: (x', y') = (x, y) @ matrix."""
    data = frame.side_data.get(library().sidedata.sidedata.Type.DISPLAYMATRIX)
    if data is None:
        return np.eye(2, dtype=np.int64)
    (a, b, _), (c, d, _), _ = np.frombuffer(data, np.int32).reshape(3, 3).astype(np.int64)
    matrix = np.array([[0, b], [c, 0]] if abs(b) > abs(a) else [[a, 0], [0, d]])
    # A damaged matrix that would squeeze the frame to nothing counts for none.
    return np.sign(matrix) if np.count_nonzero(matrix) == 2 else np.eye(2, dtype=np.int64)
