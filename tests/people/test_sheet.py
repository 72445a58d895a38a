"""Character sheets: what comes with the package is valid, and a wrong field is named with its file."""

import numpy as np
import pytest
import yaml

from wbme.base.errors import ParameterError
from wbme.people import sheet

NAMES = sorted(file.stem for file in sheet.FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_of_the_package_is_called_as_its_file(name):
    assert sheet.load(name).name == name


def test_a_path_is_read_like_a_name():
    assert sheet.load(str(sheet.path("romance"))) == sheet.load("romance")


def test_an_unknown_character_lists_the_known_ones():
    with pytest.raises(ParameterError, match=r"no character 'nobody'.*romance"):
        sheet.load("nobody")


def changed(tmp_path, *keys, value):
    """The path of a copy of a sheet in which one field has ``value`` (None: is missing)."""
    content = yaml.safe_load(sheet.path("romance").read_text())
    part = content
    for key in keys[:-1]:
        part = part.setdefault(key, {})
    if value is None:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(content))
    return str(file)


@pytest.mark.parametrize(
    ("keys", "value", "reason"),
    [
        (("eyes", "lids"), 0.1, "Extra inputs"),
        (("eyes", "lash"), "thick", "valid number"),
        (("eyes", "catchlights"), 1.5, "valid integer"),
        (("eyes", "catchlights"), 4, "less than or equal to 3"),
        (("eyes", "shape"), "square", "'hooded'"),
        (("controls", "softness"), 12.0, "less than or equal to 1"),
        (("skin", "shadow", "lightness"), -80.0, "greater than or equal to -60"),
        (("skin", "blush"), [1, 2], "Tone"),
        (("lines", "silhouette"), float("nan"), "finite number"),
        (("mouth", "teeth"), "white", "must be a colour"),
        (("skin", "colour"), None, "Field required"),
        (("geometry",), "bent", "'deformed'"),
        (("deformation", "head"), 3.0, "less than or equal to 2.2"),
        (("sheet",), 2, "Input should be 1"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(tmp_path, keys, value, reason):
    with pytest.raises(ParameterError) as error:
        sheet.load(changed(tmp_path, *keys, value=value))
    text = str(error.value)
    assert "mine.yaml" in text and ".".join(keys) in text and reason in text and "\n" not in text


@pytest.mark.parametrize(("key", "value"), [("geometry", "deformed"), ("deformation", {"head": 1.5})])
def test_geometry_and_its_numbers_go_together(tmp_path, key, value):
    with pytest.raises(ParameterError, match=r"mine\.yaml.*'deformed' needs its numbers under deformation"):
        sheet.load(changed(tmp_path, key, value=value))


def test_the_schools_are_there_aligned_and_deformed():
    sheets = [sheet.load(name) for name in NAMES]
    assert len(sheets) >= 7
    assert {one.name for one in sheets if one.deformation} == {"chibi", "slender"}


@pytest.mark.parametrize(
    "content", ["", "- a list", "name: [", "\tname: x", "name: a\nname: b\n", "? [1]\n: 2\n"]
)
def test_a_file_that_is_no_sheet_is_refused_in_one_sentence(tmp_path, content):
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(ParameterError, match=r"mine\.yaml") as error:
        sheet.load(str(file))
    assert "\n" not in str(error.value)


def test_a_key_that_stands_twice_is_not_silently_one_of_them(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(sheet.path("romance").read_text() + 'ink: "#000000"\n')
    with pytest.raises(ParameterError, match="'ink' stands there twice"):
        sheet.load(str(file))


def test_a_missing_or_binary_file_is_one_sentence(tmp_path):
    with pytest.raises(ParameterError, match="cannot read"):
        sheet.load(str(tmp_path / "none.yaml"))
    file = tmp_path / "bytes.yaml"
    file.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ParameterError, match=r"bytes\.yaml"):
        sheet.load(str(file))


def test_a_colour_is_its_srgb():
    np.testing.assert_allclose(sheet.srgb("#ff8000"), [1, 128 / 255, 0], atol=1e-7)
