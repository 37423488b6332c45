"""What the imitated platforms have in common: a server on a port of its own, a memory, and ways to go wrong.

An imitation keeps orders, tags, codes and webhooks as the platform would, and answers as its documentation says. It is
a WSGI application, so a test starts it as a fixture and a demonstration with ``python -m tests.platforms_imitated``.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, ClassVar, TypeVar

from werkzeug import Request, Response
from werkzeug.serving import make_server

Document = dict[str, Any]


class Problem(Exception):
    """The platform's own way of saying no."""

    def __init__(self, status: int, body: object, **headers: str) -> None:
        super().__init__(status)
        self.response = Response(
            body if isinstance(body, str) else json.dumps(body), status, headers, content_type="application/json"
        )


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any


@dataclass
class Imitation:
    """One shop on one platform."""

    platform: ClassVar[str]
    id_field: ClassVar[str] = "id"

    orders: dict[str, Document] = field(default_factory=dict)
    webhooks: list[Document] = field(default_factory=list)
    codes: dict[str, Document] = field(default_factory=dict)
    # Every request, and every change that the platform would tell a webhook of.
    asked: list[Asked] = field(default_factory=list)
    told: list[tuple[str, Document]] = field(default_factory=list)
    url: str = ""
    now: datetime = datetime(2026, 1, 7, 9, 0, tzinfo=UTC)
    _faults: list[Response | None] = field(default_factory=list)
    _answers_again: Event = field(default_factory=Event)
    _ids: int = 100

    def put(self, *orders: Document) -> None:
        """Have these orders."""
        for order in orders:
            self.orders[str(order[self.id_field])] = deepcopy(order)

    def fail_next(self, status: int, body: object = "", *, times: int = 1, **headers: str) -> None:
        """Answer the next requests like this instead; underscores in names of headers become hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._faults += [Problem(status, body, **named).response for _ in range(times)]

    def hang_next(self) -> None:
        """Never answer the next request."""
        self._faults.append(None)

    def let_go(self) -> None:
        """End what hangs."""
        self._answers_again.set()

    def next_id(self) -> int:
        """A number nobody has yet."""
        self._ids += 1
        return self._ids

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The WSGI application."""
        request = Request(environ)
        raw = request.get_data()
        body = json.loads(raw) if raw else None
        self.asked.append(Asked(request.method, request.path, request.args.to_dict(), body))
        response = self._faulty() or self._respond(request, body)
        return response(environ, start_response)

    def answer(self, request: Request, body: Any) -> Response:
        """The platform's answer. Raises Problem."""
        raise NotImplementedError

    def _respond(self, request: Request, body: Any) -> Response:
        try:
            return self.answer(request, body)
        except Problem as problem:
            return problem.response

    def _faulty(self) -> Response | None:
        if not self._faults:
            return None
        fault = self._faults.pop(0)
        if fault is None:
            self._answers_again.wait(20)
            return Response(status=503)
        return fault


Shop = TypeVar("Shop", bound=Imitation)


def said(value: object, status: int = 200, **headers: str) -> Response:
    """A JSON answer."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(
        json.dumps(value, ensure_ascii=False), status, named, content_type="application/json; charset=UTF-8"
    )


@contextmanager
def serving(imitation: Shop, *, port: int = 0) -> Iterator[Shop]:
    """The imitation, reachable at its ``url`` while the context lasts."""
    server = make_server("127.0.0.1", port, imitation, threaded=True)
    imitation.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield imitation
    finally:
        imitation.let_go()
        server.shutdown()
        thread.join()
        server.server_close()
