"""Handlers that tests register: they note what they were called with, and do as the message's body says."""

import os
import signal
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from loyalty.outbox.models import Message
from loyalty.outbox.send import Later, send_later
from loyalty.outbox.topics import TOPICS, GiveUp, Postpone
from loyalty.stores.models import Store
from tests.factories import NOW, make_store

TOPIC = "test"
calls: list[tuple[str, datetime]] = []
transactions: list[bool] = []


def handle(message: Message, now: datetime) -> None:
    """Do as the body says."""
    calls.append((message.key, now))
    transactions.append(connection.in_atomic_block)
    match message.body:
        case {"postpone": reason, "seconds": seconds}:
            raise Postpone(reason, timedelta(seconds=seconds))
        case {"postpone": reason}:
            raise Postpone(reason)
        case {"give_up": reason}:
            raise GiveUp(reason)
        case {"break": reason}:
            raise RuntimeError(reason)
        case {"die": True}:
            os.kill(os.getpid(), signal.SIGKILL)


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have :func:`handle` carry out the topic of tests, and forget what it did before."""
    monkeypatch.setitem(TOPICS, TOPIC, f"{__name__}.handle")
    calls.clear()
    transactions.clear()


def queued(body: dict[str, Any] | None = None, *, store: Store | None = None, key: str = "") -> Message:
    """A message of the tests' topic, due at NOW."""
    store = store or make_store()
    key = key or f"key-{Message.objects.for_store(store).count()}"
    send_later([Later(store.pk, TOPIC, key, body or {})], now=NOW)
    message: Message = Message.objects.for_store(store).get(key=key)
    return message
