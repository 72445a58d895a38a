"""A clip becomes stills at the asked distance; a broken one is named with its reason."""

from fractions import Fraction

import numpy as np
import pytest
import skimage

from wbme.base.errors import ParameterError
from wbme.data import clips, sources
from wbme.media.video import Writer


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "clips"
    (place / "day").mkdir(parents=True)
    portrait = skimage.data.astronaut()
    with Writer(place / "day" / "a.mp4", fps=10) as writer:
        for turn in range(25):
            writer.write(np.roll(portrait, 2 * turn, axis=1))
    (place / "b.mov").write_bytes(b"no video at all")
    return place


def test_stills_at_the_asked_distance_and_a_reason_for_the_rest(folder, tmp_path):
    made = list(clips.stills(folder, tmp_path / "stills", 1.0, "user", "CC0"))
    assert [c.name for c in made] == [
        "b.mov",
        "day/a.mp4 at 0.00 s",
        "day/a.mp4 at 1.00 s",
        "day/a.mp4 at 2.00 s",
    ]
    assert {c.group for c in made[1:]} == {"day"}
    source = sources.write(tmp_path / "out", made)
    assert [row["faces"] for row in source.pictures] == [1, 1, 1]
    eyes = source.landmarks[:, 33, 0]
    assert np.allclose(np.diff(eyes), 20, atol=2), "the face moved by two pixels a frame, ten frames a second"
    [rejected] = source.rejected
    assert rejected["name"] == "b.mov"
    assert str(folder) not in rejected["why"]


def test_none_are_taken_unless_asked(folder, tmp_path):
    assert list(clips.stills(folder, tmp_path / "stills", 0.0, "user", "CC0")) == []


def test_a_fraction_of_the_frame_rate_takes_every_frame(folder, tmp_path):
    made = list(clips.stills(folder / "day", tmp_path / "stills", float(Fraction(1, 25)), "user", "CC0"))
    assert len(made) == 25


def test_every_video_has_stills_of_its_own(folder, tmp_path):
    (folder / "day-a.mp4").write_bytes((folder / "day" / "a.mp4").read_bytes())
    made = [
        still
        for name in ("one", "other")
        for still in clips.stills(folder, tmp_path / "stills", 1.0, name, "CC0")
        if not still.rejected
    ]
    assert len({still.path for still in made}) == len(made) == 12
    assert all(still.path.is_file() for still in made)


@pytest.mark.parametrize("every", [float("nan"), float("inf"), -1.0])
def test_a_distance_that_is_none_is_refused(folder, tmp_path, every):
    with pytest.raises(ParameterError, match="cannot be taken"):
        list(clips.stills(folder, tmp_path / "stills", every, "user", "CC0"))
