"""Video in and out: upright frames with exact times; H.264 with the sound carried over."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError
from wbme.media import pyav
from wbme.media.pyav import Seconds, VideoInfo
from wbme.media.videowriter import Writer

__all__ = ["LIMITS", "Frame", "Reader", "VideoInfo", "VideoLimits", "Writer", "frames", "probe"]

_HD_ROWS = 720  # pixels of an unnamed colour space are BT.709 from here on, BT.601 below


@dataclass(frozen=True)
class VideoLimits:
    """What a video may cost: pixels of a frame, and seconds and frames of the part that is asked for."""

    max_pixels: int = 80_000_000
    max_seconds: float = 4 * 3600
    max_frames: int = 1_000_000


LIMITS = VideoLimits()


@dataclass(frozen=True, eq=False)
class Frame:
    """One upright frame: ``rgb_u8`` uint8 H x W x 3, ``index`` counted from 0 among the frames given, and
    ``time`` = ``pts`` x time base, the exact second on the container's clock."""

    index: int
    pts: int
    time: Fraction
    rgb_u8: NDArray[np.uint8]


def probe(path: str | Path, *, limits: VideoLimits = LIMITS) -> VideoInfo:
    """What the video at ``path`` is, from its header and its first frame.

    Raises MediaError for a file that is missing, not regular, no video, damaged or over a limit, and where
    PyAV is not installed.
    """
    return Reader(path, limits=limits).info


def frames(
    path: str | Path, start: Seconds = None, stop: Seconds = None, *, limits: VideoLimits = LIMITS
) -> Iterator[Frame]:
    """Frames of the video at ``path`` with ``start`` <= time < ``stop`` in seconds; see ``Reader``."""
    return iter(Reader(path, start, stop, limits=limits))


class Reader:
    """The frames of a video with ``start`` <= time < ``stop`` in seconds; every ``for`` begins anew.

    Times are the file's own, so that a variable frame rate survives. Frames are turned by the display matrix
    and brought to square pixels and one size. A frame that cannot be decoded is counted in ``skipped`` and
    the next one follows; those that were predicted from it come as the decoder conceals them. ``info`` is
    the VideoInfo. Raises MediaError as ``probe`` does, and where a limit is passed on the way.
    """

    def __init__(
        self, path: str | Path, start: Seconds = None, stop: Seconds = None, *, limits: VideoLimits = LIMITS
    ) -> None:
        self.path, self.limits, self.skipped = Path(path), limits, 0
        self._start = None if start is None else Fraction(start)
        self._stop = None if stop is None else Fraction(stop)
        with pyav.open_file(self.path) as container:
            self.info = self._probe(container)
        whole = self._start is None and self._stop is None
        if whole and self.info.duration is not None and self.info.duration > limits.max_seconds:
            raise self._too_long()

    def __iter__(self) -> Iterator[Frame]:
        self.skipped, index, origin = 0, 0, None
        with pyav.open_file(self.path) as container:
            stream = pyav.video_stream(container, self.path)
            if self._start is not None:
                failure = pyav.library().FFmpegError
                with contextlib.suppress(failure):  # what cannot seek is read from its beginning
                    container.seek(int(self._start / stream.time_base), stream=stream)
            for frame in self._decoded(container, stream):
                time = frame.pts * stream.time_base
                if self._start is not None and time < self._start:
                    continue
                if self._stop is not None and time >= self._stop:
                    return
                if frame.is_corrupt:
                    self.skipped += 1
                    continue
                origin = time if origin is None else origin
                if index >= self.limits.max_frames or time - origin > self.limits.max_seconds:
                    raise self._too_long()
                yield Frame(index, frame.pts, time, self._pixels(frame))
                index += 1

    def _probe(self, container: Any) -> VideoInfo:
        stream = pyav.video_stream(container, self.path)
        context = stream.codec_context
        self._check_size(context.width, context.height)
        frame = next(self._decoded(container, stream), None)
        if frame is None:
            raise MediaError(
                f"{self.path} holds no frame that can be decoded; convert it to MP4 or copy it again"
            )
        self._size = pyav.square_size(frame.width, frame.height, stream.sample_aspect_ratio)
        return pyav.describe(self.path, container, stream, frame)

    def _decoded(self, container: Any, stream: Any) -> Iterator[Any]:
        """PyAV's frames in order of presentation, each with a pts; what breaks is counted in ``skipped``."""
        av = pyav.library()
        for _ in range(1000):  # a demuxer that fails is asked again, but not for ever
            try:
                for packet in container.demux(stream):
                    try:
                        decoded = packet.decode()
                    except av.FFmpegError:
                        self.skipped += 1
                        continue
                    yield from (frame for frame in decoded if frame.pts is not None)
                return
            except av.FFmpegError:
                continue

    def _pixels(self, frame: Any) -> NDArray[np.uint8]:
        self._check_size(frame.width, frame.height)
        named = frame.colorspace not in (2, 3)  # 2: unspecified, 3: reserved
        space = None if named else "ITU709" if frame.height >= _HD_ROWS else "ITU601"
        width, height = self._size
        pixels = frame.to_ndarray(
            width=width, height=height, format="rgb24", src_colorspace=space, interpolation=pyav.exact()
        )
        matrix = pyav.display_matrix(frame)
        if matrix[0, 0] == 0:
            pixels = pixels.swapaxes(0, 1)
        columns, rows = matrix.sum(axis=0)  # the signs that the matrix gives to x and to y
        return np.ascontiguousarray(pixels[::rows, ::columns])

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self.limits.max_pixels:
            raise MediaError(
                f"{self.path} has frames of {width:,} x {height:,} pixels, over the limit of "
                f"{self.limits.max_pixels:,}; scale it down or raise max_pixels"
            )

    def _too_long(self) -> MediaError:
        return MediaError(
            f"{self.path} is longer than {self.limits.max_seconds:,} s or {self.limits.max_frames:,} frames; "
            "give start and stop or raise the limit"
        )
