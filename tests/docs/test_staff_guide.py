"""The guide for shop staff says what the pages say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.languages.catalogues import source_messages

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "staff"
# What is written in italics or bold is a text of the product: a menu entry, a button, a badge, a column.
QUOTED = re.compile(r"\*{1,2}([^*|]+)\*{1,2}")


def quoted(page: Path) -> Iterator[str]:
    for quotation in QUOTED.findall(re.sub(r"\s+", " ", page.read_text())):
        yield from (part.rstrip("…. ") for part in quotation.split(" → "))


@pytest.fixture(scope="module")
def texts() -> set[str]:
    found = ([message.id] if isinstance(message.id, str) else message.id for message in source_messages())
    return {text.rstrip("…. ") for texts in found for text in texts}


@pytest.mark.parametrize("page", sorted(GUIDE.glob("*.md")), ids=lambda page: page.stem)
def test_what_it_quotes_is_what_the_pages_say(page: Path, texts: set[str]) -> None:
    assert [text for text in quoted(page) if text not in texts] == []
