"""What a store calls credits and points, beside the language in which somebody reads about it (ADR 0061).

Whoever answers for a store says once whose names they are; sentences find them here, as they find the language.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, Protocol, TypeVar

from django.utils.functional import lazy
from django.utils.html import escape
from django.utils.translation import get_language, gettext_noop, override
from django.utils.translation import gettext as _

from loyalty.languages.own_sentences import SENTENCES

T = TypeVar("T")
ValueKind = Literal["credits", "points"]
KINDS: Final[tuple[ValueKind, ...]] = ("credits", "points")
_NAMES: Final[Mapping[ValueKind, str]] = {
    "credits": gettext_noop("store credits"),
    "points": gettext_noop("member points"),
}
# A fact of a message; where a sentence begins with it, its first group is found as well.
_PLACE: Final = re.compile(r"((?:^|(?<=[.!?] )))?%\((\w+)\)s")


class OwnNames(Protocol):
    """A store's names in the language of who reads; each is empty where the store has none."""

    def name_of(self, kind: ValueKind) -> str:
        """The name of a kind, as of many or of none."""

    def unit_of(self, count: int) -> str:
        """What stands behind a number of points."""


Find = Callable[[], OwnNames]
_find: Final[ContextVar[Find | None]] = ContextVar("own_names", default=None)


@contextmanager
def in_own_names(find: Find | None) -> Iterator[None]:
    """Within, a store's names are those that ``find`` answers, which is asked only when one is wanted; None: none."""
    before = _find.set(find)
    try:
        yield
    finally:
        _find.reset(before)


def go_on_in_own_names(find: Find) -> None:
    """The same until the context around this ends: for hooks that cannot wrap what follows."""
    _find.set(find)


def own_name(kind: ValueKind) -> str:
    """The store's own name for a kind; empty where it has none, or where nobody has said whose names they are."""
    find = _find.get()
    return find().name_of(kind) if find else ""


def own_unit(count: int) -> str:
    """The store's own name behind this many points; empty as for :func:`own_name`."""
    find = _find.get()
    return find().unit_of(count) if find else ""


def name_of(kind: ValueKind) -> str:
    """What a kind is called inside a sentence: ``store credits``, or as the store itself calls it."""
    return own_name(kind) or _(_NAMES[kind])


def both_names() -> dict[str, str]:
    """What both kinds are called inside a sentence, for messages that name ``%(credits)s`` and ``%(points)s``."""
    return {kind: name_of(kind) for kind in KINDS}


def capital_first(name: str) -> str:
    """A name at the beginning of a sentence, or alone."""
    return name[:1].upper() + name[1:]


def as_read_now(parts: Iterator[T]) -> Iterator[T]:
    """The parts, each made in the language and the names of now: an answer in pieces goes on after its request."""
    return _read_in(get_language(), _find.get(), parts)


def _read_in(language: str | None, find: Find | None, parts: Iterator[T]) -> Iterator[T]:
    while True:
        with override(language), in_own_names(find):
            part = next(parts, None)
        if part is None:
            return
        yield part


_ALONE: Final = "%(kind)s"
_USED: Final = gettext_noop("%(kind)s used")
_USED_BY: Final = gettext_noop("%(kind)s used by orders")
_RETURNED: Final = gettext_noop("%(kind)s returned")
_NOT_RETURNED: Final = gettext_noop("%(kind)s not returned")
_NOT_BACK: Final = gettext_noop("%(kind)s not back")
_AVAILABLE: Final = gettext_noop("%(kind)s available")
_OF_CUSTOMER: Final = gettext_noop("%(kind)s of the customer")
_TAKEN_BACK: Final = gettext_noop("%(amount)s of %(kind)s were taken back.")
_UNDECIDED: Final = gettext_noop("Nobody has decided yet about %(amount)s of %(kind)s.")
_SO_MUCH: Final = gettext_noop("%(amount)s of %(kind)s")
_LOTS: Final = gettext_noop("%(kind)s: lots")
_LOTS_USED: Final = gettext_noop("%(kind)s: used of each lot")
_LAST_DAYS: Final = gettext_noop("%(kind)s: last day of use of each lot")
_LOTS_RETURNED: Final = gettext_noop("%(kind)s: returned to each lot")
_MOVEMENTS: Final = gettext_noop("%(kind)s: movements")
_DECIDED: Final = gettext_noop("Decided about %(kind)s")
_EARNED: Final = gettext_noop("%(kind)s earned")
# What a message of ours becomes where a store has a name of its own for the kind that it is about.
NAMED: Final[Mapping[str, tuple[ValueKind, str]]] = {
    gettext_noop("Credits"): ("credits", _ALONE),
    gettext_noop("Store credits"): ("credits", _ALONE),
    gettext_noop("Store Credits"): ("credits", _ALONE),
    gettext_noop("Credits used"): ("credits", _USED),
    gettext_noop("Store credits used"): ("credits", _USED),
    gettext_noop("Store credits used by orders"): ("credits", _USED_BY),
    gettext_noop("Credits returned"): ("credits", _RETURNED),
    gettext_noop("Store credits returned"): ("credits", _RETURNED),
    gettext_noop("Credits not returned"): ("credits", _NOT_RETURNED),
    gettext_noop("Store credits not returned"): ("credits", _NOT_RETURNED),
    gettext_noop("Credits not back"): ("credits", _NOT_BACK),
    gettext_noop("Credits available"): ("credits", _AVAILABLE),
    gettext_noop("Credits of the customer"): ("credits", _OF_CUSTOMER),
    gettext_noop("Credits taken back"): ("credits", gettext_noop("%(kind)s taken back")),
    gettext_noop("%(amount)s credits"): ("credits", _SO_MUCH),
    gettext_noop("%(amount)s store credits"): ("credits", _SO_MUCH),
    gettext_noop("%(amount)s of store credits"): ("credits", _SO_MUCH),
    gettext_noop("%(amount)s of credits were taken back."): ("credits", _TAKEN_BACK),
    gettext_noop("Nobody has decided yet about %(amount)s of store credits."): ("credits", _UNDECIDED),
    gettext_noop("Credit lots"): ("credits", _LOTS),
    gettext_noop("Credit lots: used"): ("credits", _LOTS_USED),
    gettext_noop("Credit lots: last day of use"): ("credits", _LAST_DAYS),
    gettext_noop("Credit lots: returned"): ("credits", _LOTS_RETURNED),
    gettext_noop("Credit movements"): ("credits", _MOVEMENTS),
    gettext_noop("Decided about credits"): ("credits", _DECIDED),
    gettext_noop("Point lots"): ("points", _LOTS),
    gettext_noop("Point lots: used"): ("points", _LOTS_USED),
    gettext_noop("Point lots: last day of use"): ("points", _LAST_DAYS),
    gettext_noop("Point lots: returned"): ("points", _LOTS_RETURNED),
    gettext_noop("Point movements"): ("points", _MOVEMENTS),
    gettext_noop("Decided about points"): ("points", _DECIDED),
    gettext_noop("Points"): ("points", _ALONE),
    gettext_noop("Member points"): ("points", _ALONE),
    gettext_noop("Member Points"): ("points", _ALONE),
    gettext_noop("Points used"): ("points", _USED),
    gettext_noop("Member points used"): ("points", _USED),
    gettext_noop("Member points used by orders"): ("points", _USED_BY),
    gettext_noop("Member points used with codes"): ("points", gettext_noop("%(kind)s used with codes")),
    gettext_noop("Member points that return"): ("points", gettext_noop("%(kind)s that return")),
    gettext_noop("Points returned"): ("points", _RETURNED),
    gettext_noop("Member points returned"): ("points", _RETURNED),
    gettext_noop("Points not returned"): ("points", _NOT_RETURNED),
    gettext_noop("Member points not returned"): ("points", _NOT_RETURNED),
    gettext_noop("Points not back"): ("points", _NOT_BACK),
    gettext_noop("Points available"): ("points", _AVAILABLE),
    gettext_noop("Points of the customer"): ("points", _OF_CUSTOMER),
    gettext_noop("Points earned"): ("points", _EARNED),
    gettext_noop("Earned points"): ("points", _EARNED),
    gettext_noop("Give or remove points…"): ("points", gettext_noop("Give or remove %(kind)s…")),
    gettext_noop("Give or remove points by a table"): ("points", gettext_noop("Give or remove %(kind)s by a table")),
    gettext_noop("Give or remove points by a table…"): ("points", gettext_noop("Give or remove %(kind)s by a table…")),
}


def own_words(ours: str, **facts: str) -> str:
    """A message of ours with its facts; with the store's own names in it where it is about a kind that has one.

    Without ``facts`` their placeholders are left, as gettext leaves them. Those in braces are for ``format_html``.
    """
    words = _in_own_names(ours) or _(ours)
    return words % facts if facts else words


def _in_own_names(ours: str) -> str:
    if ours in NAMED:
        kind, named = NAMED[ours]
        own = own_name(kind)
        words = own and (named if named == _ALONE else _(named))
        return _filled(words, {"kind": own})
    named = SENTENCES.get(ours, "")
    if not named or not (own_name("credits") or own_name("points")):
        return ""
    # An amount of points in a sentence of ours is a fact as the others are.
    return _filled(_(named), {kind: name_of(kind) for kind in KINDS if f"%({kind})s" not in ours})


def _filled(words: str, names: Mapping[str, str]) -> str:
    """The names in their places: at the beginning of a sentence with a capital, and nothing in them means anything."""
    rest = _PLACE.sub(lambda found: "" if found[2] in names else found[0], words)

    def name(found: re.Match[str]) -> str:
        if found[2] not in names:
            return found[0]
        own = names[found[2]]
        own = capital_first(own) if found[1] is not None else own
        if "{" in words:
            own = escape(own).replace("{", "{{").replace("}", "}}")
        return (found[1] or "") + (own.replace("%", "%%") if "%(" in rest else own)

    return _PLACE.sub(name, words)


own_words_lazy: Final = lazy(own_words, str)
