"""Choices as files: kept whole, read strictly, and counted only for the drawings that they were about."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbme.base.errors import StoreError
from wbme.data import choices
from wbme.data.choices import Choice

A, B, C = (f"{k:064x}" for k in (10, 11, 12))
ASKED = "Which is better?"


def choice(chosen="left", left=A, right=B, **other):
    about = {"picture": "portraits/a.png", "seconds": 2.5, "rater": "anna", "question": ASKED, "time": 100.0}
    return Choice(left=left, right=right, chosen=chosen, **(about | other))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "choices.jsonl"
    rows = [choice(time=float(k), picture=f"portraits/{k}.png", rater="Ännä") for k in range(3)]
    choices.write(path, rows)
    return path, rows


def test_what_is_written_is_read(file):
    path, rows = file
    assert choices.read(path) == (rows, [])
    first = json.loads(path.read_text("utf-8").splitlines()[0])
    assert first["schema"] == 1 and set(first) == {"schema", *Choice.model_fields}


def test_csv_of_a_spreadsheet_is_read(file):
    path, rows = file
    given = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    table = [",".join(given[0]), *(",".join(map(str, row.values())) for row in given)]
    other = path.with_suffix(".csv")
    other.write_text("\r\n".join(table) + "\r\n", "utf-8-sig")
    assert choices.read(other) == (rows, [])
    other.write_text("\n".join(table)[:-2], "utf-8")
    kept, [said] = choices.read(other)
    assert kept == rows[:2] and "line 4" in said and "cut off" in said


def test_a_line_cut_off_anywhere_costs_that_line_alone(file):
    path, rows = file
    whole = path.read_bytes()
    last = len(whole.rstrip().rsplit(b"\n", 1)[0]) + 1
    for end in range(last + 1, len(whole) - 1, 7):
        path.write_bytes(whole[:end])
        try:
            kept, [said] = choices.read(path)
        except StoreError as error:  # cut in the middle of a letter
            assert "no UTF-8" in str(error)
            continue
        assert kept == rows[:2] and said.startswith(f"line 3 of {path}") and "left out" in said
    path.write_bytes(whole[:-1])  # only the end of the line is missing
    assert choices.read(path) == (rows, [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"chosen": "both"}, "chosen"),
        ({"left": "abc"}, "left"),
        ({"left": B}, "the same drawing"),
        ({"seconds": -1}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"rater": ""}, "rater"),
        ({"rater": "a\nb"}, "rater"),
        ({"model": "student"}, "model"),
    ],
)
def test_a_line_that_is_no_choice_is_left_out_with_its_reason(file, change, why):
    path, rows = file
    bad = {"schema": 1, **choice().model_dump(), **change}
    path.write_text(json.dumps(bad) + "\n" + path.read_text("utf-8"), "utf-8")
    kept, [said] = choices.read(path)
    assert kept == rows and why in said and said.startswith("line 1")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "holds no choice"),
        (b"[1, 2]\n", "holds no choice"),
        (b"\x89PNG\r\n\x1a\n\x00", "no UTF-8"),
        (b'{"schema": 2}\n', "schema 2, this wbme reads 1"),
        (b'{"chosen": "left"}\n', "schema None"),
        (b"[" * 100_000, "holds no choice"),
    ],
)
def test_a_file_that_is_none_of_choices_is_refused_in_a_sentence(tmp_path, content, why):
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=why):
        choices.read(path)


def test_a_file_that_is_missing_or_far_too_large_is_refused(tmp_path):
    with pytest.raises(StoreError, match="No such file"):
        choices.read(tmp_path / "none.jsonl")
    with open(tmp_path / "huge.jsonl", "wb") as stream:
        stream.truncate(65 << 20)
    with pytest.raises(StoreError, match="65 MB"):
        choices.read(tmp_path / "huge.jsonl")


def test_files_and_folders_are_gathered_once_and_the_last_word_counts(file, tmp_path):
    path, rows = file
    later = rows[1].model_copy(update={"chosen": "right", "time": 50.0})
    sides = rows[2].model_copy(update={"left": B, "right": A, "time": 60.0})
    for name, content in (("one", [later]), ("two", [sides, rows[0]]), ("empty", [])):
        choices.write(tmp_path / name / "choices.jsonl", content)
    choices.write(
        tmp_path / "run/outputs/choices.jsonl", [choice(rater="imported")]
    )  # of a run, not chosen in it
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd/choices.jsonl").write_text('{"schema": 7}\n')
    found, said = choices.gather([path, tmp_path])
    assert set(found) == {rows[0], later, sides}
    assert len(said) == 2 and "schema 7" in said[0] and "2 choices were made again" in said[1]
    with pytest.raises(StoreError, match="schema 7"):
        choices.gather([tmp_path / "odd/choices.jsonl"])


DRAWN = {"portraits/a.png": {"old": A, "new": B, "twin": B}, "portraits/b.png": {"old": B, "new": A}}


@given(st.sampled_from(["left", "right", "none"]), st.booleans(), st.sampled_from(list(DRAWN)))
def test_a_vote_names_the_model_whose_drawing_was_chosen(chosen, turned, picture):
    left, right = (B, A) if turned else (A, B)
    [vote], said = choices.votes([choice(chosen, left, right, picture=picture)], DRAWN, ASKED)
    assert (vote.first, vote.second, said) == ("old", "new", [])
    winner = {"left": left, "right": right}.get(chosen)
    assert vote.score == (0.5 if winner is None else float(DRAWN[picture]["old"] == winner))
    assert vote.left == (DRAWN[picture]["old"] == left)


def test_choices_about_other_drawings_or_questions_do_not_count(file):
    others = [choice(right=C), choice(picture="portraits/c.png"), choice(question="Which is bolder?")]
    votes, said = choices.votes([choice(), *others], DRAWN, ASKED)
    assert len(votes) == 1
    assert [text.split(":")[0][:38] for text in said] == [
        "1 of 4 choices answer another question",
        "2 of 4 choices are about drawings that",
    ]


def test_a_digest_is_of_what_is_seen():
    rgb = np.random.default_rng(0).random((4, 6, 3)).astype(np.float32)
    assert choices.digest(rgb) == choices.digest(rgb + np.float32(1e-7))
    seen = np.rint(rgb * 255)
    assert choices.digest(rgb) == choices.digest((seen / 255).astype(np.float32))
    seen[2, 3, 1] += 1 if seen[2, 3, 1] < 255 else -1
    others = [(seen / 255).astype(np.float32), rgb.reshape(6, 4, 3), rgb[:, ::-1]]
    assert choices.digest(rgb) not in map(choices.digest, others)
