"""Statements: opening and lines add up to closing, whatever was booked when (L2, L5)."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from loyalty.ledger import statement as statements
from loyalty.ledger.balances import NOTHING, balances, balances_at
from loyalty.ledger.expire import expire_lots
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.ledger.statement import Account, Period, TooManyLines, statement
from loyalty.stores.models import Customer
from orders.kinds import KINDS, LEDGERS
from tests.factories import balance, cancel, grant, make_customer, make_order, make_store

pytestmark = pytest.mark.django_db
START = date(2026, 3, 20)  # Berlin springs forward on the 29th (X11).
DAYS = 24


def at(day: date, hour: float = 12) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)


def account(kind: Kind, customer: Customer, first: date, last: date, *, now: datetime) -> Account:
    """The customer's account in the store's currency."""
    period = Period.of(first, last, customer.store)
    currency = customer.store.currency if kind == "credits" else ""
    found = statement(LEDGERS[kind], customer, period, now=now)
    return next((item for item in found if item.currency == currency), Account(currency, 0, (), 0))


def history(customer: Customer, seed: int) -> datetime:
    """A month in which things are granted, spent, returned and lapse, and the job comes late; answers its end."""
    chance, orders = Random(seed), []
    for number in range(DAYS):
        day = START + timedelta(days=number)
        for kind in KINDS:
            until = day + timedelta(days=chance.randrange(6)) if chance.random() < 0.8 else None
            if chance.random() < 0.7:
                grant(kind, customer, chance.randrange(1, 50), until=until, now=at(day, 8))
        credits, points = (chance.randrange(int(balance(kind, customer, now=at(day, 10))) + 1) for kind in KINDS)
        if credits or points:
            orders.append(make_order(customer, credits=str(credits), points=points, now=at(day, 10)))
        if orders and chance.random() < 0.4:
            cancel(orders.pop(chance.randrange(len(orders))), now=at(day, 13))
        if chance.random() < 0.3:
            for kind in KINDS:
                expire_lots(LEDGERS[kind], at(day, 20))
    return at(START + timedelta(days=DAYS), 12)


@pytest.mark.parametrize("seed", range(4))
def test_l2_l5_every_days_statement_adds_up_and_joins_the_next(seed: int) -> None:
    customer = make_customer(make_store(time_zone="Europe/Berlin"))
    now = history(customer, seed)
    for kind in KINDS:
        currency = customer.store.currency if kind == "credits" else ""
        closing: Amount = 0
        for number in range(DAYS + 1):
            day = START + timedelta(days=number)
            own = account(kind, customer, day, day, now=now)
            period = Period.of(day, day, customer.store)
            assert own.opening == closing
            assert own.opening + sum(line.amount for line in own.lines) == own.closing
            until = min(now, period.ends - timedelta(microseconds=1))
            said = balances_at(LEDGERS[kind], customer, instant=until).get(currency, NOTHING)
            assert own.closing == said.available
            closing = own.closing
        whole = account(kind, customer, START, START + timedelta(days=DAYS), now=now)
        assert (whole.opening, whole.closing) == (0, balances(LEDGERS[kind], customer, now=now)[currency].available)
        before = whole.opening
        for line in whole.lines:
            assert line.balance_after == before + line.amount
            before = line.balance_after


def test_l5_what_lapsed_counts_at_its_expiry_booked_or_not() -> None:
    customer = make_customer(make_store(time_zone="Europe/Berlin"))
    lot = grant("points", customer, 40, until=date(2026, 3, 28), now=at(START))
    now = at(date(2026, 4, 2))
    unbooked = account("points", customer, START, date(2026, 3, 31), now=now)
    assert [(line.type, line.amount, line.movement is None) for line in unbooked.lines] == [
        ("grant", 40, False),
        ("expire", -40, True),
    ]
    assert unbooked.lines[1].effective_at == lot.expires_at
    expire_lots(LEDGERS["points"], now)
    booked = account("points", customer, START, date(2026, 3, 31), now=now)
    assert [(line.effective_at, line.amount, line.balance_after) for line in booked.lines] == [
        (line.effective_at, line.amount, line.balance_after) for line in unbooked.lines
    ]
    assert booked.lines[1].movement is not None
    assert account("points", customer, date(2026, 4, 1), date(2026, 4, 2), now=now) == Account("", 0, (), 0)


def test_l2_the_last_day_of_use_still_closes_with_the_value() -> None:
    customer = make_customer(make_store(time_zone="Europe/Berlin"))
    grant("credits", customer, "5.00", until=date(2026, 3, 28), now=at(START))
    now = at(date(2026, 4, 2))
    assert account("credits", customer, START, date(2026, 3, 28), now=now).closing == 5
    assert account("credits", customer, START, date(2026, 3, 29), now=now).closing == 0


def test_a_period_that_is_not_over_ends_now() -> None:
    customer = make_customer(make_store(time_zone="Europe/Berlin"))
    grant("credits", customer, "5.00", until=date(2026, 3, 28), now=at(START))
    assert account("credits", customer, START, date(2026, 12, 31), now=at(START, 14)).closing == 5


def test_l4_currencies_stand_apart() -> None:
    customer = make_customer(make_store())
    grant("credits", customer, "5.00", now=at(START))
    grant("credits", customer, "700", currency="JPY", now=at(START))
    found = statement(LEDGERS["credits"], customer, Period.of(START, START, customer.store), now=at(START, 14))
    assert [(item.currency, item.opening, item.closing) for item in found] == [("JPY", 0, 700), ("USD", 0, 5)]


def test_more_lines_than_anybody_reads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    customer = make_customer(make_store())
    monkeypatch.setattr(statements, "MOST_LINES", 2)
    for _ in range(2):
        grant("points", customer, 5, until=START, now=at(START, 1))
    period = Period.of(START, START + timedelta(days=1), customer.store)
    assert len(statement(LEDGERS["points"], customer, period, now=at(START, 2))[0].lines) == 2
    with pytest.raises(TooManyLines):
        statement(LEDGERS["points"], customer, period, now=at(START + timedelta(days=2)))
