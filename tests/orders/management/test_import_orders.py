"""O2: ``manage.py import_orders`` over real payloads, good and bad files, again, and dry."""

import json
from collections.abc import Sequence
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from loyalty.customers.identify import platform_ids
from loyalty.journal.models import JournalEntry
from loyalty.stores.models import Customer, Store
from orders.models import Order
from orders.services.intake import import_files
from orders.services.intake.ingest import ingest_all
from tests import factories
from tests.loyalty.platforms import samples

pytestmark = pytest.mark.django_db

_OLD = "450789469"


@pytest.fixture
def store() -> Store:
    return factories.make_store("shop")


def run(platform: str, *files: Path, **options: Any) -> list[str]:
    """What the command prints; a refusal is raised."""
    lines, _ = run_and_refusal(platform, *files, **options, must_succeed=True)
    return lines


def run_and_refusal(
    platform: str, *files: Path, must_succeed: bool = False, **options: Any
) -> tuple[list[str], CommandError | None]:
    """What the command prints, and what it is refused with."""
    out, refusal = StringIO(), None
    try:
        call_command(
            "import_orders", *map(str, files), **({"store": "shop", "platform": platform} | options), stdout=out
        )
    except CommandError as error:
        if must_succeed:
            raise
        refusal = error
    return out.getvalue().splitlines(), refusal


def write(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def counts(created: int = 0, updated: int = 0, unchanged: int = 0, tests: int = 0, failed: int = 0) -> str:
    return f"created {created}, updated {updated}, unchanged {unchanged}, tests {tests}, failed {failed}"


def everything() -> list[Any]:
    return [list(model.unscoped.order_by("pk").values()) for model in (Order, Customer, JournalEntry)]


# file: (number, status, payment, total, refunded, currency, customer's external id and e-mail, tags)
_BOB = ("207119551", "bob.norman@mail.example.com")
_PAUL = ("1073339474", "paul.norman@example.com")
_PART = "partially_refunded"
_TAGS = ["External", "Inbound", "Outbound"]
_SHOPIFY = [
    ("partially_refunded_with_tags", "#1001", "confirmed", _PART, "598.94", "209.00", "USD", _BOB, _TAGS),
    ("cancelled_refunded", "#1001", "cancelled", "refunded", "598.94", "10.00", "USD", _BOB, []),
    ("partially_paid", "#1003", "confirmed", "pending", "199.00", "0.00", "USD", _PAUL, []),
    ("paid_eur", "#1001", "confirmed", "paid", "238.47", "0.00", "EUR", None, []),
    ("without_customer", "#1001", "confirmed", _PART, "598.94", "209.00", "USD", (None, _BOB[1]), []),
]


@pytest.mark.parametrize("expected", _SHOPIFY, ids=lambda expected: str(expected[0]))
def test_o2_real_shopify_orders(store: Store, payloads: Path, expected: Sequence[Any]) -> None:
    name, _number, status, payment, total, refunded, currency, customer, tags = expected
    lines = run("shopify", payloads / "shopify" / f"rest_order_{name}.json")
    order = Order.objects.for_store(store).get()
    ids = platform_ids([order.customer.pk]).get(order.customer.pk, {}) if order.customer else {}
    found = order.customer and (ids.get("shopify"), order.customer.email)
    assert (order.status, order.payment_status, order.currency, found) == (status, payment, currency, customer)
    assert (f"{order.total:.2f}", f"{order.refunded_total:.2f}", order.tags) == (total, refunded, tags)
    assert order.cancelled_by == ("platform" if status == "cancelled" else "")
    assert lines[-1] == counts(created=1)


@pytest.mark.parametrize("platform", ["shopify", "woocommerce", "shopline"])
def test_o2_every_real_payload_is_imported_or_refused_and_again_changes_nothing(
    store: Store, payloads: Path, platform: str
) -> None:
    files = sorted((payloads / platform).glob("*.json"))
    first, refusal = run_and_refusal(platform, *files)
    assert all("failed: This is " in line for line in first if "failed: " in line)
    assert (refusal is None) == first[-1].endswith("failed 0")
    before = everything()
    again, _ = run_and_refusal(platform, *files)
    assert "created 0, updated 0" in again[-1]
    assert everything() == before


def test_o2_states_of_one_order_in_several_files_end_in_the_newest(store: Store, payloads: Path) -> None:
    files = sorted((payloads / "shopify").glob("rest_order*.json"))
    for some in (files, files[::-1]):
        run("shopify", *some)
        order = Order.objects.for_store(store).get(external_id=_OLD)
        assert (order.status, order.payment_status) == ("cancelled", "refunded")


def test_o2_real_woocommerce_orders(store: Store, payloads: Path) -> None:
    run("woocommerce", payloads / "woocommerce" / "orders_list_processing_and_refunded_twice.json")
    processing, completed = Order.objects.for_store(store).order_by("placed_at").reverse()
    assert (processing.status, processing.payment_status, f"{processing.total:.2f}") == ("confirmed", "paid", "29.35")
    assert (completed.status, completed.payment_status) == ("completed", "partially_refunded")
    assert f"{completed.refunded_total:.2f}" == "19.00"
    guest = processing.customer
    assert guest is not None
    assert (guest.external_id, guest.email) == (None, "john.doe@example.com")


def test_o2_a_real_shopline_order_is_in_the_stores_currency(store: Store, payloads: Path) -> None:
    run("shopline", payloads / "shopline" / "order_mock_confirmed.json")
    order = Order.objects.for_store(store).get()
    assert (order.number, order.status, order.payment_status) == ("SO001", "confirmed", "paid")
    assert (order.currency, order.total) == ("USD", 100)


@pytest.mark.parametrize("name", ["webhook_orders_updated_2024-10.json", "webhook_orders_cancelled_2023-01.json"])
def test_shopifys_test_deliveries_are_recognised_and_not_stored(store: Store, payloads: Path, name: str) -> None:
    lines = run("shopify", payloads / "shopify" / name)
    assert "a test delivery, not stored" in lines[0]
    assert lines[-1] == counts(tests=1)
    assert not Order.unscoped.exists()


def test_a_bad_row_never_stops_the_others(store: Store, tmp_path: Path) -> None:
    orders = [
        samples.order("shopify"),
        samples.without(samples.order("shopify", id=2, admin_graphql_api_id=None), "total_price", "total_price_set"),
        {"id": 3, "kind": "refund", "order_id": 1, "refund_line_items": []},
        7,
        samples.order("shopify", id=None, admin_graphql_api_id=None, name="#1004"),
        samples.order("shopify", id=5, admin_graphql_api_id=None, name="#1005", currency="JPY", total_price="23600"),
    ]
    file = write(tmp_path, "orders.json", {"orders": orders})
    lines, refusal = run_and_refusal("shopify", file)
    assert lines[0] == f"{file}, row 1: order #1001: created"
    assert lines[1] == f"{file}, row 2: order #1001: created; read, without: total_price"
    assert lines[2].startswith(f"{file}, row 3: failed: This is a refund")
    assert lines[3].startswith(f"{file}, row 4: failed: ")
    assert lines[4] == f"{file}, row 5: failed: The field “id” is missing."
    assert lines[5] == f"{file}, row 6: order #1005: created"
    assert lines[6:] == [counts(created=3, failed=3)]
    assert refusal is not None
    assert refusal.returncode == 1
    recorded = list(Order.objects.for_store(store).order_by("pk").values_list("number", "total"))
    assert recorded == [("#1001", 120), ("#1001", 0), ("#1005", 23600)]


def test_o8_a_row_without_a_currency_is_rounded_to_the_unit_of_the_stores(tmp_path: Path) -> None:
    store = factories.make_store("shop", currency="JPY")
    said = samples.order("shopline", currency_iso=None, total=10.5, user_credit=None, subtotal_items=[])
    run("shopline", write(tmp_path, "orders.json", said))
    assert Order.objects.for_store(store).get().total == 11


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("", "The file is empty."), ("no JSON", "This is not valid JSON (line 1, column 1).")],
)
def test_a_file_that_is_no_json_fails_and_the_others_are_imported(
    store: Store, tmp_path: Path, content: str, sentence: str
) -> None:
    bad, good = write(tmp_path, "bad.json", content), write(tmp_path, "good.json", samples.order("shopify"))
    lines, refusal = run_and_refusal("shopify", bad, good)
    assert lines == [
        f"{bad}: failed: {sentence}",
        f"{good}, row 1: order #1001: created",
        counts(created=1, failed=1),
    ]
    assert refusal is not None


def test_o2_an_order_of_another_store_is_not_touched(store: Store, tmp_path: Path) -> None:
    other = factories.make_store("other")
    file = write(tmp_path, "orders.json", samples.order("shopify"))
    run("shopify", file, store="other")
    before = Order.objects.for_store(other).values().get()
    assert run("shopify", file)[-1] == counts(created=1)
    assert Order.objects.for_store(other).values().get() == before


def test_a_dry_run_says_what_would_happen_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    def state(minute: int, **facts: Any) -> dict[str, Any]:
        return samples.order("shopify", updated_at=f"2026-01-06T09:0{minute}:00-05:00", **facts)

    run("shopify", write(tmp_path, "known.json", state(3)))
    before = everything()
    other = samples.order("woocommerce")
    new = {"id": 9, "admin_graphql_api_id": None, "name": "#1009"}
    of_new = [state(1, **new), state(2, **new), state(3, tags="x", **new)]
    rows = [state(1), state(3), state(4, tags="x"), state(2), *of_new, other]
    file = write(tmp_path, "orders.json", rows)
    dry, dry_refusal = run_and_refusal("shopify", file, dry_run=True)
    assert everything() == before
    assert [line.split(": ")[-1] for line in dry[:3]] == [
        "unchanged, because a newer state of it is already here",
        "unchanged",
        "would be updated",
    ]
    expected = counts(created=1, updated=2, unchanged=4, failed=1)
    assert dry[-1] == f"Dry run, nothing was written: {expected}"
    real, refusal = run_and_refusal("shopify", file)
    assert real[-1] == expected
    assert (dry_refusal is None, refusal is None) == (False, False)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"store": "nobody"}, "There is no store “nobody”."),
        ({"platform": "magento"}, "There is no platform “magento”. The platforms are shopify, "),
        ({"missing": True}, "cannot be read: No such file or directory."),
        ({"folder": True}, "cannot be read: Is a directory."),
    ],
)
def test_bad_arguments_are_one_line_and_nothing_is_imported(
    store: Store, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    good = write(tmp_path, "good.json", samples.order("shopify"))
    last = tmp_path if options.pop("folder", False) else good
    last = tmp_path / "missing.json" if options.pop("missing", False) else last
    lines, refusal = run_and_refusal(options.pop("platform", "shopify"), good, last, **options)
    assert refusal is not None
    assert sentence in str(refusal)
    assert (refusal.returncode, "\n" in str(refusal), lines) == (2, False, [])
    assert not Order.unscoped.exists()


def test_a_line_stays_one_line_whatever_is_in_the_order(store: Store, tmp_path: Path) -> None:
    file = write(tmp_path, "orders.json", samples.order("shopify", name="a\nb\x1b[31m"))
    assert run("shopify", file) == [f"{file}, row 1: order a b [31m: created", counts(created=1)]


def rows_from(first: int, length: int) -> list[dict[str, Any]]:
    return [samples.order("shopify", id=first + n, admin_graphql_api_id=None) for n in range(length)]


def test_statements_do_not_grow_with_the_rows_of_a_batch(store: Store, tmp_path: Path) -> None:
    def statements(length: int, first: int) -> int:
        file = write(tmp_path, f"{first}.json", rows_from(first, length))
        with CaptureQueriesContext(connection) as queries:
            run("shopify", file)
        return len(queries)

    statements(1, 1)
    assert statements(1, 100) == statements(10, 200)


def test_an_import_that_was_broken_off_goes_on_where_it_was(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "orders.json", rows_from(1, 7))
    monkeypatch.setattr(import_files, "BATCH", 2)
    calls = count(1)

    def breaks_off(**facts: Any) -> Any:
        if next(calls) == 3:
            raise OperationalError("The database is away.")
        return ingest_all(**facts)

    monkeypatch.setattr(import_files, "ingest_all", breaks_off)
    with pytest.raises(OperationalError):
        run("shopify", file)
    assert Order.objects.for_store(store).count() == 4
    assert run("shopify", file)[-1] == counts(created=3, unchanged=4)


def test_o2_states_of_one_order_in_one_batch_are_taken_as_they_stand(store: Store, tmp_path: Path) -> None:
    states = [
        samples.order("shopify", id=number, admin_graphql_api_id=None, tags=f"state-{hour}",
                        updated_at=f"2026-01-06T1{hour}:00:00+00:00")
        for number in (1, 2) for hour in (0, 2, 1)
    ]  # fmt: skip
    lines = run("shopify", write(tmp_path, "orders.json", states))
    told = ["created", "updated", "unchanged, because a newer state of it is already here"]
    assert [line.split(": ")[-1] for line in lines[:-1]] == told * 2
    assert {tuple(order.tags) for order in Order.objects.for_store(store)} == {("state-2",)}
