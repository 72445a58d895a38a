"""The tables and sheets of rendered people."""

import numpy as np
from rendered_set import add_group, make_set

from wbme.views import people as view


def rows_of(tmp_path):
    people, character, rows = make_set(tmp_path, views=4, size=64)
    for number, row in enumerate(rows):
        row["facts"]["framing"], row["face_width"], row["seed"] = "portrait", 20.0 + number, 0
    rows[3]["facts"]["framing"] = "full"
    return people, character, rows


def test_the_table_counts_faces_found_by_tone_and_in_all(tmp_path):
    _, _, rows = rows_of(tmp_path)
    table = view.tones(rows, {"0001": 1, "0002": 2, "0003": 0, "0004": 0})
    whole = table[table["Monk"] == "all"].iloc[0]
    assert (whole["people"], whole["views"], whole["face found"]) == (4, 4, 2)
    assert (whole["portraits"], whole["face found in portraits"]) == (3, 2)
    first = table.iloc[0]
    assert first["Monk"] == 1 and first["views"] == 2 and first["portraits"] == 1


def test_the_crowd_shows_each_person_once_in_the_order_of_tones(tmp_path, monkeypatch):
    people, _, rows = rows_of(tmp_path)
    rows[3]["identity"] = rows[0]["identity"]  # a second, larger view of the first person
    seen = {}
    monkeypatch.setattr(view, "contact_sheet", lambda tiles, **more: seen.update(more, tiles=tiles))
    view.crowd(people, rows)
    assert seen["labels"] == ["Monk 1", "Monk 5", "Monk 9"]
    assert len(seen["tiles"]) == 3 and all(tile.min() >= 0 and tile.max() <= 1 for tile in seen["tiles"])
    photo = seen["tiles"][0][40, 32]
    assert not np.allclose(seen["tiles"][0][0, 0], photo)  # a place stands behind


def test_groups_are_labelled_by_their_number(tmp_path, monkeypatch):
    people, character, _ = rows_of(tmp_path)
    seen = {}
    monkeypatch.setattr(view, "contact_sheet", lambda tiles, **more: seen.update(more, tiles=tiles))
    view.sheet(people, character, [add_group(people, character)], columns=2)
    assert seen["labels"][0] == "2 people, studio" and len(seen["tiles"]) == 4
