"""A video through a Stylizer, frame by frame: steady heads, a steady tone, its times and its sound."""

import math
import time
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from wbme.apps import heads, tiles
from wbme.apps.deforming import Deformer
from wbme.apps.heads import Head
from wbme.apps.pictures import Done
from wbme.apps.stylizer import Stylizer
from wbme.apps.tiles import Progress, Rgb
from wbme.media import video
from wbme.perception.faces import Face, detect

_EVERY = 5  # frames from one look for faces to the next
_PROBES = 5  # frames that decide at which scale the video is drawn
_FOLLOW = 0.12  # seconds in which a head's place goes most of the way to where it was seen
_FADE = 0.4  # ... and in which its own drawing comes and goes
_SETTLE = 1.0  # ... and in which the tone follows the skin
_CUT = 0.12  # two frames that differ by more than this, on average, are of different scenes


def convert(
    stylizer: Stylizer,
    source: Path,
    target: Path,
    *,
    faces: bool = True,
    deformer: Deformer | None = None,
    progress: Progress | None = None,
) -> Done:
    """Draw the video at ``source`` and write it to ``target`` with the times of its frames and its sound.

    Frames come upright and one at a time, so that memory does not grow with the length; the whole file
    appears under its name at the end, or none. Faces are looked for in every fifth frame and followed in
    between; scale and tone are those of the clip, not of the frame, so that neither flickers. A ``deformer``
    reshapes people by meshes and poses that it follows in every frame. ``progress`` gets the frames done and
    their number, 0 where the file does not say. Raises MediaError and StoreError as ``wbme.media.video``.
    """
    start = time.monotonic()
    reader = video.Reader(source)
    info = reader.info
    drawing = Drawing(stylizer, _scale(stylizer, source, info) if faces else 1.0, faces, deformer)
    count, last = 0, None
    with video.Writer(target, info, audio_from=source if info.has_audio else None) as writer:
        for frame in reader:
            if last is not None and frame.time <= last:
                continue
            rgb = np.divide(frame.rgb_u8, 255, dtype=np.float32)
            drawn = drawing.next(rgb, float(1 / info.fps if last is None else frame.time - last))
            writer.write(np.rint(np.clip(drawn, 0, 1) * 255).astype(np.uint8), frame.time)
            count, last = count + 1, frame.time
            if progress:
                progress(count, info.frames or 0)
    notes = [f"{reader.skipped} damaged frames left out"] if reader.skipped else []
    if faces and not drawing.most:
        notes.append("no face found, drawn as a whole")
    return Done(info.width, info.height, drawing.most, time.monotonic() - start, count, notes)


class Drawing:
    """A clip as it is drawn: one ``scale``, heads looked for now and then (unless ``faces`` is off) and
    followed in between, and what the ``deformer`` follows. ``most``: faces seen at once so far."""

    def __init__(
        self, stylizer: Stylizer, scale: float, faces: bool = True, deformer: Deformer | None = None
    ) -> None:
        self._stylizer, self._scale, self._faces, self._deformer = stylizer, scale, faces, deformer
        self._tracks, self._seen, self._count, self._due = Tracks(), None, 0, 0
        self.most = 0

    def next(self, rgb: Rgb, elapsed: float) -> Rgb:
        """The drawing of the next frame (H x W x 3 sRGB in [0, 1]), ``elapsed`` seconds after the last."""
        small = tiles.resized(rgb, 16, 16)
        if self._seen is None or np.abs(small - self._seen).mean() > _CUT:
            self._tracks, self._due = Tracks(), self._count
            if self._deformer:
                self._deformer.reset()
        self._seen = small
        found = None
        if self._count == self._due:
            self._due += _EVERY
            found = _look(rgb) if self._faces else []
            self.most = max(self.most, len(found))
            self._tracks.see(found, self._stylizer.skin_level(rgb, found))
        self._count += 1
        present, luma = self._tracks.after(elapsed)
        if self._deformer:
            rgb = self._deformer.frame(rgb, found, elapsed)
            present = self._deformer.heads(present)
        return self._stylizer.draw(rgb, present, luma, scale=self._scale)


def frames(stylizer: Stylizer, clip: Iterable[Rgb], fps: float = 25.0) -> list[Rgb]:
    """The drawings of a short ``clip`` held in memory, at the scale of its first frame's largest face."""
    pictures = list(clip)
    drawing = Drawing(stylizer, stylizer.scale([heads.head_of(face) for face in _look(pictures[0])]))
    return [drawing.next(rgb, 1 / fps) for rgb in pictures]


def _look(rgb: Rgb) -> list[Face]:
    return detect(rgb, range="full", rotations="none", irises=False)


def _scale(stylizer: Stylizer, source: Path, info: video.VideoInfo) -> float:
    """One scale for the whole clip: that of the median of the largest faces of a few frames."""
    step = (info.duration or Fraction(0)) / _PROBES
    starts = [step * k for k in range(_PROBES)] if step else [None]
    shown = filter(None, (next(video.frames(source, start), None) for start in starts))
    looks = [_look(np.divide(frame.rgb_u8, 255, dtype=np.float32)) for frame in shown]
    largest = sorted(
        (max(map(heads.head_of, found), key=lambda head: head.face) for found in looks if found),
        key=lambda head: head.face,
    )
    return stylizer.scale(largest[len(largest) // 2 :][:1])


class Tracks:
    """Heads and skin luma over time: seen now and then, moved smoothly, faded in and out."""

    def __init__(self) -> None:
        self._now: list[Head] = []
        self._aim: list[Head] = []
        self._luma: float | None = None
        self._luma_aim = 0.0
        self._found = False

    def see(self, faces: list[Face], luma: float) -> None:
        """What a frame shows. A head within three quarters of a face's width of one that is followed is that
        one; others fade in, but those of the first frame are there at once."""
        free = [heads.head_of(face) for face in faces]
        if self._luma is None:
            self._now, self._aim, self._luma = list(free), list(free), luma
        for index, head in enumerate(self._now):
            near = min(free, key=lambda seen: math.hypot(seen.x - head.x, seen.y - head.y), default=None)
            if near and math.hypot(near.x - head.x, near.y - head.y) < 0.75 * max(near.face, head.face):
                self._aim[index] = near
                free.remove(near)
            else:
                self._aim[index] = head._replace(weight=0.0)
        self._now += [head._replace(weight=0.0) for head in free]
        self._aim += free
        if faces or not self._found:  # a face that is lost for a moment does not change the tone
            self._luma_aim = luma
        self._found = self._found or bool(faces)

    def after(self, seconds: float) -> tuple[list[Head], float]:
        """The heads and the luma ``seconds`` later."""
        follow, fade, settle = (1 - math.exp(-seconds / span) for span in (_FOLLOW, _FADE, _SETTLE))
        moved = []
        for head, aim in zip(self._now, self._aim, strict=True):
            x, y, face = (a + follow * (b - a) for a, b in zip(head[:3], aim[:3], strict=True))
            moved.append(Head(x, y, face, head.weight + fade * (aim.weight - head.weight)))
        kept = [k for k, head in enumerate(moved) if head.weight > 0.01 or self._aim[k].weight > 0]
        self._now, self._aim = [moved[k] for k in kept], [self._aim[k] for k in kept]
        luma = self._luma or 0.0
        self._luma = luma + settle * (self._luma_aim - luma)
        return self._now, self._luma
