"""Order tags: matched whole and trimmed, and tags that look the same are the same (N3, N7)."""

import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Final

# Stored keys are at most this long: of one character, compatibility forms may make eighteen.
LONGEST_KEY: Final = 255
_BLANKS: Final = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u2800\u3000\u3164\uffa0"
)
# Hyphens and dashes of every length, the minus and the soft hyphen; waves and double strokes look different.
_HYPHENS: Final = (
    "-\xad\u02d7\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2e3a\u2e3b"
    "\ufe31\ufe32\ufe58\ufe63\uff0d"
)
# Nobody sees these: zero-width blanks and joiners, marks of direction, the mark of a byte order.
_UNSEEN: Final = (
    "\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_TABLE: Final = str.maketrans(dict.fromkeys(_BLANKS, " ") | dict.fromkeys(_HYPHENS, "-") | dict.fromkeys(_UNSEEN, ""))


@lru_cache(maxsize=4096)
def tag_key(tag: str) -> str:
    """What two tags have in common when they match (N7): Unicode's compatibility caseless form of both, trimmed."""
    if tag.isascii() and tag.isprintable():
        return tag.strip().lower()
    # As Unicode defines it (D146): folding may bring forth what has to be composed, and that what has to be folded.
    folded = unicodedata.normalize("NFD", tag.translate(_TABLE)).casefold()
    folded = unicodedata.normalize("NFKC", folded).casefold()
    key = unicodedata.normalize("NFKC", folded).translate(_TABLE).strip()
    if len(key) <= LONGEST_KEY:
        return key
    digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return key[: LONGEST_KEY - len(digest)] + digest


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Trimmed, without empty ones and without repeats, in the order given."""
    kept: dict[str, str] = {}
    for tag in tags:
        if key := tag_key(tag):
            kept.setdefault(key, tag.strip())
    return list(kept.values())


def first_match(tags: Iterable[str], tag_keys: Collection[str]) -> str | None:
    """The first of a store's ``tags`` that is among an order's ``tag_keys``, as the store writes it (N3)."""
    return next((tag.strip() for tag in tags if tag_key(tag) in tag_keys), None)
