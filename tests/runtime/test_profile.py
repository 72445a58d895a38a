"""Timing counts calls and tells working from waiting; no test here depends on how fast a machine is."""

import time

import numpy as np

from wbme.runtime.backend import TensorSpec
from wbme.runtime.profile import profile


class Sleeper:
    """A backend that waits 5 ms, every tenth timed call 40 ms, and works hardly at all."""

    name = "sleeper"

    def __init__(self):
        self.inputs, self.outputs = [TensorSpec("x")], [TensorSpec("y")]
        self.calls = 0

    def __call__(self, *arrays):
        self.calls += 1
        time.sleep(0.04 if self.calls % 10 == 0 else 0.005)
        return list(arrays)


def test_repeats_follow_the_warm_up_and_percentiles_are_of_single_calls():
    sleeper = Sleeper()
    timing = profile(sleeper, np.zeros(1), repeats=20, warmup=2)
    assert sleeper.calls == 22 and timing.calls == 20
    assert 5 <= timing.p50 <= timing.p95
    assert timing.p95 >= 40
    assert timing.cpu < timing.p50


def test_seconds_bound_the_time_and_one_call_is_always_made():
    assert profile(Sleeper(), seconds=0.1).calls > 1
    assert profile(Sleeper(), seconds=0, warmup=0).calls == 1
    assert profile(Sleeper(), seconds=0, warmup=0, least=4).calls == 4
