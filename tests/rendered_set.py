"""A small rendered set made of ellipses, in the layout of a real one: for the tests of what reads it."""

import json

import cv2
import numpy as np

from wbme.data import planes
from wbme.geometry.parsing import INDEX

TONES = {1: (0.9, 0.8, 0.7), 5: (0.75, 0.6, 0.45), 9: (0.25, 0.18, 0.14)}


def labels_of(size: int) -> np.ndarray:
    """Hair around a face with two eyes and lips, a neck and shoulders."""
    labels = np.zeros((size, size), np.uint8)

    def ellipse(name, x, y, width, height):
        at, axes = (round(x * size), round(y * size)), (round(width * size), round(height * size))
        cv2.ellipse(labels, at, axes, 0, 0, 360, INDEX[name], -1)

    ellipse("cloth", 0.5, 1.0, 0.4, 0.25)
    ellipse("neck", 0.5, 0.72, 0.08, 0.12)
    ellipse("hair", 0.5, 0.4, 0.27, 0.3)
    ellipse("skin", 0.5, 0.45, 0.18, 0.24)
    ellipse("r_eye", 0.42, 0.42, 0.04, 0.02)
    ellipse("l_eye", 0.58, 0.42, 0.04, 0.02)
    ellipse("u_lip", 0.5, 0.58, 0.06, 0.02)
    return labels


def make_set(folder, views: int = 4, size: int = 96, character: str = "plain"):
    """Folders of the people and of their character, and the rows of the views, the last one in val."""
    people, drawing = folder / "people", folder / "characters" / character
    labels, rows = labels_of(size), []
    alpha = (labels > 0).astype(np.float32)
    points = np.random.default_rng(0).uniform(0.3, 0.6, (468, 3)) * size
    for number in range(views):
        view, monk = f"{number + 1:04d}", list(TONES)[number % len(TONES)]
        colours = np.full((20, 3), 0.4)
        colours[[1, 10, 14, 19]] = TONES[monk]
        colours[INDEX["hair"]], colours[INDEX["cloth"]] = (0.3, 0.2, 0.1), (0.2, 0.3, 0.6)
        albedo = colours[labels].astype(np.float32) * alpha[..., None]
        side = np.where(np.arange(size) < size * 0.5, 1.0, 0.6).astype(np.float32)[None, :, None]
        palette = np.where(np.isin(labels, [1, 14])[..., None], (0.98, 0.86, 0.77), albedo)
        seen = np.isin(labels, [4, 5])
        edge = cv2.morphologyEx(alpha, cv2.MORPH_GRADIENT, np.ones((3, 3)))
        place, drawn = people / "views" / view, drawing / view
        planes.write(place / "photo.png", np.dstack([albedo * side, alpha]))
        planes.write(place / "labels.png", labels)
        planes.write(place / "albedo.png", albedo)
        planes.write(place / "shading.png", np.broadcast_to(side[..., 0], labels.shape))
        np.savez(place / "points.npz", landmarks=points.astype(np.float32))
        planes.write(drawn / "palette.png", np.dstack([palette, alpha]))
        planes.write(drawn / "oracle.png", np.dstack([albedo, alpha]))
        planes.write(drawn / "ink.png", edge)
        planes.write(drawn / "drawn.png", np.dstack([np.full((size, size, 3), 0.95), seen]))
        rows.append(
            {
                "schema": 1,
                "id": view,
                "identity": f"p{number:04d}",
                "split": "val" if number == views - 1 else "train",
                "facts": {"monk": monk},
                "light": {"name": "studio"},
                "characters": [character],
                "generator": "test",
            }
        )
    (people / "views.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return people, drawing, rows


def add_group(people, drawing):
    """A view of the persons 0 and 1 of a set side by side, each half as wide; its row."""
    for folder, place in ((people / "views", people / "groups"), (drawing, drawing / "groups")):
        for path in (folder / "0001").glob("*.png"):
            one, other = (cv2.imread(str(folder / n / path.name), -1)[:, ::2] for n in ("0001", "0002"))
            (place / "g0001").mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(place / "g0001" / path.name), np.hstack([one, other]))
    home, size = people / "groups" / "g0001", len(one)
    number = np.where(np.arange(size) < one.shape[1], 1, 2)[None] * (planes.read(home / "labels.png", 1) > 0)
    planes.write(home / "person.png", number.astype(np.uint8))
    points = np.load(people / "views" / "0001" / "points.npz")["landmarks"][:, :2] * (0.5, 1)
    np.savez(
        home / "points.npz", landmarks=np.stack([points, points + np.array([size / 2, 0])]).astype(np.float32)
    )
    row = {"schema": 1, "id": "g0001", "identity": "p0000+p0001", "split": "train", "generator": "test"}
    row |= {"people": [{}, {}], "facts": {"framing": "half"}, "light": {"name": "studio"}}
    (people / "groups.jsonl").write_text(json.dumps(row) + "\n")
    return row
