"""Lists of the largest store: what PostgreSQL takes for every filter and ordering, as the web's role (O4)."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from statistics import median
from typing import Any, Final, cast

from django import forms
from django.conf import settings
from django.contrib.admin import site
from django.db import connection
from django.db.models import Count, QuerySet
from django.http import QueryDict
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.request import Request

from benchmarks.by_hand import PAGE, WAYS, page_by_hand
from loyalty.api.answers.pagination import Ordering, read_page
from loyalty.api.requests import filters
from loyalty.database.named_stores import in_store
from loyalty.ledger.balances import balances
from loyalty.ledger.history import history
from loyalty.stores.models import ApiKey, Customer, Store
from orders.admin.orders.filters import OrderFilterForm
from orders.api.orders.filters import OrderFilters
from orders.api.orders.orders import OrderListView
from orders.kinds import KINDS, LEDGERS
from orders.models import Order

_RUNS: Final = 5
# A page takes a tenth of a millisecond, and as much more or less by chance.
_TURNS: Final = 40
_DEEP: Final = 1000
_PLAIN: Final = OrderListView.plain_rows
Asked = tuple[str, str]


def asked_over_rest() -> list[Asked]:
    """Every filter of the order list over REST with every value that it knows, else with one that finds nothing."""
    asked: list[Asked] = []
    for name, item in vars(OrderFilters)["base_filters"].items():
        match item:
            case filters.ListFilter():
                values = tuple(item.extra["values"])
            case filters.YesNoFilter():
                values = ("true", "false")
            case filters.InstantFilter():
                values = ("2001-01-01T00:00:00Z", "2040-01-01T00:00:00Z")
            case filters.CustomerFilter():
                values = ("1",)
            case _:
                values = ("nothing",)
        asked += [(name, value) for value in values]
    return asked


def asked_on_the_page(store: Store) -> list[Asked]:
    """The same of the order list's page; of customers the store's first."""
    asked: list[Asked] = []
    for name, field in OrderFilterForm.base_fields.items():
        match field:
            case forms.ModelChoiceField():
                values: tuple[str, ...] = (str(Customer.objects.for_store(store).earliest("pk").pk),)
            case forms.ChoiceField():
                values = tuple(str(value) for value, _ in cast("Any", field.choices) if value)
            case forms.DateField():
                values = ("2001-01-01", "2035-01-01")
            case _:
                values = ("1",)
        asked += [(name, value) for value in values]
    return asked


def read_over_rest(store: Store, asked: dict[str, str], ordering: Ordering) -> None:
    """Read the page of orders that is asked for."""
    request = Request(RequestFactory(SERVER_NAME="localhost").get("/", asked))
    request.auth = ApiKey(store=store)
    narrowed = OrderFilters(
        QueryDict(request.META["QUERY_STRING"]), queryset=Order.objects.for_store(store), request=request
    )
    if not narrowed.is_valid():
        raise SystemExit(f"{asked}: {narrowed.errors}")
    read_page(_PLAIN.of(narrowed.qs), request, ordering=ordering, read=_PLAIN.read)


def reader_of_the_page(store: Store, name: str, value: str) -> Callable[[], list[Order]]:
    """What reads the rows of the page whose filter has this value, with their customers; the value is checked here."""
    request: Any = RequestFactory().get("/", {name: value})
    request.store = store
    form = OrderFilterForm(request.GET, request=request)
    if not form.is_valid():
        raise SystemExit(f"{name}={value}: {form.errors}")
    page = site.get_model_admin(Order).get_queryset(request)
    return lambda: list(form.narrow(page)[:PAGE])


def lists() -> dict[str, list[float]]:
    """Milliseconds in PostgreSQL, of several runs, of each list's slowest value of a filter."""
    store = Store.objects.get(pk=1)
    slowest: dict[str, list[float]] = {}
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {connection.ops.quote_name(settings.DATABASE_WEB_ROLE)}")
    with in_store(store.pk):
        for what, read in _readings(store):
            times = [_milliseconds(read) for _ in range(_RUNS)]
            slowest[what] = max(slowest.get(what, [0.0]), times, key=median)
    return slowest


def beside_raw() -> dict[str, dict[str, list[float]]]:
    """Milliseconds in PostgreSQL of the first page, of each filter's slowest page and of the longest history.

    Beside queries by hand.
    """
    store, now = Store.objects.get(pk=1), timezone.now()
    customer = Customer.unscoped.get(pk=_busiest(store))
    asked = partial(read_over_rest, store, {"credit_revert_status": "not_reverted"}, OrderListView.orderings[0])
    sides: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "the first page of Not Reverted": (asked, partial(_ask, _RAW_PAGE, store.pk))
    }
    for kind in KINDS:
        ledger = LEDGERS[kind]
        lots, movements = (table._meta.db_table for table in (ledger.tables.lot, ledger.tables.movement))
        read = partial(_read, history(ledger, customer).select_related("lot", "remark").order_by("-id")[:PAGE])
        raw = _RAW_HISTORY.format(lots=lots, movements=movements)
        sides[f"a long history of {kind}"] = read, partial(_ask, raw, store.pk, customer.pk)
        total = partial(balances, ledger, customer, now=now)
        raw = _RAW_BALANCE.format(lots=lots)
        sides[f"the balance after a long history of {kind}"] = total, partial(_ask, raw, store.pk, customer.pk, now)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {connection.ops.quote_name(settings.DATABASE_WEB_ROLE)}")
    with in_store(store.pk):
        sides |= {f"the page by {name}": two for name, two in _filters_by_hand(store)}
        return {what: _in_turns(*two) for what, two in sides.items()}


def _filters_by_hand(store: Store) -> Iterator[tuple[str, tuple[Callable[[], Any], Callable[[], Any]]]]:
    """Each filter of the order list with its slowest value, and whichever way by hand is faster for that."""
    for name, asked in groupby(asked_on_the_page(store), key=itemgetter(0)):
        readers = {value: reader_of_the_page(store, name, value) for _, value in asked}
        value = max(readers, key=lambda value: _milliseconds(readers[value]))
        by_hand = [partial(page_by_hand, way, store, name, value) for way in WAYS]
        yield name, (readers[value], min(by_hand, key=_milliseconds))


_RAW_PAGE: Final = f"""
SELECT * FROM orders_order AS shown LEFT JOIN stores_customer AS customer ON customer.id = shown.customer_id
WHERE shown.store_id = %s AND credit_revert_status = 'not_reverted' ORDER BY placed_at DESC, shown.id DESC LIMIT {PAGE}
"""
_RAW_HISTORY: Final = f"""
SELECT * FROM {{movements}} AS movement JOIN {{lots}} AS lot ON lot.id = movement.lot_id
WHERE movement.store_id = %s AND movement.customer_id = %s ORDER BY movement.id DESC LIMIT {PAGE}
"""
_RAW_BALANCE: Final = """
SELECT sum(remaining), min(expires_at) FROM {lots}
WHERE store_id = %s AND customer_id = %s AND remaining > 0 AND (expires_at IS NULL OR expires_at > %s)
"""


def _in_turns(ours: Callable[[], Any], raw: Callable[[], Any]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"ours": [], "reference": []}
    for _ in range(_TURNS):
        times["ours"].append(_milliseconds(ours))
        times["reference"].append(_milliseconds(raw))
    return times


def _ask(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.fetchall()


def _readings(store: Store) -> Iterator[tuple[str, Callable[[], Any]]]:
    newest = OrderListView.orderings[0]
    for name, value in asked_over_rest():
        yield f"REST {name}", partial(read_over_rest, store, {name: value}, newest)
    for ordering in OrderListView.orderings:
        asked = {"ordering": ordering.name}
        yield f"REST ordering={ordering.name}", partial(read_over_rest, store, asked, ordering)
    for name, value in asked_on_the_page(store):
        yield f"page {name}", reader_of_the_page(store, name, value)
    deep = Order.objects.for_store(store).order_by("-placed_at", "-id")
    last = deep[min(_DEEP * (PAGE - 1), deep.count() - PAGE)]
    beyond = _PLAIN.of(deep.filter(placed_at__lte=last.placed_at))[:PAGE]
    yield f"page {_DEEP:,} of REST", partial(_read, beyond)
    yield from _long_histories(store)


def _long_histories(store: Store) -> Iterator[tuple[str, Callable[[], Any]]]:
    busiest = _busiest(store)
    for kind in KINDS:
        ledger = LEDGERS[kind]
        movements = ledger.tables.movement.objects.for_store(store).filter(customer=busiest)
        held = ledger.tables.lot.objects.for_store(store).filter(customer=busiest, remaining__gt=0)
        yield f"the longest history of {kind}", partial(_read, movements.order_by("-id")[:PAGE])
        yield f"the balance after the longest history of {kind}", partial(_read, held)
    orders = Order.objects.for_store(store).filter(customer=busiest).order_by("-placed_at", "-id")
    yield "orders of who has most", partial(_read, orders[:PAGE])


def _busiest(store: Store) -> int:
    people = Order.objects.for_store(store).order_by().values("customer")
    customer: int = people.annotate(number=Count("pk")).order_by("-number").values_list("customer", flat=True)[0]
    return customer


def _read(rows: "QuerySet[Any]") -> list[Any]:
    return list(rows.all())


def _milliseconds(read: Callable[[], Any]) -> float:
    """What PostgreSQL took for the statements that ``read`` sends, when they are carried out again."""
    with CaptureQueriesContext(connection) as queries:
        read()
    return float(sum(_plan(query["sql"])["Execution Time"] for query in list(queries)))


def _plan(statement: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.replace('%', '%%')}")
        (plan,) = cursor.fetchone()
    found: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]
    return found
