"""int8: a student's exported graph after post-training quantisation (nncf), for OpenVINO and ONNX Runtime.

Only the network is quantised: kernels a channel at a time, what flows between them a tensor at a time, both
symmetric. The low-pass of the picture, its sums with the picture and the network, and the head's ink and
tones stay in float, so that the controls stay live: a tone step or the ink's threshold would make a leap of
a small error.
"""

import contextlib
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ModelError, ParameterError
from wbme.nets.student import ARCHITECTURES
from wbme.runtime.backend import Backend, reason
from wbme.runtime.card import WEIGHTS, read
from wbme.runtime.export import control_values

# What is not the network between its stem and its last convolution: nodes are named for modules.
_FLOAT = r"^/(?!net/(stem|enter|down|deep|up|leave|out|gate|Add|Resize)).*"
_SUM = re.compile(r"/net/Add(_\d+)?")
_SIDE = 512  # pixels of a frame that are kept at most, its middle


class Recorder:
    """A Backend that keeps the pictures which go through it, as ``frames`` N x 3 x H x W: their middle, up to
    512 pixels a side.

    ``net`` is an exported graph loaded with the layout "nhwc", picture first. Behind a Stylizer they are what
    the network sees of a user's pictures: faces at the trained width, padding, tiles.
    """

    def __init__(self, net: Backend):
        self.net, self.name, self.inputs, self.outputs = net, net.name, net.inputs, net.outputs
        self.frames: list[NDArray[np.float32]] = []

    def __call__(self, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
        start = [max(side - _SIDE, 0) // 2 for side in arrays[0].shape[1:3]]
        middle = arrays[0][:, start[0] :, start[1] :][:, :_SIDE, :_SIDE]
        self.frames.append(np.ascontiguousarray(middle.transpose(0, 3, 1, 2)))
        return self.net(*arrays)


def int8_bytes(folder: Path, frames: Sequence[NDArray[np.float32]]) -> bytes:
    """The ONNX graph of the student in ``folder`` in int8, its inputs and output as they were.

    ``frames``: photographs N x 3 x H x W in [0, 1], sides multiples of the card's, by which the ranges and
    the biases are set (fast bias correction). Raises ParameterError without any, ModelError for a network
    that is no student, a damaged one, and where nncf is not installed.
    """
    card = read(folder / "model.json", WEIGHTS)
    if card["architecture"] not in ARCHITECTURES:
        raise ModelError(f"{card['name']} is a {card['architecture']}: only students are quantised")
    if not frames:
        raise ParameterError(f"no photographs to calibrate {card['name']} by: give at least one")
    os.environ.setdefault("NNCF_CI", "1")  # else it reports each use to its makers
    try:
        import nncf
        import onnx
    except ImportError as error:
        raise ModelError(f"int8 needs nncf ({error}): install wbme[int8]") from error
    controls = {name: value.numpy() for name, value in control_values(card).items()}
    nncf.set_log_level("ERROR")
    try:
        model = onnx.load(folder / "model.onnx")
        sums = [node.name for node in model.graph.node if _SUM.fullmatch(node.name)]
        scope = nncf.IgnoredScope(names=sums[-2:], patterns=[_FLOAT], validate=False)
        data = nncf.Dataset([{"image": frame, **controls} for frame in frames])
        with contextlib.redirect_stdout(io.StringIO()):  # it draws bars of its own
            done = nncf.quantize(model, data, ignored_scope=scope, subset_size=len(frames))
    except Exception as error:  # nncf and what it runs on have no common base for what they raise
        raise ModelError(
            f"{folder}/model.onnx cannot be quantised: {reason(error)}; export it again"
        ) from error
    return done.SerializeToString()
