"""The page *Take everything with you*: an owner asks, waits, downloads; nobody else does."""

import io
import zipfile

import pytest
from django.test import Client

from loyalty.jobs.periodic import run_job
from loyalty.stores.models import Role, Store
from loyalty.web.addresses import page_of
from orders.models import StoreBundle
from tests import factories
from tests.factories import ACTOR, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def client_of(store: Store, role: Role) -> Client:
    client = Client()
    client.force_login(factories.make_user((store, role)))
    return client


def test_an_owner_asks_waits_and_downloads(store: Store) -> None:
    client = client_of(store, Role.OWNER)
    page = page_of(store, "admin:orders_storebundle_changelist")
    assert "Write the file" in client.get(page).content.decode()
    assert client.post(page_of(store, "admin:orders_storebundle_ask")).url == page  # type: ignore[attr-defined]
    waiting = client.get(page).content.decode()
    assert "The file is being written" in waiting
    assert 'http-equiv="refresh"' in waiting
    run_job("orders.write_bundles", NOW)
    bundle = StoreBundle.objects.for_store(store).get()
    ready = client.get(page).content.decode()
    address = page_of(store, "admin:orders_storebundle_file", bundle.pk)
    assert f'href="{address}"' in ready
    answer = client.get(address)
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert answer["Content-Length"] == str(len(content))
    assert answer["Content-Disposition"] == f'attachment; filename="{store.slug}-2026-01-05.zip"'
    assert "Downloaded the file" in client.get(page_of(store, "admin:journal_journalentry_changelist")).content.decode()


def test_t1_t2_nobody_else_fetches_it(store: Store) -> None:
    owner, other = client_of(store, Role.OWNER), factories.make_store()
    owner.post(page_of(store, "admin:orders_storebundle_ask"))
    run_job("orders.write_bundles", NOW)
    bundle = StoreBundle.objects.for_store(store).get()
    address = page_of(store, "admin:orders_storebundle_file", bundle.pk)
    for role in (Role.VIEWER, Role.SUPPORT, Role.MANAGER):
        assert client_of(store, role).get(address).status_code == 403
        assert client_of(store, role).post(page_of(store, "admin:orders_storebundle_ask")).status_code == 403
    outsider = client_of(other, Role.OWNER)
    assert outsider.get(address).status_code == 404
    assert outsider.get(page_of(other, "admin:orders_storebundle_file", bundle.pk)).status_code == 404
    assert Client().get(address).status_code == 302


def test_a_file_whose_time_is_over_is_gone_in_words(store: Store) -> None:
    client = client_of(store, Role.OWNER)
    bundle = StoreBundle.unscoped.create(
        store=store, actor=ACTOR.ref, created_at=NOW, state="ready", ends_at=NOW, finished_at=NOW
    )
    answer = client.get(page_of(store, "admin:orders_storebundle_file", bundle.pk), follow=True)
    assert "not there any more" in answer.content.decode()
    assert "Write the file" in answer.content.decode()


def test_what_could_not_be_written_says_why(store: Store) -> None:
    StoreBundle.unscoped.create(store=store, actor=ACTOR.ref, created_at=NOW, state="failed", failure="No space left.")
    page = client_of(store, Role.OWNER).get(page_of(store, "admin:orders_storebundle_changelist")).content.decode()
    assert "could not be written" in page
    assert "No space left." in page
