"""Reads pages for right-to-left text that is not isolated from what is around it."""

import re
import unicodedata
from typing import Final

_TURNS: Final = frozenset({"R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI"})
# Tags, and what is none of the page, isolated, or what somebody typed and sends again.
_APART: Final = re.compile(r"<(bdi|script|style|textarea|title|option)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.DOTALL)


def loose_text(page: str) -> str:
    """The first line of a page with right-to-left letters, or characters that turn others, outside ``<bdi>``."""
    turning = [letter for letter in set(page) if unicodedata.bidirectional(letter) in _TURNS]
    if not turning:
        return ""
    lines = _APART.sub("\n", page).splitlines()
    return next((line for line in lines if any(letter in line for letter in turning)), "")
