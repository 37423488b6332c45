"""Locales as stores, customers and browsers have them, read in one way; and in which of our languages they read."""

import re
from functools import lru_cache
from typing import Final

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_decimal
from django.utils.translation import get_language
from django.utils.translation.trans_real import parse_accept_lang_header

from loyalty.languages.spoken import SOURCE, spoken_by

_FALLBACK: Final = Locale("en")
# A language, then parts such as a script or a country: zh-Hant-TW. Written with either sign between.
_SHAPE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)


def locale_of(name: str) -> Locale:
    """The locale of this name, however it is written: ``zh-TW``, ``de_AT``. English for one that nobody knows (L8)."""
    return _read(name) or _FALLBACK


def is_locale(name: str) -> bool:
    """Whether there is a locale of this name."""
    return _read(name) is not None


def language_of(name: str) -> str | None:
    """The one of our languages that people of this locale read, None for another one: ``zh-hant`` for ``zh-TW``."""
    locale = _read(name)
    return spoken_by(locale) if locale else None


def language_for(*names: str) -> str:
    """The first language of ours among these locales, such as a customer's and then the store's; else English."""
    return next((language for name in names if (language := language_of(name))), SOURCE)


def language_wanted(accept_language: str) -> str | None:
    """The one of our languages that an ``Accept-Language`` header likes best; None where it names none of them."""
    wanted = (language_of(name) for name, quality in parse_accept_lang_header(accept_language) if quality)
    return next(filter(None, wanted), None)


def locale_to_read(name: str) -> str:
    """In which locale values of a store of this locale are written for who reads now (T4).

    The store's own, unless somebody reads another of our languages: dates and numbers of one page are of one language.
    """
    reads = get_language() or SOURCE
    return name if language_of(name) in (reads, None) else reads


def count_text(number: int) -> str:
    """A count as whoever reads now writes it: ``1,200``, in German ``1.200``."""
    return format_decimal(number, locale=locale_of(get_language() or SOURCE))


@lru_cache(maxsize=256)
def _read(name: str) -> Locale | None:
    if not _SHAPE.fullmatch(name):
        return None
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None
