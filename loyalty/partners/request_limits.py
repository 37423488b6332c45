"""What keeps partners from stopping the web: a thread that waits for somebody else's server answers nobody meanwhile.

So a request calls nobody. What it wants done outside is a message of the outbox, and its page shows what came of it.
Where the answer decides what the request may do, it asks inside :func:`at_once`: for seconds, of each partner once at
a time, and of all of them so few that most of the web's threads stay free. :mod:`loyalty.partners.http` calls nobody
for a request that does neither.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from time import monotonic
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from loyalty.core.errors import Busy

# How long a request may wait for a partner in all, and how many requests of one web process may at the same time.
SECONDS: Final = 4.0
MOST_AT_ONCE: Final = 3

_in_request: ContextVar[bool] = ContextVar("in_request", default=False)
_until: ContextVar[float | None] = ContextVar("until", default=None)
_lock: Final = Lock()
_waited_for: Final[Counter[str]] = Counter()


class NotFromARequest(RuntimeError):
    """A view calls a partner: a fault of this program, which its tests find."""


class RequestsCallNobody:
    """Middleware: marks what happens on behalf of a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        before = _in_request.set(True)
        try:
            return self.get_response(request)
        finally:
            _in_request.reset(before)


@contextmanager
def at_once(partner: str, *, most: int = 1) -> Iterator[None]:
    """Within, a request may ask one partner, for seconds; a job, which keeps nobody waiting, as long as it wants.

    Raises Busy when ``most`` requests wait for this partner already, or too many for all. Nothing was done then.
    """
    if not _in_request.get():
        yield
        return
    _enter(partner, most)
    try:
        with within(SECONDS):
            yield
    finally:
        with _lock:
            _waited_for.subtract([partner])


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Within, all calls together have so many seconds; what is called later has no answer."""
    before = _until.set(min(monotonic() + seconds, _until.get() or float("inf")))
    try:
        yield
    finally:
        _until.reset(before)


def seconds_left(at_most: float) -> float:
    """How many seconds a call may take that wants ``at_most``; none or fewer: too late.

    Raises NotFromARequest where nobody may be called.
    """
    until = _until.get()
    if until is None and _in_request.get():
        raise NotFromARequest
    return at_most if until is None else min(at_most, until - monotonic())


def _enter(partner: str, most: int) -> None:
    with _lock:
        if _waited_for[partner] >= most or _waited_for.total() >= MOST_AT_ONCE:
            raise Busy(
                _("A shop platform takes long to answer at the moment. Nothing was done; try again in a moment.")
            )
        _waited_for.update([partner])
