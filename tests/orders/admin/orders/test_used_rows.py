"""*Credits and points used* as staff read it: what was used, by what, where it is now (O5, R7, M3, M11, N6)."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client

from loyalty.core.days import end_of_day
from loyalty.journal.models import JournalEntry
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Store
from orders.admin.orders.used_rows import stays_words
from orders.models import Order, Revert
from orders.services.intake.spend import Spend, record_spend
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.reinstate import Deduct, reinstate
from orders.services.reverts.undo import undo_revert
from tests import factories
from tests.addresses import reverse
from tests.factories import BEFORE, NOW
from tests.orders.admin.reverts.cases import EXPIRED, VALID, staff, x1_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def store() -> Store:
    return factories.make_store(locale="en-GB")


@pytest.fixture
def client(store: Store) -> Client:
    return staff(store)[0]


def told(client: Client, order: Order, *, after: str = "Parts of this order") -> str:
    """The tab's words, one after the other; of the page what stands behind ``after``."""
    address = reverse("admin:orders_order_change", args=[order.pk])
    shown = client.get(f"{address}?tab=used").content.decode()
    words = shown[shown.index(after) :]
    return re.sub(r" ([:.,])", r"\1", re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", words))))


def test_m3_what_came_back_and_what_had_expired(store: Store, client: Client) -> None:
    order = x1_order(store)
    assert "It is with the shop, as the order stands." in told(client, order)
    factories.cancel(order)

    words = told(client, order)

    assert "Store credits: used 15.00 USD, returned 5.00 USD, not returned 10.00 USD" in words
    assert "Paid with when the order was placed Job tests, 20 Dec 2025, 14:00" in words
    assert "the rest had expired" in words
    assert "Not returned: 10.00 USD. It had expired on 1 Jan 2026 and was not extended. Only Extend brings" in words
    assert "Returned 5.00 USD to its lot on 5 Jan 2026, 14:00, by hand (Job tests). That lot holds 5.00 USD" in words


def test_m3_extended_value_is_in_a_new_lot(store: Store, client: Client) -> None:
    order = x1_order(store)
    choice = CancelChoice(returns={"credits": True}, extend={"credits": Extension(days=30)})
    factories.cancel_choosing(order, choice)

    words = told(client, order)

    assert re.search(
        r"Returned 10\.00 USD to a new lot #\d+, extended to 4 Feb 2026, on 5 Jan 2026, 14:00, by hand", words
    )
    assert "Not returned:" not in words


def test_r7_points_of_a_code_say_so(store: Store, client: Client) -> None:
    ana = factories.make_customer(store, name="Ana Lee")
    bo = factories.make_customer(store, name="Bo Diaz")
    factories.grant("points", ana, 600)
    redemption = factories.make_redemption(ana, factories.make_reward(store))
    order = factories.make_order(bo, codes=[redemption.code])
    again = factories.make_order(bo, codes=[redemption.code])

    words, later = told(client, order), told(client, again)
    page = told(client, again, after="page-head")

    assert f"Code {redemption.code} Used Exchanged for 5.00 USD off: Job tests" in words
    assert "From the balance of Ana Lee" in words
    assert "No credits or points were used" in later
    assert f"Code {redemption.code}: came after another order had used the code." in later
    assert f"Its points were used by order {order.number}." in later
    assert f"{redemption.code}, which order {order.number} had used before: the customer has the discount twice" in page
    factories.cancel(order)
    words = told(client, order)
    assert f"Code {redemption.code} Returned" in words
    assert "Returned 500 points to its lot on 5 Jan 2026, 14:00, by hand (Job tests). That lot holds 600" in words


def test_o5_m11_recorded_by_staff_undone_and_deducted_again(store: Store) -> None:
    client, user = staff(store)
    mia = Actor.user(user)
    ana = factories.make_customer(store, name="Ana Lee")
    factories.grant("points", ana, 100, until=VALID)
    factories.grant("credits", ana, "50", until=VALID)
    order = factories.make_order(ana)
    spend = Spend(credits=Decimal(20), points=100, reason="Paid at the till")
    record_spend(store=store, order_id=order.pk, spend=spend, act=Act(mia, Trigger.ADMIN, BEFORE))
    factories.cancel(order)
    points = Revert.objects.for_store(store).get(kind="points")
    undo_revert(store=store, revert_id=points.pk, act=Act(mia, Trigger.ADMIN, NOW))

    words = told(client, order)

    assert f"Recorded by staff {user}, 20 Dec 2025, 14:00: Paid at the till" in words
    assert f"Undone: taken out again by {user}, 5 Jan 2026, 14:00." in words
    assert "Not returned: 100 points. It can still go back to its lot." in words
    reinstate(
        store=store, order_id=order.pk, status="confirmed", deduct=Deduct.ALL,
        act=Act(mia, Trigger.ADMIN, NOW))  # fmt: skip
    words = told(client, order)
    assert f"Deducted again, after it had been returned {user}, 5 Jan 2026, 14:00" in words


def test_n6_why_one_lot_stays_is_told_of_that_lot(store: Store) -> None:
    valid, expired = (end_of_day(day, store.tz) for day in (VALID, EXPIRED))

    def stays(code: str, ends: datetime | None, now: datetime = NOW) -> str:
        decided = JournalEntry(data={"code": code}, created_at=NOW)
        return stays_words(decided, ends, store, now)

    assert stays("expired", expired) == (
        "It had expired on 1 Jan 2026 and was not extended. Only Extend brings it back."
    )
    assert stays("blocked", expired) == stays("expired", expired)
    assert stays("blocked", valid).startswith("It was valid, but another part had expired, and all or nothing")
    assert stays("skip_tag", valid) == stays("declined", None) == "It can still go back to its lot."
    later = NOW + timedelta(days=90)
    assert stays("declined", valid, later) == "It has expired on 20 Mar 2026. Only Extend brings it back."
    assert stays_words(None, expired, store, NOW) == "It has expired on 1 Jan 2026. Only Extend brings it back."


def test_o5_what_was_used_there_is_told_apart(store: Store, client: Client) -> None:
    order = factories.make_order(None, store=store, platform="shopline", external_id="a1")
    assert "record what it used" in told(client, order)
    order.platform_data = {"credits_used_there": "20.00"}
    order.save(update_fields=["platform_data"])
    assert "What SHOPLINE says was used there is above." in told(client, order)
