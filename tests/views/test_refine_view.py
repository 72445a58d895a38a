import numpy as np
from rendered_set import make_set

from wbme.data import rendered
from wbme.synth import refine
from wbme.views import refine as view


def test_original_before_and_after_show_the_same_square(tmp_path):
    people, character, rows = make_set(tmp_path / "set", views=2, size=96)
    out = tmp_path / "out"
    list(refine.write(out, people, character, rows, lambda rgb, _: rgb * 0.5, 64, {}))
    sheet = view.sheet(people, character, out, ["0001", "0002"], cell=96)
    assert sheet.shape[1] == 3 * (96 + 12) + 12
    before, after = sheet[12:108, 120:216], sheet[12:108, 228:324]
    np.testing.assert_array_equal(before[:4], after[:4])  # the ground above the hair
    assert before[30:60, 30:60].mean() > 1.5 * after[30:60, 30:60].mean()


def test_a_view_beside_itself_refined(tmp_path):
    people, character, _ = make_set(tmp_path / "set", views=1, size=96)
    layers = rendered.layers(people, character, "0001")
    both = view.beside(layers, lambda rgb, _: rgb, 64, "0001", cell=80)
    assert both.shape == (80, 160, 3)
    assert np.abs(both[:, :80] - both[:, 80:]).mean() < 0.05
