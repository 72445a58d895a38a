"""What a training of the parser is told: the parameters of notebook 42."""

from dataclasses import dataclass

from wbme.train.settings import within


@dataclass(frozen=True)
class ParserSettings:
    """Length, crops and optimiser of a training of the parser.

    ``seconds`` > 0 ends it (and its schedule) by the clock as well: it then does not repeat to the byte.
    ``encoder`` is the encoder's share of the learning rate, ``dice`` the weight of that loss beside the cross
    entropy. Held-out views are parsed ``checks`` times. Raises ParameterError for a value out of its range.
    """

    steps: int = 3000
    seconds: float = 0.0
    side: int = 192
    batch: int = 8
    lr: float = 3e-3
    encoder: float = 0.2
    dice: float = 1.0
    warmup: int = 40
    checks: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = (
            ("steps", self.steps >= 1, "1 or more"),
            ("seconds", self.seconds >= 0, "0 (no limit) or more"),
            ("side", self.side >= 64 and self.side % 64 == 0, "a multiple of 64, 64 or more"),
            ("batch", self.batch >= 2, "2 or more"),
            ("lr", 0 < self.lr < 1, "above 0 and below 1"),
            ("encoder", 0 <= self.encoder <= 1, "in [0, 1]"),
            ("dice", self.dice >= 0, "0 (off) or more"),
            ("warmup", self.warmup >= 0, "0 or more"),
            ("checks", self.checks >= 1, "1 or more"),
        )
        within(self, ranges)
