"""Warps: identity, landmarks met, strength, gradients, bad input; every method behind one interface."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.base.errors import ParameterError
from wbme.geometry import fields, warps
from wbme.geometry.landmarks import MESH_TO_68
from wbme.geometry.warps import METHODS, Settings, fit
from wbme.people import anatomy, body, landmarks

each = pytest.mark.parametrize("method", METHODS)
SHAPE = (256, 256)


@pytest.fixture(scope="module")
def mesh():
    """The 468 points of the mean face, seen from the front in a picture of 512 x 512."""
    points = landmarks.surface(anatomy.load(), body.mean().astype(np.float32))[:, :2].astype(float)
    points = (points - points.mean(0)) * [1, -1]
    return points * 230 / np.ptp(points[:, 0]) + [256, 280]


def cartoon(points):
    """A character's face: eyes, that is all near two places, larger; chin narrower; all of it shifted."""
    out = points.copy()
    for eye in (points[33] + points[133]) / 2, (points[263] + points[362]) / 2:
        away = points - eye
        near = np.exp(-((np.hypot(*away.T) / 35) ** 2))[:, None]
        out = out + 0.5 * near * away
    low = np.clip((points[:, 1] - points[4, 1]) / 120, 0, 1)
    out[:, 0] -= 0.3 * low * (points[:, 0] - points[4, 0])
    return out * 1.1 - [20, 35]


def scattered(seed, count=9, size=256):
    """Landmarks no nearer to each other than a tenth of the picture, and where they go."""
    rng = np.random.default_rng(seed)
    cells = rng.permutation(25)[:count]
    source = (np.stack(np.divmod(cells, 5), 1) + rng.uniform(0.25, 0.75, (count, 2))) * size / 5
    return source, source + rng.uniform(-0.04, 0.04, (count, 2)) * size


@each
@given(st.integers(0, 10**6), st.sampled_from(warps.BASES), st.floats(0, 1))
@settings(max_examples=8, deadline=None)
def test_equal_landmarks_are_the_identity(method, seed, base, strength):
    source, _ = scattered(seed)
    field = fields.field(fit(method, source, source, strength, base=base), SHAPE)
    apart = (field[0].double() - fields.places(SHAPE).double()).abs().max()
    assert apart < (1e-6 if base == "identity" else 1e-4)  # float32 holds 1.5e-5 of a pixel at 255
    inside = fit(method, source, source, strength, base=base)(torch.as_tensor(source))
    np.testing.assert_allclose(inside[0], source, atol=1e-6)


@each
@given(st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_no_strength_is_the_base_and_a_similarity_is_met_by_all(method, seed):
    source, target = scattered(seed)
    still = fit(method, source, target, 0.0)(torch.as_tensor(source))
    np.testing.assert_allclose(still[0], source, atol=1e-9)
    turn = 1.2 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    there = source @ turn.T + [12.0, -7.0]
    places = torch.rand(50, 2, dtype=torch.float64) * 400 - 70
    got = fit(method, source, there, base="similarity")(places)[0]
    np.testing.assert_allclose(got, places.numpy() @ turn.T + [12.0, -7.0], atol=1e-6)


@pytest.mark.parametrize("method", [m for m in METHODS if m != "similarity"])
def test_landmarks_arrive(method, mesh):
    source, target = mesh[list(MESH_TO_68)], cartoon(mesh)[list(MESH_TO_68)]
    warp = fit(method, source, target, base="similarity", settings=Settings(smoothing=0, blur=1e-3))
    miss = (warp(torch.as_tensor(source))[0].numpy() - target) / 230
    assert np.hypot(*miss.T).max() < (0.03 if method == "hybrid" else 2e-3)
    half = fit(method, source, target, 0.5, base="similarity", settings=Settings(smoothing=0, blur=1e-3))
    base = half.based(torch.as_tensor(source)[None])[0].numpy()
    missed = np.hypot(*(half(torch.as_tensor(source))[0].numpy() - (base + target) / 2).T) / 230
    assert missed.max() < (0.03 if method == "hybrid" else 2e-3)


def test_the_robust_base_is_the_heads(mesh):
    """Enlarged eyes and a narrow chin do not change the size that the head is given."""
    target = cartoon(mesh)
    for base, most in (("similarity", 0.12), ("robust", 0.03)):
        matrix = fit("similarity", mesh, target, base=base).base[0].numpy()
        assert abs(matrix[0, 0] - 1.1) < most


@each
@pytest.mark.parametrize("count", [68, 468])
def test_the_coarse_grid_is_near_the_dense_field(method, count, mesh):
    points = mesh if count == 468 else mesh[list(MESH_TO_68)]
    there = cartoon(mesh) if count == 468 else cartoon(mesh)[list(MESH_TO_68)]
    warp = fit(method, points, there, base="robust")
    grid = fields.places((512, 512))[::3, ::3]
    exact = warp(grid.reshape(-1, 2).double())[0].reshape(grid.shape)
    assert (fields.field(warp, (512, 512))[0, ::3, ::3] - exact).norm(dim=-1).max() < 0.1


@each
def test_a_batch_is_its_pictures(method, mesh):
    small = mesh[list(MESH_TO_68)]
    source = np.stack([small, small * 0.8 + 20])
    target = np.stack([cartoon(mesh)[list(MESH_TO_68)], small + 5])
    both = fit(method, source, target, base="robust")
    places = torch.rand(40, 2, dtype=torch.float64) * 512
    for k in range(2):
        alone = fit(method, source[k], target[k], base="robust")(places)
        np.testing.assert_allclose(both(places)[k], alone[0], atol=1e-6)


@each
def test_gradients_are_those_of_differences(method, mesh):
    source = torch.tensor(mesh[list(MESH_TO_68)], requires_grad=True)
    target = torch.tensor(cartoon(mesh)[list(MESH_TO_68)], requires_grad=True)
    places = torch.as_tensor(mesh[[4, 50, 280]])  # the nose is a landmark itself

    def total(p, q):
        return fit(method, p, q, base="similarity")(places).square().sum()

    total(source, target).backward()
    assert torch.isfinite(source.grad).all() and torch.isfinite(target.grad).all()
    for one, which in ((source, 0), (target, 1)):
        way = torch.zeros_like(one)
        way[33] = torch.tensor([0.6, 0.8])
        ends = []
        for sign in (1e-4, -1e-4):
            both = [source.detach(), target.detach()]
            both[which] = both[which] + sign * way
            ends.append(total(*both))
        slope = (ends[0] - ends[1]) / 2e-4
        torch.testing.assert_close((one.grad * way).sum(), slope, rtol=1e-3, atol=1e-2)
    field = fields.field(fit(method, source, target), (512, 512))
    picture = torch.rand(1, 3, 512, 512)
    (grad,) = torch.autograd.grad(fields.resampled(picture, field).square().mean(), target)
    assert torch.isfinite(grad).all() and grad.abs().max() > 0


GOOD = np.array([[10.0, 10], [200, 20], [120, 220], [90, 100]])


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (GOOD[:2], "3 or more points"),
        (np.zeros((4, 3)), "3 or more points"),
        (np.where(np.arange(8).reshape(4, 2) == 5, np.nan, GOOD), "point 2 is not a finite number"),
        (np.stack([np.arange(4.0), 2 * np.arange(4.0)], 1), "lie on a line"),
        (np.ones((4, 2)), "lie on a line or in one place"),
        (np.vstack([GOOD[:3], GOOD[1]]), "points 1 and 3 fall on one place"),
        (GOOD[:3], "cannot be matched"),
    ],
)
def test_bad_landmarks_are_one_sentence(source, says):
    with pytest.raises(ParameterError, match=says):
        fit("tps", source, GOOD)


def test_other_bad_input_is_one_sentence():
    with pytest.raises(ParameterError, match="no warp is called"):
        fit("bend", GOOD, GOOD)
    with pytest.raises(ParameterError, match="strength is nan"):
        fit("tps", GOOD, GOOD, float("nan"))
    with pytest.raises(ParameterError, match="reach is 9"):
        Settings(reach=9)
    with pytest.raises(ParameterError, match="outside the picture of 256 x 256"):
        fields.field(fit("tps", GOOD + 1000, GOOD), SHAPE)
