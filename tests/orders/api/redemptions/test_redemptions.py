"""Rewards and redemptions over REST (R1-R5, X12)."""

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.notices.models import Notice
from orders.api.redemptions import documents
from orders.models import Order, Redemption
from orders.urls import urlpatterns
from tests.books import find_faults
from tests.examples import Shop, with_key
from tests.orders.api.test_documents import _members, _same
from tests.orders.api.test_outsider import OF_REDEMPTIONS
from tests.orders.services.redemptions.test_reverse import order_with

FIVE_OFF = {"name": "Five off", "points": 500, "type": "fixed", "value": "5.00", "valid_days": 30}


def made(response: Any, status: int = 201) -> dict[str, Any]:
    assert response.status_code == status, response.content
    answer: dict[str, Any] = response.json()
    return answer


def reward(shop: Shop, **changes: Any) -> str:
    return str(made(shop.command("/rewards/", FIVE_OFF | changes))["id"])


@pytest.fixture
def customer(shop: Shop) -> str:
    """Ana, with 300 points until 31 January and 700 for ever."""
    ana = shop.customer()
    shop.give_points(ana, 300, "2026-01-31")
    shop.give_points(ana, 700)
    return ana


@pytest.fixture
def redemption(shop: Shop, customer: str) -> dict[str, Any]:
    return made(shop.command("/redemptions/", {"customer": customer, "reward": reward(shop)}))


def reverse(shop: Shop, redemption: dict[str, Any], *, key: str = "", **body: Any) -> Any:
    return shop.command(f"/redemptions/{redemption['id']}/reverse/", body, key=key)


def points(shop: Shop, customer: str) -> int:
    return int(shop.get(f"/customers/{customer}/balance/").json()["points"]["available"])


def use(shop: Shop, redemption: dict[str, Any]) -> Order:
    return order_with(shop.store, redemption["code"])


def test_x12_redeemed_and_reversed(shop: Shop, customer: str, redemption: dict[str, Any]) -> None:
    assert points(shop, customer) == 500
    assert (redemption["state"], redemption["platform_state"], redemption["usable"]) == ("claimed", None, True)
    answer = made(reverse(shop, redemption, notify_customer=True), 200)
    assert (answer["state"], answer["points_returned"], answer["usable"]) == ("reversed", 500, False)
    assert answer["reversed_at"] == "2026-01-05T04:00:00Z"
    assert [(lot["amount"], lot["outcome"], lot["expires_on"], lot["new_lot"]) for lot in answer["lots"]] == [
        (300, "returned", "2026-01-31", None),
        (200, "returned", None, None),
    ]
    assert answer["notification"]["status"] == "queued"
    assert points(shop, customer) == 1000
    assert not made(shop.get(f"/discount-codes/{redemption['code']}/"), 200)["usable"]
    assert find_faults(None) == []


def test_x12_the_same_command_again_and_another_one_change_nothing(
    shop: Shop, customer: str, redemption: dict[str, Any]
) -> None:
    first = reverse(shop, redemption, key="once")
    replayed = reverse(shop, redemption, key="once")
    again = made(reverse(shop, redemption), 200)
    assert (replayed.headers["Idempotent-Replayed"], replayed.json()) == ("true", first.json())
    assert (again["state"], again["lots"], again["notification"], again["points_returned"]) == (
        "reversed",
        [],
        None,
        500,
    )
    assert points(shop, customer) == 1000
    assert Notice.unscoped.count() == 1


def test_r3_movements_name_the_redemption(shop: Shop, customer: str, redemption: dict[str, Any]) -> None:
    reverse(shop, redemption)
    rows = shop.get(f"/customers/{customer}/point-movements/", type="spend,revert").json()["results"]
    assert [(row["type"], row["amount"], row["redemption"], row["order"], row["revert"]) for row in rows] == [
        ("revert", 200, redemption["id"], None, None),
        ("revert", 300, redemption["id"], None, None),
        ("spend", -200, redemption["id"], None, None),
        ("spend", -300, redemption["id"], None, None),
    ]


@pytest.mark.parametrize(
    "extend",
    [{"days": 30}, {"expires_on": "2026-03-31"}, {"points": {"days": 30}}, {"points": {"expires_on": "2026-03-31"}}],
)
def test_r3_expired_points_come_back_when_extended(
    shop: Shop, customer: str, redemption: dict[str, Any], extend: dict[str, Any]
) -> None:
    with time_machine.travel(shop.at(2026, 3, 1), tick=False):
        answer = made(reverse(shop, redemption, extend=extend), 200)
        assert [lot["outcome"] for lot in answer["lots"]] == ["extended", "returned"]
        assert answer["lots"][0]["expires_on"] == "2026-03-31"
        assert answer["lots"][0]["new_lot"] is not None
        assert points(shop, customer) == 1000


def test_r3_single_allocations_can_be_extended(shop: Shop, customer: str, redemption: dict[str, Any]) -> None:
    with time_machine.travel(shop.at(2026, 3, 1), tick=False):
        plan = made(shop.send("POST", f"/redemptions/{redemption['id']}/reverse/preview/", {}), 200)
        allocation = plan["lots"][0]["allocation"]
        unknown = reverse(shop, redemption, extend={"allocations": {"p0": {"days": 3}}})
        assert unknown.json()["errors"][0]["pointer"] == "/extend/allocations/p0"
        reverse(shop, redemption, extend={"allocations": {allocation: {"days": 3}}})
        assert points(shop, customer) == 1000


def test_r3_two_ways_of_extending_at_once_are_refused(shop: Shop, redemption: dict[str, Any]) -> None:
    refused = reverse(shop, redemption, extend={"days": 3, "points": {"days": 4}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/extend")


def test_r3_the_preview_shows_what_the_token_does(shop: Shop, redemption: dict[str, Any]) -> None:
    path = f"/redemptions/{redemption['id']}/reverse/preview/"
    plan = made(shop.send("POST", path, {}), 200)
    assert (plan["returns"], plan["remains"], plan["balance_before"], plan["balance_after"]) == (500, 0, 500, 1000)
    assert made(with_key(shop.store, ["redemptions:read"]).send("POST", path, {}), 200)["balance_before"] is None
    with time_machine.travel(shop.at(2026, 3, 1), tick=False):
        stale = reverse(shop, redemption, preview_token=plan["preview_token"])
        assert (stale.status_code, stale.json()["code"]) == (409, "preview-stale")
        assert (stale.json()["plan"]["returns"], stale.json()["plan"]["remains"]) == (200, 300)
    assert reverse(shop, redemption, preview_token=plan["preview_token"]).status_code == 200


def test_r3_a_used_code_is_409_and_goes_by_force_with_a_reason(
    shop: Shop, customer: str, redemption: dict[str, Any]
) -> None:
    order = use(shop, redemption)
    refused = reverse(shop, redemption, reason="Please")
    assert (refused.status_code, refused.json()["code"]) == (409, "code-used")
    unexplained = reverse(shop, redemption, force=True)
    assert [error["pointer"] for error in unexplained.json()["errors"]] == ["/reason"]
    one = made(shop.get(f"/redemptions/{redemption['id']}/"), 200)
    assert (one["state"], one["used_by_order"]) == ("used", str(order.pk))
    forced = made(reverse(shop, redemption, force=True, reason="Goodwill"), 200)
    assert (forced["forced"], forced["points_returned"]) == (True, 500)


def test_r4_credits_are_granted_and_taken_back_in_proportion(shop: Shop, customer: str) -> None:
    ten = reward(shop, type="credits", value="10.00")
    claimed = made(shop.command("/redemptions/", {"customer": customer, "reward": ten}))
    assert claimed["code"] is None
    lots = shop.get(f"/customers/{customer}/credit-lots/").json()["results"]
    assert [(lot["id"], lot["origin"], lot["granted"]) for lot in lots] == [(claimed["credit_lot"], "reward", "10.00")]
    shop.order(customer, apply_credits="6.67")
    plan = made(shop.send("POST", f"/redemptions/{claimed['id']}/reverse/preview/", {}), 200)
    assert (plan["credits_taken"], plan["credits_left"], plan["returns"]) == ("3.33", "6.67", 166)
    answer = made(reverse(shop, claimed), 200)
    assert (answer["credits_taken"], answer["points_returned"]) == ("3.33", 166)
    taken = shop.get(f"/customers/{customer}/credit-movements/", type="claw_back").json()["results"]
    assert [(row["amount"], row["redemption"]) for row in taken] == [("-3.33", claimed["id"])]


def test_r4_nothing_left_is_409(shop: Shop, customer: str) -> None:
    ten = reward(shop, type="credits", value="10.00")
    claimed = made(shop.command("/redemptions/", {"customer": customer, "reward": ten}))
    shop.order(customer, apply_credits="10.00")
    refused = reverse(shop, claimed)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing-left")


def test_r5_a_request_is_recorded_and_shown(shop: Shop, redemption: dict[str, Any]) -> None:
    path = f"/redemptions/{redemption['id']}/request-reversal/"
    asked = made(shop.command(path, {"reason": "Clicked by accident"}))
    assert (asked["state"], asked["reason"], asked["answer"]) == ("open", "Clicked by accident", None)
    assert made(shop.command(path, {"reason": "Again"}))["id"] == asked["id"]
    (row,) = shop.get("/redemptions/", requested="true").json()["results"]
    assert (row["id"], row["state"], row["request"]) == (redemption["id"], "claimed", asked)
    assert shop.get("/redemptions/", requested="false").json()["results"] == []
    answer = made(reverse(shop, redemption), 200)
    assert answer["request"]["state"] == "done"
    refused = shop.command(path, {"reason": "Again"})
    assert (refused.status_code, refused.json()["code"]) == (409, "already-reversed")


def test_r5_a_request_needs_a_reason(shop: Shop, redemption: dict[str, Any]) -> None:
    refused = shop.command(f"/redemptions/{redemption['id']}/request-reversal/", {"reason": ""})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/reason"]


def test_r2_a_code_says_whether_it_may_be_used(shop: Shop, redemption: dict[str, Any]) -> None:
    code = made(shop.get(f"/discount-codes/{redemption['code'].lower()}/"), 200)
    assert (code["code"], code["usable"], code["state"]) == (redemption["code"], True, "claimed")
    assert (code["type"], code["value"], code["currency"], code["expires_on"]) == ("fixed", "5.00", "USD", "2026-02-04")
    assert shop.get("/discount-codes/NOBODYS/").status_code == 404
    with time_machine.travel(shop.at(2026, 2, 5, 0), tick=False):
        assert not made(shop.get(f"/discount-codes/{redemption['code']}/"), 200)["usable"]


def test_r2_too_few_points_and_limits_are_refused(shop: Shop, customer: str) -> None:
    once = reward(shop, points=300, limit_per_customer=1)
    dear = reward(shop, points=5000)
    poor = shop.command("/redemptions/", {"customer": customer, "reward": dear})
    assert (poor.status_code, poor.json()["code"]) == (422, "insufficient-balance")
    made(shop.command("/redemptions/", {"customer": customer, "reward": once}))
    again = shop.command("/redemptions/", {"customer": customer, "reward": once})
    assert (again.status_code, again.json()["code"]) == (409, "redemption-limit-reached")


def test_r1_rewards_are_listed_changed_and_switched_off(shop: Shop, customer: str) -> None:
    percent = made(shop.command("/rewards/", {"name": "A tenth", "points": 10, "type": "percentage", "value": 10}))
    assert (percent["value"], percent["currency"], percent["valid_days"]) == ("10", None, None)
    fixed = reward(shop)
    assert [row["id"] for row in shop.get("/rewards/").json()["results"]] == [fixed, percent["id"]]
    changed = made(shop.send("PATCH", f"/rewards/{fixed}/", {"points": 600, "value": "6.00"}), 200)
    assert (changed["points"], changed["value"], changed["name"]) == (600, "6.00", "Five off")
    assert not made(shop.send("PATCH", f"/rewards/{percent['id']}/", {"active": False}), 200)["active"]
    assert [row["id"] for row in shop.get("/rewards/", active="true").json()["results"]] == [fixed]
    refused = shop.command("/redemptions/", {"customer": customer, "reward": percent["id"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "reward-inactive")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"value": "5.001"}, "/value"),
        ({"value": "0"}, "/value"),
        ({"currency": "XQX"}, "/currency"),
        ({"points": 0}, "/points"),
        ({"valid_days": 0}, "/valid_days"),
        ({"type": "percentage", "value": "101"}, "/value"),
        ({"type": "percentage", "currency": "USD"}, "/currency"),
        ({"type": "free"}, "/type"),
        ({"nonsense": 1}, "/nonsense"),
    ],
)
def test_r1_terms_that_cannot_be_are_422_at_their_pointer(shop: Shop, changes: dict[str, Any], pointer: str) -> None:
    refused = shop.command("/rewards/", FIVE_OFF | changes)
    assert refused.status_code == 422, refused.content
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


def test_the_list_is_filtered(shop: Shop, customer: str, redemption: dict[str, Any]) -> None:
    other = reward(shop, points=10)
    second = made(shop.command("/redemptions/", {"customer": customer, "reward": other}))
    reverse(shop, second)

    def ids(**parameters: str) -> list[str]:
        answer = shop.get("/redemptions/", **parameters)
        return [row["id"] for row in made(answer, 200)["results"]]

    assert ids() == [second["id"], redemption["id"]]
    assert ids(state="reversed") == [second["id"]]
    assert ids(state="claimed,used") == [redemption["id"]]
    assert ids(reward=other) == [second["id"]]
    assert ids(customer=customer) == [second["id"], redemption["id"]]
    assert ids(customer="999") == []
    assert ids(code=redemption["code"].lower()) == [redemption["id"]]
    assert ids(platform_state="pending") == []
    assert ids(created_after="2026-01-05T12:00:00+08:00", created_before="2026-01-06T00:00:00Z") != []
    assert shop.get("/redemptions/", state="lost").status_code == 400


def test_the_list_has_few_statements(shop: Shop, customer: str) -> None:
    cheap = reward(shop, points=10)
    for _ in range(5):
        shop.command("/redemptions/", {"customer": customer, "reward": cheap})
    with CaptureQueriesContext(connection) as queries:
        assert len(shop.get("/redemptions/").json()["results"]) == 5
    assert len(queries) <= 8


def test_scopes(shop: Shop, customer: str, redemption: dict[str, Any]) -> None:
    reader = with_key(shop.store, ["redemptions:read"])
    writer = with_key(shop.store, ["redemptions:write"])
    path = f"/redemptions/{redemption['id']}/"
    assert reader.get("/redemptions/").status_code == 200
    assert writer.get("/redemptions/").status_code == 403
    assert reader.command("/redemptions/", {}).status_code == 403
    assert writer.command(f"{path}reverse/", {}).status_code == 403
    assert reader.command(f"{path}request-reversal/", {}).status_code == 403
    assert Redemption.unscoped.get().state == "claimed"


ADDRESSES = [
    ("GET", "/rewards/{reward}/", None),
    ("PATCH", "/rewards/{reward}/", {"active": False}),
    ("GET", "/redemptions/{redemption}/", None),
    ("POST", "/redemptions/{redemption}/reverse/preview/", {}),
    ("POST", "/redemptions/{redemption}/reverse/", {}),
    ("POST", "/redemptions/{redemption}/request-reversal/", {"reason": "x"}),
    ("GET", "/discount-codes/{code}/", None),
]


@pytest.mark.parametrize(("method", "address", "body"), ADDRESSES)
def test_t1_a_foreign_id_answers_as_an_unknown_one(
    shop: Shop, outsider: Shop, redemption: dict[str, Any], method: str, address: str, body: Any
) -> None:
    def ask(**names: str) -> Any:
        path = address.format(**names)
        if method == "GET":
            return outsider.get(path)
        return outsider.command(path, body) if method == "POST" else outsider.send(method, path, body)

    foreign = ask(reward=redemption["reward"], redemption=redemption["id"], code=redemption["code"])
    unknown = ask(reward="987654321", redemption="987654321", code="NOBODYS")
    nonsense = ask(reward="x", redemption="x", code="x")
    assert [answer.status_code for answer in (foreign, unknown, nonsense)] == [404, 404, 404]
    assert {answer.json()["code"] for answer in (foreign, unknown, nonsense)} == {"not-found"}
    assert made(shop.get(f"/redemptions/{redemption['id']}/"), 200) == redemption


def test_t1_every_address_is_walked_and_lists_show_nothing_foreign(
    outsider: Shop, customer: str, redemption: dict[str, Any]
) -> None:
    names = {"<str:reward_id>": "{reward}", "<str:redemption_id>": "{redemption}", "<str:code>": "{code}"}
    addresses = {str(item.pattern) for item in urlpatterns}
    known = {item for item in addresses if item.startswith(OF_REDEMPTIONS)}
    known -= {"rewards/", "redemptions/"}
    for pattern, name in names.items():
        known = {address.replace(pattern, name) for address in known}
    assert known == {address.lstrip("/") for _, address, _ in ADDRESSES}
    assert outsider.get("/rewards/").json()["results"] == outsider.get("/redemptions/").json()["results"] == []
    body = {"customer": customer, "reward": redemption["reward"]}
    refused = outsider.command("/redemptions/", body)
    assert [(error["pointer"], error["code"]) for error in refused.json()["errors"]] == [("/customer", "not-found")]


def test_what_is_described_is_what_is_answered(shop: Shop, redemption: dict[str, Any]) -> None:
    path = f"/redemptions/{redemption['id']}/"
    answers = {
        "RewardDocument": shop.get(f"/rewards/{redemption['reward']}/").json(),
        "RedemptionDocument": redemption,
        "CodeDocument": shop.get(f"/discount-codes/{redemption['code']}/").json(),
        "RequestDocument": shop.command(f"{path}request-reversal/", {"reason": "x"}).json(),
        "ReversalPlanDocument": shop.send("POST", f"{path}reverse/preview/", {}).json(),
        "ReversedDocument": reverse(shop, redemption).json(),
    }
    for name, answer in answers.items():
        _same(_members(getattr(documents, name)()), answer, name)
