"""What works behind the policies: jobs in the stores of what they took up, and look-ups by indexes (T1, ADR 0039)."""

import re
from collections import defaultdict
from io import StringIO
from typing import Any, Final

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from loyalty.customers.search import matching_customers
from loyalty.database import named_stores
from loyalty.database.named_stores import EVERY, every_store, in_store, in_stores, no_store
from loyalty.database.policies import tables_of_stores
from loyalty.jobs.periodic import JOBS
from loyalty.stores.models import Customer, Store
from orders.models import Order
from orders.search import tagged
from tests import factories
from tests.database import as_owner
from tests.deliveries import connect_store, shopify
from tests.examples import open_shop, x4
from tests.factories import NOW
from tests.loyalty.accounts.invitations.test_invite import invite, join, newest_link, owner_of
from tests.loyalty.platforms.samples import order
from tests.workers import start

pytestmark = pytest.mark.django_db

TABLES: Final = tables_of_stores()
# Claims of a whole connection or draft, what is past its time, and the outcome of the check that reads everything.
WRITTEN_IN_EVERY_STORE: Final = {
    "loyalty.check_ledger": {"journal_ledgercheck"},
    "loyalty.prune": set(TABLES),
    "loyalty.repair_webhooks": {"platforms_platformconnection"},
    "orders.bulk_cancel": {"orders_bulkcancel", "orders_bulkitem"},
    "orders.continue_polls": {"platforms_platformconnection"},
    "orders.poll_platforms": {"platforms_platformconnection"},
}
_NAMED: Final = re.compile(r'\b(?:FROM|JOIN|INTO|UPDATE)\s+"?(\w+)')
_WRITTEN: Final = re.compile(r'\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)')
# The two that an index answers by a function: no condition of theirs is leakproof.
BY_FUNCTION: Final = {"customer_search_key": "customers_like", "order_tags": "orders_tagged"}
# Whose expressions are not leakproof, but are only sorted by, held unique, or asked of a person's few rows.
BY_EXPRESSION: Final = {"order_queue", "saved_view_name_once"}


def test_t1_jobs_write_in_the_stores_of_what_they_took_up_alone() -> None:
    tea, coffee = open_shop(), open_shop("coffee")
    written: dict[str, dict[str, set[str]]] = {}
    with time_machine.travel("2021-01-01T12:00:00+08:00", tick=False) as clock:
        examples = [x4(shop) for shop in (tea, coffee)]
        clock.move_to(examples[0].now)
        for shop in (tea, coffee):
            connect_store(shop.store)
            assert shopify(order("shopify"), "orders/updated").send(shop.store).status_code == 200
        for name in JOBS:
            by_names: dict[str, set[str]] = defaultdict(set)

            def look(execute: Any, sql: Any, *more: Any, by_names: dict[str, set[str]] = by_names) -> Any:
                by_names[named_stores.named()].update(set(_WRITTEN.findall(str(sql))) & set(TABLES))
                return execute(sql, *more)

            with connection.execute_wrapper(look):
                call_command("run_jobs", name, stdout=StringIO())
            written[name] = by_names
    too_wide = {name: by_names[EVERY] - WRITTEN_IN_EVERY_STORE.get(name, set()) for name, by_names in written.items()}
    assert {name: tables for name, tables in too_wide.items() if tables} == {}
    both = f"{{{tea.store.pk},{coffee.store.pk}}}"
    assert {"orders_order", "orders_revert"} <= written["orders.auto_cancel"][both]
    for shop in (tea, coffee):
        assert "orders_order" in written["orders.process_deliveries"][f"{{{shop.store.pk}}}"]


def test_t1_pages_of_accounts_look_for_somebody_s_stores_alone_in_every_store() -> None:
    store = factories.make_store()
    owner = owner_of(store)
    invite(owner)
    link = newest_link()
    read: dict[str, set[str]] = defaultdict(set)

    def look(execute: Any, sql: Any, *more: Any) -> Any:
        read[named_stores.named()].update(set(_NAMED.findall(str(sql))) & set(TABLES))
        return execute(sql, *more)

    with connection.execute_wrapper(look):
        for name in ("mfa_index", "usersessions_list", "socialaccount_connections", "account_change_password"):
            assert owner.get(reverse(name), follow=True).status_code == 200
        assert join(link).status_code == 200
    assert read.pop(EVERY) == {"stores_membership"}
    assert "accounts_invitation" in read.pop(f"{{{store.pk}}}")
    # A letter to somebody who signs in is of no store.
    assert read.pop(named_stores.NOBODY, set()) <= {"accounts_letter"}
    assert not read


@pytest.mark.django_db(transaction=True)
def test_h5_a_command_sees_all_stores() -> None:
    """Without a store named, the books would agree because none were read."""
    factories.grant("points", factories.make_customer(factories.make_store()), 10)
    with start("manage.py", "check_ledger") as command:
        said, _ = command.communicate()
    assert (command.returncode, said.partition(",")[0]) == (0, "ledger agrees: 1 lots"), said


def test_t1_look_ups_by_function_hold_to_the_stores_that_are_named() -> None:
    mine, other = factories.make_store(), factories.make_store()
    people = {store: factories.make_customer(store, name="Ana Lisa") for store in (mine, other)}
    orders = {store: factories.make_order(people[store], tags=("vip",)) for store in people}

    def seen(store: Store) -> tuple[list[int], list[int]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT customers_like(%s, '%%lis%%')", [store.pk])
            found = [pk for (pk,) in cursor.fetchall()]
            cursor.execute("SELECT orders_tagged(%s, '{vip}')", [store.pk])
            return found, [pk for (pk,) in cursor.fetchall()]

    theirs = {store: ([people[store].pk], [orders[store].pk]) for store in people}
    with no_store():
        assert (seen(mine), seen(other)) == (([], []), ([], []))
    with in_store(mine.pk):
        assert (seen(mine), seen(other)) == (theirs[mine], ([], []))
    with in_stores([mine.pk, other.pk]):
        assert (seen(mine), seen(other)) == (theirs[mine], theirs[other])
    with every_store():
        assert (seen(mine), seen(other)) == (theirs[mine], theirs[other])


def test_t1_no_other_function_sees_what_its_caller_does_not() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = current_schema()::regnamespace")
        assert {name for (name,) in cursor.fetchall()} == set(BY_FUNCTION.values())


def test_t1_every_index_can_be_used_behind_a_policy() -> None:
    """An index whose conditions could leak rows is one that no condition uses: it needs a look-up of its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT indexrelid::regclass::text FROM pg_index
            JOIN pg_policy ON polrelid = indrelid, unnest(indclass) AS opclass
            JOIN pg_opclass ON pg_opclass.oid = opclass
            JOIN pg_amop ON amopfamily = opcfamily AND amoplefttype = opcintype AND amoprighttype = opcintype
            JOIN pg_operator ON pg_operator.oid = amopopr JOIN pg_proc ON pg_proc.oid = oprcode
            WHERE NOT proleakproof
            """
        )
        assert {name for (name,) in cursor.fetchall()} == set(BY_FUNCTION)
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_policy ON polrelid = indrelid "
            "WHERE indexprs IS NOT NULL"
        )
        assert {name for (name,) in cursor.fetchall()} - set(BY_FUNCTION) == BY_EXPRESSION


@pytest.mark.parametrize(
    ("column", "asked"),
    [
        ("folded_email", {"folded_email": "ana@example.org"}),
        ("folded_email", {"folded_email__in": ["ana@example.org", "bo@example.org"]}),
        ("dialled_phone", {"dialled_phone__gt": "", "dialled_phone": "912345678"}),
    ],
)
def test_o7_people_are_found_by_index_behind_the_policy(column: str, asked: dict[str, Any]) -> None:
    store = factories.make_store()
    ana = factories.make_customer(store, email=" Ana@Example.org", phone="+886 912 345 678")
    dates = {"created_at": NOW, "updated_at": NOW}
    others = [Customer(store=store, email=f"{n}@example.org", phone=str(10**8 + n), **dates) for n in range(200)]
    Customer.unscoped.bulk_create(others)
    people = Customer.objects.for_store(store).filter(**asked)
    with as_owner(), connection.cursor() as cursor:
        # What the planner knows of the table is otherwise what the tests before left there.
        cursor.execute("ANALYZE stores_customer")
        cursor.execute("SET LOCAL enable_seqscan = off")
    with in_store(store.pk):
        assert list(people) == [ana]
        conditions = re.findall(rf"customer_{column}.*\n\s+Index Cond: (.*)", people.explain())
    assert any(f"{column} = " in condition for condition in conditions)


@pytest.mark.parametrize("few", [0, 100])
def test_n3_orders_are_found_by_tags_whether_many_or_few_have_them(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.search._FEW", few)
    store = factories.make_store()
    person = factories.make_customer(store)
    vip, both, plain = (factories.make_order(person, tags=tags) for tags in (("vip",), ("VIP ", "new"), ()))
    factories.make_order(factories.make_customer(factories.make_store()), tags=("vip",))
    orders = Order.objects.for_store(store).order_by("pk")
    with in_store(store.pk):
        assert list(orders.filter(tagged(store, ["vip"]))) == [vip, both]
        assert list(orders.filter(tagged(store, ["vip"]) & tagged(store, ["new"]))) == [both]
        assert list(orders.filter(tagged(store, ["none", "new"]))) == [both]
        assert list(orders.exclude(tagged(store, ["vip"]))) == [plain]


@pytest.mark.parametrize(("term", "found"), [("a_", 1), ("50%", 1), ("%", 0), ("an", 0), ("na l", 1), ("A_N", 1)])
def test_o7_parts_of_names_are_taken_as_they_stand(term: str, found: int) -> None:
    store = factories.make_store()
    factories.make_customer(store, name="a_na Lisa 50%", email="")
    with in_store(store.pk):
        assert len(matching_customers(store, term)) == found
