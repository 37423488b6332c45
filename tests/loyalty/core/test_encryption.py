"""Stored secrets: unreadable without the keys, silent in logs, and their keys can be changed."""

import logging
import pickle
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from loyalty.core.encryption import Secret, Unreadable
from loyalty.platforms.models import PlatformConnection
from loyalty.stores.models import Store
from tests.factories import BEFORE, make_store

pytestmark = pytest.mark.django_db


def connect(store: Store, text: str) -> PlatformConnection:
    connected: PlatformConnection = PlatformConnection.unscoped.create(
        store=store, platform="shopify", access_token=Secret.of(text), created_at=BEFORE, updated_at=BEFORE
    )
    return connected


def token_in_the_database(connected: PlatformConnection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM platforms_platformconnection WHERE id = %s", [connected.pk])
        return str(cursor.fetchone()[0])


def test_the_database_never_sees_the_text() -> None:
    connected = connect(make_store(), "shpat_0123456789")
    assert "shpat" not in token_in_the_database(connected)
    assert PlatformConnection.unscoped.get(pk=connected.pk).access_token.reveal() == "shpat_0123456789"


def test_no_secret_is_the_empty_column() -> None:
    connected = connect(make_store(), "")
    assert token_in_the_database(connected) == ""
    again = PlatformConnection.unscoped.get(pk=connected.pk)
    assert not again.access_token
    assert again.access_token.reveal() == ""


def test_a_secret_is_silent_wherever_it_is_printed(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret.of("shpat_0123456789")
    with caplog.at_level(logging.WARNING):
        logging.getLogger(__name__).warning("Connecting with %s and %r", secret, [secret])
    said = f"{secret} {secret!r} {caplog.text} {vars(connect(make_store(), 'shpat_0123456789'))}"
    assert "shpat" not in said
    assert secret.token not in said
    assert b"shpat" not in pickle.dumps(secret)


def test_a_plain_text_is_refused_as_a_secret() -> None:
    with pytest.raises(TypeError, match="access_token takes a Secret"):
        PlatformConnection.unscoped.create(
            store=make_store(),
            platform="shopify",
            access_token="shpat_0123456789",
            created_at=BEFORE,
            updated_at=BEFORE,
        )


def test_another_installations_key_opens_nothing(settings: Settings) -> None:
    connected = connect(make_store(), "shpat_0123456789")
    settings.CREDENTIALS_KEYS = ["another key"]
    with pytest.raises(Unreadable):
        connected.access_token.reveal()


def test_the_key_can_be_changed(settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = ["the first key"]
    connected = connect(make_store(), "shpat_0123456789")
    settings.CREDENTIALS_KEYS = ["the second key", "the first key"]
    said = StringIO()
    call_command("rotate_credentials_keys", stdout=said)
    assert said.getvalue() == "Under the first key now: 1 rows.\n"
    settings.CREDENTIALS_KEYS = ["the second key"]
    connected.refresh_from_db()
    assert connected.access_token.reveal() == "shpat_0123456789"


def test_a_secret_that_cannot_be_read_stops_the_change_before_anything_is_written(
    settings: Settings,
) -> None:
    settings.CREDENTIALS_KEYS = ["the first key"]
    readable = connect(make_store(), "shpat_0123456789")
    settings.CREDENTIALS_KEYS = ["a lost key"]
    connect(make_store(), "lost")
    settings.CREDENTIALS_KEYS = ["the second key", "the first key"]
    before = token_in_the_database(readable)
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("rotate_credentials_keys")
    assert token_in_the_database(readable) == before
