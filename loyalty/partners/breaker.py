"""Partners that do not answer are left alone for a while: whoever asks meanwhile is told so at once.

After three calls in a row without an answer a host rests, for longer each time. When that is over one call is let
through, and the others wait for what comes of it. An answer of any status ends it. All processes share what they know
of a host in the cache; while that is away, everybody asks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from math import ceil
from typing import Final

from django.conf import settings
from django.core.cache import cache, caches
from django.utils.translation import gettext

from loyalty.core.cache import ForgivingRedisCache

_PATIENCE: Final = 3
# Seconds of the first rest; each further one is twice as long, up to the last.
_FIRST: Final = 20
_LONGEST: Final = 300
# What is known of a host is forgotten after an hour in which nobody asked it.
_REMEMBERED: Final = 3600
# How long the one call that is let through may take before another one is.
_TRIAL: Final = 30

# What is kept of a host, by what it says of its state.
_STATES: Final = {"failing": "failures", "resting": "rests", "tried": "trial"}

_insists: ContextVar[bool] = ContextVar("insists", default=False)


class NoAnswer(Exception):
    """There is no answer to speak of. ``str(error)`` is a sentence for people.

    Trying again may help, ``after`` so long.
    """

    after = timedelta(seconds=_FIRST)


class Resting(NoAnswer):
    """A host was not asked, because it has not answered of late; it may be asked ``after`` so long."""

    def __init__(self, host: str, seconds: float) -> None:
        said = gettext("%(host)s has not answered of late; it is asked again in %(seconds)s seconds.")
        super().__init__(said % {"host": host, "seconds": ceil(seconds)})
        self.after = timedelta(seconds=seconds)


@contextmanager
def asking(host: str, *, counts: bool = True, longest: int = _LONGEST) -> Iterator[None]:
    """Within, a host is asked; NoAnswer says that it did not answer, which is held against it where it ``counts``.

    ``longest``: seconds of a rest at most. Raises Resting when the host is to be left alone.
    """
    if not settings.PARTNERS_REST:
        yield
        return
    failures = _failures(host)
    if not _insists.get():
        _raise_if_resting(host, failures, longest)
    try:
        yield
    except NoAnswer:
        if counts:
            _note_failure(host, longest)
        raise
    if failures:
        # Nothing is held against it any more.
        cache.delete_many([_key(what, host) for what in ("failures", "rests", "trial")])


@contextmanager
def insisting() -> Iterator[None]:
    """Within, hosts are asked even while they rest: a person wants to know."""
    before = _insists.set(True)
    try:
        yield
    finally:
        _insists.reset(before)


def rest_after(failures: int, longest: int = _LONGEST) -> int:
    """Seconds for which a host rests after so many failures in a row."""
    return 0 if failures < _PATIENCE else min(_FIRST * 2 ** min(failures - _PATIENCE, 10), longest)


def resting_partners() -> list[str]:
    """The hosts that are left alone now; none while the cache is away."""
    return sorted(key.removeprefix(_key("rests", "")) for key in _known("rests"))


def states_of_partners() -> dict[str, int]:
    """How many hosts did not answer when they were last asked, and how many of them rest, or are tried just now."""
    return {state: len(_known(kept)) for state, kept in _STATES.items()}


def _known(what: str) -> list[str]:
    shared = caches["default"]
    return shared.keys(_key(what, "")) if isinstance(shared, ForgivingRedisCache) else []


def _note_failure(host: str, longest: int) -> None:
    failures = _failures(host) + 1
    cache.set(_key("failures", host), failures, _REMEMBERED)
    if seconds := rest_after(failures, longest):
        cache.set(_key("rests", host), True, seconds)
        cache.delete(_key("trial", host))


def _raise_if_resting(host: str, failures: int, longest: int) -> None:
    if failures < _PATIENCE:
        return
    if cache.get(_key("rests", host)):
        raise Resting(host, rest_after(failures, longest))
    if not cache.add(_key("trial", host), True, _TRIAL):
        raise Resting(host, min(_FIRST, longest))


def _failures(host: str) -> int:
    return int(cache.get(_key("failures", host)) or 0)


def _key(what: str, host: str) -> str:
    return f"partner:{what}:{host}"
