"""What a training of the prototype is told: the parameters of notebook 40."""

from dataclasses import dataclass

from wbme.train.settings import within


@dataclass(frozen=True)
class GanSettings:
    """Networks, lengths of the phases, crops and optimisers.

    The generator learns alone for ``steps``, the first share ``frozen`` of them with its encoder frozen; then
    the critic for ``critic_steps``; then both in turn for ``gan_steps``, where the critic goes on until its
    loss is below ``critic_below``. ``pixels`` weighs the feature loss against the critic's verdict. The
    ``held_out`` pairs are drawn ``checks`` times while the generator learns and as often in the GAN. Raises
    ParameterError for a value out of its range.
    """

    encoder: str = "mobilenet_v2"
    attention: bool = False
    width: int = 32
    steps: int = 4000
    frozen: float = 0.25
    critic_steps: int = 1000
    gan_steps: int = 200
    crop: int = 128
    batch: int = 8
    lr: float = 1e-3
    critic_lr: float = 1e-3
    gan_lr: float = 1e-4
    critic_below: float = 0.65
    pixels: float = 50.0
    checks: int = 4
    held_out: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        rates = ("lr", "critic_lr", "gan_lr")
        ranges = (
            ("width", self.width >= 4, "4 or more"),
            ("steps", self.steps >= 2, "2 or more"),
            ("frozen", 0 <= self.frozen < 1, "at least 0 and below 1"),
            ("critic_steps", self.critic_steps >= 0, "0 (none) or more"),
            ("gan_steps", self.gan_steps >= 0, "0 (none) or more"),
            ("crop", self.crop >= 64 and self.crop % 32 == 0, "a multiple of 32, 64 or more"),
            ("batch", self.batch >= 2, "2 or more"),
            *((rate, 0 < getattr(self, rate) < 1, "above 0 and below 1") for rate in rates),
            ("critic_below", self.critic_below > 0, "above 0"),
            ("pixels", self.pixels >= 0, "0 (the critic alone) or more"),
            ("checks", self.checks >= 1, "1 or more"),
            ("held_out", self.held_out >= 1, "1 or more"),
        )
        within(self, ranges)
