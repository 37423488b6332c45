"""Speaking JSON with a platform over HTTP, and telling apart the ways in which it does not answer."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.clock import read_clock
from loyalty.core.storable_text import storable, storable_json
from loyalty.partners import http
from loyalty.partners.breaker import Resting
from loyalty.partners.retry_after import asked_to_wait
from loyalty.platforms.documents.read import DECODER
from loyalty.platforms.http.protocol import Document, Failed, NotThere, Refused, Throttled, Unreachable

# Platforms that want a pause but do not say how long get this one; none is waited for longer than the other.
PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)
_SHORTEST_PAUSE: Final = timedelta(seconds=1)
_DETAIL_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform said: the JSON value, None for an empty body, and the headers."""

    value: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JsonApi:
    """One platform's interface: ``base`` is put before each path, ``headers`` (the credentials) go with each request.

    ``secrets`` are kept out of whatever the platform answers in its errors.
    """

    label: str
    base: str
    headers: Mapping[str, str] = field(repr=False)
    secrets: Iterable[str] = field(repr=False, default=())

    def ask(
        self, method: str, path: str, *, query: Mapping[str, str | int] | None = None, body: object = None
    ) -> Answer:
        """One request. Raises what :mod:`loyalty.platforms.http.protocol` names; NotThere for 404."""
        url = f"{self.base}{path}?{urlencode(query)}" if query else f"{self.base}{path}"
        sent = None if body is None else json.dumps(body).encode()
        try:
            reply = http.call(
                method,
                url,
                headers={**_JSON, **self.headers},
                body=sent,
                timeout=settings.PLATFORM_TIMEOUT_SECONDS,
            )
        except http.NotAllowed as error:
            raise Failed(_("%(label)s cannot be asked. %(error)s") % {"label": self.label, "error": error}) from error
        except Resting as error:
            raise Throttled(
                _("%(label)s was not asked: %(error)s") % {"label": self.label, "error": error}, after=error.after
            ) from error
        except http.Unreachable as error:
            raise Unreachable(
                _("%(label)s could not be reached: %(error)s") % {"label": self.label, "error": error}
            ) from error
        self._judge(reply)
        return Answer(self._value(reply), reply.headers)

    def ask_object(
        self, method: str, path: str, body: object = None, *, query: Mapping[str, str | int] | None = None
    ) -> Document:
        """As :meth:`ask`, for what is answered with an object. Raises Unreachable when it is anything else."""
        value = self.ask(method, path, query=query, body=body).value
        if not isinstance(value, dict):
            raise Unreachable(_("%(label)s answered with something other than an object.") % {"label": self.label})
        return value

    def find_object(self, path: str) -> Document | None:
        """One object; None when the platform does not have it."""
        try:
            return self.ask_object("GET", path)
        except NotThere:
            return None

    def take_away(
        self, path: str, *, method: str = "DELETE", query: Mapping[str, str | int] | None = None, body: object = None
    ) -> None:
        """A deletion, or a part of one: what is gone already counts as done."""
        try:
            self.ask(method, path, query=query, body=body)
        except NotThere:
            return

    def _judge(self, reply: http.Reply) -> None:
        """Raise what the status stands for, unless the request was done."""
        status = reply.status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        retry_after = reply.headers.get("Retry-After", "")
        if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after):
            raise Throttled(
                _("%(label)s asks us to slow down.") % {"label": self.label}, after=pause(retry_after, read_clock())
            )
        if status in _REFUSALS:
            raise Refused(self._with_answer(_(_REFUSALS[status]) % {"platform": self.label}, reply))
        if status < HTTPStatus.BAD_REQUEST:
            raise Failed(
                _("%(label)s sends us on to another address. Enter the shop's own address.") % {"label": self.label}
            )
        if status == HTTPStatus.NOT_FOUND:
            raise NotThere(self._with_answer(_("%(label)s does not have this.") % {"label": self.label}, reply))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
            raise Unreachable(
                _("%(label)s has a problem of its own at the moment (status %(status)s).")
                % {"label": self.label, "status": status}
            )
        words = _("%(label)s did not accept this (status %(status)s).") % {"label": self.label, "status": status}
        raise Failed(self._with_answer(words, reply))

    def _value(self, reply: http.Reply) -> Any:
        if not reply.body.strip():
            return None
        try:
            # Cleaned at the door: nothing behind it has to think of what no column takes.
            return storable_json(DECODER.decode(reply.body.decode()))
        except (ValueError, ArithmeticError, RecursionError):
            raise Unreachable(
                _("%(label)s answered with something that is not JSON. Is the address right?") % {"label": self.label}
            ) from None

    def _with_answer(self, sentence: str, reply: http.Reply) -> str:
        """The sentence, and behind it what the platform itself says about it, if anything, without credentials."""
        try:
            said = storable(told(DECODER.decode(reply.body.decode())))
        except (ValueError, ArithmeticError, RecursionError):
            return sentence
        for secret in filter(None, self.secrets):
            said = said.replace(secret, "…")
        if not said:
            return sentence
        return _("%(sentence)s It answered: “%(said)s”") % {"sentence": sentence, "said": said[:_DETAIL_LENGTH]}


_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}
_REFUSALS: Final = {
    401: gettext_noop("%(platform)s does not accept the credentials. Enter new ones in the connection's settings."),
    402: gettext_noop("%(platform)s says that the shop is closed until its bill is paid."),
    403: gettext_noop("%(platform)s does not allow this with these credentials."),
    423: gettext_noop("%(platform)s says that the shop is locked."),
}
_LATER: Final = frozenset({408, 425})


def told(value: Any) -> str:
    """The message inside an error's JSON: platforms say ``message``, ``error`` or ``errors``."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(told, value)))
    if not isinstance(value, Mapping):
        return ""
    named = next((value[name] for name in ("message", "error", "errors", "error_message") if value.get(name)), "")
    if isinstance(named, Mapping) and not told(named):
        return "; ".join(f"{name}: {told(said)}" for name, said in named.items())
    return told(named)


def pause(retry_after: str, now: datetime) -> timedelta:
    """How long ``Retry-After`` asks to wait; within reason, and never not at all."""
    asked = asked_to_wait(retry_after, now, at_most=LONGEST_PAUSE)
    return PAUSE if asked is None else max(_SHORTEST_PAUSE, asked)


def order_number(label: str, external_id: str) -> str:
    """The id of an order where ids are numbers. Raises Failed for anything else, which would be another address."""
    if not external_id.isdigit():
        raise Failed(
            _("“%(external_id)s” is not the number of an order on %(label)s.")
            % {"external_id": external_id, "label": label}
        )
    return external_id


def order_id(label: str, external_id: str) -> str:
    """The id of an order where ids are letters and digits. Raises Failed for anything else."""
    if not external_id.isalnum() or not external_id.isascii():
        raise Failed(
            _("“%(external_id)s” is not the id of an order on %(label)s.")
            % {"external_id": external_id, "label": label}
        )
    return external_id


def dig(label: str, value: Any, *path: str) -> Any:
    """What stands at ``path`` in an answer. Raises Unreachable when the answer has another shape than documented."""
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            raise Unreachable(
                _("%(label)s answered without the field “%(path)s”.") % {"label": label, "path": ".".join(path)}
            )
        value = value[name]
    return value


def documents(label: str, value: Any) -> list[Document]:
    """The objects of a list. Raises Unreachable when ``value`` is none."""
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise Unreachable(_("%(label)s answered with something other than a list.") % {"label": label})
    return value
