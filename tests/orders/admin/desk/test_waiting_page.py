"""The page *To be tried again*: every kind that is tried again, for those who may see it, in its store alone (E7)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loyalty.stores.models import Role, Store
from orders.admin.desk.waiting_rows import KINDS
from tests import factories
from tests.addresses import pages_of, reverse
from tests.factories import NOW
from tests.orders.admin.desk.failures import fail
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
PAGE = "admin:orders_problem_waiting"
EVERYBODYS = {"message", "notice", "delivery", "order", "customer"}


@pytest.fixture
def shop() -> Iterator[tuple[Store, dict[str, Any]]]:
    store = factories.make_store()
    with pages_of(store):
        yield store, fail(store)


def rows(client: Client, **query: str) -> dict[str, dict[str, Any]]:
    return {row["kind"]: row for row in client.get(reverse(PAGE), query).context["rows"]}


def again(client: Client, kind: str, key: int) -> Any:
    return client.post(f"{reverse('admin:orders_problem_again', args=[kind, key])}?state=given_up")


def test_e7_whatever_has_a_next_attempt_is_on_the_page(shop: tuple[Store, dict[str, Any]]) -> None:
    tried = {
        model
        for model in apps.get_models()
        if not model._meta.proxy and {"next_attempt_at", "poll_not_before"} & {f.name for f in model._meta.fields}
    }
    assert {kind.rows(shop[0]).model for kind in KINDS.values()} == tried
    assert set(shop[1]) == set(KINDS)


def test_e7_all_that_failed_is_listed_with_its_reason_and_tried_again(shop: tuple[Store, dict[str, Any]]) -> None:
    store, failed = shop
    client, _ = staff(store, Role.OWNER)
    found = rows(client)
    assert {kind: row["key"] for kind, row in found.items()} == {kind: row.pk for kind, row in failed.items()}
    assert found["message"]["what"] == "Put a tag on the platform's order"
    assert (found["message"]["attempts"], found["message"]["error"]) == (3, "It did not work.")
    assert (found["poll"]["what"], found["poll"]["error"]) == ("Shopify", "Nobody is there.")
    assert found["webhook"]["what"] == "order.cancelled"
    assert found["order"]["what"] == "Orders with expired or failed payment are cancelled"
    assert {kind for kind, row in found.items() if row["given_up"]} == {"message", "webhook", "notice", "delivery"}
    for kind, row in failed.items():
        for _ in range(2):
            answer = again(client, kind, row.pk)
            assert answer["Location"] == f"{reverse(PAGE)}?state=given_up"
        row.refresh_from_db()
        turn, attempts = (getattr(row, KINDS[kind].column(name)) for name in ("next_attempt_at", "attempts"))
        assert (turn, attempts) == (NOW, 0), kind
    page = client.get(reverse(PAGE))
    assert page.content.decode().count("It is tried again within a minute.") == 2 * len(KINDS)
    assert [row["turn"] for row in page.context["rows"]] == ["within a minute"] * len(KINDS)


@pytest.mark.parametrize(
    ("role", "sees", "tries"),
    [
        (Role.VIEWER, EVERYBODYS, set()),
        (
            Role.SUPPORT,
            {"message", "notice", "delivery", "order", "customer"},
            {"message", "notice", "order", "customer"},
        ),
        (Role.MANAGER, EVERYBODYS | {"poll"}, EVERYBODYS | {"poll"}),
    ],
)
def test_t2_each_role_sees_and_tries_what_is_its_own(
    shop: tuple[Store, dict[str, Any]], role: Role, sees: set[str], tries: set[str]
) -> None:
    store, failed = shop
    client, _ = staff(store, role)
    found = rows(client)
    assert (set(found), {kind for kind, row in found.items() if row["may_try"]}) == (sees, tries)
    assert {kind for kind, row in failed.items() if again(client, kind, row.pk).status_code != 403} == tries


def test_t1_an_outsider_sees_and_tries_nothing_of_another_store(shop: tuple[Store, dict[str, Any]]) -> None:
    other, outsider = store_and_staff(Role.OWNER)
    with pages_of(other):
        assert rows(outsider) == {}
        assert "Nothing waits to be tried again" in outsider.get(reverse(PAGE)).content.decode()
        for kind, row in shop[1].items():
            assert again(outsider, kind, row.pk).status_code == 302
            assert "This store has no" in outsider.get(reverse(PAGE)).content.decode(), kind
            column = KINDS[kind].column("attempts")
            before = getattr(row, column)
            row.refresh_from_db()
            assert getattr(row, column) == before > 0
        assert again(outsider, "nothing", 1).status_code == 404


def test_filters_narrow_and_ten_rows_cost_what_one_costs(shop: tuple[Store, dict[str, Any]]) -> None:
    store, _ = shop
    client, _ = staff(store, Role.OWNER)
    assert set(rows(client, state="given_up")) == {"message", "webhook", "notice", "delivery"}
    assert set(rows(client, state="waiting")) == {"letter", "poll", "order", "customer"}
    assert set(rows(client, kind="notice")) == {"notice"}
    assert set(rows(client, kind="no such kind")) == set(KINDS)
    assert "Nothing matches" in client.get(reverse(PAGE), {"kind": "poll", "state": "given_up"}).content.decode()
    with CaptureQueriesContext(connection) as once:
        client.get(reverse(PAGE))
    fail(store)
    with CaptureQueriesContext(connection) as twice:
        assert len(client.get(reverse(PAGE)).context["rows"]) == 2 * len(KINDS) - 1
    assert len(twice) == len(once)


def test_what_is_solved_or_erased_is_no_longer_listed(shop: tuple[Store, dict[str, Any]]) -> None:
    store, failed = shop
    client, _ = staff(store, Role.OWNER)
    failed["notice"].to_email = ""
    failed["notice"].save_changes()
    failed["order"].order.payment_status = "paid"
    failed["order"].order.save_changes()
    failed["message"].status, failed["message"].done_at, failed["message"].last_error = "done", NOW, ""
    failed["message"].save_changes()
    assert set(rows(client)) == set(KINDS) - {"notice", "order", "message"}
    assert again(client, "notice", failed["notice"].pk).status_code == 302
    failed["notice"].refresh_from_db()
    assert failed["notice"].status == "failed"
