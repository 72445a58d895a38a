"""What a training is told, in flat values: the parameters of notebook 41."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wbme.base.errors import ParameterError


def within(settings: Any, ranges: Iterable[tuple[str, bool, str]]) -> None:
    """ParameterError for the first of ``ranges`` (field, whether it is right, what it must be) that is
    wrong."""
    for name, right, words in ranges:
        if not right:
            raise ParameterError(f"{name}={getattr(settings, name)} of the training must be {words}")


@dataclass(frozen=True)
class Settings:
    """Student, length, batches, optimiser and losses of a training.

    ``seconds`` > 0 ends it (and its schedules) by the clock as well: it then does not repeat to the byte.
    ``flat``, ``ramp``, ``perceptual``, ``colour``, ``consistency`` and ``critic`` are the weights of those
    losses, 0 leaves them out; the third and the fifth are taken every so many steps, the critic joins for the
    last ``finish`` of the way. The held-out pairs are drawn ``checks`` times. Raises ParameterError for
    a value out of its range.
    """

    architecture: str = "S2-32"
    head: str = "layered"
    branches: bool = True
    characters: tuple[str, ...] = ("default",)
    steps: int = 4000
    seconds: float = 0.0
    crop: int = 160
    batch: int = 8
    lr: float = 3e-3
    warmup: int = 40
    flat: float = 0.5
    ramp: float = 0.1
    perceptual: float = 0.1
    perceptual_every: int = 4
    colour: float = 0.0
    consistency: float = 0.0
    consistency_every: int = 4
    critic: float = 0.0
    finish: float = 0.15
    checks: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = (
            ("steps", self.steps >= 1, "1 or more"),
            ("seconds", self.seconds >= 0, "0 (no limit) or more"),
            ("crop", self.crop >= 32 and self.crop % 8 == 0, "a multiple of 8, 32 or more"),
            ("batch", self.batch >= 2, "2 or more"),
            ("lr", 0 < self.lr < 1, "above 0 and below 1"),
            ("warmup", self.warmup >= 0, "0 or more"),
            ("flat", self.flat >= 0, "0 (off) or more"),
            ("ramp", self.ramp >= 0, "0 (off) or more"),
            ("perceptual", self.perceptual >= 0, "0 (off) or more"),
            ("perceptual_every", self.perceptual_every >= 1, "1 or more"),
            ("colour", self.colour >= 0, "0 (off) or more"),
            ("consistency", self.consistency >= 0, "0 (off) or more"),
            ("consistency_every", self.consistency_every >= 1, "1 or more"),
            ("critic", self.critic >= 0, "0 (off) or more"),
            ("checks", self.checks >= 1, "1 or more"),
            ("finish", 0 <= self.finish <= 1, "in [0, 1]"),
        )
        within(self, ranges)
