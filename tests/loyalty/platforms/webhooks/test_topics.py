"""A topic in a header is not signed: what a body is decides, and what belies it is refused."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from loyalty.platforms.meaning import (
    DataWanted,
    DeletedOrder,
    EraseCustomer,
    EraseShop,
    Uninstalled,
)
from loyalty.platforms.models import InboundDelivery, PlatformConnection, PrivacyRequest
from loyalty.platforms.read import meaning_of
from loyalty.platforms.recognise import disagreement
from loyalty.platforms.snapshot import NotAnOrder
from loyalty.platforms.webhooks.replay import replay
from loyalty.stores.models import Customer, Store
from orders.services.intake.process_webhooks import process_deliveries
from tests.deliveries import Delivery, connect_store, shopify, shopline_global, woocommerce
from tests.factories import NOW, make_store
from tests.loyalty.platforms.samples import order

MAKERS: Final[dict[str, Callable[..., Delivery]]] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "shopline_global": shopline_global,
}
SHOP: Final = {"shop_id": 954889, "shop_domain": "x.myshopify.com"}
ADA: Final = {"id": 77, "email": "ada@example.com"}
# By kind, a body as its platform sends it.
BODIES: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "shopify": {
        "order": order("shopify"),
        "edited": {"order_edit": {"order_id": 5941690892493}},
        "refund": {"id": 1, "order_id": 5941690892493, "refund_line_items": [], "transactions": []},
        "transaction": {"id": 1, "order_id": 5941690892493, "kind": "sale", "gateway": "x", "status": "failure"},
        "customer": ADA | {"orders_count": 3},
        "merge": {"admin_graphql_api_customer_kept_id": "gid://shopify/Customer/2"},
        "product": {"id": 4, "variants": []},
        "data": SHOP | {"customer": ADA, "orders_requested": [1], "data_request": {"id": 9}},
        "redact": SHOP | {"customer": ADA, "orders_to_redact": [1]},
        "shop_redact": SHOP,
        "shop": {"id": 954889, "name": "X", "myshopify_domain": "x.myshopify.com"},
        "deleted": {"id": 5941690892493},
    },
    "woocommerce": {
        "order": order("woocommerce"),
        "coupon": {"id": 1, "code": "10off", "discount_type": "percent"},
        "customer": {"id": 26, "is_paying_customer": True},
        "product": {"id": 4, "stock_status": "instock"},
        "deleted": {"id": 727},
    },
    "shopline_global": {
        "order": order("shopline_global"),
        "payment": {"pay_seq": "1", "pay_status": "paid"},
        "redact": {"shop_id": "1", "customer": ADA, "orders_to_redact": ["#1"], "update_time": "2022-05-31T15:32:46Z"},
        "shop_redact": {"store_id": "1", "store_domain": "x.myshopline.com"},
        "app": {"appkey": "a", "operate": "UNINSTALL", "store_id": "1"},
        "deleted": {"id": "21057401932826316666967110"},
    },
}
# By topic, the kinds of body that it may come with; an id alone may be that of anything.
TOPICS: Final[dict[str, dict[str, set[str]]]] = {
    "shopify": {
        "orders/create": {"order", "edited", "deleted"},
        "orders/updated": {"order", "edited", "deleted"},
        "orders/cancelled": {"order", "edited", "deleted"},
        "orders/delete": {"deleted"},
        "refunds/create": {"refund", "deleted"},
        "order_transactions/create": {"transaction", "deleted"},
        "customers/update": {"customer", "deleted"},
        "customers/merge": {"merge", "deleted"},
        "products/update": {"product", "deleted"},
        "customers/data_request": {"data", "deleted"},
        "customers/redact": {"redact"},
        "shop/redact": {"shop_redact"},
        "app/uninstalled": {"shop", "deleted"},
        "shop/update": {"shop", "deleted"},
    },
    "woocommerce": {
        "order.created": {"order", "deleted"},
        "order.restored": {"order", "deleted"},
        "order.deleted": {"deleted"},
        "coupon.updated": {"coupon", "deleted"},
        "customer.deleted": {"customer", "deleted"},
        "product.updated": {"product", "deleted"},
    },
    "shopline_global": {
        "orders/updated": {"order", "deleted"},
        "orders/delete": {"deleted"},
        "order_transactions/create": {"payment", "deleted"},
        "customers/redact": {"redact"},
        "merchants/redact": {"shop_redact"},
        "apps/installed_uninstalled": {"app", "deleted"},
    },
}
EVERY: Final = [
    (platform, topic, kind) for platform, topics in TOPICS.items() for topic in topics for kind in BODIES[platform]
]
DESTRUCTIVE: Final = (EraseCustomer, EraseShop, Uninstalled, DeletedOrder, DataWanted)


@pytest.mark.parametrize(("platform", "topic", "kind"), EVERY)
def test_every_topic_with_every_body(platform: str, topic: str, kind: str) -> None:
    body = BODIES[platform][kind]
    agrees = kind in TOPICS[platform][topic]
    assert (disagreement(topic, body) == "") == agrees
    if not agrees:
        with pytest.raises(NotAnOrder, match="The header says"):
            meaning_of(platform, topic, body)


@pytest.mark.parametrize(("platform", "topic", "kind"), EVERY)
def test_a_body_destroys_under_its_own_topic_alone(platform: str, topic: str, kind: str) -> None:
    try:
        said = meaning_of(platform, topic, BODIES[platform][kind])
    except NotAnOrder:
        return
    if isinstance(said, DESTRUCTIVE):
        assert kind in {"redact", "shop_redact", "shop", "app", "deleted", "data"}


@pytest.mark.parametrize(
    "topic", ["", "Orders/Updated", "something/new", "customers_marketing_consent/update", "x" * 300]
)
def test_topics_that_are_not_known_are_nobodys_business(topic: str) -> None:
    assert disagreement(topic, BODIES["shopify"]["order"]) == ""


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_clock")
class TestReceipt:
    @pytest.mark.parametrize(
        ("platform", "topic"),
        [
            ("shopify", "customers/redact"),
            ("shopify", "shop/redact"),
            ("shopify", "app/uninstalled"),
            ("shopify", "orders/delete"),
            ("woocommerce", "order.deleted"),
            ("shopline_global", "customers/redact"),
            ("shopline_global", "merchants/redact"),
            ("shopline_global", "apps/installed_uninstalled"),
            ("shopline_global", "orders/delete"),
        ],
    )
    def test_an_orders_signed_bytes_do_nothing_under_another_topic(
        self, store: Store, platform: str, topic: str
    ) -> None:
        connected = connect_store(store, platform)
        true = MAKERS[platform](order(platform))
        assert true.send(store).status_code == 200
        process_deliveries(NOW)
        before = Customer.objects.for_store(store).values().get()

        assert MAKERS[platform](order(platform), topic).send(store).status_code == 400
        process_deliveries(NOW)

        assert Customer.objects.for_store(store).values().get() == before
        kept = PlatformConnection.unscoped.get(pk=connected.pk)
        assert (kept.enabled, kept.uninstalled_at, kept.webhook_secret) == (True, None, connected.webhook_secret)
        assert not PrivacyRequest.objects.for_store(store).exists()
        refused = InboundDelivery.objects.for_store(store).get(topic=topic)
        assert refused.state == "failed"
        assert refused.last_error == f"The header says “{topic}”, and the body is an order."
        # Staff see it, and trying again comes to the same.
        assert replay(store=store, delivery_id=refused.pk, now=NOW)
        process_deliveries(NOW)
        refused.refresh_from_db()
        assert (refused.state, bool(refused.body)) == ("failed", True)

    def test_a_refused_message_does_not_take_the_place_of_a_true_one(self, store: Store) -> None:
        connect_store(store)
        for topic, expected in (("customers/redact", 400), ("orders/updated", 200), ("customers/redact", 400)):
            assert shopify(order("shopify"), topic, webhook_id="one").send(store).status_code == expected
        states = InboundDelivery.objects.for_store(store).order_by("pk").values_list("topic", "state")
        assert list(states) == [("customers/redact", "failed"), ("orders/updated", "waiting")]

    @pytest.mark.parametrize(
        ("platform", "domain", "body"),
        [
            ("shopify", "myshopify.com", {"order_status_url": "https://a.myshopify.com/1/orders/2"}),
            ("shopify", "myshopify.com", {"myshopify_domain": "a.myshopify.com"}),
            ("shopline_global", "myshopline.com", {"shop_domain": "a.myshopline.com"}),
        ],
    )
    def test_what_names_one_shop_is_not_taken_by_another(
        self, store: Store, platform: str, domain: str, body: dict[str, str]
    ) -> None:
        connect_store(store, platform, base_url=f"https://a.{domain}")
        other = make_store()
        connect_store(other, platform, base_url=f"https://b.{domain}")
        sent = MAKERS[platform](order(platform, **body) if "order_status_url" in body else body, "x/y")
        assert sent.send(store).status_code == 200
        assert sent.send(other).status_code == 401
        assert not InboundDelivery.objects.for_store(other).exists()
