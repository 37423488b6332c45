"""The dashboard: every figure is right, leads to its list, and is counted once a minute at most."""

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loyalty.ledger.expire import expire_lots
from loyalty.proof.outcomes import check_ledger
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Role, Store
from loyalty.web.addresses import page_of
from orders.admin.desk import tiles as dashboard_tiles
from orders.admin.desk.charts import Chart
from orders.admin.desk.dashboard import count_figures
from orders.admin.desk.tiles import Tile
from orders.kinds import LEDGERS
from orders.models import PaymentStatus
from orders.services.automation.cancel_unpaid import auto_cancel
from tests.addresses import reverse
from tests.factories import (
    BEFORE,
    NOW,
    cancel_and_return,
    grant,
    make_customer,
    make_order,
    make_settings,
    make_store,
    make_user,
)
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = pytest.mark.django_db
# In Taipei it is the afternoon of the fifth of January.
TODAY = date(2026, 1, 5)


@pytest.fixture(autouse=True)
def clock(settings: Any) -> Any:
    # Parallel runs share one server, and keys of different databases share ids.
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid.uuid4().hex}}
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def tiles(store: Store) -> dict[str, Tile]:
    return {tile.title: tile for tile in count_figures(store, NOW).tiles}


def charts(store: Store) -> list[Chart]:
    return list(count_figures(store, NOW).charts)


def figures(chart: Chart) -> dict[str, str]:
    return {bar.label: bar.figure for bar in chart.bars if bar.segments}


def test_b2_needs_revert_says_how_many_how_much_and_since_when(store: Store) -> None:
    assert tiles(store)["Needs revert"].figure == "0"
    ana = make_customer(store)
    grant("credits", ana, "50.00")
    grant("points", ana, 100)
    grant("credits", ana, "900", currency="JPY")
    make_order(ana, credits="15.00", points=40, payment_status="refunded", now=BEFORE)
    make_order(ana, credits="10.00", payment_status="refunded", now=BEFORE + timedelta(days=3))
    make_order(ana, credits="900", currency="JPY", payment_status="refunded", now=BEFORE + timedelta(days=3))
    returned = make_order(ana, credits="5.00", payment_status="refunded")
    cancel_and_return(returned)
    tile = tiles(store)["Needs revert"]
    assert (tile.figure, tile.tone) == ("3", "bad")
    assert tile.words == "900 JPY + 25.00 USD + 40 points not returned. Oldest: 16 days ago"
    assert tile.link == reverse("admin:orders_order_queue")


def test_b2_the_queue_is_counted_so_far_and_no_further(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = make_customer(store)
    grant("credits", ana, "50.00")
    for _ in range(4):
        make_order(ana, credits="1.00", payment_status="refunded")
    monkeypatch.setattr(dashboard_tiles, "COUNTED_TO", 2)
    tile = tiles(store)["Needs revert"]
    assert tile.figure == "More than 2"
    assert tile.words.startswith("At least 3.00 USD")


def test_cancelled_today_is_the_stores_day(store: Store, clock: Any) -> None:
    make_settings(store, StoreSettings(auto_cancel=AutoCancelSettings(failed="cancel")))
    ana = make_customer(store)
    for _ in range(2):
        make_order(ana, payment_status=PaymentStatus.FAILED)
    auto_cancel(NOW)
    assert tiles(store)["Cancelled automatically today"].figure == "2"
    # Sixteen hours later it is the sixth in Taipei, and still the fifth in Greenwich.
    tomorrow = count_figures(store, NOW + timedelta(hours=16)).tiles
    tile = next(tile for tile in tomorrow if tile.title == "Cancelled automatically today")
    assert (tile.figure, tile.link.rpartition("=")[2]) == ("0", "2026-01-06")


def test_returned_by_kind_in_full_and_in_part(store: Store) -> None:
    ana = make_customer(store)
    grant("credits", ana, "10.00", until=date(2026, 1, 1))
    grant("credits", ana, "5.00")
    grant("points", ana, 30)
    cancel_and_return(make_order(ana, credits="15.00", points=30))
    cancel_and_return(make_order(ana, credits="2.00"), now=NOW - timedelta(days=7))
    found = tiles(store)
    credits, points = found["Store credits returned"], found["Member points returned"]
    assert (credits.figure, credits.words) == ("5.00 USD", "In the last 7 days: 0 in full, 1 in part")
    assert (points.figure, points.words) == ("30 points", "In the last 7 days: 1 in full, 0 in part")


def test_l5_lost_to_expiry_does_not_wait_for_the_job(store: Store) -> None:
    ana = make_customer(store)
    grant("credits", ana, "7.00", until=TODAY - timedelta(days=1))
    grant("points", ana, 9, until=TODAY - timedelta(days=2))
    assert tiles(store)["Lost to expiry"].figure == "7.00 USD + 9 points"
    expire_lots(LEDGERS["credits"], NOW)
    assert tiles(store)["Lost to expiry"].figure == "7.00 USD + 9 points"
    later = count_figures(store, NOW + timedelta(days=31)).tiles
    assert next(tile for tile in later if tile.title == "Lost to expiry").figure == "0.00 USD"


def test_h5_the_ledger_tile_is_green_red_or_overdue(store: Store) -> None:
    assert tiles(store)["Ledger check"].figure == "Not yet"
    check_ledger(NOW)
    tile = tiles(store)["Ledger check"]
    assert (tile.figure, tile.tone) == ("Agrees", "good")
    late = count_figures(store, NOW + timedelta(days=3)).tiles[-1]
    assert (late.figure, late.tone) == ("Overdue", "bad")
    lot = grant("points", make_customer(store), 10)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("UPDATE points_pointlot SET remaining = 7 WHERE id = %s", [lot.pk])
    check_ledger(NOW + timedelta(days=1))
    assert (tiles(store)["Ledger check"].figure, tiles(store)["Ledger check"].tone) == ("1 fault", "bad")


def test_outstanding_value_by_the_month_it_expires_in(store: Store) -> None:
    ana = make_customer(store)
    # The last day of January in Taipei ends while it is still January in Greenwich.
    for amount, until in (("1.00", date(2026, 1, 31)), ("2.00", date(2026, 2, 1)), ("4.00", date(2026, 12, 31))):
        grant("credits", ana, amount, until=until)
    grant("credits", ana, "8.00", until=date(2027, 1, 1))
    grant("credits", ana, "16.00")
    grant("credits", ana, "32.00", until=TODAY - timedelta(days=1))
    grant("credits", ana, "700", currency="JPY")
    _, usd, jpy, points = charts(store)
    assert usd.title == "Store credits outstanding: 31.00 USD"
    assert figures(usd) == {
        "Jan 2026": "1.00 USD",
        "Feb 2026": "2.00 USD",
        "Dec 2026": "4.00 USD",
        "Later": "8.00 USD",
        "Never": "16.00 USD",
    }
    assert usd.bars[0].link.endswith("?kind=credits&first=2026-01-01&last=2026-01-31")
    assert (jpy.title, figures(jpy)) == ("Store credits outstanding: 700 JPY", {"Never": "700 JPY"})
    assert points.nothing == "No customer holds any member points."
    assert [part.length for bar in usd.bars for part in bar.segments] == [6.25, 12.5, 25.0, 50.0, 100.0]


def test_reverts_by_day_and_cause(store: Store) -> None:
    make_settings(store, StoreSettings(auto_cancel=AutoCancelSettings(failed="cancel_and_revert")))
    ana = make_customer(store)
    grant("credits", ana, "50.00")
    cancel_and_return(make_order(ana, credits="1.00"))
    cancel_and_return(make_order(ana, credits="1.00"), now=NOW - timedelta(days=1))
    make_order(ana, credits="1.00", payment_status=PaymentStatus.FAILED)
    auto_cancel(NOW)
    chart = charts(store)[0]
    assert figures(chart) == {"Jan 5, 2026": "2", "Jan 4, 2026": "1"}
    assert chart.bars[0].words == "by hand: 1 and because the payment failed: 1"
    assert [(part.begins, part.length) for part in chart.bars[0].segments] == [(0, 50), (50, 50)]
    assert [key.words for key in chart.keys] == ["by hand: 2", "because the payment failed: 1"]
    assert f"trigger={Trigger.PAYMENT_FAILED}" in chart.keys[1].link


def test_every_tile_and_bar_leads_to_a_list_that_agrees(store: Store) -> None:
    client, _ = staff(store, Role.VIEWER)
    ana = make_customer(store)
    grant("credits", ana, "50.00", until=TODAY + timedelta(days=3))
    cancel_and_return(make_order(ana, credits="5.00"))
    cancel_and_return(make_order(ana, credits="5.00"), now=NOW - timedelta(days=1))
    page = client.get(reverse("admin:index"))
    links = [tile.link for tile in page.context["tiles"]]
    for chart in page.context["charts"]:
        links += [chart.link, *(bar.link for bar in chart.bars if bar.link), *(key.link for key in chart.keys)]
    assert len(links) > 10
    assert {client.get(link).status_code for link in links} == {200}
    today = next(bar for bar in page.context["charts"][0].bars if bar.figure)
    assert len(client.get(today.link).context["cl"].result_list) == int(today.figure)
    month = next(bar for bar in page.context["charts"][1].bars if bar.segments)
    assert client.get(month.link).context["totals"][0]["figure"] == month.figure


def test_figures_are_counted_once_a_minute_and_per_store(store: Store) -> None:
    client, _ = staff(store, Role.VIEWER)
    other_store, other = store_and_staff(Role.VIEWER)
    make_customer(store)
    address = reverse("admin:index")
    with CaptureQueriesContext(connection) as first:
        client.get(address)
    ana = make_customer(store)
    grant("credits", ana, "5.00")
    make_order(ana, credits="1.00", payment_status="refunded")
    with CaptureQueriesContext(connection) as second:
        kept = client.get(address)
    assert kept.context["tiles"][0].figure == "0"
    assert len(second) < len(first) - 8
    assert other.get(page_of(other_store, "admin:index")).context["is_new"]
    cache.delete(f"dashboard:{store.pk}:en")
    assert client.get(address).context["tiles"][0].figure == "1"


def test_without_the_cache_figures_are_counted_all_the_same(store: Store, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    client, _ = staff(store, Role.VIEWER)
    ana = make_customer(store)
    grant("credits", ana, "5.00")
    for count in ("1", "2"):
        make_order(ana, credits="1.00", payment_status="refunded")
        assert client.get(reverse("admin:index")).context["tiles"][0].figure == count


def test_the_number_of_statements_does_not_grow_with_the_data(store: Store) -> None:
    ana = make_customer(store)
    with CaptureQueriesContext(connection) as few:
        count_figures(store, NOW)
    for number in range(5):
        grant("credits", ana, "5.00", until=TODAY + timedelta(days=40 * number))
        cancel_and_return(make_order(ana, credits="1.00"))
        make_order(ana, credits="1.00", payment_status="refunded")
    with CaptureQueriesContext(connection) as many:
        count_figures(store, NOW)
    assert len(many) <= len(few) <= 20


def test_a_new_store_says_what_to_do_first(store: Store) -> None:
    owner, _ = staff(store, Role.OWNER)
    page = owner.get(reverse("admin:index")).content.decode()
    assert "Nothing has happened in this store yet" in page
    for address in ("stores_apikey_add", "stores_membership_add", "stores_settingsversion_orders"):
        assert reverse(f"admin:{address}") in page
    viewer, _ = staff(store, Role.VIEWER)
    seen = viewer.get(reverse("admin:index"))
    assert seen.context["first_steps"] == []
    assert "Nothing has happened in this store yet" in seen.content.decode()


def test_t2_an_operator_without_any_store_is_told_to_make_one(db: None) -> None:
    client = Client()
    client.force_login(make_user(is_superuser=True), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("admin:index"))
    assert page.status_code == 200
    assert reverse("admin:stores_store_add") in page.content.decode()


def test_t1_another_stores_figures_are_not_counted(store: Store) -> None:
    other = make_customer(make_store())
    grant("credits", other, "50.00", until=TODAY + timedelta(days=1))
    grant("credits", other, "5.00", until=TODAY - timedelta(days=1))
    make_order(other, credits="1.00", payment_status="refunded")
    cancel_and_return(make_order(other, credits="1.00"))
    make_customer(store)
    found = tiles(store)
    assert {tile.figure for tile in found.values()} == {"0", "0.00 USD", "0 points", "Not yet"}
    assert all(chart.nothing for chart in charts(store))
