"""Reads pages for right-to-left text that is not isolated from what is around it."""

import unicodedata
from html.parser import HTMLParser
from typing import Final

_TURNS: Final = frozenset({"R", "AL", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI"})
# Their text is none of the page, or what somebody typed and sends again.
_APART: Final = frozenset({"bdi", "script", "style", "textarea", "title", "option"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.inside, self.loose = 0, ""

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.inside += tag in _APART

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag in _APART

    def handle_data(self, data: str) -> None:
        if not (self.inside or self.loose or data.isascii()):
            turning = any(unicodedata.bidirectional(letter) in _TURNS for letter in set(data))
            self.loose = data if turning else ""


def loose_text(page: str) -> str:
    """The first text of a page with right-to-left letters, or characters that turn others, outside ``<bdi>``."""
    reader = _Reader()
    reader.feed(page)
    return reader.loose
