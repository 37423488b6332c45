"""A language that nobody speaks: every message is in brackets, accented and 1.6 times as long as its source."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any, Final

import pytest
from django.utils.translation import trans_real
from django.utils.translation.trans_real import CONTEXT_SEPARATOR, DjangoTranslation

# It stands where German does: dates and numbers are German's, and a browser can ask for it.
LANGUAGE: Final = "de"
LONGER: Final = 0.6
_KEPT: Final = re.compile(r"%\(\w+\)[a-z]|%[sd%]|\{[^{}]*\}|<[^<>]*>|&\w+;|\n")
_ACCENTS: Final = str.maketrans("aeiouAEIOUcnsyz", "àéîöüÀÉÎÖÜçñšýž")
_WORD: Final = "ñöçh "


class Pseudo(DjangoTranslation):
    """Says every message, whoever brings it: what was translated can be told from what was not."""

    def __init__(self) -> None:
        super().__init__(LANGUAGE)
        self.asked: set[str] = set()

    def gettext(self, message: str) -> str:
        self.asked.add(message)
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.asked.add(msgid1)
        return pseudo(msgid1 if n == 1 else msgid2)


def pseudo(message: str) -> str:
    """A message as this language says it; placeholders and HTML are as they were."""
    text = message.rpartition(CONTEXT_SEPARATOR)[2]
    if not re.search(r"[A-Za-z]{2}", _KEPT.sub("", text)):
        return text
    said, at = "", 0
    for kept in _KEPT.finditer(text):
        said += text[at : kept.start()].translate(_ACCENTS) + kept[0]
        at = kept.end()
    said += text[at:].translate(_ACCENTS)
    more = round(len(_KEPT.sub("", text)) * LONGER)
    return f"⟦{said}{(' ' + _WORD * more)[:more].rstrip()}⟧"


@contextmanager
def spoken() -> Iterator[Pseudo]:
    """While it is spoken, in the place of German."""
    language = Pseudo()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(trans_real._translations, LANGUAGE, language)  # type: ignore[attr-defined]
        yield language


class _Texts(HTMLParser):
    """Collects what people read or hear of a page, leaf by leaf."""

    SILENT = ("script", "style", "code", "pre", "svg")
    SAID = ("aria-label", "title", "placeholder", "alt", "data-label")
    VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts: dict[str, Any] = dict(attrs)
        self.texts += [facts[name] for name in self.SAID if facts.get(name)]
        if tag not in self.VOID:
            # A sample of a letter is in its reader's language.
            quiet = {"material-symbols-outlined", "sample", "cf-message"} & set((facts.get("class") or "").split())
            self.open.append(tag in self.SILENT or bool(quiet))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.open) and data.strip():
            self.texts.append(data)


def texts_of(html: str) -> list[str]:
    """What people read or hear of a page, leaf by leaf."""
    parser = _Texts()
    parser.feed(html)
    return parser.texts


def untranslated(html: str) -> list[str]:
    """The texts of a page, with what stands in no brackets and has letters. Markup inside of a message parts it."""
    depth, found = 0, []
    for text in texts_of(html):
        outside = ""
        for character in text:
            depth += (character == "⟦") - (character == "⟧")
            outside += character if not depth and character != "⟧" else " "
        if re.search(r"[^\W\d_]{2}", outside):
            found.append(" ".join(outside.split()))
    return found
