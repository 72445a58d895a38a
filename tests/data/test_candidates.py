import os

import numpy as np
import pytest

from wbme.base.errors import MediaError, ParameterError
from wbme.base.hashing import sha256_file
from wbme.data import candidates
from wbme.media import images


@pytest.fixture
def folder(tmp_path):
    """Two groups, one of them deep, a picture at the top, and what is not for us."""
    grey = np.full((6, 8, 3), 0.5, np.float32)
    for name in ("b/2.png", "b/deep/1.png", "a/x.jpg", "top.webp"):
        images.write(tmp_path / name, grey)
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b" / "phone.heic").write_bytes(b"not read")
    return tmp_path


def test_built_in_pictures_are_the_very_files_that_their_licence_is_about():
    found = candidates.builtin()
    assert list(found) == ["portraits", "places", "scikit"]
    assert [one.name for one in found["portraits"]] == ["grace_hopper.jpg", "astronaut.png"]
    for one in (one for every in found.values() for one in every):
        assert sha256_file(one.path) == one.sha256, one.name
        assert one.licence.startswith(("CC0 (", "CC BY 2.0 (", "public domain ("))
        assert one.origin.split()[1][0].isdigit()


def test_a_package_that_is_not_installed_leaves_its_pictures_named():
    path, origin = candidates._locate("no-such-package-here", "no/such.png")
    assert origin == "no-such-package-here, not installed" and not path.exists()


def test_the_first_level_of_folders_is_the_group(folder):
    found = candidates.below(folder, "mine", "CC BY 4.0")
    assert [(one.name, one.group) for one in found] == [
        ("a/x.jpg", "a"),
        ("b/2.png", "b"),
        ("b/deep/1.png", "b"),
        ("b/phone.heic", "b"),
        ("top.webp", "mine"),
    ]
    assert {(one.licence, one.origin) for one in found} == {("CC BY 4.0", "user")}


def test_a_name_that_is_no_text_is_named_all_the_same(tmp_path):
    (tmp_path / "plain.png").write_bytes(b"x")
    try:
        os.rename(tmp_path / "plain.png", os.fsencode(tmp_path) + b"/b\xffd\nx.png")
    except OSError:
        pytest.skip("this file system wants names in UTF-8")
    [one] = candidates.below(tmp_path, "mine", "")
    assert one.name == "b\ufffdd\ufffdx.png" and one.path.read_bytes() == b"x"


def test_drawing_keeps_the_order_and_follows_the_seed(folder):
    every = candidates.below(folder, "mine", "") * 10
    assert candidates.draw(every, 0, 0) == every and candidates.draw(every, 50, 0) == every
    drawn = candidates.draw(every, 7, 1)
    assert len(drawn) == 7 and drawn == candidates.draw(every, 7, 1) != candidates.draw(every, 7, 2)
    numbered = list(range(40))
    assert candidates.draw(numbered, 9, 3) == sorted(candidates.draw(numbered, 9, 3))


@pytest.mark.parametrize("name", ["portraits", "places", "scikit", "", "two words", "a/b", "@x", ".hidden"])
def test_a_name_that_is_taken_or_none_is_refused(tmp_path, name):
    with pytest.raises(ParameterError, match="cannot be called"):
        candidates.below(tmp_path, name, "")


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(MediaError, match=r"no folder at .*nowhere"):
        candidates.below(tmp_path / "nowhere", "mine", "")


def test_fewer_than_none_cannot_be_drawn():
    with pytest.raises(ParameterError, match="cannot draw -1"):
        candidates.draw([], -1, 0)
