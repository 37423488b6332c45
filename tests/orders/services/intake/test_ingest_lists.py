"""O2: orders that come as a list are recorded as they would be one after the other."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from difflib import unified_diff
from functools import partial
from typing import Any, Final

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loyalty.database.halves import in_halves, in_turns
from loyalty.journal.models import JournalEntry
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, OrderSnapshot
from loyalty.store_settings.sections import EarnedPointsSettings, EarningSettings, SpentRevertSettings, StoreSettings
from loyalty.stores.actors import Actor
from loyalty.stores.models import Customer, PlatformId
from orders.models import CodeUse, Order, Redemption
from orders.services.intake.ingest import Arrival, Outcome, ingest, ingest_all
from points.models import PointLot, PointMovement
from tests import factories
from tests.books import find_faults
from tests.races.racing import ROUNDS, together

pytestmark = pytest.mark.django_db

LONG: Final = os.environ.get("HYPOTHESIS_PROFILE") == "long"
NOW: Final = datetime(2026, 1, 10, 12, tzinfo=UTC)
PLACED: Final = NOW - timedelta(days=2)
ACTOR: Final = Actor.platform("shopify")
RULES: Final = SpentRevertSettings(enabled=True, tags=("back",), skip_tags=("keep",))
SETTINGS: Final = StoreSettings(
    spent_revert=RULES,
    earning=EarningSettings(Decimal(1), "paid"),
    earned_points=EarnedPointsSettings(claw_back=True),
)
# Ada by two accounts and as a guest, somebody whose account has no address yet, Bob, and his address in capitals.
PEOPLE: Final = (
    None,
    CustomerSnapshot("7", "ada@example.com", "Ada"),
    CustomerSnapshot("8", "ADA@example.com", "Ada B.", phone="0911"),
    CustomerSnapshot("", "ada@example.com", ""),
    CustomerSnapshot("9", "", "", locale="de"),
    CustomerSnapshot("9", "bob@example.com", "Bob"),
    CustomerSnapshot("", "BOB@example.com", "Bob"),
)


def snapshot(number: int = 1, minute: int = 0, **facts: Any) -> OrderSnapshot:
    """A paid order as it was some minutes after it was placed."""
    values: dict[str, Any] = {
        "external_id": f"59{number}",
        "number": f"#{number}",
        "status": "confirmed",
        "payment_status": "paid",
        "currency": "USD",
        "total": Decimal("120.00"),
        "refunded_total": Decimal("0.00"),
        "placed_at": PLACED,
        "updated_at": PLACED + timedelta(minutes=minute),
        "customer": PEOPLE[1],
        "tags": ("vip",),
        "lines": (LineSnapshot('Tea "1" \\ {no}', "T-1", 2, Decimal("120.00")),),
        "platform_payment_status": "paid",
    }
    return OrderSnapshot(**(values | facts))


class World:
    """A store where orders earn, and Ada redeemed a thousand points for two codes."""

    def __init__(self, slug: str = "") -> None:
        self.store = factories.make_store(slug)
        factories.make_settings(self.store, SETTINGS)
        self.ada = factories.make_customer(self.store, email="ada@example.com", name="")
        factories.grant("points", self.ada, 1000)
        reward = factories.make_reward(self.store)
        moments = [factories.BEFORE + timedelta(minutes=minute) for minute in (1, 2)]
        self.codes = [factories.make_redemption(self.ada, reward, now=moment).code or "" for moment in moments]

    def said(self, what: OrderSnapshot) -> OrderSnapshot:
        """What is said, with this store's codes."""
        return replace(what, discount_codes=tuple(self.codes[int(code)].lower() for code in what.discount_codes))

    def spend_all(self) -> None:
        """Ada spends what she has by now."""
        if points := factories.balance("points", self.ada, now=NOW):
            factories.make_order(self.ada, points=int(points), number="spent", now=NOW)

    def everything(self) -> str:
        """All that is recorded, without the numbers that the database gave."""
        people = {customer.pk: self._person(customer) for customer in Customer.objects.for_store(self.store)}
        orders = {order.pk: order.number for order in Order.objects.for_store(self.store)}
        names = {"customer_id": people, "order_id": orders, "used_order_id": orders}
        rows = {
            model.__name__: sorted(_rows(model.objects.for_store(self.store), names), key=lambda row: row[:2])
            for model in (Order, CodeUse, Redemption, PointLot, PointMovement, JournalEntry)
        }
        text = json.dumps([sorted(people.values()), rows], default=str, indent=1)
        text = re.sub(r'"(order|reward|redemption)": "[0-9]+"', r'"\1"', text)
        # The digests of what was heard have the codes in them.
        text = re.sub(r'"[0-9a-f]{16}"', '"heard"', text)
        for index, code in enumerate(self.codes):
            text = text.replace(code, f"code {index}").replace(code.lower(), f"code {index}")
        return text

    def _person(self, customer: Customer) -> str:
        ids = PlatformId.unscoped.filter(customer=customer).order_by("external_id")
        known = [f"{one.external_id}{'' if one.replaced_at is None else ' before'}" for one in ids]
        return f"{customer.email}, {customer.name}, {customer.phone}, {customer.locale}, {known}"


_NUMBERS: Final = {
    "id", "store_id", "lot_id", "allocation_id", "redemption_id", "remark_id", "revert_id", "customer_id", "order_id",
    "used_order_id", "reward_id",
}  # fmt: skip


def _rows(rows: Any, names: Any) -> list[list[Any]]:
    """Of each row whose it is, of which order, and its facts; those of one order as they were written."""
    found = []
    for row in rows.order_by("created_at" if hasattr(rows.model, "code") else "pk").values():
        about = [names[name].get(row.get(name), "") for name in names]
        number = row.get("number") or about[1]
        if moved := row.get("data", {}).get("customer_id"):
            row["data"]["customer_id"] = [names["customer_id"].get(moved[which], "") for which in ("from", "to")]
        found.append([str(number), about[0], about[2], {name: row[name] for name in row if name not in _NUMBERS}])
    return found


STATES: Final = st.fixed_dictionaries(
    {
        "status": st.sampled_from(("confirmed", "confirmed", "completed", "cancelled")),
        "payment_status": st.sampled_from(("pending", "paid", "paid", "refunded", "failed")),
        "customer": st.sampled_from(PEOPLE),
        "discount_codes": st.sampled_from(((), (), ("0",), ("1",), ("0", "1"))),
        "tags": st.sampled_from((("vip",), ("back",), ("keep", "back"))),
    }
)
SAID: Final = st.lists(st.builds(lambda number, minute, facts: snapshot(number, minute, **facts),
                                 st.integers(1, 5), st.integers(0, 3), STATES), max_size=10)  # fmt: skip


def _differences(one: World, other: World) -> list[str]:
    lines = unified_diff(one.everything().splitlines(), other.everything().splitlines(), n=12, lineterm="")
    return list(lines)


def take(world: World, said: Sequence[OrderSnapshot]) -> list[Outcome]:
    """Record these orders as a list."""
    arrivals = [Arrival(world.said(one)) for one in said]
    done = ingest_all(store=world.store, platform="shopify", arrivals=arrivals, actor=ACTOR, now=NOW)
    return [one.outcome for one in done]


def take_singly(world: World, said: Sequence[OrderSnapshot]) -> list[Outcome]:
    """Record these orders one after the other."""
    return [
        ingest(store=world.store, platform="shopify", snapshot=world.said(one), actor=ACTOR, now=NOW).outcome
        for one in said
    ]


@settings(
    max_examples=200 if LONG else 6,
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)
@given(before=SAID, after=SAID)
def test_o2_o7_r7_c1_a_list_of_orders_comes_to_what_they_come_to_one_by_one(
    before: Sequence[OrderSnapshot], after: Sequence[OrderSnapshot]
) -> None:
    """Orders that come several times, customers shared between them, codes, points earned, spent and not to be had."""
    with transaction.atomic():
        listed, singly = World(), World()
        for said in (before, after):
            for turn in in_turns({place: one.external_id for place, one in enumerate(said)}):
                some = [said[place] for place in turn]
                assert take(listed, some) == take_singly(singly, some)
            assert _differences(listed, singly) == []
            listed.spend_all()
            singly.spend_all()
        assert [*find_faults(listed.store), *find_faults(singly.store)] == []
        transaction.set_rollback(True)


def test_statements_do_not_grow_with_the_list() -> None:
    counts = []
    for size in (5, 50):
        world = World()
        people = [CustomerSnapshot(f"{number}", f"p{number}@example.org", "P") for number in range(size)]
        said = [snapshot(number, customer=person) for number, person in enumerate(people)]
        with CaptureQueriesContext(connection) as captured:
            take(world, said)
            take(world, [replace(one, payment_status="refunded", updated_at=NOW) for one in said])
        counts.append(len(captured))
        assert Order.objects.for_store(world.store).filter(points_taken_back=120).count() == size
    assert counts[0] == counts[1]


def test_o2_the_orders_that_cannot_be_recorded_are_found_and_the_others_recorded() -> None:
    world = World()
    said = [replace(snapshot(number), number="\x00" if number in (3, 11) else "#1") for number in range(16)]
    took = in_halves(said, partial(take, world))
    assert [place for place, one in enumerate(took) if isinstance(one, Exception)] == [3, 11]
    assert Order.objects.for_store(world.store).count() == 14


def test_t1_another_stores_orders_and_customers_are_none_of_the_lists() -> None:
    one, other = World(), World()
    take(one, [snapshot(number) for number in (1, 2)])
    before = one.everything()
    assert take(other, [snapshot(number, 5, payment_status="refunded") for number in (1, 2, 3)]) == ["created"] * 3
    assert one.everything() == before


@pytest.mark.django_db(transaction=True)
def test_o2_lists_that_meet_in_orders_and_customers_wait_and_never_for_each_other() -> None:
    world = World()

    for minute in ROUNDS[:5]:
        said = [snapshot(number, minute, customer=PEOPLE[1 + number % 6]) for number in range(8)]
        together(*(partial(take, world, some) for some in (said, said[::-1], said[4:] + said[:4])))
    orders = Order.objects.for_store(world.store)
    assert orders.count() == 8
    assert find_faults(world.store) == []
