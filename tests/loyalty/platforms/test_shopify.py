"""O1, O2: Shopify's orders."""

from decimal import Decimal
from functools import partial

import pytest

from loyalty.platforms import read
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, NotAnOrder
from tests.loyalty.platforms.samples import Document, order, without

read_order = partial(read.read_order, "shopify")

_CANCELLED = {"cancelled_at": "2026-01-07T00:00:00Z"}


def test_o2_a_whole_order() -> None:
    snapshot = read_order(order("shopify"))
    assert (snapshot.external_id, snapshot.number) == ("5941690892493", "#1001")
    assert (snapshot.total, snapshot.currency, str(snapshot.refunded_total)) == (Decimal("120.00"), "USD", "0.00")
    assert snapshot.placed_at.isoformat() == "2026-01-05T13:59:58+00:00"
    assert snapshot.updated_at.isoformat() == "2026-01-06T14:00:00+00:00"
    assert snapshot.customer == CustomerSnapshot("77", "ada@example.com", "Ada Byron", "+4912345", "en-US")
    assert snapshot.lines == (LineSnapshot("Tea - green", "T-1", 2, Decimal("120.00")),)
    assert (snapshot.tags, snapshot.discount_codes) == (("vip", "Exchange-Order"), ("TENOFF",))


@pytest.mark.parametrize(
    ("changes", "status", "payment"),
    [
        ({}, "confirmed", "paid"),
        ({"confirmed": False}, "pending", "paid"),
        ({"financial_status": "pending"}, "confirmed", "pending"),
        ({"financial_status": "authorized"}, "confirmed", "pending"),
        ({"financial_status": "partially_paid"}, "confirmed", "pending"),
        ({"financial_status": "voided"}, "confirmed", "pending"),
        ({"financial_status": "expired"}, "confirmed", "expired"),
        ({"financial_status": "EXPIRED"}, "confirmed", "expired"),
        ({"financial_status": None}, "confirmed", "pending"),
        ({"financial_status": "some_new_word"}, "confirmed", "pending"),
        ({"fulfillment_status": "fulfilled"}, "completed", "paid"),
        ({"fulfillment_status": "partial"}, "confirmed", "paid"),
        ({"fulfillment_status": "fulfilled", "financial_status": "pending"}, "confirmed", "pending"),
        ({"closed_at": "2026-01-07T00:00:00Z"}, "completed", "paid"),
        (_CANCELLED | {"financial_status": "refunded"}, "cancelled", "refunded"),
        (_CANCELLED | {"financial_status": "partially_refunded"}, "cancelled", "partially_refunded"),
        (_CANCELLED | {"financial_status": "voided", "closed_at": "2026-01-07T00:00:00Z"}, "cancelled", "pending"),
        ({"cancel_reason": "customer"}, "confirmed", "paid"),
    ],
)
def test_o1_statuses(changes: Document, status: str, payment: str) -> None:
    snapshot = read_order(order("shopify", **changes))
    assert (snapshot.status, snapshot.payment_status) == (status, payment)
    assert snapshot.platform_payment_status == (changes.get("financial_status", "paid") or "")
    assert (snapshot.cancelled_at is not None) == (status == "cancelled")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"id": 820982911946154500, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508"},
            "820982911946154508",
        ),
        ({"id": 820982911946154508, "admin_graphql_api_id": None}, "820982911946154508"),
        ({"id": "820982911946154508", "admin_graphql_api_id": ""}, "820982911946154508"),
    ],
)
def test_o2_ids_beyond_2_to_the_53_are_whole(changes: Document, expected: str) -> None:
    assert read_order(order("shopify", **changes)).external_id == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", ()),
        (None, ()),
        ([], ()),
        (" , ,", ()),
        ("External, Inbound,Outbound ", ("External", "Inbound", "Outbound")),
        (["vip", " Gold , Silver "], ("vip", "Gold , Silver")),
        ("VIP, vip, gold, Vip", ("VIP", "gold")),
        ("\u3000換貨\u3000, \uff36IP\uff0cx", ("換貨", "\uff36IP\uff0cx")),
        (["a\x00b", None, "", "\ud800"], ("ab", "?")),
    ],
)
def test_o2_tags_as_text_list_or_nothing(tags: object, expected: tuple[str, ...]) -> None:
    assert read_order(order("shopify", tags=tags)).tags == expected
    assert read_order(without(order("shopify"), "tags")).tags == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"customer": None}, CustomerSnapshot("", "ada@example.com", "", "", "en-US")),
        ({"customer": {"id": None, "email": "j@example.com"}}, CustomerSnapshot("", "j@example.com", "", "", "en-US")),
        ({"customer": None, "email": "", "contact_email": None}, None),
        ({"customer": None, "email": "NULL", "contact_email": None}, None),
        (
            {"customer": {"id": 7, "email": None}, "email": None, "contact_email": None},
            CustomerSnapshot("7", "", "", "", "en-US"),
        ),
        (
            {"customer": {"id": 1, "admin_graphql_api_id": "gid://shopify/Customer/115310627314723954"}},
            CustomerSnapshot("115310627314723954", "ada@example.com", "", "", "en-US"),
        ),
        (
            {
                "customer": None,
                "billing_address": {"name": "", "first_name": "Ada", "last_name": "L."},
                "phone": "9" * 60,
            },
            CustomerSnapshot("", "ada@example.com", "Ada L.", "9" * 50, "en-US"),
        ),
    ],
)
def test_o2_customers_and_guests(changes: Document, expected: CustomerSnapshot | None) -> None:
    assert read_order(order("shopify", **changes)).customer == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-08-07T22:58:43.610785557Z", "2024-08-07T22:58:43.610785+00:00"),
        ("2024-08-07T22:58:43.6+02:00", "2024-08-07T20:58:43.600000+00:00"),
        ("2024-08-07 22:58:43-0500", "2024-08-08T03:58:43+00:00"),
        ("2016-05-17T04:14:36-00:00", "2016-05-17T04:14:36+00:00"),
    ],
)
def test_o2_instants_to_the_nanosecond_and_with_offsets(text: str, expected: str) -> None:
    assert read_order(order("shopify", updated_at=text)).updated_at.isoformat() == expected


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-01-05", "2026-01-05T09:00:00", "2026-13-05T09:00:00Z", "0001-01-01T00:00:00+05:00"]
)
def test_o10_what_is_no_instant_is_left_out(text: str) -> None:
    snapshot = read_order(order("shopify", updated_at=text))
    assert (snapshot.left_out, set(snapshot.unknown)) == (("updated_at",), {"updated_at"})


@pytest.mark.parametrize(
    ("changes", "total", "currency"),
    [
        ({"total_price": None}, "120.00", "USD"),
        ({"total_price": None, "currency": None}, "120.00", "USD"),
        ({"total_price": "x", "current_total_price": "7"}, "120.00", "USD"),
        ({"total_price": None, "total_price_set": {"shop_money": 5}, "current_total_price": "7"}, "7.00", "USD"),
        ({"total_price": None, "currency": "EUR"}, "0.00", "EUR"),
    ],
)
def test_o10_a_total_stands_in_two_places(changes: Document, total: str, currency: str) -> None:
    snapshot = read_order(order("shopify", **changes))
    assert (str(snapshot.total), snapshot.currency) == (total, currency)


@pytest.mark.parametrize(
    ("statuses", "attempts"),
    [(("failure", "error"), ("0", "1")), (("failure", "success"), ()), (("failure", "pending"), ()), ((), ())],
)
def test_e10_an_order_that_lists_its_transactions_names_the_tries(
    statuses: tuple[str, ...], attempts: tuple[str, ...]
) -> None:
    tries = [{"id": place, "kind": "sale", "status": word} for place, word in enumerate(statuses)]
    pending = order("shopify", financial_status="pending", transactions=tries)
    assert read_order(pending).attempts == attempts
    assert read_order(pending | {"financial_status": "authorized", "id": 5}).payment_status == "pending"
    assert read_order(pending | {"financial_status": "paid"}).attempts == ()


def _refund(*transactions: tuple[str, str, str, str]) -> Document:
    names = ("kind", "status", "amount", "currency")
    return {"refund_line_items": [], "transactions": [dict(zip(names, each, strict=True)) for each in transactions]}


@pytest.mark.parametrize(
    ("refunds", "expected"),
    [
        ([], "0.00"),
        ([_refund()], "0.00"),
        ([_refund(("refund", "success", "20.50", "USD")), _refund(("refund", "success", "9.50", "USD"))], "30.00"),
        ([_refund(("refund", "failure", "20.50", "USD"), ("refund", "pending", "1.00", "USD"))], "0.00"),
        ([_refund(("void", "success", "120.00", "USD"), ("sale", "success", "1.00", "USD"))], "0.00"),
        ([_refund(("refund", "success", "500.00", "USD"))], "120.00"),
    ],
)
def test_n5_the_refunded_total_is_money_that_went_back(refunds: list[Document], expected: str) -> None:
    snapshot = read_order(order("shopify", financial_status="partially_refunded", refunds=refunds))
    assert str(snapshot.refunded_total) == expected


def _totals(shop: str, shopper: str, currency: str) -> Document:
    return {
        "shop_money": {"amount": shop, "currency_code": "USD"},
        "presentment_money": {"amount": shopper, "currency_code": currency},
    }


@pytest.mark.parametrize(("refunded", "expected"), [("18000", "120.00"), ("6000", "40.00"), ("100", "0.67")])
def test_n5_a_refund_in_the_shoppers_currency_is_a_share_of_the_shops_total(refunded: str, expected: str) -> None:
    refunds = [_refund(("refund", "success", refunded, "JPY"))]
    document = order(
        "shopify", presentment_currency="JPY", total_price_set=_totals("120.00", "18000", "JPY"), refunds=refunds
    )
    snapshot = read_order(document)
    assert (snapshot.currency, str(snapshot.total), str(snapshot.refunded_total)) == ("USD", "120.00", expected)


def test_o10_a_refund_in_an_unknown_relation_is_left_out_and_the_others_count() -> None:
    foreign, ours = ("refund", "success", "100", "JPY"), ("refund", "success", "7.00", "USD")
    snapshot = read_order(order("shopify", refunds=[_refund(foreign, ours)]))
    assert str(snapshot.refunded_total) == "7.00"
    assert snapshot.left_out == ("total_price_set", "refunds.0.transactions.0.amount")


@pytest.mark.parametrize(
    ("currency", "total", "expected"),
    [
        ("JPY", "23600", "23600"), ("JPY", "23600.00", "23600"), ("TWD", "100.0", "100.00"), ("KWD", "1.5", "1.500"),
        ("usd", 12, "12.00"), ("USD", Decimal("12.5"), "12.50"), ("USD", 12.1, "12.10"), ("USD", "0", "0.00"),
    ],
)  # fmt: skip
def test_o2_amounts_keep_their_value_and_get_the_currencys_decimals(
    currency: str, total: object, expected: str
) -> None:
    document = without(order("shopify", currency=currency, total_price=total, line_items=[]), "total_price_set")
    assert str(read_order(document).total) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("total_price", "-1"), ("total_price", "1e3"), ("total_price", "1_000"), ("total_price", "NaN"),
        ("total_price", True), ("total_price", "1" * 13), ("total_price", {"amount": 5}),
        ("currency", "XXX"), ("currency", 5), ("tags", True), ("customer", "Bob"),
        ("refunds", "none"), ("line_items", {"0": {}}), ("created_at", 5), ("discount_codes", 1),
        ("financial_status", ["paid"]), ("test", {}), ("name", []),
    ],
)  # fmt: skip
def test_o10_a_field_of_another_shape_is_left_out_and_the_rest_counts(key: str, value: object) -> None:
    snapshot = read_order(order("shopify", **{key: value}))
    assert snapshot.left_out == (key,)
    assert (snapshot.external_id, snapshot.placed_at.hour, snapshot.status) == ("5941690892493", 13, "confirmed")


@pytest.mark.parametrize("value", [None, {}, "x" * 101, True])
def test_o2_without_an_id_it_is_no_order(value: object) -> None:
    with pytest.raises(NotAnOrder) as caught:
        read_order(order("shopify", id=value, admin_graphql_api_id=None))
    assert caught.value.field == "id"


def test_o2_without_any_instant_it_is_no_order() -> None:
    with pytest.raises(NotAnOrder) as caught:
        read_order(order("shopify", created_at=5, updated_at=None, processed_at="then"))
    assert (caught.value.field, str(caught.value)) == ("created_at", "The field “created_at” cannot be read.")


def test_o10_what_is_wrong_deep_inside_is_named_by_its_path() -> None:
    refunds = [_refund(), _refund(("refund", "success", "lots", "USD"))]
    snapshot = read_order(order("shopify", refunds=refunds))
    assert snapshot.left_out == ("refunds.1.transactions.0.amount",)


@pytest.mark.parametrize(
    ("total", "expected"), [("29.3512", "29.35"), ("29.345", "29.35"), ("29.3449", "29.34"), (Decimal("0.005"), "0.01")]
)
def test_o8_amounts_finer_than_the_unit_are_rounded_half_up(total: object, expected: str) -> None:
    refunds = [_refund(("refund", "success", str(total), "USD"))]
    snapshot = read_order(order("shopify", total_price=total, refunds=refunds))
    assert (str(snapshot.total), str(snapshot.refunded_total), snapshot.left_out) == (expected, expected, ())


@pytest.mark.parametrize(
    "tags",
    [
        "vip, refunded-order", ["vip", "refunded-order"], '["vip","refunded-order"]',
        {"0": "vip", "2": "refunded-order"},
        '{"0": "vip", "2": "refunded-order"}', [{"name": "vip", "id": 3}, {"tag": "refunded-order"}],
        ["vip", {"label": "refunded-order"}], [["vip", "VIP"], "refunded-order"], "vip\x00,refunded-order",
    ],
)  # fmt: skip
def test_o10_tags_in_whatever_shape(tags: object) -> None:
    snapshot = read_order(order("shopify", tags=tags))
    assert (snapshot.tags, snapshot.left_out) == (("vip", "refunded-order"), ())


@pytest.mark.parametrize(
    ("tags", "found", "left_out"),
    [
        (["vip", True, {"id": {}}, 7], ("vip", "7"), ("tags.1", "tags.2")),
        ({"name": None, "a": [1.5]}, (), ("tags.a.0",)),
        ([[[[[["deep"]]]]]], (), ("tags.0.0.0.0.0",)),
        ("[not json, at all", ("[not json", "at all"), ()),
        (False, (), ("tags",)),
    ],
)
def test_o10_tags_that_cannot_be_read_are_left_out(
    tags: object, found: tuple[str, ...], left_out: tuple[str, ...]
) -> None:
    snapshot = read_order(order("shopify", tags=tags))
    assert (snapshot.tags, snapshot.left_out) == (found, left_out)


def test_o1_the_next_open_instalment_is_due() -> None:
    schedules = [
        {"due_at": "2026-02-01T00:00:00Z", "completed_at": "2026-01-20T00:00:00Z"},
        {"due_at": "2026-04-01T00:00:00Z", "completed_at": None},
        {"due_at": "2026-03-01T00:00:00Z"},
        {"due_at": None},
    ]
    snapshot = read_order(order("shopify", payment_terms={"payment_schedules": schedules}))
    assert snapshot.payment_due_at is not None
    assert snapshot.payment_due_at.isoformat() == "2026-03-01T00:00:00+00:00"
    assert read_order(order("shopify")).payment_due_at is None


def test_o2_codes_may_be_empty_or_absent() -> None:
    codes = [{"code": "", "type": "fixed_amount"}, {"code": "A"}]
    assert read_order(order("shopify", discount_codes=codes)).discount_codes == ("A",)
    assert read_order(without(order("shopify"), "discount_codes")).discount_codes == ()


def test_o2_an_old_short_order_is_enough() -> None:
    document = {"id": 1, "currency": "EUR", "total_price": "1.00", "created_at": "2017-09-05T14:46:20-04:00"}
    snapshot = read_order(document)
    assert (snapshot.number, snapshot.updated_at, snapshot.customer) == ("1", snapshot.placed_at, None)


def test_o2_orders_of_a_test_gateway_are_tests() -> None:
    assert read_order(order("shopify", test=True)).is_test
    assert not read_order(order("shopify")).is_test
