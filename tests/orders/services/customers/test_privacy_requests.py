"""Privacy requests of platforms: data for staff, people erased, and every sum as it was (trap 29)."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from loyalty.api.models import CommandAnswer
from loyalty.core.errors import NotFound
from loyalty.jobs.prune import prune
from loyalty.journal.models import JournalEntry
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.platforms.models import InboundDelivery, PlatformConnection, PrivacyRequest
from loyalty.stores.actors import Actor, ActorType
from loyalty.stores.models import Customer, Remark, Role, Store
from orders.kinds import LEDGERS
from orders.models import Order
from orders.services.customers import privacy_requests
from orders.services.intake.process_webhooks import process_deliveries
from orders.services.reverts.choices import CancelChoice
from tests import factories
from tests.addresses import reverse
from tests.books import find_faults
from tests.database import as_owner
from tests.deliveries import connect_store, shopify, shopline_global
from tests.factories import NOW
from tests.loyalty.platforms.samples import order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

MANAGER = Actor(ActorType.USER, "1")
ADA = {"id": 77, "email": "ada@example.com", "phone": "+4912345"}


class Shop:
    """A store connected to Shopify where Ada bought, used value, and had some of it returned with a note."""

    def __init__(self) -> None:
        self.store = factories.make_store()
        self.connection = connect_store(self.store)
        shopify(order("shopify")).send(self.store)
        process_deliveries(NOW)
        self.order: Order = Order.objects.for_store(self.store).get()
        self.ada: Customer = Customer.objects.for_store(self.store).get()
        factories.grant("credits", self.ada, "15.00")
        factories.grant("points", self.ada, 30)
        self.spent = factories.make_order(self.ada, credits="15.00", points=30)
        choice = CancelChoice(returns={"credits": True, "points": False})
        factories.cancel_choosing(self.spent, choice, note="Ada called in", notify_customer=True)
        named = {"email": "ada@example.com", "name": "Ada Byron"}
        body = json.dumps({"order": {"id": "Ada Byron", "customer": named}})
        self.answer = CommandAnswer.unscoped.create(
            store=self.store, key="k", fingerprint="f", status=200, body=body.encode(), created_at=NOW
        )

    def ask(self, topic: str, **more: Any) -> PrivacyRequest:
        """Let Shopify ask about Ada, and work it through."""
        document = {"shop_id": 954889, "shop_domain": "x.myshopify.com", **more}
        if topic.startswith("customers/"):
            document = {"customer": ADA} | document
        assert shopify(document, topic).send(self.store).status_code == 200
        process_deliveries(NOW)
        found: PrivacyRequest = PrivacyRequest.objects.for_store(self.store).get()
        return found

    def confirm(self, asked: PrivacyRequest) -> PrivacyRequest:
        """Somebody confirms the erasure, and the job carries it out."""
        assert privacy_requests.confirm_erasure(store=self.store, request_id=asked.pk, actor=MANAGER, now=NOW)
        process_deliveries(NOW)
        asked.refresh_from_db()
        return asked

    def erase(self, topic: str = "customers/redact", **more: Any) -> PrivacyRequest:
        """Let Shopify ask to erase, and confirm it."""
        return self.confirm(self.ask(topic, **more))

    def balance(self) -> Any:
        return {kind: ledger.available([self.ada.pk], now=NOW) for kind, ledger in LEDGERS.items()}


@pytest.fixture
def shop() -> Shop:
    return Shop()


def everything_said(store: Store) -> str:
    """Every text of the store's rows in which a person could be named."""
    rows: list[Any] = [
        *Customer.objects.for_store(store).values_list("email", "name", "phone", "external_id"),
        *Notice.objects.for_store(store).values_list("to_email", "subject", "text", "html"),
        *Remark.objects.for_store(store).values_list("reason", "note"),
        *JournalEntry.objects.for_store(store).values_list("data"),
        *PrivacyRequest.objects.for_store(store).values_list("facts"),
    ]
    bodies = [*InboundDelivery.objects.for_store(store), *CommandAnswer.objects.for_store(store)]
    return f"{rows} {[bytes(row.body) for row in bodies]}".lower()


@pytest.fixture
def client(shop: Shop) -> Client:
    client = Client()
    user = factories.make_user((shop.store, Role.MANAGER))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


class TestWaitingForStaff:
    """What destroys is asked of staff first: a topic is not signed, and nothing brings names back."""

    @pytest.mark.parametrize("topic", ["customers/redact", "shop/redact"])
    def test_nothing_is_erased_before_somebody_says_so(self, shop: Shop, topic: str) -> None:
        asked = shop.ask(topic)
        assert (asked.done_at, asked.confirmed_at) == (None, None)
        shop.ada.refresh_from_db()
        shop.connection.refresh_from_db()
        assert (shop.ada.email, shop.connection.enabled) == ("ada@example.com", True)
        assert all(bytes(row.body) for row in InboundDelivery.objects.for_store(shop.store))

    @pytest.mark.parametrize("topic", ["customers/redact", "shop/redact"])
    def test_closed_without_erasing_it_erases_nothing_and_forgets_who_was_meant(self, shop: Shop, topic: str) -> None:
        asked = shop.ask(topic)
        assert privacy_requests.keep_instead(store=shop.store, request_id=asked.pk, actor=MANAGER, now=NOW)
        assert not privacy_requests.confirm_erasure(store=shop.store, request_id=asked.pk, actor=MANAGER, now=NOW)
        process_deliveries(NOW)
        shop.ada.refresh_from_db()
        assert shop.ada.email == "ada@example.com"
        message = InboundDelivery.objects.for_store(shop.store).get(topic=topic)
        assert (bytes(message.body), message.outcome) == (b"", "Closed by staff: nothing was erased.")

    def test_confirming_twice_erases_once(self, shop: Shop) -> None:
        asked = shop.ask("customers/redact")
        done = [
            privacy_requests.confirm_erasure(store=shop.store, request_id=asked.pk, actor=MANAGER, now=NOW)
            for _ in range(2)
        ]
        assert done == [True, False]
        process_deliveries(NOW)
        process_deliveries(NOW)
        asked.refresh_from_db()
        assert asked.facts["customers"] == 1

    def test_the_message_that_says_who_is_meant_outlives_the_others(self, shop: Shop) -> None:
        asked = shop.ask("customers/redact")
        prune(NOW + timedelta(days=40))
        assert [row.topic for row in InboundDelivery.objects.for_store(shop.store)] == ["customers/redact"]
        shop.confirm(asked)
        prune(NOW + timedelta(days=40))
        assert not InboundDelivery.objects.for_store(shop.store).exists()

    def test_the_page_asks_twice_and_says_what_goes(self, shop: Shop, client: Client) -> None:
        asked = shop.ask("customers/redact")
        page = reverse("admin:platforms_privacyrequest_change", args=[asked.pk])
        erase = reverse("admin:platforms_privacyrequest_erase", args=[asked.pk])
        assert "Erase for good" in client.get(page).content.decode()
        assert "Tick the box first" in client.post(erase, follow=True).content.decode()
        asked.refresh_from_db()
        assert asked.confirmed_at is None
        client.post(erase, {"sure": "on"})
        process_deliveries(NOW)
        assert "Names, addresses, messages and notes are gone" in client.get(page).content.decode()
        shop.ada.refresh_from_db()
        assert shop.ada.email == ""

    def test_t1_another_stores_erasure_is_unknown(self, shop: Shop) -> None:
        asked = shop.ask("customers/redact")
        client = Client()
        stranger = factories.make_user((factories.make_store(), Role.OWNER))
        client.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
        for what in ("erase", "keep"):
            address = reverse(f"admin:platforms_privacyrequest_{what}", args=[asked.pk])
            assert client.post(address, {"sure": "on"}).status_code == 404
        with pytest.raises(NotFound):
            privacy_requests.confirm_erasure(store=factories.make_store(), request_id=asked.pk, actor=MANAGER, now=NOW)


class TestErasingACustomer:
    def test_everything_that_names_him_goes_and_every_sum_stays(self, shop: Shop) -> None:
        before = shop.balance()
        assert "ada" in everything_said(shop.store)
        asked = shop.erase(orders_to_redact=[5941690892493])
        said = everything_said(shop.store)
        for word in ("ada@", "+4912345", "called in"):
            assert word not in said
        shop.ada.refresh_from_db()
        assert (shop.ada.external_id, shop.ada.email, shop.ada.name) == (None, "", "")
        assert shop.balance() == before
        assert find_faults(shop.store) == []
        assert (asked.kind, asked.done_at, asked.customer) == ("erase_customer", NOW, shop.ada)
        assert asked.done_by == MANAGER.ref

    def test_his_orders_stay_with_what_they_used(self, shop: Shop) -> None:
        shop.erase()
        shop.spent.refresh_from_db()
        assert (shop.spent.customer_id, shop.spent.credits_reverted) == (shop.ada.pk, Decimal("15.00"))

    def test_a_notice_that_waited_is_not_sent(self, shop: Shop) -> None:
        assert Notice.objects.for_store(shop.store).get().status == NoticeStatus.QUEUED
        shop.erase()
        assert Notice.objects.for_store(shop.store).get().status == NoticeStatus.FAILED

    def test_a_stored_answer_keeps_everything_but_the_person(self, shop: Shop) -> None:
        shop.erase()
        shop.answer.refresh_from_db()
        # An id that happens to read the same is nobody's name.
        assert json.loads(bytes(shop.answer.body)) == {
            "order": {"id": "Ada Byron", "customer": {"email": "", "name": ""}}
        }

    def test_stored_deliveries_are_emptied_and_not_replayed(self, shop: Shop) -> None:
        shopify(order("shopify", note="waits")).send(shop.store)
        shop.erase()
        bodies = {
            row.topic: (bytes(row.body), row.redacted_at) for row in InboundDelivery.objects.for_store(shop.store)
        }
        assert bodies == {"orders/updated": (b"", NOW), "customers/redact": (b"", NOW)}

    def test_other_people_and_stores_are_left_alone(self, shop: Shop) -> None:
        bob = factories.make_customer(shop.store, email="bob@example.com", external_id="78")
        elsewhere = factories.make_customer(factories.make_store(), email="ada@example.com", external_id="77")
        shop.erase()
        for person in (bob, elsewhere):
            before = person.email
            person.refresh_from_db()
            assert person.email == before

    def test_a_guest_is_found_by_his_address(self, shop: Shop) -> None:
        guest = factories.make_customer(shop.store, email="ADA@example.com", external_id=None)
        shopify({"customer": ADA}, "customers/redact").send(shop.store)
        process_deliveries(NOW)
        for asked in PrivacyRequest.objects.for_store(shop.store):
            shop.confirm(asked)
        guest.refresh_from_db()
        assert guest.email == ""

    def test_somebody_unknown_is_erased_already(self, shop: Shop) -> None:
        asked = shop.ask("customers/redact", customer={"id": 1, "email": "nobody@example.com"})
        assert (asked.done_at, asked.customer) == (NOW, None)
        shop.ada.refresh_from_db()
        assert shop.ada.email == "ada@example.com"


class TestErasingAShop:
    def test_the_connection_ends_and_the_platforms_customers_go(self, shop: Shop) -> None:
        bob = factories.make_customer(shop.store, email="bob@example.com")
        factories.make_order(bob)
        with as_owner():
            Order.objects.for_store(shop.store).filter(pk=shop.spent.pk).update(platform="shopify", external_id="9")
        before = shop.balance()
        asked = shop.erase("shop/redact")
        assert asked.done_at == NOW
        assert asked.facts["customers"] == 1
        shop.ada.refresh_from_db()
        bob.refresh_from_db()
        assert (shop.ada.email, bob.email) == ("", "bob@example.com")
        assert shop.balance() == before
        assert find_faults(shop.store) == []
        shop.connection.refresh_from_db()
        assert not any((shop.connection.enabled, shop.connection.webhook_secret))
        assert not any(bytes(row.body) for row in InboundDelivery.objects.for_store(shop.store))

    def test_a_customer_who_also_bought_another_way_stays(self, shop: Shop) -> None:
        shop.erase("shop/redact")
        shop.ada.refresh_from_db()
        assert shop.ada.email == "ada@example.com"

    def test_batch_by_batch(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(5):
            person = factories.make_customer(shop.store, email=f"person{number}@example.com")
            made = factories.make_order(person)
            with as_owner():
                Order.objects.for_store(shop.store).filter(pk=made.pk).update(
                    platform="shopify", external_id=f"x{number}"
                )
        monkeypatch.setattr(privacy_requests, "_BATCH", 2)
        assert shop.erase("shop/redact").facts["customers"] == 5

    def test_shopline_globals_words_for_it(self) -> None:
        store = factories.make_store()
        connected = connect_store(store, "shopline_global")
        shopline_global({"shop_id": "1"}, "merchants/redact").send(store)
        process_deliveries(NOW)
        asked = PrivacyRequest.objects.for_store(store).get()
        assert privacy_requests.confirm_erasure(store=store, request_id=asked.pk, actor=MANAGER, now=NOW)
        process_deliveries(NOW)
        connected.refresh_from_db()
        assert not connected.enabled


class TestAskingForData:
    def test_it_waits_for_staff_who_hand_it_out(self, shop: Shop, client: Client) -> None:
        asked = shop.ask("customers/data_request", orders_requested=[5941690892493])
        assert (asked.kind, asked.done_at, asked.customer) == ("data", None, shop.ada)
        page = client.get(reverse("admin:platforms_privacyrequest_change", args=[asked.pk])).content.decode()
        assert "Download the data" in page
        document = client.get(reverse("admin:platforms_privacyrequest_data", args=[asked.pk])).json()
        assert document["customer"]["email"] == "ada@example.com"
        assert {one["number"] for one in document["orders"]} == {"#1001", shop.spent.number}
        assert [move["amount"] for move in document["credits"]["movements"]] == ["15.00", "-15.00", "15.00"]
        assert document["points"]["lots"]
        assert document["messages"][0]["to"] == "ada@example.com"
        client.post(reverse("admin:platforms_privacyrequest_done", args=[asked.pk]))
        asked.refresh_from_db()
        assert asked.done_at == NOW

    def test_nothing_is_kept_about_somebody_unknown(self, shop: Shop) -> None:
        asked = shop.ask("customers/data_request", customer={"id": 1, "email": "nobody@example.com"})
        assert asked.done_at == NOW
        assert "nobody" not in everything_said(shop.store)

    def test_t1_another_stores_request_is_unknown(self, shop: Shop) -> None:
        asked = shop.ask("customers/data_request")
        client = Client()
        stranger = factories.make_user((factories.make_store(), Role.OWNER))
        client.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
        for what in ("change", "data"):
            assert client.get(reverse(f"admin:platforms_privacyrequest_{what}", args=[asked.pk])).status_code == 404
        assert client.post(reverse("admin:platforms_privacyrequest_done", args=[asked.pk])).status_code == 404


def test_the_same_request_twice_is_one(shop: Shop) -> None:
    for number in range(2):
        shopify({"customer": ADA}, "customers/redact", webhook_id=f"twice-{number // 2}").send(shop.store)
    process_deliveries(NOW)
    assert PrivacyRequest.objects.for_store(shop.store).count() == 1
    assert PlatformConnection.objects.for_store(shop.store).get().enabled
