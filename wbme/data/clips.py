"""Stills of the videos in a user's folder, so that a clip becomes pictures of a source."""

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from wbme.base.errors import MediaError, ParameterError
from wbme.data.candidates import Candidate, printable
from wbme.media import files, images, video

SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"))


def stills(folder: Path, place: Path, every: float, name: str, licence: str) -> Iterator[Candidate]:
    """One candidate for every ``every`` seconds of each video below ``folder``, written as PNG to a numbered
    folder a video below ``place/name``.

    A video is a group of its own, called by its file name, or by the first level of sub-folders. One that
    cannot be read comes as a candidate with the reason in ``rejected``. ``every`` = 0 takes none.
    Raises ParameterError where ``every`` is no such number of seconds.
    """
    if not 0 <= every < math.inf:
        raise ParameterError(f"stills every {every} s cannot be taken: give seconds above 0, or 0 for none")
    if every == 0:
        return
    for index, path in enumerate(files.below(folder, SUFFIXES), start=1):
        parts = [printable(part) for part in path.relative_to(folder).parts]
        label = "/".join(parts)
        whole = Candidate(path, label, parts[0], licence, "user")
        try:
            for number, frame in enumerate(_spaced(path, Fraction(every))):
                still = place / name / f"{index:04d}" / f"{number:05d}.png"
                images.write(still, frame.rgb_u8)
                yield replace(whole, path=still, name=f"{label} at {float(frame.time):.2f} s")
        except MediaError as error:
            yield replace(whole, rejected=str(error))


def _spaced(path: Path, every: Fraction) -> Iterator[video.Frame]:
    """The first frame at or after each multiple of ``every`` seconds from the clip's beginning."""
    due = None
    for frame in video.frames(path):
        if due is None or frame.time >= due:
            due = (frame.time if due is None else due) + every
            yield frame
