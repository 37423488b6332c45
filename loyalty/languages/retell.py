"""Sentences that were stored: kept in English, told again in the language of who reads (ADR 0058)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from django.utils.translation import get_language

from loyalty.languages.catalogues import path_of
from loyalty.languages.spoken import SOURCE, TRANSLATIONS

_FACT: Final = re.compile(r"%\((\w+)\)s")
# Facts that are sentences of ours themselves.
_SENTENCES: Final = frozenset({"sentence", "error", "reason", "why"})
# A message with fewer letters of its own, such as ``%(name)s, %(moment)s``, fits too much.
_OWN_LETTERS: Final = 12


@dataclass(frozen=True, slots=True)
class Shape:
    """A message of the source as a pattern that finds its facts again, and its translation."""

    pattern: re.Pattern[str]
    own: int
    translation: str


def retell(stored: str) -> str:
    """A sentence of ours that was stored in English, for who reads now; anything else as it is (L8).

    Errors of jobs and what came of webhooks are written by programs that do not know who will read them, and columns
    hold what earlier releases wrote.
    """
    language = get_language() or SOURCE
    return _retold(stored, language) if stored and language in TRANSLATIONS else stored


def shapes_of(catalogue: Catalog) -> list[Shape]:
    """The messages that a sentence can be found by, those with the most letters of their own first."""
    pairs = ((id_, text) for message in catalogue for id_, text in _pairs(message.id, message.string) if id_ and text)
    shapes = [_shape(id_, text) for id_, text in pairs]
    return sorted((shape for shape in shapes if shape.own >= _OWN_LETTERS), key=lambda shape: -shape.own)


def told_by(shapes: Sequence[Shape], stored: str) -> str:
    """The translation of the first shape that fits, with the facts of ``stored``; itself when none fits.

    A fact that is a sentence is told again as well.
    """
    for shape in shapes:
        if found := shape.pattern.fullmatch(stored):
            facts = found.groupdict()
            inner = {name: told_by(shapes, facts[name]) for name in _SENTENCES & facts.keys()}
            return shape.translation % (facts | inner)
    return stored


@lru_cache(maxsize=2048)
def _retold(stored: str, language: str) -> str:
    return told_by(_shapes(language), stored)


@lru_cache
def _shapes(language: str) -> list[Shape]:
    with path_of(language).with_suffix(".mo").open("rb") as file:
        return shapes_of(read_mo(file))


def _pairs(source: str | Sequence[str], translated: str | Sequence[str] | None) -> list[tuple[str, str]]:
    """Each form of the source with a form of the translation: the first for one, the last for many."""
    if not translated:
        return []
    if isinstance(source, str):
        return [(source, str(translated))]
    return [(source[0], translated[0]), (source[-1], translated[-1])]


def _shape(message: str, translation: str) -> Shape:
    pattern, own, seen = "", 0, set[str]()
    # Literal parts and names of facts take turns.
    for place, part in enumerate(_FACT.split(message)):
        if place % 2 == 0:
            literal = part.replace("%%", "%")
            pattern, own = pattern + re.escape(literal), own + len(literal)
        elif part in seen:
            pattern += f"(?P={part})"
        else:
            pattern += f"(?P<{part}>.+?)"
            seen.add(part)
    # Without a fact Python's formatting leaves the text alone, and so a percent sign stands for itself.
    return Shape(re.compile(pattern, re.DOTALL), own, translation if seen else translation.replace("%", "%%"))
