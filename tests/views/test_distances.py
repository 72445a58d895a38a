"""FID and KID of drawings by the pictures' own features."""

import numpy as np
import pytest
import torch

from wbme.base.errors import ParameterError
from wbme.metrics.frechet import frechet, mmd
from wbme.views import distances


class Means(torch.nn.Module):
    def __init__(self, path):
        super().__init__()

    def forward(self, x):
        return x.mean((2, 3))


def test_each_method_is_compared_with_the_references(monkeypatch):
    monkeypatch.setattr(distances, "FidInception", Means)
    rng = np.random.default_rng(0)
    near, far, wanted = (
        rng.random((n, 8, 9, 3)).astype(np.float32) * s for n, s in ((6, 1), (6, 0.4), (9, 1))
    )
    told = distances.Distances("weights.pth")
    for one, other in zip(near, far, strict=True):
        told.add("near", one)
        told.add("far", other)
    table = told.table(wanted).set_index("method")
    features = [x.mean((1, 2)) for x in (near, far, wanted)]
    assert list(table["FID"]) == pytest.approx([frechet(f, features[2]) for f in features[:2]], rel=1e-3)
    assert table.loc["far", "KID"] == pytest.approx(mmd(features[1], features[2]), rel=0.2)
    assert table.loc["near", "KID"] < table.loc["far", "KID"]
    assert list(table["pictures"]) == [6, 6] and list(table["references"]) == [9, 9]


def test_one_reference_is_too_few(monkeypatch):
    monkeypatch.setattr(distances, "FidInception", Means)
    told = distances.Distances("weights.pth")
    told.add("a", np.zeros((4, 4, 3), np.float32))
    with pytest.raises(ParameterError, match="two pictures or more"):
        told.table([np.zeros((4, 4, 3), np.float32)])
