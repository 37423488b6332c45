"""A past that is played through the services, step by step in the order of time."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

Step = Callable[[datetime], object]


@dataclass(slots=True)
class Past:
    """Steps with their instants. A step may add later ones; what lies after ``until`` has not happened yet."""

    until: datetime
    _steps: list[tuple[datetime, int, Step]] = field(default_factory=list)
    _added: "count[int]" = field(default_factory=count)

    def at(self, instant: datetime, step: Step) -> None:
        """Let ``step`` happen at ``instant``; steps of one instant happen in the order they were added."""
        if instant <= self.until:
            heapq.heappush(self._steps, (instant, next(self._added), step))

    def play(self) -> None:
        """Do every step, the earliest first, telling each its instant."""
        while self._steps:
            instant, _, step = heapq.heappop(self._steps)
            step(instant)
