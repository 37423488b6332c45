"""Polling: what webhooks missed is fetched, once, in pages, by one worker, and one shop's trouble is its own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from django.db import connection as database

from loyalty.jobs.periodic import found_work, run_job
from loyalty.jobs.retries import PARTNERS
from loyalty.platforms.models import InboundDelivery, PlatformConnection
from loyalty.platforms.webhooks.replay import replay
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus
from orders.services.intake.poll import LEASE, OVERLAP, PolledElsewhere, catch_up, poll_platforms
from orders.services.intake.process_webhooks import process_deliveries
from tests.factories import make_store
from tests.loyalty.platforms.samples import order
from tests.platforms_imitated.connecting import connect
from tests.platforms_imitated.shopify import ImitatedShopify
from tests.platforms_imitated.shopline import ImitatedShopline
from tests.platforms_imitated.woocommerce import ImitatedWooCommerce, at

pytestmark = pytest.mark.django_db

CONNECTED = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
NOW = datetime(2026, 1, 6, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def store() -> Store:
    return make_store("ada", currency="EUR")


@pytest.fixture
def connection(store: Store, imitated_woocommerce: ImitatedWooCommerce) -> PlatformConnection:
    return connect(imitated_woocommerce, store, now=CONNECTED, tag_meta_key="_order_tags")


def orders_at(*instants: datetime, first: int = 1000) -> list[dict[str, Any]]:
    return [
        at(order("woocommerce", id=first + index, number=str(first + index)), one) for index, one in enumerate(instants)
    ]


def again(connection: PlatformConnection) -> PlatformConnection:
    found: PlatformConnection = PlatformConnection.unscoped.get(pk=connection.pk)
    return found


def test_o2_a_changed_order_is_fetched_once(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    imitated_woocommerce.put(order("woocommerce"))
    counts = poll_platforms(NOW)
    assert counts == {"created": 1, "updated": 0, "unchanged": 0, "unreadable": 0, "failed": 0}
    fetched = Order.objects.for_store(connection.store).get()
    assert (fetched.external_id, fetched.tags) == ("727", ["vip", "Exchange-Order"])
    assert again(connection).polled_to == NOW
    counts = poll_platforms(LATER)
    assert not found_work(counts)
    assert Order.objects.for_store(connection.store).get().version == fetched.version


def test_o2_what_a_lost_webhook_said_arrives(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    imitated_woocommerce.put(order("woocommerce"))
    poll_platforms(NOW)
    imitated_woocommerce.put(at(order("woocommerce", status="cancelled"), NOW + timedelta(minutes=1)))
    assert poll_platforms(LATER)["updated"] == 1
    assert Order.objects.for_store(connection.store).get().status == OrderStatus.CANCELLED


def test_a_change_that_shows_late_is_within_the_overlap(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    poll_platforms(NOW)
    imitated_woocommerce.put(*orders_at(NOW - OVERLAP + timedelta(minutes=1)))
    assert poll_platforms(LATER)["created"] == 1


def test_a_gap_of_a_week_is_caught_up_in_pages(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    poll_platforms(NOW)
    week = NOW + timedelta(days=7)
    imitated_woocommerce.put(*orders_at(*(NOW + timedelta(hours=hour) for hour in range(1, 168))))
    imitated_woocommerce.put(*orders_at(*[NOW + timedelta(days=3)] * 120, first=3000))
    asked = len(imitated_woocommerce.asked)
    assert poll_platforms(week)["created"] == 167 + 120
    assert len(imitated_woocommerce.asked) - asked >= 8 + 3
    assert again(connection).polled_to == week


def test_a_run_that_is_broken_off_is_gone_on_with(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    imitated_woocommerce.put(*orders_at(*[CONNECTED + timedelta(hours=1)] * 120))
    pages = catch_up(connection, since=None, now=NOW)
    next(pages)
    pages.close()
    halfway = again(connection)
    assert halfway.poll_since is not None
    assert halfway.poll_lease is None
    assert 0 < Order.objects.for_store(connection.store).count() < 120
    run_job("orders.continue_polls", NOW)
    assert Order.objects.for_store(connection.store).count() == 120
    assert again(connection).poll_since is None
    assert not found_work(run_job("orders.continue_polls", NOW))


def test_nothing_from_before_the_connection_is_fetched_by_itself(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    imitated_woocommerce.put(*orders_at(CONNECTED - timedelta(days=2)))
    assert poll_platforms(NOW)["created"] == 0
    assert (
        sum(
            page.counts.get("created", 0)
            for page in catch_up(connection, since=CONNECTED - timedelta(days=3), now=LATER)
        )
        == 1
    )
    assert again(connection).polled_to == LATER


def test_one_shop_that_is_down_does_not_stop_the_others(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce, imitated_shopline: ImitatedShopline
) -> None:
    other = connect(imitated_shopline, make_store(), now=CONNECTED)
    imitated_shopline.put(order("shopline"))
    imitated_woocommerce.fail_next(500)
    counts = poll_platforms(NOW)
    assert (counts["failed"], counts["created"]) == (1, 1)
    broken, healthy = again(connection), again(other)
    assert "problem of its own" in broken.last_error
    assert broken.poll_not_before == NOW + PARTNERS.steps[0]
    assert (healthy.last_error, healthy.polled_to) == ("", NOW)
    # Left alone until then, and shown as well again afterwards.
    assert poll_platforms(NOW + timedelta(seconds=30)) == ANY
    assert len(imitated_woocommerce.asked) == 1
    poll_platforms(NOW + PARTNERS.steps[0])
    assert (again(connection).last_error, again(connection).poll_failures) == ("", 0)


def test_pauses_grow_with_each_failure(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    now = NOW
    for pause in (*PARTNERS.steps, PARTNERS.steps[-1]):
        imitated_woocommerce.fail_next(401, {"message": "no"})
        assert poll_platforms(now)["failed"] == 1
        assert again(connection).poll_not_before == now + pause
        now += pause


def test_a_platform_that_asks_to_slow_down_is_left_alone_until_then(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    imitated_woocommerce.fail_next(429, "", Retry_After="120")
    counts = poll_platforms(NOW)
    assert (counts["postponed"], counts["failed"]) == (1, 0)
    held = again(connection)
    assert (held.poll_not_before, held.last_error) == (NOW + timedelta(seconds=120), "")
    poll_platforms(NOW + timedelta(seconds=119))
    assert len(imitated_woocommerce.asked) == 1
    poll_platforms(NOW + timedelta(seconds=120))
    assert again(connection).polled_to == NOW + timedelta(seconds=120)


def test_shopify_is_left_alone_as_long_as_its_bucket_takes(imitated_shopify: ImitatedShopify) -> None:
    connection = connect(imitated_shopify, make_store(), now=CONNECTED)
    imitated_shopify.available = 0
    assert poll_platforms(NOW)["postponed"] == 1
    held = again(connection)
    assert held.poll_not_before is not None
    assert timedelta(seconds=1) <= held.poll_not_before - NOW < timedelta(seconds=10)


def test_e7_an_order_that_cannot_be_read_does_not_hide_the_others(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    good = orders_at(CONNECTED + timedelta(hours=2))
    bad = at(order("woocommerce", id=10**100, number="B-1"), CONNECTED + timedelta(hours=1))
    binned = at(order("woocommerce", id=2, status="trash"), CONNECTED + timedelta(hours=1))
    imitated_woocommerce.put(bad, binned, *good)
    counts = poll_platforms(NOW)
    assert (counts["created"], counts["unreadable"], counts["failed"]) == (1, 1, 0)
    shown = again(connection)
    assert "B-1" in shown.last_error
    assert shown.polled_to == NOW
    assert not found_work(poll_platforms(NOW))
    # Kept once, where staff see it and may try again.
    kept = InboundDelivery.objects.for_store(connection.store).get()
    assert (kept.state, kept.topic, kept.last_error) == ("failed", "order.fetched", "The field “id” cannot be read.")
    assert replay(store=connection.store, delivery_id=kept.pk, now=NOW)
    process_deliveries(NOW)
    kept.refresh_from_db()
    assert (kept.state, kept.last_error) == ("failed", "The field “id” cannot be read.")


def test_two_workers_never_poll_the_same_connection(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    imitated_woocommerce.put(*orders_at(*[CONNECTED + timedelta(hours=1)] * 120))
    first = catch_up(connection, since=None, now=NOW)
    next(first)
    asked = len(imitated_woocommerce.asked)
    poll_platforms(NOW)
    assert len(imitated_woocommerce.asked) == asked
    with pytest.raises(PolledElsewhere):
        next(catch_up(connection, since=None, now=NOW))
    first.close()


def test_a_worker_that_died_is_replaced_and_cannot_come_back(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce
) -> None:
    imitated_woocommerce.put(*orders_at(*[CONNECTED + timedelta(hours=1)] * 120))
    dead = catch_up(connection, since=None, now=NOW)
    next(dead)
    # The first page may take seconds, and the lease counts from its end.
    later = NOW + LEASE + timedelta(minutes=1)
    poll_platforms(later)
    assert again(connection).polled_to == later
    with pytest.raises(PolledElsewhere):
        next(dead)
    assert again(connection).polled_to == later


@pytest.mark.parametrize(
    "change",
    [{"enabled": False}, {"uninstalled_at": CONNECTED}],
)
def test_a_connection_that_is_off_is_not_polled(
    connection: PlatformConnection, imitated_woocommerce: ImitatedWooCommerce, change: dict[str, Any]
) -> None:
    PlatformConnection.unscoped.filter(pk=connection.pk).update(**change)
    poll_platforms(NOW)
    assert not imitated_woocommerce.asked


def test_no_transaction_is_open_while_the_platform_is_asked(
    connection: PlatformConnection,
    imitated_woocommerce: ImitatedWooCommerce,
    monkeypatch: pytest.MonkeyPatch,
    transactional_db: None,
) -> None:
    open_ones: list[bool] = []
    answer: Callable[..., Any] = ImitatedWooCommerce.answer

    def watch(self: ImitatedWooCommerce, request: Any, body: Any) -> Any:
        open_ones.append(in_transaction())
        return answer(self, request, body)

    imitated_woocommerce.put(order("woocommerce"))
    with monkeypatch.context() as patched:
        patched.setattr(ImitatedWooCommerce, "answer", watch)
        poll_platforms(NOW)
    assert open_ones
    assert not any(open_ones)


def in_transaction() -> bool:
    """Whether the job's own connection idles in a transaction; asked from the server's thread."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND state = 'idle in transaction' AND pid <> pg_backend_pid()"
        )
        found: int = cursor.fetchone()[0]
    database.close()
    return found > 0
