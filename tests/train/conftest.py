"""A small pair set: photographs of scikit-image, and a filter of them as the drawing."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from wbme.data import pairs
from wbme.nets import layered


def write_pair(
    folder: Path, identity: str, split: str, rgb: np.ndarray, face: tuple[int, ...] | None
) -> None:
    """One pair in the layout of wbme.data.pairs: flat colours, and ink at the edges."""
    base = cv2.pyrMeanShiftFiltering(rgb, 9, 30)
    grey = cv2.cvtColor(cv2.medianBlur(base, 5), cv2.COLOR_RGB2GRAY).astype(np.float32)
    lines = cv2.GaussianBlur(grey, (0, 0), 1.0) - cv2.GaussianBlur(grey, (0, 0), 1.8)
    ink = np.clip((-lines - 3) / 3, 0, 1)[..., None]
    tones = torch.from_numpy(base.astype(np.float32) / 255).permute(2, 0, 1)[None]
    base = layered.tone(tones, 6.0, 0.0, 0.3, 1.0, 1.0)[0].permute(1, 2, 0).numpy()
    labels = np.zeros(rgb.shape[:2], np.uint8)
    points = np.zeros((0, 468, 2), np.float32)
    if face:
        left, top, right, bottom = face
        labels[top:bottom, left:right] = 1
        points = np.random.default_rng(0).uniform((left, top), (right, bottom), (1, 468, 2))
    row = {"id": identity, "split": split, "identity": identity, "light": {}, "character": "default"}
    row |= {"geometry": "aligned", "strength": 1.0, "skin": "own", "recipe": {}, "lineage": {}}
    planes = {"src": rgb.astype(np.float32) / 255, "base": base, "ink": ink[..., 0], "labels": labels}
    planes["tgt"] = base * (1 - ink) + ink * np.float32((0.06, 0.05, 0.07))
    boxes = np.concatenate([points.min(1), points.max(1)], 1)
    pairs.write(folder, row, {**planes, "points": points, "boxes": boxes})


@pytest.fixture(scope="session")
def pair_set(tmp_path_factory) -> pairs.Pairs:
    """Four pairs to train on and two of other pictures to validate on, 160 x 160."""
    folder = tmp_path_factory.mktemp("pairs")
    pictures = {"astronaut": data.astronaut(), "coffee": data.coffee(), "chelsea": data.chelsea()}
    names = []
    for name, rgb in pictures.items():
        half = cv2.resize(rgb, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        for number, x in enumerate((0, half.shape[1] - 160)):
            names.append(f"{name}{number}")
            face = (60, 10, 120, 100) if name == "astronaut" else None
            split = "val" if name == "chelsea" else "train"
            write_pair(folder, names[-1], split, np.ascontiguousarray(half[:160, x : x + 160]), face)
    return pairs.gather(folder, names)
