"""Whether this process is alive, and whether everything is there that it needs: for supervisors and load balancers."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from threading import Lock
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from redis import Redis
from redis.exceptions import RedisError

from loyalty.core.clock import read_clock
from loyalty.jobs.periodic import PULSE
from loyalty.journal.models import JobRun

# An answer is there after so many seconds, whatever hangs.
PATIENCE: Final = 2.0
# Beat asks for the pulse every minute.
BEAT_LATE: Final = timedelta(minutes=5)
OK: Final = "ok"
NO_ANSWER: Final = "does not answer"

logger = logging.getLogger(__name__)

Parts = Mapping[str, str]


def healthz(_request: HttpRequest) -> JsonResponse:
    """200: this process answers. Nothing else is asked, so whatever is away, nobody restarts what is well."""
    return JsonResponse({"status": "alive"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every part is ok, else 503; ``?parts=database,migrations`` asks for these alone, 400 for an unknown."""
    asked = request.GET.get("parts", ",".join(PARTS)).split(",")
    if unknown := sorted(set(asked) - set(PARTS)):
        return JsonResponse({"status": "unknown parts", "parts": unknown, "known": list(PARTS)}, status=400)
    found = examiner.examine(asked)
    is_ready = set(found.values()) == {OK}
    body = {"status": "ready" if is_ready else "not ready", "parts": found}
    return JsonResponse(body, status=200 if is_ready else 503)


def broker() -> Parts:
    """Whether Valkey answers."""
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as client:
            client.ping()
    except RedisError:
        return {"broker": NO_ANSWER}
    return {"broker": OK}


def database() -> Parts:
    """Whether PostgreSQL answers, has the tables of this version, and when beat was last heard of."""
    try:
        return {"database": OK, "migrations": _migrations(), "beat": _beat()}
    except DatabaseError:
        return dict.fromkeys(("database", "migrations", "beat"), NO_ANSWER)


def _migrations() -> str:
    missing = _on_disk() - MigrationRecorder(connection).applied_migrations().keys()
    return f"{len(missing)} to apply" if missing else OK


@cache
def _on_disk() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations or ())


def _beat() -> str:
    ran = JobRun.objects.filter(name=PULSE).values_list("started_at", flat=True).first()
    if ran is None:
        return "has not been heard of yet"
    age = read_clock() - ran
    return OK if age <= BEAT_LATE else f"last heard of {age.total_seconds():.0f} seconds ago"


def _in_a_thread() -> Parts:
    # A connection of its own, which nobody else waits for.
    try:
        return database()
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class _Question:
    parts: tuple[str, ...]
    ask: Callable[[], Parts]


QUESTIONS: Final = (
    _Question(("database", "migrations", "beat"), _in_a_thread),
    _Question(("broker",), broker),
)
PARTS: Final = tuple(part for question in QUESTIONS for part in question.parts)


class Examiner:
    """Asks in threads of its own, each question once at a time: one that hangs costs a thread, however often it is put.

    Who asks waits for :data:`PATIENCE` seconds at most.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: dict[_Question, Future[Parts]] = {}
        self._threads = ThreadPoolExecutor(len(QUESTIONS), thread_name_prefix="examiner")

    def examine(self, parts: list[str]) -> dict[str, str]:
        """What each of the parts says."""
        wanted = [question for question in QUESTIONS if set(parts) & set(question.parts)]
        with self._lock:
            asked = {question: self._ask(question) for question in wanted}
        wait(asked.values(), PATIENCE)
        found: dict[str, str] = dict.fromkeys(parts, NO_ANSWER)
        for future in asked.values():
            found |= {part: said for part, said in _answer(future).items() if part in parts}
        return found

    def _ask(self, question: _Question) -> "Future[Parts]":
        before = self._asked.get(question)
        if before is None or before.done():
            self._asked[question] = before = self._threads.submit(question.ask)
        return before


def _answer(future: "Future[Parts]") -> Parts:
    if not future.done():
        return {}
    error = future.exception()
    if error is None:
        return future.result()
    logger.error("A question of readiness failed.", exc_info=error)
    return {}


examiner: Final = Examiner()
