"""When automatic cancelling would have reached an order, out of its history alone (E1, E2, E6, E9, F1)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from loyalty.store_settings.sections import AutoCancelSettings
from loyalty.stores.actors import Trigger
from orders.services.backtests.cancel_history import History, Since, Strike, strike
from tests.factories import NOW

PLACED = NOW - timedelta(days=10)
HOUR = timedelta(hours=1)
EVERYTHING = AutoCancelSettings(payment_window_hours=24, expired="cancel_and_revert")
DUE = PLACED + 24 * HOUR


def history(*payments: tuple[datetime, str] | tuple[datetime, str, str], statuses: Any = (), **fields: Any) -> History:
    return History(
        placed_at=PLACED,
        due_at=fields.get("due_at"),
        payments=[Since(PLACED, fields.get("first", "pending"), fields.get("detail", "")), *_since(payments)],
        statuses=[Since(PLACED, "pending"), *_since(statuses)],
        declined=fields.get("declined", ()),
        paid_before=fields.get("paid_before", False),
    )


def _since(told: Any) -> list[Since]:
    return [Since(*one) for one in told]


def expired(at: datetime) -> Strike:
    return Strike(Trigger.PAYMENT_EXPIRED, at)


def failed(at: datetime) -> Strike:
    return Strike(Trigger.PAYMENT_FAILED, at)


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        (history(), expired(DUE)),
        (history((DUE, "paid")), None),
        (history((DUE + timedelta(microseconds=1), "paid")), expired(DUE)),
        (history(due_at=PLACED + 2 * HOUR), expired(PLACED + 2 * HOUR)),
        (history(due_at=NOW), expired(NOW)),
        (history(due_at=NOW + timedelta(microseconds=1)), None),
        (history(due_at=PLACED - HOUR), expired(PLACED)),
        (history((PLACED + HOUR, "expired")), expired(PLACED + HOUR)),
        (history((PLACED + HOUR, "failed")), failed(PLACED + HOUR)),
        (history(first="failed"), failed(PLACED)),
        (history(first="paid"), None),
        (history((PLACED + HOUR, "failed"), (PLACED + 2 * HOUR, "paid")), failed(PLACED + HOUR)),
        (history((PLACED + HOUR, "paid"), (PLACED + 2 * HOUR, "refunded")), None),
    ],
)
def test_e1_f1_the_first_moment_counts(past: History, expected: Strike | None) -> None:
    assert strike(past, EVERYTHING, now=NOW) == expected


def test_e1_without_a_window_only_orders_that_name_their_own_time_expire() -> None:
    auto = AutoCancelSettings(expired="cancel")
    assert strike(history(), auto, now=NOW) is None
    assert strike(history(due_at=DUE), auto, now=NOW) == expired(DUE)


def test_e2_f1_off_is_off() -> None:
    off = AutoCancelSettings(payment_window_hours=24, expired="off", failed="off")
    assert strike(history((PLACED + HOUR, "failed")), off, now=NOW) is None
    only_failed = AutoCancelSettings(payment_window_hours=24)
    late = history((DUE + HOUR, "failed"))
    assert strike(late, only_failed, now=NOW) == failed(DUE + HOUR)


@pytest.mark.parametrize(("paid_after", "reached"), [(59, False), (60, False), (61, True)])
def test_f1_a_payment_within_the_grace_wins(paid_after: int, reached: bool) -> None:
    auto = AutoCancelSettings(failed_grace_minutes=60)
    broke = PLACED + HOUR
    past = history((broke, "failed"), (broke + timedelta(minutes=paid_after), "paid"))
    assert strike(past, auto, now=NOW) == (failed(broke + HOUR) if reached else None)


@pytest.mark.parametrize(
    ("status", "at", "reached"),
    [
        ("confirmed", PLACED + HOUR, True),
        ("completed", PLACED + HOUR, False),
        ("cancelled", PLACED + HOUR, False),
        ("cancelled", DUE, False),
        ("cancelled", DUE + HOUR, True),
    ],
)
def test_e9_only_pending_and_confirmed_orders_are_reached(status: str, at: datetime, reached: bool) -> None:
    past = history(statuses=[(at, status)])
    assert strike(past, EVERYTHING, now=NOW) == (expired(DUE) if reached else None)


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        # Money is there or on its way, so nothing runs out; the window counts again once it is not.
        (history(detail="authorized"), None),
        (history((DUE + HOUR, "pending", ""), detail="at_bank"), expired(DUE + HOUR)),
        (history((PLACED + HOUR, "pending", "on_delivery")), None),
        (history((DUE + HOUR, "pending", "authorized")), expired(DUE)),
        # What was paid or completed once does not fail; before it was, it did.
        (history((PLACED + HOUR, "paid"), (PLACED + 2 * HOUR, "failed")), None),
        (history((PLACED + HOUR, "failed"), statuses=[(PLACED, "completed"), (PLACED + HOUR, "confirmed")]), None),
        (history(first="failed", paid_before=True), None),
        (history((PLACED + HOUR, "failed"), (PLACED + 2 * HOUR, "paid")), failed(PLACED + HOUR)),
        (history((PLACED + HOUR, "paid"), (PLACED + 2 * HOUR, "expired")), expired(PLACED + 2 * HOUR)),
        # One try to pay, as X16: the first that no other payment follows within half an hour.
        (history(declined=[PLACED, PLACED + HOUR]), failed(PLACED + HOUR / 2)),
        (history((PLACED + HOUR / 2, "paid"), declined=[PLACED]), None),
        (history((PLACED + HOUR / 4, "pending", "authorized"), declined=[PLACED]), None),
        (history(declined=[DUE - HOUR / 4]), expired(DUE)),
        (history((PLACED + HOUR, "paid"), declined=[PLACED + 2 * HOUR]), None),
        (history(declined=[PLACED], paid_before=True), None),
    ],
)
def test_e10_x16_a_stumble_is_no_failure(past: History, expected: Strike | None) -> None:
    assert strike(past, EVERYTHING, now=NOW) == expected


def test_e10_a_declined_card_ends_an_open_payment_also_where_failed_payments_are_left_alone() -> None:
    """It counts as failed before its time runs out, so it does not expire either."""
    only_expired = AutoCancelSettings(payment_window_hours=24, expired="cancel", failed="off")
    assert strike(history(declined=[PLACED]), only_expired, now=NOW) is None
    patient = AutoCancelSettings(failed_grace_minutes=60)
    assert strike(history(declined=[PLACED]), patient, now=NOW) == failed(PLACED + HOUR)
