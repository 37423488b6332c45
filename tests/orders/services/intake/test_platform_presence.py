"""O9: an order that is deleted on its platform, or in its bin, and one that comes back; nothing moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine

from loyalty.journal.models import JournalEntry
from loyalty.platforms.files import Row
from loyalty.platforms.read import read_order
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Store
from orders.models import Order
from orders.services.intake.import_files import Import, Rehearsal, RowResult, Take, take_rows
from orders.services.intake.ingest import Outcome, ingest
from orders.services.intake.platform_presence import note_deleted
from orders.services.intake.process_webhooks import process_deliveries
from orders.services.reverts.dismiss import dismiss_revert
from orders.services.reverts.queue import waiting, waiting_since
from tests.deliveries import Delivery, connect_store, shopify, shopline, shopline_global, woocommerce
from tests.factories import ACTOR, cancel, grant, make_order, make_store
from tests.loyalty.platforms.samples import order

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)

MAKERS: dict[str, Callable[..., Delivery]] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "shopline": partial(shopline, now=NOW),
    "shopline_global": shopline_global,
}
UNPAID: dict[str, dict[str, Any]] = {
    "shopify": {"financial_status": "pending"},
    "woocommerce": {"status": "pending", "date_paid_gmt": None},
    "shopline": {"status": "pending", "order_payment": {"status": "pending"}},
    "shopline_global": {"financial_status": "unpaid", "payment_details": []},
}
LATER = NOW + timedelta(minutes=5)
IN_THE_BIN = {"status": "trash", "date_modified_gmt": f"{LATER:%Y-%m-%dT%H:%M:%S}"}
REMOVED = {"status": "removed", "updated_at": LATER.isoformat()}


def unpaid(platform: str, **changes: Any) -> dict[str, Any]:
    return order(platform, **(UNPAID[platform] | changes))


def gone(platform: str) -> list[Delivery]:
    """Each way in which a platform says that its order is deleted."""
    identity = {"id": order(platform)["id"]}
    ways = {
        "shopify": [shopify(identity, "orders/delete")],
        "woocommerce": [
            woocommerce(identity, "order.deleted"),
            woocommerce(unpaid("woocommerce", **IN_THE_BIN), "order.updated"),
        ],
        "shopline": [
            shopline({"_id": identity["id"]}, "order/remove", now=NOW),
            shopline(unpaid("shopline", **REMOVED), "order/update", now=NOW),
        ],
        "shopline_global": [shopline_global(identity, "orders/delete")],
    }
    return ways[platform]


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def hear(store: Store, *deliveries: Delivery, now: datetime = NOW) -> Order:
    for delivery in deliveries:
        assert delivery.send(store).status_code == 200
        process_deliveries(now)
    found: Order = Order.objects.for_store(store).get()
    return found


def spend(recorded: Order) -> None:
    """10.00 that the platform's order used, as a client records it."""
    assert recorded.customer is not None
    grant("credits", recorded.customer, "10", currency=recorded.currency)
    facts = {name: getattr(recorded, name) for name in ("number", "platform", "external_id", "currency", "total")}
    make_order(recorded.customer, credits="10", now=NOW, **facts)


def deleted(store: Store, platform: str = "woocommerce", **changes: Any) -> Order:
    """An order that used 10.00, unpaid unless ``changes`` say otherwise, and that its platform deleted."""
    connect_store(store, platform)
    spend(hear(store, MAKERS[platform](unpaid(platform, **changes))))
    return hear(store, gone(platform)[0])


WAYS = [(platform, way) for platform in UNPAID for way in range(len(gone(platform)))]


@pytest.mark.parametrize(("platform", "way"), WAYS)
def test_o9_deleted_there_moves_nothing_and_waits_when_it_is_unpaid_and_used_value(
    store: Store, platform: str, way: int
) -> None:
    connect_store(store, platform)
    before = hear(store, MAKERS[platform](unpaid(platform)))
    spend(before)
    after = hear(store, gone(platform)[way])
    assert after.platform_deleted_at in (NOW, LATER)
    assert (after.status, after.payment_status) == (before.status, before.payment_status)
    assert (after.credits_reverted, after.credit_revert_status, after.open_on_platform) == (0, None, False)
    assert (after.needs_revert, list(waiting(store))) == (True, [after])
    assert waiting_since(after) == after.platform_deleted_at
    assert hear(store, *gone(platform)).version == after.version


def test_o9_a_paid_order_that_is_deleted_there_waits_for_nobody(store: Store) -> None:
    after = deleted(store, "shopify", financial_status="paid")
    assert (after.platform_deleted_at, after.needs_revert) == (NOW, False)


def test_o9_what_waits_is_given_back_by_cancelling_or_dismissed(store: Store) -> None:
    first = cancel(deleted(store), now=NOW)
    assert (first.credits_reverted, first.needs_revert) == (10, False)
    second = deleted(make_store())
    dismissed = dismiss_revert(store=second.store, order_id=second.pk, reason="no", act=Act(ACTOR, Trigger.ADMIN, NOW))
    assert (dismissed.needs_revert, dismissed.credits_decision) == (False, "dismissed")


def test_o9_restored_there_the_mark_goes(store: Store, clock: time_machine.Traveller) -> None:
    deleted(store)
    clock.shift(timedelta(hours=1))
    back = unpaid("woocommerce", date_modified_gmt="2026-01-07T09:00:00")
    after = hear(store, woocommerce(back, "order.restored"), now=NOW + timedelta(hours=1))
    assert (after.platform_deleted_at, after.needs_revert, after.platform_data["is_open"]) == (None, False, True)
    told = JournalEntry.objects.for_store(store).filter(order=after).values_list("event", flat=True)
    assert "order.restored_on_platform" in list(told)


def ingested(store: Store, platform: str, *, shown_at: datetime | None = None, **changes: Any) -> Order:
    snapshot = read_order(platform, unpaid(platform, **changes))
    ingest(store=store, platform=platform, snapshot=snapshot, actor=ACTOR, now=NOW, shown_at=shown_at)
    found: Order = Order.objects.for_store(store).get()
    return found


def test_o9_what_the_platform_shows_afterwards_is_there_however_long_ago_it_changed(store: Store) -> None:
    assert deleted(store).platform_deleted_at == NOW
    assert ingested(store, "woocommerce", shown_at=NOW - timedelta(seconds=1)).platform_deleted_at == NOW
    assert ingested(store, "woocommerce", shown_at=LATER).platform_deleted_at is None


def test_o9_a_change_after_the_deleting_proves_that_it_is_there_and_an_old_state_does_not(store: Store) -> None:
    deleted(store)
    for old in ("2026-01-06T09:00:00", "2026-01-05T09:30:00", "2026-01-07T09:00:00"):
        assert ingested(store, "woocommerce", date_modified_gmt=old).platform_deleted_at == NOW
    new = ingested(store, "woocommerce", date_modified_gmt=f"{LATER:%Y-%m-%dT%H:%M:%S}")
    assert (new.platform_deleted_at, new.status) == (None, "pending")


def test_o9_an_old_word_of_the_bin_after_a_newer_state_changes_nothing(store: Store) -> None:
    recorded = ingested(store, "woocommerce", date_modified_gmt=f"{LATER:%Y-%m-%dT%H:%M:%S}")
    noted = note_deleted(
        store=store, platform="woocommerce", external_id="727", said_at=NOW, heard_at=LATER, actor=ACTOR, now=LATER
    )
    assert noted == recorded
    assert noted.platform_deleted_at is None


def test_o9_a_file_may_say_so_and_a_rehearsal_only_says_what_it_would(store: Store) -> None:
    real = Import(store, "woocommerce", ACTOR)

    def bring(take: Take, now: datetime) -> RowResult:
        row = Row(1, unpaid("woocommerce", **IN_THE_BIN))
        (result,) = take_rows([row], platform="woocommerce", take=take, clock=lambda: now)
        return result

    assert bring(real.take, NOW).error == "This order is in WooCommerce's bin."
    ingested(store, "woocommerce")
    for take, expected in ((Rehearsal(real).take, None), (real.take, LATER)):
        assert bring(take, NOW).outcome is Outcome.UPDATED
        assert Order.objects.for_store(store).get().platform_deleted_at == expected
    assert bring(real.take, LATER).outcome is Outcome.UNCHANGED


def test_o9_a_message_that_carries_an_id_alone_counts_although_the_shops_clock_is_ahead(store: Store) -> None:
    connect_store(store, "woocommerce")
    hear(store, woocommerce(unpaid("woocommerce", date_modified_gmt=f"{LATER:%Y-%m-%dT%H:%M:%S}")))
    assert hear(store, gone("woocommerce")[0]).platform_deleted_at == NOW


def test_o9_t1_another_stores_order_is_not_touched(store: Store) -> None:
    other = make_store()
    ingested(other, "woocommerce")
    deleted(store)
    assert Order.objects.for_store(other).get().platform_deleted_at is None
