"""Tiles: as if the picture had gone through at once, whatever its size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbme.apps import tiles


def smooth(rgb):
    """A stand-in network that knows 2 pixels around each and the cells of 16 x 16 pixels."""
    import cv2

    assert rgb.shape[0] % 8 == 0 and rgb.shape[1] % 8 == 0 and rgb.dtype == np.float32
    height, width = rgb.shape[:2]
    cells = rgb.reshape(height // 16, 16, width // 16, 16, 3).mean((1, 3))
    near = cv2.blur(rgb, (5, 5), borderType=cv2.BORDER_CONSTANT)
    return (near + cells.repeat(16, 0).repeat(16, 1)) / 2


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([32, 64, 96]), st.integers(0, 2**31))
def test_tiles_equal_the_whole(height, width, core, seed):
    rgb = np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)
    whole = tiles.run(smooth, rgb, multiple=8, margin=32)
    tiled = tiles.run(smooth, rgb, multiple=8, margin=32, core=core, whole=0)
    assert whole.shape == tiled.shape == rgb.shape
    np.testing.assert_allclose(tiled, whole, atol=1e-6)


def test_every_tile_has_one_size_and_is_counted():
    seen, told = set(), []

    def network(rgb):
        seen.add(rgb.shape)
        return rgb

    rgb = np.random.default_rng(0).random((330, 500, 3), dtype=np.float32)
    out = tiles.run(
        network, rgb, multiple=8, margin=32, core=128, whole=0, progress=lambda *n: told.append(n)
    )
    np.testing.assert_array_equal(out, rgb)
    assert seen == {(192, 192, 3)}
    assert told == [(k, 12) for k in range(1, 13)]


def test_what_is_missing_is_mirrored():
    seen = []
    rgb = np.random.default_rng(0).random((70, 64, 3), dtype=np.float32)
    tiles.run(lambda part: seen.append(part) or part, rgb, multiple=8, margin=32)
    assert seen[0].shape == (96, 64, 3)
    np.testing.assert_array_equal(seen[0][70:96], rgb[43:69][::-1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (3, 17)])
def test_slivers_keep_their_size(shape):
    out = tiles.run(lambda part: part, np.full((*shape, 3), 0.25, np.float32), multiple=8, margin=32)
    np.testing.assert_array_equal(out, np.full((*shape, 3), 0.25, np.float32))


def test_resized_keeps_means_down_and_the_range_up():
    rng = np.random.default_rng(1)
    rgb = (rng.random((64, 96, 3)) > 0.5).astype(np.float32)
    small = tiles.resized(rgb, 32, 48)
    np.testing.assert_allclose(small, rgb.reshape(32, 2, 48, 2, 3).mean((1, 3)), atol=1e-6)
    large = tiles.resized(rgb, 150, 200)
    assert large.shape == (150, 200, 3) and large.min() >= 0 and large.max() <= 1
    assert tiles.resized(rgb, 64, 96) is rgb
