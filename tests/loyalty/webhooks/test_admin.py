"""Webhook endpoints and deliveries in the back-office."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from standardwebhooks import WebhookVerificationError

from loyalty.outbox.models import Message
from loyalty.stores.models import Role, Store
from loyalty.webhooks.models import WebhookEndpoint
from tests.addresses import reverse
from tests.factories import make_store, make_user
from tests.loyalty.webhooks.receiving import Receiver, counts, deliver, happen, make_endpoint

pytestmark = pytest.mark.usefixtures("db", "frozen_clock")

LIST = "admin:webhooks_webhookendpoint_changelist"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def client_of(store: Store, role: Role = Role.OWNER) -> Client:
    client = Client()
    client.force_login(make_user((store, role)), backend=BACKEND)
    return client


@pytest.fixture
def client(store: Store) -> Client:
    return client_of(store)


def address(name: str, row: Any) -> str:
    return reverse(f"admin:webhooks_webhookendpoint_{name}", args=[row.pk])


def post(client: Client, path: str, **fields: Any) -> str:
    answer = client.post(path, fields, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def secret_in(page: str) -> str:
    found = re.search(r'<code class="secret">(whsec_[^<]+)</code>', page)
    assert found, page
    return found[1]


def add(client: Client, url: str, **fields: Any) -> str:
    values = {"description": "ERP", "url": url, "events": ["order.cancelled"], "once": "token"} | fields
    return post(client, reverse("admin:webhooks_webhookendpoint_add"), **values)


def test_an_endpoint_is_added_and_its_secret_shown_once(client: Client, store: Store, receiver: Receiver) -> None:
    secret = secret_in(add(client, receiver.url))
    endpoint = WebhookEndpoint.objects.for_store(store).get()
    assert (endpoint.description, endpoint.url, endpoint.events) == ("ERP", receiver.url, ["order.cancelled"])
    for page in (add(client, receiver.url), client.get(address("change", endpoint)).content.decode()):
        assert secret not in page
        assert "whsec_" not in page
    assert WebhookEndpoint.objects.for_store(store).count() == 1
    happen(store)
    deliver()
    receiver.received[0].verify(secret)


def test_pages_with_secrets_are_not_stored_on_the_way(client: Client, store: Store, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(store, receiver.url)
    assert "no-store" in client.get(address("change", endpoint))["Cache-Control"]
    answer = client.post(address("rotate", endpoint), {"overlap_hours": "1", "once": "x"})
    assert "no-store" in answer["Cache-Control"]


def test_what_is_wrong_is_said_beside_the_field(client: Client, store: Store, settings: Settings) -> None:
    settings.OUTGOING_TO_LOCALHOST = False
    assert "private network" in add(client, "https://10.0.0.1/hook")
    assert "must begin with https://" in add(client, "http://example.com/hook")
    assert "Choose at least one event" in add(client, "https://192.88.100.1/hook", events=[])
    assert not WebhookEndpoint.objects.for_store(store).exists()
    # The form that was refused counts for nothing: the same one, put right, is carried out.
    assert secret_in(add(client, "https://192.88.100.1/hook"))


def test_an_endpoint_is_changed(client: Client, store: Store, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(store, receiver.url)
    page = post(
        client,
        address("change", endpoint),
        description="Shop",
        url=receiver.url,
        events=["order.revert_undone", "order.cancelled"],
    )
    assert "The endpoint is saved." in page
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.events) == ("Shop", ["order.cancelled", "order.revert_undone"])


def test_t8_another_address_gets_a_secret_of_its_own(client: Client, store: Store, receiver: Receiver) -> None:
    endpoint, old = make_endpoint(store, f"{receiver.url}/before")
    new = secret_in(
        post(client, address("change", endpoint), description="Shop", url=receiver.url, events=["order.cancelled"])
    )
    happen(store)
    deliver()
    receiver.received[0].verify(new)
    with pytest.raises(WebhookVerificationError):
        receiver.received[0].verify(old)


def test_a_rotated_secret_is_shown_once_and_sending_the_form_twice_counts_once(
    client: Client, store: Store, receiver: Receiver
) -> None:
    endpoint, old = make_endpoint(store, receiver.url)
    new = secret_in(post(client, address("rotate", endpoint), overlap_hours="24", once="one"))
    assert "changed already" in post(client, address("rotate", endpoint), overlap_hours="24", once="one")
    happen(store)
    deliver()
    receiver.received[0].verify(old)
    receiver.received[0].verify(new)
    page = client.get(address("change", endpoint)).content.decode()
    assert "deliveries carry a signature of the old secret too" in page
    assert "whsec_" not in page


def test_it_is_switched_off_and_on_and_removed(client: Client, store: Store, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(store, receiver.url)
    assert "Switched off by hand" in post(client, address("switch", endpoint), enabled="no")
    assert "Switch the endpoint on first" in post(client, address("test", endpoint))
    assert "Send a test event" in post(client, address("switch", endpoint), enabled="yes")
    page = post(client, address("remove", endpoint))
    assert "is removed" in page
    assert "No webhook endpoints yet" in page
    assert client.get(address("change", endpoint)).status_code == 404


def test_a_test_event_is_sent_and_its_answer_shown(client: Client, store: Store, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(store, receiver.url)
    post(client, address("test", endpoint))
    assert deliver() == counts(done=1)
    assert receiver.received[0].json["type"] == "webhook.test"
    page = client.get(address("change", endpoint)).content.decode()
    assert "answered 204" in page
    assert "webhook.test" in page


def test_an_endpoint_that_failed_is_said_so_on_its_page_the_list_and_in_the_menu(
    client: Client, store: Store, receiver: Receiver
) -> None:
    receiver.answers(500)
    endpoint, _ = make_endpoint(store, receiver.url)
    happen(store)
    deliver()
    assert "Failing since" in client.get(address("change", endpoint)).content.decode()
    assert "Failing since" in client.get(reverse(LIST)).content.decode()
    receiver.answers(410)
    happen(store)
    deliver()
    page = client.get(address("change", endpoint)).content.decode()
    assert "Switched off: it answered that it is gone (410)" in page
    assert "Switch on" in page
    listed = client.get(reverse(LIST)).content.decode()
    assert "Switched off: it failed" in listed
    assert re.search(r"Webhook endpoints.{0,400}>\s*1\s*<", listed, re.DOTALL)


def deliveries(client: Client, **filters: Any) -> str:
    answer = client.get(reverse("admin:webhooks_webhookdelivery_changelist"), filters)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_deliveries_are_listed_filtered_shown_and_sent_again(client: Client, store: Store, receiver: Receiver) -> None:
    receiver.answers(500, "<b>try later</b>")
    endpoint, _ = make_endpoint(store, receiver.url, "order.cancelled")
    happen(store)
    deliver()
    delivery = Message.objects.for_store(store).get()
    page = reverse("admin:webhooks_webhookdelivery_change", args=[delivery.pk])
    for filters in ({}, {"status": "queued"}, {"event": "order.cancelled"}, {"endpoint": endpoint.pk}):
        listed = deliveries(client, **filters)
        assert page in listed
        assert "answered 500" in listed
    for filters in ({"status": "done"}, {"event": "webhook.test"}):
        assert page not in deliveries(client, **filters)

    shown = client.get(page).content.decode()
    assert "&lt;b&gt;try later&lt;/b&gt;" in shown
    assert "&quot;type&quot;: &quot;order.cancelled&quot;" in shown
    receiver.answers(200)
    again = reverse("admin:webhooks_webhookdelivery_replay", args=[delivery.pk])
    assert "sent again within a minute" in post(client, again)
    assert deliver() == counts(done=1)
    shown = client.get(page).content.decode()
    assert "answered 200" in shown
    assert "answered 500" in shown


def test_a_delivery_to_a_removed_endpoint_stays_listed_and_is_not_sent_again(
    client: Client, store: Store, receiver: Receiver
) -> None:
    endpoint, _ = make_endpoint(store, receiver.url, "order.cancelled")
    happen(store)
    deliver()
    post(client, address("remove", endpoint))
    delivery = Message.objects.for_store(store).get()
    assert "(removed)" in deliveries(client)
    assert (
        "(removed)" in client.get(reverse("admin:webhooks_webhookdelivery_change", args=[delivery.pk])).content.decode()
    )
    again = reverse("admin:webhooks_webhookdelivery_replay", args=[delivery.pk])
    assert "has been removed" in post(client, again)
    assert deliver() == counts()


def test_lists_say_what_to_do_when_they_are_empty(client: Client) -> None:
    assert "No webhook endpoints yet" in client.get(reverse(LIST)).content.decode()
    assert "Nothing has been sent yet" in deliveries(client)


POSTS = ["endpoint_rotate", "endpoint_switch", "endpoint_test", "endpoint_remove", "delivery_replay"]


@pytest.mark.parametrize("name", POSTS)
def test_t1_t2_outsiders_and_other_roles_change_nothing(store: Store, receiver: Receiver, name: str) -> None:
    endpoint, _ = make_endpoint(store, receiver.url, "order.cancelled")
    happen(store)
    deliver()
    delivery = Message.objects.for_store(store).get()
    key = delivery.pk if name.startswith("delivery") else endpoint.pk
    path = reverse(f"admin:webhooks_webhook{name}", args=[key])
    fields = {"enabled": "no", "overlap_hours": "0", "once": "x"}
    before = WebhookEndpoint.unscoped.values().get(), Message.unscoped.values().get()
    assert client_of(make_store()).post(path, fields).status_code == 404
    for role in (Role.MANAGER, Role.SUPPORT, Role.VIEWER):
        assert client_of(store, role).post(path, fields).status_code == 403
    assert client_of(store).get(path).status_code == 405
    assert (WebhookEndpoint.unscoped.values().get(), Message.unscoped.values().get()) == before
