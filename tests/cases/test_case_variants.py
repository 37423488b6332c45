"""The kinds of the cases once more, on other platforms and in other orders of arrival, as a table of short stories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from tests.cases.play import Played, Spend, play
from tests.loyalty.platforms.samples import Document, order

pytestmark = pytest.mark.django_db

_TOPICS: Final = {
    "shopify": "orders/updated",
    "woocommerce": "order.updated",
    "shopline": "order/update",
    "shopline_global": "orders/updated",
}
_EMAIL: Final = "ana@example.com"
_RULES: Final = {"spent_revert": {"enabled": True}}
_SHARES: Final = {"spent_revert": {"enabled": True, "statuses": ["cancelled", "refunded", "partially_refunded"]}}
_WOO_REFUND: Final = [{"id": 1, "total": "-13.00"}]
_TRY: Final = {"pay_seq": "10020", "pay_status": "paid_failed"}
_PAID: Final = {"pay_seq": "10021", "pay_status": "paid"}


@dataclass(frozen=True)
class Story:
    """What arrives, each with the minute that it is from; what the first one used; and what is true at the end."""

    platform: str
    said: Sequence[tuple[int, Mapping[str, object]]]
    right: Mapping[str, object]
    credits: str = "6.00"
    total: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


def _document(platform: str, minute: int, changes: Mapping[str, object]) -> Document:
    """An order that was placed at ten o'clock, as it is ``minute`` minutes later."""
    placed = datetime.fromisoformat("2026-05-01T10:00:00")
    then = f"{placed + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%S}"
    first = f"{placed:%Y-%m-%dT%H:%M:%S}"
    times: Document = {"created_at": f"{first}Z", "processed_at": f"{first}Z", "updated_at": f"{then}Z"}
    who: Document = {"customer_email": _EMAIL}
    if platform == "woocommerce":
        times = {"date_created_gmt": first, "date_modified_gmt": then, "date_paid_gmt": None, "refunds": []}
        who = {"billing": {"first_name": "Ana", "last_name": "Lee", "email": _EMAIL}}
    return order(platform, **(times | who | dict(changes)))


def _paid(minute: int = 1) -> Document:
    return {"status": "processing", "date_paid_gmt": f"2026-05-01T10:{minute:02}:00"}


_STANDS: Final = {"credits_reverted": "0.00", "credit_revert_status": None}
STORIES: Final = {
    "e10-an-older-failure-comes-after-the-payment": Story(
        "woocommerce",
        [(0, {"status": "pending"}), (10, _paid()), (5, {"status": "failed"})],
        _STANDS | {"status": "confirmed", "payment_status": "paid"},
    ),
    "e10-paid-then-failed-and-its-day-of-payment-gone": Story(
        "woocommerce",
        [(0, _paid()), (20, {"status": "failed"})],
        _STANDS | {"status": "pending", "payment_status": "failed"},
        settings=_RULES,
    ),
    "e10-a-payment-that-is-completed-and-says-failed-later": Story(
        "shopline",
        [(0, {}), (9, {"order_payment": {"status": "failed"}})],
        _STANDS | {"status": "confirmed", "payment_status": "failed"},
        credits="6",
    ),
    "e10-a-try-inside-an-order-and-then-another-that-pays": Story(
        "shopline_global",
        [
            (0, {"financial_status": "unpaid", "payment_details": [_TRY]}),
            (2, {"financial_status": "paid", "payment_details": [_TRY, _PAID]}),
            (1, {"financial_status": "unpaid", "payment_details": [_TRY]}),
        ],
        _STANDS | {"status": "confirmed", "payment_status": "paid"},
    ),
    "e10-a-payment-plugins-test-mode": Story(
        "woocommerce",
        [
            (0, _paid() | {"meta_data": [{"key": "_wcpay_mode", "value": "test"}]}),
            (9, {"status": "cancelled", "meta_data": [{"key": "_wcpay_mode", "value": "test"}]}),
        ],
        {"status": "cancelled", "is_test": True, "credits_reverted": "0.00"},
        settings=_RULES,
    ),
    "o8-nothing-was-left-to-pay": Story(
        "woocommerce",
        [(0, _paid() | {"total": "0.00"}), (9, {"status": "cancelled", "total": "0.00"})],
        {"total": "39.00", "credits_applied": "39.00", "credits_reverted": "39.00"},
        credits="39.00",
        total="39.00",
        settings=_RULES,
    ),
    "n8-a-refund-is-deleted-before-it-is-heard-of": Story(
        "woocommerce",
        [(0, _paid()), (10, _paid()), (10, _paid() | {"refunds": _WOO_REFUND})],
        _STANDS | {"refunded_total": "0.00", "payment_status": "paid"},
        settings=_SHARES,
    ),
    "n8-a-refund-is-made-smaller-within-its-second": Story(
        "woocommerce",
        [
            (0, _paid()),
            (10, _paid() | {"refunds": _WOO_REFUND * 2}),
            (10, _paid() | {"refunds": _WOO_REFUND}),
            (12, _paid() | {"refunds": _WOO_REFUND * 2}),
        ],
        {"refunded_total": "26.00", "credits_reverted": "4.00"},
        settings=_SHARES,
    ),
    "o9-in-the-bin-and-an-older-change-after-it": Story(
        "woocommerce",
        [(0, {"status": "pending"}), (10, {"status": "trash"}), (5, {"status": "on-hold"})],
        _STANDS | {"status": "pending", "platform_deleted_at": "2026-05-01T10:10:00Z"},
    ),
    "o10-a-payment-word-that-nobody-knows": Story(
        "shopify",
        [(0, {"currency": "EUR"}), (9, {"currency": "EUR", "financial_status": "dispute_lost"})],
        _STANDS | {"status": "confirmed", "payment_status": "paid"},
    ),
    "n7-full-width-in-a-list-and-a-hyphen-that-does-not-break": Story(
        "shopline",
        [(0, {"tags": []}), (9, {"tags": ["\uff32efunded\N{NON-BREAKING HYPHEN}orde\uff52"]})],
        {"credits_reverted": "6.00", "status": "confirmed"},
        credits="6",
        settings={"spent_revert": {"enabled": True, "tags": ["refunded-order"]}},
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_kind(name: str) -> None:
    story = STORIES[name]
    messages = [
        {"topic": _TOPICS[story.platform], "body": _document(story.platform, minute, changes)}
        for minute, changes in story.said
    ]
    case = {"platform": story.platform, "given": {}, "messages": messages}
    played = play(case, [Spend(credits=story.credits, total=story.total)], story.settings)
    played.wait(hours=2)
    found = played.order()
    assert {fact: found[fact] for fact in story.right} == story.right


def test_o7_a_guest_an_account_and_an_account_made_anew_are_one() -> None:
    accounts = ((0, 0, _EMAIL), (1, 31, "ANA@Example.com"), (2, 44, _EMAIL), (3, 31, _EMAIL))
    messages = [
        {
            "topic": "order.created",
            "body": _document(
                "woocommerce", minute, {"id": 700 + minute, "customer_id": account, "billing": {"email": email}}
            ),
        }
        for minute, account, email in accounts
    ]
    played: Played = play({"platform": "woocommerce", "given": {}, "messages": messages}, [], {})
    assert {found["customer"]["id"] for found in played.orders()} == {played.customer(_EMAIL)["id"]}
