"""A REST client of a few lines, on the standard library."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


class RestError(Exception):
    """The server answered with an error; the message is what it said."""


@dataclass(frozen=True, kw_only=True)
class RestClient:
    """One store's key at one address."""

    address: str
    key: str

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The answer to a GET."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a POST. Each call is a command of its own."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        # The address is our own server's.
        request = urllib.request.Request(f"{self.address}/api/v1{path}", method=method)  # noqa: S310
        request.add_header("Authorization", f"Bearer {self.key}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
            request.add_header("Idempotency-Key", str(uuid.uuid4()))
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                said: dict[str, Any] = json.load(answer)
                return said
        except urllib.error.HTTPError as error:
            message = f"{method} {path} answered {error.code}: {error.read().decode(errors='replace')}"
            raise RestError(message) from error
