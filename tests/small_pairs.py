"""A pair set of ellipses, as 15_compose_pairs publishes one: for the tests of what reads it."""

import sys
from pathlib import Path

from rendered_set import make_set

from wbme.data import pairs
from wbme.lab import refs, store
from wbme.synth.compose import CutFace, Drawing, Material, Settings
from wbme.synth.writing import write_set

SETTINGS = Settings(drawing=Drawing("toon"), cutface=CutFace(0.0), degrade=0)


def composed(folder: Path, material: Material, settings: Settings = SETTINGS, count: int = 3) -> pairs.Pairs:
    list(write_set(folder, material, settings, count, 1))
    return pairs.gather(folder, [f"{number:05d}" for number in range(count)])


def material(folder: Path, views: int = 3, size: int = 96) -> Material:
    people, drawing, rows = make_set(folder, views=views, size=size)
    return Material(people, drawing, "plain", rows, [], seed=1)


if __name__ == "__main__":  # publish pairs/people in the workspace of the environment
    place = Path(sys.argv[1])
    composed(place / "pairs", material(place / "set"))
    refs.move({"pairs/people": store.add(place / "pairs")[0]}, "15_compose_pairs/by-hand")
