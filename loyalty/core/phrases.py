"""Parts of texts that every language makes in its own way: lists, what stands between two sentences."""

import re
from collections.abc import Iterable
from typing import Final

from babel.lists import format_list
from django.utils.translation import get_language

from loyalty.core.locales import locale_of

# Languages that leave no blank between two sentences.
_WITHOUT_BLANKS: Final = ("zh", "ja")
# Chinese leaves a blank between its characters and Latin letters or digits, where one thing ends and another begins.
_BEFORE: Final = re.compile(r"(?<=[\u4e00-\u9fff])\x02(?=[A-Za-z0-9])")
_AFTER: Final = re.compile(r"(?<=[A-Za-z0-9%])\x03(?=[\u4e00-\u9fff])")
_MARKS: Final = re.compile(r"[\x02\x03]")


def listed(items: Iterable[object]) -> str:
    """Several things as one phrase, such as ``15.00 USD and 100 points``; empty for none."""
    words, language = [str(item) for item in items], _language()
    if not words or not language.startswith("zh"):
        return format_list(words, locale=locale_of(language)) if words else ""
    marked = format_list([f"\x02{_MARKS.sub('', word)}\x03" for word in words], locale=locale_of(language))
    return _MARKS.sub("", _AFTER.sub(" ", _BEFORE.sub(" ", marked)))


def enumerated(items: Iterable[object]) -> str:
    """Several things one after another, as behind a colon or in brackets: ``pending, paid``; empty for none."""
    between = "、" if _language().startswith(_WITHOUT_BLANKS) else ", "
    return between.join(map(str, items))


def labelled(name: object, said: object) -> str:
    """What is said of something behind its name: ``Points: 100``."""
    colon = "\uff1a" if _language().startswith(_WITHOUT_BLANKS) else ": "
    return f"{name}{colon}{said}"


def sentences(parts: Iterable[object]) -> str:
    """Whole sentences behind one another; what is empty is left out."""
    between = "" if _language().startswith(_WITHOUT_BLANKS) else " "
    return between.join(str(part) for part in parts if part)


def _language() -> str:
    return get_language() or ""
