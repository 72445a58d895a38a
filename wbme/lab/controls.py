"""What a view can be asked to vary: plain descriptions, turned into widgets or into a contact sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wbme.base.errors import ParameterError


@dataclass(frozen=True)
class Slider:
    """A number from ``low`` to ``high`` in steps; integer when all four are. ``sheet``: values for batch."""

    low: float
    high: float
    value: float
    step: float
    sheet: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high or self.step <= 0:
            raise ParameterError(f"slider: {self.value} must lie in {self.low}..{self.high}, the step be positive")

    @property
    def whole(self) -> bool:
        return all(isinstance(v, int) for v in (self.low, self.high, self.value, self.step))

    @property
    def values(self) -> tuple[float, ...]:
        middle = (self.low + self.high) // 2 if self.whole else (self.low + self.high) / 2
        return self.sheet or (self.low, middle, self.high)


@dataclass(frozen=True)
class Choice:
    """One of ``options``."""

    options: Sequence[Any]
    value: Any = None

    @property
    def values(self) -> tuple[Any, ...]:
        return tuple(self.options)

    @property
    def start(self) -> Any:
        return self.options[0] if self.value is None else self.value


@dataclass(frozen=True)
class Toggle:
    """On or off."""

    value: bool = False

    @property
    def values(self) -> tuple[bool, ...]:
        return (False, True)


Control = Slider | Choice | Toggle


def start(control: Control) -> Any:
    """The value that a control begins with."""
    return control.start if isinstance(control, Choice) else control.value
