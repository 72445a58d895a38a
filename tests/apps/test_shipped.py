"""The student that comes with wbme: small, licensed, and it draws."""

import json
from pathlib import Path

import numpy as np

import wbme
from wbme.apps.stylizer import Stylizer
from wbme.data import candidates
from wbme.media import images
from wbme.metrics import structure
from wbme.runtime import export

ASSETS = Path(wbme.__file__).parent / "assets"


def test_every_shipped_network_has_a_card_a_licence_and_is_small():
    assert export.shipped() == ["student"]
    for name in export.shipped():
        card = json.loads((ASSETS / f"{name}.json").read_text())
        assert card["licence"] == "Apache-2.0" and card["training"]["data"] and card["note"]
    assert sum(path.stat().st_size for path in ASSETS.iterdir()) < 20e6
    assert (ASSETS / "student.safetensors").stat().st_size < 3e6


def test_the_shipped_student_draws_a_photograph(tmp_path, monkeypatch):
    """Flatter than the photograph, darker lines where its outline is, and its colours kept."""
    monkeypatch.setenv("WBME_ASSETS", str(tmp_path))
    folder = export.model_folder("student")
    assert folder.is_relative_to(tmp_path) and export.model_folder("student") == folder
    astronaut = candidates.builtin()["portraits"][1]
    assert astronaut.name == "astronaut.png"
    photo = images.read(astronaut.path).rgb
    drawn = Stylizer(folder).picture(photo, [])
    assert drawn.shape == photo.shape and drawn.dtype == np.float32
    assert structure.flat_share(drawn) > structure.flat_share(photo) + 0.1
    assert np.abs(drawn.mean((0, 1)) - photo.mean((0, 1))).max() < 0.06
    bold = Stylizer(folder, lines=1.0).picture(photo, [])
    assert (bold.min(2) < 0.15).mean() > (drawn.min(2) < 0.15).mean() + 0.01
