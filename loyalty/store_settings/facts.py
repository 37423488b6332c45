"""What holds of one setting beside its type and its default: its bounds, and what counts when it cannot be read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from django.utils.translation import gettext as _

from loyalty.core.phrases import enumerated
from loyalty.core.tags import tag_key

# Lists of tags, statuses and kinds.
MOST_NAMES: Final = 100
LONGEST_NAME: Final = 255
NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Facts:
    """The bounds of a whole number; ``below`` and ``finest`` of a rate; the ``choices`` of a list; a text's length.

    ``mistake`` says, in a message of the catalogues, what is wrong with a text that does not fit its ``pattern``.

    ``cautious`` counts where a saved value cannot be read and the default would do something: then nothing happens
    until a release comes by that understands it. ``words`` are for the REST contract.
    """

    least: int = 0
    most: int | None = None
    below: int | None = None
    finest: Decimal = Decimal(1)
    choices: tuple[str, ...] = ()
    shortest: int = 0
    longest: int | None = None
    pattern: str = ""
    mistake: str = ""
    cautious: Any = NOTHING
    words: str = ""

    def wrong(self, value: Any) -> Iterator[tuple[str, str]]:
        """What is wrong with a value of the setting's type: the code, and a sentence for people."""
        if isinstance(value, tuple):
            yield from self._wrong_list(value)
        elif isinstance(value, str) and self.longest is not None:
            yield from self._wrong_text(value)
        elif isinstance(value, Decimal) and self.below is not None:
            yield from self._wrong_rate(value)
        elif isinstance(value, Decimal) and value < 0:
            yield "negative", _("The amount must not be negative.")
        elif isinstance(value, int) and self.most is not None and not self.least <= value <= self.most:
            code = "too-large" if value > self.most else "too-small"
            yield code, _("This is a number from %(least)s to %(most)s.") % {"least": self.least, "most": self.most}

    def _wrong_list(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        if len(names) > MOST_NAMES:
            yield "too-long", _("A list has at most %(most_names)s entries.") % {"most_names": MOST_NAMES}
        if len({tag_key(name) for name in names}) < len(names):
            yield "duplicate", _("The list names something twice.")
        if any(not name or len(name) > LONGEST_NAME for name in names):
            yield (
                "too-long",
                _("What is in the list has 1 to %(longest_name)s characters.") % {"longest_name": LONGEST_NAME},
            )
        if strange := [name for name in names if self.choices and name not in self.choices]:
            yield (
                "invalid-choice",
                _("“%(strange)s” is not one of %(choices)s.")
                % {"strange": strange[0], "choices": enumerated(self.choices)},
            )

    def _wrong_text(self, text: str) -> Iterator[tuple[str, str]]:
        if not self.shortest <= len(text) <= (self.longest or 0):
            code = "too-short" if len(text) < self.shortest else "too-long"
            yield (
                code,
                _("This is a text of %(shortest)s to %(longest)s characters.")
                % {"shortest": self.shortest, "longest": self.longest},
            )
        elif self.pattern and not re.fullmatch(self.pattern, text):
            yield "invalid", _(self.mistake)

    def _wrong_rate(self, rate: Decimal) -> Iterator[tuple[str, str]]:
        if not 0 < rate < (self.below or 0):
            yield (
                "too-large" if rate > 0 else "too-small",
                _("A rate is above zero and below %(below)s.") % {"below": self.below},
            )
        elif rate != rate.quantize(self.finest):
            yield "too-fine", _("A rate has four decimals at most.")


_NONE: Final = Facts()


@cache
def facts_by_name(section: Any) -> Mapping[str, Facts]:
    """The facts of a section's settings; those of one that has none say nothing."""
    hints = get_type_hints(section, include_extras=True)
    return {
        name: next((item for item in get_args(hint) if isinstance(item, Facts)), _NONE) for name, hint in hints.items()
    }


def is_nullable(hint: Any) -> bool:
    """Whether null is a value of a setting of this type: no window, not allowed. Otherwise it brings the default."""
    return NoneType in get_args(hint)
