"""Locales as stores and customers have them, read in one way."""

import re
from functools import lru_cache
from typing import Final

from babel.core import Locale, UnknownLocaleError

_FALLBACK: Final = Locale("en")
# A language, then parts such as a script or a country: zh-Hant-TW. Written with either sign between.
_SHAPE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)


def locale_of(name: str) -> Locale:
    """The locale of this name, however it is written: ``zh-TW``, ``de_AT``. English for one that nobody knows (L8)."""
    return _read(name) or _FALLBACK


def is_locale(name: str) -> bool:
    """Whether there is a locale of this name."""
    return _read(name) is not None


@lru_cache(maxsize=256)
def _read(name: str) -> Locale | None:
    if not _SHAPE.fullmatch(name):
        return None
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None
