"""The networks that look at pictures: each is loaded once a process, when it is first used."""

import functools

from wbme import runtime
from wbme.base import assets


@functools.cache
def network(name: str) -> "runtime.Backend":
    """The network of asset ``name``. It takes one float32 array 1 x S x S x 3 and runs on one thread: they
    are so small that a second one costs more than it saves."""
    return runtime.load(assets.get(name), "openvino", layout="native", threads=1)
