"""What keeps partners from stopping the web: a thread that waits for somebody else's server answers nobody meanwhile.

So a request calls nobody: :mod:`loyalty.partners.http` and :mod:`loyalty.partners.mail` refuse to. What it wants done
outside is a message of the outbox, and its page shows what came of it. Where the answer decides what the request may
do, a worker asks and the request looks for the answer (:func:`wait_for`): for seconds, of each partner once at a time,
and of all of them so few that most of the web's threads stay free. Only a library that signs people in asks by itself,
inside :func:`at_once`, within the same limits.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from time import monotonic, sleep
from typing import Final, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from loyalty.core.errors import Busy

T = TypeVar("T")

# How long a request may wait for a partner in all, and how many requests of one web process may at the same time.
SECONDS: Final = 4.0
MOST_AT_ONCE: Final = 3
# Seconds between two looks for an answer: most come at once, and who looks seldom later takes little.
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.2

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


def jobs_alone() -> None:
    """Raise NotFromARequest on behalf of a request: only a job calls partners."""
    if _in_request.get():
        raise NotFromARequest


def wait_for(partner: str, look: Callable[[], T | None]) -> T | None:
    """What ``look`` finds of a worker's asking ``partner``; None when it has found nothing for SECONDS.

    Raises Busy when another request waits for this partner already, or too many for all.
    """
    with _place(partner, most=1):
        until, pause = monotonic() + SECONDS, _FIRST_PAUSE
        while (found := look()) is None and monotonic() < until:
            sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return found


@contextmanager
def at_once(partner: str, *, most: int) -> Iterator[None]:
    """Within, a request may ask one partner by a library that knows no jobs, for SECONDS.

    Raises Busy when ``most`` requests wait for this partner already, or too many for all. Nothing was done then.
    """
    with _place(partner, most), within(SECONDS):
        yield


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Within, all calls together have so many seconds; what is called later has no answer."""
    before = _until.set(min(monotonic() + seconds, _until.get() or float("inf")))
    try:
        yield
    finally:
        _until.reset(before)


def seconds_left(at_most: float) -> float:
    """How many seconds a call may take that wants ``at_most``; none or fewer: too late."""
    until = _until.get()
    return at_most if until is None else min(at_most, until - monotonic())


@contextmanager
def _place(partner: str, most: int) -> Iterator[None]:
    with _lock:
        if _waited_for[partner] >= most or _waited_for.total() >= MOST_AT_ONCE:
            raise Busy(
                _("A shop platform takes long to answer at the moment. Nothing was done; try again in a moment.")
            )
        _waited_for.update([partner])
    try:
        yield
    finally:
        with _lock:
            _waited_for.subtract([partner])
