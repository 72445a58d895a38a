"""H.264 video out: the times that frames are given, the sound of another file, the whole file or none."""

import contextlib
import math
import os
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError, StoreError
from wbme.media import pyav
from wbme.media.pyav import Seconds, VideoInfo

_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
_TICKS = 10_000  # a second has at least so many ticks where the writer chooses


class Writer:
    """Context manager that writes H.264 (``yuv420p``, BT.709) as .mp4, .mov or .mkv: the whole file or none.

    ``like`` gives the frame rate and the time base of another video, in which its times are kept exactly
    (in .mkv they are rounded to milliseconds); without it ``fps`` does. The sound of ``audio_from`` is copied
    packet by packet, on the same clock. ``crf`` is x264's quality, 0 (lossless) to 51. The size is that of
    the first frame; an odd side grows by one repeated row or column, since 4:2:0 has none. Leaving the
    ``with`` block by an exception removes what was written. Raises MediaError for what cannot be written and
    StoreError where the disk refuses.
    """

    def __init__(
        self,
        path: str | Path,
        like: VideoInfo | None = None,
        *,
        fps: Fraction | float | None = None,
        audio_from: str | Path | None = None,
        crf: int = 18,
    ) -> None:
        self.path, self._crf = Path(path), crf
        self._format = _CONTAINERS.get(self.path.suffix.lower())
        if self._format is None:
            raise MediaError(
                f"cannot write {path}: videos are written as {', '.join(_CONTAINERS)}; choose one"
            )
        rate = like.fps if fps is None and like is not None else fps
        if rate is None:
            raise MediaError(f"cannot write {path}: its frame rate is not known; give like or fps")
        self._fps = Fraction(rate).limit_denominator(1001) if isinstance(rate, float) else Fraction(rate)
        if self._fps <= 0:
            raise MediaError(f"cannot write {path}: a frame rate of {rate} is not positive")
        ticks = self._fps.numerator * math.ceil(_TICKS / self._fps.numerator)
        self._base = like.time_base if like is not None else Fraction(1, ticks)
        self._audio_from = None if audio_from is None else Path(audio_from)
        self._count, self._last = 0, -math.inf
        self._shape: tuple[int, ...] | None = None

    def __enter__(self) -> Self:
        av = pyav.library()
        self._open_files = contextlib.ExitStack()
        try:
            with self._errors():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                handle, name = tempfile.mkstemp(
                    prefix=f".{self.path.name}.", suffix=".part", dir=self.path.parent
                )
                self._part = Path(name)
                self._open_files.callback(self._part.unlink, missing_ok=True)
                self._file = self._open_files.enter_context(os.fdopen(handle, "wb"))
                # MP4 counts the time before the first frame by a clock of its own, else in milliseconds.
                clock = {} if self._format == "matroska" else {"movie_timescale": str(self._base.denominator)}
                self._out = av.open(self._file, "w", format=self._format, options=clock)
                # Without B frames: they would make MP4's duration, a sum of decoding times, too short. And
                # without the macroblock tree, by which one film in two hundred had other bytes.
                options = {"preset": "veryfast", "crf": str(self._crf), "bf": "0", "mbtree": "0"}
                self._video = self._out.add_stream("libx264", rate=self._fps, options=options)
                self._sound = self._copied_sound()
                self._next_sound = next(self._sound, None)
        except BaseException:
            self._open_files.close()
            raise
        return self

    def write(self, rgb_u8: NDArray[np.uint8], time: Seconds = None) -> None:
        """Append a frame, uint8 H x W x 3, shown at ``time`` seconds (default: count / fps).

        The time is rounded to the time base and must be later than the one before.
        """
        av = pyav.library()
        if rgb_u8.dtype != np.uint8 or rgb_u8.ndim != 3 or rgb_u8.shape[2] != 3:
            raise MediaError(
                f"cannot write to {self.path}: want uint8 H x W x 3, got {rgb_u8.dtype} {rgb_u8.shape}"
            )
        if self._shape not in (None, rgb_u8.shape):
            raise MediaError(
                f"cannot write to {self.path}: the frame is {rgb_u8.shape}, those before were {self._shape}"
            )
        seconds = self._count / self._fps if time is None else Fraction(time)
        pts = round(seconds / self._base)
        if pts <= self._last:
            raise MediaError(
                f"cannot write to {self.path}: time {float(seconds):.6f} s is not later than the frame before"
            )
        if self._shape is None:
            self._begin(rgb_u8.shape)
        with self._errors():
            even = np.pad(rgb_u8, ((0, rgb_u8.shape[0] % 2), (0, rgb_u8.shape[1] % 2), (0, 0)), "edge")
            frame = av.VideoFrame.from_ndarray(even, "rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", interpolation=pyav.exact()
            )
            frame.pts, frame.time_base = pts, self._base
            self._mux(self._video.encode(frame))
            self._mux_sound(seconds)
        self._count, self._last = self._count + 1, pts

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing flushes, and removes the part file, which by then has its real name if all went well.
        with self._errors(), self._open_files:
            try:
                if kind is None:
                    self._finish()
            finally:
                with contextlib.suppress(Exception):
                    self._out.close()

    def _finish(self) -> None:
        if self._count == 0:
            raise MediaError(f"cannot write {self.path}: it was given no frame")
        with self._errors():
            self._mux(self._video.encode(None))
            self._mux_sound(None)
            self._out.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._part.chmod(0o644)
            self._part.replace(self.path)

    def _begin(self, shape: tuple[int, ...]) -> None:
        context = self._video.codec_context
        context.height, context.width = (side + side % 2 for side in shape[:2])
        context.pix_fmt, context.time_base = "yuv420p", self._base
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        context.color_range = 1  # 16 to 235
        self._shape = shape

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = packet.duration or round(1 / self._fps / self._base)
            self._out.mux(packet)

    def _copied_sound(self) -> Iterator[Any]:
        """Packets of all sound of ``audio_from``, each given its stream of the output; those come first."""
        if self._audio_from is None:
            return
        source = self._open_files.enter_context(pyav.open_file(self._audio_from))
        try:
            streams = {s.index: self._out.add_stream_from_template(s) for s in source.streams.audio}
        except ValueError as error:
            raise MediaError(
                f"{self.path.suffix} cannot hold the sound of {self._audio_from} ({error}); "
                "write .mkv or leave audio_from out"
            ) from error
        if not streams:
            return
        with contextlib.suppress(pyav.library().FFmpegError):  # sound that breaks off ends there
            for packet in source.demux(*source.streams.audio):
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    yield packet

    def _mux_sound(self, until: Fraction | None) -> None:
        while (packet := self._next_sound) is not None:
            if until is not None and packet.dts * packet.time_base > until:
                return
            self._out.mux(packet)
            self._next_sound = next(self._sound, None)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"cannot write {self.path}: {error.strerror}; free space or write elsewhere"
            ) from error
        except (pyav.library().FFmpegError, ValueError) as error:
            raise MediaError(f"cannot write {self.path}: {error}; check the size of the frames") from error
