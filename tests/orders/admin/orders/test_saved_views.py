"""Tabs over the order list that staff make: their own, and the store's."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from loyalty.stores.models import Role, Store
from orders.models import SavedView
from orders.services import saved_views
from tests.addresses import pages_of, reverse
from tests.factories import make_customer, make_order
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = pytest.mark.django_db
LIST = "admin:orders_order_changelist"


def keep(client: Client, query: str, name: str, **more: str) -> Any:
    return client.post(f"{reverse('admin:orders_order_keep_view')}?{query}", {"name": name} | more)


def said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def tabs(client: Client, query: str = "") -> list[str]:
    """The names of the tabs; the current one in brackets."""
    views = client.get(f"{reverse(LIST)}?{query}").context["saved_views"]
    return [f"[{view['name']}]" if view["current"] else view["name"] for view in views]


def view_of(store: Store) -> SavedView:
    view: SavedView = SavedView.objects.for_store(store).get()
    return view


def change(client: Client, what: str, view: SavedView, **data: str) -> Any:
    return client.post(reverse(f"admin:orders_order_{what}_view", args=[view.pk]), data)


BUILT_IN = ["All", "Needs revert", "Paid after cancellation", "Auto-cancelled", "Partly reverted"]


def test_the_tabs_that_are_always_there() -> None:
    _, client = store_and_staff(Role.VIEWER)
    assert tabs(client) == ["[All]", *BUILT_IN[1:]]
    assert tabs(client, "needs_revert=yes") == ["All", "[Needs revert]", *BUILT_IN[2:]]


def test_a_filter_and_a_search_are_kept_under_a_name_and_lead_to_the_same_orders() -> None:
    store, client = store_and_staff(Role.VIEWER)
    make_order(make_customer(store, name="Ana Lee"), number="1", tags=["vip"])
    make_order(make_customer(store, name="Ana Kim"), number="2")
    page = client.get(f"{reverse(LIST)}?tags=vip&q=Ana&p=1&status=").content.decode()
    assert "Save this view" in page
    answer = keep(client, "q=Ana&tags=vip&p=1&status=", " Ana's   VIP ")
    assert "“Ana&#x27;s VIP” is kept as a tab of yours." in said(answer) or "“Ana's VIP” is kept" in said(answer)
    assert tabs(client, answer.headers["Location"].partition("?")[2]) == [*BUILT_IN, "[Ana's VIP]"]
    rows = client.get(answer.headers["Location"]).context["cl"].result_list
    assert [row.number for row in rows] == ["1"]
    assert "Save this view" not in client.get(answer.headers["Location"]).content.decode()


def test_ones_own_tabs_are_ones_own_and_the_stores_are_everybodys() -> None:
    store, owner = store_and_staff(Role.OWNER)
    viewer, _ = staff(store, Role.VIEWER)
    keep(owner, "tags=mine", "Mine")
    keep(owner, "tags=ours", "Ours", for_all="on")
    assert tabs(owner)[5:] == ["Ours", "Mine"]
    assert tabs(viewer)[5:] == ["Ours"]
    assert tabs(viewer, "tags=ours")[5:] == ["[Ours]"]
    # A shared link goes on working for somebody who does not have the tab.
    assert viewer.get(f"{reverse(LIST)}?tags=mine").status_code == 200


def test_t2_only_managers_make_rename_and_delete_the_stores_tabs() -> None:
    store, manager = store_and_staff(Role.MANAGER)
    support, _ = staff(store, Role.SUPPORT)
    assert keep(support, "tags=x", "Ours", for_all="on").status_code == 403
    keep(manager, "tags=x", "Ours", for_all="on")
    view = view_of(store)
    for what in ("rename", "delete"):
        assert change(support, what, view, name="Theirs").status_code == 403
    assert "Rename or delete" not in support.get(f"{reverse(LIST)}?tags=x").content.decode()
    change(manager, "rename", view, name="All of ours")
    assert tabs(support)[5:] == ["All of ours"]
    change(manager, "delete", view)
    assert tabs(support)[5:] == []


def test_t1_another_persons_and_another_stores_views_are_unknown() -> None:
    store, client = store_and_staff(Role.VIEWER)
    keep(client, "tags=x", "Mine")
    view = view_of(store)
    colleague, _ = staff(store, Role.OWNER)
    outsider_store, outsider = store_and_staff(Role.OWNER)
    for other, where in ((colleague, store), (outsider, outsider_store)):
        with pages_of(where):
            for what in ("rename", "delete"):
                assert change(other, what, view, name="Theirs").status_code == 404
            assert tabs(other)[5:] == []
    assert change(client, "rename", view, name="Renamed").status_code == 302
    assert view_of(store).name == "Renamed"


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("tags=x", "  ", "Give the view a name."),
        ("tags=x", "x" * 41, "at most 40 letters"),
        ("", "All of them", "Filter or search the list first"),
        ("placed_from=yesterday", "Wrong", "one of the filters is wrong"),
        ("tags=y", "taken", "There is a view of that name already."),
    ],
)
def test_what_cannot_be_kept_is_said(query: str, name: str, words: str) -> None:
    store, client = store_and_staff(Role.VIEWER)
    keep(client, "tags=first", "Taken")
    assert words in said(keep(client, query, name))
    assert view_of(store).name == "Taken"


def test_the_store_and_a_person_may_use_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    store, owner = store_and_staff(Role.OWNER)
    keep(owner, "tags=a", "Raid")
    keep(owner, "tags=b", "Raid", for_all="on")
    assert SavedView.objects.for_store(store).count() == 2
    assert "already" in said(keep(owner, "tags=c", "raid", for_all="on"))
    monkeypatch.setattr(saved_views, "MOST", 1)
    assert "Delete one first" in said(keep(owner, "tags=d", "Another"))


def test_only_the_lists_own_filters_are_kept() -> None:
    store, client = store_and_staff(Role.VIEWER)
    keep(client, "tags=x&next=https://elsewhere.example&o=1", "Mine")
    assert view_of(store).query == "tags=x"
