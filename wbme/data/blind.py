"""A blind test: which two drawings are compared, in what order, on which side; a rater's way through it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.data import choices
from wbme.data.choices import Choice


@dataclass(frozen=True)
class Comparison:
    """Two drawings of ``picture``: what drew the left one and the right one, and their digests."""

    picture: str
    left: str
    right: str
    digests: tuple[str, str]

    @property
    def drawings(self) -> tuple[str, frozenset[str]]:
        """What is compared, whichever stands where."""
        return self.picture, frozenset(self.digests)


def arrange(
    drawn: Mapping[str, Mapping[str, str]], models: Sequence[str], seed: int, rater: str = ""
) -> list[Comparison]:
    """Each two of ``models`` on each picture once, in an order of the ``seed`` and the ``rater``.

    It goes in rounds, a comparison of every picture each, so that who stops early has seen all pictures; and
    each model stands as often on the left of another as on its right, or once more. ``drawn``: of each
    picture the digest of each model's drawing; two that are the same are not compared.
    Raises ParameterError where there is nothing to compare.
    """
    rng, pictures, pairs = generator(seed, "blind", rater), list(drawn), list(combinations(models, 2))
    turned = {}
    for pair in pairs:
        odd = rng.integers(2)
        for place, k in enumerate(rng.permutation(len(pictures))):
            turned[pictures[k], pair] = (place + odd) % 2 == 0
    found: list[Comparison] = []
    rows = {picture: [pairs[k] for k in rng.permutation(len(pairs))] for picture in pictures}
    for number in range(len(pairs)):
        order = [pictures[k] for k in rng.permutation(len(pictures))]
        if found and found[-1].picture == order[0]:  # not the same picture twice in a row
            order = [*order[1:], order[0]]
        for picture in order:
            pair = rows[picture][number]
            left, right = pair if turned[picture, pair] else pair[::-1]
            digests = drawn[picture][left], drawn[picture][right]
            if digests[0] != digests[1]:
                found.append(Comparison(picture, left, right, digests))
    if not found:
        raise ParameterError(
            f"{len(pictures)} pictures drawn by {', '.join(models) or 'no model'} leave nothing to compare: "
            "give a picture or more and two models that draw it differently"
        )
    return found


class Sitting:
    """A rater's way through ``comparisons``; every choice goes to the file at ``path`` at once.

    What the rater answered ``before``, in an earlier sitting, is not asked again. Choices that are in the
    file already stay in it. ``rows``: the choices of this sitting.
    """

    def __init__(
        self,
        comparisons: Sequence[Comparison],
        path: Path,
        rater: str,
        question: str,
        before: Sequence[Choice] = (),
    ) -> None:
        self.path, self.rater, self.question = path, rater, question
        self._kept = choices.read(path)[0] if path.exists() and path.stat().st_size else []
        known = {
            (one.picture, frozenset((one.left, one.right)))
            for one in [*before, *self._kept]
            if (one.rater, one.question) == (rater, question)
        }
        self._open = [one for one in comparisons if one.drawings not in known]
        self.total, self.rows = len(comparisons), list[Choice]()

    @property
    def now(self) -> Comparison | None:
        """The comparison that is asked, None at the end."""
        return self._open[len(self.rows)] if len(self.rows) < len(self._open) else None

    @property
    def done(self) -> int:
        """How many of ``total`` are answered, in earlier sittings too."""
        return self.total - len(self._open) + len(self.rows)

    def choose(self, side: str, seconds: float) -> None:
        """Answer "left", "right" or "none" after so many seconds. StoreError where it cannot be kept: then
        it is asked still."""
        asked = self.now
        if asked is None:
            raise ParameterError("every comparison is answered: there is nothing to choose between")
        left, right = asked.digests
        about: dict[str, Any] = {"picture": asked.picture, "left": left, "right": right, "chosen": side}
        about |= {"seconds": round(seconds, 2), "rater": self.rater, "question": self.question}
        self._keep([*self.rows, Choice(**about, time=round(time.time(), 3))])

    def undo(self) -> None:
        """Take back the last choice of this sitting, if there is one."""
        if self.rows:
            self._keep(self.rows[:-1])

    def _keep(self, rows: list[Choice]) -> None:
        choices.write(self.path, [*self._kept, *rows])
        self.rows = rows
