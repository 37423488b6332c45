"""Exports of the lists: what is in them, whose, at what cost, in how much memory."""

import csv
import json
import re
from datetime import date, datetime
from html import unescape
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import time_machine
from django import forms
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.data import generate
from loyalty.exporting import tables
from loyalty.store_settings.sections import StoreSettings
from loyalty.store_settings.words import LanguageWords, WordsSettings
from loyalty.stores.models import Role
from orders.admin.exports.customers import CUSTOMER_EXPORTS
from orders.admin.exports.orders import ORDER_EXPORTS
from orders.admin.exports.reverts import REVERTS
from orders.kinds import LEDGERS
from orders.models import Order
from tests import factories
from tests.addresses import pages_of, reverse
from tests.database import as_owner
from tests.examples import open_shop
from tests.factories import NOW, cancel_and_return, grant, make_customer, make_order, make_settings, make_store
from tests.orders.admin.reverts.cases import VALID, staff, store_and_staff, x1_order
from tests.workers import start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

ORDERS_LIST = "orders_order"
# An emoji made of several, a letter outside the first plane, an accent by itself, from right to left.
ODD = "a😀👩🏽\u200d🍳𠮷e\u0301 שלום مرحبا"
CUSTOMERS_LIST = "stores_customer"
EVERY = [
    *((ORDERS_LIST, export.key) for export in ORDER_EXPORTS),
    *((CUSTOMERS_LIST, export.key) for export in CUSTOMER_EXPORTS),
    ("orders_revert", REVERTS.key),
]


def _forms_of_words(kind: type[forms.BaseForm] = forms.BaseForm) -> set[Any]:
    """Every form of ours."""
    below = {form for mine in kind.__subclasses__() for form in {mine} | _forms_of_words(mine)}
    ours = ("loyalty.", "orders.", "credits.", "points.")
    return {form for form in below if form.__module__.startswith(ours) and hasattr(form, "base_fields")}


def address(model: str, key: str, suffix: str = "csv") -> str:
    return reverse(f"admin:{model}_export", args=[key, suffix])


def table(client: Client, model: str, key: str, **query: Any) -> list[dict[str, str]]:
    """The CSV file as its lines by heading."""
    answer = client.get(address(model, key), query)
    assert answer.status_code == 200, answer.content
    text = answer.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def sheet(client: Client, model: str, key: str, **query: Any) -> list[dict[str, Any]]:
    """The XLSX file as its lines by heading."""
    answer = client.get(address(model, key, "xlsx"), query)
    assert answer.status_code == 200
    book = openpyxl.load_workbook(BytesIO(answer.getvalue()))
    headings, *lines = book.worksheets[0].iter_rows(values_only=True)
    return [dict(zip(map(str, headings), line, strict=True)) for line in lines]


def test_the_orders_with_their_lots() -> None:
    store, client = store_and_staff(Role.VIEWER)
    order = x1_order(store, points=100)
    cancel_and_return(order)
    (line,) = table(client, ORDERS_LIST, "orders")
    lots = [lot for lot, _ in sorted((use.lot_id, use) for use in _uses(order))]
    assert line | {"Order": "1001"} == line
    shown = {
        "Customer": "Ana Lee",
        "Status": "Cancelled",
        "Placed at (Asia/Taipei)": "2025-12-20 14:00:00",
        "Cancelled at (Asia/Taipei)": "2026-01-05 14:00:00",
        "Currency": "USD",
        "Total": "1000.00",
        "Credits used": "15.00",
        "Credits returned": "5.00",
        "Credits not returned": "10.00",
        "Credit Revert Status": "Reverted",
        "Points used": "100",
        "Points Revert Status": "Reverted",
        "Credit lots": "; ".join(f"#{lot}" for lot in lots),
        "Credit lots: used": "10.00; 5.00",
        "Credit lots: last day of use": "2026-01-01; 2026-03-20",
        "Credit lots: returned": "0.00; 5.00",
        "Point lots: used": "100",
        "Point lots: last day of use": "never",
    }
    assert line | shown == line


def test_h3_a_file_is_in_the_language_and_with_the_names_of_who_reads() -> None:
    store, client = store_and_staff(Role.VIEWER)
    make_settings(store, StoreSettings(words=WordsSettings(zh_hant=LanguageWords(points="金幣"))))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-TW"
    cancel_and_return(x1_order(store, points=100))
    for line in (*table(client, ORDERS_LIST, "orders"), *sheet(client, ORDERS_LIST, "orders")):
        assert "已取消" in line.values()
        assert any("金幣" in heading for heading in line)


def _uses(order: Order) -> list[Any]:
    return list(LEDGERS["credits"].tables.allocation.unscoped.filter(order=order))


def test_in_xlsx_amounts_are_numbers_and_moments_are_local_dates() -> None:
    store, client = store_and_staff(Role.VIEWER)
    cancel_and_return(x1_order(store))
    (line,) = sheet(client, ORDERS_LIST, "orders")
    assert (line["Credits used"], line["Credits returned"], line["Total"]) == (15, 5, 1000)
    assert line["Cancelled at (Asia/Taipei)"] == datetime(2026, 1, 5, 14)  # noqa: DTZ001
    assert line["Currency"] == "USD"


def test_one_line_for_each_lot_that_an_order_used() -> None:
    store, client = store_and_staff(Role.VIEWER)
    cancel_and_return(x1_order(store, points=100))
    first, second = sheet(client, ORDERS_LIST, "credits-used")
    last_day = "Last day of use (empty: never expires)"
    assert [(line["Used"], line["Returned"], line["Not returned"]) for line in (first, second)] == [
        (10, 0, 10),
        (5, 5, 0),
    ]
    assert [line["Expired"] for line in (first, second)] == ["yes", None]
    assert second[last_day].date() == VALID
    (points,) = sheet(client, ORDERS_LIST, "points-used")
    assert (points["Order"], points["Used"], points["Returned"], points[last_day]) == ("1001", 100, 100, None)


def test_an_export_honours_filters_and_search_on_all_pages() -> None:
    store, client = store_and_staff(Role.VIEWER)
    customer = make_customer(store)
    for number in range(60):
        make_order(customer, number=f"{number}", tags=["raid"])
    make_order(make_customer(store, name="Somebody Else"), number="other")
    assert len(table(client, ORDERS_LIST, "orders")) == 61
    assert len(table(client, ORDERS_LIST, "orders", tags="raid", p="2")) == 60
    assert [line["Order"] for line in table(client, ORDERS_LIST, "orders", q="Somebody")] == ["other"]
    assert table(client, ORDERS_LIST, "orders", status="cancelled") == []
    page = client.get(reverse("admin:orders_order_changelist"), {"tags": "raid", "p": "2"}).content.decode()
    assert 'href="export/orders.xlsx?tags=raid"' in page


def test_a_wrong_filter_exports_nothing() -> None:
    _, client = store_and_staff(Role.VIEWER)
    answer = client.get(address(ORDERS_LIST, "orders"), {"placed_from": "yesterday"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "../?placed_from=yesterday")
    assert client.get(address(ORDERS_LIST, "orders"), {"customer__email": "x"}).status_code == 400


def test_customers_with_their_balances() -> None:
    store, client = store_and_staff(Role.VIEWER)
    ana, bob = make_customer(store, name="Ana", phone="+886 2"), make_customer(store, name="Bob")
    grant("credits", ana, "20.00")
    grant("credits", ana, "7.00", until=date(2026, 1, 1))
    grant("credits", ana, "3.000", currency="KWD")
    grant("points", ana, 50)
    second, first = table(client, CUSTOMERS_LIST, "customers")
    assert (
        first | {"Customer": "Ana", "Credits available": "20.00", "Currency": "USD", "Points available": "50"} == first
    )
    assert first["Credits in other currencies"] == "3.000 KWD"
    assert first["Phone"] == "'+886 2"
    assert (second["Customer"], second["Credits available"], second["Points available"]) == ("Bob", "0.00", "0")
    assert [line["Customer"] for line in table(client, CUSTOMERS_LIST, "customers", q=bob.email)] == ["Bob"]


def test_movements_and_lots_of_the_customers_of_the_list_or_of_one() -> None:
    store, client = store_and_staff(Role.VIEWER)
    order = x1_order(store)
    cancel_and_return(order)
    grant("credits", make_customer(store, name="Bob"), "1.00")
    lines = sheet(client, CUSTOMERS_LIST, "credit-movements")
    assert [line["Amount"] for line in lines] == [10, 5, -10, -5, 5, 1]
    assert {line["Reason"] for line in lines if line["Type"] == "Given"} == {"Gift"}
    assert [line["Order"] for line in lines] == [None, None, "1001", "1001", "1001", None]
    assert {line["By"] for line in lines} == {"Job tests"}
    mine = sheet(client, CUSTOMERS_LIST, "credit-movements", row=order.customer_id)
    assert [line["Balance after"] for line in mine] == [10, 15, 5, 0, 5]
    lots = sheet(client, CUSTOMERS_LIST, "credit-lots", row=order.customer_id)
    assert [(lot["Given"], lot["Remaining"], lot["Expired"]) for lot in lots] == [(10, 0, "yes"), (5, 5, None)]
    page = client.get(reverse("admin:stores_customer_change", args=[order.customer_id]), {"tab": "credits"})
    assert f"{address(CUSTOMERS_LIST, 'credit-movements', 'xlsx')}?row={order.customer_id}" in page.content.decode()


def test_redemptions_with_what_became_of_them() -> None:
    store, client = store_and_staff(Role.VIEWER)
    reward = factories.make_reward(store)
    customer = make_customer(store, name="Ana")
    grant("points", customer, 1000)
    kept, gone = (factories.make_redemption(customer, reward) for _ in range(2))
    factories.reverse(gone)
    first, second = sheet(client, CUSTOMERS_LIST, "redemptions")
    assert [(line["Redemption"], line["Code"]) for line in (first, second)] == [
        (kept.pk, kept.code),
        (gone.pk, gone.code),
    ]
    assert (first["Points"], first["Worth"], first["Currency or percent"]) == (500, 5, "USD")
    assert (first["State"], first["Reversed by"], first["Points returned"]) == ("Claimed", None, 0)
    assert (second["State"], second["Reversed by"], second["Points returned"]) == ("Reversed", "Job tests", 500)
    assert len(sheet(client, CUSTOMERS_LIST, "point-movements")) == 4


def test_reverts() -> None:
    store, client = store_and_staff(Role.VIEWER)
    cancel_and_return(x1_order(store))
    (line,) = table(client, "orders_revert", "reverts")
    assert (line["Order"], line["Returned"], line["Used"], line["How much"]) == ("1001", "5.00", "15.00", "Partial")
    assert "5.00 returned, last day of use 2026-03-20" in line["Lots"]


def test_formulas_of_customers_and_platforms_are_text() -> None:
    store, client = store_and_staff(Role.VIEWER)
    make_order(make_customer(store, name="=cmd|' /C calc'!A0"), number="@SUM(1)", tags=["-1+1"])
    (line,) = table(client, ORDERS_LIST, "orders")
    assert (line["Order"], line["Customer"], line["Tags"]) == ("'@SUM(1)", "'=cmd|' /C calc'!A0", "'-1+1")
    answer = client.get(address(ORDERS_LIST, "orders", "xlsx"))
    book = openpyxl.load_workbook(BytesIO(answer.getvalue()))
    assert "f" not in {cell.data_type for row in book.worksheets[0] for cell in row}


def test_the_file_is_named_after_the_store_and_its_day() -> None:
    store = make_store("tea")
    # In Taipei it is the sixth already.
    with time_machine.travel("2026-01-05T20:00:00+00:00", tick=False):
        client, _ = staff(store)
        for suffix in ("csv", "xlsx"):
            answer = client.get(address(ORDERS_LIST, "orders", suffix))
            assert f'filename="tea-orders-2026-01-06.{suffix}"' in answer.headers["Content-Disposition"]
            assert answer.getvalue()


@pytest.mark.parametrize(("model", "key"), EVERY)
def test_t1_nobody_exports_another_stores_rows(model: str, key: str) -> None:
    store, _ = store_and_staff()
    order = x1_order(store, points=100)
    cancel_and_return(order)
    other, outsider = store_and_staff(Role.OWNER)
    assert outsider.get(address(model, key)).status_code == 404
    with pages_of(other):
        assert table(outsider, model, key) == []
        for row in (str(order.pk), str(order.customer_id), "999999999", "x"):
            assert outsider.get(address(model, key), {"row": row}).status_code == 404
        if model == ORDERS_LIST:
            # A foreign customer is a wrong filter, as an unknown one is.
            assert outsider.get(address(model, key), {"customer": str(order.customer_id)}).status_code == 302


@pytest.mark.parametrize(("model", "key"), EVERY)
def test_t2_whoever_may_see_the_list_may_export_it_and_nobody_else(model: str, key: str) -> None:
    store, client = store_and_staff(Role.VIEWER)
    assert client.get(address(model, key)).status_code == 200
    assert client.get(address(model, f"{key}s")).status_code == 404
    assert client.get(address(model, key, "pdf")).status_code == 404
    assert "/login/" in Client().get(address(model, key)).headers["Location"]
    nobody = Client()
    nobody.force_login(factories.make_user(), backend="django.contrib.auth.backends.ModelBackend")
    assert nobody.get(address(model, key)).status_code == 404
    assert store


@pytest.mark.parametrize(("model", "key"), EVERY)
def test_a_batch_costs_the_same_whatever_its_size(model: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, client = store_and_staff(Role.VIEWER)
    reward = factories.make_reward(store)
    counts = []
    for size in (1, 9):
        for number in range(size):
            order = x1_order(store, points=510, number=f"{size}-{number}")
            cancel_and_return(order)
            assert order.customer is not None
            factories.make_redemption(order.customer, reward, now=NOW)
        table(client, model, key)
        with CaptureQueriesContext(connection) as queries:
            assert table(client, model, key)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    monkeypatch.setattr(tables, "BATCH", 5)
    with CaptureQueriesContext(connection) as queries:
        rows = table(client, model, key)
    batches = -(-len(rows) // 5)
    assert len(queries) <= counts[0] + (batches - 1) * 4


# --- memory

MEASURE = """
import django, json, sys, tempfile
django.setup()
from django.utils import timezone
from loyalty.database.named_stores import in_store_throughout
from loyalty.exporting.files import csv_parts, write_xlsx
from loyalty.stores.models import Store
from orders.admin.exports.orders import ORDERS
from orders.models import Order
store = Store.objects.get(pk=1)

def export(suffix, count):
    rows = Order.objects.for_store(store).select_related("customer").defer("lines", "platform_data")
    rows = rows.order_by("-placed_at", "-id")[:count]
    lines = in_store_throughout(store.pk, ORDERS.lines(rows, store, now=timezone.now()))
    if suffix == "csv":
        return sum(len(part) for part in csv_parts(ORDERS.headings(store), lines))
    with tempfile.TemporaryFile() as file:
        write_xlsx(file, "Orders", ORDERS.headings(store), lines)
        return file.tell()

def measured(suffix, count):
    size = export(suffix, count)
    # Not ru_maxrss: what it says begins with what the process that started this one used.
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return {"size": size, "peak_mb": int(peak.split()[1]) / 1024}

print(json.dumps([measured(sys.argv[1], count) for count in (300, 3_000)]))
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's account of a process's memory")
@pytest.mark.django_db(transaction=True)
def test_memory_does_not_grow_with_the_list() -> None:
    """Ten times the rows, in the same memory: what the peak of a process is after few, it is after many."""
    with time_machine.travel("2026-01-05T06:00:00+00:00"), as_owner():
        generate(3_000, stores=1)
    for suffix in ("csv", "xlsx"):
        with start("-c", MEASURE, suffix) as process:
            said, _ = process.communicate()
        few, many = json.loads(said.splitlines()[-1])
        assert many["size"] > 8 * few["size"]
        assert many["peak_mb"] - few["peak_mb"] < 12
        assert many["peak_mb"] < 200


def test_r7_points_of_a_code_are_exported_as_the_order_s_with_the_code() -> None:
    store, client = store_and_staff(Role.VIEWER)
    customer = make_customer(store)
    grant("points", customer, 500)
    redemption = factories.make_redemption(customer, factories.make_reward(store))
    order = make_order(customer, codes=[redemption.code])
    cancel_and_return(order)
    (line,) = table(client, ORDERS_LIST, "orders")
    assert (line["Points used"], line["Points returned"], line["Codes"]) == (
        "500",
        "500",
        f"{redemption.code}: 500 points",
    )
    (use,) = table(client, ORDERS_LIST, "points-used")
    assert (use["Code"], use["Used"], use["Not returned"]) == (redemption.code, "500", "0")
    moved = table(client, CUSTOMERS_LIST, "point-movements")
    assert [(row["Amount"], row["Order"], row["Code used by order"]) for row in moved] == [
        ("500", "", ""),
        ("-500", "", order.number),
        ("500", order.number, ""),
    ]
    (redeemed,) = sheet(client, CUSTOMERS_LIST, "redemptions")
    assert (redeemed["State"], redeemed["Used by order"], redeemed["Points returned"]) == (
        "Returned",
        order.number,
        500,
    )


def test_l8_every_character_comes_back_as_it_was_over_rest_on_pages_in_searches_and_files() -> None:
    shop = open_shop()
    client, _ = staff(shop.store)
    customer = shop.customer(name=f"n{ODD}", external_id=f"x{ODD}")
    shop.give_points(customer, 100)
    line = {"title": f"t{ODD}", "sku": f"s{ODD}", "quantity": 1, "total": "1.00"}
    order = shop.order(customer, f"o{ODD}", tags=[f"g{ODD}"], lines=[line], apply_points=10)["id"]
    assert shop.cancel(order, revert_points=True, note=f"c{ODD}").status_code == 200
    reward = {"name": f"r{ODD}", "points": 1, "type": "percentage", "value": "10"}
    assert shop.command("/rewards/", reward).json()["name"] == reward["name"]

    read = shop.get(f"/orders/{order}/").json()
    assert (read["number"], read["tags"]) == (f"o{ODD}", [f"g{ODD}"])
    assert shop.get(f"/customers/{customer}/").json()["name"] == f"n{ODD}"
    assert [found["id"] for found in shop.get("/customers/", external_id=f"x{ODD}").json()["results"]] == [customer]
    for tab, words in (("details", f"o{ODD}"), ("details", f"t{ODD}"), ("timeline", f"c{ODD}")):
        shown = client.get(reverse(f"admin:{ORDERS_LIST}_change", args=[order]), {"tab": tab})
        assert words in _read(shown), (tab, words)
    for model, asked in ((ORDERS_LIST, f"o{ODD}"), (CUSTOMERS_LIST, f"n{ODD}")):
        assert _read(client.get(reverse(f"admin:{model}_changelist"), {"q": asked})).count(asked) > 1
        assert asked in {*table(client, model, model.partition("_")[2] + "s")[0].values()}
        assert asked in {*sheet(client, model, model.partition("_")[2] + "s", q=asked)[0].values()}


def test_l8_what_cannot_be_stored_is_refused_beside_its_field() -> None:
    typed = {
        f"{form.__name__}.{name}": field
        for form in _forms_of_words()
        for name, field in form.base_fields.items()
        if isinstance(field.widget, forms.TextInput | forms.Textarea)
    }
    taken = {name for name, field in typed.items() if not _refuses(field)}
    assert (len(typed) > 50, taken) == (True, set())


def _read(page: Any) -> str:
    """What a page says; what is from right to left in it stands apart."""
    return unescape(re.sub("</?bdi>", "", page.content.decode()))


def _refuses(field: Any) -> bool:
    try:
        field.clean("a\x00b")
    except ValidationError:
        return True
    return False
