import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.runtime import peers


@pytest.mark.parametrize(("name", "million"), [("AnimeGANv2", 2.143552), ("Johnson et al.", 1.679235)])
def test_a_peer_is_exported_and_run(name, million):
    row = peers.timed(name, np.full((1, 3, 32, 64), 0.5, np.float32), 1, 0, 1)
    assert row["million weights"] == pytest.approx(million)
    assert row["CPU ms"] > 0 and row["p50 ms"] > 0


def test_an_unknown_peer_is_one_sentence():
    with pytest.raises(ParameterError, match="no peer is called 'x': known are AnimeGANv2, Johnson et al"):
        peers.timed("x", np.zeros((1, 3, 32, 32), np.float32), 1, 0, 1)
