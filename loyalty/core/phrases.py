"""Parts of texts that every language makes in its own way: lists, what stands between two sentences."""

from collections.abc import Iterable
from typing import Final

from babel.lists import format_list
from django.utils.translation import get_language

from loyalty.core.locales import locale_of

# Languages that leave no blank between two sentences.
_WITHOUT_BLANKS: Final = ("zh", "ja")


def listed(items: Iterable[object]) -> str:
    """Several things as one phrase, such as ``15.00 USD and 100 points``; empty for none."""
    words = [str(item) for item in items]
    return format_list(words, locale=locale_of(_language())) if words else ""


def sentences(parts: Iterable[object]) -> str:
    """Whole sentences behind one another; what is empty is left out."""
    between = "" if _language().startswith(_WITHOUT_BLANKS) else " "
    return between.join(str(part) for part in parts if part)


def _language() -> str:
    return get_language() or ""
