"""A balance import from its first part to its taking back, over REST."""

import base64
from typing import Any

import pytest

from loyalty.core.clock import read_clock
from loyalty.jobs.periodic import run_job
from orders.services.balance_imports.jobs import JOB
from orders.services.balance_imports.layouts.keep import keep_layout
from tests.balance_imports import HEADER
from tests.examples import Shop, open_shop, with_key
from tests.factories import ACTOR, NOW

TEXT = HEADER + "7,ann@example.org,Ann,credits,50.00,USD,,2030-12-31,,L-1\n8,,Bob,points,12,,,,,\n9,,Z,points,x,,,,,\n"


def begun(shop: Shop, text: str = TEXT) -> str:
    answer = shop.command("/balance-imports/", {"file_name": "old.csv", "size": len(text)})
    assert answer.status_code == 201, answer.json()
    return str(answer.json()["id"])


def sent(shop: Shop, text: str = TEXT) -> str:
    held, half = begun(shop, text), len(text) // 2
    for number, part in enumerate((text[:half], text[half:]), start=1):
        content = base64.b64encode(part.encode()).decode()
        answer = shop.command(f"/balance-imports/{held}/parts/", {"number": number, "content": content})
        assert answer.status_code == 200, answer.json()
    assert (answer.json()["state"], answer.json()["next_part"]) == ("uploaded", None)
    return held


def worked(shop: Shop, held: str) -> dict[str, Any]:
    run_job(JOB, read_clock())
    answer: dict[str, Any] = shop.get(f"/balance-imports/{held}/").json()
    return answer


def test_from_its_first_part_to_its_taking_back(shop: Shop) -> None:
    held = sent(shop)
    assert shop.command(f"/balance-imports/{held}/rehearsal/", {}).json()["state"] == "reading"
    found = worked(shop, held)
    assert (found["state"], found["rehearsal"]["bad_rows"], found["rehearsal"]["people"]) == ("rehearsed", 1, 2)
    assert found["rehearsal"]["totals"] == [
        {"kind": "credits", "currency": "USD", "month": "2030-12", "lots": 1, "amount": "50.00"},
        {"kind": "points", "currency": None, "month": None, "lots": 1, "amount": 12},
    ]
    bad = shop.get(f"/balance-imports/{held}/bad-rows/").json()["results"]
    assert [(row["row"], row["column"], row["code"], row["value"]) for row in bad] == [(4, "amount", "no-number", "x")]

    start = f"/balance-imports/{held}/start/"
    totals = [{"kind": "credits", "amount": "50"}, {"kind": "points", "amount": "11"}]
    refused = shop.command(start, {"totals": totals})
    assert (refused.status_code, refused.json()["code"]) == (409, "totals-differ")
    assert shop.command(start, {"totals": totals, "reason": "A row is bad"}).json()["state"] == "running"
    done = worked(shop, held)
    assert (done["state"], done["result"]["totals"]) == ("done", found["rehearsal"]["totals"])
    assert [one["agrees"] for one in done["rehearsal"]["compared"]] == [True, False]

    ann = shop.get("/customers/", external_id="7").json()["results"][0]["id"]
    order = shop.order(ann, apply_credits="10.00")["id"]
    refused = shop.command(f"/balance-imports/{held}/take-back/", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "import-was-used")
    assert [(one["customer"], one["order"]) for one in refused.json()["obstacles"]] == [(ann, order)]
    assert refused.json()["obstacle_count"] == 1

    other = sent(shop, HEADER + "10,,Kim,points,5,,,,,\n")
    for step in ("rehearsal", "start", "take-back"):
        body = {"reason": "Not known"} if step == "start" else {}
        assert shop.command(f"/balance-imports/{other}/{step}/", body).status_code == 200
        state = worked(shop, other)["state"]
    assert state == "taken_back"
    assert [row["id"] for row in shop.get("/balance-imports/").json()["results"]] == [other, held]


def test_parts_that_do_not_fit_say_so(shop: Shop) -> None:
    held = begun(shop)
    parts = f"/balance-imports/{held}/parts/"
    content = base64.b64encode(b"abc").decode()
    assert shop.command(parts, {"number": 2, "content": content}).json()["code"] == "part-out-of-order"
    assert shop.command(parts, {"number": 1, "content": "#"}).json()["errors"][0]["pointer"] == "/content"
    assert shop.command(parts, {"number": 1, "content": content}).json()["next_part"] == 2
    assert shop.command(f"/balance-imports/{held}/rehearsal/", {}).json()["code"] == "import-not-ready"
    assert shop.send("DELETE", f"/balance-imports/{held}/", {}).status_code == 204
    assert shop.get(f"/balance-imports/{held}/").status_code == 404


def test_columns_can_be_named(shop: Shop) -> None:
    held = sent(shop, "Who;What\nann@example.org;1.234,50\n")
    address = f"/balance-imports/{held}/rehearsal/"
    unknown = shop.command(address, {"columns": {"stars": "What"}})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/columns")
    body = {"columns": {"email": "Who", "credits": "What"}, "separator": ";", "decimal_mark": ",", "currency": "EUR"}
    assert shop.command(address, body).status_code == 200
    found = worked(shop, held)
    assert [(one["currency"], one["amount"]) for one in found["rehearsal"]["totals"]] == [("EUR", "1234.50")], found


def test_a_kept_layout_says_it_all(shop: Shop) -> None:
    shape = {"kind": "csv", "encoding": "utf-8", "separator": ";"}
    layout = {"shape": shape, "columns": {"email": "Who", "credits": "What"}, "decimal_mark": ",", "currency": "EUR"}
    keep_layout(store=shop.store, name="Old system", layout=layout, actor=ACTOR, now=NOW)
    held = sent(shop, "Who;What\nann@example.org;1.234,50\n")
    address = f"/balance-imports/{held}/rehearsal/"
    for body, pointer in (({"layout": "New"}, "/layout"), ({"layout": "Old system", "currency": "EUR"}, "/currency")):
        refused = shop.command(address, body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert shop.command(address, {"layout": "Old system"}).status_code == 200
    found = worked(shop, held)
    assert [(one["currency"], one["amount"]) for one in found["rehearsal"]["totals"]] == [("EUR", "1234.50")], found


@pytest.mark.parametrize("missing", ["credits:write", "points:write", "customers:write"])
def test_t7_an_import_needs_every_scope_of_what_it_makes(shop: Shop, missing: str) -> None:
    scopes = {"credits:write", "points:write", "customers:write"} - {missing}
    refused = with_key(shop.store, sorted(scopes)).command("/balance-imports/", {"file_name": "x", "size": 1})
    assert (refused.status_code, missing in refused.json()["detail"]) == (403, True)


def test_t7_codes_need_the_scopes_of_rewards(shop: Shop) -> None:
    held = sent(shop, "email,code,points,value,currency\nann@example.org,SAVE,100,5,USD\n")
    shop.command(f"/balance-imports/{held}/rehearsal/", {})
    worked(shop, held)
    poor = with_key(shop.store, ["ledger:read", "credits:write", "points:write", "customers:write"])
    refused = poor.command(f"/balance-imports/{held}/start/", {"reason": "x"})
    assert (refused.status_code, "redemptions:write" in refused.json()["detail"]) == (403, True)


def test_t1_an_import_of_another_store_is_not_there(shop: Shop) -> None:
    held = sent(shop)
    other = open_shop("coffee")
    assert other.get(f"/balance-imports/{held}/").status_code == 404
    for step in ("rehearsal", "start", "take-back"):
        assert other.command(f"/balance-imports/{held}/{step}/", {}).status_code == 404


def test_what_is_wrong_is_said_in_the_files_own_columns(shop: Shop) -> None:
    """Without a layout as well: then the names of the columns were one."""
    held = sent(shop, "Customer ID,Points balance,Points expire on\n7,x,\n8,5,1999-01-01\n9,5,\n9,5,\n")
    shop.command(f"/balance-imports/{held}/rehearsal/", {})
    assert worked(shop, held)["rehearsal"]["same_again"] == 1
    bad = shop.get(f"/balance-imports/{held}/bad-rows/").json()["results"]
    assert [(row["row"], row["column"]) for row in bad] == [(2, "Points balance"), (3, "Points expire on")]
