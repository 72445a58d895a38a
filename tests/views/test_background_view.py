import numpy as np
import pytest

from wbme.metrics import structure
from wbme.synth import teachers
from wbme.synth.abstraction import Abstraction, texture_teacher
from wbme.views import background as view


@pytest.fixture(scope="module")
def rgb():
    return np.random.default_rng(0).random((60, 90, 3), np.float32)


def test_pictures_are_fitted_from_their_middle(rgb):
    assert view.fitted(rgb, 30, 30).shape == (30, 30, 3)
    np.testing.assert_array_equal(view.fitted(rgb, 60, 60), rgb[:, 15:75])
    wide = view.fitted(np.repeat(rgb[:, :1], 90, axis=1), 120, 40)
    assert wide.shape == (120, 40, 3) and wide.min() >= 0 and wide.max() <= 1


def test_a_row_a_picture_a_column_a_teacher(rgb):
    found = teachers.named([2.0], [2.0])
    drawings = {"photograph": [rgb, rgb], **{name: [draw(rgb)] * 2 for name, draw in found.items()}}
    sheet = view.sheet(["one", "two"], drawings, cell=90)
    assert sheet.shape[1] == 3 * (90 + 12) + 12
    top, bottom = sheet[12:102, 114:204], sheet[12 + len(sheet) // 2 - 6 :, 114:204][:90]
    np.testing.assert_allclose(top, bottom, atol=1e-6)
    drawn = next(iter(found.values()))(rgb)
    np.testing.assert_allclose(top[15:75], drawn, atol=0.003)


def test_controls_and_layers_show_what_they_say(rgb):
    assert view.knobs(rgb, [1.0, 5.0], [1.0, 2.0, 3.0], cell=90).shape[1] == 3 * (90 + 12) + 12
    sheet = view.layers(rgb, Abstraction(2, 2), cell=90)
    ink = texture_teacher(rgb, Abstraction(2, 2)).ink
    np.testing.assert_allclose(sheet[27:87, 216:306, 0], 1 - ink, atol=0.003)
    np.testing.assert_array_equal(view.quick(rgb, 2, 2, tones=3.0), view.quick(rgb, 2, 2, 1.0, 3.0))


def test_shares_are_the_means_over_the_drawings(rgb):
    plain = np.full_like(rgb, 0.5)
    table = view.structures({"a": [rgb, plain], "b": [plain]}).set_index("teacher")
    assert table.loc["b", "flat (%)"] == 100 and table.loc["b", "lines (%)"] == 0
    wanted = 50 * (structure.flat_share(rgb) + 1)
    assert table.loc["a", "flat (%)"] == pytest.approx(wanted)


def test_a_line_a_teacher_on_a_scale_of_powers_of_ten():
    figure = view.stability({"photograph": [1e-4, 2e-4], "L0": [3e-4, 4e-4]})
    [axes] = figure.axes
    assert [line.get_label() for line in axes.lines] == ["photograph", "L0"]
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [3e-4, 4e-4])
    assert axes.get_yscale() == "log" and axes.lines[0].get_color() != axes.lines[1].get_color()
