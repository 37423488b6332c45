"""What only Shopify does: errors in answers of status 200, throttling by cost, discounts of many codes, scopes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty.platforms.client import client_for
from loyalty.platforms.http.protocol import Failed, PlatformClient, Refused, Throttled, Unreachable
from loyalty.platforms.read import read_order
from loyalty.stores.models import Store
from tests.loyalty.platforms.samples import order
from tests.platforms_imitated.connecting import connection_to
from tests.platforms_imitated.shopify import ImitatedShopify

NOW = datetime(2026, 1, 7, tzinfo=UTC)
ORDER = "5941690892493"


@pytest.fixture
def client(imitated_shopify: ImitatedShopify) -> PlatformClient:
    imitated_shopify.put(order("shopify"))
    return client_for(connection_to(imitated_shopify, Store(slug="ada"), now=NOW))


def test_throttling_waits_until_the_bucket_holds_what_the_query_costs(
    client: PlatformClient, imitated_shopify: ImitatedShopify
) -> None:
    imitated_shopify.available = 0
    with pytest.raises(Throttled) as throttled:
        client.orders_updated(since=NOW - timedelta(days=2), until=NOW)
    (cost,) = {throttled.value.after}
    assert timedelta(seconds=1) < cost < timedelta(seconds=10)
    assert imitated_shopify.available == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            {"errors": [{"message": "Access denied for orders field.", "extensions": {"code": "ACCESS_DENIED"}}]},
            Refused,
        ),
        ({"errors": [{"message": "oops", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, Unreachable),
        ({"errors": [{"message": "Field 'x' doesn't exist on type 'Shop'"}]}, Failed),
        ({"errors": "Something odd"}, Failed),
        ({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}, Throttled),
        ({"data": {"shop": {"name": "x"}}, "errors": [{"message": "partly"}]}, Failed),
    ],
)
def test_errors_in_an_answer_of_status_200_are_errors(
    client: PlatformClient, imitated_shopify: ImitatedShopify, answer: dict[str, Any], error: type[Exception]
) -> None:
    imitated_shopify.fail_next(200, answer)
    with pytest.raises(error):
        client.check()


def test_user_errors_are_failures(client: PlatformClient) -> None:
    with pytest.raises(Failed, match="Order does not exist"):
        client.add_tag("999", "vip")


def test_missing_scopes_are_named(client: PlatformClient, imitated_shopify: ImitatedShopify) -> None:
    imitated_shopify.scopes = ("read_orders", "write_discounts", "read_customers")
    assert client.check().missing == ("write_orders", "read_customer_merge", "read_payment_terms")


def test_all_lines_of_a_long_order_come(client: PlatformClient, imitated_shopify: ImitatedShopify) -> None:
    lines = [{**order("shopify")["line_items"][0], "sku": f"S-{index}"} for index in range(240)]
    imitated_shopify.put(order("shopify", line_items=lines))
    fetched = client.fetch_order(ORDER)
    assert fetched is not None
    assert [line.sku for line in read_order("shopify", fetched).lines] == [f"S-{index}" for index in range(240)]


@pytest.mark.parametrize(
    "changes",
    [
        {"cancelled_at": "2026-01-06T09:00:00-05:00", "cancel_reason": "customer", "financial_status": "voided"},
        {"financial_status": "expired"},
        {"financial_status": "partially_refunded", "refunds": [
            {"transactions": [{"kind": "refund", "status": "success", "amount": "20.00", "currency": "USD"}]}]},
        {"fulfillment_status": "fulfilled"},
        {"fulfillment_status": "fulfilled", "financial_status": "pending", "payment_gateway_names": ["COD"]},
        {"fulfillment_status": "partial", "closed_at": "2026-01-06T09:00:00-05:00"},
        {"customer": None},
        {"customer": None, "email": "", "contact_email": None},
        {"tags": ""},
        {"discount_codes": []},
        {"payment_terms": {"payment_schedules": [{"due_at": "2026-02-01T00:00:00Z", "completed_at": None}]}},
        {"test": True},
        {"billing_address": {"name": "Grace Hopper"}, "customer": None},
    ],
)  # fmt: skip
def test_o2_a_polled_order_reads_as_the_pushed_one(
    client: PlatformClient, imitated_shopify: ImitatedShopify, changes: dict[str, Any]
) -> None:
    document = order("shopify", tags="Exchange-Order, vip") | changes
    imitated_shopify.put(document)
    fetched = client.fetch_order(ORDER)
    assert fetched is not None
    assert read_order("shopify", fetched) == read_order("shopify", document)


def test_o5_a_fetched_order_lists_what_paid_for_it(client: PlatformClient, imitated_shopify: ImitatedShopify) -> None:
    payment = {"id": 3, "kind": "sale", "status": "success", "amount": "20.00", "currency": "USD"}
    both = [payment | {"gateway": "shopify_store_credit"}, payment | {"id": 4, "gateway": "bogus", "amount": "100.00"}]
    imitated_shopify.put(order("shopify", transactions=both))
    fetched = client.fetch_order(ORDER)
    assert fetched is not None
    assert read_order("shopify", fetched).used_there.credits == Decimal("20.00")


def test_o6_a_cancel_under_way_is_asked_about_again(client: PlatformClient, imitated_shopify: ImitatedShopify) -> None:
    assert client.cancel_order(ORDER, reason="fraud") is False
    assert client.cancel_order(ORDER, reason="fraud") is True
    assert imitated_shopify.orders[ORDER]["cancel_reason"] == "fraud"


def test_r3_of_a_discount_with_many_codes_one_is_deleted(
    client: PlatformClient, imitated_shopify: ImitatedShopify
) -> None:
    imitated_shopify.add_discount("gid://shopify/DiscountCodeNode/1", "Campaign", "ONE", "ONE-MORE", "TWO")
    client.delete_code("ONE")
    (campaign,) = imitated_shopify.codes.values()
    assert [entry["code"] for entry in campaign["codes"]] == ["ONE-MORE", "TWO"]
