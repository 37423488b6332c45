"""Requests to the REST API and their answers, kept as the examples of the OpenAPI description.

What differs each time it is made (secrets, codes, tokens) is kept as a stand-in that looks like it; ids are the same
each time, because every table begins to count where :data:`FIRST_IDS` says.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from django.db import connection
from django.test import Client
from django.urls import resolve
from django.utils.text import slugify

from loyalty.api.openapi.examples import Example, Examples

# Rows of different tables never look alike: whoever reads an example sees which of its ids are the same thing.
FIRST_IDS: Final[Mapping[str, int]] = {
    "stores_customer": 1001,
    "credits_creditlot": 2001,
    "points_pointlot": 3001,
    "orders_order": 4001,
    "orders_revert": 5001,
    "orders_revertundo": 5501,
    "orders_redemption": 6001,
    "orders_reward": 6501,
    "webhooks_webhookendpoint": 7001,
    "outbox_message": 7501,
    "journal_journalentry": 8001,
    "credits_creditmovement": 20001,
    "points_pointmovement": 30001,
    "credits_creditallocation": 25001,
    "points_pointallocation": 35001,
    "orders_balanceimport": 9001,
    "orders_balanceimportrow": 9101,
    "orders_reversalrequest": 6801,
    "notices_notice": 9501,
    "stores_apikey": 41,
}
# What is made anew each time, by the member that holds it, and what stands in its place.
STAND_INS: Final[Mapping[str, str]] = {
    "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "preview_token": "eyJwcmV2aWV3Ijoib2YgdGhpcyBvcmRlciJ9:1vcN4U:Q3aT9v0bZk",
    "code": "TEAS-2026-GIFT",
}
_CODE: Final = re.compile(r"[A-Z0-9]{4}(-[A-Z0-9]{4})+")
_HEADERS: Final = ("ETag", "Location", "Retry-After", "WWW-Authenticate")
_OUR_HOST: Final = {"http://testserver": "https://loyalty.example.com"}


@dataclass
class Conversation:
    """A client with a key that keeps what was said; ``says`` makes an exchange an example, and is its title.

    Everything must be granted or, once ``refused`` is set, refused. ``etag`` is that of the newest answer with one.
    """

    key: str
    examples: Examples = field(default_factory=Examples)
    refused: bool = False
    etag: str = ""
    sent: int = 0
    _stand_ins: dict[str, str] = field(default_factory=lambda: dict(_OUR_HOST))
    _client: Client = field(default_factory=Client)

    def get(self, path: str, *, says: str = "", **query: str) -> Any:
        """What a GET answers; a parameter that is a word of Python ends with an underscore."""
        return self._exchange("GET", path, says, query={name.rstrip("_"): value for name, value in query.items()})

    def post(self, path: str, body: Any = None, *, says: str = "") -> Any:
        """What a POST answers that is no command."""
        return self._exchange("POST", path, says, body=body)

    def patch(self, path: str, body: Any, *, says: str = "", if_match: str = "") -> Any:
        """What a PATCH answers."""
        return self._exchange("PATCH", path, says, body=body, headers={"If-Match": if_match} if if_match else {})

    def delete(self, path: str, *, says: str = "") -> Any:
        """What a DELETE answers."""
        return self._exchange("DELETE", path, says)

    def command(self, path: str, body: Any = None, *, says: str = "", key: str = "", if_match: str = "") -> Any:
        """What a command answers, under a key of its own unless one is given."""
        self.sent += 1
        headers = {"Idempotency-Key": key or f"9f2c-{self.sent:04}"} | ({"If-Match": if_match} if if_match else {})
        return self._exchange("POST", path, says, body=body, headers=headers)

    def _exchange(
        self,
        method: str,
        path: str,
        says: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        address = f"/api/v1{path}"
        answer: Any = self._client.generic(
            method,
            address,
            b"" if body is None else json.dumps(body),
            "application/json",
            headers={"authorization": f"Bearer {self.key}", **(headers or {})},
            query_params=query or {},
        )
        said = json.loads(answer.content) if answer.content else None
        self._learn(said)
        self.etag = answer.get("ETag", self.etag)
        if (answer.status_code >= HTTPStatus.BAD_REQUEST) != self.refused:
            raise ValueError(f"{method} {path}: {said}")
        if says:
            kept = {name: answer[name] for name in _HEADERS if name in answer}
            example = Example(
                method=method,
                address=_template(address),
                title=says,
                path=dict(resolve(address).kwargs),
                query=dict(query or {}),
                headers=dict(headers or {}),
                body=body,
                status=answer.status_code,
                answer_headers=kept,
                answer=said,
            )
            self.examples.add(slugify(says), example.replaced(self._stand_ins))
        return said

    def _learn(self, said: Any) -> None:
        for name, value in _members(said):
            if name in STAND_INS and isinstance(value, str) and (name != "code" or _CODE.fullmatch(value)):
                self._stand_ins[value] = STAND_INS[name]


def _template(address: str) -> str:
    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(resolve(address).route))


def _members(said: Any) -> Iterator[tuple[str, Any]]:
    inner = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    if isinstance(said, dict):
        yield from said.items()
    for value in inner:
        yield from _members(value)


_COUNTED: Final = "SELECT last_value, is_called FROM {}"


@contextmanager
def fixed_ids() -> Iterator[None]:
    """Have new rows get the ids of the examples; afterwards the tables count on from where they were.

    Whoever calls this owns the tables, and nothing is in them.
    """
    with connection.cursor() as cursor:
        before = {}
        for table, first in FIRST_IDS.items():
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
            (sequence,) = cursor.fetchone()
            cursor.execute(_COUNTED.format(sequence))
            before[sequence] = cursor.fetchone()
            cursor.execute("SELECT setval(%s, %s, false)", [sequence, first])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for sequence, (last, called) in before.items():
                cursor.execute("SELECT setval(%s, %s, %s)", [sequence, last, called])
