"""The receipt of webhooks: which answer, what is kept, and that a repeat counts once (O2)."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from loyalty.core.encryption import Secret
from loyalty.database.named_stores import in_store
from loyalty.platforms.connections.connect import rotate_webhook_secret
from loyalty.platforms.models import DeliveryState, InboundDelivery, PlatformConnection
from loyalty.platforms.webhooks import receive
from loyalty.stores.models import Store
from tests.deliveries import Delivery, connect_store, shopify, shopline, shopline_global, woocommerce
from tests.factories import ACTOR, NOW, make_store
from tests.loyalty.platforms.samples import order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

MAKERS: dict[str, Callable[..., Delivery]] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "shopline": shopline,
    "shopline_global": shopline_global,
}


@pytest.fixture(params=MAKERS)
def platform(request: pytest.FixtureRequest, store: Store) -> str:
    connect_store(store, request.param)
    return str(request.param)


def kept(store: Store) -> list[InboundDelivery]:
    return list(InboundDelivery.objects.for_store(store).order_by("pk"))


def test_a_signed_delivery_is_kept_as_it_came(platform: str, store: Store) -> None:
    sent = MAKERS[platform](order(platform))
    answer = sent.send(store)
    assert (answer.status_code, answer.content) == (200, b"")
    (delivery,) = kept(store)
    assert bytes(delivery.body) == sent.body
    assert (delivery.platform, delivery.state, delivery.received_at) == (platform, DeliveryState.WAITING, NOW)
    assert delivery.next_attempt_at == NOW
    assert delivery.topic in ("orders/updated", "order.updated", "order/update")
    assert not delivery.is_test
    for name, value in sent.headers.items():
        assert delivery.headers[name.lower()] == value


def test_the_same_delivery_again_is_200_and_nothing_more(platform: str, store: Store) -> None:
    sent = MAKERS[platform](order(platform))
    assert [sent.send(store).status_code for _ in range(3)] == [200, 200, 200]
    assert len(kept(store)) == 1


def test_another_delivery_of_the_same_order_is_kept_too(platform: str, store: Store) -> None:
    document = order(platform)
    MAKERS[platform](document).send(store)
    MAKERS[platform](document | {"note": "changed"}).send(store)
    assert len(kept(store)) == 2


def test_a_wrong_secret_is_401_and_nothing_is_kept(platform: str, store: Store) -> None:
    assert MAKERS[platform](order(platform), secret="somebody else's").send(store).status_code == 401
    assert kept(store) == []


def test_an_unsigned_delivery_is_401(platform: str, store: Store) -> None:
    sent = MAKERS[platform](order(platform))
    assert Delivery(platform, sent.body).send(store).status_code == 401
    assert Delivery(platform, b"").send(store).status_code == 401
    assert kept(store) == []


def test_a_body_that_was_changed_on_the_way_is_401(platform: str, store: Store) -> None:
    sent = MAKERS[platform](order(platform))
    changed = sent.body.replace(b"vip", b"vop") + b" "
    assert Delivery(platform, changed, sent.headers, sent.query).send(store).status_code == 401
    assert kept(store) == []


def test_without_a_secret_nothing_is_signed(store: Store) -> None:
    connect_store(store, "shopify", webhook_secret=Secret())
    assert shopify(order("shopify"), secret="").send(store).status_code == 401


def test_the_delivery_of_another_store_is_401_there(platform: str, store: Store) -> None:
    other = make_store()
    connect_store(other, platform, secret="the other store's secret")
    sent = MAKERS[platform](order(platform))
    assert sent.send(other).status_code == 401
    assert kept(other) == []


@pytest.mark.parametrize("slug", ["no-such-store", "UPPER", "a" * 80])
def test_an_unknown_store_is_404(platform: str, slug: str) -> None:
    assert MAKERS[platform](order(platform)).send(slug).status_code == 404


def test_a_store_that_is_not_connected_to_the_platform_is_404(platform: str, store: Store) -> None:
    others = [name for name in MAKERS if name != platform]
    for other in others:
        assert MAKERS[other](order(other)).send(store).status_code == 404


def test_a_platform_that_nobody_knows_is_404(store: Store) -> None:
    assert Delivery("magento", b"{}").send(store).status_code == 404


def test_a_disconnected_store_is_404(store: Store) -> None:
    connect_store(store, enabled=False)
    assert shopify(order("shopify")).send(store).status_code == 404


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'"text"', b"null", b'{"a": ', b"\xff", b"[" * 100_000])
def test_what_is_signed_but_no_json_object_is_400(platform: str, store: Store, body: bytes) -> None:
    sent = shopline({}, body=body) if platform == "shopline" else MAKERS[platform](body)
    assert sent.send(store).status_code == 400
    assert kept(store) == []


def test_a_key_named_twice_is_400_and_named(platform: str, store: Store) -> None:
    body = b'{"id": 1, "total_price": "1.00", "total_price": "900.00"}'
    answer = (shopline({}, body=body) if platform == "shopline" else MAKERS[platform](body)).send(store)
    assert (answer.status_code, kept(store)) == (400, [])
    assert "total_price" in answer.content.decode()


def test_more_than_a_megabyte_is_413_whatever_is_inside(platform: str, store: Store) -> None:
    sent = MAKERS[platform](order(platform) | {"note": "x" * 1024 * 1024})
    assert sent.send(store).status_code == 413
    assert kept(store) == []


def test_just_under_a_megabyte_is_taken(store: Store) -> None:
    connect_store(store)
    document = order("shopify")
    room = receive.MAX_BODY - len(json.dumps(document | {"note": ""}))
    assert shopify(document | {"note": "x" * room}).send(store).status_code == 200
    assert shopify(document | {"note": "x" * (room + 1)}).send(store).status_code == 413


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_post(store: Store, method: str) -> None:
    connect_store(store)
    answer = getattr(Client(), method)(f"/hooks/shopify/{store.slug}/")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


def test_an_address_without_its_last_slash_is_no_redirect(store: Store) -> None:
    connect_store(store)
    sent = shopify(order("shopify"))
    answer = Client(headers=dict(sent.headers)).post(
        f"/hooks/shopify/{store.slug}", sent.body, content_type="application/json"
    )
    assert answer.status_code == 200


def test_no_cookie_and_no_csrf_token_are_asked_for(store: Store) -> None:
    connect_store(store)
    sent = shopify(order("shopify"))
    client = Client(enforce_csrf_checks=True, headers=dict(sent.headers))
    answer = client.post(sent.path(store), sent.body, content_type="application/json")
    assert answer.status_code == 200
    assert answer.cookies == {}


def test_it_costs_one_statement_and_one_more_where_shops_share_a_secret(
    platform: str, store: Store, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert MAKERS[platform](order(platform)).send(store).status_code == 200
    again = MAKERS[platform](order(platform) | {"note": 1})
    with django_assert_num_queries(2 if platform == "shopline" else 1):
        assert again.send(store).status_code == 200
    assert len(kept(store)) == 2


class TestWhatIsRemembered:
    """A process remembers connections; what has become of them since counts all the same."""

    @pytest.fixture(autouse=True)
    def remembered(self, frozen_clock: None, platform: str, store: Store) -> None:
        assert MAKERS[platform](order(platform)).send(store).status_code == 200

    def test_a_new_secret_counts_and_the_old_one_no_longer(self, platform: str, store: Store) -> None:
        connection = PlatformConnection.objects.for_store(store)
        connection.update(webhook_secret=Secret.of("another secret"))
        old = MAKERS[platform](order(platform) | {"note": 1})
        new = MAKERS[platform](order(platform) | {"note": 1}, secret="another secret")
        assert [old.send(store).status_code, new.send(store).status_code] == [401, 200]
        assert len(kept(store)) == 2

    def test_a_connection_that_is_switched_off_is_404(self, platform: str, store: Store) -> None:
        PlatformConnection.objects.for_store(store).update(enabled=False)
        assert MAKERS[platform](order(platform) | {"note": 1}).send(store).status_code == 404
        assert len(kept(store)) == 1

    def test_an_address_that_another_store_has_now_is_that_stores(self, platform: str, store: Store) -> None:
        slug = store.slug
        Store.objects.filter(pk=store.pk).update(slug="moved-away")
        heir = make_store(slug=slug)
        connect_store(heir, platform)
        assert MAKERS[platform](order(platform) | {"note": 1}).send(heir).status_code == 200
        assert (len(kept(store)), len(kept(heir))) == (1, 1)

    def test_one_that_changes_while_a_message_is_read_is_asked_for_again(
        self, platform: str, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first look finds it, and by the time of keeping it is switched off."""
        found = receive._find

        def found_and_switched_off(platform: str, slug: str) -> object:
            door = found(platform, slug)
            with in_store(store.pk):
                PlatformConnection.objects.for_store(store).update(enabled=False)
            return door

        receive._DOORS.clear()
        monkeypatch.setattr(receive, "_find", found_and_switched_off)
        assert MAKERS[platform](order(platform) | {"note": 1}).send(store).status_code == 503
        assert len(kept(store)) == 1

    def test_no_more_than_a_bound_are_remembered(
        self, platform: str, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(receive, "_MOST_DOORS", 1)
        other = make_store(slug="another")
        connect_store(other, platform)
        assert MAKERS[platform](order(platform) | {"note": 1}).send(other).status_code == 200
        assert list(receive._DOORS) == [(platform, "another")]


class TestRotation:
    def test_the_secret_before_is_accepted_for_a_day(self, platform: str, store: Store) -> None:
        row = PlatformConnection.objects.for_store(store).get().pk
        rotate_webhook_secret(store=store, connection_id=row, actor=ACTOR, now=NOW, secret="the new secret")
        old, new = MAKERS[platform](order(platform)), MAKERS[platform](order(platform), secret="the new secret")
        assert [old.send(store).status_code, new.send(store).status_code] == [200, 200]
        with time_machine.travel(NOW + timedelta(days=1), tick=False):
            later = {"now": NOW + timedelta(days=1)} if platform == "shopline" else {}
            old = MAKERS[platform](order(platform) | {"note": 1}, **later)
            new = MAKERS[platform](order(platform) | {"note": 1}, secret="the new secret", **later)
            assert [old.send(store).status_code, new.send(store).status_code] == [401, 200]


class TestShopify:
    def test_both_spellings_of_its_headers(self, store: Store) -> None:
        connect_store(store)
        sent = shopify(order("shopify"), webhook_id="one")
        bare = {name.removeprefix("X-"): value for name, value in sent.headers.items()}
        assert Delivery("shopify", sent.body, bare).send(store).status_code == 200
        assert [delivery.topic for delivery in kept(store)] == ["orders/updated"]
        assert sent.send(store).status_code == 200
        assert len(kept(store)) == 1

    def test_the_webhook_id_tells_a_repeat_even_with_another_body(self, store: Store) -> None:
        connect_store(store)
        document = order("shopify")
        shopify(document, webhook_id="one").send(store)
        shopify(document | {"note": "as it is at the retry"}, webhook_id="one").send(store)
        shopify(document, "orders/cancelled", webhook_id="one").send(store)
        assert [delivery.topic for delivery in kept(store)] == ["orders/updated", "orders/cancelled"]

    def test_a_test_delivery_is_kept_as_a_test_and_never_worked_on(self, store: Store) -> None:
        connect_store(store)
        assert shopify(order("shopify"), X_Shopify_Test="true").send(store).status_code == 200
        (delivery,) = kept(store)
        assert (delivery.is_test, delivery.state, delivery.next_attempt_at) == (True, DeliveryState.IGNORED, None)
        assert delivery.outcome == receive.TEST_WORDS

    def test_a_delivery_that_names_another_shop_is_401(self, store: Store) -> None:
        connect_store(store, base_url="https://tea-house.myshopify.com")
        document = order("shopify")
        ours, other = "tea-house.myshopify.com", "coffee-house.myshopify.com"
        assert shopify(document, X_Shopify_Shop_Domain=other).send(store).status_code == 401
        assert shopify(document, X_Shopify_Shop_Domain=ours).send(store).status_code == 200
        assert shopify(document).send(store).status_code == 200


class TestWooCommerce:
    def ping(self, store: Store, body: bytes = b"webhook_id=7", topic: str = "") -> int:
        headers = {"X-WC-Webhook-Topic": topic} if topic else {}
        sent = Delivery("woocommerce", body, headers, content_type="application/x-www-form-urlencoded")
        return sent.send(store).status_code

    def test_its_greeting_is_200_and_leaves_nothing(self, store: Store) -> None:
        connect_store(store, "woocommerce")
        assert self.ping(store) == 200
        assert kept(store) == []

    @pytest.mark.parametrize(
        "body", [b"webhook_id=7&action=x", b"webhook_id=", b"webhook_id=x", b"id=7", b"webhook_id"]
    )
    def test_anything_else_unsigned_is_401(self, store: Store, body: bytes) -> None:
        connect_store(store, "woocommerce")
        assert self.ping(store, body) == 401

    def test_a_greeting_with_a_topic_is_no_greeting(self, store: Store) -> None:
        connect_store(store, "woocommerce")
        assert self.ping(store, topic="order.updated") == 401

    def test_other_platforms_send_no_greeting(self, store: Store) -> None:
        connect_store(store)
        form = Delivery("shopify", b"webhook_id=7", content_type="application/x-www-form-urlencoded")
        assert form.send(store).status_code == 401

    def test_an_order_can_be_deleted_twice(self, store: Store) -> None:
        connect_store(store, "woocommerce")
        for _ in range(2):
            woocommerce({"id": 727}, "order.deleted").send(store)
        assert len(kept(store)) == 2


def test_shoplines_topic_is_inside_and_may_be_anything(store: Store) -> None:
    connect_store(store, "shopline")
    body = b'{"topic": "a\\u0000b\\ud800' + b"x" * 200 + b'", "resource": {}}'
    assert shopline({}, body=body).send(store).status_code == 200
    assert kept(store)[-1].topic == f"ab?{'x' * 97}"
    assert shopline({}, body=b'{"topic": 7}').send(store).status_code == 200


class TestShoplinesOneSecret:
    """A chain's shops share the app's secret, so a signature alone does not say whose message it is."""

    def test_what_one_store_took_in_is_not_taken_in_by_another(self, store: Store) -> None:
        other = make_store()
        for each in (store, other):
            connect_store(each, "shopline")
        sent = shopline(order("shopline"))
        assert [sent.send(store).status_code, sent.send(other).status_code] == [200, 401]
        assert sent.send(store).status_code == 200
        assert (len(kept(store)), kept(other)) == (1, [])

    def test_two_shops_may_say_the_same(self, store: Store) -> None:
        other = make_store()
        for each in (store, other):
            connect_store(each, "shopline")
        assert shopline(order("shopline")).send(store).status_code == 200
        assert shopline(order("shopline"), now=NOW + timedelta(seconds=1)).send(other).status_code == 200

    def test_once_the_platform_has_said_whose_shop_it_is_the_body_decides(self, store: Store) -> None:
        connect_store(store, "shopline", merchant_id="5e840cae77cb07003243f7c7")
        assert shopline(order("shopline")).send(store).status_code == 401
        other = make_store()
        connect_store(other, "shopline", merchant_id="5dad5d2604515400018dcc90")
        assert shopline(order("shopline")).send(other).status_code == 200


class TestWaking:
    moment: float = 100.0

    @pytest.fixture(autouse=True)
    def woken(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        said: list[str] = []
        monkeypatch.setattr(receive, "wake", said.append)
        monkeypatch.setattr(receive, "wake_later", lambda name, *, seconds: said.append(f"{name} in {seconds} s"))
        monkeypatch.setattr(receive, "monotonic", lambda: self.moment)
        monkeypatch.setattr(receive, "_WAKING", receive._Waking())
        self.moment = 100.0
        return said

    BOTH = ("orders.process_deliveries", "orders.process_deliveries in 1.1 s")

    def test_a_worker_is_woken_at_once_and_for_what_follows_once_more(self, store: Store, woken: list[str]) -> None:
        connect_store(store)
        for moment in (100.0, 100.5, 100.99):
            self.moment = moment
            shopify(order("shopify")).send(store)
        assert woken == [*self.BOTH]
        self.moment = 101.0
        shopify(order("shopify")).send(store)
        assert woken == [*self.BOTH, *self.BOTH]

    def test_nobody_is_woken_for_repeats_and_tests(self, store: Store, woken: list[str]) -> None:
        connect_store(store)
        sent = shopify(order("shopify"))
        sent.send(store)
        self.moment = 102.0
        sent.send(store)
        shopify(order("shopify"), X_Shopify_Test="true").send(store)
        assert woken == [*self.BOTH]
