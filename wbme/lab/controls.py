"""What a view can be asked to vary: plain descriptions, turned into widgets or into a contact sheet."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wbme.base.errors import ParameterError


@dataclass(frozen=True)
class Slider:
    """A number from ``low`` to ``high`` in steps; integer when all four are. ``sheet``: values for batch.

    Raises ParameterError for a value outside the range or a step that is not positive.
    """

    low: float
    high: float
    value: float
    step: float
    sheet: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high or self.step <= 0:
            span = f"{self.low} to {self.high}"
            raise ParameterError(
                f"a slider from {span} cannot start at {self.value} with step {self.step}: start inside, "
                "with a step above 0"
            )

    @property
    def whole(self) -> bool:
        return all(isinstance(v, int) for v in (self.low, self.high, self.value, self.step))

    @property
    def values(self) -> tuple[float, ...]:
        middle = (self.low + self.high) // 2 if self.whole else (self.low + self.high) / 2
        return self.sheet or (self.low, middle, self.high)


@dataclass(frozen=True)
class Choice:
    """One of ``options``, the first unless ``value`` says another. ``sheet``: options for batch.

    Raises ParameterError where there is no option, or for a value that is none of them.
    """

    options: Sequence[Any]
    value: Any = None
    sheet: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        wanted = [v for v in (self.value, *self.sheet) if v is not None and v not in self.options]
        if not self.options or wanted:
            named = wanted or "anything"
            raise ParameterError(f"a choice of {list(self.options)} cannot offer {named}")

    @property
    def values(self) -> tuple[Any, ...]:
        return self.sheet or tuple(self.options)

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


@dataclass(frozen=True)
class Colour:
    """A colour such as "#1a1420". ``sheet``: colours for batch.

    Raises ParameterError for what is none.
    """

    value: str
    sheet: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for colour in (self.value, *self.sheet):
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
                raise ParameterError(f'{colour} is no colour: write it as "#1a1420"')

    @property
    def values(self) -> tuple[str, ...]:
        return self.sheet or (self.value,)


Control = Slider | Choice | Toggle | Colour


def start(control: Control) -> Any:
    """The value that a control begins with."""
    return control.start if isinstance(control, Choice) else control.value
