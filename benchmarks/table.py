"""The table that is printed: a line for each thing that is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One line of the table. ``at_most`` says whether the goal is an upper bound.

    ``times`` are the ratios, or the figures, of the single runs: how many there were, and how far they lie apart.
    """

    what: str
    ours: str
    reference: str
    ratio: float
    goal: float
    at_most: bool = False
    times: Sequence[float] = ()

    @property
    def spread(self) -> str:
        """How often it ran, and how far the runs lie from the middle at most."""
        times = self.times or [self.ratio]
        middle = median(times)
        apart = max(abs(one - middle) for one in times) / middle if middle else 0.0
        return f"{len(times)}x +-{apart:.0%}"

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        met = "met" if self.met else "NOT MET"
        figures = f"{self.ours:>14} {self.reference:>14} {self.ratio:>8.2f} {sign}{self.goal:>6.2f}"
        return f"{self.what:<58} {figures} {self.spread:>9}  {met}"

    def beside(self, before: float | None) -> str:
        """The line with what its ratio was in an earlier run, and what has become of it."""
        if before is None:
            return f"{self}  new"
        changed = (self.ratio - before) / before if before else 0.0
        return f"{self}  was {before:.2f} ({changed:+.0%})"
