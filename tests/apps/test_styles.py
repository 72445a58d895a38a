"""Styles: what is saved is read back exactly, and what cannot be is one sentence that loses nothing."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.apps import styles
from wbme.apps.styles import Style
from wbme.apps.stylizer import RANGES
from wbme.base.errors import ParameterError

NUMBERS = st.fixed_dictionaries({}, optional={name: st.floats(*RANGES[name]) for name in styles.NUMBERS})
INKS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
CARD = {
    "name": "tiny",
    "controls": {"line_threshold": 0.25, "levels": 6.0, "phase": 0.0, "ink_colour": [0.1, 0.05, 0.1]},
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return str(tmp_path_factory.mktemp("styles") / "night.yaml")


@settings(max_examples=30)
@given(numbers=NUMBERS, ink=INKS, about=st.text(max_size=60))
def test_what_is_saved_is_read_back_to_the_last_bit(file, numbers, ink, about):
    styles.save(Style("live", numbers, ink, about), file, True)
    assert styles.find(file) == Style("night", numbers, ink, about)


def test_a_name_goes_to_the_workspace_and_nothing_is_replaced_unless_said(home):
    first, second = Style("a", {"levels": 5.0}), Style("a", {"levels": 6.0})
    file = styles.save(first, "night_2")
    assert file == home / "recipes" / "night_2.yaml" and styles.find("night_2").numbers == {"levels": 5.0}
    before = file.read_bytes()
    with pytest.raises(ParameterError, match="is there already: choose another name, or say"):
        styles.save(second, "night_2")
    assert file.read_bytes() == before
    styles.save(second, "night_2", True)
    assert styles.find("night_2").numbers == {"levels": 6.0}
    assert [path.name for path in file.parent.iterdir()] == ["night_2.yaml"]


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/b", "/etc/passwd", "A", "a b", ".x", "x" * 41, "ä", "a\n"]
)
def test_what_is_no_name_reads_and_writes_nothing(home, name):
    for act in (lambda: styles.find(name), lambda: styles.save(Style("a", {"levels": 5.0}), name)):
        with pytest.raises(ParameterError, match="is no style: give a path that ends in") as caught:
            act()
        assert "\n" not in str(caught.value)
    assert not (home / "recipes").exists()


@pytest.mark.parametrize("file", ["Night.yaml", "a b.yaml", "deep/Ä.yaml"])
def test_a_path_must_end_in_a_name(tmp_path, file):
    with pytest.raises(ParameterError, match="cannot be the name of a style"):
        styles.save(Style("a", {"levels": 5.0}), str(tmp_path / file))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no style of wbme: it must say 'style: 1'"),
        ("recipe: 1\n", "is no style of wbme"),
        ("style: 2\nink: '#000000'\n", "is no style of wbme"),
        ("style: 1\n", "sets nothing: give ink, or controls"),
        ("style: 1\nskin: own\n", "there is no 'skin' in a style: it has style, name"),
        ("style: 1\ncontrols: {blur: 1}\n", "there is no control 'blur': choose line_threshold"),
        ("style: 1\ncontrols: {ink_colour: [0, 0, 0]}\n", "there is no control 'ink_colour'"),
        ("style: 1\ncontrols: {levels: 1}\n", "levels must be a number from 2 to 64, not 1"),
        ("style: 1\ncontrols: {levels: yes}\n", "levels must be a number from 2 to 64, not True"),
        ("style: 1\ncontrols: {levels: .nan}\n", "levels must be a number from 2 to 64, not nan"),
        ("style: 1\ncontrols: {levels: 8, levels: 4}\n", "'levels' stands there twice"),
        ("style: 1\ncontrols: {levels: 010}\n", "would be read as another number"),
        ("style: 1\ncontrols: [levels]\n", "controls 'name: number' lines"),
        ("style: 1\nink: red\n", 'ink red is no colour: write it as "#1a1420"'),
        ("style: 1\nink: 123456\n", "ink 123456 is no colour"),
        ("style: 1\nname: ../x\nink: '#000000'\n", "'../x' cannot be the name of a style"),
        ("style: 1\nabout: 7\nink: '#000000'\n", "about is a line of text"),
        ("style: [1\n", "cannot be read as YAML"),
        ("!!python/object/apply:os.system [true]\n", "cannot be read as YAML"),
    ],
)
def test_a_file_that_is_wrong_is_one_sentence_that_names_it(tmp_path, text, sentence):
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(ParameterError, match=re.escape(sentence)) as caught:
        styles.find(str(file))
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_and_an_unknown_name(home, tmp_path):
    with pytest.raises(ParameterError, match=r"cannot read .*none\.yaml"):
        styles.find(str(tmp_path / "none.yaml"))
    styles.save(Style("a", {"levels": 5.0}), "mine")
    with pytest.raises(ParameterError, match="no style 'nobody': choose one of mine, action, chibi"):
        styles.find("nobody")


@pytest.mark.parametrize("name", styles.characters())
def test_every_character_has_a_setting_that_can_be_saved(home, name):
    style = styles.find(name)
    assert set(style.numbers) == {*styles.NUMBERS} - {"phase"} and style.ink
    styles.save(style, "copy")
    assert styles.find("copy").controls == style.controls


def test_a_setting_is_that_of_the_model_then_the_style_then_the_changes(home, tmp_path):
    trained = styles.setting(CARD)
    assert (
        trained.numbers == {"line_threshold": 0.25, "levels": 6.0, "phase": 0.0} and trained.ink == "#1a0d1a"
    )
    styles.save(Style("a", {"levels": 5.0}), "five")
    made = styles.setting(CARD, "five", ["phase = 0.5", "ink=#101010"])
    assert made.numbers == {"line_threshold": 0.25, "levels": 5.0, "phase": 0.5} and made.ink == "#101010"
    for change, sentence in (
        ("levels", "must read like"),
        ("blur=1", "no control"),
        ("levels=99", "from 2 to 64"),
    ):
        with pytest.raises(ParameterError, match=sentence):
            styles.setting(CARD, changes=[change])
    with pytest.raises(ParameterError, match="has no live controls"):
        styles.setting({"name": "plain", "controls": {}})
