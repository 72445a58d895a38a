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


def drawn(photo, **how):
    return Stylizer(export.folded(export.model_folder("student"), **how)).picture(photo, [])


def astronaut():
    return images.read(candidates.builtin()["portraits"][1].path).rgb[:400, :400]


def test_weaker_it_draws_fewer_lines_and_is_no_cross_fade():
    """Less strength is another drawing, not the photograph shining through: what it changes is not a share of
    what the full strength changes."""
    photo = astronaut()
    full, half, faint = (drawn(photo, strength=strength) for strength in (1.0, 0.6, 0.3))
    share = [structure.lines(rgb).mean() for rgb in (full, half, faint)]
    assert share[0] > 1.3 * share[1] > 1.3 * 1.3 * share[2]
    assert structure.flat_share(faint) > structure.flat_share(photo) + 0.1
    change, whole = (faint - photo).ravel(), (full - photo).ravel()
    along = (change @ whole) / (whole @ whole)
    assert np.square(change - along * whole).sum() > 0.4 * np.square(change).sum()


def test_weaker_its_tones_stay_nearer_to_the_photograph():
    """Under the lines, too, strength is learned: what the network itself makes of the tones, before any
    control."""
    photo, plain = astronaut(), {"line_threshold": 20.0, "levels": 64, "softness": 1.0, "saturation": 1.0}
    for character in ("romance", "action", "ink"):
        weights = export.model_folder("student")
        graphs = [export.folded(weights, character, strength) for strength in (1.0, 0.6, 0.3)]
        tones = [Stylizer(graph).under(plain).picture(photo, []) for graph in graphs]
        full, half, faint = (np.abs(rgb - photo).mean() for rgb in tones)
        assert full > 1.05 * half > 1.05 * 1.02 * faint


def test_each_character_draws_in_its_own_way():
    photo = astronaut()
    found = {name: drawn(photo, character=name) for name in ("action", "painterly", "ink")}
    found["romance"] = drawn(photo)
    dark = {name: (rgb.max(2) < 0.2).mean() for name, rgb in found.items()}
    assert dark["painterly"] < dark["romance"] < dark["action"] < dark["ink"]
    grey = Stylizer(export.folded(export.model_folder("student"), "ink"), controls={"saturation": 0.0})
    assert np.ptp(grey.picture(photo, []), axis=2).mean() < 0.02, "ink is printed by a control"


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
