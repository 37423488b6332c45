"""Rewards and redemptions in the back-office: list, page, customer's tab, the form that reverses (R1-R5, X12)."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from loyalty.core.errors import Busy
from loyalty.notices.models import Notice
from loyalty.platforms.connections.connect import Credentials, connect
from loyalty.stores.models import Customer, Role, Store
from orders.models import Redemption, ReversalRequest, Reward
from orders.services.redemptions.requests import request_reversal
from tests import factories
from tests.addresses import reverse
from tests.books import find_faults
from tests.database import as_owner
from tests.factories import ACTOR, NOW
from tests.orders.services.redemptions.test_reverse import order_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def customer(store: Store) -> Customer:
    return factories.make_collector(store, name="Ana Lee", email="ana@example.org")


@pytest.fixture
def redemption(customer: Customer, store: Store) -> Redemption:
    return factories.make_redemption(customer, factories.make_reward(store))


def signed_in(store: Store, role: Role = Role.SUPPORT) -> Client:
    client = Client()
    user = factories.make_user((store, role))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def words(answer: Any) -> str:
    """What the page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def fields(answer: Any) -> dict[str, str]:
    """The hidden and ticked fields of the form, as a browser would send them."""
    sent = {}
    for tag in re.findall(r"<input[^>]+>", answer.content.decode()):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        plain = 'type="hidden"' in tag or 'type="text"' in tag or 'type="number"' in tag
        if name and (plain or "checked" in tag):
            sent[name[1]] = unescape(value[1]) if value else "on"
    return sent


def address(redemption: Redemption, name: str = "reverse") -> str:
    return reverse(f"admin:orders_redemption_{name}", args=[redemption.pk])


def test_x12_the_form_shows_what_returns_and_does_it(redemption: Redemption, store: Store) -> None:
    client = signed_in(store)
    form = client.get(address(redemption))
    said = words(form)
    assert f"Ana Lee exchanged 500 points for the code {redemption.code} (5.00 USD off)" in said
    assert "Returns 300 points, valid until Jan 31, 2026" in said
    assert "Returns 200 points, never expires" in said
    assert "500 points → becomes 1,000 points" in said
    assert "Reverse and return 500 points" in said
    sent = fields(form)
    assert sent["notify"] == "on"
    done = client.post(address(redemption), sent | {"_confirm": "1", "reason": "Clicked"}, follow=True)
    assert "500 points are back" in words(done)
    assert "The message to ana@example.org is on its way." in words(done)
    assert "Redemption reversed by hand: returned 500 points of 500 points" in words(done)
    assert factories.balance("points", redemption.customer, now=NOW) == 1000
    assert Notice.unscoped.count() == 1
    again = client.post(address(redemption), sent | {"_confirm": "1"}, follow=True)
    assert "was reversed already" in words(again)
    assert Notice.unscoped.count() == 1
    assert find_faults(None) == []


def test_r3_without_the_tick_nobody_is_told(redemption: Redemption, store: Store) -> None:
    client = signed_in(store)
    sent = fields(client.get(address(redemption)))
    del sent["notify"]
    client.post(address(redemption), sent | {"_confirm": "1"})
    assert Redemption.unscoped.get().state == "reversed"
    assert not Notice.unscoped.exists()


def test_r3_expired_points_are_lost_or_extended(redemption: Redemption, store: Store) -> None:
    with time_machine.travel("2026-03-01T12:00:00+08:00", tick=False):
        client = signed_in(store)
        form = client.get(address(redemption))
        assert "Will not be returned" in words(form)
        assert "Reverse and return 200 points" in words(form)
        (ref,) = re.findall(r'name="extend_(p\d+)"', form.content.decode())
        sent = fields(form) | {f"extend_{ref}": "on", f"days_{ref}": "30"}
        stale = client.post(address(redemption), sent | {"_confirm": "1"})
        assert stale.status_code == 409
        shown = client.post(address(redemption), sent | {"_preview": "1"})
        assert "Returns 300 points, now valid until Mar 31, 2026" in words(shown)
        done = client.post(address(redemption), fields(shown) | {"_confirm": "1"}, follow=True)
        assert "500 points are back" in words(done)


def test_r3_an_extension_that_is_too_long_is_marked(redemption: Redemption, store: Store) -> None:
    with time_machine.travel("2026-03-01T12:00:00+08:00", tick=False):
        client = signed_in(store)
        form = client.get(address(redemption))
        (ref,) = re.findall(r'name="extend_(p\d+)"', form.content.decode())
        sent = fields(form) | {f"extend_{ref}": "on", f"days_{ref}": "999", "_confirm": "1"}
        refused = client.post(address(redemption), sent)
        assert refused.status_code == 422
        assert "Extend by 1 to 365 days." in words(refused)
        assert Redemption.unscoped.get().state == "claimed"


def test_r3_what_changed_meanwhile_is_shown_and_nothing_done(redemption: Redemption, store: Store) -> None:
    client = signed_in(store)
    sent = fields(client.get(address(redemption))) | {"_confirm": "1"}
    with time_machine.travel("2026-03-01T12:00:00+08:00", tick=False):
        answer = signed_in(store).post(address(redemption), sent)
    assert answer.status_code == 409
    assert "was: Returns 300 points" in words(answer)
    assert "The button said: Reverse and return 500 points" in words(answer)
    assert Redemption.unscoped.get().state == "claimed"


def test_r3_a_used_code_is_for_managers_with_a_reason(redemption: Redemption, store: Store) -> None:
    order_with(store, redemption.code or "")
    support, manager = signed_in(store), signed_in(store, Role.MANAGER)
    assert "Ask a manager" in words(support.get(address(redemption)))
    forced = {"token": "", "force": "on", "reason": "Goodwill", "_confirm": "1"}
    assert support.post(address(redemption), forced).status_code == 409
    form = manager.get(address(redemption))
    sent = fields(form) | {"_confirm": "1"}
    assert "Tick the box" in words(manager.post(address(redemption), sent))
    unexplained = manager.post(address(redemption), sent | {"force": "on", "reason": ""})
    assert (unexplained.status_code, "A used code is reversed with a reason." in words(unexplained)) == (422, True)
    assert Redemption.unscoped.get().state == "used"
    done = manager.post(address(redemption), sent | {"force": "on", "reason": "Goodwill"}, follow=True)
    assert "although the code had been used" in words(done)
    assert Redemption.unscoped.get().forced


def test_r4_the_form_says_first_that_only_a_part_comes_back(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, type="credits", value=Decimal(10))
    redemption = factories.make_redemption(customer, reward)
    factories.make_order(customer, credits="6.67")
    client = signed_in(store)
    form = client.get(address(redemption))
    assert "166 points of 500 points return" in words(form)
    assert "Reverse and return 166 points" in words(form)
    client.post(address(redemption), fields(form) | {"_confirm": "1"})
    assert Redemption.unscoped.get().points_returned == 166


def test_r4_nothing_left_is_said_instead_of_a_button(customer: Customer, store: Store) -> None:
    reward = factories.make_reward(store, type="credits", value=Decimal(10))
    redemption = factories.make_redemption(customer, reward)
    factories.make_order(customer, credits="10")
    client = signed_in(store)
    form = client.get(address(redemption))
    assert "there is nothing to exchange back" in words(form)
    assert "_confirm" not in form.content.decode()


def test_r3_the_form_alone_is_sent_for_a_dialog(redemption: Redemption, store: Store) -> None:
    client = signed_in(store)
    fragment = client.get(address(redemption), headers={"X-Fragment": "1"})
    assert fragment.content.decode().lstrip().startswith("<section")
    sent = fields(fragment) | {"_confirm": "1"}
    done = client.post(address(redemption), sent, headers={"X-Fragment": "1"})
    assert (done.status_code, done.headers["X-Location"]) == (204, address(redemption, "change"))


def test_r2_staff_redeem_on_the_customers_page(customer: Customer, store: Store) -> None:
    factories.make_reward(store)
    factories.make_reward(store, name="Ninety off", points=9000, value=Decimal(90))
    client = signed_in(store)
    page = reverse("admin:stores_customer_redeem", args=[customer.pk])
    form = client.get(page)
    assert "Not enough points for: Ninety off" in words(form)
    once = fields(form)["once"]
    sent = {"once": once, "reward": str(Reward.unscoped.earliest("id").pk)}
    done = client.post(page, sent, follow=True)
    code = str(Redemption.unscoped.get().code)
    assert f"The code is {code}. It can be used at once." in words(done)
    assert "Nothing was changed this time" in words(client.post(page, sent, follow=True))
    assert Redemption.unscoped.count() == 1
    tab = client.get(reverse("admin:stores_customer_change", args=[customer.pk]), {"tab": "redemptions"})
    assert code in words(tab)
    assert "Reverse…" in words(tab)
    history = client.get(reverse("admin:stores_customer_change", args=[customer.pk]), {"tab": "points"})
    assert code in words(history)


def test_r2_redeeming_says_what_is_missing(customer: Customer, store: Store) -> None:
    client = signed_in(store)
    page = reverse("admin:stores_customer_redeem", args=[customer.pk])
    assert "No reward is offered" in words(client.get(page))
    reward = factories.make_reward(store, points=10, limit_per_customer=1)
    factories.make_redemption(customer, reward)
    refused = client.post(page, {"once": "x", "reward": str(reward.pk)})
    assert (refused.status_code, "can be redeemed once" in words(refused)) == (422, True)
    poor = factories.make_customer(store)
    assert "Not enough points yet" in words(client.get(reverse("admin:stores_customer_redeem", args=[poor.pk])))


def test_r5_a_request_is_recorded_listed_and_refused_by_staff(redemption: Redemption, store: Store) -> None:
    client = signed_in(store)
    recorded = client.post(address(redemption, "request"), {"reason": "By accident"}, follow=True)
    assert "Reversal requested: Waits for an answer" in words(recorded)
    listed = client.get(reverse("admin:orders_redemption_changelist"), {"attention": "requested"})
    assert str(redemption.code) in words(listed)
    assert "Why" in words(client.post(address(redemption, "refuse"), {"reason": ""}, follow=True))
    refused = client.post(address(redemption, "refuse"), {"reason": "Too late"}, follow=True)
    assert "Reversal requested: Refused" in words(refused)
    assert ReversalRequest.unscoped.get().state == "refused"
    again = client.post(address(redemption, "refuse"), {"reason": "Too late"}, follow=True)
    assert "There is no open request" in words(again)
    listed = client.get(reverse("admin:orders_redemption_changelist"), {"attention": "requested"})
    assert str(redemption.code) not in words(listed)


def test_r5_viewers_change_nothing(redemption: Redemption, store: Store) -> None:
    request_reversal(store=store, redemption_id=redemption.pk, reason="x", actor=ACTOR, now=NOW)
    viewer = signed_in(store, Role.VIEWER)
    page = words(viewer.get(address(redemption, "change")))
    assert "Refuse" not in page
    assert "Reverse…" not in page
    for name in ("request", "refuse", "reverse"):
        assert viewer.post(address(redemption, name), {"reason": "x"}).status_code == 403


def test_r3_an_order_with_a_reversed_code_is_shown_until_settled(redemption: Redemption, store: Store) -> None:
    factories.reverse(redemption)
    order = order_with(store, redemption.code or "")
    client = signed_in(store)
    page = reverse("admin:orders_order_change", args=[order.pk])
    orders = reverse("admin:orders_order_changelist")
    assert "after its points had been returned" in words(client.get(page))
    assert order.number in words(client.get(orders, {"reversed_code": "yes"}))
    late = client.get(reverse("admin:orders_redemption_changelist"), {"attention": "used_late"})
    assert str(redemption.code) in words(late)
    assert "Came after the points had been returned" in words(client.get(address(redemption, "change")))
    client.post(reverse("admin:orders_order_settle_codes", args=[order.pk]))
    assert "Came with a code that was used up It" not in words(client.get(page))
    assert order.number not in words(client.get(orders, {"reversed_code": "yes"}))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "claimed"}, True),
        ({"state": "used"}, False),
        ({"state": "deleting"}, False),
        ({"state": "refused"}, False),
        ({"redeemed_from": "2025-12-20", "redeemed_to": "2025-12-20"}, True),
        ({"redeemed_from": "2025-12-21"}, False),
        ({"redeemed_to": "2025-12-19"}, False),
    ],
)
def test_the_list_is_filtered(redemption: Redemption, store: Store, query: dict[str, str], found: bool) -> None:
    client = signed_in(store)
    page = words(client.get(reverse("admin:orders_redemption_changelist"), query))
    assert (str(redemption.code) in page) is found
    exact = client.get(
        reverse("admin:orders_redemption_changelist"),
        {"code": (redemption.code or "").lower(), "reward": str(redemption.reward_id)},
    )
    assert str(redemption.code) in words(exact)


def test_r1_managers_add_change_and_switch_off_rewards(store: Store) -> None:
    manager = signed_in(store, Role.MANAGER)
    add = reverse("admin:orders_reward_add")
    once = fields(manager.get(add))["once"]
    new = {"once": once, "name": "A tenth", "points": "100", "type": "percentage", "value": "10", "active": "on"}
    assert "“A tenth” is offered." in words(manager.post(add, new, follow=True))
    assert "Nothing was changed this time" in words(manager.post(add, new, follow=True))
    reward = Reward.unscoped.get()
    assert (reward.points, reward.type, reward.value, reward.currency) == (100, "percentage", 10, "")
    change = reverse("admin:orders_reward_change", args=[reward.pk])
    wrong = manager.post(change, new | {"type": "fixed", "value": "1.001"})
    assert "finer" in words(wrong) or "decimals" in words(wrong) or "cent" in words(wrong)
    off = {name: value for name, value in new.items() if name != "active"}
    manager.post(change, off)
    assert not Reward.unscoped.get().active
    support = signed_in(store)
    assert "100 points for 10 % off" in words(support.get(change))
    assert support.post(change, new).status_code == 403


def test_r3_a_slow_platform_keeps_the_form_open_and_nothing_is_done_unasked(
    redemption: Redemption, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(store)
    sent = fields(client.get(address(redemption))) | {"_confirm": "1"}

    def busy(*_: Any, **__: Any) -> Any:
        raise Busy("A shop platform takes long to answer.")

    monkeypatch.setattr("orders.admin.redemptions.reverse_page.whether_used", busy)
    assert client.get(address(redemption)).status_code == 200
    answer = client.post(address(redemption), sent)
    assert answer.status_code == 503
    assert "takes long to answer" in words(answer)
    redemption.refresh_from_db()
    assert redemption.state == "claimed"


def test_r3_a_redemption_leads_to_the_shop_s_own_discount_while_it_is_there(
    redemption: Redemption, store: Store
) -> None:
    client = signed_in(store)
    link = 'href="https://tea.myshopify.com/admin/discounts/42" target="_blank" rel="noopener noreferrer"'
    there = {"platform": "shopify", "platform_reference": "gid://shopify/DiscountCodeNode/42"}

    def shown(**facts: Any) -> str:
        with as_owner():
            Redemption.unscoped.filter(pk=redemption.pk).update(**there, **facts)
        return str(client.get(address(redemption, "change")).content.decode())

    assert "Open the discount" not in shown(platform_state="confirmed")
    for shop, name in ((factories.make_store(), "other"), (store, "tea")):
        given = Credentials(base_url=f"https://{name}.myshopify.com")
        connect(store=shop, platform="shopify", given=given, actor=ACTOR, now=NOW)
    assert link in shown(platform_state="confirmed")
    order = order_with(store, redemption.code or "")
    factories.cancel_and_return(order)
    pending = shown(platform_state="pending")
    assert link in pending
    assert "Platform deletion pending" in pending
    gone = shown(platform_state="confirmed")
    assert "Deleted on the platform" in gone
    assert "Open the discount" not in gone
