"""On whose behalf something is done: the request, or the run of a job, that log lines and partners are told.

An id is brought by whoever asks, or made up: it finds lines that belong together, and nobody is let in by one.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

# How clients, partners and proxies call a request's id.
HEADER: Final = "X-Request-ID"
# No spaces, no line ends, no addresses of people; an UUID, a trace's id and what proxies make up all fit.
_ACCEPTABLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(slots=True)
class Cause:
    """What is being done: ``doing`` is the route of a request or the name of a job, "" while it is not known."""

    request_id: str = ""
    job_id: str = ""
    doing: str = ""


# What looks at each request and run from its beginning to its end.
Watch = Callable[[Cause], AbstractContextManager[object]]

_watches: Final[list[Watch]] = []
_NOTHING: Final = Cause()
_cause: ContextVar[Cause] = ContextVar("cause", default=_NOTHING)


def cause() -> Cause:
    """What is being done in this thread; without ids outside of requests and jobs."""
    return _cause.get()


@contextmanager
def because_of(what: Cause) -> Iterator[Cause]:
    """Within, whatever is logged and sent says that it is done for this."""
    before = _cause.set(what)
    try:
        with ExitStack() as watching:
            for watch in _watches:
                watching.enter_context(watch(what))
            yield what
    finally:
        _cause.reset(before)


def watch_all(watch: Watch) -> None:
    """Have all that is done from now on looked at."""
    _watches.append(watch)


def watch_no_more(watch: Watch) -> None:
    """Have it look at nothing that begins from now on."""
    _watches.remove(watch)


def run_of(job: str, *, request_id: str = "") -> AbstractContextManager[Cause]:
    """Within, a job runs, with an id of its own; ``request_id``: of the request that asked for it."""
    return because_of(Cause(request_id=request_id, job_id=new_id(), doing=job))


def new_id() -> str:
    """An id for a request or a run that brought none."""
    return uuid4().hex


def accepted_id(brought: str) -> str:
    """The id that somebody brought; a new one instead of one that is empty, long, or more than an id."""
    return brought if _ACCEPTABLE.fullmatch(brought) else new_id()


def told_onwards() -> dict[str, str]:
    """The header that a partner is told: of the request, else of the run of the job; none outside of both."""
    known = _cause.get()
    told = known.request_id or known.job_id
    return {HEADER: told} if told else {}
