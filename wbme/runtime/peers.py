"""Networks of others beside a student: how long they take, exported and run alike.

Their weights are random: time does not depend on them.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.nets.animegan import AnimeGANv2
from wbme.nets.johnson import TransformNet
from wbme.nets.unet import Generator
from wbme.runtime.export import graph_bytes
from wbme.runtime.loading import load
from wbme.runtime.profile import profile
from wbme.runtime.unet_model import Painted

PEERS = {
    "AnimeGANv2": AnimeGANv2,
    "Johnson et al.": TransformNet,
    "fast.ai U-Net": lambda: Painted(Generator("resnet34")),
}


def timed(
    name: str, picture: NDArray[np.float32], threads: int | None, seconds: float, repeats: int | None
) -> dict[str, float]:
    """``million weights`` of the peer called ``name``, and ``CPU ms`` and ``p50 ms`` (``profile.Timing``) of
    OpenVINO in fp32 on ``picture`` (1 x 3 x H x W in [0, 1], sides multiples of 32), three calls at least.

    Raises ParameterError for an unknown name, ModelError where what a peer needs is not installed.
    """
    if name not in PEERS:
        raise ParameterError(f"no peer is called {name!r}: known are {', '.join(PEERS)}")
    network = PEERS[name]().eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "peer.onnx"
        path.write_bytes(graph_bytes(network, (torch.rand(2, 3, 64, 96),), ["image"], "drawing", 3))
        call = load(path, threads=threads)
    took = profile(call, picture, seconds=seconds, repeats=repeats, warmup=1, least=3)
    weights = sum(part.numel() for part in network.parameters()) / 1e6
    return {"million weights": weights, "CPU ms": took.cpu, "p50 ms": took.p50}
